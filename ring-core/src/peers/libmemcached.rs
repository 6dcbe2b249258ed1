//! libmemcached: the most used native client, below pylibmc, php-memcached and the Ruby and Perl bindings.
//!
//! | scheme | behaviour | points of a server | key hash |
//! |---|---|---|---|
//! | [`KETAMA_WEIGHTED`] | `KETAMA_WEIGHTED` | 160 on average, by weight: MD5, four to a digest | md5 |
//! | [`KETAMA`] | `KETAMA` | 100: one hash each | one_at_a_time |
//! | [`CONSISTENT`] | `DISTRIBUTION_CONSISTENT` | as [`KETAMA`], which it is the same as | one_at_a_time |
//! | [`SPY`] | `DISTRIBUTION_CONSISTENT_KETAMA_SPY` | either, see `weighted` | one_at_a_time |
//! | [`MODULA`] | the default | none: modulo, weights ignored | one_at_a_time |
//! | [`VBUCKET`] | `DISTRIBUTION_VIRTUAL_BUCKET` | none: the lowest bits, weights ignored | one_at_a_time |
//!
//! - A server is named `host:port`, but just `host` when the port is 11211, and `path:0` when it is a socket. [`SPY`]
//!   names it `/host:port`, the port always there, which no spymemcached since March 2010 does.
//! - Weight 0 means 1. Two servers on one point: the first of the list has it.
//! - What the `*_by_key` functions are given to place by is the key here.
//!
//! | option | means |
//! |---|---|
//! | `hash` | behaviour `HASH`, in libhashkit's names. It changes how keys are hashed and, on an unweighted ring, how points are made. `KETAMA_HASH` is stored by the peer and never used. |
//! | `points-hash` | the hash of an unweighted ring's points where it is not that of the keys: the peer does not make new points when `HASH` is set after the servers |
//! | `configured` | trap: `behavior-then-servers` (as one usually does, and the default here) makes the ring a weighted one as soon as a server of a weight above 1 is added, but the key hash stays what it was; `servers-then-behavior` ignores weights |
//! | `weighted` | for [`SPY`]: whether `KETAMA_WEIGHTED` was set before it. Unless said, a weight above 1 decides |
//! | `buckets` | for [`VBUCKET`]: the server of each bucket, `2,0,1,…`; the mask is the number of buckets less one, whether or not that is a power of two. `none`: each server is one bucket, so servers whose number never comes out of the mask get no key |
//! | `prefix`, `hash_with_prefix_key` | `PREFIX_KEY` and whether it is hashed with the key; if so, more than 250 bytes together have the hash 0, and whatever follows a NUL counts as NULs |
//! | `sort_hosts` | the peer sorts its list by host, then port. Indexes remain those of the list given here. |
//! | `auto_eject_hosts` | a dead server is taken out and the ring rebuilt from the others; without it there is no fallback. [`MODULA`] and [`VBUCKET`] take it and ignore it, as the peer does |
//! | `points-per-server` | checked: 100 or `160 nominal` |
//!
//! Source: libmemcached 1.1.4 `hosts.cc` (`update_continuum`, `server_add`), `hash.cc`, `behavior.cc`, `virtual_bucket.c`.

use core::cmp::Ordering;

use super::{Peer, informs, informs_one_of, switch};
use crate::{
    fallback,
    hash::{self, Hash, names, one_at_a_time::OneAtATime},
    key::KeyText,
    list::List,
    mechanism::{Slots, Table, View},
    order::Order,
    scheme::{Scheme, Weights},
    server::host_and_port,
};

mod rings;

/// MD5 ketama with weights, which other clients mean when they say "libmemcached compatible".
pub const KETAMA_WEIGHTED: Scheme<'static> = Scheme {
    name: "libmemcached-ketama-weighted",
    used_by: "libmemcached with KETAMA_WEIGHTED, php-memcached with OPT_LIBKETAMA_COMPATIBLE, pylibmc with ketama_weighted",
    hash: hash::MD5,
    weights: Weights::ZeroIsOne,
    mechanism: &rings::WEIGHTED,
    ..Scheme::BASE
};

/// What libmemcached calls ketama and is not.
pub const KETAMA: Scheme<'static> = Scheme {
    name: "libmemcached-ketama",
    used_by: "libmemcached with KETAMA, php-memcached's session handler, pylibmc with ketama",
    hash: hash::ONE_AT_A_TIME,
    weights: Weights::ZeroIsOne,
    mechanism: &rings::RINGS,
    weighted_if_heavy: true,
    ..Scheme::BASE
};

/// The same as [`KETAMA`].
pub const CONSISTENT: Scheme<'static> = Scheme {
    name: "libmemcached-consistent",
    used_by: "libmemcached, php-memcached and pylibmc with the distribution CONSISTENT",
    ..KETAMA
};

/// [`KETAMA`] or [`KETAMA_WEIGHTED`] over names with a slash, meant to agree with spymemcached.
pub const SPY: Scheme<'static> = Scheme {
    name: "libmemcached-spy",
    used_by: "libmemcached with the distribution CONSISTENT_KETAMA_SPY",
    mechanism: &rings::SPY,
    ..KETAMA
};

/// Hash modulo the number of servers, weights ignored: what libmemcached does unless told otherwise.
pub const MODULA: Scheme<'static> = Scheme {
    name: "libmemcached-modula",
    used_by: "libmemcached, php-memcached and pylibmc by default",
    hash: hash::ONE_AT_A_TIME,
    mechanism: &Slots::BY_HASH,
    ..Scheme::BASE
};

/// The lowest bits of the hash name a bucket, and [`Scheme::buckets`] or the number of servers says whose it is.
///
/// ```
/// use memring_core::{list::List, peers::libmemcached::VBUCKET, Scheme, Server};
///
/// let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
/// let scheme = Scheme { buckets: Some(List::Items(&[1, 2, 0, 1, 2, 2, 1, 0])), ..VBUCKET };
/// assert_eq!(scheme.choose(&servers, b"tokyo")?.get(), 1);
/// # Ok::<(), memring_core::BuildError>(())
/// ```
pub const VBUCKET: Scheme<'static> = Scheme {
    name: "libmemcached-vbucket",
    used_by: "libmemcached with the distribution VIRTUAL_BUCKET",
    hash: hash::ONE_AT_A_TIME,
    mechanism: &Table::MAP,
    ..Scheme::BASE
};

/// Longest prefix and key that the peer hashes together.
///
/// Source: libmemcached 1.1.4 `hash.cc`, `generate_hash`: `MEMCACHED_MAX_KEY` less the final NUL.
const LONGEST_PREFIXED: usize = 250;

/// one_at_a_time, chosen by an option rather than left to the distribution, which may bring md5.
const CHOSEN_DEFAULT: Hash = Hash::new::<OneAtATime>("default");

pub(super) const PEERS: &[Peer] = &[
    KETAMA_WEIGHTED_PEER,
    Peer { scheme: KETAMA, ..RING_PEER },
    Peer { scheme: CONSISTENT, ..RING_PEER },
    SPY_PEER,
    MODULA_PEER,
    VBUCKET_PEER,
];

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
        _ => set(scheme, name, value),
    },
};

const RING_PEER: Peer = Peer {
    scheme: KETAMA,
    options: &[
        "hash",
        "points-hash",
        "points-per-server",
        "configured",
        "prefix",
        "hash_with_prefix_key",
        "sort_hosts",
        "auto_eject_hosts",
    ],
    set,
};

const SPY_PEER: Peer = Peer {
    scheme: SPY,
    options: &[
        "hash",
        "points-hash",
        "points-per-server",
        "configured",
        "weighted",
        "prefix",
        "hash_with_prefix_key",
        "sort_hosts",
        "auto_eject_hosts",
    ],
    set: |scheme, name, value| match name {
        "weighted" if switch(value)? => Ok(with_md5(Scheme { mechanism: &rings::SPY.weighted, ..scheme })),
        "weighted" => Ok(Scheme { mechanism: &rings::SPY.unweighted, ..scheme }),
        "hash" => Ok(Scheme { hash: chosen_hash(value)?, ..scheme }),
        _ => set(scheme, name, value),
    },
};

const MODULA_PEER: Peer = Peer {
    scheme: MODULA,
    options: &["hash", "prefix", "hash_with_prefix_key", "sort_hosts", "auto_eject_hosts"],
    set,
};

const VBUCKET_PEER: Peer = Peer {
    scheme: VBUCKET,
    options: &["hash", "buckets", "prefix", "hash_with_prefix_key", "sort_hosts", "auto_eject_hosts"],
    set,
};

/// Applies any of the library's options.
pub(super) fn set<'a>(scheme: Scheme<'a>, name: &str, value: &'a str) -> Result<Scheme<'a>, &'static str> {
    Ok(match name {
        "hash" => Scheme { hash: hash_named(value)?, ..scheme },
        "points-hash" => Scheme { points_hash: Some(hash_named(value)?), ..scheme },
        "points-per-server" => informs_one_of(scheme, value, &["100", "160 nominal"], "100 or 160 nominal")?,
        "configured" => Scheme { weighted_if_heavy: behavior_first(value)?, ..scheme },
        "buckets" => Scheme { buckets: bucket_map(value)?, ..scheme },
        "prefix" => Scheme { key: KeyText { prefix: value.as_bytes(), ..scheme.key }, ..scheme },
        "hash_with_prefix_key" => Scheme { key: hashing_prefix(scheme.key, switch(value)?), ..scheme },
        "sort_hosts" => Scheme { roster: switch(value)?.then_some(by_host_then_port), ..scheme },
        _ => Scheme { fallback: if switch(value)? { eject } else { fallback::none }, ..scheme },
    })
}

/// The hash function of this name.
fn hash_named(name: &str) -> Result<Hash, &'static str> {
    names::LIBMEMCACHED.hash(name).ok_or("a hash of libhashkit: default, md5, crc …")
}

/// The hash function of this name, for schemes whose default depends on another option.
pub(super) fn chosen_hash(name: &str) -> Result<Hash, &'static str> {
    let hash = hash_named(name)?;
    Ok(if hash.name() == hash::ONE_AT_A_TIME.name() { CHOSEN_DEFAULT } else { hash })
}

/// The scheme with MD5 keys unless another hash was chosen, as `KETAMA_WEIGHTED` makes it.
pub(super) fn with_md5(scheme: Scheme<'_>) -> Scheme<'_> {
    let chosen = scheme.hash.name() != hash::ONE_AT_A_TIME.name();
    Scheme { hash: if chosen { scheme.hash } else { hash::MD5 }, ..scheme }
}

/// The map of buckets that `value` writes, if it writes one.
fn bucket_map(value: &str) -> Result<Option<List<'_, u16>>, &'static str> {
    match value {
        "none" => Ok(None),
        map => List::parse(map).map(Some).ok_or("none or the number of a server for each bucket: 2,0,1 …"),
    }
}

/// Rebuilds a ring without its dead servers. The distributions that ignore weights ignore this, too: a dead server keeps
/// its keys.
fn eject(view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
    if view.scheme.weights != Weights::Ignored {
        fallback::rebuild(view, key, order);
    }
}

fn behavior_first(value: &str) -> Result<bool, &'static str> {
    match value {
        "behavior-then-servers" => Ok(true),
        "servers-then-behavior" => Ok(false),
        _ => Err("behavior-then-servers or servers-then-behavior"),
    }
}

fn hashing_prefix(key: KeyText<'_>, hash_prefix: bool) -> KeyText<'_> {
    if hash_prefix {
        KeyText { hash_prefix, form: Some(up_to_nul), longest: LONGEST_PREFIXED, ..key }
    } else {
        KeyText { hash_prefix, form: None, longest: usize::MAX, ..key }
    }
}

/// The prefix, and the key as `strncpy` copies it: NULs from its first NUL on.
fn up_to_nul(rule: &KeyText<'_>, key: &[u8], sink: &mut dyn FnMut(&[u8])) {
    sink(rule.prefix);
    let text = key.split(|&byte| byte == 0).next().unwrap_or_default();
    sink(text);
    for _ in text.len()..key.len() {
        sink(&[0]);
    }
}

/// The order of `SORT_HOSTS`: hosts by bytes, ports by number.
fn by_host_then_port(left: &str, right: &str) -> Ordering {
    let parts = |name| {
        let (host, port) = host_and_port(name);
        (host, port.and_then(|port| port.parse::<u16>().ok()).unwrap_or(0))
    };
    parts(left).cmp(&parts(right))
}
