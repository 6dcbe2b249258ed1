//! A server that wants no more connections than those that work.

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{sync::Arc, thread};

use memring_std::{Batch, ErrorKind, Ttl};
use memring_suite::{Memcached, Scripted};

use crate::{
    client::Client,
    health::{LONG, TOUCHY, builder},
    run::{join_all, promises, promises_on_threads},
};

promises! {
    a_connection_that_is_turned_away_is_no_failure_and_none_is_opened_for_a_while
    a_server_that_turns_everybody_away_fails
    a_batch_whose_server_was_busy_until_the_end_says_nothing_of_it
}

promises_on_threads! {
    those_that_work_take_turns_at_a_server_that_is_full
}

fn pool_of_16<C: Client>(name: &str) -> C {
    builder(&[name]).pool_size(16).timeout(LONG).health_policy(TOUCHY).build().unwrap()
}

/// Gets, alone and together, of 32 callers; every fourth of them with other things between.
async fn work<C: Client>(client: &C, rounds: usize) {
    let mut tasks = Vec::new();
    for task in 0..32 {
        let client = client.clone();
        tasks.push(C::spawn(async move || {
            for round in 0..rounds {
                assert_eq!(client.get("k").await.unwrap().unwrap().value, b"v"[..]);
                if task % 4 == 0 && round % 10 == 0 {
                    let found = client.get_many(&["k", "x"]).await.unwrap();
                    assert!(found.errors().is_empty() && found.hits().count() == 1);
                }
            }
        }));
    }
    join_all(tasks).await;
    assert!(!client.servers()[0].health.is_down());
}

async fn those_that_work_take_turns_at_a_server_that_is_full<C: Client>() {
    // Of its forty connections, some are its own, and twenty-five the peers'.
    let server = Memcached::start_with(&["-c", "40"]);
    let _peers = server.peers(25);
    let client = pool_of_16::<C>(&server.name());
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    work(&client, 200).await;
    assert!(client.servers()[0].connections > 1, "it has grown as far as it could");
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

async fn a_connection_that_is_turned_away_is_no_failure_and_none_is_opened_for_a_while<C: Client>() {
    for way in 0..3 {
        let connections = Arc::new(AtomicUsize::new(0));
        let server = closed(way, Arc::clone(&connections));
        let client = pool_of_16::<C>(&server.name());
        // The first one is there before anybody could take another for it.
        assert!(client.get("k").await.unwrap().is_some());
        work(&client, 5).await;
        assert!(client.delete("k").await.unwrap());
        let mut batch = Batch::new();
        let (deleted, got) = (batch.delete("k"), batch.get("k"));
        let mut outcomes = client.run(batch).await.unwrap();
        assert!(outcomes.take(deleted).unwrap() && outcomes.take(got).unwrap().is_some());
        let opened = connections.load(Ordering::SeqCst);
        assert!((2..=16).contains(&opened), "{way}: {opened}");
        assert_eq!((client.servers()[0].connections, client.servers()[0].waiting), (1, 0), "{way}");
    }
}

async fn a_server_that_turns_everybody_away_fails<C: Client>() {
    for reply in ["ERROR Too many open connections\r\n", ""] {
        let server = Scripted::new(move |mut peer| {
            peer.line();
            peer.write(reply);
        });
        let client = pool_of_16::<C>(&server.name());
        client.get("k").await.unwrap_err();
        assert!(client.servers()[0].health.is_down());
    }
}

async fn a_batch_whose_server_was_busy_until_the_end_says_nothing_of_it<C: Client>() {
    let server = Scripted::new(|mut peer| {
        for _ in 0..2 {
            peer.line();
        }
        thread::sleep(Duration::from_millis(450));
        peer.write("DELETED\r\n");
        peer.line();
    });
    let (timeout, policy) = (Duration::from_millis(600), TOUCHY);
    let client = builder::<C>(&[server.name()]).timeout(timeout).health_policy(policy).build().unwrap();
    let deleted = client.delete_many(&["a", "b"]).await.unwrap().into_results();
    assert!(*deleted[0].as_ref().unwrap());
    assert_eq!(deleted[1].as_ref().unwrap_err().kind(), ErrorKind::Timeout);
    assert!(!client.servers()[0].health.is_down());
}
