//! Connections shared by threads.

use core::time::Duration;
use std::{
    sync::{Barrier, Mutex},
    thread,
    time::Instant,
};

use memring_std::{Client, ErrorKind, HealthPolicy, Ttl, testing::Server};
use memring_suite::{Memcached, Scripted, Stopwatch, until};

use crate::support::{TOUCHY, builder, until_busy};

#[test]
fn more_threads_than_connections_take_turns() {
    let servers = [Server::start().unwrap(), Server::start().unwrap(), Server::start().unwrap()];
    let names = servers.iter().map(|server| server.addr().to_string());
    let builder = Client::builder().servers(names).pool_size(2).timeout(Duration::from_secs(60));
    let client = builder.build().unwrap();
    thread::scope(|scope| {
        for thread in 0..64 {
            let client = &client;
            scope.spawn(move || {
                let keys: Vec<_> = (0..20).map(|number| format!("{thread}:{number}")).collect();
                let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();
                for key in &keys {
                    client.set(key, key, Ttl::NEVER).unwrap();
                    assert_eq!(client.get(key).unwrap().unwrap().value, key.as_bytes());
                }
                client.set_many(&items, Ttl::NEVER).unwrap().all().unwrap();
                let found = client.get_many(&keys).unwrap().all().unwrap();
                assert!(keys.iter().zip(found).all(|(key, item)| item.unwrap().value == key.as_bytes()));
            });
        }
    });
    for (status, server) in client.servers().iter().zip(&servers) {
        assert_eq!((status.idle, status.waiting), (2, 0));
        assert_eq!(server.connections(), 2);
    }
}

#[test]
fn who_gets_no_connection_in_time_is_told_so() {
    let server = Scripted::silent();
    let (patient, brief) = (Duration::from_secs(3), Duration::from_millis(400));
    let client = Client::builder().servers([server.name()]).pool_size(1).timeout(patient).build().unwrap();
    thread::scope(|scope| {
        let first = scope.spawn(|| client.set("k", "v", Ttl::NEVER).unwrap_err());
        until("the only connection is in use", || server.received().contains("set k").then_some(()));
        let watch = Stopwatch::start();
        let second = client.with_timeout(brief).set("l", "v", Ttl::NEVER).unwrap_err();
        watch.assert_ends_at(brief);
        assert_eq!(second.kind(), ErrorKind::Timeout);
        assert!(second.is_retryable() && !second.is_ambiguous(), "it never left: {second}");
        let first = first.join().unwrap();
        assert_eq!(first.kind(), ErrorKind::Timeout);
        assert!(first.is_ambiguous(), "it was sent and not answered: {first}");
    });
    assert!(!server.received().contains("set l"));
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_stopped_server_leaves_nothing_behind() {
    let server = Server::start().unwrap();
    let addr = server.addr();
    let client = Client::connect([addr.to_string()]).unwrap();
    client.set("k", "v", Ttl::NEVER).unwrap();
    assert_eq!(server.connections(), 1);
    server.stop();
    assert!(matches!(client.get("k").unwrap_err().kind(), ErrorKind::Connect | ErrorKind::Closed));
    // The port is free again.
    let server = Server::bind(addr).unwrap();
    assert!(client.get("k").unwrap().is_none());
    drop(server);
}

#[test]
fn one_lost_connection_is_one_failure_however_many_lose_it() {
    let server = Scripted::new(|mut peer| drop(peer.line()));
    let client = builder(&[server.name()]).build().unwrap();
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                barrier.wait();
                assert_eq!(client.get("k").unwrap_err().kind(), ErrorKind::Closed);
            });
        }
    });
    assert!(!client.servers()[0].health.is_down());
}

#[test]
fn connections_do_not_rest_for_ever() {
    let server = Server::start().unwrap();
    let rest = Duration::from_millis(50);
    let client = builder(&[server.addr().to_string()]).idle_timeout(rest).build().unwrap();
    // Some at once, then one after the other: the others go by and by.
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                (0..20).for_each(|_| drop(client.get("k").unwrap()));
            });
        }
    });
    thread::sleep(2 * rest);
    until("one is left", || {
        client.get("k").unwrap();
        (client.servers()[0].idle == 1).then_some(())
    });
    until("the server sees it, too", || (server.connections() == 1).then_some(()));
}

#[test]
fn what_may_not_be_sent_twice_is_not_though_it_says_nothing_of_the_server() {
    let server = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            if peer.number > 0 {
                // Has it read the request, or not? Nobody knows but the server.
                return;
            }
            if line == "get k" {
                thread::sleep(Duration::from_millis(50));
                peer.write("VALUE k 0 1\r\nv\r\nEND\r\n");
            } else if line == "delete k" {
                peer.write("DELETED\r\n");
            }
        }
    });
    let client = builder(&[server.name()]).health_policy(TOUCHY).build().unwrap();
    client.get("k").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| client.get("k").unwrap());
        until_busy(&client, 1);
        let error = client.delete("k").unwrap_err();
        assert!(error.kind() == ErrorKind::Closed && error.is_ambiguous(), "{error:?}");
    });
    assert!(!client.servers()[0].health.is_down());
    assert!(client.delete("k").unwrap());
}

/// A client of a server that hangs and of another one, with so many connections to each and a second for everything; and
/// keys, first those of the server that hangs.
fn with_one_that_hangs(names: &[String; 2], connections: usize) -> (Client, Vec<String>, Vec<String>) {
    let policy = HealthPolicy { failures: u32::MAX, ..HealthPolicy::DEFAULT };
    let builder = builder(names).pool_size(connections).health_policy(policy);
    let client = builder.timeout(Duration::from_secs(1)).build().unwrap();
    let keys = (0..400).map(|number| format!("key:{number}"));
    let (hung, others) = keys.partition(|key| *client.server_of(key) == *names[0]);
    (client, hung, others)
}

/// Callers who wait for a hung server have all that there is of its pool; the next one's keys of other servers come all the
/// same, and as early as ever.
#[test]
fn a_pool_without_a_part_left_keeps_nobody_from_the_others() {
    let servers = [Memcached::start(), Memcached::start()];
    let names = servers.each_ref().map(Memcached::name);
    for connections in [1, 2] {
        let (client, hung, others) = with_one_that_hangs(&names, connections);
        let keys: Vec<_> = hung.iter().chain(&others).collect();
        let items: Vec<_> = keys.iter().map(|key| (key, "v")).collect();
        client.set_many(&items, Ttl::NEVER).unwrap().all().unwrap();
        servers[0].signal("STOP");
        let patient = client.with_timeout(Duration::from_secs(3));
        let last = Mutex::new(Duration::ZERO);
        thread::scope(|scope| {
            for _ in 0..connections {
                scope.spawn(|| patient.get(&hung[0]).unwrap_err());
            }
            until_busy(&client, connections);
            let begun = Instant::now();
            let found = client.get_many_with(&keys, |_, _| *last.lock().unwrap() = begun.elapsed()).unwrap();
            for (key, result) in keys.iter().zip(found.results()) {
                match result {
                    Ok(hit) => assert!(*hit && *client.server_of(key) == *names[1]),
                    Err(error) => {
                        assert_eq!((error.kind(), error.server()), (ErrorKind::Timeout, Some(&*names[0])));
                        assert!(*client.server_of(key) == *names[0] && !error.is_ambiguous());
                    }
                }
            }
            assert_eq!(found.errors().len(), 1);
        });
        let last = last.into_inner().unwrap();
        assert!(last < Duration::from_millis(250), "{last:?}");
        servers[0].signal("CONT");
    }
}

#[test]
fn another_operation_may_go_on_while_items_are_lent() {
    let server = Server::start().unwrap();
    let client = builder(&[server.addr().to_string()]).pool_size(2).build().unwrap();
    let keys: Vec<_> = (0..20).map(|number| format!("key:{number}")).collect();
    let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();
    client.set_many(&items, Ttl::NEVER).unwrap().all().unwrap();
    let mut lent = 0;
    client
        .get_many_with(&keys, |position, item| {
            assert_eq!(client.get(&keys[position]).unwrap().unwrap().value, item.value);
            lent += 1;
        })
        .unwrap();
    assert_eq!(lent, keys.len());
}
