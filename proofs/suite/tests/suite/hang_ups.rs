//! Proxies that hang up at what they do not know. That costs a connection, and whoever shares it, once: then it is remembered.

use core::time::Duration;
use std::{collections::HashSet, sync::Mutex};

use memring_std::{
    ErrorKind, MetaArithOptions, MetaDeleteOptions, MetaGetOptions, MetaSetOptions, StatsKind, Ttl,
};
use memring_suite::Scripted;

use crate::{
    client::{Client, Meta as _},
    run::promises,
};

promises! {
    what_a_proxy_hangs_up_at_is_sent_no_more
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
                "get" if line.ends_with(" k") => peer.write("VALUE k 0 1\r\nv\r\nEND\r\n"),
                "get" => peer.write("END\r\n"),
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
