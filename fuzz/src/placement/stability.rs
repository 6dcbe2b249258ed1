//! When a server joins or leaves, keys move to it or from it, and no others.

use std::collections::{BTreeMap, BTreeSet};

use memring_core::{
    Server,
    plan::{Plan, Precision},
    storage::{Entries, Storage as _},
};

use super::fleet::{Built, Resize, placement, random_keys};

/// With one server more, or one fewer, wherever it stands in the list: a key that moves goes to it or comes from it.
///
/// Where peers round each server's points over all weights, the points of others change, too; then no more keys move than
/// those points had or have. What never rounds is in [`NEVER_ROUND`] and [`ROUND_WEIGHTS_ONLY`], what has no points and keeps
/// the law nevertheless in [`WITHOUT_POINTS`]; [`GROW_AT_THE_END`] keeps it for the last server alone. The rest (modulo, and
/// maps of buckets) promise nothing.
pub fn placement_is_stable(resize: &Resize) {
    let fleet = &resize.fleet;
    let (scheme, names) = (fleet.scheme(), fleet.names());
    let large = fleet.servers(&names);
    if large.len() < 2 {
        return;
    }
    let at = usize::from(resize.at) % large.len();
    let mut small = large.clone();
    let extra = small.remove(at);
    let (Some(before), Some(after)) = (placement(scheme, &small), placement(scheme, &large)) else { return };

    let is_plain = fleet.options.is_empty();
    let is_ring =
        NEVER_ROUND.iter().chain(&ROUND_WEIGHTS_ONLY).chain(&ROUND).any(|name| *name == scheme.name);
    let bound = if !is_ring {
        let keeps = WITHOUT_POINTS.contains(&scheme.name)
            || (GROW_AT_THE_END.contains(&scheme.name) && at + 1 == large.len());
        if !(is_plain && keeps) {
            return;
        }
        0.0
    } else {
        let changed = changed_points(&before, &after, extra.name);
        let are_equal = large.iter().all(|server| server.weight == extra.weight);
        let never_rounds =
            NEVER_ROUND.contains(&scheme.name) || (ROUND_WEIGHTS_ONLY.contains(&scheme.name) && are_equal);
        assert!(
            !(is_plain && never_rounds && !changed.is_empty()),
            "{}: {} points of others",
            scheme.name,
            changed.len()
        );
        // Of hashes that are not equally likely, nobody knows the share near a point.
        if !changed.is_empty() && scheme.hash.values() == 0 {
            return;
        }
        let mut bound = share_at(&before, &changed) + share_at(&after, &changed);
        if scheme.name == BELOW_ALL_POINTS {
            bound += below_all(&before).max(below_all(&after));
        }
        bound
    };

    let keys = random_keys(KEYS).map(String::into_bytes).chain(fleet.keys.iter().cloned());
    let moved = keys.filter(|key| {
        let (old, new) = (small[before.primary(key).get()].name, large[after.primary(key).get()].name);
        old != new && new != extra.name
    });
    let moved = moved.count() as f64;
    let keys = (KEYS + fleet.keys.len()) as f64;
    // Keys of the fuzzer's own may all lie where points changed.
    let most =
        if bound == 0.0 { 0.0 } else { bound * keys + 6.0 * (bound * keys).sqrt() + fleet.keys.len() as f64 };
    assert!(moved <= most, "{}: {moved} of {keys} keys move between others, at most {most}", scheme.name);

    let plan = Plan::owned(&before, &after);
    if plan.precision() == Precision::Exact {
        let others = plan.shares().filter(|(from, to, _)| {
            let (old, new) = (small[from.get()].name, large[to.get()].name);
            old != new && new != extra.name
        });
        let share: f64 = others.map(|(_, _, share)| share).sum();
        assert!(
            share <= bound + 1e-9,
            "{}: {share} of all keys move between others, at most {bound}",
            scheme.name
        );
    }
}

/// How many keys are placed.
const KEYS: usize = 500;

/// Schemes in which a server's points are its own, whatever the others' weights.
pub const NEVER_ROUND: [&str; 12] = [
    "spymemcached-ketama",
    "xmemcached-ketama",
    "xmemcached-ketama-nginx",
    "xmemcached-libmemcached",
    "folsom",
    "nginx-hash-consistent",
    "couchbase-ketama",
    "uhashring",
    "bmemcached",
    "meta-memcache",
    "python-ketama",
    "cache-memcached-fast-ketama",
];

/// Schemes in which a server's points are its own among equal weights; else they are rounded over the total.
pub const ROUND_WEIGHTS_ONLY: [&str; 8] = [
    "libmemcached-ketama",
    "libmemcached-consistent",
    "libmemcached-spy",
    "pylibmc-consistent",
    "pylibmc-ketama",
    "enyim",
    "uhashring-ketama",
    "hash-ring",
];

/// Schemes that round over the total whatever the weights: with them, some numbers of servers have fewer points each.
pub const ROUND: [&str; 8] = [
    "dalli",
    "libketama",
    "libmemcached-ketama-weighted",
    "pylibmc-ketama-weighted",
    "twemproxy-ketama",
    "node-hashring",
    "node-hashring-ketama",
    "node-hashring-hash-ring",
];

/// Schemes that keep the law, but not by points.
pub const WITHOUT_POINTS: [&str; 4] =
    ["pymemcache-rendezvous", "xmemcached-election", "emcache", "pecl-memcache-consistent"];

/// Schemes that keep the law when the server is the last of the list.
pub const GROW_AT_THE_END: [&str; 4] =
    ["memcached-proxy", "mcrouter-ch3", "mcrouter-weighted-ch3", "consistent-hashing-py"];

/// The scheme that gives keys below all points to the last server, whoever has the first point.
const BELOW_ALL_POINTS: &str = "enyim";

/// Each point with the names of those who have it.
type Points<'n> = BTreeMap<u128, BTreeSet<&'n str>>;

fn points<'n>(placement: &Built<'n>) -> Points<'n> {
    let servers: &'n [Server<'n>] = placement.servers();
    let entries = placement.storage().entries();
    let mut points = Points::new();
    for (number, point) in values(&entries).enumerate() {
        points.entry(point).or_default().insert(servers[entries.owner(number).get()].name);
    }
    points
}

fn values<'e>(entries: &Entries<'e>) -> impl Iterator<Item = u128> + use<'e> {
    entries.points.iter().map(|point| u128::from(*point)).chain(entries.wide.iter().copied())
}

/// The points that another server than the `extra` one has in one of the two only, unless that one hides them.
fn changed_points(before: &Built<'_>, after: &Built<'_>, extra: &str) -> BTreeSet<u128> {
    let (before, after) = (points(before), points(after));
    let nobody = BTreeSet::new();
    let all: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
    let changed = all.into_iter().filter(|point| {
        let (old, new) = (before.get(point).unwrap_or(&nobody), after.get(point).unwrap_or(&nobody));
        !new.contains(extra) && old != new
    });
    changed.collect()
}

/// The share of all hashes of keys next to any of the points `at` in a ring, on either side.
fn share_at(placement: &Built<'_>, at: &BTreeSet<u128>) -> f64 {
    let ring: Vec<u128> = points(placement).into_keys().collect();
    let (Some(first), Some(last)) = (ring.first(), ring.last()) else { return 0.0 };
    let hashes = Hashes::of(placement);
    let width = |point: u128| {
        let here = ring.partition_point(|other| *other < point);
        let behind = ring.get(here).filter(|other| **other != point).or_else(|| ring.get(here + 1));
        let from_before = match here.checked_sub(1).and_then(|before| ring.get(before)) {
            Some(before) => hashes.between(*before, point),
            None => hashes.above(*last) + hashes.up_to(point),
        };
        let to_behind = match behind {
            Some(behind) => hashes.between(point, *behind),
            None => hashes.above(point) + hashes.up_to(*first),
        };
        from_before + to_behind
    };
    at.iter().map(|point| width(*point)).sum()
}

/// The share of all hashes below the first point.
fn below_all(placement: &Built<'_>) -> f64 {
    let first = points(placement).into_keys().next();
    first.map_or(0.0, |first| Hashes::of(placement).up_to(first))
}

/// The hashes that keys have, each as likely as the others: 0 up to this one. Some hashes take a small part of a ring, and
/// all keys are there.
struct Hashes(u128);

impl Hashes {
    fn of(placement: &Built<'_>) -> Self {
        let is_wide = !placement.storage().entries().wide.is_empty();
        Self(if is_wide { u128::MAX } else { u128::from(placement.scheme().hash.values().saturating_sub(1)) })
    }

    /// The share of those up to `point`.
    fn up_to(&self, point: u128) -> f64 {
        (point.min(self.0) as f64 + 1.0) / (self.0 as f64 + 1.0)
    }

    /// The share of those above `point`, up to the end of the ring.
    fn above(&self, point: u128) -> f64 {
        1.0 - self.up_to(point)
    }

    /// The share of those above one point and up to another.
    fn between(&self, before: u128, point: u128) -> f64 {
        (point.min(self.0) - before.min(self.0)) as f64 / (self.0 as f64 + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use memring_core::peers;

    use super::*;
    use crate::placement::{
        fleet::{
            Load, Setting,
            tests::{ordinary, schemes},
        },
        words::accepted,
    };

    #[test]
    fn every_scheme_obeys() {
        for scheme in schemes() {
            for count in [2, 5, 9] {
                for at in [0, count / 2, count - 1] {
                    let mut fleet = ordinary(scheme, count);
                    placement_is_stable(&Resize { fleet: fleet.clone(), at });
                    for (number, server) in fleet.servers.iter_mut().enumerate() {
                        server.load = Load::Some(1 + (number * 5 % 7) as u8);
                    }
                    placement_is_stable(&Resize { fleet, at });
                }
            }
        }
    }

    /// Some hashes take a small part of a ring: there, one point that changes may have all keys next to it.
    #[test]
    fn every_scheme_obeys_with_every_hash() {
        let mut hashes = 0;
        for (scheme, peer) in schemes().zip(peers::all()) {
            let number = usize::from(scheme);
            let Some(option) = peer.options.iter().position(|name| *name == "hash") else { continue };
            for value in 0..accepted(number, option).len() {
                let mut fleet = ordinary(scheme, 5);
                fleet.options = vec![(option as u8, Setting::Known(value as u8))];
                for (server, load) in fleet.servers.iter_mut().zip([1, 5, 1, 2, 7]) {
                    server.load = Load::Some(load);
                }
                (0..5).for_each(|at| placement_is_stable(&Resize { fleet: fleet.clone(), at }));
                hashes += 1;
            }
        }
        assert!(hashes > 50, "{hashes}");
    }

    /// Some numbers of servers at which those that round have fewer points each than with one fewer.
    const MANY: [u8; 5] = [25, 26, 31, 50, 61];

    /// The points of others that change when one of these servers leaves.
    fn changed(scheme: u8, counts: impl Iterator<Item = u8>, load: impl Fn(u8) -> Load) -> usize {
        let each = counts.map(|count| {
            let mut fleet = ordinary(scheme, count);
            for (number, server) in (0..).zip(&mut fleet.servers) {
                server.load = load(number);
            }
            let names = fleet.names();
            let large = fleet.servers(&names);
            let mut small = large.clone();
            let extra = small.pop().unwrap();
            let build = |servers| placement(fleet.scheme(), servers);
            let (Some(before), Some(after)) = (build(&small), build(&large)) else { return 0 };
            changed_points(&before, &after, extra.name).len()
        });
        each.sum()
    }

    #[test]
    fn the_tables_say_who_rounds() {
        for (scheme, peer) in schemes().zip(peers::all()) {
            let name = peer.scheme.name;
            let equal = changed(scheme, [2, 3, 5, 8, 9, 12].into_iter().chain(MANY), |_| Load::One);
            let weighted = changed(scheme, 2..=12, |number| Load::Some(1 + number * 5 % 7));
            if NEVER_ROUND.contains(&name) {
                assert_eq!((equal, weighted), (0, 0), "{name}");
            } else if ROUND_WEIGHTS_ONLY.contains(&name) {
                assert_eq!(equal, 0, "{name}");
                assert!(weighted > 0 || name == BELOW_ALL_POINTS, "{name} never rounds");
            } else if ROUND.contains(&name) {
                assert!(equal > 0 && weighted > 0, "{name} rounds less than is said: {equal} {weighted}");
            }
        }
    }

    /// Whoever is in no table breaks the law, or is a ring that was forgotten.
    #[test]
    fn the_tables_have_everybody_who_keeps_the_law() {
        let rings = NEVER_ROUND.into_iter().chain(ROUND_WEIGHTS_ONLY).chain(ROUND);
        let known: BTreeSet<_> = rings.chain(WITHOUT_POINTS).collect();
        for (scheme, peer) in
            schemes().zip(peers::all()).filter(|(_, peer)| !known.contains(peer.scheme.name))
        {
            let fleet = ordinary(scheme, 7);
            let names = fleet.names();
            let large = fleet.servers(&names);
            let Some(after) = placement(fleet.scheme(), &large) else { continue };
            let others = (0..large.len()).map(|at| {
                let mut small = large.clone();
                let extra = small.remove(at);
                let before = placement(fleet.scheme(), &small).expect("as the others");
                let others = random_keys(KEYS).filter(|key| {
                    let key = key.as_bytes();
                    let (old, new) =
                        (small[before.primary(key).get()].name, large[after.primary(key).get()].name);
                    old != new && new != extra.name
                });
                others.count()
            });
            assert!(others.max() > Some(KEYS / 4), "{} keeps the law", peer.scheme.name);
        }
    }
}
