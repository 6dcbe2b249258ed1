//! A server that answers, but not as it should: what is no reply, the reply to something else, and refusals.

use core::time::Duration;
use std::{sync::mpsc, thread};

use memring_std::{Client, Error, ErrorKind, Ttl};

use crate::support::{Scripted, client_of, is_kept};
use memring_suite::replies::{REFUSALS, WRONG};

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(20);

/// What a `get` of `k` comes to when `reply` is all that comes back; and whether the connection is kept.
fn get(reply: impl AsRef<[u8]> + Send + Sync + 'static) -> (Result<Option<Vec<u8>>, Error>, bool) {
    let server = Scripted::answering(reply);
    let client = client_of(&server, LONG);
    let result = client.get("k").map(|item| item.map(|item| item.value));
    (result, is_kept(&client))
}

#[test]
fn what_is_no_reply_is_a_protocol_error() {
    // An item is handed out at the end of the reply only, so a second one is found before.
    let twice: &[u8] = b"VALUE k 0 2\r\nhi\r\nVALUE k 0 2\r\nhi\r\nEND\r\n";
    for reply in WRONG.into_iter().chain([twice]) {
        let (result, is_kept) = get(reply);
        let error = result.expect_err(&reply.escape_ascii().to_string());
        assert_eq!(error.kind(), ErrorKind::Protocol, "{} {error}", reply.escape_ascii());
        assert!(!is_kept && !error.is_retryable(), "{}", reply.escape_ascii());
    }
    for endless in [[b'x'; 5000], *b"SERVER_ERROR ".repeat(400).first_chunk().unwrap()] {
        let (result, is_kept) = get(endless);
        assert_eq!((result.unwrap_err().kind(), is_kept), (ErrorKind::Protocol, false));
    }
}

#[test]
fn a_reply_to_another_command_is_a_protocol_error() {
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
            ("STORED", client.set("k", "v", none)),
            ("STORED EXISTS", client.cas("k", "v", none, 1).map(drop)),
            ("DELETED", client.delete("k").map(drop)),
            ("TOUCHED", client.touch("k", none).map(drop)),
            ("7", client.incr("k", 1).map(drop)),
            ("END", client.get("k").map(drop)),
            ("OK", client.flush_all(None).remove(0).result),
            ("VERSION 1", client.version().remove(0).result.map(drop)),
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

#[test]
fn bytes_behind_a_reply_close_the_connection_but_not_the_result() {
    let (result, is_kept) = get("VALUE k 0 2\r\nhi\r\nEND\r\nEND\r\n");
    assert_eq!(result.unwrap().unwrap(), b"hi");
    assert!(!is_kept);
}

#[test]
fn a_connection_that_has_spoken_unasked_is_not_used_again() {
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
    assert!(client.get("k").unwrap().is_none());
    assert!(is_kept(&client));
    say.0.send(()).unwrap();
    said.1.recv().unwrap();
    // So long must a connection have been idle to be looked at.
    thread::sleep(Duration::from_millis(2));
    assert!(client.get("k").unwrap().is_none());
    assert_eq!(server.connections(), 2);
}

#[test]
fn refusals_are_told_apart_and_keep_the_connection_where_that_is_proven() {
    for (line, kind, kept) in REFUSALS {
        let (result, is_kept) = get(format!("{line}\r\n"));
        let error = result.unwrap_err();
        assert_eq!((error.kind(), is_kept), (kind, kept), "{line}");
        assert!(error.server_error().is_some() && !error.is_ambiguous(), "{line}");
    }
}

#[test]
fn a_refusal_may_come_before_the_value_has_left() {
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
    let error = client.set("k", vec![b'v'; 1 << 20], Ttl::NEVER).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(client.get("k").unwrap().is_none());
    assert_eq!(server.connections(), 1);
}

#[test]
fn bytes_that_come_soon_after_a_reply_are_nobodys_answer() {
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
    let client = client_of(&server, Duration::from_secs(9));
    for _ in 0..50 {
        assert!(client.get("k").unwrap().is_some(), "a miss that is none");
        told.recv().unwrap();
    }
    assert_eq!(server.connections(), 50, "each serves once");
}
