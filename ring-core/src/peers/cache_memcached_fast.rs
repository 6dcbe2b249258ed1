//! Cache::Memcached::Fast, the Perl client in C: like Cache::Memcached, and a ring of chained CRC-32 points.
//!
//! | scheme | when | how |
//! |---|---|---|
//! | [`CACHE_MEMCACHED_FAST`] | without `ketama_points` | 15 bits of CRC-32 on a line cut by weights |
//! | [`CACHE_MEMCACHED_FAST_KETAMA`] | with `ketama_points` | a ring, `ketama_points` × weight points a server |
//!
//! - Weights are numbers above zero, also fractions. With whole weights the line is that of Cache::Memcached; with
//!   fractions it is cut in f64, and a light server may get no key at all. The ring is not normalised: large weights make
//!   it large.
//! - The ring's points come from host and port, cut at the last colon, as they are spelled: see `crc_chain`. An IPv6
//!   address has no brackets, for the peer could not dial it with them. nginx' `hash … consistent` is this ring with 160
//!   points. Two servers on one point: the first of the list has it.
//! - Option `namespace` is hashed only with `hash_namespace=1`.
//! - No fallback: the keys of a dead server miss. Without a ring a single server has every key, whatever its weight.
//! - Two things crash the peer and are [`NothingToPlaceOn`](BuildError::NothingToPlaceOn) here: weights of two or more
//!   servers that add up to less than a half (it divides by zero), and weights too small for any point of a ring.
//!
//! Source: Cache::Memcached::Fast 0.28 `src/dispatch_key.c`.

use super::{Peer, count, crc_chain, namespace, switch};
use crate::{
    hash,
    key::KeyText,
    live::{Live, Member},
    mechanism::{Continuum, Division, Label, Search, Slots, Tie, View, Way},
    scheme::{BuildError, Options, RingOptions, Scheme, Weights},
    server::{ServerIndex, host_and_port},
    storage::{EntriesMut, Needs},
};

/// Cache::Memcached::Fast without `ketama_points`.
pub const CACHE_MEMCACHED_FAST: Scheme<'static> = Scheme {
    name: "cache-memcached-fast",
    used_by: "Perl's Cache::Memcached::Fast without ketama_points",
    hash: hash::CRC15,
    weights: Weights::PositiveReal,
    mechanism: &Line,
    ..Scheme::BASE
};

/// Cache::Memcached::Fast with `ketama_points`, 150 unless set.
pub const CACHE_MEMCACHED_FAST_KETAMA: Scheme<'static> = Scheme {
    name: "cache-memcached-fast-ketama",
    used_by: "Perl's Cache::Memcached::Fast with ketama_points",
    hash: hash::CRC32,
    weights: Weights::PositiveReal,
    mechanism: &RING,
    options: Options::Ring(RingOptions::new(150)),
    ..Scheme::BASE
};

const RING: Continuum<u32> = Continuum {
    label: Label::verbatim,
    count: |scheme, _, member| (f64::from(scheme.options.ring().replicas) * member.real + 0.5) as u32,
    points: |_, _, label, count, sink| {
        let (host, port) = address(label.name);
        crc_chain::points(host, port, count, sink);
    },
    search: Search::AtOrAbove,
    tie: Tie::FirstStays,
};

/// Host and port; a path has no port.
fn address(name: &str) -> (&str, &str) {
    match host_and_port(name) {
        (host, Some(port)) => {
            (host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host), port)
        }
        (path, None) => (path, ""),
    }
}

/// A line of 2³² places: each server added takes its share off the end of every earlier one. A hash has as many slots as
/// the weights add up to, rounded, spread evenly over the line.
///
/// What is stored is where each server's slots end, so that a look-up is that of [`Slots`] and needs no float.
#[derive(Clone, Copy, Debug)]
struct Line;

impl Line {
    /// Number of hashes that a key can have: 15 bits.
    const HASHES: u64 = 1 << 15;

    /// Whether the line is cut where the slots of Cache::Memcached end: whole weights, no more slots than hashes.
    fn is_plain(live: &Live<'_>) -> bool {
        live.total() < Self::HASHES && live.members().all(|member| f64::from(member.weight) == member.real)
    }

    fn total(live: &Live<'_>) -> f64 {
        live.members().fold(0.0, |total, member| total + member.real)
    }

    fn slots(total: f64) -> u32 {
        (total + 0.5) as u32
    }

    /// The place of a slot.
    fn place(slot: u32, total: f64) -> u32 {
        let place = (f64::from(slot) / total * f64::from(u32::MAX) + 0.5) as u32;
        // The peer's sum could wrap, but never does for a slot that one of its hashes has.
        place.saturating_add(1)
    }

    /// The last place of a server.
    fn last_place(live: &Live<'_>, server: &Member<'_>) -> u32 {
        let mut total = 0.0;
        let mut place = u32::MAX;
        for member in live.members() {
            total += member.real;
            if member.index > server.index {
                let end = f64::from(place);
                place = (end - end * (member.real / total)) as u32;
            }
        }
        place
    }

    /// How many slots lie at or before `place`.
    fn slots_up_to(place: u32, total: f64) -> u32 {
        let (mut low, mut high) = (0, Self::slots(total));
        while low < high {
            let middle = low.midpoint(high);
            if Self::place(middle, total) <= place {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl Way for Line {
    fn needs(&self, scheme: &Scheme<'_>, live: &Live<'_>) -> Result<Needs, BuildError> {
        if Self::is_plain(live) {
            return Slots::BY_HASH.needs(scheme, live);
        }
        match Self::total(live) {
            _ if live.count() == 1 => Ok(Needs::default()),
            total if total < 0.5 => Err(BuildError::NothingToPlaceOn),
            total if total >= f64::from(u32::MAX) => Err(BuildError::TotalWeight),
            _ => Ok(Needs { entries: live.count(), wide: false }),
        }
    }

    fn build(&self, scheme: &Scheme<'_>, live: &Live<'_>, entries: EntriesMut<'_>) -> usize {
        if Self::is_plain(live) {
            return Slots::BY_HASH.build(scheme, live, entries);
        }
        let total = Self::total(live);
        let places = entries.points.iter_mut().zip(entries.owners);
        live.members()
            .zip(places)
            .map(|(member, (end, owner))| {
                *end = Self::slots_up_to(Self::last_place(live, &member), total);
                *owner = member.index.raw();
            })
            .count()
    }

    fn primary(&self, view: &View<'_>, key: &[u8]) -> ServerIndex {
        Slots::BY_HASH.primary(view, key)
    }

    fn place_many(&self, view: &View<'_>, keys: &[&[u8]], out: &mut [ServerIndex]) {
        Slots::BY_HASH.place_many(view, keys, out);
    }

    fn at(&self, view: &View<'_>, hash: u32) -> ServerIndex {
        Slots::BY_HASH.at(view, hash)
    }

    fn division(&self, view: &View<'_>) -> Division {
        Slots::BY_HASH.division(view)
    }

    fn choose(&self, scheme: &Scheme<'_>, live: &Live<'_>, key: &[u8]) -> Option<ServerIndex> {
        if Self::is_plain(live) {
            return Slots::BY_HASH.choose(scheme, live, key);
        }
        let total = Self::total(live);
        let slot = Slots::by_hash(scheme, key, Self::slots(total));
        let place = Self::place(slot, total);
        let found = live.members().find(|member| place <= Self::last_place(live, member));
        found.map(|member| member.index)
    }
}

pub(super) const PEERS: &[Peer] = &[
    Peer { scheme: CACHE_MEMCACHED_FAST, options: &["namespace", "hash_namespace"], set },
    Peer {
        scheme: CACHE_MEMCACHED_FAST_KETAMA,
        options: &["ketama_points", "namespace", "hash_namespace"],
        set: |scheme, name, value| match name {
            "ketama_points" => Ok(Scheme { options: scheme.options.with_replicas(count(value)?), ..scheme }),
            _ => set(scheme, name, value),
        },
    },
];

fn set<'a>(scheme: Scheme<'a>, name: &str, value: &'a str) -> Result<Scheme<'a>, &'static str> {
    match name {
        "namespace" => Ok(namespace(scheme, value)),
        _ => Ok(Scheme { key: KeyText { hash_prefix: switch(value)?, ..scheme.key }, ..scheme }),
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::{Placement, Server, Weight, peers::cache_memcached::CACHE_MEMCACHED, storage::Fixed};

    fn weighing(weights: &[f64]) -> Vec<Server<'static>> {
        weights.iter().map(|&weight| Server { name: "a:1", weight: Weight::Real(weight) }).collect()
    }

    #[test]
    fn without_a_ring_a_single_server_has_every_key_whatever_its_weight() {
        for weight in [0.001, 0.3, 1.0, 70_000.0, 1e300] {
            let servers = weighing(&[weight]);
            let placement = Placement::build(CACHE_MEMCACHED_FAST, &servers[..], Fixed::<1>::new()).unwrap();
            assert_eq!(placement.primary(b"tokyo").get(), 0);
            assert_eq!(CACHE_MEMCACHED_FAST.choose(&servers[..], b"tokyo"), Ok(ServerIndex::new(0)));
        }
    }

    #[test]
    fn a_ring_counts_points_to_the_nearest_and_needs_one() {
        let needs = |weights: &[f64]| {
            let needs = CACHE_MEMCACHED_FAST_KETAMA.needs(&weighing(weights)[..]);
            needs.map(|needs| needs.entries)
        };
        assert_eq!(needs(&[1.0, 0.5, 0.0034, 0.0033]), Ok(150 + 75 + 1));
        assert_eq!(needs(&[0.003]), Err(BuildError::NothingToPlaceOn));
        let needed = u32::MAX.into();
        assert_eq!(needs(&[1e300]), Err(BuildError::TooManyPoints { needed }));
    }

    #[test]
    fn weights_that_the_peer_cannot_take_are_errors() {
        let needs = |weights: &[f64]| CACHE_MEMCACHED_FAST.needs(&weighing(weights)[..]);
        assert_eq!(needs(&[0.2, 0.2]), Err(BuildError::NothingToPlaceOn));
        assert_eq!(needs(&[0.25, 0.25]).map(|needs| needs.entries), Ok(2));
        assert_eq!(needs(&[1e300, 1e300]), Err(BuildError::TotalWeight));
        assert_eq!(needs(&[f64::MAX, f64::MAX]), Err(BuildError::TotalWeight));
        for weight in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            let refused = BuildError::Weight { index: 1, expected: Weights::PositiveReal };
            assert_eq!(needs(&[1.0, weight]), Err(refused), "{weight}");
        }
    }

    /// The rule as the peer has it: a table of last places, all of them drawn in by each server added.
    fn by_table(weights: &[f64], hash: u32) -> usize {
        let (mut total, mut table) = (0.0, Vec::<u32>::new());
        for weight in weights {
            total += weight;
            let share = weight / total;
            for end in &mut table {
                *end = (f64::from(*end) - f64::from(*end) * share) as u32;
            }
            table.push(u32::MAX);
        }
        let slot = hash % (total + 0.5) as u32;
        let place = ((f64::from(slot) / total * 4_294_967_295.0 + 0.5) as u32).wrapping_add(1);
        table.iter().position(|&end| end >= place).unwrap_or(0)
    }

    proptest! {
        #[test]
        fn slots_fall_where_the_table_of_the_peer_has_them(
            weights in prop::collection::vec(prop_oneof![0.01..10.0, (1..2000_u32).prop_map(f64::from), 0.5..90_000.0], 2..9),
        ) {
            prop_assume!(weights.iter().sum::<f64>() >= 0.5);
            let servers = weighing(&weights);
            let placement = Placement::owned(CACHE_MEMCACHED_FAST, &servers[..]).unwrap();
            for hash in (0..1 << 15).step_by(61).chain([1, 2, 3, (1 << 15) - 1]) {
                let found = CACHE_MEMCACHED_FAST.mechanism.at(&placement.view(), hash);
                prop_assert_eq!(found.get(), by_table(&weights, hash), "hash {}", hash);
            }
            for key in ["tokyo", "some_key", "user:123:profile"] {
                let chosen = CACHE_MEMCACHED_FAST.choose(&servers[..], key.as_bytes()).unwrap();
                prop_assert_eq!(placement.primary(key.as_bytes()), chosen);
            }
        }

        #[test]
        fn whole_weights_are_those_of_cache_memcached(weights in prop::collection::vec(1..900_u32, 2..30)) {
            let servers: Vec<_> = weights.iter().map(|&weight| Server::new("a:1").weighing(weight)).collect();
            let fast = Placement::owned(CACHE_MEMCACHED_FAST, &servers[..]).unwrap();
            let slow = Placement::owned(CACHE_MEMCACHED, &servers[..]).unwrap();
            let real: Vec<_> = weights.iter().copied().map(f64::from).collect();
            for hash in (0..1 << 15).step_by(97) {
                let found = CACHE_MEMCACHED_FAST.mechanism.at(&fast.view(), hash).get();
                prop_assert_eq!(found, CACHE_MEMCACHED.mechanism.at(&slow.view(), hash).get());
                prop_assert_eq!(found, by_table(&real, hash));
            }
        }
    }

    #[test]
    fn a_path_has_no_port() {
        let mut points = Vec::new();
        (RING.points)(
            &CACHE_MEMCACHED_FAST_KETAMA,
            &Live::new(&CACHE_MEMCACHED_FAST_KETAMA, &[Server::new("/a.sock")], &[]).next(None).unwrap(),
            &Label::verbatim("/a.sock"),
            1,
            &mut |point| points.push(point),
        );
        let mut label = b"/a.sock\0".to_vec();
        label.extend_from_slice(&[0; 4]);
        assert_eq!(points, [hash::CRC32.of(&label)]);
    }
}
