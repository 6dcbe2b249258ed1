//! One server that misbehaves: the kind of the error, what becomes of the connection, and that the client goes on.

use core::time::Duration;
use std::{io::Read as _, sync::mpsc, thread, time::Instant};

use memring_std::{Client, Error, ErrorKind, Limits, StoreOutcome, Ttl, testing::Server};

use crate::support::{BlackHole, Memcached, Scripted, ends_at, refusing, until};

const DEADLINE: Duration = Duration::from_millis(500);

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(20);

/// What a `get` of `k` comes to when `reply` is all that comes back; and whether the connection is kept.
fn get(reply: impl AsRef<[u8]> + Send + Sync + 'static) -> (Result<Option<Vec<u8>>, Error>, bool) {
    let server = Scripted::answering(reply);
    let client = server.client(LONG);
    let result = client.get("k").map(|item| item.map(|item| item.value));
    (result, is_kept(&client))
}

fn is_kept(client: &Client) -> bool {
    let servers = client.servers();
    assert_eq!(servers[0].busy, 0);
    servers[0].idle == 1
}

fn idle(client: &Client) -> usize {
    client.servers().iter().map(|server| server.idle).sum()
}

#[test]
fn a_refused_connection_is_a_connect_error() {
    let client = Client::connect([refusing()]).unwrap();
    for result in [client.get("k").map(drop), client.set("k", "v", Ttl::NEVER)] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.is_retryable() && !error.is_timeout() && !error.is_ambiguous());
        assert!(error.to_string().ends_with(": not connected: connection refused"), "{error}");
    }
}

#[test]
fn a_connection_that_is_not_accepted_ends_at_the_connect_timeout() {
    let hole = BlackHole::new();
    let builder = Client::builder().servers([hole.name()]);
    let client = builder.connect_timeout(DEADLINE).timeout(LONG).build().unwrap();
    let error = ends_at(DEADLINE, || client.get("k").unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.is_timeout() && error.is_retryable());
    // And with the operation, when that ends earlier.
    let builder = Client::builder().servers([hole.name()]);
    let client = builder.connect_timeout(LONG).timeout(DEADLINE).build().unwrap();
    let error = ends_at(DEADLINE, || client.set("k", "v", Ttl::NEVER).unwrap_err());
    assert!(error.is_timeout() && !error.is_ambiguous());
}

#[test]
fn a_name_that_does_not_resolve_is_an_error_of_its_own() {
    // Longer than any part of a name may be, so nobody is asked.
    let client = Client::connect([format!("{}.invalid", "x".repeat(70))]).unwrap();
    let error = client.get("k").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve);
}

#[test]
fn a_silent_server_costs_one_deadline() {
    let server = Scripted::silent();
    let client = server.client(DEADLINE);
    let error = ends_at(DEADLINE, || client.get("k").unwrap_err());
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Timeout, "get"));
    assert!(error.is_timeout() && error.is_retryable() && !error.is_ambiguous());
    let error = ends_at(DEADLINE, || client.set("k", "v", Ttl::NEVER).unwrap_err());
    assert!(error.is_timeout() && error.is_ambiguous() && !error.is_retryable());
    assert_eq!((idle(&client), server.connections()), (0, 2), "never used again");
    for deadline in [DEADLINE / 2, DEADLINE * 2] {
        let error = ends_at(deadline, || client.with_timeout(deadline).get("k").unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
}

#[test]
fn a_connection_that_stays_silent_is_closed() {
    let (tell, told) = mpsc::channel();
    let server = Scripted::new(move |mut peer| {
        while peer.line().is_some() {}
        let _ = tell.send(());
    });
    let client = server.client(Duration::from_millis(300));
    assert_eq!(client.get("k").unwrap_err().kind(), ErrorKind::Timeout);
    told.recv_timeout(Duration::from_secs(10)).expect("the server sees its end");
}

#[test]
fn a_drip_is_held_against_the_operation_and_not_against_each_read() {
    let server = Scripted::new(|mut peer| {
        peer.line();
        for byte in b"VALUE k 0 1000\r\n".iter().chain([b'v'; 1000].iter()) {
            peer.write([*byte]);
            thread::sleep(Duration::from_millis(20));
        }
    });
    let client = server.client(DEADLINE);
    let error = ends_at(DEADLINE, || client.get("k").unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(!is_kept(&client));
}

#[test]
fn a_server_that_stops_reading_costs_one_deadline() {
    let server = Scripted::new(|mut peer| {
        let _ = peer.line();
        thread::sleep(LONG);
    });
    let limits = Limits { value: 64 << 20, ..Limits::DEFAULT };
    let builder = Client::builder().servers([server.name()]).timeout(DEADLINE).limits(limits);
    let client = builder.build().unwrap();
    let value = vec![b'v'; 32 << 20];
    let error = ends_at(DEADLINE, || client.set("k", &value, Ttl::NEVER).unwrap_err());
    assert!(error.is_timeout() && error.is_ambiguous());
    assert!(!is_kept(&client));
}

#[test]
fn a_server_that_reads_ever_more_slowly_costs_one_deadline() {
    let server = Scripted::new(|mut peer| {
        let mut room = vec![0; 1 << 20];
        let begin = Instant::now();
        while begin.elapsed() < DEADLINE.mul_f64(0.8) {
            let _ = peer.stream.read(&mut room);
            thread::sleep(DEADLINE / 100);
        }
        thread::sleep(LONG);
    });
    let client = server.client(DEADLINE);
    let value = vec![b'v'; 1 << 20];
    let items: Vec<_> = (0..200).map(|number| (number.to_string(), &value)).collect();
    let stored = ends_at(DEADLINE, || client.set_many(&items, Ttl::NEVER).unwrap());
    assert_eq!((stored.errors().len(), stored.errors()[0].kind()), (1, ErrorKind::Timeout));
}

#[test]
fn a_deadline_may_differ_from_the_one_before() {
    let server = Scripted::new(|mut peer| {
        while peer.line().is_some() {
            thread::sleep(Duration::from_millis(200));
            peer.write("END\r\n");
        }
    });
    let client = server.client(Duration::from_secs(1));
    for timeout in [1000, 400, 5000, 300].map(Duration::from_millis) {
        assert!(client.with_timeout(timeout).get("k").unwrap().is_none());
    }
    assert_eq!(server.connections(), 1);
    let brief = Duration::from_millis(100);
    ends_at(brief, || client.with_timeout(brief).get("k").unwrap_err());
}

#[test]
fn a_late_reply_in_time_is_as_good_as_any() {
    let server = Scripted::new(|mut peer| {
        while peer.line().is_some() {
            thread::sleep(Duration::from_millis(300));
            for byte in b"VALUE k 0 2\r\nhi\r\nEND\r\n" {
                peer.write([*byte]);
            }
        }
    });
    let client = server.client(Duration::from_secs(2));
    for _ in 0..2 {
        assert_eq!(client.get("k").unwrap().unwrap().value, b"hi");
        assert!(is_kept(&client));
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn an_end_within_a_reply_is_closed_and_gives_no_value() {
    let reply = b"VALUE k 0 5\r\nhello\r\nEND\r\n";
    for len in 0..reply.len() {
        let server = Scripted::new(move |mut peer| {
            peer.line();
            peer.write(&reply[..len]);
        });
        let client = server.client(LONG);
        let error = client.get("k").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "after {len} bytes");
        assert!(error.is_retryable());
        // A connection that was never used before is not tried twice.
        assert_eq!((idle(&client), server.connections()), (0, 1), "after {len} bytes");
    }
}

#[test]
fn what_is_no_reply_is_a_protocol_error() {
    let rows: [&[u8]; 22] = [
        b"garbage\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"-ERR unknown command\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\r\n",
        b"END\n",
        b"END \r\n",
        b"E\0ND\r\n",
        b"VALUE k 0\r\n",
        b"VALUE k 0 -1\r\n",
        b"VALUE k 0 1048577\r\n",
        b"VALUE k 0 4294967297\r\n",
        b"VALUE k 0 99999999999999999999999999999999999999999\r\n",
        b"VALUE k 4294967296 1\r\nv\r\nEND\r\n",
        b"VALUE k 0 5\r\nhi\r\nEND\r\n",
        b"VALUE k 0 1\r\nhi\r\nEND\r\n",
        b"VALUE other 0 2\r\nhi\r\nEND\r\n",
        b"VALUE K 0 2\r\nhi\r\nEND\r\n",
        b"VALUE k 0 2 7\r\nhi\r\nEND\r\n",
        b"VALUE k 0 2\r\nhi\r\nVALUE k 0 2\r\nhi\r\nEND\r\n",
        b"STORED\r\n",
        b"1\r\n",
    ];
    for reply in rows {
        let (result, is_kept) = get(reply);
        let error = result.expect_err(&reply.escape_ascii().to_string());
        assert_eq!(error.kind(), ErrorKind::Protocol, "{} {error}", reply.escape_ascii());
        assert!(!is_kept && !error.is_retryable(), "{}", reply.escape_ascii());
    }
    let endless = [b'x'; 5000];
    assert_eq!(get(endless).0.unwrap_err().kind(), ErrorKind::Protocol);
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
    let client = server.client(LONG);
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
    let rows = [
        ("SERVER_ERROR object too large for cache", ErrorKind::TooLarge, true),
        ("SERVER_ERROR out of memory storing object", ErrorKind::OutOfMemory, true),
        ("CLIENT_ERROR cannot increment or decrement non-numeric value", ErrorKind::NonNumeric, true),
        ("SERVER_ERROR out of memory writing get response", ErrorKind::OutOfMemory, false),
        ("SERVER_ERROR: something else", ErrorKind::Server, false),
        ("CLIENT_ERROR bad data chunk", ErrorKind::Client, false),
        ("CLIENT_ERROR unauthenticated", ErrorKind::Auth, false),
        ("ERROR Too many open connections", ErrorKind::TooManyConnections, false),
        ("ERROR", ErrorKind::Unsupported, false),
    ];
    for (line, kind, kept) in rows {
        let (result, is_kept) = get(format!("{line}\r\n"));
        let error = result.unwrap_err();
        assert_eq!((error.kind(), is_kept), (kind, kept), "{line}");
        assert!(error.server_error().is_some() && !error.is_ambiguous(), "{line}");
    }
}

#[test]
fn a_server_that_is_full_says_so() {
    let server = Server::builder().connections(1).start().unwrap();
    let first = Client::connect([server.addr().to_string()]).unwrap();
    let second = Client::connect([server.addr().to_string()]).unwrap();
    assert!(first.get("k").unwrap().is_none());
    let error = second.get("k").unwrap_err();
    // The server's word may be overtaken by its hanging up.
    assert!(matches!(error.kind(), ErrorKind::TooManyConnections | ErrorKind::Closed), "{error}");
    assert!(error.is_retryable());
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
    let client = server.client(LONG);
    let error = client.set("k", vec![b'v'; 1 << 20], Ttl::NEVER).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(client.get("k").unwrap().is_none());
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_get_that_meets_a_dying_connection_is_sent_again() {
    let server = Scripted::hanging_up();
    let client = server.client(LONG);
    assert!(client.get("k").unwrap().is_none());
    assert!(client.get("k").unwrap().is_none());
    assert_eq!((server.connections(), server.received().matches("get k").count()), (2, 3));
}

#[test]
fn a_set_of_which_a_byte_has_left_is_never_sent_again() {
    let server = Scripted::hanging_up();
    let client = server.client(LONG);
    assert!(client.get("k").unwrap().is_none());
    let error = client.set("k", "v", Ttl::NEVER).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(error.is_ambiguous() && !error.is_retryable());
    assert_eq!((server.connections(), server.received().matches("set k").count()), (1, 1));
    client.set("k", "v", Ttl::NEVER).unwrap();
}

#[test]
fn a_restart_is_noticed_before_the_connection_is_used() {
    let mut server = Memcached::start();
    let client = Client::builder().servers([server.name()]).timeout(LONG).build().unwrap();
    client.set("k", "v", Ttl::NEVER).unwrap();
    for _ in 0..3 {
        server.kill();
        server = Memcached::start_on(server.port());
        // What may not be sent twice comes first.
        assert_eq!(client.incr("k", 1).unwrap(), None);
        assert!(client.get("k").unwrap().is_none());
        assert!(client.add("k", "v", Ttl::NEVER).unwrap());
        assert!(is_kept(&client));
    }
}

#[test]
fn a_dead_server_is_an_error_at_once_and_is_used_again_when_it_is_back() {
    let mut server = Memcached::start();
    let client = Client::builder().servers([server.name()]).timeout(LONG).build().unwrap();
    client.set("k", "v", Ttl::NEVER).unwrap();
    server.kill();
    let begin = Instant::now();
    for _ in 0..100 {
        let error = client.get("k").unwrap_err();
        let kinds = [ErrorKind::Connect, ErrorKind::Closed, ErrorKind::Down];
        assert!(kinds.contains(&error.kind()), "{error}");
    }
    assert!(begin.elapsed() < LONG / 2);
    let _server = Memcached::start_on(server.port());
    let found = until("it is back", || client.get("k").ok());
    assert!(found.is_none(), "a miss, now that it is back");
}

#[test]
fn a_key_called_noreply_is_answered() {
    let server = Memcached::start();
    let client = Client::connect([server.name()]).unwrap();
    client.set("noreply", "v", Ttl::NEVER).unwrap();
    assert!(client.delete("noreply").unwrap());
    assert_eq!(client.cas("noreply", "v", Ttl::NEVER, 1).unwrap(), StoreOutcome::NotFound);
}
