//! PECL memcache, PHP's older extension (the class `Memcache`).
//!
//! | scheme | `memcache.hash_strategy` | `hash` = `memcache.hash_function` |
//! |---|---|---|
//! | [`STANDARD`] | `standard` | `crc32` or `fnv`, 15 bits of it, 1 in place of 0 |
//! | [`CONSISTENT`] | `consistent`, what Debian sets | `crc32` or `fnv` (fnv1a_32) |
//!
//! - Weights are whole numbers above zero: slots of [`STANDARD`], 160 points each of [`CONSISTENT`].
//! - [`CONSISTENT`] names servers `host:port`, the port always there, and a socket `unix:///path:0`. It looks 1024 places
//!   of the ring up beforehand: what counts of a key's hash are its lowest ten bits. Two servers on one point: the first
//!   of the list has it.
//! - Of a key, every byte up to the blank counts as `_`, and bytes beyond 250 do not count. That includes the prefix,
//!   option `prefix`, which is hashed here.
//! - A dead server's keys go where the key with `-0`, `-1`, … behind it goes: the first living of
//!   `max_failover_attempts` (20) of them, so a key may have no server at all. `allow_failover=0` turns that off.
//! - `hash_strategy` is checked.
//!
//! Source: pecl memcache 4.0.5.2 `memcache_consistent_hash.c`, `memcache_standard_hash.c`, `memcache_pool.c`
//! (`mmc_pool_find`, `mmc_prepare_key_ex`).

use super::{Peer, count, informs, namespace, switch};
use crate::{
    hash::{
        self,
        names::{self, Names},
    },
    key::KeyText,
    live::Live,
    mechanism::{Label, MAX_POINTS, Slots, Table, View, ketama},
    order::Order,
    scheme::{BuildError, Scheme, Weights, fallback},
    server::{ServerIndex, host_and_port},
    text::{Concat, Decimal},
};

/// The strategy `standard`.
pub const STANDARD: Scheme<'static> = Scheme {
    name: "pecl-memcache-standard",
    used_by: "PHP's Memcache class with memcache.hash_strategy=standard",
    key: KeyText { form: Some(cleaned), ..KeyText::WHOLE },
    hash: hash::CRC15_OR_1,
    weights: Weights::Positive,
    mechanism: &Slots::BY_HASH,
    fallback: key_with_number,
    tries: 1 + 20,
    ..Scheme::BASE
};

/// The strategy `consistent`.
pub const CONSISTENT: Scheme<'static> = Scheme {
    name: "pecl-memcache-consistent",
    used_by: "PHP's Memcache class with memcache.hash_strategy=consistent",
    hash: hash::CRC32,
    mechanism: &TABLE,
    ..STANDARD
};

/// Longest prefix and key that the peer takes.
const LONGEST: usize = 250;

/// Points of a server for each unit of its weight.
const POINTS: u32 = 160;

const BUCKETS: usize = 1024;

/// From the place of one bucket on the ring to that of the next.
const STEP: u32 = u32::MAX / BUCKETS as u32;

/// Marks a bucket without an owner; no server has this index.
const NOBODY: u16 = u16::MAX;

/// A bucket belongs to the owner of the first point at or above its place.
const TABLE: Table = Table {
    count: |_, live| match live.total().saturating_mul(POINTS.into()) {
        needed if needed > MAX_POINTS.into() => Err(BuildError::TooManyPoints { needed }),
        _ => Ok(BUCKETS),
    },
    fill: |scheme, live, firsts, owners| {
        // Each point lies between the places of two buckets, so the lowest between them is all that is needed.
        owners.fill(NOBODY);
        each_point(scheme, live, &mut |point, server| {
            let bucket = ((point / STEP) as usize).min(BUCKETS - 1);
            if let (Some(first), Some(owner)) = (firsts.get_mut(bucket), owners.get_mut(bucket)) {
                if *owner == NOBODY || point < *first {
                    (*first, *owner) = (point, server.raw());
                }
            }
        });
        // Buckets with no point up to the next one have what the next one has, all the way round.
        let mut next = owners.iter().copied().find(|&owner| owner != NOBODY).unwrap_or(0);
        for owner in owners.iter_mut().rev() {
            match *owner {
                NOBODY => *owner = next,
                known => next = known,
            }
        }
    },
    owner: |scheme, live, bucket| {
        let place = STEP * bucket as u32;
        let mut nearest: Option<(u32, ServerIndex)> = None;
        each_point(scheme, live, &mut |point, server| {
            let distance = point.wrapping_sub(place);
            if nearest.is_none_or(|(least, _)| distance < least) {
                nearest = Some((distance, server));
            }
        });
        nearest.map(|(_, server)| server)
    },
};

fn each_point(scheme: &Scheme<'_>, live: &Live<'_>, sink: &mut dyn FnMut(u32, ServerIndex)) {
    for member in live.members() {
        let count = POINTS.saturating_mul(member.weight);
        ketama::hashed_points(&label(member.name), &scheme.hash, count, &mut |point| {
            sink(point, member.index);
        });
    }
}

/// What the peer calls a server; a socket is written as its path or as the peer wants it, `unix:///path`.
fn label(name: &str) -> Label<'_> {
    let path = name.strip_prefix("unix://").unwrap_or(name);
    if path.starts_with('/') {
        let tail = if host_and_port(path).1.is_some() { "" } else { ":0" };
        return Label { lead: "unix://", name: path, tail };
    }
    Label::with_port(name)
}

/// Prefix and key as the peer sends them.
fn cleaned(rule: &KeyText<'_>, key: &[u8], sink: &mut dyn FnMut(&[u8])) {
    let mut left = LONGEST;
    for part in [rule.prefix, key] {
        let part = part.get(..left).unwrap_or(part);
        left -= part.len();
        let mut words = part.split(|&byte| byte <= b' ');
        sink(words.next().unwrap_or_default());
        for word in words {
            sink(b"_");
            sink(word);
        }
    }
}

/// Places `KEY-0`, `KEY-1` ….
fn key_with_number(view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
    let Scheme { key: text, hash, .. } = view.scheme;
    fallback::chain(view, order, |number| hash.of_text(&Concat([&text.of(key), &"-", &Decimal(number - 1)])));
}

pub(super) const PEERS: &[Peer] = &[
    Peer {
        scheme: STANDARD,
        options: OPTIONS,
        set: |scheme, name, value| match name {
            "hash_strategy" => informs(scheme, value, "standard"),
            _ => set(scheme, name, value, names::PECL_MEMCACHE_STANDARD),
        },
    },
    Peer {
        scheme: CONSISTENT,
        options: OPTIONS,
        set: |scheme, name, value| match name {
            "hash_strategy" => informs(scheme, value, "consistent"),
            _ => set(scheme, name, value, names::PECL_MEMCACHE_CONSISTENT),
        },
    },
];

const OPTIONS: &[&str] = &["hash", "hash_strategy", "prefix", "allow_failover", "max_failover_attempts"];

fn set<'a>(
    scheme: Scheme<'a>,
    name: &str,
    value: &'a str,
    hashes: Names,
) -> Result<Scheme<'a>, &'static str> {
    Ok(match name {
        "hash" => Scheme { hash: hashes.hash(value).ok_or("crc32 or fnv")?, ..scheme },
        "prefix" => namespace(scheme, value),
        "allow_failover" if switch(value)? => Scheme { fallback: key_with_number, ..scheme },
        "allow_failover" => Scheme { fallback: fallback::none, ..scheme },
        "max_failover_attempts" => Scheme { tries: 1 + attempts(value)?, ..scheme },
        _ => return Err("no such option"),
    })
}

/// More tries than a list can have servers would only take time.
fn attempts(value: &str) -> Result<u32, &'static str> {
    count(value)
        .ok()
        .filter(|&count| count <= ServerIndex::MAX_SERVERS as u32)
        .ok_or("a number from 1 to 65535")
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::{
        placement::Placement,
        server::{Server, Weight},
        storage::Fixed,
        text::Text,
    };

    const SERVERS: [Server<'static>; 3] =
        [Server::new("10.0.1.1:11211"), Server::new("10.0.1.2:11211"), Server::new("10.0.1.3:11211")];

    fn order(scheme: Scheme<'_>, key: &str) -> Vec<usize> {
        let placement = Placement::build(scheme, SERVERS, Fixed::<1024>::new()).unwrap();
        let mut out = [ServerIndex::default(); 3];
        placement.order(key.as_bytes(), &mut out).iter().map(|server| server.get()).collect()
    }

    #[test]
    fn worked_examples() {
        let fnv = CONSISTENT.with_option("hash", "fnv").unwrap();
        for (key, standard, consistent, consistent_fnv) in [
            ("tokyo", [2, 1, 0], [1, 0, 2], [2, 1, 0]),
            ("foo", [1, 2, 0], [1, 0, 2], [2, 0, 1]),
            ("test", [2, 0, 1], [1, 0, 2], [2, 0, 1]),
        ] {
            assert_eq!(order(STANDARD, key), standard, "{key}");
            assert_eq!(order(CONSISTENT, key), consistent, "{key}");
            assert_eq!(order(fnv, key), consistent_fnv, "{key}");
        }
    }

    fn text(rule: &KeyText<'_>, key: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        rule.of(key).feed(&mut |piece| text.extend_from_slice(piece));
        text
    }

    #[test]
    fn blanks_become_lines_and_the_rest_is_cut() {
        assert_eq!(text(&STANDARD.key, b"a b\t\0c\x7f\xff \n"), b"a_b__c\x7f\xff__");
        assert_eq!(text(&STANDARD.key, b" "), b"_");
        assert_eq!(text(&STANDARD.key, &[b'k'; 251]), [b'k'; 250]);
        let prefixed = STANDARD.with_option("prefix", "p q:").unwrap().key;
        assert_eq!(text(&prefixed, b"a b"), b"p_q:a_b");
        assert_eq!(text(&prefixed, &[b' '; 251])[..], [b"p_q:".as_slice(), &[b'_'; 246]].concat());
        // The number of a try comes behind the cut.
        let hash = STANDARD.hash.of(&[[b'k'; 250].as_slice(), b"-0"].concat());
        let concat = Concat([&STANDARD.key.of(&[b'k'; 300]), &"-", &Decimal(0)]);
        assert_eq!(STANDARD.hash.of_text(&concat), hash);
    }

    #[test]
    fn failover_can_be_limited_and_turned_off() {
        for scheme in [STANDARD, CONSISTENT] {
            let limited = scheme.with_option("max_failover_attempts", "1").unwrap();
            let off = scheme.with_option("allow_failover", "0").unwrap();
            for key in ["tokyo", "foo", "test", "bar"] {
                assert!(order(limited, key).len() <= 2);
                assert_eq!(order(limited, key), order(scheme, key)[..order(limited, key).len()]);
                assert_eq!(order(off, key), order(scheme, key)[..1]);
            }
            assert!(scheme.with_option("max_failover_attempts", "0").is_err());
        }
    }

    #[test]
    fn more_points_than_can_be_looked_at_in_time_are_refused() {
        let heavy = |weight| [SERVERS[0], Server { weight: Weight::Whole(weight), ..SERVERS[1] }];
        let most = MAX_POINTS / POINTS;
        let needed = (u64::from(most) + 1) * u64::from(POINTS);
        assert_eq!(CONSISTENT.needs(&heavy(most)), Err(BuildError::TooManyPoints { needed }));
        assert!(CONSISTENT.needs(&heavy(u32::MAX)).is_err());
        assert!(CONSISTENT.needs(&heavy(most - 1)).is_ok());
        assert!(STANDARD.needs(&heavy(u32::MAX - 1)).is_ok());
    }
}
