//! python-memcached, the old Django backend: CRC modulo the sum of weights, and a rehash that forgets the key.
//!
//! | scheme | versions | hash |
//! |---|---|---|
//! | [`PYTHON_MEMCACHED`] | 1.60 and later | 15 bits of CRC-32 |
//! | [`PYTHON_MEMCACHED_OR1`] | up to 1.59 | the same, but 1 where that is 0 |
//! | [`PYTHON_MEMCACHED_CRC32`] | any, after `useOldServerHashFunction()` | all 32 bits |
//!
//! - Server i has as many slots as its weight, in order of the list; a weight of zero has none. Names play no role.
//! - When a server is dead, the hash of the decimal text of the hash and the number of the try is taken instead: only
//!   that number, *not the key*, so keys with one hash share one chain. Ten tries in all; servers repeat, and a chain need
//!   not reach all of them.
//! - Option `key-form=hash:key`: the caller passes its own number, of any size and sign, with each key, written
//!   `NUMBER:key`. A key without a number is hashed as usual.
//!
//! Source: python-memcached `memcache.py`, `_get_server`.

use super::{Peer, informs, numbered};
use crate::{
    hash,
    mechanism::{Slots, View},
    order::Order,
    scheme::{Scheme, Weights, fallback},
    text::{Concat, Decimal, Text},
};

/// python-memcached 1.60 and later.
pub const PYTHON_MEMCACHED: Scheme<'static> = Scheme {
    name: "python-memcached",
    used_by: "python-memcached from 1.60 on",
    hash: hash::CRC15,
    weights: Weights::Whole,
    mechanism: &Slots::BY_HASH,
    fallback: rehash,
    // `_SERVER_RETRIES`.
    tries: 10,
    ..Scheme::BASE
};

/// python-memcached up to 1.59.
pub const PYTHON_MEMCACHED_OR1: Scheme<'static> = Scheme {
    name: "python-memcached-or1",
    used_by: "python-memcached up to 1.59, as Debian ships it",
    hash: hash::CRC15_OR_1,
    ..PYTHON_MEMCACHED
};

/// python-memcached after `useOldServerHashFunction()`.
pub const PYTHON_MEMCACHED_CRC32: Scheme<'static> = Scheme {
    name: "python-memcached-crc32",
    used_by: "python-memcached after useOldServerHashFunction()",
    hash: hash::CRC32,
    ..PYTHON_MEMCACHED
};

fn rehash(view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
    retry(view, &Decimal(view.scheme.hash_key(key).into()), order);
}

fn rehash_numbered(view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
    match numbered::split(key) {
        Some((number, _)) => retry(view, &number, order),
        None => rehash(view, key, order),
    }
}

/// Follows the chain that begins with the text of the first hash.
fn retry(view: &View<'_>, first: &dyn Text, order: &mut Order<'_>) {
    let mut last: Option<Decimal> = None;
    fallback::chain(view, order, |number| {
        let text = last.as_ref().map_or(first, |last| last);
        let hash = view.scheme.hash.of_text(&Concat([text, &Decimal(number - 1)]));
        last = Some(Decimal(hash.into()));
        hash
    });
}

pub(super) const PEERS: &[Peer] =
    &[peer(PYTHON_MEMCACHED), peer(PYTHON_MEMCACHED_OR1), peer(PYTHON_MEMCACHED_CRC32)];

const fn peer(scheme: Scheme<'static>) -> Peer {
    Peer {
        scheme,
        options: &["hash", "key-form"],
        set: |scheme, name, value| match name {
            "key-form" if value == "hash:key" => {
                Ok(Scheme { mechanism: &numbered::SLOTS, fallback: rehash_numbered, ..scheme })
            }
            "key-form" => Err("hash:key"),
            _ => informs(
                scheme,
                value,
                match scheme.name {
                    "python-memcached" => "crc15",
                    "python-memcached-or1" => "crc15or1",
                    _ => "crc32",
                },
            ),
        },
    }
}
