//! Futures that are dropped: nobody else notices.

use core::{future::poll_fn, pin::pin, task::Poll, time::Duration};
use std::thread;

use memring_std::testing::Server;
use memring_tokio::{Client, Ttl};
use tokio::{task::JoinSet, time::timeout};

use crate::support::{Memcached, Scripted, until};

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
    let client = server.client(Duration::from_secs(2));
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
    let client = server.client(Duration::from_secs(2));
    // The connection's task has not run when this is dropped.
    assert!(!poll_times(1, client.set("dropped", "v", Ttl::NEVER)).await);
    client.set("kept", "v", Ttl::NEVER).await.unwrap();
    assert_eq!(server.received(), "set kept 0 0 1\r\nv\r\n");
}

#[tokio::test]
async fn a_set_of_a_large_value_may_be_dropped_at_any_poll() {
    let server = Memcached::start();
    let client = Client::connect([server.name()]).unwrap();
    for polls in 1.. {
        let key = format!("key:{polls}");
        let is_done = poll_times(polls, client.set(&key, vec![b'v'; 64 * 1024], Ttl::NEVER)).await;
        let value = client.get(&key).await.unwrap().map(|item| item.value.len());
        assert!(value.is_none_or(|len| len == 64 * 1024));
        if is_done {
            break;
        }
    }
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
    tokio::time::sleep(Duration::from_millis(100)).await;
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
        until("the connection is closed", || (server.connections() == 0).then_some(()));
    }
}
