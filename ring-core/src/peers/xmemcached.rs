//! xmemcached, the other Java client: its session locators.
//!
//! | scheme | locator | default `hash` |
//! |---|---|---|
//! | [`ARRAY`] | `ArrayMemcachedSessionLocator`, the default: as many slots as the weights add up to | `NATIVE_HASH` |
//! | [`PHPMEMCACHE`] | `PHPMemcacheSessionLocator`: the same over bits 16 to 30 of the hash | `NATIVE_HASH` |
//! | [`KETAMA`] | `KetamaMemcachedSessionLocator`: 160 points for each unit of weight | `KETAMA_HASH` |
//! | [`KETAMA_NGINX`] | the same with `cwNginxUpstreamConsistent` | `KETAMA_HASH` |
//! | [`LIBMEMCACHED`] | `LibmemcachedMemcachedSessionLocator`: 100 points, weights ignored | `ONE_AT_A_TIME` |
//! | [`ELECTION`] | `ElectionMemcachedSessionLocator`: the server whose name and key hash highest | `ELECTION_HASH` |
//!
//! - A server is named as Java prints its address, *with* the slash: `/10.0.1.1:11211`, `cache1/10.0.1.1:11211`. spymemcached
//!   takes the slash off, so that the two Java clients do not agree. A name without any slash gets one in front here. An
//!   address that resolves back to a name has that in front (read, not run).
//! - [`KETAMA_NGINX`] names a server by its address, and by its port unless that is 11211; [`LIBMEMCACHED`] likewise by its
//!   host name where there is one. With a bare address that peer asks the reverse DNS.
//! - Keys are Java strings. `KETAMA_HASH`, `ELECTION_HASH`, `CRC32_HASH` and `ONE_AT_A_TIME` take their UTF-8, the others their
//!   UTF-16 units. `CRC32_HASH` has 15 bits; [`PHPMEMCACHE`] shifts them away, so that with it all keys are on the first
//!   server.
//! - Weights are whole numbers above zero. Those of [`KETAMA`] multiply a server's points: the ring is not normalised.
//! - Servers on one point of [`KETAMA`] and [`KETAMA_NGINX`] stay in a list, sorted by name; the point modulo its length says
//!   who has it. [`LIBMEMCACHED`] has it at random; here it is the first of the list.
//! - A dead server's keys go to the next slot or, with [`ELECTION`], to the next highest. On rings, to the server of another
//!   hash: the first plus the hash of `1` and the key, then plus that of `2` and the key … as often as there are servers.
//!   spymemcached begins with `0`.
//! - [`ELECTION`] hashes a server as often as it weighs. Weights of more than 2^20 together are refused here.
//!
//! | option | means |
//! |---|---|
//! | `hash` | the `HashAlgorithm`, of points too, but for `MYSQL_HASH`, `ELF_HASH`, `RS_HASH` and `LUA_HASH`, which are not here. [`KETAMA`] takes four points of a digest with `KETAMA_HASH`, else one of a hash |
//! | `numReps` | points of every server of [`LIBMEMCACHED`] |
//!
//! Other versions: the rings of the oldest keep the last of the servers on one point and know no weights (read, not run).
//!
//! Source: xmemcached at 5d09c5d1 (2.4.10-SNAPSHOT), `impl/*SessionLocator.java`, `HashAlgorithm.java`,
//! `MemcachedConnector.java`.

use core::cmp::Ordering;

use super::{Peer, count};
use crate::{
    hash::{self, Hash, names},
    mechanism::{Continuum, Label, Rendezvous, Slots, Tie, View, ketama},
    order::Order,
    scheme::{Options, RingOptions, Scheme, Weights, fallback},
    server::host_and_port,
    text::{Concat, Decimal},
};

/// The default locator.
pub const ARRAY: Scheme<'static> = Scheme {
    name: "xmemcached-array",
    used_by: "xmemcached, Java, by default",
    hash: hash::JAVA,
    weights: Weights::Positive,
    fallback: fallback::next_index,
    ..Scheme::BASE
};

/// `PHPMemcacheSessionLocator`.
pub const PHPMEMCACHE: Scheme<'static> = Scheme {
    name: "xmemcached-phpmemcache",
    used_by: "xmemcached, Java, with a PHPMemcacheSessionLocator",
    mechanism: &Slots {
        slot: Some(|scheme, key, total| {
            ((scheme.hash_key(key) >> 16) & 0x7fff).checked_rem(total).unwrap_or(0)
        }),
    },
    ..ARRAY
};

/// `KetamaMemcachedSessionLocator`.
pub const KETAMA: Scheme<'static> = Scheme {
    name: "xmemcached-ketama",
    used_by: "xmemcached, Java, with a KetamaMemcachedSessionLocator",
    hash: hash::MD5,
    roster: Some(by_name),
    mechanism: &const { ring(java_name) },
    fallback: rehash,
    ..ARRAY
};

/// `KetamaMemcachedSessionLocator` with `cwNginxUpstreamConsistent`.
pub const KETAMA_NGINX: Scheme<'static> = Scheme {
    name: "xmemcached-ketama-nginx",
    used_by: "xmemcached, Java, with a KetamaMemcachedSessionLocator and cwNginxUpstreamConsistent",
    mechanism: &const { ring(address) },
    ..KETAMA
};

/// `LibmemcachedMemcachedSessionLocator`.
pub const LIBMEMCACHED: Scheme<'static> = Scheme {
    name: "xmemcached-libmemcached",
    used_by: "xmemcached, Java, with a LibmemcachedMemcachedSessionLocator",
    hash: hash::ONE_AT_A_TIME_UNSIGNED,
    weights: Weights::Ignored,
    roster: None,
    mechanism: &Continuum {
        count: |scheme, _, _| scheme.options.ring().replicas,
        points: |scheme, _, label, count, sink| ketama::hashed_points(label, &scheme.hash, count, sink),
        tie: Tie::Stay,
        ..ring(host)
    },
    options: Options::Ring(RingOptions::new(100)),
    ..KETAMA
};

/// `ElectionMemcachedSessionLocator`.
pub const ELECTION: Scheme<'static> = Scheme {
    name: "xmemcached-election",
    used_by: "xmemcached, Java, with an ElectionMemcachedSessionLocator",
    hash: hash::MD5,
    mechanism: &Rendezvous {
        score: |scheme, member, key| {
            let vote = |number: u32| {
                let number = Decimal(number.into());
                scheme.hash.of_text(&Concat([&java_name(member.name), &"-", &number, &scheme.key.of(key)]))
            };
            (0..member.weight).map(vote).max().unwrap_or(0)
        },
        tie: |_, _, _| Ordering::Equal,
    },
    fallback: fallback::walk,
    ..ARRAY
};

/// Points of a server for each unit of its weight.
const POINTS: u32 = 160;

const fn ring(label: fn(&str) -> Label<'_>) -> Continuum<u32> {
    Continuum {
        count: |_, _, member| POINTS.saturating_mul(member.weight),
        points: |scheme, _, label, count, sink| {
            if scheme.hash.name() == hash::MD5.name() {
                ketama::points(label, count, ketama::POINTS_PER_DIGEST, sink);
            } else {
                ketama::hashed_points(label, &scheme.hash, count, sink);
            }
        },
        tie: Tie::ByValue,
        ..ketama::ring(label)
    }
}

/// What Java prints for an address.
fn java_name(name: &str) -> Label<'_> {
    Label { lead: if name.contains('/') { "" } else { "/" }, ..Label::verbatim(name) }
}

/// The host's name, which may be empty, and the address with its port.
fn parts(name: &str) -> (&str, &str) {
    let slash = name.bytes().rposition(|byte| byte == b'/');
    match slash.and_then(|slash| name.split_at_checked(slash)) {
        Some((host, address)) => (host, address.strip_prefix('/').unwrap_or(address)),
        None => ("", name),
    }
}

/// The address, and the port unless it is 11211.
fn address(name: &str) -> Label<'_> {
    Label::without_default_port_and_brackets(parts(name).1)
}

/// The host's name, or its address without one, and the port unless it is 11211.
fn host(name: &str) -> Label<'_> {
    match parts(name) {
        ("", _) => address(name),
        (host, address) => {
            let port = address.get(host_and_port(address).0.len()..).unwrap_or_default();
            Label { name: host, tail: if port == ":11211" { "" } else { port }, ..Label::verbatim(host) }
        }
    }
}

/// Names as Java compares them: by UTF-16 units.
fn by_name(left: &str, right: &str) -> Ordering {
    let units = |name| java_name(name).lead.encode_utf16().chain(java_name(name).name.encode_utf16());
    units(left).cmp(units(right))
}

/// Adds the hash of try number and key to the hash, as often as there are servers.
fn rehash(view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
    let Scheme { key: text, hash, .. } = view.scheme;
    let mut sum = text.hash(hash, key);
    for number in 1..=view.servers.count() as u64 {
        sum = sum.wrapping_add(hash.of_text(&Concat([&Decimal(number), &text.of(key)])));
        if !order.push(view.scheme.mechanism.at(view, sum)) {
            return;
        }
    }
}

pub(super) const PEERS: &[Peer] = &[
    Peer { scheme: ARRAY, options: &["hash"], set },
    Peer { scheme: PHPMEMCACHE, options: &["hash"], set },
    Peer { scheme: KETAMA, options: &["hash"], set },
    Peer { scheme: KETAMA_NGINX, options: &["hash"], set },
    Peer { scheme: LIBMEMCACHED, options: &["hash", "numReps"], set },
    Peer { scheme: ELECTION, options: &["hash"], set },
];

fn set<'a>(scheme: Scheme<'a>, name: &str, value: &'a str) -> Result<Scheme<'a>, &'static str> {
    match name {
        "numReps" => Ok(Scheme { options: scheme.options.with_replicas(count(value)?), ..scheme }),
        _ => Ok(Scheme { hash: named(value)?, ..scheme }),
    }
}

fn named(name: &str) -> Result<Hash, &'static str> {
    names::XMEMCACHED.hash(name).ok_or("a hash of xmemcached: NATIVE_HASH, KETAMA_HASH, CRC32_HASH …")
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, vec::Vec};

    use super::*;
    use crate::{Placement, Server, ServerIndex, scheme::BuildError};

    fn order(scheme: Scheme<'_>, servers: &[Server<'_>], key: &str) -> Vec<usize> {
        let placement = Placement::owned(scheme, servers).unwrap();
        let mut out = std::vec![ServerIndex::default(); servers.len()];
        placement.order(key.as_bytes(), &mut out).iter().map(|server| server.get()).collect()
    }

    #[test]
    fn worked_examples() {
        let servers = ["/10.0.1.1:11211", "/10.0.1.2:11211", "/10.0.1.3:11211"].map(Server::new);
        for (scheme, orders) in [
            (ARRAY, [&[2, 0, 1][..], &[0, 1, 2], &[1, 2, 0]]),
            (KETAMA, [&[1, 2], &[1, 2, 0], &[2]]),
            (ELECTION, [&[2, 1, 0], &[1, 2, 0], &[0, 2, 1]]),
        ] {
            for (key, expected) in ["tokyo", "foo", "test"].into_iter().zip(orders) {
                assert_eq!(order(scheme, &servers, key), expected, "{} {key}", scheme.name);
                let bare = servers.map(|server| Server::new(server.name.trim_start_matches('/')));
                assert_eq!(order(scheme, &bare, key), expected, "{} {key}", scheme.name);
            }
        }
    }

    #[test]
    fn names_are_java_s_and_what_the_locators_make_of_them() {
        for (name, java, nginx, libmemcached) in [
            ("/10.0.1.1:11211", "/10.0.1.1:11211", "10.0.1.1", "10.0.1.1"),
            ("10.0.1.1:11212", "/10.0.1.1:11212", "10.0.1.1:11212", "10.0.1.1:11212"),
            ("a.b/10.0.1.1:11211", "a.b/10.0.1.1:11211", "10.0.1.1", "a.b"),
            ("a.b/10.0.1.1:11212", "a.b/10.0.1.1:11212", "10.0.1.1:11212", "a.b:11212"),
            (
                "a/[fd00:0:0:0:0:0:0:1]:11212",
                "a/[fd00:0:0:0:0:0:0:1]:11212",
                "fd00:0:0:0:0:0:0:1:11212",
                "a:11212",
            ),
            ("/[::1]:11211", "/[::1]:11211", "::1", "::1"),
            ("", "/", "", ""),
            ("/", "/", "", ""),
        ] {
            for (label, expected) in
                [(java_name(name), java), (address(name), nginx), (host(name), libmemcached)]
            {
                assert!(label.bytes().eq(expected.bytes()), "{name}: {label:?}");
            }
        }
    }

    #[test]
    fn names_are_compared_by_utf_16_units() {
        // U+10000 is D800 DC00 in UTF-16, and so comes before U+FFFD.
        assert_eq!(by_name("\u{10000}/a:1", "\u{fffd}/a:1"), Ordering::Less);
        assert_eq!(by_name("/a:1", "a:1"), Ordering::Equal);
        assert_eq!(by_name("a/b:1", "/b:1"), Ordering::Greater);
    }

    #[test]
    fn of_all_owners_of_a_point_its_value_picks_one() {
        // Points of 15 bits, so that there are many equal ones, also of one server.
        let crowded = KETAMA.with_option("hash", "CRC32_HASH").unwrap();
        let servers = ["/b:1", "/a:1", "/c:1", "/a:2"].map(|name| Server::new(name).weighing(20));
        let mut ring: BTreeMap<u32, Vec<(&str, usize)>> = BTreeMap::new();
        for (index, server) in servers.iter().enumerate() {
            for number in 0..160 * 20 {
                let point = hash::CRC15.of(std::format!("{}-{number}", server.name).as_bytes());
                ring.entry(point).or_default().push((server.name, index));
            }
        }
        ring.values_mut().for_each(|owners| owners.sort());
        assert!(ring.values().filter(|owners| owners.len() > 1).count() > 100);
        let placement = Placement::owned(crowded, servers).unwrap();
        for number in 0..2000 {
            let key = std::format!("key:{number}");
            let hash = crowded.hash_key(key.as_bytes());
            let (point, owners) = ring.range(hash..).next().or_else(|| ring.first_key_value()).unwrap();
            let expected = owners[*point as usize % owners.len()].1;
            assert_eq!(placement.primary(key.as_bytes()).get(), expected, "{key}");
            if number < 20 {
                assert_eq!(crowded.choose(&servers, key.as_bytes()).unwrap().get(), expected, "{key}");
            }
        }
    }

    #[test]
    fn a_shifted_crc_of_fifteen_bits_is_nothing() {
        let servers = ["/a:1", "/b:1", "/c:1"].map(Server::new);
        let shifted = PHPMEMCACHE.with_option("hash", "CRC32_HASH").unwrap();
        assert!((0..100_u8).all(|key| shifted.choose(&servers, &[key]) == Ok(ServerIndex::new(0))));
    }

    #[test]
    fn the_name_of_a_hash_decides_between_four_points_of_a_digest_and_one() {
        let servers = ["/a:1", "/b:1", "/c:1"].map(Server::new);
        let election = KETAMA.with_option("hash", "ELECTION_HASH").unwrap();
        let place = |scheme: &Scheme<'_>, key| scheme.choose(&servers, &[key]).unwrap();
        assert!((0..100).any(|key| place(&election, key) != place(&KETAMA, key)));
        assert_eq!(election.needs(&servers), KETAMA.needs(&servers));
    }

    #[test]
    fn more_votes_than_anybody_waits_for_are_refused() {
        let heavy = |weight| [Server::new("/a:1").weighing(weight), Server::new("/b:1")];
        assert_eq!(ELECTION.needs(&heavy(u32::MAX)), Err(BuildError::TotalWeight));
        assert_eq!(ELECTION.needs(&heavy(1 << 20)), Err(BuildError::TotalWeight));
        assert!(ELECTION.needs(&heavy((1 << 20) - 1)).is_ok());
        assert!(ELECTION.needs(&heavy(0)).is_err());
    }

    #[test]
    fn bytes_have_no_sign_in_java() {
        assert_eq!(hash::ONE_AT_A_TIME_UNSIGNED.of(b"tokyo"), hash::ONE_AT_A_TIME.of(b"tokyo"));
        assert_ne!(hash::ONE_AT_A_TIME_UNSIGNED.of(b"\xc3\xa9"), hash::ONE_AT_A_TIME.of(b"\xc3\xa9"));
    }
}
