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
//! - A server is named `host:port`, but just `host` when the port is 11211, and `path:0` when it is a socket, here written
//!   `path`. An IPv6 address is hashed as the program gave it, with brackets or without: a program that adds `::1` has
//!   the server `::1:11212`, for our clients written `::1:11212=[::1]:11212`. [`SPY`] names a server `/host:port`, the
//!   port always there, which no spymemcached since March 2010 does.
//! - With more than 100 servers on a ring, the peer as Debian builds it aborts.
//! - Weight 0 means 1. Two servers on one point: the first of the list has it.
//! - What the `*_by_key` functions are given to place by is the key here.
//!
//! | option | means |
//! |---|---|
//! | `hash` | behaviour `HASH`, in libhashkit's names. It changes how keys are hashed and, on an unweighted ring, how points are made. `KETAMA_HASH` is stored by the peer and never used. |
//! | `points-hash` | the hash of an unweighted ring's points where it is not that of the keys: the peer does not make new points when `HASH` is set after the servers |
//! | `configured` | trap: `behavior-then-servers` (as one usually does, and the default here) makes the ring a weighted one as soon as a server of a weight above 1 is added, but the key hash stays what it was; `servers-then-behavior` ignores weights |
//! | `weighted` | for [`SPY`]: whether its ring is a weighted one, as it is if `KETAMA_WEIGHTED` was set before it. Unless said, a weight above 1 decides |
//! | `buckets` | for [`VBUCKET`]: the server of each bucket, `2,0,1,…`; the mask is the number of buckets less one, whether or not that is a power of two. `none`: each server is one bucket, so servers whose number never comes out of the mask get no key |
//! | `prefix`, `hash_with_prefix_key` | `PREFIX_KEY` and whether it is hashed with the key; if so, more than 250 bytes together have the hash 0, and whatever follows a NUL counts as NULs |
//! | `sort_hosts` | whether the peer's list is sorted by host, then port. Indexes remain those of the list given here. `SORT_HOSTS` set to 0 again sorts no new server in, but what was sorted stays sorted: such a list has `1` here |
//! | `auto_eject_hosts` | a dead server is taken out and the ring rebuilt from the others; without it there is no fallback. [`MODULA`] and [`VBUCKET`] take it and ignore it, as the peer does |
//! | `points-per-server` | checked: 100 or `160 nominal` |
//!
//! Source: libmemcached 1.1.4 `hosts.cc` (`update_continuum`, `server_add`), `hash.cc`, `behavior.cc`, `virtual_bucket.c`.

use core::cmp::Ordering;

use super::{Peer, informs, informs_one_of, namespace, options::Points, switch};
use crate::{
    hash::{self, Hash, names, one_at_a_time::OneAtATime},
    key::KeyText,
    list::List,
    mechanism::{Slots, Table, View},
    order::Order,
    scheme::{Options, Scheme, Weights, fallback},
    server::host_and_port,
};

pub(super) mod rings;

/// MD5 ketama with weights, which other clients mean when they say "libmemcached compatible".
pub const KETAMA_WEIGHTED: Scheme<'static> = Scheme {
    name: "libmemcached-ketama-weighted",
    used_by: "libmemcached with KETAMA_WEIGHTED, php-memcached with OPT_LIBKETAMA_COMPATIBLE, pylibmc with ketama_weighted",
    hash: hash::MD5,
    weights: Weights::ZeroIsOne,
    mechanism: &rings::WEIGHTED,
    ..Scheme::BASE
};

/// What libmemcached calls ketama, though it is not the ketama of other clients.
pub const KETAMA: Scheme<'static> = Scheme {
    name: "libmemcached-ketama",
    used_by: "libmemcached with KETAMA, php-memcached's session handler, pylibmc with ketama",
    hash: hash::ONE_AT_A_TIME,
    weights: Weights::ZeroIsOne,
    mechanism: &rings::RINGS,
    options: Options::Libmemcached(Points::BEHAVIOR_FIRST),
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

/// The lowest bits of the hash name a bucket, and [`Options::Buckets`] or the number of servers gives its server.
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

/// The options of rings. Only rings that may become weighted ones take the last but one; only [`SPY`] takes the last.
const RING_OPTIONS: &[&str] = &[
    "hash",
    "points-hash",
    "points-per-server",
    "prefix",
    "hash_with_prefix_key",
    "sort_hosts",
    "auto_eject_hosts",
    "configured",
    "weighted",
];

const KETAMA_WEIGHTED_PEER: Peer = Peer {
    scheme: KETAMA_WEIGHTED,
    options: RING_OPTIONS.split_at(7).0,
    set: |scheme, name, value| match name {
        "points-hash" => informs(scheme, value, "md5"),
        "points-per-server" => informs(scheme, value, "160 nominal"),
        _ => set(scheme, name, value),
    },
};

const RING_PEER: Peer = Peer { scheme: KETAMA, options: RING_OPTIONS.split_at(8).0, set };

const SPY_PEER: Peer = Peer {
    scheme: SPY,
    options: RING_OPTIONS,
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
        "points-hash" => {
            pointed(scheme, Points { hash: Some(hash_named(value)?), ..scheme.options.points() })
        }
        "points-per-server" => informs_one_of(scheme, value, &["100", "160 nominal"], "100 or 160 nominal")?,
        "configured" => {
            pointed(scheme, Points { weighted_if_heavy: behavior_first(value)?, ..scheme.options.points() })
        }
        "buckets" => Scheme { options: bucket_map(value)?.map_or(Options::None, Options::Buckets), ..scheme },
        "prefix" => namespace(scheme, value),
        "hash_with_prefix_key" => Scheme { key: hashing_prefix(scheme.key, switch(value)?), ..scheme },
        "sort_hosts" => Scheme { roster: switch(value)?.then_some(by_host_then_port), ..scheme },
        "auto_eject_hosts" => {
            Scheme { fallback: if switch(value)? { eject } else { fallback::none }, ..scheme }
        }
        _ => return Err("no such option"),
    })
}

/// The scheme with these points.
const fn pointed(scheme: Scheme<'_>, points: Points) -> Scheme<'_> {
    Scheme { options: scheme.options.with_points(points), ..scheme }
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
pub(super) fn bucket_map(value: &str) -> Result<Option<List<'_, u16>>, &'static str> {
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
pub(super) fn by_host_then_port(left: &str, right: &str) -> Ordering {
    let parts = |name| {
        let (host, port) = host_and_port(name);
        (host, port.and_then(|port| port.parse::<u16>().ok()).unwrap_or(0))
    };
    parts(left).cmp(&parts(right))
}

#[cfg(test)]
mod tests {
    use std::{vec, vec::Vec};

    use super::*;
    use crate::{
        placement::Placement,
        scheme::BuildError,
        server::{Server, ServerIndex},
        storage::Fixed,
        text::Text,
    };

    const EQUAL: [Server<'static>; 3] =
        [Server::new("10.0.1.1:11211"), Server::new("10.0.1.2:11211"), Server::new("10.0.1.3:11211")];

    const HEAVY: [Server<'static>; 3] =
        [EQUAL[0].weighing(600), EQUAL[1].weighing(300), EQUAL[2].weighing(200)];

    fn with<'a>(scheme: Scheme<'a>, options: &[(&str, &'a str)]) -> Scheme<'a> {
        options.iter().fold(scheme, |scheme, (name, value)| scheme.with_option(name, value).unwrap())
    }

    fn placed(scheme: &Scheme<'_>, servers: &[Server<'_>], keys: &[&str]) -> Vec<usize> {
        keys.iter().map(|key| scheme.choose(servers, key.as_bytes()).unwrap().get()).collect()
    }

    /// Where sixty keys are.
    fn spread(scheme: &Scheme<'_>, servers: &[Server<'_>]) -> Vec<usize> {
        (b'0'..b'0' + 60).map(|key| scheme.choose(servers, &[key]).unwrap().get()).collect()
    }

    #[test]
    fn worked_examples() {
        for (scheme, options, expected) in [
            (KETAMA_WEIGHTED, &[][..], [0, 2, 2]),
            (KETAMA, &[], [0, 2, 1]),
            (KETAMA, &[("hash", "md5")], [1, 1, 2]),
            (CONSISTENT, &[], [0, 2, 1]),
            (SPY, &[("weighted", "1")], [1, 1, 2]),
            (MODULA, &[], [1, 0, 1]),
            (MODULA, &[("hash", "md5")], [0, 1, 2]),
            (MODULA, &[("hash", "crc")], [2, 1, 2]),
        ] {
            assert_eq!(
                placed(&with(scheme, options), &EQUAL, &["tokyo", "foo", "test"]),
                expected,
                "{scheme:?}"
            );
        }
    }

    #[test]
    fn a_weight_above_one_turns_the_ring_but_not_the_key_hash() {
        let weighted = with(KETAMA_WEIGHTED, &[("hash", "one_at_a_time")]);
        for scheme in [KETAMA, CONSISTENT] {
            let (before, after) =
                (("configured", "behavior-then-servers"), ("configured", "servers-then-behavior"));
            assert_eq!(spread(&scheme, &HEAVY), spread(&weighted, &HEAVY));
            assert_eq!(spread(&with(scheme, &[before]), &HEAVY), spread(&weighted, &HEAVY));
            assert_eq!(spread(&with(scheme, &[after]), &HEAVY), spread(&scheme, &EQUAL));
            assert_ne!(spread(&scheme, &EQUAL), spread(&weighted, &EQUAL));
            // Weight 0 is 1.
            assert_eq!(spread(&scheme, &EQUAL.map(|server| server.weighing(0))), spread(&scheme, &EQUAL));
            // Its ejection leaves the ring a weighted one, though the others are light.
            let list = [EQUAL[0], EQUAL[1], EQUAL[2].weighing(2)];
            let ejecting = with(scheme, &[("auto_eject_hosts", "1")]);
            let placement = Placement::build(ejecting, list, Fixed::<480>::new()).unwrap();
            for key in 0..100 {
                let mut out = [ServerIndex::default(); 2];
                let order = placement.order(&[key], &mut out);
                if order[0] == ServerIndex::new(2) {
                    assert_eq!(weighted.choose(&list[..2], &[key]), Ok(order[1]));
                }
            }
        }
    }

    #[test]
    fn points_keep_the_hash_that_they_were_made_with() {
        let late = with(KETAMA, &[("points-hash", "md5"), ("hash", "crc")]);
        let point = |hash: &Hash, name: &str| hash.of(name.as_bytes());
        // The owner of the first point at or above the key's hash, counted by hand.
        let expected = (0..3_usize)
            .flat_map(|server| (0..100).map(move |number| (server, number)))
            .min_by_key(|(server, number)| {
                let name = std::format!("10.0.1.{}-{number}", server + 1);
                point(&hash::MD5, &name).wrapping_sub(hash::CRC15.of(b"tokyo"))
            })
            .map(|(server, _)| server);
        assert_eq!(Some(placed(&late, &EQUAL, &["tokyo"])[0]), expected);
    }

    #[test]
    fn spy_is_weighted_when_told_or_when_weights_say_so() {
        let told = |value| with(SPY, &[("weighted", value)]);
        assert_eq!(told("1").hash_key(b"tokyo"), hash::MD5.of(b"tokyo"));
        assert_eq!(spread(&told("0"), &EQUAL), spread(&SPY, &EQUAL));
        assert_eq!(spread(&told("0"), &HEAVY), spread(&SPY, &EQUAL));
        assert_eq!(
            spread(&SPY, &HEAVY),
            spread(&with(SPY, &[("hash", "default"), ("weighted", "1")]), &HEAVY)
        );
        for hash in ["one_at_a_time", "crc", "md5"] {
            let [first, last] = [("weighted", "1"), ("hash", hash)];
            assert_eq!(
                spread(&with(SPY, &[first, last]), &HEAVY),
                spread(&with(SPY, &[last, first]), &HEAVY),
                "{hash}"
            );
        }
    }

    #[test]
    fn a_hashed_prefix_counts_as_the_peer_copies_it() {
        let scheme = with(MODULA, &[("hash_with_prefix_key", "1"), ("prefix", "app1:")]);
        let hash = |key: &[u8]| scheme.hash_key(key);
        assert_eq!(hash(b"tokyo"), hash::ONE_AT_A_TIME.of(b"app1:tokyo"));
        assert_eq!(hash(b"to\0yo"), hash::ONE_AT_A_TIME.of(b"app1:to\0\0\0"));
        let text = |len| [&b"app1:"[..], &vec![b'k'; len]].concat();
        assert_eq!(hash(&[b'k'; 245]), hash::ONE_AT_A_TIME.of(&text(245)));
        assert_eq!(hash(&[b'k'; 246]), 0);
        // Not hashed, it has no length either.
        let scheme = with(scheme, &[("hash_with_prefix_key", "0")]);
        assert_eq!(scheme.hash_key(&[b'k'; 246]), hash::ONE_AT_A_TIME.of(&[b'k'; 246]));
        assert_eq!(scheme.key.of(b"to\0yo").len(), 5);
    }

    #[test]
    fn hosts_are_sorted_by_bytes_and_ports_by_number() {
        let mut names = ["b:11211", "a:11212", "a:9999", "B:11211", "/a.sock:0", "a:11211", "::1:11211"];
        names.sort_by(|left, right| by_host_then_port(left, right));
        assert_eq!(names, ["/a.sock:0", "::1:11211", "B:11211", "a:9999", "a:11211", "a:11212", "b:11211"]);
    }

    #[test]
    fn sorted_servers_are_the_buckets_in_their_order() {
        let listed = ["c:1", "a:1", "d:1", "b:1"].map(Server::new);
        for (buckets, sorted) in [("none", "none"), ("3,1,0,2", "3,1,0,2"), ("0,0,3", "0,0,3")] {
            let expected = ["a:1", "b:1", "c:1", "d:1"].map(Server::new);
            let expected = spread(&with(VBUCKET, &[("buckets", buckets)]), &expected);
            let scheme = with(VBUCKET, &[("buckets", sorted), ("sort_hosts", "1")]);
            let placement = Placement::build(scheme, listed, Fixed::<4>::new()).unwrap();
            let place = [2, 0, 3, 1];
            let found = spread(&scheme, &listed);
            assert_eq!(found.iter().map(|&server| place[server]).collect::<Vec<_>>(), expected);
            let stored: Vec<_> = (b'0'..b'0' + 60).map(|key| placement.primary(&[key]).get()).collect();
            assert_eq!(stored, found);
        }
    }

    #[test]
    fn the_mask_is_applied_blindly() {
        // Of three servers as buckets, the mask 2 names the first and the last.
        assert_eq!(spread(&VBUCKET, &EQUAL).iter().copied().max(), Some(2));
        assert!(!spread(&VBUCKET, &EQUAL).contains(&1));
        // Of six buckets, the mask 5 names four.
        let scheme = with(VBUCKET, &[("buckets", "0,0,1,1,2,2")]);
        assert!(!spread(&scheme, &EQUAL).contains(&1));
        let wrong = with(VBUCKET, &[("buckets", "0,3")]);
        assert_eq!(wrong.needs(&EQUAL), Err(BuildError::Bucket { bucket: 1, server: 3 }));
    }

    #[test]
    fn ejection_rebuilds_rings_and_nothing_else() {
        for (scheme, expected) in
            [(KETAMA_WEIGHTED, 3), (KETAMA, 3), (CONSISTENT, 3), (SPY, 3), (MODULA, 1), (VBUCKET, 1)]
        {
            for (switch, expected) in [("1", expected), ("0", 1)] {
                let scheme = with(scheme, &[("auto_eject_hosts", switch)]);
                let placement = Placement::build(scheme, EQUAL, Fixed::<480>::new()).unwrap();
                let mut out = [ServerIndex::default(); 3];
                assert_eq!(placement.order(b"tokyo", &mut out).len(), expected, "{scheme:?}");
            }
        }
    }
}
