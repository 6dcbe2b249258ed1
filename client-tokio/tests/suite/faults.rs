//! Servers that are away, silent, slow or wrong.

use core::time::Duration;
use std::thread;

use memring_tokio::{Client, ErrorKind, Limits, StoreOutcome, Ttl};
use tokio::task::JoinSet;

use crate::health::until;
use crate::support::{
    BlackHole, Memcached, Scripted, Stopwatch, client, client_of, ends_at, is_kept, refusing,
};
use memring_suite::Peer;

const SECOND: Duration = Duration::from_secs(1);

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
async fn a_connection_that_is_not_accepted_ends_at_the_connect_timeout() {
    let hole = BlackHole::new();
    let deadline = SECOND / 2;
    let builder = Client::builder().servers([hole.name()]);
    let client = builder.connect_timeout(deadline).timeout(20 * SECOND).build().unwrap();
    let error = ends_at(deadline, client.get("k")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.is_timeout() && error.is_retryable());
    // And with the operation, when that ends earlier.
    let builder = Client::builder().servers([hole.name()]);
    let client = builder.connect_timeout(20 * SECOND).timeout(deadline).build().unwrap();
    let error = ends_at(deadline, client.set("k", "v", Ttl::NEVER)).await.unwrap_err();
    assert!(error.is_timeout() && !error.is_ambiguous());
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_an_error_of_its_own() {
    // Longer than any part of a name may be, so nobody is asked.
    let name = format!("{}.invalid", "x".repeat(70));
    let error = client(&[name], SECOND).get("k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve);
}

#[tokio::test]
async fn a_silent_server_costs_one_deadline() {
    let server = Scripted::silent();
    let deadline = Duration::from_millis(300);
    let client = client_of(&server, deadline);
    let error = ends_at(deadline, client.get("k")).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && error.is_timeout() && !error.is_ambiguous());
    let error = ends_at(deadline, client.set("k", "v", Ttl::NEVER)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && error.is_ambiguous());
    assert!(server.connections() == 2 && !is_kept(&client));
}

#[tokio::test]
async fn a_connection_that_stays_silent_is_closed() {
    let (tell, told) = std::sync::mpsc::channel();
    let server = Scripted::new(move |mut peer| {
        while peer.line().is_some() {}
        let _ = tell.send(());
    });
    let client = client_of(&server, Duration::from_millis(300));
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
    let client = client_of(&server, deadline);
    let error = ends_at(deadline, client.get("k")).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && !is_kept(&client));
    let client = client_of(&server, 5 * SECOND);
    assert_eq!(client.get("k").await.unwrap().unwrap().value, "v");
    assert!(is_kept(&client));
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
    let server = Scripted::new(|mut peer| {
        let _ = peer.line();
        thread::sleep(10 * SECOND);
    });
    let deadline = SECOND;
    let limits = Limits { value: 64 << 20, ..Limits::DEFAULT };
    let builder = Client::builder().servers([server.name()]).timeout(deadline).limits(limits);
    let client = builder.build().unwrap();
    // More than all that may be under way at once.
    let first = client.set("k", vec![b'v'; 8 << 20], Ttl::NEVER);
    // There is nothing left for others. Their time is over before the first one's, whose end would make way for them.
    let brief = client.with_timeout(deadline / 2);
    let others = async {
        let mut tasks = JoinSet::new();
        for _ in 0..15 {
            let brief = brief.clone();
            tasks.spawn(async move { brief.set("k", "value", Ttl::NEVER).await });
        }
        tasks.join_all().await
    };
    let (first, others) = ends_at(deadline, async { tokio::join!(biased; first, others) }).await;
    let first = first.unwrap_err();
    assert!(first.kind() == ErrorKind::Timeout && first.is_ambiguous(), "{first}");
    for error in others.into_iter().map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.is_retryable() && !error.is_ambiguous(), "{error}");
    }
    assert!(!is_kept(&client));
}

#[tokio::test]
async fn an_end_within_a_reply_is_closed_and_gives_no_value() {
    let reply = b"VALUE k 0 5\r\nhello\r\nEND\r\n";
    for len in 0..reply.len() {
        let server = Scripted::new(move |mut peer| {
            peer.line();
            peer.write(&reply[..len]);
        });
        let client = client_of(&server, 20 * SECOND);
        let error = client.get("k").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "after {len} bytes");
        assert!(error.is_retryable());
        until("it is closed", async || (!is_kept(&client)).then_some(())).await;
        // A connection that was never used before is not tried twice.
        assert_eq!(server.connections(), 1, "after {len} bytes");
    }
}

#[tokio::test]
async fn a_reset_is_the_end_of_a_connection_like_any_other() {
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
    let client = client_of(&server, 20 * SECOND);
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

#[tokio::test]
async fn replies_of_a_server_that_stood_still_reach_their_callers() {
    let server = Memcached::start();
    let client = client(&[server.name()], 20 * SECOND);
    let keys: Vec<_> = (0..8).map(|number| format!("key:{number}")).collect();
    let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();
    client.set_many(&items, Ttl::NEVER).await.unwrap().all().unwrap();
    server.signal("STOP");
    let mut tasks = JoinSet::new();
    for key in keys.clone() {
        let client = client.clone();
        tasks.spawn(async move { assert_eq!(client.get(&key).await.unwrap().unwrap().value, key) });
    }
    until("all of them have asked", async || (client.servers()[0].waiting == keys.len()).then_some(())).await;
    server.signal("CONT");
    tasks.join_all().await;
    assert!(is_kept(&client));
}

#[tokio::test]
async fn a_restart_is_noticed_before_the_connection_is_used() {
    let mut server = Memcached::start();
    let client = client(&[server.name()], 20 * SECOND);
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

#[tokio::test]
async fn a_server_that_is_full_says_so() {
    for _ in 0..50 {
        let server = Scripted::new(|mut peer| peer.write("ERROR Too many open connections\r\n"));
        let error = client_of(&server, SECOND).get("k").await.unwrap_err();
        // The server's word may be overtaken by its hanging up.
        assert!(matches!(error.kind(), ErrorKind::TooManyConnections | ErrorKind::Closed), "{error}");
        assert!(error.is_retryable());
    }
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
    let client = client_of(&server, SECOND);
    for _ in 0..3 {
        assert!(client.get("k").await.unwrap().is_none());
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_set_of_which_a_byte_has_left_is_never_sent_again() {
    let server = Scripted::new(hanging_up);
    let client = client_of(&server, SECOND);
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
async fn a_reply_that_is_reset_in_its_midst_costs_nobody_but_whose_it_is() {
    let server = Scripted::new(|mut peer| {
        if peer.number > 0 {
            while peer.line().is_some() {
                peer.write("END\r\n");
            }
            return;
        }
        peer.line();
        peer.write("VALUE a 0 1\r\n1\r\nVALUE b 0 100\r\nhe");
        // The next request is there by now, behind the one that is being answered.
        peer.line();
        peer.reset();
    });
    let client = client_of(&server, SECOND);
    let (many, other) = tokio::join!(client.get_many(&["a", "b", "c"]), async {
        until("the first has left", async || server.received().starts_with("get").then_some(())).await;
        client.get("d").await
    });
    // What had come of it may be lost with the reset.
    assert!(many.unwrap().errors().iter().all(|error| error.kind() == ErrorKind::Closed));
    assert!(other.unwrap().is_none());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_item_without_a_right_end_is_handed_out_to_nobody() {
    for end in ["EMD\r\n", "STORED\r\n", "VALUE x 0 1\r\n1\r\nEND\r\n", "\r\n"] {
        let server = Scripted::new(move |mut peer| {
            peer.line();
            peer.write("VALUE k 0 5\r\nhello\r\n");
            thread::sleep(Duration::from_millis(20));
            peer.write(end);
            peer.line();
        });
        let client = client_of(&server, SECOND);
        assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Protocol, "{end:?}");
        assert!(!is_kept(&client));
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
    let client = client_of(&server, SECOND);
    assert!(client.get("k").await.unwrap().is_none());
    assert_eq!(client.get("k").await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_key_called_noreply_is_answered() {
    let server = Memcached::start();
    let client = client(&[server.name()], SECOND);
    client.set("noreply", "v", Ttl::NEVER).await.unwrap();
    assert!(client.delete("noreply").await.unwrap());
    assert_eq!(client.cas("noreply", "v", Ttl::NEVER, 1).await.unwrap(), StoreOutcome::NotFound);
}
