//! libmemcached: the most used native client, below pylibmc, php-memcached and the Ruby and Perl bindings.
//!
//! | scheme | behaviour | key hash |
//! |---|---|---|
//! | [`KETAMA_WEIGHTED`] | `KETAMA_WEIGHTED` | md5 |
//! | [`MODULA`] | the default | one_at_a_time |
//!
//! - A server is named `host:port`, but just `host` when the port is 11211.
//! - Option `hash` is the behaviour `HASH`: `default` and the names of [`HASHES`]. It changes how keys are hashed, never
//!   how the points of a weighted ring are made. `KETAMA_HASH` is stored by the peer and never used.
//! - Option `prefix` is not hashed unless `hash_with_prefix_key=1`; a prefix and key of more than 250 bytes together then
//!   have the hash 0.
//! - Option `sort_hosts=1`: the peer sorts its list by host, then port. Indexes remain those of the list given here.
//! - Option `auto_eject_hosts=1`: a dead server is taken out and the ring rebuilt; without it there is no fallback.
//!   [`MODULA`] ignores it.
//! - Weight 0 means 1. Two servers on one point: the first of the list has it.
//!
//! Source: libmemcached 1.1.4 `hosts.cc` (`update_continuum`), `hash.cc`, `behavior.cc`.

use core::cmp::Ordering;

use super::{Peer, informs, switch};
use crate::{
    fallback,
    hash::{self, Hash},
    ketama,
    key::KeyText,
    mechanism::{Continuum, Label, Search, Slots, Tie},
    scheme::{Scheme, Weights},
    server::host_and_port,
};

/// MD5 ketama with weights, which other clients mean when they say "libmemcached compatible".
pub const KETAMA_WEIGHTED: Scheme<'static> = Scheme {
    name: "libmemcached-ketama-weighted",
    used_by: "libmemcached with KETAMA_WEIGHTED, php-memcached with OPT_LIBKETAMA_COMPATIBLE, pylibmc with ketama_weighted",
    hash: hash::MD5,
    weights: Weights::ZeroIsOne,
    mechanism: &WEIGHTED,
    ..Scheme::BASE
};

/// Hash modulo the number of servers, weights ignored: what libmemcached does unless told otherwise.
pub const MODULA: Scheme<'static> = Scheme {
    name: "libmemcached-modula",
    used_by: "libmemcached, php-memcached and pylibmc by default",
    hash: hash::ONE_AT_A_TIME,
    mechanism: &Slots::BY_HASH,
    ..Scheme::BASE
};

const WEIGHTED: Continuum<u32> = Continuum {
    label: Label::without_default_port,
    count: |_, live, member| {
        ketama::POINTS_PER_DIGEST * ketama::digests_f32(member.weight, live.total(), live.count())
    },
    points: |_, _, label, count, sink| ketama::points(label, count, ketama::POINTS_PER_DIGEST, sink),
    position: |scheme, key| scheme.hash_key(key),
    search: Search::AtOrAbove,
    tie: Tie::Stay,
};

/// The values of the behaviour `HASH`.
pub const HASHES: &[Hash] = &[hash::ONE_AT_A_TIME, hash::MD5, hash::CRC15];

/// Longest prefix and key that the peer hashes together.
const LONGEST_PREFIXED: usize = 250;

pub(super) const PEERS: &[Peer] = &[KETAMA_WEIGHTED_PEER, MODULA_PEER];

const KETAMA_WEIGHTED_PEER: Peer = Peer {
    scheme: KETAMA_WEIGHTED,
    options: &[
        "hash",
        "points-hash",
        "points-per-server",
        "prefix",
        "hash_with_prefix_key",
        "sort_hosts",
        "auto_eject_hosts",
    ],
    set: |scheme, name, value| match name {
        "points-hash" => informs(scheme, value, "md5"),
        "points-per-server" => informs(scheme, value, "160 nominal"),
        "auto_eject_hosts" => {
            Ok(Scheme { fallback: if switch(value)? { fallback::rebuild } else { fallback::none }, ..scheme })
        }
        _ => set(scheme, name, value),
    },
};

const MODULA_PEER: Peer = Peer {
    scheme: MODULA,
    options: &["hash", "prefix", "hash_with_prefix_key", "sort_hosts", "auto_eject_hosts"],
    set: |scheme, name, value| match name {
        // Accepted and without effect, as in the peer: a dead server keeps its keys.
        "auto_eject_hosts" => switch(value).map(|_| scheme),
        _ => set(scheme, name, value),
    },
};

/// The options that all distributions have.
fn set<'a>(scheme: Scheme<'a>, name: &str, value: &'a str) -> Result<Scheme<'a>, &'static str> {
    match name {
        "hash" => Ok(Scheme { hash: hash_named(value)?, ..scheme }),
        "prefix" => Ok(Scheme { key: KeyText { prefix: value.as_bytes(), ..scheme.key }, ..scheme }),
        "hash_with_prefix_key" => {
            let hash_prefix = switch(value)?;
            let longest = if hash_prefix { LONGEST_PREFIXED } else { usize::MAX };
            Ok(Scheme { key: KeyText { hash_prefix, longest, ..scheme.key }, ..scheme })
        }
        _ => Ok(Scheme { roster: switch(value)?.then_some(by_host_then_port), ..scheme }),
    }
}

fn hash_named(name: &str) -> Result<Hash, &'static str> {
    let name = if name == "default" { hash::ONE_AT_A_TIME.name() } else { name };
    HASHES.iter().find(|hash| hash.name() == name).copied().ok_or("a hash of libhashkit: default, md5, crc …")
}

/// The order of `SORT_HOSTS`: hosts by bytes, ports by number.
fn by_host_then_port(left: &str, right: &str) -> Ordering {
    let parts = |name| {
        let (host, port) = host_and_port(name);
        (host, port.and_then(|port| port.parse::<u16>().ok()).unwrap_or(0))
    };
    parts(left).cmp(&parts(right))
}
