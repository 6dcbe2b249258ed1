//! Futures that are dropped: nobody else notices.

use core::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::Poll,
    time::Duration,
};
use std::{sync::Arc, thread};

use memring_std::testing::Server;
use memring_suite::{Memcached, Scripted};
use memring_tokio::{Client, HealthPolicy, StatsKind, Ttl};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::support::{LONG, builder, client_of, until};

/// Polls a future `polls` times, at most, and drops it. Says whether it was ready.
async fn poll_times<F: Future>(polls: usize, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn a_dropped_get_does_not_poison_the_next_one() {
    let server = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            let key = line.trim_start_matches("get ").to_owned();
            if key == "slow" {
                thread::sleep(Duration::from_millis(200));
            }
            peer.write(format!("VALUE {key} 0 {}\r\n{key}\r\nEND\r\n", key.len()));
        }
    });
    let client = client_of(&server, Duration::from_secs(2));
    assert_eq!(client.get("first").await.unwrap().unwrap().value, "first");
    assert!(timeout(Duration::from_millis(50), client.get("slow")).await.is_err());
    assert_eq!(client.get("next").await.unwrap().unwrap().value, "next");
    assert_eq!(client.get("last").await.unwrap().unwrap().value, "last");
    assert_eq!(server.connections(), 1);
    assert_eq!(server.received(), "get first\r\nget slow\r\nget next\r\nget last\r\n");
}

#[tokio::test]
async fn what_has_not_left_is_not_sent() {
    let server = Scripted::new(|mut peer| {
        while peer.line().is_some() && peer.line().is_some() {
            peer.write("STORED\r\n");
        }
    });
    let client = client_of(&server, Duration::from_secs(2));
    // The connection's task has not run when this is dropped.
    assert!(!poll_times(1, client.set("dropped", "v", Ttl::NEVER)).await);
    client.set("kept", "v", Ttl::NEVER).await.unwrap();
    assert_eq!(server.received(), "set kept 0 0 1\r\nv\r\n");
}

/// Servers, a client of them, and 20 keys with values that tell whose they are.
async fn stocked() -> ([Memcached; 2], Client, Vec<String>) {
    let servers = [Memcached::start(), Memcached::start()];
    let client = crate::support::client(&servers.each_ref().map(Memcached::name), Duration::from_secs(10));
    let keys: Vec<_> = (0..20).map(|number| format!("key:{number}")).collect();
    for key in &keys {
        client.set(key, key.repeat(number_of(key)), Ttl::NEVER).await.unwrap();
    }
    (servers, client, keys)
}

fn number_of(key: &str) -> usize {
    key.trim_start_matches("key:").parse().unwrap()
}

/// Everyone else still gets what they ask for.
async fn is_right(client: &Client, keys: &[String]) {
    let found = client.get_many(keys).await.unwrap().all().unwrap();
    for (key, item) in keys.iter().zip(found) {
        assert_eq!(item.unwrap().value, key.repeat(number_of(key)));
    }
    for key in &keys[..3] {
        assert_eq!(client.get(key).await.unwrap().unwrap().value, key.repeat(number_of(key)));
    }
    assert!(client.get("none").await.unwrap().is_none());
}

/// Waits for all of them at once.
async fn all<F: Future>(futures: impl Iterator<Item = F>) {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    poll_fn(|cx| {
        futures.retain_mut(|future| future.as_mut().poll(cx).is_pending());
        if futures.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Drops an operation at its first poll, at its second, and so on until it is done before that.
macro_rules! at_every_poll {
    ($($name:ident: |$client:ident, $keys:ident| $operation:expr;)*) => {
        mod at_every_poll {
            use super::*;

            $(
                #[tokio::test]
                async fn $name() {
                    let (_servers, $client, $keys) = &stocked().await;
                    for polls in 1.. {
                        let is_done = poll_times(polls, $operation).await;
                        is_right($client, $keys).await;
                        // Whatever the driver has done of it by then.
                        for yields in 0..20 {
                            poll_times(polls, $operation).await;
                            for _ in 0..yields {
                                tokio::task::yield_now().await;
                            }
                            is_right($client, $keys).await;
                        }
                        if is_done {
                            break;
                        }
                    }
                    for server in $client.servers() {
                        assert!(server.connections <= 1 && server.waiting == 0, "{server:?}");
                    }
                }
            )*
        }
    };
}

at_every_poll! {
    get: |client, keys| client.get(&keys[7]);
    gets: |client, keys| client.gets(&keys[7]);
    get_into: |client, keys| client.get_into(&keys[7], Vec::new());
    get_many: |client, keys| client.get_many(&keys[..10]);
    set: |client, keys| client.set("large", vec![b'v'; 64 * 1024], Ttl::NEVER);
    set_many: |client, keys| client.set_many(&[("a", vec![b'v'; 300_000]), ("b", vec![b'v'; 300_000])], Ttl::NEVER);
    delete: |client, keys| client.delete("none");
    incr: |client, keys| client.incr("none", 1);
    stats: |client, keys| client.stats(StatsKind::General);
    pipeline: |client, keys| all(keys.iter().chain(keys).take(32).map(|key| client.get(key)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_of_many_gets_are_dropped_and_the_others_are_right() {
    let server = Server::start().unwrap();
    let client = Client::builder()
        .servers([server.addr().to_string()])
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    for number in 0..100 {
        client.set(format!("key:{number}"), format!("value:{number}"), Ttl::NEVER).await.unwrap();
    }
    let mut tasks = JoinSet::new();
    for task in 0..10_000_u64 {
        let client = client.clone();
        tasks.spawn(async move {
            let mut random = fastrand::Rng::with_seed(task);
            let number = random.u32(..100);
            let key = format!("key:{number}");
            let get = client.get(&key);
            match random.u32(..4) {
                0 => drop(poll_times(random.usize(..3), get).await),
                1 => drop(timeout(Duration::from_micros(random.u64(..20_000)), get).await),
                _ => assert_eq!(get.await.unwrap().unwrap().value, format!("value:{number}")),
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn dropping_the_client_closes_its_connections() {
    let server = Server::start().unwrap();
    let client = Client::connect([server.addr().to_string()]).unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    assert!(!poll_times(1, client.get("k")).await);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!((server.connections(), tasks()), (1, 1));
    drop(client);
    sleep(Duration::from_millis(100)).await;
    assert_eq!((server.connections(), tasks()), (0, 0));
}

#[test]
fn a_runtime_that_ends_takes_its_connections_along_and_the_next_one_opens_new_ones() {
    let server = Server::start().unwrap();
    let client = Client::connect([server.addr().to_string()]).unwrap();
    for multi_thread in [false, true, false] {
        let mut builder = if multi_thread {
            tokio::runtime::Builder::new_multi_thread()
        } else {
            tokio::runtime::Builder::new_current_thread()
        };
        let runtime = builder.enable_all().build().unwrap();
        runtime.block_on(async {
            client.set("k", "v", Ttl::NEVER).await.unwrap();
            assert_eq!(client.get("k").await.unwrap().unwrap().value, "v");
        });
        for _ in 0..10 {
            let client = client.clone();
            runtime.spawn(async move { client.get("k").await });
        }
        drop(runtime);
        memring_suite::until("the connection is closed", || (server.connections() == 0).then_some(()));
    }
}

#[tokio::test]
async fn a_probe_that_is_dropped_leaves_the_server_to_the_next_caller() {
    let is_good = Arc::new(AtomicBool::new(false));
    let server = Scripted::new({
        let is_good = Arc::clone(&is_good);
        move |mut peer| {
            while peer.line().is_some() {
                if is_good.load(Ordering::SeqCst) {
                    peer.write("END\r\n");
                }
            }
        }
    });
    let (wait, deadline) = (Duration::from_millis(1), Duration::from_millis(400));
    let policy = HealthPolicy { failures: 1, min_wait: wait, max_wait: LONG, ..HealthPolicy::DEFAULT };
    let client = builder(&[server.name()]).health_policy(policy).timeout(deadline).build().unwrap();
    client.get("k").await.unwrap_err();
    sleep(10 * wait).await;
    // A probe that is given up, and one in a batch.
    timeout(deadline / 8, client.get("k")).await.unwrap_err();
    timeout(deadline / 8, client.get_many(&["k"])).await.unwrap_err();
    is_good.store(true, Ordering::SeqCst);
    // The connection still waits for the replies to what was dropped, and ends when they are overdue.
    until("the next caller tries", async || client.get("k").await.ok()).await;
    assert!(!client.servers()[0].health.is_down());
}
