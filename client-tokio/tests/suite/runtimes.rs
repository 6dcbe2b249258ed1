//! One client in several runtimes, of which some stand still, some end, and some are not all there.

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    sync::{Arc, mpsc},
    thread,
};

use memring_std::testing::Server;
use memring_suite::{Memcached, Scripted, Stopwatch};
use memring_tokio::{Batch, Client, ErrorKind, Ttl};
use tokio::runtime::{Builder, Runtime};

use crate::support::{client, client_of};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A runtime with one thread of its own.
fn threaded() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn a_runtime_that_stands_still_leaves_its_connection_to_others() {
    let server = Server::start().unwrap();
    let client = client(&[server.addr().to_string()], SECOND);
    let runtimes = [runtime(), runtime(), runtime()];
    for round in 0..25 {
        let key = format!("key:{round}");
        runtimes[0].block_on(client.set(&key, &key, Ttl::NEVER)).unwrap();
        for runtime in &runtimes {
            let watch = Stopwatch::start();
            assert_eq!(runtime.block_on(client.get(&key)).unwrap().unwrap().value, *key);
            assert_eq!(runtime.block_on(client.get_many(&[&key])).unwrap().hits().count(), 1);
            assert!(watch.took() < SECOND / 2, "{:?}", watch.took());
        }
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_short_timeout_leaves_time_to_take_over() {
    let server = Server::start().unwrap();
    let client = client(&[server.addr().to_string()], 9 * SECOND);
    let (home, other) = (runtime(), runtime());
    home.block_on(client.set("k", "v", Ttl::NEVER)).unwrap();
    let brief = client.with_timeout(40 * MS);
    assert_eq!(other.block_on(brief.get("k")).unwrap().unwrap().value, "v");
}

#[test]
fn a_runtime_whose_only_thread_is_busy_leaves_its_connection_to_others() {
    let server = Server::start().unwrap();
    let client = client(&[server.addr().to_string()], SECOND);
    let busy = threaded();
    busy.block_on(busy.spawn({
        let client = client.clone();
        async move { client.set("k", "v", Ttl::NEVER).await }
    }))
    .unwrap()
    .unwrap();
    let (end, ended) = mpsc::channel::<()>();
    busy.spawn(async move {
        let _ = ended.recv();
    });
    thread::sleep(20 * MS);
    let other = runtime();
    for _ in 0..3 {
        assert_eq!(other.block_on(client.get("k")).unwrap().unwrap().value, "v");
        let mut batch = Batch::new();
        let number = batch.incr("n", 1);
        assert_eq!(other.block_on(client.run(batch)).unwrap().take(number).unwrap(), None);
    }
    drop(end);
    assert_eq!(busy.block_on(client.get("k")).unwrap().unwrap().value, "v");
    drop(busy);
    assert_eq!(other.block_on(client.get("k")).unwrap().unwrap().value, "v");
}

#[test]
fn what_was_sent_before_the_runtime_stood_still_is_not_sent_again() {
    let server = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            thread::sleep(100 * MS);
            peer.write(if line.starts_with("incr") { "7\r\n" } else { "END\r\n" });
        }
    });
    let client = client_of(&server, SECOND);
    let (home, other) = (runtime(), runtime());
    let incr = home.spawn({
        let client = client.clone();
        async move { client.incr("n", 1).await }
    });
    // Long enough for it to leave, and no longer.
    home.block_on(async { tokio::time::sleep(50 * MS).await });
    assert!(other.block_on(client.get("k")).unwrap().is_none());
    assert_eq!(home.block_on(incr).unwrap().unwrap(), Some(7));
    assert_eq!((server.received().as_str(), server.connections()), ("incr n 1\r\nget k\r\n", 1));
}

#[test]
fn a_connection_that_was_being_opened_is_opened_by_another() {
    let server = Server::start().unwrap();
    let client = client(&[server.addr().to_string()], SECOND);
    let (home, other) = (runtime(), runtime());
    let mut get = Box::pin(client.get("k"));
    home.block_on(core::future::poll_fn(|cx| {
        assert!(get.as_mut().poll(cx).is_pending());
        core::task::Poll::Ready(())
    }));
    assert!(other.block_on(client.get("k")).unwrap().is_none());
    assert!(home.block_on(get).unwrap().is_none());
}

#[test]
fn a_client_closes_although_its_runtime_stands_still() {
    let server = Server::start().unwrap();
    let client = client(&[server.addr().to_string()], SECOND);
    let (home, other) = (runtime(), runtime());
    home.block_on(client.set("k", "v", Ttl::NEVER)).unwrap();
    let watch = Stopwatch::start();
    other.block_on(client.close());
    assert!(watch.took() < SECOND / 2, "{:?}", watch.took());
    assert_eq!(other.block_on(client.get("k")).unwrap_err().kind(), ErrorKind::Closed);
    // And dropping the last clone needs no runtime at all.
    let client = crate::support::client(&[server.addr().to_string()], SECOND);
    home.block_on(client.set("k", "v", Ttl::NEVER)).unwrap();
    drop(client);
    thread::sleep(100 * MS);
    assert_eq!(server.connections(), 0);
}

/// Asks the client again and again, in runtimes that each live for a short time; gives how many operations it were.
fn in_short_runtimes(client: &Client, seed: usize, rounds: usize) -> usize {
    let mut operations = 0;
    for round in 0..rounds {
        let runtime = if (seed + round).is_multiple_of(4) { threaded() } else { runtime() };
        operations += runtime.block_on(async {
            let key = &*format!("key:{seed}:{round}");
            client.set(key, "1", Ttl::NEVER).await.unwrap();
            for number in 2..8 {
                assert_eq!(client.incr(key, 1).await.unwrap(), Some(number));
                assert_eq!(client.get(key).await.unwrap().unwrap().value, number.to_string());
            }
            let found = client.get_many(&[key, "none"]).await.unwrap().all().unwrap();
            assert!(found[0].is_some() && found[1].is_none());
            // Some are left without being waited for.
            let left = client.clone();
            drop(tokio::spawn(async move { left.get("none").await }));
            15
        });
    }
    operations
}

#[test]
fn runtimes_that_end_cost_the_others_nothing() {
    let server = Memcached::start();
    let client = client(&[server.name()], 5 * SECOND);
    let operations = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..8)
        .map(|seed| {
            let (client, operations) = (client.clone(), Arc::clone(&operations));
            thread::spawn(move || {
                operations.fetch_add(in_short_runtimes(&client, seed, 30), Ordering::Relaxed);
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(operations.load(Ordering::Relaxed), 8 * 30 * 15);
    let counts = client.servers()[0].counts;
    assert_eq!(counts.errors, 0, "{counts:?}");
}

#[test]
fn a_runtime_that_is_not_all_there_is_an_error_and_no_panic() {
    let server = Server::start().unwrap();
    let name = server.addr().to_string();
    let builders: [fn(&mut Builder) -> &mut Builder; 3] =
        [|builder| builder, Builder::enable_time, Builder::enable_io];
    for enable in builders {
        let lame = enable(&mut Builder::new_current_thread()).build().unwrap();
        let fresh = client(core::slice::from_ref(&name), SECOND);
        let known = client(core::slice::from_ref(&name), SECOND);
        let home = runtime();
        home.block_on(known.set("k", "v", Ttl::NEVER)).unwrap();
        for client in [&fresh, &known] {
            lame.block_on(async {
                let error = client.get("k").await.unwrap_err();
                let many = client.get_many(&["k"]).await.unwrap();
                let streamed = client.get_to("k", &mut tokio::io::sink()).await.unwrap_err();
                let kinds = [error.kind(), many.errors()[0].kind(), streamed.kind()];
                // A clock alone is enough to wait for the connection of another runtime, which does not run here.
                let alike = kinds.iter().all(|kind| matches!(kind, ErrorKind::Config | ErrorKind::Timeout));
                assert!(alike, "{kinds:?}");
                assert_eq!(kinds[2], ErrorKind::Config);
            });
        }
        assert!(home.block_on(fresh.get("k")).unwrap().is_some());
        assert!(home.block_on(known.get("k")).unwrap().is_some());
        lame.block_on(fresh.close());
    }
}

#[tokio::test]
async fn a_runtime_that_stands_still_is_not_held_against_the_server() {
    let server = Memcached::start();
    let client = client(&[server.name()], SECOND / 5);
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    for _ in 0..3 {
        let get = tokio::spawn({
            let client = client.clone();
            async move { client.get("k").await }
        });
        // The request leaves, then nothing runs for longer than the deadline.
        while client.servers()[0].waiting == 0 {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        thread::sleep(SECOND / 2);
        assert_eq!(get.await.unwrap().unwrap().unwrap().value, "v");
    }
}

/// A record that is half read, and what is encrypted and has not left, move with the connection.
#[cfg(feature = "tls")]
#[test]
fn an_encrypted_connection_moves_with_what_is_under_way() {
    use memring_suite::Authority;

    let authority = Authority::new();
    let server = authority.scripted(|mut peer, _| {
        while let Some(line) = peer.line() {
            let key = line.trim_end().strip_prefix("get ").unwrap();
            let value = key.repeat(20_000);
            let reply = format!("VALUE {key} 0 {}\r\n{value}\r\nEND\r\n", value.len());
            let (half, rest) = reply.split_at(reply.len() / 2);
            peer.write(half);
            thread::sleep(30 * MS);
            peer.write(rest);
        }
    });
    let tls = memring_tokio::Tls::with_roots(authority.pem()).unwrap();
    let client = Client::builder()
        .servers([server.name()])
        .tls(tls)
        .timeout(9 * SECOND)
        .merge_gets(false)
        .build()
        .unwrap();
    let get = |key: &'static str| {
        let client = client.clone();
        async move { assert_eq!(client.get(key).await.unwrap().unwrap().value, *key.repeat(20_000)) }
    };
    let mut home = runtime();
    home.block_on(get("a"));
    for _ in 0..5 {
        // Its request leaves, perhaps half of its reply comes, and its runtime is not driven any more.
        let waiting = home.spawn(get("b"));
        home.block_on(async { tokio::time::sleep(15 * MS).await });
        let other = runtime();
        other.block_on(get("c"));
        home.block_on(waiting).unwrap();
        // Or its runtime ends.
        let beside = thread::scope(|scope| {
            let beside = scope.spawn(|| other.block_on(get("d")));
            thread::sleep(10 * MS);
            drop(home);
            beside.join()
        });
        beside.unwrap();
        home = other;
    }
    assert_eq!(server.connections(), 1);
}
