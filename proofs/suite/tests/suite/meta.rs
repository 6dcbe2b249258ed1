//! The meta commands, on the server of the process and on a real memcached.

use core::time::Duration;

use memring_std::{
    ArithMode, ErrorKind, MetaArithOptions, MetaDeleteOptions, MetaGetOptions, MetaSetOptions, SetMode,
    StoreOutcome, Ttl, UnixTime,
};
use memring_suite::Scripted;

use crate::{
    client::{Client, Meta as _},
    run::promises,
    support::{Fleet, fleet_promises},
};

promises! {
    the_version_is_asked_for_once_and_again_before_a_refusal
    the_reply_to_another_is_refused
}

fleet_promises! {
    nothing_comes_back_that_was_not_asked_for
    one_reader_wins_a_missing_item
    one_reader_wins_an_item_that_is_getting_old
    a_stale_item_is_won_by_one
    conditions_are_results
    counting_makes_an_item
    a_key_may_be_any_bytes
    a_prefix_is_put_before_every_key
    what_is_no_key_is_refused
    a_server_tells_what_it_knows
    a_server_too_old_is_told_apart
}

fn seconds(seconds: u32) -> Ttl {
    Ttl::seconds(seconds)
}

const VALUE: MetaGetOptions = MetaGetOptions::new().value();

async fn value<C: Client>(client: &C, key: impl AsRef<[u8]>) -> Option<C::Value> {
    client.meta().get(key, VALUE).await.unwrap().map(|item| item.value.unwrap())
}

async fn nothing_comes_back_that_was_not_asked_for<C: Client>(fleet: &Fleet<C>) {
    let meta = fleet.client.meta();
    assert_eq!(meta.get("k", VALUE).await.unwrap(), None);
    let options = MetaSetOptions::new().flags(7).ttl(seconds(100)).cas();
    let stored = meta.set("k", "hello", options).await.unwrap();
    assert_eq!(stored.outcome, StoreOutcome::Stored);
    let bare = meta.get("k", MetaGetOptions::new()).await.unwrap().unwrap();
    assert_eq!((bare.value, bare.info), (None, Default::default()));
    let all = VALUE.cas().flags().hit().last_access().size().ttl();
    let item = meta.get("k", all).await.unwrap().unwrap();
    assert_eq!(item.value.unwrap(), b"hello"[..]);
    assert_eq!((item.info.flags, item.info.size, item.info.cas), (Some(7), Some(5), stored.info.cas));
    assert!(item.info.ttl.is_some_and(|ttl| (90..=100).contains(&ttl)));
    assert_eq!(item.info.hit, Some(true));
    let touched = meta.get("k", MetaGetOptions::new().touch(seconds(1000)).ttl()).await.unwrap().unwrap();
    assert!(touched.info.ttl.is_some_and(|ttl| ttl > 900));
}

async fn one_reader_wins_a_missing_item<C: Client>(fleet: &Fleet<C>) {
    let meta = fleet.client.meta();
    let options = VALUE.vivify(seconds(100));
    let first = meta.get("k", options).await.unwrap().expect("it was made");
    assert!(first.info.win && !first.info.won_by_other);
    let second = meta.get("k", options).await.unwrap().expect("it was made");
    assert!(!second.info.win && second.info.won_by_other);
    meta.set("k", "made", MetaSetOptions::new()).await.unwrap();
    let third = meta.get("k", options).await.unwrap().unwrap();
    assert!(!third.info.win && !third.info.won_by_other);
    assert_eq!(third.value.unwrap(), b"made"[..]);
}

async fn one_reader_wins_an_item_that_is_getting_old<C: Client>(fleet: &Fleet<C>) {
    let meta = fleet.client.meta();
    meta.set("k", "old", MetaSetOptions::new().ttl(seconds(50))).await.unwrap();
    let young = meta.get("k", VALUE.recache(seconds(10))).await.unwrap().unwrap();
    assert!(!young.info.win);
    let old = meta.get("k", VALUE.recache(seconds(500))).await.unwrap().unwrap();
    assert!(old.info.win && !old.info.stale);
    let late = meta.get("k", VALUE.recache(seconds(500))).await.unwrap().unwrap();
    assert!(!late.info.win && late.info.won_by_other);
}

async fn a_stale_item_is_won_by_one<C: Client>(fleet: &Fleet<C>) {
    let meta = fleet.client.meta();
    meta.set("k", "v", MetaSetOptions::new()).await.unwrap();
    let stale = MetaDeleteOptions::new().mark_stale().ttl(seconds(100));
    assert_eq!(meta.delete("k", stale).await.unwrap(), StoreOutcome::Stored);
    let first = meta.get("k", VALUE).await.unwrap().unwrap();
    assert!(first.info.win && first.info.stale);
    let second = meta.get("k", VALUE).await.unwrap().unwrap();
    assert!(!second.info.win && second.info.stale && second.info.won_by_other);
    assert_eq!(meta.delete("k", MetaDeleteOptions::new()).await.unwrap(), StoreOutcome::Stored);
    assert_eq!(meta.delete("k", MetaDeleteOptions::new()).await.unwrap(), StoreOutcome::NotFound);
    assert_eq!(meta.get("k", VALUE).await.unwrap(), None);
}

async fn conditions_are_results<C: Client>(fleet: &Fleet<C>) {
    let meta = fleet.client.meta();
    let outcome = |mode| MetaSetOptions::new().mode(mode).cas();
    let replaced = meta.set("k", "v", outcome(SetMode::Replace)).await.unwrap();
    assert_eq!(replaced.outcome, StoreOutcome::NotStored);
    let added = meta.set("k", "b", outcome(SetMode::Add)).await.unwrap();
    assert_eq!(added.outcome, StoreOutcome::Stored);
    let cas = added.info.cas.unwrap();
    assert_eq!(meta.set("k", "c", outcome(SetMode::Append)).await.unwrap().outcome, StoreOutcome::Stored);
    assert_eq!(value(&fleet.client, "k").await.unwrap(), b"bc"[..]);
    let old = meta.set("k", "d", MetaSetOptions::new().if_cas(cas)).await.unwrap();
    assert_eq!(old.outcome, StoreOutcome::Exists);
    let gone = meta.set("x", "d", MetaSetOptions::new().if_cas(cas)).await.unwrap();
    assert_eq!(gone.outcome, StoreOutcome::NotFound);
    let expired = MetaSetOptions::new().ttl(Ttl::at(UnixTime::from_secs(1)));
    assert_eq!(meta.set("k", "d", expired).await.unwrap().outcome, StoreOutcome::Stored);
    assert_eq!(value(&fleet.client, "k").await, None);
}

async fn counting_makes_an_item<C: Client>(fleet: &Fleet<C>) {
    let meta = fleet.client.meta();
    let bare = meta.arith("k", MetaArithOptions::new()).await.unwrap();
    assert_eq!((bare.outcome, bare.number), (StoreOutcome::NotFound, None));
    let options = MetaArithOptions::new().value().vivify(seconds(100)).initial(5).delta(3).ttl();
    assert_eq!(meta.arith("k", options).await.unwrap().number, Some(5));
    let counted = meta.arith("k", options).await.unwrap();
    assert_eq!((counted.outcome, counted.number), (StoreOutcome::Stored, Some(8)));
    assert!(counted.info.ttl.is_some_and(|ttl| ttl > 90));
    let down = options.mode(ArithMode::Decr).delta(100);
    assert_eq!(meta.arith("k", down).await.unwrap().number, Some(0));
    meta.set("k", "ten", MetaSetOptions::new()).await.unwrap();
    let error = meta.arith("k", options).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::NonNumeric, "ma"));
}

async fn a_key_may_be_any_bytes<C: Client>(fleet: &Fleet<C>) {
    let meta = fleet.client.meta();
    for key in [&b"a b"[..], b"\0\r\nflush_all\r\n", &[0xff; 186], "caf\u{e9} 1".as_bytes()] {
        assert_eq!(value(&fleet.client, key).await, None);
        meta.set(key, key, MetaSetOptions::new()).await.unwrap();
        assert_eq!(value(&fleet.client, key).await.unwrap(), key);
        assert!(meta.debug(key).await.unwrap().is_some());
        assert_eq!(meta.delete(key, MetaDeleteOptions::new()).await.unwrap(), StoreOutcome::Stored);
    }
}

async fn a_prefix_is_put_before_every_key<C: Client>(fleet: &Fleet<C>) {
    let server = &fleet.names[..1];
    let builder = C::builder().servers(server);
    let prefixed =
        builder.scheme_named("libmemcached-ketama-weighted", [("prefix", "app:")]).build().unwrap();
    let plain = C::connect(server).unwrap();
    prefixed.meta().set("k", "v", MetaSetOptions::new()).await.unwrap();
    prefixed.meta().set("a b", "w", MetaSetOptions::new()).await.unwrap();
    assert_eq!(value(&plain, "app:k").await.unwrap(), b"v"[..]);
    assert_eq!(value(&plain, "app:a b").await.unwrap(), b"w"[..]);
}

async fn what_is_no_key_is_refused<C: Client>(fleet: &Fleet<C>) {
    let meta = fleet.client.meta();
    for key in [&b""[..], &[b'k'; 251], &[b' '; 187]] {
        assert_eq!(meta.get(key, VALUE).await.unwrap_err().kind(), ErrorKind::Key);
    }
}

async fn a_server_tells_what_it_knows<C: Client>(fleet: &Fleet<C>) {
    let meta = fleet.client.meta();
    assert_eq!(meta.debug("k").await.unwrap(), None);
    meta.set("k", "v", MetaSetOptions::new()).await.unwrap();
    assert!(meta.debug("k").await.unwrap().unwrap().contains("size="));
    let answers = meta.noop().await;
    assert_eq!(answers.len(), fleet.names.len());
    assert!(answers.into_iter().all(|answer| answer.result.is_ok()));
}

async fn a_server_too_old_is_told_apart<C: Client>(fleet: &Fleet<C>) {
    // 1.6.18 takes the flag and ignores it.
    let meta = fleet.client.meta();
    let error = meta.get("k", VALUE.unless_cas(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.server_error().is_none() && error.server().is_some());
    assert!(meta.get("k", VALUE).await.is_ok());
}

async fn the_version_is_asked_for_once_and_again_before_a_refusal<C: Client>() {
    let server = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            if line == "version" {
                peer.write("VERSION 1.6.9\r\n");
            } else {
                peer.write("EN\r\n");
            }
        }
    });
    let client = C::of(&server, Duration::from_secs(10));
    for _ in 0..2 {
        assert_eq!(client.meta().get("k", VALUE).await.unwrap_err().kind(), ErrorKind::Unsupported);
    }
    assert_eq!(server.received(), "version\r\nversion\r\n");
    let server = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            match line.strip_prefix("mg k v O") {
                Some(opaque) => peer.write(format!("VA 1 O{opaque}\r\nv\r\n")),
                None => peer.write("VERSION 1.6.45\r\n"),
            }
        }
    });
    let client = C::of(&server, Duration::from_secs(10));
    for _ in 0..3 {
        assert_eq!(value(&client, "k").await.unwrap(), b"v"[..]);
    }
    assert_eq!(server.received().matches("version").count(), 1);
}

async fn the_reply_to_another_is_refused<C: Client>() {
    let server = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            peer.write(if line == "version" { "VERSION 1.6.18\r\n" } else { "VA 1 O77\r\nv\r\n" });
        }
    });
    let client = C::of(&server, Duration::from_secs(10));
    assert_eq!(client.meta().get("k", VALUE).await.unwrap_err().kind(), ErrorKind::Protocol);
}
