//! A server that wants no more connections than those that work.

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    sync::{Arc, Barrier},
    thread,
};

use memring_std::{Client, ErrorKind, Ttl};

use crate::health::{LONG, TOUCHY, builder};
use crate::support::{Memcached, Scripted, until};

#[test]
fn those_that_work_take_turns_at_a_server_that_is_full() {
    // Of its forty connections, some are its own, and twenty-five the peers'.
    let server = Memcached::start_with(&["-c", "40"]);
    let _peers = server.peers(25);
    let client = builder(&[server.name()]).pool_size(16).timeout(LONG).health_policy(TOUCHY).build().unwrap();
    client.set("k", "v", Ttl::NEVER).unwrap();
    let barrier = Barrier::new(32);
    thread::scope(|scope| {
        for thread in 0..32 {
            let (client, barrier) = (&client, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for round in 0..200 {
                    assert_eq!(client.get("k").unwrap().unwrap().value, b"v");
                    if thread % 4 == 0 && round % 10 == 0 {
                        let found = client.get_many(&["k", "x"]).unwrap();
                        assert!(found.errors().is_empty() && found.hits().count() == 1);
                    }
                }
            });
        }
    });
    assert!(!client.servers()[0].health.is_down());
    assert!(client.servers()[0].idle > 1, "it has grown as far as it could");
}

/// Answers on its first connection; turns every other one away, each in one of several ways.
fn closed(way: usize, connections: Arc<AtomicUsize>) -> Scripted {
    Scripted::new(move |mut peer| {
        connections.fetch_add(1, Ordering::SeqCst);
        if peer.number > 0 {
            match way {
                0 => peer.write("ERROR Too many open connections\r\n"),
                // Has it read the request, or not? Nobody knows but the server.
                1 => drop(peer.line()),
                _ => peer.reset(),
            }
            return;
        }
        while let Some(line) = peer.line() {
            let keys: Vec<_> = line.split(' ').skip(1).collect();
            match &line[..3] {
                "get" => {
                    thread::sleep(Duration::from_millis(50));
                    let items = keys.iter().map(|key| format!("VALUE {key} 0 1\r\nv\r\n"));
                    peer.write(items.collect::<String>() + "END\r\n");
                }
                "del" => peer.write("DELETED\r\n"),
                _ => {}
            }
        }
    })
}

#[test]
fn a_connection_that_is_turned_away_is_no_failure_and_none_is_opened_for_a_while() {
    for way in 0..3 {
        let connections = Arc::new(AtomicUsize::new(0));
        let server = closed(way, Arc::clone(&connections));
        let client = builder(&[server.name()]).timeout(LONG).health_policy(TOUCHY).build().unwrap();
        client.get("k").unwrap();
        thread::scope(|scope| {
            for thread in 0..6 {
                let client = &client;
                scope.spawn(move || match thread % 3 {
                    0 => drop(client.get_many(&["a", "b"]).unwrap().all().unwrap()),
                    _ => assert!(client.get("k").unwrap().is_some()),
                });
            }
        });
        let opened = connections.load(Ordering::SeqCst);
        assert!((2..=6).contains(&opened), "{way}: {opened}");
        assert!(!client.servers()[0].health.is_down(), "{way}");
        assert_eq!((client.servers()[0].idle, client.servers()[0].waiting), (1, 0), "{way}");
    }
}

#[test]
fn what_may_not_be_sent_twice_is_not_though_it_says_nothing_of_the_server() {
    let server = closed(1, Arc::default());
    let client = builder(&[server.name()]).timeout(LONG).health_policy(TOUCHY).build().unwrap();
    client.get("k").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| client.get("k").unwrap());
        until("the only connection is in use", || (client.servers()[0].waiting == 1).then_some(()));
        let error = client.delete("k").unwrap_err();
        assert!(error.kind() == ErrorKind::Closed && error.is_ambiguous(), "{error:?}");
    });
    assert!(!client.servers()[0].health.is_down());
    assert!(client.delete("k").unwrap());
}

#[test]
fn a_server_that_turns_everybody_away_fails() {
    for reply in ["ERROR Too many open connections\r\n", ""] {
        let server = Scripted::new(move |mut peer| {
            peer.line();
            peer.write(reply);
        });
        let client: Client = builder(&[server.name()]).timeout(LONG).health_policy(TOUCHY).build().unwrap();
        client.get("k").unwrap_err();
        assert!(client.servers()[0].health.is_down());
    }
}
