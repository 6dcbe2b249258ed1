//! Servers that are away, silent, slow or wrong.

use core::time::Duration;
use std::thread;

use memring_tokio::{Error, ErrorKind, Item, Ttl};
use tokio::task::JoinSet;

use crate::harness::scripted::Peer;
use crate::support::{Memcached, Scripted, Stopwatch, client, ends_at, refusing};

const SECOND: Duration = Duration::from_secs(1);

/// What a `get` of `k` comes to when the server answers with `reply`.
async fn get(reply: &'static [u8]) -> Result<Option<Item>, Error> {
    Scripted::answering(reply).client(SECOND).get("k").await
}

#[tokio::test]
async fn a_refused_connection_is_a_connect_error() {
    let name = refusing();
    let client = client(core::slice::from_ref(&name), SECOND);
    let error = client.get("k").await.unwrap_err();
    assert_eq!((error.kind(), error.server(), error.operation()), (ErrorKind::Connect, Some(&*name), "get"));
    assert!(error.is_retryable() && !error.is_ambiguous() && !error.is_timeout());
    let error = client.set("k", "v", Ttl::NEVER).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Connect && !error.is_ambiguous());
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_an_error_of_its_own() {
    let error = client(&["no-such-host.invalid".to_owned()], SECOND).get("k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve);
}

#[tokio::test]
async fn a_silent_server_costs_one_deadline() {
    let server = Scripted::silent();
    let deadline = Duration::from_millis(300);
    let client = server.client(deadline);
    let error = ends_at(deadline, client.get("k")).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && error.is_timeout() && !error.is_ambiguous());
    let error = ends_at(deadline, client.set("k", "v", Ttl::NEVER)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && error.is_ambiguous());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_stays_silent_is_closed() {
    let (tell, told) = std::sync::mpsc::channel();
    let server = Scripted::new(move |mut peer| {
        while peer.line().is_some() {}
        let _ = tell.send(());
    });
    let client = server.client(Duration::from_millis(300));
    assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Timeout);
    let end = tokio::task::spawn_blocking(move || told.recv_timeout(Duration::from_secs(10)));
    end.await.unwrap().expect("the server sees its end");
}

#[tokio::test]
async fn a_drip_is_held_against_the_operation_and_not_against_each_read() {
    let server = Scripted::new(|mut peer| {
        peer.line();
        for byte in b"VALUE k 0 1\r\nv\r\nEND\r\n" {
            peer.write([*byte]);
            thread::sleep(Duration::from_millis(50));
        }
    });
    let deadline = Duration::from_millis(400);
    let error = ends_at(deadline, server.client(deadline).get("k")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(server.client(5 * SECOND).get("k").await.unwrap().unwrap().value, "v");
}

#[tokio::test]
async fn an_overdue_reply_closes_the_connection_for_all_who_wait_and_no_other_server() {
    let (silent, good) = (Scripted::silent(), Memcached::start());
    let deadline = Duration::from_millis(400);
    let client = client(&[silent.name(), good.name()], deadline);
    let (lost, found): (Vec<_>, Vec<_>) = (0..40)
        .map(|number| format!("key:{number}"))
        .partition(|key| *client.server_of(key) == *silent.name());
    assert!(lost.len() > 5 && found.len() > 5);
    let mut tasks = JoinSet::new();
    for (number, key) in lost.into_iter().enumerate() {
        let client = client.clone();
        tasks.spawn(async move {
            tokio::time::sleep(Duration::from_millis(20) * u32::try_from(number % 10).unwrap()).await;
            client.get(key).await
        });
    }
    let watch = Stopwatch::start();
    for key in &found {
        assert!(client.get(key).await.unwrap().is_none());
    }
    assert!(watch.took() < deadline / 2);
    while let Some(result) = tasks.join_next().await {
        let error = result.unwrap().unwrap_err();
        assert!(error.kind() == ErrorKind::Timeout && error.is_timeout(), "{error}");
    }
    assert!(watch.took() < deadline.mul_f64(1.3), "{:?}", watch.took());
    assert_eq!(silent.connections(), 1);
}

#[tokio::test]
async fn a_server_that_stops_reading_costs_one_deadline() {
    let server = Scripted::new(|peer| {
        thread::sleep(10 * SECOND);
        drop(peer);
    });
    let deadline = Duration::from_millis(500);
    let client = server.client(deadline);
    let value = vec![0; 1 << 20];
    let sets = async {
        let mut tasks = JoinSet::new();
        for _ in 0..16 {
            let (client, value) = (client.clone(), value.clone());
            tasks.spawn(async move { client.set("k", value, Ttl::NEVER).await });
        }
        tasks.join_all().await
    };
    for result in ends_at(deadline, sets).await {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout);
    }
}

#[tokio::test]
async fn an_end_within_a_reply_is_closed_and_gives_no_value() {
    for reply in ["V", "VALUE k 0 5\r", "VALUE k 0 5\r\n", "VALUE k 0 5\r\nhel", "VALUE k 0 5\r\nhello\r"] {
        let server = Scripted::new(move |mut peer| {
            peer.line();
            peer.write(reply);
        });
        let error = server.client(SECOND).get("k").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "{reply:?}");
        assert_eq!(server.connections(), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn what_is_no_reply_is_a_protocol_error() {
    let rows: [&[u8]; 10] = [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"-ERR unknown command\r\n",
        b"\r\n",
        b"END\n",
        b"\x16\x03\x01\x00",
        b"VALUE other 0 1\r\nv\r\nEND\r\n",
        b"VALUE k 0 1\r\nvv\r\nEND\r\n",
        b"VALUE k 0 99999999999999999999\r\n",
        b"VALUE k 0 1\r\nv\r\nVALUE k 0 1\r\nv\r\nEND\r\n",
        b"STORED\r\n",
    ];
    for reply in rows {
        match get(reply).await {
            Err(error) => assert_eq!(error.kind(), ErrorKind::Protocol, "{}: {error}", reply.escape_ascii()),
            // The right item came first.
            Ok(item) => assert_eq!(item.unwrap().value, "v", "{}", reply.escape_ascii()),
        }
    }
}

#[tokio::test]
async fn a_protocol_error_is_told_to_everyone_and_the_next_connection_is_good() {
    let server = Scripted::new(|mut peer| {
        let mut lines = 0;
        while peer.line().is_some() {
            lines += 1;
            match (peer.number, lines) {
                (0, 5) => peer.write("VALUE foreign 0 6\r\nsecret\r\nEND\r\n"),
                (0, _) => {}
                _ => peer.write("END\r\n"),
            }
        }
    });
    let client = server.client(SECOND);
    let mut tasks = JoinSet::new();
    for number in 0..5 {
        let client = client.clone();
        tasks.spawn(async move { client.set(format!("{number}"), "", Ttl::NEVER).await });
    }
    // Each `set` is two lines.
    for result in tasks.join_all().await {
        let error = result.unwrap_err();
        assert!(error.kind() == ErrorKind::Protocol && error.is_ambiguous(), "{error}");
    }
    assert!(client.get("k").await.unwrap().is_none());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_refusal_may_come_before_the_value_has_left() {
    let server = Scripted::new(|mut peer| {
        peer.line();
        peer.write("SERVER_ERROR object too large for cache\r\n");
        thread::sleep(Duration::from_millis(50));
        peer.line();
        while peer.line().is_some() {
            peer.write("END\r\n");
        }
    });
    let client = server.client(5 * SECOND);
    let error = client.set("k", vec![b'v'; 1 << 20], Ttl::NEVER).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(client.get("k").await.unwrap().is_none());
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_server_that_is_full_says_so() {
    let server = Scripted::new(|mut peer| peer.write("ERROR Too many open connections\r\n"));
    let error = server.client(SECOND).get("k").await.unwrap_err();
    // Where the connection is reset before the line is read, that is all there is to tell.
    let kinds = [ErrorKind::TooManyConnections, ErrorKind::Protocol, ErrorKind::Closed];
    assert!(kinds.contains(&error.kind()), "{error}");
}

/// Answers the first line, and closes the first connection at the second.
fn hanging_up(mut peer: Peer) {
    let mut lines = 0;
    while peer.line().is_some() {
        lines += 1;
        if peer.number == 0 && lines == 2 {
            return;
        }
        peer.write("END\r\n");
    }
}

#[tokio::test]
async fn a_get_that_meets_a_dying_connection_is_sent_again() {
    let server = Scripted::new(hanging_up);
    let client = server.client(SECOND);
    for _ in 0..3 {
        assert!(client.get("k").await.unwrap().is_none());
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_set_of_which_a_byte_has_left_is_never_sent_again() {
    let server = Scripted::new(hanging_up);
    let client = server.client(SECOND);
    assert!(client.get("k").await.unwrap().is_none());
    let error = client.set("k", "v", Ttl::NEVER).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Closed && error.is_ambiguous(), "{error}");
    assert_eq!(server.received().matches("set").count(), 1);
}

#[tokio::test]
async fn a_killed_server_gives_errors_and_no_hangs() {
    let mut servers = [Memcached::start(), Memcached::start()];
    let names = servers.each_ref().map(Memcached::name);
    let client = client(&names, SECOND);
    let mut tasks = JoinSet::new();
    for task in 0..50 {
        let client = client.clone();
        tasks.spawn(async move {
            let mut errors = Vec::new();
            for round in 0..200 {
                let key = format!("key:{task}:{}", round % 7);
                let value = key.repeat(100);
                match client.get(&key).await {
                    Ok(item) => assert!(item.is_none_or(|item| item.value == value)),
                    Err(error) => errors.push(error),
                }
                if let Err(error) = client.set(&key, &value, Ttl::NEVER).await {
                    errors.push(error);
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            errors
        });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    servers[0].kill();
    let begin = std::time::Instant::now();
    let errors: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert!(begin.elapsed() < 10 * SECOND, "{:?}", begin.elapsed());
    assert!(!errors.is_empty());
    for error in errors {
        let kinds = [ErrorKind::Connect, ErrorKind::Closed, ErrorKind::Down, ErrorKind::Io];
        assert!(kinds.contains(&error.kind()) && error.server() == Some(&*names[0]), "{error}");
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

#[tokio::test]
async fn a_get_whose_reply_has_begun_is_not_sent_again() {
    let server = Scripted::new(|mut peer| {
        peer.line();
        peer.write("END\r\n");
        peer.line();
        peer.write("VALUE k 0 5\r\nhe");
    });
    let client = server.client(SECOND);
    assert!(client.get("k").await.unwrap().is_none());
    assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(server.connections(), 1);
}
