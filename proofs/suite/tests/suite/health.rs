//! Servers that fail: when they are left alone, who stands in, how they come back, and what others see of it.

use core::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Instant,
};

use memring_std::{
    Error, ErrorKind, Event, FailurePolicy, HealthPolicy, HealthStatus, MetaGetOptions, Precision, StatsKind,
    Ttl, testing::Server,
};
use memring_suite::{BlackHole, Memcached, Scripted, Stopwatch, refusing};

use crate::{
    client::{Builder, Client, Meta as _},
    run::{join_all, promises},
};

promises! {
    a_server_that_hangs_costs_a_few_deadlines_and_then_nothing
    a_server_that_is_down_fails_within_a_millisecond
    it_takes_several_failures_and_what_a_server_refuses_is_none
    without_a_health_policy_every_operation_tries
    the_impatience_of_one_caller_is_no_failure
    what_is_known_of_a_server_outlives_a_change_of_servers
    the_next_server_stands_in_where_that_is_wanted
    a_server_that_stands_in_is_not_blamed_for_the_time_of_another
    the_gutter_stands_in_and_is_left_when_the_server_is_back
    errors_are_misses_where_that_is_wanted
    a_client_without_any_server_left_fails_fast
    a_flapping_server_moves_no_key
    too_many_connections_are_trouble_of_the_server
    a_server_out_of_memory_keeps_its_connections
    a_connection_that_the_server_gave_up_is_replaced_unseen
    a_port_that_refuses_is_used_again_when_somebody_listens
    a_server_that_is_back_is_used_within_one_wait
    a_change_of_servers_says_what_it_moves
}

pub(crate) const DEADLINE: Duration = Duration::from_millis(400);

/// Long enough never to be reached.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A server is left alone after one failure, and for so long that no test sees the end of it.
pub(crate) const TOUCHY: HealthPolicy =
    HealthPolicy { failures: 1, min_wait: LONG, max_wait: LONG, ..HealthPolicy::DEFAULT };

pub(crate) fn builder<C: Client>(names: &[impl AsRef<str>]) -> Builder<C> {
    C::builder().servers(names.iter().map(AsRef::as_ref))
}

/// Keys, and whether the server `name` holds them.
fn keys<C: Client>(client: &C, name: &str) -> (Vec<String>, Vec<String>) {
    (0..60).map(|number| format!("key:{number}")).partition(|key| *client.server_of(key) == *name)
}

fn is_down<C: Client>(client: &C, place: usize) -> bool {
    client.servers()[place].health.is_down()
}

/// How long the fastest of many calls takes: others may have to wait for the machine.
async fn fastest(mut call: impl AsyncFnMut()) -> Duration {
    let mut fastest = LONG;
    for _ in 0..50 {
        let begin = Instant::now();
        call().await;
        fastest = fastest.min(begin.elapsed());
    }
    fastest
}

async fn a_server_that_hangs_costs_a_few_deadlines_and_then_nothing<C: Client>() {
    let (hung, good) = (Memcached::start(), Memcached::start());
    let client = builder::<C>(&[hung.name(), good.name()]).timeout(DEADLINE).build().unwrap();
    let (lost, found) = keys(&client, &hung.name());
    client.version().await;
    hung.signal("STOP");
    // Callers of the same moment pay one deadline, all together.
    let watch = Stopwatch::start();
    let mut tasks = Vec::new();
    for key in lost[..5].iter().cloned() {
        let client = client.clone();
        tasks.push(C::spawn(async move || {
            assert_eq!(client.get(key).await.unwrap_err().kind(), ErrorKind::Timeout);
        }));
    }
    join_all(tasks).await;
    assert!(watch.took() < 3 * DEADLINE, "{:?}", watch.took());
    let error = C::until("the server is left alone", async || {
        client.get(&lost[0]).await.err().filter(|error| error.kind() == ErrorKind::Down)
    })
    .await;
    assert!(error.is_retryable() && !error.is_ambiguous() && !error.is_timeout());
    assert!(error.retry_after().unwrap() <= HealthPolicy::DEFAULT.max_wait);
    assert_eq!(error.server(), Some(&*hung.name()));
    let took = C::until("a set fails at once", async || {
        let watch = Stopwatch::start();
        let error = client.set(&lost[0], "v", Ttl::NEVER).await.unwrap_err();
        (error.kind() == ErrorKind::Down).then(|| watch.took())
    })
    .await;
    assert!(took < DEADLINE / 4, "{took:?}");
    for key in &found {
        client.set(key, key, Ttl::NEVER).await.unwrap();
    }
    hung.signal("CONT");
    C::until("it is asked again", async || client.set(&lost[0], "v", Ttl::NEVER).await.ok()).await;
    assert_eq!(client.get(&lost[0]).await.unwrap().unwrap().value, b"v"[..]);
    assert!(matches!(client.servers()[0].health, HealthStatus::Up { failures: 0, .. }));
}

async fn a_server_that_is_down_fails_within_a_millisecond<C: Client>() {
    let name = refusing();
    let client = builder::<C>(&[&name]).health_policy(TOUCHY).build().unwrap();
    assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Connect);
    let took = fastest(async || assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Down)).await;
    assert!(took < Duration::from_millis(1), "{took:?}");
    let found = client.get_many(&["k", "l"]).await.unwrap();
    assert_eq!((found.errors().len(), found.errors()[0].kind()), (1, ErrorKind::Down));
    // Who asks every server asks this one, too.
    assert_eq!(client.version().await[0].result.as_ref().unwrap_err().kind(), ErrorKind::Connect);
}

async fn it_takes_several_failures_and_what_a_server_refuses_is_none<C: Client>() {
    let client = builder::<C>(&[refusing()]).build().unwrap();
    for _ in 0..3 {
        assert!(!is_down(&client, 0));
        assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Connect);
    }
    assert!(is_down(&client, 0));
    let server = Scripted::answering("SERVER_ERROR out of memory storing object\r\n");
    let client = builder::<C>(&[server.name()]).health_policy(TOUCHY).build().unwrap();
    for _ in 0..5 {
        assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::OutOfMemory);
        client.get("").await.unwrap_err();
    }
    assert!(!is_down(&client, 0));
}

async fn without_a_health_policy_every_operation_tries<C: Client>() {
    let client = builder::<C>(&[refusing()]).health_policy(None).build().unwrap();
    for _ in 0..10 {
        assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Connect);
    }
}

async fn the_impatience_of_one_caller_is_no_failure<C: Client>() {
    let server = Scripted::silent();
    let client = builder::<C>(&[server.name()]).health_policy(TOUCHY).timeout(LONG).build().unwrap();
    for _ in 0..3 {
        let hasty = client.with_timeout(Duration::from_millis(30));
        assert_eq!(hasty.get("k").await.unwrap_err().kind(), ErrorKind::Timeout);
    }
    assert!(!is_down(&client, 0));
}

async fn what_is_known_of_a_server_outlives_a_change_of_servers<C: Client>() {
    let (gone, good) = (refusing(), Server::start().unwrap());
    let good = good.addr().to_string();
    let client = builder::<C>(&[&gone]).health_policy(TOUCHY).build().unwrap();
    client.get("k").await.unwrap_err();
    let _ = client.set_servers([&good, &gone]).unwrap();
    assert!(!is_down(&client, 0) && is_down(&client, 1));
}

async fn the_next_server_stands_in_where_that_is_wanted<C: Client>() {
    let good = [Server::start().unwrap(), Server::start().unwrap()];
    let gone = refusing();
    let names = [gone.clone(), good[0].addr().to_string(), good[1].addr().to_string()];
    let builder = builder::<C>(&names).failure_policy(FailurePolicy::Fallback).timeout(LONG);
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
        client.set(key, key, Ttl::NEVER).await.unwrap();
        assert_eq!(client.get(key).await.unwrap().unwrap().value, key.as_bytes());
    }
    assert!(reroutes.load(Ordering::Relaxed) >= 2 * lost.len());
    let found = C::until("the batch finds them where the calls left them", async || {
        client.get_many(&lost).await.unwrap().all().ok()
    })
    .await;
    assert!(found.iter().all(Option::is_some));
}

/// It is blamed for its own.
async fn a_server_that_stands_in_is_not_blamed_for_the_time_of_another<C: Client>() {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let (gone, silent) = (BlackHole::new(), Scripted::silent());
    for (share_of_the_first, is_blamed) in [(0.8, false), (0.2, true)] {
        let builder = builder::<C>(&[gone.name()]).gutter([silent.name()]).health_policy(TOUCHY);
        let builder = builder.connect_timeout(TIMEOUT.mul_f64(share_of_the_first)).timeout(TIMEOUT);
        // A meta command asks for the version first.
        for is_meta in [false, true] {
            let client = builder.clone().build().unwrap();
            let result = if is_meta {
                client.meta().get("k", MetaGetOptions::new()).await.map(drop)
            } else {
                client.get("k").await.map(drop)
            };
            let error = result.unwrap_err();
            assert_eq!(
                (error.kind(), error.server()),
                (ErrorKind::Timeout, Some(&*silent.name())),
                "{error}"
            );
            assert_eq!(is_down(&client, 1), is_blamed, "{share_of_the_first}, meta: {is_meta}");
        }
    }
}

async fn the_gutter_stands_in_and_is_left_when_the_server_is_back<C: Client>() {
    let mut server = Memcached::start();
    let spare = Server::start().unwrap();
    let client =
        builder::<C>(&[server.name()]).gutter([spare.addr().to_string()]).timeout(LONG).build().unwrap();
    client.set("k", "fleet", Ttl::NEVER).await.unwrap();
    assert_eq!(spare.connections(), 0);
    server.kill();
    C::until("the spare server has it", async || client.set("k", "gutter", Ttl::NEVER).await.ok()).await;
    assert_eq!(client.get("k").await.unwrap().unwrap().value, b"gutter"[..]);
    let servers = client.servers();
    assert_eq!(servers.iter().map(|server| server.is_spare).collect::<Vec<_>>(), [false, true]);
    assert_eq!(client.flush_all(None).await.len(), 2);
    let _server = Memcached::start_on(server.port());
    let of_spare = C::connect([spare.addr().to_string()]).unwrap();
    of_spare.set("k", "gutter", Ttl::NEVER).await.unwrap();
    C::until("the server is asked again", async || client.get("k").await.unwrap().is_none().then_some(()))
        .await;
}

async fn errors_are_misses_where_that_is_wanted<C: Client>() {
    let (gone, good) = (refusing(), Server::start().unwrap());
    let good = good.addr().to_string();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let builder = builder::<C>(&[&gone, &good]).errors_as_misses(true).on_event({
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
    assert!(client.get(key).await.unwrap().is_none() && client.gets(key).await.unwrap().is_none());
    assert!(client.gat(key, Ttl::NEVER).await.unwrap().is_none());
    assert!(client.get_into(key, Vec::new()).await.unwrap().is_none());
    assert_eq!(seen.lock().unwrap()[..2], [ErrorKind::Connect; 2]);
    // What changes something fails, and so does what is no key.
    client.set(key, "v", Ttl::NEVER).await.unwrap_err();
    client.touch(key, Ttl::NEVER).await.unwrap_err();
    assert_eq!(client.get("no key").await.unwrap_err().kind(), ErrorKind::Key);
    client.set(&found[0], "v", Ttl::NEVER).await.unwrap();
    let many = client.get_many(&[key, &found[0]]).await.unwrap();
    assert_eq!(many.errors().len(), 1);
    let items = many.all().unwrap();
    assert!(items[0].is_none() && items[1].is_some());
    client.with_errors_as_misses(false).get(key).await.unwrap_err();
}

async fn a_change_of_servers_says_what_it_moves<C: Client>() {
    let names = ["a", "b", "c", "d"];
    let client = C::connect(&names[..3]).unwrap();
    let change = client.set_servers(names).unwrap();
    let moves = change.moves();
    assert_eq!(moves.precision(), Precision::Exact);
    assert!(moves.moved() > 0.15 && moves.moved() < 0.35, "{}", moves.moved());
    let to_new: f64 = moves.shares().filter(|(_, to, _)| to.get() == 3).map(|(_, _, share)| share).sum();
    assert!((to_new - moves.moved()).abs() < 1e-9, "keys move to the new server only");
    assert_eq!((change.before().len(), change.after().len()), (3, 4));
    assert!(client.set_servers(names).unwrap().moves().moved() < 1e-9);
}

async fn a_client_without_any_server_left_fails_fast<C: Client>() {
    let names: Vec<_> = (0..4).map(|_| refusing()).collect();
    let client = builder::<C>(&names).health_policy(TOUCHY).build().unwrap();
    let keys: Vec<_> = (0..100).map(|number| format!("key:{number}")).collect();
    assert_eq!(client.get_many(&keys).await.unwrap().errors().len(), 4);
    let took = fastest(async || {
        let found = client.get_many(&keys).await.unwrap();
        assert!(found.errors().iter().all(|error| error.kind() == ErrorKind::Down));
        assert!(found.results().iter().all(Result::is_err));
    })
    .await;
    assert!(took < Duration::from_millis(5), "{took:?}");
}

async fn a_flapping_server_moves_no_key<C: Client>() {
    let (mut flapping, good) = (Memcached::start(), Memcached::start());
    let client = builder::<C>(&[flapping.name(), good.name()]).timeout(LONG).build().unwrap();
    let (lost, found) = keys(&client, &flapping.name());
    for _ in 0..5 {
        flapping.kill();
        C::until("it is away", async || client.get(&lost[0]).await.err()).await;
        for key in &found {
            client.set(key, key, Ttl::NEVER).await.unwrap();
        }
        flapping = Memcached::start_on(flapping.port());
        C::until("it is back", async || client.set(&lost[0], "v", Ttl::NEVER).await.ok()).await;
        assert_eq!(*client.server_of(&lost[0]), *flapping.name());
    }
}

async fn too_many_connections_are_trouble_of_the_server<C: Client>() {
    let server = Memcached::start_with(&["-c", "40"]);
    let holders: Vec<_> = (0..80).map(|_| std::net::TcpStream::connect(server.addr()).unwrap()).collect();
    let policy = HealthPolicy { failures: 1, ..HealthPolicy::DEFAULT };
    // Who gets in takes a place, too.
    let mut inside = Vec::new();
    let (client, error): (_, Error) = C::until("it is full", async || {
        let client = builder::<C>(&[server.name()]).health_policy(policy).timeout(DEADLINE).build().unwrap();
        match client.get("k").await {
            Ok(_) => inside.push(client),
            Err(error) => return Some((client, error)),
        }
        None
    })
    .await;
    let kinds = [ErrorKind::TooManyConnections, ErrorKind::Closed, ErrorKind::Timeout, ErrorKind::Io];
    assert!(kinds.contains(&error.kind()), "{error:?}");
    assert!(is_down(&client, 0));
    drop((holders, inside));
    C::until("there is room again", async || client.get("k").await.ok()).await;
    assert!(!is_down(&client, 0));
}

async fn a_server_out_of_memory_keeps_its_connections<C: Client>() {
    let server = Memcached::start_with(&["-M", "-m", "8"]);
    let client = builder::<C>(&[server.name()]).health_policy(TOUCHY).timeout(LONG).build().unwrap();
    let value = vec![b'v'; 500_000];
    let mut error = None;
    for number in 0..100 {
        error = client.set(format!("k{number}"), &value, Ttl::NEVER).await.err();
        if error.is_some() {
            break;
        }
    }
    let error = error.expect("eight megabytes are soon full");
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    assert!(error.is_retryable() && !error.is_ambiguous());
    let status = &client.servers()[0];
    assert_eq!((status.connections, status.waiting, status.health.is_down()), (1, 0, false));
    assert!(client.get("k0").await.unwrap().is_some());
}

async fn a_connection_that_the_server_gave_up_is_replaced_unseen<C: Client>() {
    let server = Memcached::start_with(&["-o", "idle_timeout=1"]);
    let client = builder::<C>(&[server.name()]).health_policy(TOUCHY).timeout(LONG).build().unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    C::until("memcached gives it up", async || {
        let other = C::connect([server.name()]).unwrap();
        let stats = other.stats(StatsKind::General).await.remove(0).result.unwrap();
        stats.value("idle_kicks").filter(|kicks| *kicks != b"0").map(drop)
    })
    .await;
    assert_eq!(client.get("k").await.unwrap().unwrap().value, b"v"[..]);
    assert!(!is_down(&client, 0));
}

async fn a_port_that_refuses_is_used_again_when_somebody_listens<C: Client>() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let client = builder::<C>(&[addr.to_string()]).build().unwrap();
    C::until("it is left alone", async || {
        client.get("k").await.err().filter(|error| error.kind() == ErrorKind::Down)
    })
    .await;
    let _server = C::until("the port is ours", async || Server::bind(addr).ok()).await;
    let begin = Instant::now();
    C::until("it is tried", async || client.get("k").await.ok()).await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

async fn a_server_that_is_back_is_used_within_one_wait<C: Client>() {
    let mut server = Memcached::start();
    let wait = Duration::from_millis(100);
    let policy = HealthPolicy { failures: 1, min_wait: wait, max_wait: wait, ..HealthPolicy::DEFAULT };
    let client = builder::<C>(&[server.name()]).health_policy(policy).timeout(LONG).build().unwrap();
    server.kill();
    for _ in 0..3 {
        C::until("it is tried in vain", async || {
            client.get("k").await.err().filter(|error| error.kind() == ErrorKind::Connect)
        })
        .await;
    }
    let _server = Memcached::start_on(server.port());
    // No trial is in vain any more: what is left is the rest of one wait.
    C::until("it is used again", async || match client.get("k").await {
        Ok(_) => Some(()),
        Err(error) => {
            assert!(error.retry_after().is_some_and(|rest| rest <= wait), "{error:?}");
            None
        }
    })
    .await;
    assert!(!is_down(&client, 0));
}
