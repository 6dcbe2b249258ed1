//! Proxies, and servers that have run short: their refusals concern one request each, and cost the others nothing.

use core::time::Duration;

use memring_std::{
    Client, ErrorKind, MetaArithOptions, MetaDeleteOptions, MetaGetOptions, StoreOutcome, Ttl,
};

use crate::harness::proxies::{with_a_bad_backend, with_bare_misses};
use crate::support::Memcached;

/// Long enough never to be reached.
const LONG: Duration = Duration::from_secs(20);

#[test]
fn one_bad_backend_fails_its_own_keys_only() {
    let proxy = with_a_bad_backend();
    let client = proxy.client(LONG);
    let items = ["a", "bad:1", "b", "bad:2", "bad:3", "c"].map(|key| (key, "1"));
    for _ in 0..10 {
        let stored = client.set_many(&items, Ttl::NEVER).unwrap();
        for ((key, _), result) in items.iter().zip(stored.results()) {
            match result {
                Ok(()) => assert!(!key.starts_with("bad"), "{key}"),
                Err(error) => {
                    assert!(key.starts_with("bad"), "{key}: {error}");
                    assert_eq!((error.kind(), error.is_ambiguous()), (ErrorKind::Server, false));
                }
            }
        }
        assert_eq!(client.get("bad:1").unwrap_err().kind(), ErrorKind::Server);
        assert_eq!(client.delete("bad:1").unwrap_err().kind(), ErrorKind::Server);
        assert_eq!(client.get("a").unwrap(), None);
    }
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn a_value_that_is_too_much_for_memory_costs_the_others_nothing() {
    let server = Memcached::start_with(&["-M", "-m", "8"]);
    let client = Client::builder().servers([server.name()]).timeout(LONG).build().unwrap();
    let (small, large) = (vec![b's'; 10], vec![b'l'; 700_000]);
    let mut refused = 0;
    for round in 0..20 {
        let keys: Vec<_> = (0..6).map(|number| format!("{round}:{number}")).collect();
        let items: Vec<_> =
            keys.iter().enumerate().map(|(at, key)| (key, if at == 2 { &large } else { &small })).collect();
        for ((at, (key, value)), result) in
            items.iter().enumerate().zip(client.set_many(&items, Ttl::NEVER).unwrap().results())
        {
            match result {
                Ok(()) => assert_eq!(client.get(key).unwrap().unwrap().value, **value),
                Err(error) => {
                    assert_eq!((at, error.kind()), (2, ErrorKind::OutOfMemory), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 0, "memory never ran short");
    assert_eq!(client.servers()[0].idle, 1);
}

#[test]
fn a_bare_miss_is_a_miss_and_doubled_blanks_are_one() {
    let server = with_bare_misses();
    let client = server.client(LONG);
    let meta = client.meta();
    for _ in 0..10 {
        assert_eq!(meta.get("k", MetaGetOptions::new().value()).unwrap(), None);
        assert_eq!(meta.delete("k", MetaDeleteOptions::new()).unwrap(), StoreOutcome::Stored);
        assert_eq!(meta.arith("k", MetaArithOptions::new()).unwrap().outcome, StoreOutcome::NotFound);
        assert_eq!(client.get("k").unwrap(), None);
    }
    assert_eq!(server.connections(), 1);
}
