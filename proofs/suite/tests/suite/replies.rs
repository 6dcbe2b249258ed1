//! A server that answers, but not as it should: what is no reply, the reply to something else, and refusals.

use core::time::Duration;
use std::{sync::mpsc, thread};

use memring_std::{Error, ErrorKind, Ttl};
use memring_suite::{
    Scripted,
    replies::{REFUSALS, WRONG},
};

use crate::{client::Client, run::promises, support::is_kept};

promises! {
    what_is_no_reply_is_a_protocol_error
    a_reply_to_another_command_is_a_protocol_error
    bytes_behind_a_reply_close_the_connection_but_not_the_result
    a_connection_that_has_spoken_unasked_is_not_used_again
    refusals_are_told_apart_and_keep_the_connection_where_that_is_proven
    a_refusal_may_come_before_the_value_has_left
    bytes_that_come_soon_after_a_reply_are_nobodys_answer
}

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(20);

/// What a `get` of `k` comes to when `reply` is all that comes back; and whether the connection is kept.
async fn get<C: Client>(
    reply: impl AsRef<[u8]> + Send + Sync + 'static,
) -> (Result<Option<C::Value>, Error>, bool) {
    let server = Scripted::answering(reply);
    let client = C::of(&server, LONG);
    let result = client.get("k").await.map(|item| item.map(|item| item.value));
    (result, is_kept(&client))
}

async fn what_is_no_reply_is_a_protocol_error<C: Client>() {
    for reply in WRONG {
        let (result, is_kept) = get::<C>(reply).await;
        let error = result.expect_err(&reply.escape_ascii().to_string());
        assert_eq!(error.kind(), ErrorKind::Protocol, "{} {error}", reply.escape_ascii());
        assert!(!is_kept && !error.is_retryable(), "{}", reply.escape_ascii());
    }
    for endless in [[b'x'; 5000], *b"SERVER_ERROR ".repeat(400).first_chunk().unwrap()] {
        let (result, is_kept) = get::<C>(endless).await;
        assert_eq!((result.unwrap_err().kind(), is_kept), (ErrorKind::Protocol, false));
    }
}

async fn a_reply_to_another_command_is_a_protocol_error<C: Client>() {
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
        let builder = C::builder().servers([server.name()]).timeout(LONG).health_policy(None);
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

async fn bytes_behind_a_reply_close_the_connection_but_not_the_result<C: Client>() {
    for more in ["END\r\n", "EMD\r\n"] {
        let server = Scripted::answering(format!("VALUE k 0 2\r\nhi\r\nEND\r\n{more}"));
        let client = C::of(&server, LONG);
        assert_eq!(client.get("k").await.unwrap().unwrap().value, b"hi"[..]);
        C::until("it is closed", async || (!is_kept(&client)).then_some(())).await;
    }
}

async fn a_connection_that_has_spoken_unasked_is_not_used_again<C: Client>() {
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
    let client = C::of(&server, LONG);
    assert!(client.get("k").await.unwrap().is_none());
    assert!(is_kept(&client));
    say.0.send(()).unwrap();
    // Meanwhile no task runs: what has come is found when the next request is about to be sent.
    said.1.recv().unwrap();
    // So long must a connection have been idle to be looked at.
    thread::sleep(Duration::from_millis(2));
    assert!(client.get("k").await.unwrap().is_none());
    assert_eq!(server.connections(), 2);
}

async fn refusals_are_told_apart_and_keep_the_connection_where_that_is_proven<C: Client>() {
    for (line, kind, kept) in REFUSALS {
        let (result, is_kept) = get::<C>(format!("{line}\r\n")).await;
        let error = result.unwrap_err();
        assert_eq!((error.kind(), is_kept), (kind, kept), "{line}");
        assert!(error.server_error().is_some() && !error.is_ambiguous(), "{line}");
    }
}

async fn a_refusal_may_come_before_the_value_has_left<C: Client>() {
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
    let client = C::of(&server, LONG);
    let error = client.set("k", vec![b'v'; 1 << 20], Ttl::NEVER).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(client.get("k").await.unwrap().is_none());
    assert_eq!(server.connections(), 1);
}

async fn bytes_that_come_soon_after_a_reply_are_nobodys_answer<C: Client>() {
    let (tell, told) = mpsc::channel();
    let server = Scripted::new(move |mut peer| {
        while peer.line().is_some() {
            peer.write("VALUE k 0 1\r\nv\r\nEND\r\n");
            thread::sleep(Duration::from_micros(100));
            // To whoever takes it for an answer, it says that there is no such item.
            peer.write("END\r\n");
            let _ = tell.send(());
        }
    });
    let client = C::of(&server, Duration::from_secs(9));
    for _ in 0..50 {
        assert!(client.get("k").await.unwrap().is_some(), "a miss that is none");
        told.recv().unwrap();
    }
    assert_eq!(server.connections(), 50, "each serves once");
}
