//! Proxies that hang up at what they do not know. That costs a connection, and whoever shares it, once: then it is remembered.

use core::time::Duration;
use std::{collections::HashSet, sync::Mutex};

use memring_std::{
    Batch, Error, ErrorKind, HealthStatus, MetaArithOptions, MetaDeleteOptions, MetaGetOptions,
    MetaSetOptions, StatsKind, Ttl,
};
use memring_suite::{Memcached, Scripted};

use crate::{
    client::{Client, Meta as _},
    run::promises,
};

promises! {
    what_a_proxy_hangs_up_at_is_sent_no_more
    a_batch_learns_what_its_servers_hang_up_at_and_heeds_it
    a_batch_heeds_what_a_call_has_learnt
    what_a_hang_up_took_along_in_a_batch_is_done_if_it_may_be
    a_batch_whose_connection_is_lost_once_has_met_no_hang_up
    a_connection_that_is_lost_once_is_no_hang_up
    a_proxy_that_hangs_up_at_version_is_told_from_one_that_fails
    values_are_streamed_through_a_proxy_that_does_not_tell_its_version
}

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(20);

/// Hangs up at everything but `knows`, storing, `get` and `delete`.
fn proxy(knows: &'static [&'static str]) -> Scripted {
    Scripted::new(move |mut peer| {
        while let Some(line) = peer.line() {
            match line.split(' ').next().unwrap_or_default() {
                "set" => {
                    peer.line();
                    peer.write("STORED\r\n");
                }
                "get" => {
                    let found = line.split(' ').filter(|key| *key == "k").count();
                    peer.write("VALUE k 0 1\r\nv\r\n".repeat(found) + "END\r\n");
                }
                "delete" => peer.write("DELETED\r\n"),
                "version" if knows.contains(&"version") => peer.write("VERSION 1.6.18\r\n"),
                _ => return,
            }
        }
    })
}

/// What such a proxy does not know, by the words that it is sent.
async fn unknown<C: Client>(client: &C) -> Vec<(&'static str, ErrorKind)> {
    let meta = client.meta();
    let lines = |_: &str, _: &[u8], _: &[u8]| {};
    let results = [
        ("gat", client.gat("k", Ttl::NEVER).await.map(drop)),
        ("gats", client.gats("k", Ttl::NEVER).await.map(drop)),
        ("touch", client.touch("k", Ttl::NEVER).await.map(drop)),
        ("mg", meta.get("k", MetaGetOptions::new()).await.map(drop)),
        ("ms", meta.set("k", "v", MetaSetOptions::new()).await.map(drop)),
        ("md", meta.delete("k", MetaDeleteOptions::new()).await.map(drop)),
        ("ma", meta.arith("k", MetaArithOptions::new()).await.map(drop)),
        ("me", meta.debug("k").await.map(drop)),
        ("mn", meta.noop().await.remove(0).result),
        ("flush_all", client.flush_all(None).await.remove(0).result),
        ("verbosity", client.verbosity(1).await.remove(0).result),
        ("stats", client.stats(StatsKind::General).await.remove(0).result.map(drop)),
        ("stats", client.stats_with(StatsKind::General, lines).await.remove(0).result),
    ];
    results.map(|(word, result)| (word, result.unwrap_err().kind())).into()
}

async fn what_a_proxy_hangs_up_at_is_sent_no_more<C: Client>() {
    let proxy = proxy(&["version"]);
    let client = C::of(&proxy, LONG);
    for (word, kind) in unknown(&client).await {
        assert_eq!(kind, ErrorKind::Unsupported, "{word}");
    }
    let (connections, received) = (proxy.connections(), proxy.received());
    assert!(client.get("k").await.unwrap().is_some());
    let opened = proxy.connections();
    assert!(opened <= connections + 1);
    for _ in 0..3 {
        for (word, kind) in unknown(&client).await {
            assert_eq!(kind, ErrorKind::Unsupported, "{word}");
        }
        assert!(client.get("k").await.unwrap().is_some());
    }
    assert_eq!(proxy.connections(), opened, "nobody loses a connection again");
    assert_eq!(proxy.received()[received.len()..], "get k\r\n".repeat(4));
    let error = client.gat("k", Ttl::NEVER).await.unwrap_err();
    assert!(!error.is_retryable() && !error.is_outage() && !error.is_ambiguous(), "{error}");
    assert!(error.to_string().contains("for a minute"), "{error}");
    assert!(!client.servers()[0].health.is_down());
}

/// A batch of all that such a proxy does not know, among what it does know.
async fn run_all<C: Client>(client: &C) -> [Result<bool, Error>; 5] {
    let mut batch = Batch::new();
    let first = batch.get("k");
    let (gat, gats) = (batch.gat("k", Ttl::NEVER), batch.gats("k", Ttl::NEVER));
    let touch = batch.touch("k", Ttl::NEVER);
    let last = batch.get("k");
    let mut outcomes = client.run(batch).await.unwrap();
    let results = [
        outcomes.take(first).map(|item| item.is_some()),
        outcomes.take(gat).map(|item| item.is_some()),
        outcomes.take(gats).map(|item| item.is_some()),
        outcomes.take(touch),
        outcomes.take(last).map(|item| item.is_some()),
    ];
    let failed = outcomes.errors().iter().map(|error| (error.kind(), error.is_ambiguous()));
    assert_eq!(failed.collect::<Vec<_>>(), [(ErrorKind::Unsupported, false)], "one error a server");
    results
}

async fn a_batch_learns_what_its_servers_hang_up_at_and_heeds_it<C: Client>() {
    let proxy = proxy(&["version"]);
    let client = C::of(&proxy, LONG);
    let mut connections = 0;
    for round in 0..3 {
        let received = proxy.received().len();
        let [first, others @ .., last] = run_all(&client).await;
        assert!(first.unwrap() && last.unwrap(), "what it knows is done, though it hung up behind the first");
        for error in others.map(Result::unwrap_err) {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            assert!(!error.is_retryable() && !error.is_outage(), "{error}");
        }
        if round == 0 {
            connections = proxy.connections();
        } else {
            let lines = proxy.received()[received..].lines().map(str::to_owned).collect::<HashSet<_>>();
            assert!(lines.iter().all(|line| line.starts_with("get ")), "{lines:?}");
        }
    }
    assert_eq!(proxy.connections(), connections, "nobody loses a connection again");
    assert_eq!(client.gat("k", Ttl::NEVER).await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(!proxy.received().lines().last().unwrap().starts_with("gat"), "a call heeds it, too");
    assert!(matches!(client.servers()[0].health, HealthStatus::Up { failures: 0, .. }));
}

async fn a_batch_heeds_what_a_call_has_learnt<C: Client>() {
    // One of the servers knows it.
    let (proxy, server) = (proxy(&[]), Memcached::start());
    let client = C::builder().servers([proxy.name(), server.name()]).timeout(LONG).build().unwrap();
    let keys: Vec<_> = (0..50).map(|number| format!("k{number}")).collect();
    let is_proxys = |key: &String| *client.server_of(key) == *proxy.name();
    let key = keys.iter().find(|key| is_proxys(key)).unwrap();
    client.gat(key, Ttl::NEVER).await.unwrap_err();
    let (connections, len) = (proxy.connections(), proxy.received().len());
    let mut batch = Batch::new();
    let handles: Vec<_> = keys.iter().map(|key| batch.gat(key, Ttl::NEVER)).collect();
    let mut outcomes = client.run(batch).await.unwrap();
    for (key, handle) in keys.iter().zip(handles) {
        let kind = outcomes.take(handle).err().map(|error| error.kind());
        assert_eq!(kind, is_proxys(key).then_some(ErrorKind::Unsupported), "{key}");
    }
    assert_eq!(outcomes.errors().len(), 1);
    assert_eq!((proxy.connections(), proxy.received().len()), (connections, len), "it is sent nothing");
}

/// What changes something was under way, and may have been done.
async fn what_a_hang_up_took_along_in_a_batch_is_done_if_it_may_be<C: Client>() {
    let proxy = proxy(&[]);
    let client = C::of(&proxy, LONG);
    let mut batch = Batch::new();
    let gat = batch.gat("k", Ttl::NEVER);
    let (get, delete) = (batch.get("k"), batch.delete("k"));
    let mut outcomes = client.run(batch).await.unwrap();
    assert_eq!(outcomes.take(gat).unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(outcomes.take(get).unwrap().is_some());
    let error = outcomes.take(delete).unwrap_err();
    assert!(error.kind() == ErrorKind::Closed && error.is_ambiguous(), "{error}");
    assert_eq!(outcomes.errors().len(), 2);
    assert_eq!(proxy.received().matches("delete").count(), 0, "it was behind what the proxy read");
}

async fn a_batch_whose_connection_is_lost_once_has_met_no_hang_up<C: Client>() {
    let server = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            if line.starts_with("gat") && peer.number == 0 {
                return;
            }
            peer.write("END\r\n");
        }
    });
    let client = C::of(&server, LONG);
    for is_lost in [true, false] {
        let mut batch = Batch::new();
        let (get, gat) = (batch.get("k"), batch.gat("k", Ttl::NEVER));
        let mut outcomes = client.run(batch).await.unwrap();
        assert_eq!(outcomes.take(get).unwrap(), None);
        let kind = outcomes.take(gat).err().map(|error| error.kind());
        // A `gat` that may be sent again may be done already.
        assert!(kind.is_none() || (is_lost && kind == Some(ErrorKind::Closed)), "{kind:?}");
    }
}

/// Also where the request changes something, so that it is not sent again to see.
async fn a_connection_that_is_lost_once_is_no_hang_up<C: Client>() {
    let seen = Mutex::new(HashSet::new());
    let server = Scripted::new(move |mut peer| {
        while let Some(line) = peer.line() {
            let word = line.split(' ').next().unwrap_or_default();
            match word {
                "version" => peer.write("VERSION 1.6.18\r\n"),
                "get" => peer.write("END\r\n"),
                "mn" => peer.write("MN\r\n"),
                // The first of each costs its connection.
                _ if seen.lock().unwrap().insert(word.to_owned()) => return,
                _ => {
                    if word == "ms" {
                        peer.line();
                    }
                    let opaque = line.split(' ').rfind(|flag| flag.starts_with('O')).unwrap_or_default();
                    peer.write(format!("HD {opaque}\r\n"));
                }
            }
        }
    });
    let client = C::of(&server, LONG);
    let meta = client.meta();
    let lost = [
        meta.set("k", "v", MetaSetOptions::new()).await.map(drop),
        meta.delete("k", MetaDeleteOptions::new()).await.map(drop),
        meta.arith("k", MetaArithOptions::new()).await.map(drop),
    ];
    for result in lost {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Closed);
    }
    meta.set("k", "v", MetaSetOptions::new()).await.unwrap();
    meta.delete("k", MetaDeleteOptions::new()).await.unwrap();
    meta.arith("k", MetaArithOptions::new()).await.unwrap();
}

async fn a_proxy_that_hangs_up_at_version_is_told_from_one_that_fails<C: Client>() {
    let proxy = proxy(&[]);
    let client = C::of(&proxy, LONG);
    let mut asked = 0;
    for round in 0..3 {
        let error = client.meta().get("k", MetaGetOptions::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        if round == 0 {
            asked = proxy.received().matches("version").count();
        }
        let error = client.meta().noop().await.remove(0).result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        let error = client.version().await.remove(0).result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(client.get("k").await.unwrap().is_some());
    }
    assert_eq!(proxy.received().matches("version").count(), asked, "never again");
    assert!(!proxy.received().contains("mg "));
}

async fn values_are_streamed_through_a_proxy_that_does_not_tell_its_version<C: Client>() {
    let proxy = proxy(&[]);
    let client = C::of(&proxy, LONG);
    // There is a connection that works, beside which another one is tried first.
    assert!(client.get("k").await.unwrap().is_some());
    client.set_from("k", 1, &b"v"[..], Ttl::NEVER).await.unwrap();
    let mut value = Vec::new();
    assert_eq!(client.get_to("k", &mut value).await.unwrap().unwrap().value, 1);
    assert_eq!(value, b"v");
}
