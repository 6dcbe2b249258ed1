//! One connection of many callers, and what ends it: each is told what became of its own request.

use core::time::Duration;
use std::thread;

use memring_suite::{Memcached, Scripted, Stopwatch, proxies::with_bare_misses};
use memring_tokio::{
    Client, ErrorKind, HealthStatus, Limits, MetaArithOptions, MetaDeleteOptions, MetaGetOptions,
    StoreOutcome, Ttl,
};
use tokio::task::JoinSet;

use crate::support::{LONG, TOUCHY, builder, client, client_of, ends_at, is_kept, until};

const SECOND: Duration = Duration::from_secs(1);

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

/// All of them share one connection.
#[tokio::test]
async fn a_bare_miss_is_a_miss_and_doubled_blanks_are_one() {
    let server = with_bare_misses();
    let client = client_of(&server, LONG);
    let mut callers = JoinSet::new();
    for number in 0..400 {
        let client = client.clone();
        callers.spawn(async move {
            let meta = client.meta();
            match number % 4 {
                0 => assert_eq!(meta.get("k", MetaGetOptions::new().value()).await.unwrap(), None),
                1 => {
                    let deleted = meta.delete("k", MetaDeleteOptions::new()).await.unwrap();
                    assert_eq!(deleted, StoreOutcome::Stored);
                }
                2 => {
                    let counted = meta.arith("k", MetaArithOptions::new()).await.unwrap();
                    assert_eq!(counted.outcome, StoreOutcome::NotFound);
                }
                _ => assert_eq!(client.get("k").await.unwrap(), None),
            }
        });
    }
    callers.join_all().await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn one_lost_connection_is_one_failure_however_many_lose_it() {
    let server = Scripted::new(|mut peer| {
        for _ in 0..30 {
            peer.line();
        }
    });
    let client = builder(&[server.name()]).timeout(LONG).merge_gets(false).build().unwrap();
    let mut tasks = JoinSet::new();
    for number in 0..30 {
        let client = client.clone();
        tasks.spawn(async move { client.delete(format!("k{number}")).await.unwrap_err().kind() });
    }
    assert!(tasks.join_all().await.iter().all(|kind| *kind == ErrorKind::Closed));
    assert!(matches!(client.servers()[0].health, HealthStatus::Up { failures: 1, .. }));
}

/// Closes its second connection when that is about to be used for the third time; turns away all that come later.
#[tokio::test]
async fn what_cannot_be_sent_again_over_a_new_connection_goes_over_one_that_works() {
    let server = Scripted::new(|mut peer| {
        let mut gets = 0;
        while let Some(line) = peer.line() {
            if peer.number > 1 || (peer.number == 1 && gets == 2) {
                return;
            }
            // It is tried before it is used.
            gets += usize::from(!line.contains("is-anybody-there"));
            let keys = line.split(' ').skip(1).map(|key| format!("VALUE {key} 0 1\r\nv\r\n"));
            peer.write(keys.collect::<String>() + "END\r\n");
        }
    });
    let client = builder(&[server.name()]).pool_size(2).timeout(LONG).health_policy(TOUCHY).build().unwrap();
    // Which of the two connections a call takes is not the caller's choice.
    for round in 0.. {
        assert!(client.get("k").await.unwrap().is_some());
        assert_eq!(client.get_many(&["a", "b"]).await.unwrap().all().unwrap().len(), 2);
        if round >= 20 && server.connections() > 2 {
            break;
        }
        assert!(round < 10_000, "the second connection was never used for the third time");
    }
    assert!(!client.servers()[0].health.is_down());
}

#[tokio::test]
async fn a_second_item_behind_the_one_asked_for_closes_the_connection() {
    let server = Scripted::answering("VALUE k 0 2\r\nhi\r\nEND\r\nVALUE k 0 2\r\nhi\r\nEND\r\n");
    let client = client_of(&server, LONG);
    assert_eq!(client.get("k").await.unwrap().unwrap().value, "hi");
    until("it is closed", async || (!is_kept(&client)).then_some(())).await;
}
