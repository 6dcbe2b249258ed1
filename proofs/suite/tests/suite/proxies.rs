//! Proxies, and servers that have run short: their refusals concern one request each, and cost the others nothing.

use core::time::Duration;

use memring_std::{
    Batch, ErrorKind, Feature, HealthStatus, MetaArithOptions, MetaDeleteOptions, MetaGetOptions, StatsKind,
    StoreOutcome, Ttl,
};
use memring_suite::{
    Memcached, Scripted,
    proxies::{Twemproxy, of_version, with_a_bad_backend, with_bare_misses},
};

use crate::{
    client::{Client, Meta as _},
    run::promises,
};

promises! {
    one_bad_backend_fails_its_own_keys_only
    a_value_that_is_too_much_for_memory_costs_the_others_nothing
    a_bare_miss_is_a_miss_and_doubled_blanks_are_one
    what_twemproxy_does_not_know_is_unsupported_and_says_nothing_against_it
    a_server_that_fails_is_not_taken_for_one_that_does_not_know
    noop_goes_to_servers_that_know_it
    a_version_without_a_number_leaves_the_refusal_to_the_server
    the_caller_knows_better_than_the_version
    a_key_in_base64_that_is_there_is_never_debugged_as_a_miss
}

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(20);

async fn one_bad_backend_fails_its_own_keys_only<C: Client>() {
    let proxy = with_a_bad_backend();
    let client = C::of(&proxy, LONG);
    let items = ["a", "bad:1", "b", "bad:2", "bad:3", "c"].map(|key| (key, "1"));
    for _ in 0..10 {
        let stored = client.set_many(&items, Ttl::NEVER).await.unwrap();
        for ((key, _), result) in items.iter().zip(stored.results()) {
            match result {
                Ok(()) => assert!(!key.starts_with("bad"), "{key}"),
                Err(error) => {
                    assert!(key.starts_with("bad"), "{key}: {error}");
                    assert_eq!((error.kind(), error.is_ambiguous()), (ErrorKind::Server, false));
                }
            }
        }
        assert_eq!(client.get("bad:1").await.unwrap_err().kind(), ErrorKind::Server);
        assert_eq!(client.delete("bad:1").await.unwrap_err().kind(), ErrorKind::Server);
        assert_eq!(client.get("a").await.unwrap(), None);
    }
    assert_eq!(proxy.connections(), 1);
}

async fn a_value_that_is_too_much_for_memory_costs_the_others_nothing<C: Client>() {
    let server = Memcached::start_with(&["-M", "-m", "8"]);
    let client = C::builder().servers([server.name()]).timeout(LONG).build().unwrap();
    let (small, large) = (vec![b's'; 10], vec![b'l'; 700_000]);
    let mut refused = 0;
    for round in 0..20 {
        let keys: Vec<_> = (0..6).map(|number| format!("{round}:{number}")).collect();
        let items: Vec<_> =
            keys.iter().enumerate().map(|(at, key)| (key, if at == 2 { &large } else { &small })).collect();
        let stored = client.set_many(&items, Ttl::NEVER).await.unwrap();
        for ((at, (key, value)), result) in items.iter().enumerate().zip(stored.results()) {
            match result {
                Ok(()) => assert_eq!(client.get(key).await.unwrap().unwrap().value, **value),
                Err(error) => {
                    assert_eq!((at, error.kind()), (2, ErrorKind::OutOfMemory), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 0, "memory never ran short");
    assert_eq!(client.servers()[0].connections, 1);
}

async fn a_bare_miss_is_a_miss_and_doubled_blanks_are_one<C: Client>() {
    let server = with_bare_misses();
    let client = C::of(&server, LONG);
    let meta = client.meta();
    for _ in 0..10 {
        assert_eq!(meta.get("k", MetaGetOptions::new().value()).await.unwrap(), None);
        assert_eq!(meta.delete("k", MetaDeleteOptions::new()).await.unwrap(), StoreOutcome::Stored);
        let counted = meta.arith("k", MetaArithOptions::new()).await.unwrap();
        assert_eq!(counted.outcome, StoreOutcome::NotFound);
        assert_eq!(client.get("k").await.unwrap(), None);
    }
    assert_eq!(server.connections(), 1);
}

async fn what_twemproxy_does_not_know_is_unsupported_and_says_nothing_against_it<C: Client>() {
    let proxy = Twemproxy::start();
    let client = C::builder().servers([proxy.name()]).timeout(LONG).build().unwrap();
    for round in 0..4 {
        client.set("k", "v", Ttl::NEVER).await.unwrap();
        assert!(client.touch("k", Ttl::NEVER).await.unwrap());
        let meta = client.meta();
        let errors = [
            client.gat("k", Ttl::NEVER).await.map(drop),
            client.gats("k", Ttl::NEVER).await.map(drop),
            meta.get("k", MetaGetOptions::new().value()).await.map(drop),
            meta.delete("k", MetaDeleteOptions::new()).await.map(drop),
            meta.arith("n", MetaArithOptions::new()).await.map(drop),
            meta.debug("k").await.map(drop),
            meta.noop().await.remove(0).result,
            client.flush_all(None).await.remove(0).result,
            client.verbosity(1).await.remove(0).result,
            client.stats(StatsKind::General).await.remove(0).result.map(drop),
            client.stats_with(StatsKind::General, |_, _, _| {}).await.remove(0).result,
        ]
        .map(Result::unwrap_err);
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            assert!(!error.is_retryable() && !error.is_outage(), "{error}");
        }
        let mut batch = Batch::new();
        let (get, gat, touch) = (batch.get("k"), batch.gat("k", Ttl::NEVER), batch.touch("k", Ttl::NEVER));
        let mut outcomes = client.run(batch).await.unwrap();
        assert_eq!(outcomes.take(gat).unwrap_err().kind(), ErrorKind::Unsupported);
        assert!(outcomes.take(get).unwrap().is_some() && outcomes.take(touch).unwrap());
        assert!(client.get("k").await.unwrap().is_some(), "{round}");
        assert!(matches!(client.servers()[0].health, HealthStatus::Up { failures: 0, .. }));
    }
}

async fn a_server_that_fails_is_not_taken_for_one_that_does_not_know<C: Client>() {
    let server = Scripted::new(|mut peer| drop(peer.line()));
    let client = C::of(&server, LONG);
    assert_eq!(client.gat("k", Ttl::NEVER).await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(client.flush_all(None).await.remove(0).result.unwrap_err().kind(), ErrorKind::Closed);
}

async fn noop_goes_to_servers_that_know_it<C: Client>() {
    for (version, mn, result) in [
        ("1.5.22", "EN", Some(ErrorKind::Unsupported)),
        ("1.4.39", "ERROR", Some(ErrorKind::Unsupported)),
        ("UNKNOWN", "MN", None),
        ("UNKNOWN", "ERROR", Some(ErrorKind::Unsupported)),
        ("1.6.18", "MN", None),
    ] {
        let server = of_version(version, mn);
        let client = C::of(&server, LONG);
        for _ in 0..2 {
            let answer = client.meta().noop().await.remove(0).result;
            assert_eq!(answer.err().map(|error| error.kind()), result, "{version}");
        }
        assert_eq!(server.received().contains("mn"), version != "1.5.22" && version != "1.4.39");
        assert_eq!(server.connections(), 1);
    }
}

async fn a_version_without_a_number_leaves_the_refusal_to_the_server<C: Client>() {
    let server = of_version("UNKNOWN", "MN");
    let client = C::of(&server, LONG);
    assert!(client.meta().get("k", MetaGetOptions::new()).await.unwrap().is_some());
    let server = of_version("UNKNOWN", "ERROR");
    let error = C::of(&server, LONG).meta().get("k", MetaGetOptions::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

async fn the_caller_knows_better_than_the_version<C: Client>() {
    let server = of_version("1.6.6", "MN");
    let builder = || C::builder().servers([server.name()]).timeout(LONG);
    let client = builder().server_can(server.name(), Feature::Meta).build().unwrap();
    assert!(client.meta().get("k", MetaGetOptions::new()).await.unwrap().is_some());
    assert!(client.meta().noop().await.remove(0).result.is_ok());
    let client = builder().server_can("another", Feature::Meta).build().unwrap();
    assert_eq!(
        client.meta().get("k", MetaGetOptions::new()).await.unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    let server = of_version("1.6.18", "MN");
    let builder = C::builder().servers([server.name()]).timeout(LONG);
    let client = builder.server_cannot(server.name(), Feature::Meta).build().unwrap();
    assert_eq!(
        client.meta().get("k", MetaGetOptions::new()).await.unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    assert_eq!(server.received(), "version\r\n");
}

async fn a_key_in_base64_that_is_there_is_never_debugged_as_a_miss<C: Client>() {
    let server = of_version("1.6.45", "MN");
    let client = C::of(&server, LONG);
    assert_eq!(client.meta().debug("a b").await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(client.meta().debug("ab").await.unwrap(), None);
    let misses = with_bare_misses();
    assert_eq!(C::of(&misses, LONG).meta().debug("a b").await.unwrap(), None);
}
