//! A server that answers, but not as it should: what is no reply, the reply to something else, and refusals.

use core::time::Duration;
use std::{sync::mpsc, thread};

use memring_tokio::{Client, Error, ErrorKind, Item, Ttl};
use tokio::task::JoinSet;

use crate::health::until;
use crate::support::{Scripted, client_of, is_kept};
use memring_suite::replies::{REFUSALS, WRONG};

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(20);

/// What a `get` of `k` comes to when `reply` is all that comes back; and whether the connection is kept.
async fn get(reply: impl AsRef<[u8]> + Send + Sync + 'static) -> (Result<Option<Item>, Error>, bool) {
    let server = Scripted::answering(reply);
    let client = client_of(&server, LONG);
    let result = client.get("k").await;
    (result, is_kept(&client))
}

#[tokio::test]
async fn what_is_no_reply_is_a_protocol_error() {
    for reply in WRONG {
        let (result, is_kept) = get(reply).await;
        let error = result.expect_err(&reply.escape_ascii().to_string());
        assert_eq!(error.kind(), ErrorKind::Protocol, "{} {error}", reply.escape_ascii());
        assert!(!is_kept && !error.is_retryable(), "{}", reply.escape_ascii());
    }
    for endless in [[b'x'; 5000], *b"SERVER_ERROR ".repeat(400).first_chunk().unwrap()] {
        let (result, is_kept) = get(endless).await;
        assert_eq!((result.unwrap_err().kind(), is_kept), (ErrorKind::Protocol, false));
    }
}

#[tokio::test]
async fn a_reply_to_another_command_is_a_protocol_error() {
    let replies = ["STORED", "DELETED", "TOUCHED", "END", "7", "OK", "VERSION 1", "EXISTS", "RESET"];
    for reply in replies {
        let server = Scripted::new(move |mut peer| {
            while let Some(line) = peer.line() {
                if line.starts_with("set") || line.starts_with("cas") {
                    peer.line();
                }
                peer.write(format!("{reply}\r\n"));
            }
        });
        let builder = Client::builder().servers([server.name()]).timeout(LONG).health_policy(None);
        let (client, none) = (builder.build().unwrap(), Ttl::NEVER);
        let results = [
            ("STORED", client.set("k", "v", none).await),
            ("STORED EXISTS", client.cas("k", "v", none, 1).await.map(drop)),
            ("DELETED", client.delete("k").await.map(drop)),
            ("TOUCHED", client.touch("k", none).await.map(drop)),
            ("7", client.incr("k", 1).await.map(drop)),
            ("END", client.get("k").await.map(drop)),
            ("OK", client.flush_all(None).await.remove(0).result),
            ("VERSION 1", client.version().await.remove(0).result.map(drop)),
        ];
        for (right, result) in results {
            match result {
                Ok(()) => assert!(right.contains(reply), "{reply} taken for {right}"),
                Err(error) => {
                    assert!(!right.contains(reply), "{reply} not taken for {right}");
                    assert_eq!(error.kind(), ErrorKind::Protocol, "{reply}: {error}");
                }
            }
        }
    }
}

#[tokio::test]
async fn bytes_behind_a_reply_close_the_connection_but_not_the_result() {
    for more in ["END\r\n", "VALUE k 0 2\r\nhi\r\nEND\r\n", "EMD\r\n"] {
        let server = Scripted::answering(format!("VALUE k 0 2\r\nhi\r\nEND\r\n{more}"));
        let client = client_of(&server, LONG);
        assert_eq!(client.get("k").await.unwrap().unwrap().value, "hi");
        until("it is closed", async || (!is_kept(&client)).then_some(())).await;
    }
}

#[tokio::test]
async fn a_connection_that_has_spoken_unasked_is_not_used_again() {
    let (say, said) = (mpsc::channel::<()>(), mpsc::channel::<()>());
    let (go, done) = (std::sync::Mutex::new(say.1), said.0);
    let server = Scripted::new(move |mut peer| {
        peer.line();
        peer.write("END\r\n");
        if peer.number == 0 {
            go.lock().unwrap().recv().unwrap();
            peer.write("VALUE k 0 6\r\nforged\r\nEND\r\n");
            done.send(()).unwrap();
        }
        peer.line();
    });
    let client = client_of(&server, LONG);
    assert!(client.get("k").await.unwrap().is_none());
    assert!(is_kept(&client));
    say.0.send(()).unwrap();
    // Meanwhile no task runs: what has come is found when the next request is about to be sent.
    said.1.recv().unwrap();
    assert!(client.get("k").await.unwrap().is_none());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_speaks_unasked_is_closed() {
    let server = Scripted::new(|mut peer| {
        peer.line();
        peer.write("END\r\n");
        thread::sleep(Duration::from_millis(20));
        peer.write("VALUE k 0 6\r\nforged\r\nEND\r\n");
        peer.line();
    });
    let client = client_of(&server, LONG);
    assert!(client.get("k").await.unwrap().is_none());
    until("it is closed", async || (!is_kept(&client)).then_some(())).await;
    assert!(client.get("k").await.unwrap().is_none());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn refusals_are_told_apart_and_keep_the_connection_where_that_is_proven() {
    for (line, kind, kept) in REFUSALS {
        let (result, is_kept) = get(format!("{line}\r\n")).await;
        let error = result.unwrap_err();
        assert_eq!((error.kind(), is_kept), (kind, kept), "{line}");
        assert!(error.server_error().is_some() && !error.is_ambiguous(), "{line}");
    }
}

#[tokio::test]
async fn a_refusal_may_come_before_the_value_has_left() {
    let server = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            if line.starts_with("set") {
                peer.write("SERVER_ERROR object too large for cache\r\n");
                peer.line();
            } else {
                peer.write("END\r\n");
            }
        }
    });
    let client = client_of(&server, LONG);
    let error = client.set("k", vec![b'v'; 1 << 20], Ttl::NEVER).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(client.get("k").await.unwrap().is_none());
    assert_eq!(server.connections(), 1);
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
    let client = client_of(&server, LONG);
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
