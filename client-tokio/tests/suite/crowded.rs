//! A server that wants no more connections than those that work.

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{sync::Arc, thread};

use memring_tokio::{Batch, Client, ErrorKind, Ttl};
use tokio::task::JoinSet;

use crate::health::{LONG, TOUCHY, builder};
use crate::support::{Memcached, Scripted};

fn pool_of_16(name: &str) -> Client {
    builder(&[name]).pool_size(16).timeout(LONG).health_policy(TOUCHY).build().unwrap()
}

/// Gets, alone and together, from 32 tasks; every fourth of them with other things between.
async fn work(client: &Client, rounds: usize) {
    let mut tasks = JoinSet::new();
    for task in 0..32 {
        let client = client.clone();
        tasks.spawn(async move {
            for round in 0..rounds {
                assert_eq!(client.get("k").await.unwrap().unwrap().value, "v");
                if task % 4 == 0 && round % 10 == 0 {
                    let found = client.get_many(&["k", "x"]).await.unwrap();
                    assert!(found.errors().is_empty() && found.hits().count() == 1);
                }
            }
        });
    }
    tasks.join_all().await;
    assert!(!client.servers()[0].health.is_down());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_that_work_take_turns_at_a_server_that_is_full() {
    // Of its forty connections, some are its own, and twenty-five the peers'.
    let server = Memcached::start_with(&["-c", "40"]);
    let _peers = server.peers(25);
    let client = pool_of_16(&server.name());
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    work(&client, 200).await;
    assert!(client.servers()[0].connections > 1, "it has grown as far as it could");
}

#[tokio::test]
async fn who_streams_waits_for_a_turn_at_a_server_that_is_full() {
    let server = Memcached::start_with(&["-c", "40"]);
    let client =
        builder(&[server.name()]).timeout(Duration::from_secs(1)).health_policy(TOUCHY).build().unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    let peers = server.peers(1000);
    let error = client.get_to("k", &mut tokio::io::sink()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(client.get("k").await.unwrap().is_some(), "nothing is held against the server");
    let patient = client.with_timeout(LONG);
    let stored = tokio::spawn(async move { patient.set_from("s", 5, &b"value"[..], Ttl::NEVER).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(peers);
    stored.await.unwrap().unwrap();
    assert_eq!(client.get("s").await.unwrap().unwrap().value, "value");
}

/// Answers on its first connection; turns every other one away, each in one of several ways.
fn closed(way: usize, connections: Arc<AtomicUsize>) -> Scripted {
    Scripted::new(move |mut peer| {
        connections.fetch_add(1, Ordering::SeqCst);
        if peer.number > 0 {
            match way {
                0 => peer.write("ERROR Too many open connections\r\n"),
                1 => drop(peer.line()),
                _ => peer.reset(),
            }
            return;
        }
        while let Some(line) = peer.line() {
            thread::sleep(Duration::from_millis(1));
            match &line[..3] {
                "get" => {
                    let keys = line.split(' ').skip(1).filter(|key| *key != "x");
                    let items = keys.map(|key| format!("VALUE {key} 0 1\r\nv\r\n"));
                    peer.write(items.collect::<String>() + "END\r\n");
                }
                _ => peer.write("DELETED\r\n"),
            }
        }
    })
}

#[tokio::test]
async fn a_connection_that_is_turned_away_is_no_failure_and_none_is_opened_for_a_while() {
    for way in 0..3 {
        let connections = Arc::new(AtomicUsize::new(0));
        let server = closed(way, Arc::clone(&connections));
        let client = pool_of_16(&server.name());
        work(&client, 5).await;
        assert!(client.delete("k").await.unwrap());
        let mut batch = Batch::new();
        let (deleted, got) = (batch.delete("k"), batch.get("k"));
        let mut outcomes = client.run(batch).await.unwrap();
        assert!(outcomes.take(deleted).unwrap() && outcomes.take(got).unwrap().is_some());
        let opened = connections.load(Ordering::SeqCst);
        assert!((2..=16).contains(&opened), "{way}: {opened}");
        assert_eq!(client.servers()[0].connections, 1, "{way}");
    }
}

/// Closes its second connection when that is about to be used for the third time; turns away all that come later.
#[tokio::test]
async fn what_cannot_be_sent_again_over_a_new_connection_goes_over_one_that_works() {
    let server = Scripted::new(|mut peer| {
        let mut gets = 0;
        while let Some(line) = peer.line() {
            if peer.number > 1 || (peer.number == 1 && gets == 2) {
                return;
            }
            gets += usize::from(line.starts_with("get"));
            let keys = line.split(' ').skip(1).map(|key| format!("VALUE {key} 0 1\r\nv\r\n"));
            peer.write(if line == "version" {
                "VERSION 1.6.18\r\n".to_owned()
            } else {
                keys.collect::<String>() + "END\r\n"
            });
        }
    });
    let client = builder(&[server.name()]).pool_size(2).timeout(LONG).health_policy(TOUCHY).build().unwrap();
    for _ in 0..20 {
        assert!(client.get("k").await.unwrap().is_some());
        assert_eq!(client.get_many(&["a", "b"]).await.unwrap().all().unwrap().len(), 2);
    }
    assert!(server.connections() > 2);
    assert!(!client.servers()[0].health.is_down());
}

#[tokio::test]
async fn a_server_that_turns_everybody_away_fails() {
    for reply in ["ERROR Too many open connections\r\n", ""] {
        let server = Scripted::new(move |mut peer| {
            peer.line();
            peer.write(reply);
        });
        let client = pool_of_16(&server.name());
        client.get("k").await.unwrap_err();
        assert!(client.servers()[0].health.is_down());
    }
}

#[tokio::test]
async fn a_batch_whose_server_was_busy_until_the_end_says_nothing_of_it() {
    let server = Scripted::new(|mut peer| {
        for _ in 0..2 {
            peer.line();
        }
        thread::sleep(Duration::from_millis(450));
        peer.write("DELETED\r\n");
        peer.line();
    });
    let (timeout, policy) = (Duration::from_millis(600), TOUCHY);
    let client = builder(&[server.name()]).timeout(timeout).health_policy(policy).build().unwrap();
    let deleted = client.delete_many(&["a", "b"]).await.unwrap().into_results();
    assert!(*deleted[0].as_ref().unwrap());
    assert_eq!(deleted[1].as_ref().unwrap_err().kind(), ErrorKind::Timeout);
    assert!(!client.servers()[0].health.is_down());
}
