//! Futures of `fetch` that are dropped: what they have won is given back, and the next caller loads.

use core::{
    future::pending,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use std::{sync::Arc, time::Instant};

use memring_suite::{Memcached, Scripted};
use memring_tokio::{Client, MetaGetOptions, Ttl};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::support::{client_of, until};

const MINUTE: Ttl = Ttl::seconds(60);

async fn never() -> Result<String, String> {
    pending().await
}

/// Whether the server holds no lease on the key: the next caller wins it.
async fn is_free(client: &Client, key: &str) -> Option<()> {
    client.meta().get(key, MetaGetOptions::new()).await.unwrap().is_none().then_some(())
}

#[tokio::test]
async fn a_loader_that_is_dropped_gives_its_lease_back() {
    let server = Memcached::start();
    let client = Client::connect([server.name()]).unwrap();
    assert!(timeout(Duration::from_millis(100), client.fetch("k", MINUTE, never())).await.is_err());
    let begin = Instant::now();
    let value = client.fetch("k", MINUTE, async { Ok::<_, String>("made") }).await.unwrap();
    assert_eq!(value, "made");
    assert!(begin.elapsed() < Duration::from_secs(1), "nobody waits for a lease to end");
}

#[tokio::test]
async fn those_that_joined_a_dropped_future_lead_one_after_the_other() {
    let server = Memcached::start();
    let client = Client::connect([server.name()]).unwrap();
    let leader = tokio::spawn({
        let client = client.clone();
        async move { client.fetch("k", MINUTE, never()).await.is_ok() }
    });
    let other = Client::connect([server.name()]).unwrap();
    until("it loads", async || is_free(&other, "k").await.is_none().then_some(())).await;
    let loads = Arc::new(AtomicU32::new(0));
    let mut joined = JoinSet::new();
    for _ in 0..500 {
        let (client, loads) = (client.clone(), Arc::clone(&loads));
        joined.spawn(async move {
            let load = async {
                loads.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(100)).await;
                Ok::<_, String>("made".to_owned())
            };
            client.fetch("k", MINUTE, load).await.unwrap()
        });
    }
    sleep(Duration::from_millis(50)).await;
    leader.abort();
    assert!(joined.join_all().await.iter().all(|value| value == "made"));
    assert_eq!(loads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_win_whose_future_has_gone_before_the_reply_is_given_back() {
    // The answer comes late, to a caller that has gone.
    let server = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            let opaque = line.rsplit(" O").next().unwrap_or_default().to_owned();
            match line.split(' ').next() {
                Some("version") => peer.write("VERSION 1.6.18\r\n"),
                Some("mg") => {
                    std::thread::sleep(Duration::from_millis(200));
                    peer.write(format!("VA 0 c77 t11 f0 O{opaque} W\r\n\r\n"));
                }
                Some("ms") => {
                    peer.line();
                    peer.write(format!("HD O{opaque}\r\n"));
                }
                _ => return,
            }
        }
    });
    let client = client_of(&server, Duration::from_secs(5));
    client.meta().noop().await;
    assert!(timeout(Duration::from_millis(100), client.fetch("k", MINUTE, never())).await.is_err());
    until("it is given back", async || server.received().contains("ms k 0 C77 T-1").then_some(())).await;
}

#[tokio::test]
async fn callers_that_are_dropped_at_any_moment_leave_no_lease() {
    let server = Memcached::start();
    let (client, other) =
        (Client::connect([server.name()]).unwrap(), Client::connect([server.name()]).unwrap());
    client.version().await;
    for micros in (0..3000).step_by(100) {
        let _ = timeout(Duration::from_micros(micros), client.fetch("k", MINUTE, never())).await;
        until("the lease is given back", async || is_free(&other, "k").await).await;
    }
}
