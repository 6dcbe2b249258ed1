//! One server that misbehaves: the kind of the error, what becomes of the connection, and that the client goes on.

use core::time::Duration;
use std::{io::Read as _, sync::mpsc, thread, time::Instant};

use memring_std::{Client, ErrorKind, Limits, StoreOutcome, Ttl, testing::Server};

use crate::support::{BlackHole, Memcached, Scripted, client_of, ends_at, is_kept, refusing, until};

const DEADLINE: Duration = Duration::from_millis(500);

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(20);

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
    let client = client_of(&server, DEADLINE);
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
    let client = client_of(&server, Duration::from_millis(300));
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
    let client = client_of(&server, DEADLINE);
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
    let client = client_of(&server, DEADLINE);
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
    let client = client_of(&server, Duration::from_secs(1));
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
    let client = client_of(&server, Duration::from_secs(2));
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
        let client = client_of(&server, LONG);
        let error = client.get("k").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "after {len} bytes");
        assert!(error.is_retryable());
        // A connection that was never used before is not tried twice.
        assert_eq!((idle(&client), server.connections()), (0, 1), "after {len} bytes");
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
fn a_get_that_meets_a_dying_connection_is_sent_again() {
    let server = Scripted::hanging_up();
    let client = client_of(&server, LONG);
    assert!(client.get("k").unwrap().is_none());
    assert!(client.get("k").unwrap().is_none());
    assert_eq!((server.connections(), server.received().matches("get k").count()), (2, 3));
}

#[test]
fn a_set_of_which_a_byte_has_left_is_never_sent_again() {
    let server = Scripted::hanging_up();
    let client = client_of(&server, LONG);
    assert!(client.get("k").unwrap().is_none());
    let error = client.set("k", "v", Ttl::NEVER).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(error.is_ambiguous() && !error.is_retryable());
    assert_eq!((server.connections(), server.received().matches("set k").count()), (1, 1));
    client.set("k", "v", Ttl::NEVER).unwrap();
}

#[test]
fn a_reset_is_the_end_of_a_connection_like_any_other() {
    // The first connection is reset at its second request, the next one at its first.
    let server = Scripted::new(|mut peer| {
        let mut requests = 0;
        while let Some(line) = peer.line() {
            requests += 1;
            if peer.number + requests == 2 || line.starts_with("set") {
                return peer.reset();
            }
            peer.write("END\r\n");
        }
    });
    let client = client_of(&server, LONG);
    assert!(client.get("k").unwrap().is_none());
    // It is sent again, once.
    let error = client.get("k").unwrap_err();
    assert_eq!((error.kind(), server.connections()), (ErrorKind::Closed, 2));
    assert!(error.to_string().ends_with(": connection closed: connection reset"), "{error}");
    assert!(error.is_retryable() && !error.is_ambiguous() && !is_kept(&client));
    assert!(client.get("k").unwrap().is_none());
    let error = client.set("k", "v", Ttl::NEVER).unwrap_err();
    assert_eq!((error.kind(), server.connections()), (ErrorKind::Closed, 3));
    assert!(error.is_ambiguous() && !is_kept(&client));
}

#[test]
fn replies_of_a_server_that_stood_still_reach_their_callers() {
    let server = Memcached::start();
    let client = Client::builder().servers([server.name()]).timeout(LONG).build().unwrap();
    let keys: Vec<_> = (0..8).map(|number| format!("key:{number}")).collect();
    let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();
    client.set_many(&items, Ttl::NEVER).unwrap().all().unwrap();
    server.signal("STOP");
    thread::scope(|scope| {
        for key in &keys {
            let client = &client;
            scope.spawn(move || assert_eq!(client.get(key).unwrap().unwrap().value, key.as_bytes()));
        }
        until("all of them have asked", || (client.servers()[0].waiting == keys.len()).then_some(()));
        server.signal("CONT");
    });
    assert_eq!(idle(&client), keys.len());
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
