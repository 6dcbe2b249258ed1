//! Servers that fail: when they are left alone, who stands in, how they come back, and what others see of it.

use core::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::Instant,
};

use memring_std::{
    Builder, Client, Error, ErrorKind, Event, FailurePolicy, HealthPolicy, HealthStatus, Precision, Ttl,
    testing::Server,
};

use crate::support::{Memcached, Scripted, Stopwatch, refusing, until};

pub(crate) const DEADLINE: Duration = Duration::from_millis(400);

/// Long enough never to be reached.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A server is left alone after one failure, and for so long that no test sees the end of it.
pub(crate) const TOUCHY: HealthPolicy =
    HealthPolicy { failures: 1, min_wait: LONG, max_wait: LONG, ..HealthPolicy::DEFAULT };

pub(crate) fn builder<S: AsRef<str>>(names: &[S]) -> Builder {
    Client::builder().servers(names.iter().map(AsRef::as_ref))
}

/// Keys, and whether the server `name` holds them.
fn keys(client: &Client, name: &str) -> (Vec<String>, Vec<String>) {
    (0..60).map(|number| format!("key:{number}")).partition(|key| *client.server_of(key) == *name)
}

fn is_down(client: &Client, place: usize) -> bool {
    client.servers()[place].health.is_down()
}

/// How long the fastest of many calls takes: others may have to wait for the machine.
fn fastest<T>(mut call: impl FnMut() -> T) -> Duration {
    let time = |_| {
        let begin = Instant::now();
        call();
        begin.elapsed()
    };
    (0..50).map(time).min().unwrap()
}

#[test]
fn a_server_that_hangs_costs_a_few_deadlines_and_then_nothing() {
    let (hung, good) = (Memcached::start(), Memcached::start());
    let client = builder(&[hung.name(), good.name()]).timeout(DEADLINE).build().unwrap();
    let (lost, found) = keys(&client, &hung.name());
    client.version();
    hung.signal("STOP");
    // Callers of the same moment pay one deadline, all together.
    let watch = Stopwatch::start();
    thread::scope(|scope| {
        for key in &lost[..5] {
            let client = &client;
            scope.spawn(move || assert_eq!(client.get(key).unwrap_err().kind(), ErrorKind::Timeout));
        }
    });
    assert!(watch.took() < 3 * DEADLINE, "{:?}", watch.took());
    let error = until("the server is left alone", || {
        client.get(&lost[0]).err().filter(|error| error.kind() == ErrorKind::Down)
    });
    assert!(error.is_retryable() && !error.is_ambiguous() && !error.is_timeout());
    assert!(error.retry_after().unwrap() <= HealthPolicy::DEFAULT.max_wait);
    assert_eq!(error.server(), Some(&*hung.name()));
    let down = || client.set(&lost[0], "v", Ttl::NEVER).unwrap_err().kind() == ErrorKind::Down;
    let took = until("a set fails at once", || {
        let watch = Stopwatch::start();
        down().then(|| watch.took())
    });
    assert!(took < DEADLINE / 4, "{took:?}");
    for key in &found {
        client.set(key, key, Ttl::NEVER).unwrap();
    }
    hung.signal("CONT");
    until("it is asked again", || client.set(&lost[0], "v", Ttl::NEVER).ok());
    assert_eq!(client.get(&lost[0]).unwrap().unwrap().value, b"v");
    assert!(matches!(client.servers()[0].health, HealthStatus::Up { failures: 0, .. }));
}

#[test]
fn a_server_that_is_down_fails_within_a_millisecond() {
    let name = refusing();
    let client = builder(&[&name]).health_policy(TOUCHY).build().unwrap();
    assert_eq!(client.get("k").unwrap_err().kind(), ErrorKind::Connect);
    let took = fastest(|| assert_eq!(client.get("k").unwrap_err().kind(), ErrorKind::Down));
    assert!(took < Duration::from_millis(1), "{took:?}");
    let found = client.get_many(&["k", "l"]).unwrap();
    assert_eq!((found.errors().len(), found.errors()[0].kind()), (1, ErrorKind::Down));
    // Who asks every server asks this one, too.
    assert_eq!(client.version()[0].result.as_ref().unwrap_err().kind(), ErrorKind::Connect);
}

#[test]
fn it_takes_several_failures_and_what_a_server_refuses_is_none() {
    let client = builder(&[refusing()]).build().unwrap();
    for _ in 0..3 {
        assert!(!is_down(&client, 0));
        assert_eq!(client.get("k").unwrap_err().kind(), ErrorKind::Connect);
    }
    assert!(is_down(&client, 0));
    let server = Scripted::answering("SERVER_ERROR out of memory storing object\r\n");
    let client = builder(&[server.name()]).health_policy(TOUCHY).build().unwrap();
    for _ in 0..5 {
        assert_eq!(client.get("k").unwrap_err().kind(), ErrorKind::OutOfMemory);
        client.get("").unwrap_err();
    }
    assert!(!is_down(&client, 0));
}

#[test]
fn without_a_health_policy_every_operation_tries() {
    let client = builder(&[refusing()]).health_policy(None).build().unwrap();
    for _ in 0..10 {
        assert_eq!(client.get("k").unwrap_err().kind(), ErrorKind::Connect);
    }
}

#[test]
fn the_impatience_of_one_caller_is_no_failure() {
    let server = Scripted::silent();
    let client = builder(&[server.name()]).health_policy(TOUCHY).timeout(LONG).build().unwrap();
    for _ in 0..3 {
        let hasty = client.with_timeout(Duration::from_millis(30));
        assert_eq!(hasty.get("k").unwrap_err().kind(), ErrorKind::Timeout);
    }
    assert!(!is_down(&client, 0));
}

#[test]
fn one_lost_connection_is_one_failure_however_many_lose_it() {
    let server = Scripted::new(|mut peer| drop(peer.line()));
    let client = builder(&[server.name()]).timeout(LONG).build().unwrap();
    let barrier = std::sync::Barrier::new(2);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                barrier.wait();
                assert_eq!(client.get("k").unwrap_err().kind(), ErrorKind::Closed);
            });
        }
    });
    assert!(!is_down(&client, 0));
}

#[test]
fn what_is_known_of_a_server_outlives_a_change_of_servers() {
    let (gone, good) = (refusing(), Server::start().unwrap());
    let good = good.addr().to_string();
    let client = builder(&[&gone]).health_policy(TOUCHY).build().unwrap();
    client.get("k").unwrap_err();
    let _ = client.set_servers([&good, &gone]).unwrap();
    assert!(!is_down(&client, 0) && is_down(&client, 1));
}

#[test]
fn the_next_server_stands_in_where_that_is_wanted() {
    let good = [Server::start().unwrap(), Server::start().unwrap()];
    let gone = refusing();
    let names = [gone.clone(), good[0].addr().to_string(), good[1].addr().to_string()];
    let builder = builder(&names).failure_policy(FailurePolicy::Fallback).timeout(LONG);
    let builder = builder.scheme_named("libmemcached-ketama-weighted", [("auto_eject_hosts", "1")]);
    let reroutes = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&reroutes);
    let client = builder.on_event(move |event| {
        if let Event::Rerouted { .. } = event {
            seen.fetch_add(1, Ordering::Relaxed);
        }
    });
    let client = client.build().unwrap();
    let (lost, _) = keys(&client, &gone);
    // Within the very first call, and later without a try.
    for key in &lost {
        client.set(key, key, Ttl::NEVER).unwrap();
        assert_eq!(client.get(key).unwrap().unwrap().value, key.as_bytes());
    }
    assert!(reroutes.load(Ordering::Relaxed) >= 2 * lost.len());
    let found = until("the batch finds them where the calls left them", || {
        client.get_many(&lost).unwrap().all().ok()
    });
    assert!(found.iter().all(Option::is_some));
}

#[test]
fn the_gutter_stands_in_and_is_left_when_the_server_is_back() {
    let mut server = Memcached::start();
    let spare = Server::start().unwrap();
    let client = builder(&[server.name()]).gutter([spare.addr().to_string()]).timeout(LONG).build().unwrap();
    client.set("k", "fleet", Ttl::NEVER).unwrap();
    assert_eq!(spare.connections(), 0);
    server.kill();
    until("the spare server has it", || client.set("k", "gutter", Ttl::NEVER).ok());
    assert_eq!(client.get("k").unwrap().unwrap().value, b"gutter");
    let servers = client.servers();
    assert_eq!(servers.iter().map(|server| server.is_spare).collect::<Vec<_>>(), [false, true]);
    assert_eq!(client.flush_all(None).len(), 2);
    let _server = Memcached::start_on(server.port());
    let of_spare = Client::connect([spare.addr().to_string()]).unwrap();
    of_spare.set("k", "gutter", Ttl::NEVER).unwrap();
    until("the server is asked again", || client.get("k").unwrap().is_none().then_some(()));
}

#[test]
fn errors_are_misses_where_that_is_wanted() {
    let (gone, good) = (refusing(), Server::start().unwrap());
    let good = good.addr().to_string();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let builder = builder(&[&gone, &good]).errors_as_misses(true).on_event({
        let seen = Arc::clone(&seen);
        move |event| {
            if let Event::Failed { error, .. } = event {
                seen.lock().unwrap().push(error.kind());
            }
        }
    });
    let client = builder.build().unwrap();
    let (lost, found) = keys(&client, &gone);
    let key = &lost[0];
    assert!(client.get(key).unwrap().is_none() && client.gets(key).unwrap().is_none());
    assert!(client.gat(key, Ttl::NEVER).unwrap().is_none());
    assert!(client.get_into(key, Vec::new()).unwrap().is_none());
    assert_eq!(seen.lock().unwrap()[..2], [ErrorKind::Connect; 2]);
    // What changes something fails, and so does what is no key.
    assert!(client.set(key, "v", Ttl::NEVER).is_err() && client.touch(key, Ttl::NEVER).is_err());
    assert_eq!(client.get("no key").unwrap_err().kind(), ErrorKind::Key);
    client.set(&found[0], "v", Ttl::NEVER).unwrap();
    let many = client.get_many(&[key, &found[0]]).unwrap();
    assert_eq!(many.errors().len(), 1);
    let items = many.all().unwrap();
    assert!(items[0].is_none() && items[1].is_some());
    assert!(client.with_errors_as_misses(false).get(key).is_err());
}

#[test]
fn a_change_of_servers_says_what_it_moves() {
    let names = ["a", "b", "c", "d"];
    let client = Client::connect(&names[..3]).unwrap();
    let change = client.set_servers(names).unwrap();
    let moves = change.moves();
    assert_eq!(moves.precision(), Precision::Exact);
    assert!(moves.moved() > 0.15 && moves.moved() < 0.35, "{}", moves.moved());
    let to_new: f64 = moves.shares().filter(|(_, to, _)| to.get() == 3).map(|(_, _, share)| share).sum();
    assert!((to_new - moves.moved()).abs() < 1e-9, "keys move to the new server only");
    assert_eq!((change.before().len(), change.after().len()), (3, 4));
    assert!(client.set_servers(names).unwrap().moves().moved() < 1e-9);
}

#[test]
fn a_client_without_any_server_left_fails_fast() {
    let names: Vec<_> = (0..4).map(|_| refusing()).collect();
    let client = builder(&names).health_policy(TOUCHY).build().unwrap();
    let keys: Vec<_> = (0..100).map(|number| format!("key:{number}")).collect();
    assert_eq!(client.get_many(&keys).unwrap().errors().len(), 4);
    let took = fastest(|| {
        let found = client.get_many(&keys).unwrap();
        assert!(found.errors().iter().all(|error| error.kind() == ErrorKind::Down));
        assert!(found.results().iter().all(Result::is_err));
    });
    assert!(took < Duration::from_millis(5), "{took:?}");
}

#[test]
fn a_flapping_server_moves_no_key() {
    let (mut flapping, good) = (Memcached::start(), Memcached::start());
    let client = builder(&[flapping.name(), good.name()]).timeout(LONG).build().unwrap();
    let (lost, found) = keys(&client, &flapping.name());
    for _ in 0..5 {
        flapping.kill();
        until("it is away", || client.get(&lost[0]).err());
        found.iter().for_each(|key| client.set(key, key, Ttl::NEVER).unwrap());
        flapping = Memcached::start_on(flapping.port());
        until("it is back", || client.set(&lost[0], "v", Ttl::NEVER).ok());
        assert_eq!(*client.server_of(&lost[0]), *flapping.name());
    }
}

#[test]
fn too_many_connections_are_trouble_of_the_server() {
    let server = Memcached::start_with(&["-c", "40"]);
    let holders: Vec<_> = (0..80).map(|_| std::net::TcpStream::connect(server.addr()).unwrap()).collect();
    let policy = HealthPolicy { failures: 1, ..HealthPolicy::DEFAULT };
    // Who gets in takes a place, too.
    let mut inside = Vec::new();
    let (client, error): (_, Error) = until("it is full", || {
        let client = builder(&[server.name()]).health_policy(policy).timeout(DEADLINE).build().unwrap();
        match client.get("k") {
            Ok(_) => inside.push(client),
            Err(error) => return Some((client, error)),
        }
        None
    });
    let kinds = [ErrorKind::TooManyConnections, ErrorKind::Closed, ErrorKind::Timeout, ErrorKind::Io];
    assert!(kinds.contains(&error.kind()), "{error:?}");
    assert!(is_down(&client, 0));
    drop((holders, inside));
    until("there is room again", || client.get("k").ok());
    assert!(!is_down(&client, 0));
}

#[test]
fn a_server_out_of_memory_keeps_its_connections() {
    let server = Memcached::start_with(&["-M", "-m", "8"]);
    let client = builder(&[server.name()]).health_policy(TOUCHY).timeout(LONG).build().unwrap();
    let value = vec![b'v'; 500_000];
    let error = (0..100).find_map(|number| client.set(format!("k{number}"), &value, Ttl::NEVER).err());
    let error = error.expect("eight megabytes are soon full");
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    assert!(error.is_retryable() && !error.is_ambiguous());
    let status = &client.servers()[0];
    assert_eq!((status.idle, status.waiting, status.health.is_down()), (1, 0, false));
    assert!(client.get("k0").unwrap().is_some());
}

#[test]
fn a_connection_that_the_server_gave_up_is_replaced_unseen() {
    let server = Memcached::start_with(&["-o", "idle_timeout=1"]);
    let client = builder(&[server.name()]).health_policy(TOUCHY).timeout(LONG).build().unwrap();
    client.set("k", "v", Ttl::NEVER).unwrap();
    let kicks = || {
        let other = Client::connect([server.name()]).unwrap();
        let stats = other.stats(memring_std::StatsKind::General).remove(0).result.unwrap();
        stats.value("idle_kicks").filter(|kicks| *kicks != b"0").map(drop)
    };
    until("memcached gives it up", kicks);
    assert_eq!(client.get("k").unwrap().unwrap().value, b"v");
    assert!(!is_down(&client, 0));
}

#[test]
fn connections_do_not_rest_for_ever() {
    let server = Server::start().unwrap();
    let rest = Duration::from_millis(50);
    let client = builder(&[server.addr().to_string()]).idle_timeout(rest).timeout(LONG).build().unwrap();
    // Some at once, then one after the other: the others go by and by.
    let barrier = std::sync::Barrier::new(8);
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
fn a_port_that_refuses_is_used_again_when_somebody_listens() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let client = builder(&[addr.to_string()]).build().unwrap();
    until("it is left alone", || client.get("k").err().filter(|error| error.kind() == ErrorKind::Down));
    let _server = until("the port is ours", || Server::bind(addr).ok());
    let begin = Instant::now();
    until("it is tried", || client.get("k").ok());
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn a_server_that_is_back_is_used_within_one_wait() {
    let mut server = Memcached::start();
    let wait = Duration::from_millis(100);
    let policy = HealthPolicy { failures: 1, min_wait: wait, max_wait: wait, ..HealthPolicy::DEFAULT };
    let client = builder(&[server.name()]).health_policy(policy).timeout(LONG).build().unwrap();
    server.kill();
    for _ in 0..3 {
        until("it is tried in vain", || {
            client.get("k").err().filter(|error| error.kind() == ErrorKind::Connect)
        });
    }
    let _server = Memcached::start_on(server.port());
    // No trial is in vain any more: what is left is the rest of one wait.
    until("it is used again", || match client.get("k") {
        Ok(_) => Some(()),
        Err(error) => {
            assert!(error.retry_after().is_some_and(|rest| rest <= wait), "{error:?}");
            None
        }
    });
    assert!(!is_down(&client, 0));
}
