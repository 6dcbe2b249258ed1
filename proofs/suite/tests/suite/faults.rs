//! One server that misbehaves: the kind of the error, what becomes of the connection, and that the client goes on.

use core::time::Duration;
use std::{io::Read as _, sync::mpsc, thread, time::Instant};

use memring_std::{CasOutcome, Error, ErrorKind, Limits, Ttl, testing::Server};
use memring_suite::{BlackHole, Memcached, Scripted, refusing};

use crate::{
    client::Client,
    run::{join_all, promises},
    support::{ends_at, is_kept},
};

promises! {
    a_refused_connection_is_a_connect_error
    a_connection_that_is_not_accepted_ends_at_the_connect_timeout
    a_name_that_does_not_resolve_is_an_error_of_its_own
    a_silent_server_costs_one_deadline
    a_connection_that_stays_silent_is_closed
    a_drip_is_held_against_the_operation_and_not_against_each_read
    a_server_that_stops_reading_costs_one_deadline
    a_server_that_reads_ever_more_slowly_costs_one_deadline
    a_deadline_may_differ_from_the_one_before
    a_late_reply_in_time_is_as_good_as_any
    an_end_within_a_reply_is_closed_and_gives_no_value
    an_item_without_a_right_end_is_handed_out_to_nobody
    a_server_that_is_full_says_so
    a_get_that_meets_a_dying_connection_is_sent_again
    a_get_whose_reply_has_begun_is_not_sent_again
    a_set_of_which_a_byte_has_left_is_never_sent_again
    a_reset_is_the_end_of_a_connection_like_any_other
    replies_of_a_server_that_stood_still_reach_their_callers
    a_restart_is_noticed_before_the_connection_is_used
    a_dead_server_is_an_error_at_once_and_is_used_again_when_it_is_back
    a_killed_server_gives_errors_and_no_hangs
    a_key_called_noreply_is_answered
}

const DEADLINE: Duration = Duration::from_millis(500);

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(20);

fn client<C: Client>(names: &[String], timeout: Duration) -> C {
    C::builder().servers(names).timeout(timeout).build().unwrap()
}

async fn a_refused_connection_is_a_connect_error<C: Client>() {
    let name = refusing();
    let client = C::connect([&name]).unwrap();
    for (result, verb) in
        [(client.get("k").await.map(drop), "get"), (client.set("k", "v", Ttl::NEVER).await, "set")]
    {
        let error = result.unwrap_err();
        assert_eq!(
            (error.kind(), error.server(), error.operation()),
            (ErrorKind::Connect, Some(&*name), verb)
        );
        assert!(error.is_retryable() && !error.is_timeout() && !error.is_ambiguous());
        assert!(error.to_string().ends_with(": not connected: connection refused"), "{error}");
    }
}

async fn a_silent_server_costs_one_deadline<C: Client>() {
    let server = Scripted::silent();
    let client = C::of(&server, DEADLINE);
    let error = ends_at(DEADLINE, client.get("k")).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Timeout, "get"));
    assert!(error.is_timeout() && error.is_retryable() && !error.is_ambiguous());
    let error = ends_at(DEADLINE, client.set("k", "v", Ttl::NEVER)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_timeout() && error.is_ambiguous() && !error.is_retryable());
    assert!(server.connections() == 2 && !is_kept(&client), "never used again");
    for deadline in [DEADLINE / 2, DEADLINE * 2] {
        // Over another connection: where callers share one, it ends with the first reply that is overdue.
        let client = C::of(&server, DEADLINE).with_timeout(deadline);
        let error = ends_at(deadline, client.get("k")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
}

async fn a_connection_that_stays_silent_is_closed<C: Client>() {
    let (tell, told) = mpsc::channel();
    let server = Scripted::new(move |mut peer| {
        while peer.line().is_some() {}
        let _ = tell.send(());
    });
    let client = C::of(&server, Duration::from_millis(300));
    assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Timeout);
    C::until("the server sees its end", async || told.try_recv().ok()).await;
}

async fn a_drip_is_held_against_the_operation_and_not_against_each_read<C: Client>() {
    let server = Scripted::new(|mut peer| {
        peer.line();
        for byte in b"VALUE k 0 30\r\n012345678901234567890123456789\r\nEND\r\n" {
            peer.write([*byte]);
            thread::sleep(Duration::from_millis(20));
        }
    });
    let client = C::of(&server, DEADLINE);
    let error = ends_at(DEADLINE, client.get("k")).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && !is_kept(&client));
    let client = C::of(&server, LONG);
    assert_eq!(client.get("k").await.unwrap().unwrap().value, b"0123456789".repeat(3)[..]);
    assert!(is_kept(&client));
}

async fn a_server_that_stops_reading_costs_one_deadline<C: Client>() {
    let server = Scripted::new(|mut peer| {
        let _ = peer.line();
        thread::sleep(LONG);
    });
    let limits = Limits { value: 64 << 20, ..Limits::DEFAULT };
    let builder = C::builder().servers([server.name()]).timeout(DEADLINE).limits(limits);
    let client = builder.build().unwrap();
    let value = vec![b'v'; 32 << 20];
    let error = ends_at(DEADLINE, client.set("k", &value, Ttl::NEVER)).await.unwrap_err();
    assert!(error.is_timeout() && error.is_ambiguous());
    assert!(!is_kept(&client));
}

async fn a_server_that_reads_ever_more_slowly_costs_one_deadline<C: Client>() {
    let server = Scripted::new(|mut peer| {
        let mut room = vec![0; 1 << 20];
        let begin = Instant::now();
        while begin.elapsed() < DEADLINE.mul_f64(0.8) {
            let _ = peer.stream.read(&mut room);
            thread::sleep(DEADLINE / 100);
        }
        thread::sleep(LONG);
    });
    let client = C::of(&server, DEADLINE);
    let value = vec![b'v'; 1 << 20];
    let items: Vec<_> = (0..200).map(|number| (number.to_string(), &value)).collect();
    let stored = ends_at(DEADLINE, client.set_many(&items, Ttl::NEVER)).await.unwrap();
    assert!((1..=2).contains(&stored.errors().len()), "{:?}", stored.errors());
    assert!(stored.errors().iter().all(|error| error.kind() == ErrorKind::Timeout), "{:?}", stored.errors());
}

async fn a_deadline_may_differ_from_the_one_before<C: Client>() {
    let server = Scripted::new(|mut peer| {
        while peer.line().is_some() {
            thread::sleep(Duration::from_millis(200));
            peer.write("END\r\n");
        }
    });
    let client = C::of(&server, Duration::from_secs(1));
    for timeout in [1000, 400, 5000, 300].map(Duration::from_millis) {
        assert!(client.with_timeout(timeout).get("k").await.unwrap().is_none());
    }
    assert_eq!(server.connections(), 1);
    let brief = Duration::from_millis(100);
    ends_at(brief, client.with_timeout(brief).get("k")).await.unwrap_err();
}

async fn a_late_reply_in_time_is_as_good_as_any<C: Client>() {
    let server = Scripted::new(|mut peer| {
        while peer.line().is_some() {
            thread::sleep(Duration::from_millis(300));
            for byte in b"VALUE k 0 2\r\nhi\r\nEND\r\n" {
                peer.write([*byte]);
            }
        }
    });
    let client = C::of(&server, Duration::from_secs(2));
    for _ in 0..2 {
        assert_eq!(client.get("k").await.unwrap().unwrap().value, b"hi"[..]);
        assert!(is_kept(&client));
    }
    assert_eq!(server.connections(), 1);
}

async fn a_server_that_is_full_says_so<C: Client>() {
    let is_said = |error: Error| {
        // The server's word may be overtaken by its hanging up.
        assert!(matches!(error.kind(), ErrorKind::TooManyConnections | ErrorKind::Closed), "{error}");
        assert!(error.is_retryable());
    };
    let server = Server::builder().connections(1).start().unwrap();
    let [first, second] = [(); 2].map(|()| C::connect([server.addr().to_string()]).unwrap());
    assert!(first.get("k").await.unwrap().is_none());
    is_said(second.get("k").await.unwrap_err());
    for _ in 0..50 {
        let server = Scripted::new(|mut peer| peer.write("ERROR Too many open connections\r\n"));
        is_said(C::of(&server, LONG).get("k").await.unwrap_err());
    }
}

async fn a_get_that_meets_a_dying_connection_is_sent_again<C: Client>() {
    let server = Scripted::hanging_up();
    let client = C::of(&server, LONG);
    for _ in 0..3 {
        assert!(client.get("k").await.unwrap().is_none());
    }
    assert_eq!((server.connections(), server.received().matches("get k").count()), (2, 4));
}

async fn a_set_of_which_a_byte_has_left_is_never_sent_again<C: Client>() {
    let server = Scripted::hanging_up();
    let client = C::of(&server, LONG);
    assert!(client.get("k").await.unwrap().is_none());
    let error = client.set("k", "v", Ttl::NEVER).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(error.is_ambiguous() && !error.is_retryable(), "{error}");
    assert_eq!((server.connections(), server.received().matches("set k").count()), (1, 1));
    client.set("k", "v", Ttl::NEVER).await.unwrap();
}

async fn replies_of_a_server_that_stood_still_reach_their_callers<C: Client>() {
    let server = Memcached::start();
    let client = client::<C>(&[server.name()], LONG);
    let keys: Vec<_> = (0..8).map(|number| format!("key:{number}")).collect();
    let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();
    client.set_many(&items, Ttl::NEVER).await.unwrap().all().unwrap();
    server.signal("STOP");
    let mut tasks = Vec::new();
    for key in keys.clone() {
        let client = client.clone();
        tasks.push(C::spawn(async move || {
            assert_eq!(client.get(&key).await.unwrap().unwrap().value, key.as_bytes());
        }));
    }
    C::until("all of them have asked", async || (client.servers()[0].waiting == keys.len()).then_some(()))
        .await;
    server.signal("CONT");
    join_all(tasks).await;
    // As many connections as took all that, and none of them is lost.
    let status = &client.servers()[0];
    let connections = if C::MODULE == "on_std" { keys.len() } else { 1 };
    assert_eq!((status.connections, status.waiting, status.counts.disconnected), (connections, 0, 0));
}

async fn a_dead_server_is_an_error_at_once_and_is_used_again_when_it_is_back<C: Client>() {
    let mut server = Memcached::start();
    let client = client::<C>(&[server.name()], LONG);
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    server.kill();
    let begin = Instant::now();
    for _ in 0..100 {
        let error = client.get("k").await.unwrap_err();
        let kinds = [ErrorKind::Connect, ErrorKind::Closed, ErrorKind::Down];
        assert!(kinds.contains(&error.kind()), "{error}");
    }
    assert!(begin.elapsed() < LONG / 2);
    let _server = Memcached::start_on(server.port());
    let found = C::until("it is back", async || client.get("k").await.ok()).await;
    assert!(found.is_none(), "a miss, now that it is back");
}

async fn a_connection_that_is_not_accepted_ends_at_the_connect_timeout<C: Client>() {
    let hole = BlackHole::new();
    let builder = C::builder().servers([hole.name()]);
    let client = builder.connect_timeout(DEADLINE).timeout(LONG).build().unwrap();
    let error = ends_at(DEADLINE, client.get("k")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.is_timeout() && error.is_retryable());
    // And with the operation, when that ends earlier.
    let builder = C::builder().servers([hole.name()]);
    let client = builder.connect_timeout(LONG).timeout(DEADLINE).build().unwrap();
    let error = ends_at(DEADLINE, client.set("k", "v", Ttl::NEVER)).await.unwrap_err();
    assert!(error.is_timeout() && !error.is_ambiguous());
}

async fn a_name_that_does_not_resolve_is_an_error_of_its_own<C: Client>() {
    // Longer than any part of a name may be, so nobody is asked.
    let name = format!("{}.invalid", "x".repeat(70));
    let error = client::<C>(&[name], LONG).get("k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve);
}

async fn an_end_within_a_reply_is_closed_and_gives_no_value<C: Client>() {
    let reply = b"VALUE k 0 5\r\nhello\r\nEND\r\n";
    for len in 0..reply.len() {
        let server = Scripted::new(move |mut peer| {
            peer.line();
            peer.write(&reply[..len]);
        });
        let client = C::of(&server, LONG);
        let error = client.get("k").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "after {len} bytes");
        assert!(error.is_retryable());
        C::until("it is closed", async || (!is_kept(&client)).then_some(())).await;
        // A connection that was never used before is not tried twice.
        assert_eq!(server.connections(), 1, "after {len} bytes");
    }
}

async fn a_reset_is_the_end_of_a_connection_like_any_other<C: Client>() {
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
    let client = C::of(&server, LONG);
    assert!(client.get("k").await.unwrap().is_none());
    // It is sent again, once.
    let error = client.get("k").await.unwrap_err();
    assert_eq!((error.kind(), server.connections()), (ErrorKind::Closed, 2));
    assert!(error.to_string().ends_with(": connection closed: connection reset"), "{error}");
    assert!(error.is_retryable() && !error.is_ambiguous() && !is_kept(&client));
    assert!(client.get("k").await.unwrap().is_none());
    let error = client.set("k", "v", Ttl::NEVER).await.unwrap_err();
    assert_eq!((error.kind(), server.connections()), (ErrorKind::Closed, 3));
    assert!(error.is_ambiguous() && !is_kept(&client));
}

async fn a_restart_is_noticed_before_the_connection_is_used<C: Client>() {
    let mut server = Memcached::start();
    let client = client::<C>(&[server.name()], LONG);
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    for _ in 0..3 {
        server.kill();
        server = Memcached::start_on(server.port());
        // What may not be sent twice comes first.
        assert_eq!(client.incr("k", 1).await.unwrap(), None);
        assert!(client.get("k").await.unwrap().is_none());
        assert!(client.add("k", "v", Ttl::NEVER).await.unwrap());
        assert!(is_kept(&client));
    }
}

async fn a_killed_server_gives_errors_and_no_hangs<C: Client>() {
    let mut servers = [Memcached::start(), Memcached::start()];
    let names = servers.each_ref().map(Memcached::name);
    let client = client::<C>(&names, LONG);
    let mut tasks = Vec::new();
    for task in 0..50 {
        let client = client.clone();
        tasks.push(C::spawn(async move || {
            let mut errors = Vec::new();
            for round in 0..200 {
                let key = format!("key:{task}:{}", round % 7);
                let value = key.repeat(100);
                match client.get(&key).await {
                    Ok(item) => assert!(item.is_none_or(|item| item.value == value.as_bytes())),
                    Err(error) => errors.push(error),
                }
                if let Err(error) = client.set(&key, &value, Ttl::NEVER).await {
                    errors.push(error);
                }
                C::sleep(Duration::from_millis(1)).await;
            }
            errors
        }));
    }
    C::sleep(Duration::from_millis(100)).await;
    servers[0].kill();
    let begin = Instant::now();
    let errors: Vec<_> = join_all(tasks).await.into_iter().flatten().collect();
    assert!(begin.elapsed() < LONG / 2, "{:?}", begin.elapsed());
    assert!(!errors.is_empty());
    for error in errors {
        let kinds = [ErrorKind::Connect, ErrorKind::Closed, ErrorKind::Down, ErrorKind::Io];
        assert!(kinds.contains(&error.kind()) && error.server() == Some(&*names[0]), "{error}");
    }
}

async fn an_item_without_a_right_end_is_handed_out_to_nobody<C: Client>() {
    for end in ["EMD\r\n", "STORED\r\n", "VALUE x 0 1\r\n1\r\nEND\r\n", "\r\n"] {
        let server = Scripted::new(move |mut peer| {
            peer.line();
            peer.write("VALUE k 0 5\r\nhello\r\n");
            thread::sleep(Duration::from_millis(20));
            peer.write(end);
            peer.line();
        });
        let client = C::of(&server, LONG);
        assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Protocol, "{end:?}");
        assert!(!is_kept(&client));
    }
}

async fn a_get_whose_reply_has_begun_is_not_sent_again<C: Client>() {
    let server = Scripted::new(|mut peer| {
        peer.line();
        peer.write("END\r\n");
        peer.line();
        peer.write("VALUE k 0 5\r\nhe");
    });
    let client = C::of(&server, LONG);
    assert!(client.get("k").await.unwrap().is_none());
    assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(server.connections(), 1);
}

async fn a_key_called_noreply_is_answered<C: Client>() {
    let server = Memcached::start();
    let client = client::<C>(&[server.name()], LONG);
    client.set("noreply", "v", Ttl::NEVER).await.unwrap();
    assert!(client.delete("noreply").await.unwrap());
    assert_eq!(client.cas("noreply", "v", Ttl::NEVER, 1).await.unwrap(), CasOutcome::NotFound);
}
