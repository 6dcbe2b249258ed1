//! Cache::Memcached, Perl's client by memcached's author: 15 bits of CRC-32 modulo the sum of weights.
//!
//! - Server i has as many slots as its weight, in order of the list; a weight of zero has none. Names play no role.
//! - When a server is dead, the hash of the number of the try and the key is *added* to the hash: `1key`, `2key` …,
//!   20 tries in all. Servers repeat, and a chain need not reach all of them. (`get` and `get_multi` make one try more.)
//! - Option `no_rehash=1`: only the first try. (`get` and `get_multi` of the peer ignore it.)
//! - Option `namespace`: sent with the key but never hashed.
//! - Option `key-form=hash:key`: the caller passes its own number with each key, written `NUMBER:key`. What is added for
//!   dead servers is still hashed from the key.
//! - AnyEvent::Memcached places keys like this, too, and never rehashes. nginx' `hash` is this rule.
//!
//! The classic introductions to memcached show a "simplified" script for this module that places keys differently: see
//! [`crc32`](super::crc32).
//!
//! A trap of the peer that is not placement: a single server given with a weight is taken for the name `ARRAY(0x…)`.
//!
//! Source: Cache::Memcached 1.30 `Memcached.pm`, `get_sock`, `init_buckets` and `_hashfunc`.

use super::{Peer, namespace, numbered, switch};
use crate::{
    hash,
    mechanism::{Slots, View},
    order::Order,
    scheme::{Scheme, Weights, fallback},
    text::{Concat, Decimal, Text},
};

/// Cache::Memcached.
pub const CACHE_MEMCACHED: Scheme<'static> = Scheme {
    name: "cache-memcached",
    used_by: "Perl's Cache::Memcached; AnyEvent::Memcached without its rehash",
    hash: hash::CRC15,
    weights: Weights::Whole,
    mechanism: &Slots::BY_HASH,
    fallback: rehash,
    tries: TRIES,
    ..Scheme::BASE
};

/// How often `get_sock` looks for a living server.
const TRIES: u32 = 20;

/// The slots of a growing sum: each further try adds the hash of `1key`, `2key` … to it.
pub(super) fn rehash(view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
    add_up(view, view.scheme.hash_key(key), &view.scheme.key.of(key), order);
}

fn rehash_numbered(view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
    match numbered::split(key) {
        Some((number, key)) => add_up(view, number.modulo(Slots::total(view)), &key, order),
        None => rehash(view, key, order),
    }
}

fn add_up(view: &View<'_>, first: u32, key: &dyn Text, order: &mut Order<'_>) {
    let mut sum = u64::from(first);
    fallback::chain(view, order, |number| {
        sum += u64::from(view.scheme.hash.of_text(&Concat([&Decimal(number), key])));
        sum.checked_rem(Slots::total(view).into()).unwrap_or(0) as u32
    });
}

pub(super) const PEERS: &[Peer] = &[Peer {
    scheme: CACHE_MEMCACHED,
    options: &["namespace", "no_rehash", "key-form"],
    set: |scheme, name, value| match name {
        "namespace" => Ok(namespace(scheme, value)),
        "no_rehash" => Ok(Scheme { tries: if switch(value)? { 1 } else { TRIES }, ..scheme }),
        _ if value == "hash:key" => {
            Ok(Scheme { mechanism: &numbered::SLOTS, fallback: rehash_numbered, ..scheme })
        }
        _ => Err("hash:key"),
    },
}];

#[cfg(test)]
mod tests {
    use std::{vec, vec::Vec};

    use super::*;
    use crate::{Placement, Server, ServerIndex};

    fn order(scheme: Scheme<'_>, servers: &[Server<'_>], key: &str) -> Vec<usize> {
        let placement = Placement::owned(scheme, servers).unwrap();
        let mut out = vec![ServerIndex::default(); servers.len()];
        placement.order(key.as_bytes(), &mut out).iter().map(|server| server.get()).collect()
    }

    #[test]
    fn options_may_come_in_any_order() {
        let servers = [Server::new("a:1"), Server::new("b:1").weighing(2), Server::new("c:1").weighing(3)];
        let options = [("namespace", "app:"), ("no_rehash", "1"), ("key-form", "hash:key")];
        for turn in 0..options.len() {
            let mut scheme = CACHE_MEMCACHED;
            for &(name, value) in options[turn..].iter().chain(&options[..turn]) {
                scheme = scheme.with_option(name, value).unwrap();
            }
            assert_eq!(order(scheme, &servers, "-1:tokyo"), [2]);
        }
    }

    #[test]
    fn the_sum_of_a_callers_number_and_its_rehash_does_not_wrap() {
        // Slots: a 0 to 4294967293, b 4294967294. The caller's number is the last slot of all; what is added for `1key`
        // goes round to slots of the first server.
        let servers = [Server::new("a:1").weighing(u32::MAX - 1), Server::new("b:1")];
        let scheme = CACHE_MEMCACHED.with_option("key-form", "hash:key").unwrap();
        assert_eq!(order(scheme, &servers, "4294967294:key"), [1, 0]);
        assert_eq!(order(scheme, &servers, "-1:key"), [1, 0]);
        assert_eq!(order(scheme, &servers, "0:key"), [0]);
    }

    #[test]
    fn bad_options_say_what_is_expected() {
        for (name, value) in [("no_rehash", "yes"), ("key-form", "key"), ("hash", "crc")] {
            assert!(CACHE_MEMCACHED.with_option(name, value).is_err(), "{name}={value}");
        }
    }
}
