//! Many tasks over one connection: each gets what it asked for.

use core::time::Duration;

use memring_std::testing::Server;
use memring_suite::{Memcached, Scripted};
use memring_tokio::{Client, ErrorKind, Limits, MetaDeleteOptions, Ttl};
use tokio::task::JoinSet;

use crate::support::{LONG, client_of, is_kept};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn tasks_get_what_they_asked_for() {
    let server = Memcached::start();
    for merge in [true, false] {
        let client = Client::builder().servers([server.name()]).timeout(9 * SECOND).merge_gets(merge);
        let client = client.build().unwrap();
        let mut tasks = JoinSet::new();
        for task in 0..100 {
            let client = client.clone();
            tasks.spawn(async move {
                for round in 0..50 {
                    let (key, value) = (format!("key:{task}:{}", round % 5), format!("{task}/{round}"));
                    client.set(&key, &value, Ttl::NEVER).await.unwrap();
                    assert_eq!(client.get(&key).await.unwrap().unwrap().value, value);
                    assert!(client.get(format!("none:{task}")).await.unwrap().is_none());
                    let item = client.gets(&key).await.unwrap().unwrap();
                    assert_eq!(item.value, value);
                    assert_ne!(item.cas, 0);
                }
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_share_one_connection() {
    let server = Server::start().unwrap();
    let client = Client::builder().servers([server.addr().to_string()]).timeout(9 * SECOND).build().unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..200 {
        let client = client.clone();
        tasks.spawn(async move {
            let key = format!("key:{task}");
            client.set(&key, &key, Ttl::NEVER).await.unwrap();
            for _ in 0..100 {
                assert_eq!(client.get(&key).await.unwrap().unwrap().value, key);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

/// Runs a `get` of each key at the same moment, and gives what each comes to: a value, `-`, or the kind of an error.
async fn gets(client: &Client, keys: &[&'static str]) -> Vec<String> {
    let get = |key: &&'static str| {
        let (client, key) = (client.clone(), *key);
        tokio::spawn(async move { client.get(key).await })
    };
    let tasks: Vec<_> = keys.iter().map(get).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(match task.await.unwrap() {
            Ok(Some(item)) => String::from_utf8(item.value.to_vec()).unwrap(),
            Ok(None) => "-".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        });
    }
    results
}

#[tokio::test]
async fn who_finds_out_that_a_proxy_hangs_up_leaves_the_shared_connection_alone() {
    let proxy = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            match line.split(' ').next() {
                Some("get") => peer.write("END\r\n"),
                Some("version") => peer.write("VERSION 1.6.18\r\n"),
                _ => return,
            }
        }
    });
    let client = client_of(&proxy, LONG);
    for error in [
        client.gat("k", Ttl::NEVER).await.unwrap_err(),
        client.meta().delete("k", MetaDeleteOptions::new()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(is_kept(&client), "it has a connection that nobody hung up");
    }
}

#[tokio::test]
async fn merged_gets_give_each_caller_its_own() {
    let server = Memcached::start();
    for merge in [true, false] {
        let client = Client::builder().servers([server.name()]).merge_gets(merge).build().unwrap();
        for key in ["a", "c"] {
            client.set(key, key.repeat(3), Ttl::NEVER).await.unwrap();
        }
        let found = gets(&client, &["x", "a", "a", "b", "c", "c", "x", "a"]).await;
        assert_eq!(found, ["-", "aaa", "aaa", "-", "ccc", "ccc", "-", "aaa"]);
    }
}

#[tokio::test]
async fn gets_that_wait_together_leave_as_one_line() {
    let server = Scripted::answering("END\r\n");
    let client = client_of(&server, SECOND);
    assert_eq!(gets(&client, &["a", "b", "c"]).await, ["-", "-", "-"]);
    assert_eq!(server.received(), "get a b c\r\n");
    let client = Client::builder().servers([server.name()]).merge_gets(false).build().unwrap();
    assert_eq!(gets(&client, &["d", "e"]).await, ["-", "-"]);
    assert!(server.received().ends_with("get d\r\nget e\r\n"));
    // What one caller asks for together stays together.
    assert!(client.get_many(&["f", "g"]).await.unwrap().all().is_ok());
    assert!(server.received().ends_with("get f g\r\n"));
}

#[tokio::test]
async fn a_line_has_no_more_keys_than_a_reply_may_have_items() {
    let server = Scripted::answering("END\r\n");
    let limits = Limits { items: 2, ..Limits::DEFAULT };
    let client = Client::builder().servers([server.name()]).limits(limits).build().unwrap();
    assert_eq!(gets(&client, &["a", "b", "c"]).await, ["-", "-", "-"]);
    assert_eq!(server.received(), "get a b\r\nget c\r\n");
    let keys: Vec<_> = (0..250).map(|number| number.to_string()).collect();
    let server = Scripted::answering("END\r\n");
    assert!(client_of(&server, SECOND).get_many(&keys).await.unwrap().all().is_ok());
    assert_eq!(server.received().lines().count(), 3);
}

#[tokio::test]
async fn other_requests_keep_their_place_among_the_gets() {
    let server = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            peer.write(if line.starts_with("touch") { "TOUCHED\r\n" } else { "END\r\n" });
        }
    });
    let client = client_of(&server, SECOND);
    let (a, touched, b, c, d) = tokio::join!(
        client.get("a"),
        client.touch("t", Ttl::NEVER),
        client.get("b"),
        client.gets("c"),
        client.gets("d"),
    );
    assert!(a.unwrap().is_none() && touched.unwrap() && b.unwrap().is_none());
    assert!(c.unwrap().is_none() && d.unwrap().is_none());
    // Where it begins is up to the macro.
    let lines = server.received();
    let (one, other) =
        ("get a\r\ntouch t 0\r\nget b\r\ngets c d\r\n", "touch t 0\r\nget b\r\ngets c d\r\nget a\r\n");
    assert!(lines == one || lines == other, "{lines}");
}

#[tokio::test]
async fn a_refused_line_is_refused_to_all_of_it_and_nobody_else() {
    let server = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            let is_refused = line == "get a b";
            peer.write(if is_refused { "SERVER_ERROR out of memory storing object\r\n" } else { "END\r\n" });
        }
    });
    let client = client_of(&server, SECOND);
    assert_eq!(gets(&client, &["a", "b"]).await, ["OutOfMemory", "OutOfMemory"]);
    assert_eq!(gets(&client, &["c"]).await, ["-"]);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn items_before_the_end_of_a_connection_are_hits_and_the_rest_are_errors() {
    let server = Scripted::new(|mut peer| {
        peer.line();
        peer.write("VALUE b 0 1\r\n2\r\nVALUE c 0 10\r\n123");
    });
    let client = client_of(&server, SECOND);
    assert_eq!(gets(&client, &["a", "b", "c", "d"]).await, ["Closed", "2", "Closed", "Closed"]);
}

#[tokio::test]
async fn a_refusal_that_ends_the_connection_lets_the_others_try_again() {
    let server = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            peer.write(if line.starts_with("incr") { "CLIENT_ERROR bad data chunk\r\n" } else { "END\r\n" });
        }
    });
    let client = client_of(&server, SECOND);
    assert_eq!(gets(&client, &["a"]).await, ["-"]);
    let (wrong, right) = tokio::join!(client.incr("n", 1), client.get("k"));
    assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Client);
    assert!(right.unwrap().is_none());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn what_has_no_room_waits_its_turn() {
    let server = Server::start().unwrap();
    for (requests, bytes) in [(1, 4 << 20), (3, 10), (1024, 1)] {
        let client = Client::builder().servers([server.addr().to_string()]).under_way(requests, bytes);
        let client = client.timeout(9 * SECOND).build().unwrap();
        let mut tasks = JoinSet::new();
        for task in 0..50 {
            let client = client.clone();
            tasks.spawn(async move {
                let key = format!("key:{task}");
                client.set(&key, key.repeat(task), Ttl::NEVER).await.unwrap();
                assert_eq!(client.get(&key).await.unwrap().unwrap().value, key.repeat(task));
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        let keys: Vec<_> = (0..50).map(|task| format!("key:{task}")).collect();
        assert_eq!(client.get_many(&keys).await.unwrap().hits().count(), 50);
    }
}

#[tokio::test]
async fn who_finds_no_room_in_time_is_told_so() {
    let server = Scripted::silent();
    let timeout = SECOND / 4;
    let client = Client::builder().servers([server.name()]).under_way(1, 0).timeout(timeout).build().unwrap();
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.get("first").await }
    });
    tokio::time::sleep(timeout / 2).await;
    first.abort();
    // The reply to the first is still owed, and takes all the room for as long again.
    let (second, third) = tokio::join!(client.get("second"), client.get_many(&["third"]));
    for error in [second.unwrap_err(), third.unwrap().errors()[0].clone()] {
        assert!(error.kind() == ErrorKind::Timeout && error.is_retryable(), "{error}");
    }
    assert!(server.received().starts_with("get first\r\n"));
}
