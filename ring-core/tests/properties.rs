//! What must hold of every scheme, or of every scheme of a kind, whatever the servers and keys.

use std::collections::BTreeSet;

use memring_core::{
    BuildError, Placement, Scheme, Server, ServerIndex, Servers,
    peers::{self, libketama, libmemcached},
    plan::{Plan, Precision},
    storage::{Boxed, Fixed, FixedWide, Lent, Storage},
};
use proptest::prelude::*;

type Built<'a> = Placement<'a, Vec<Server<'a>>, Boxed>;

fn build<'a>(scheme: Scheme<'a>, servers: &[Server<'a>]) -> Built<'a> {
    Placement::owned(scheme, servers.to_vec()).unwrap()
}

/// The name of the server that holds `key`.
fn holder<'p>(placement: &'p Built<'_>, key: &[u8]) -> &'p str {
    placement.servers()[placement.primary(key).get()].name
}

/// Distinct names as peers have them.
fn names(counts: core::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<String>> {
    let name = (0..4_u8, 0..250_u8, prop::sample::select(vec![11211_u16, 11212, 22122]))
        .prop_map(|(net, host, port)| format!("10.0.{net}.{host}:{port}"));
    prop::collection::btree_set(name, counts)
        .prop_map(|names| names.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

fn keys() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 60)
}

fn all_schemes() -> impl Strategy<Value = Scheme<'static>> {
    prop::sample::select(schemes())
}

/// Every scheme, as it can be built for any list.
fn schemes() -> Vec<Scheme<'static>> {
    let buildable = |scheme: Scheme<'static>| match scheme.name {
        "couchbase-vbucket" => scheme.with_option("buckets", "0").unwrap(),
        _ => scheme,
    };
    // What a ring of the proxy has that its default has not.
    let ring = |mode| {
        let ring = Scheme::from_name("memcached-proxy").unwrap().with_option("dist", "ring_hash").unwrap();
        ring.with_option("omode", mode).unwrap().with_option("seed", "a").unwrap()
    };
    let rings = ["default", "ketama", "twemproxy", "evcache"].map(ring);
    let legacy = Scheme::from_name("enyim").unwrap().with_option("locator", "legacy").unwrap();
    // Equal points in plenty.
    let crowded = Scheme::from_name("xmemcached-ketama").unwrap().with_option("hash", "CRC32_HASH").unwrap();
    peers::all().map(|peer| buildable(peer.scheme)).chain(rings).chain([legacy, crowded]).collect()
}

/// Schemes that place by name and move no more than they must, while servers keep their number of points.
fn consistent_schemes() -> impl Strategy<Value = Scheme<'static>> {
    const CONSISTENT: [&str; 21] = [
        "libketama",
        "libmemcached-ketama-weighted",
        "libmemcached-ketama",
        "libmemcached-consistent",
        "twemproxy-ketama",
        "spymemcached-ketama",
        "nginx-hash-consistent",
        "couchbase-ketama",
        "uhashring",
        "uhashring-ketama",
        "hash-ring",
        "pymemcache-rendezvous",
        "cache-memcached-fast-ketama",
        "node-hashring",
        "bmemcached",
        "python-ketama",
        "xmemcached-ketama",
        "xmemcached-ketama-nginx",
        "xmemcached-libmemcached",
        "xmemcached-election",
        "folsom",
    ];
    prop::sample::select(CONSISTENT.to_vec()).prop_map(|name| Scheme::from_name(name).unwrap())
}

fn as_servers(names: &[String]) -> Vec<Server<'_>> {
    names.iter().map(|name| Server::new(name)).collect()
}

proptest! {
    #[test]
    fn adding_a_server_moves_keys_only_to_it(scheme in consistent_schemes(), names in names(2..=12), keys in keys()) {
        let servers = as_servers(&names);
        let (added, before) = servers.split_last().unwrap();
        let (old, new) = (build(scheme, before), build(scheme, &servers));
        // Where float shares cost every server a digest, other keys move, too.
        prop_assume!(old.len() * servers.len() == new.len() * before.len());
        for key in &keys {
            let (was, is) = (holder(&old, key), holder(&new, key));
            prop_assert!(was == is || is == added.name, "{}: {was} to {is}", scheme.name);
        }
    }

    #[test]
    fn the_order_of_the_list_does_not_matter_to_a_ring(
        scheme in consistent_schemes(), names in names(1..=12), keys in keys(),
    ) {
        let servers = as_servers(&names);
        let reversed: Vec<_> = servers.iter().copied().rev().collect();
        let (forth, back) = (build(scheme, &servers), build(scheme, &reversed));
        for key in &keys {
            prop_assert_eq!(holder(&forth, key), holder(&back, key), "{}", scheme.name);
        }
    }

    #[test]
    fn every_storage_and_none_give_one_answer(scheme in all_schemes(), names in names(1..=6), keys in keys()) {
        let servers = as_servers(&names);
        let boxed = build(scheme, &servers);
        let fixed = Placement::build(scheme, &*servers, Fixed::<1024, 256>::new());
        let wide = Placement::build(scheme, &*servers, FixedWide::<1024>::new());
        prop_assert!(fixed.is_ok() || wide.is_ok(), "{}", scheme.name);
        let entries = boxed.storage().entries();
        let flash = Placement::prebuilt(scheme, &*servers, entries);
        for key in keys.iter().take(6) {
            let primary = boxed.primary(key);
            prop_assert!(fixed.as_ref().is_ok_and(|fixed| fixed.primary(key) == primary) || fixed.is_err());
            prop_assert!(wide.as_ref().is_ok_and(|wide| wide.primary(key) == primary) || wide.is_err());
            prop_assert_eq!(flash.primary(key), primary);
            prop_assert_eq!(scheme.choose(&*servers, key), Ok(primary), "{}", scheme.name);
        }
    }

    #[test]
    fn many_keys_at_once_are_placed_as_one_by_one(
        scheme in all_schemes(),
        names in names(1..=6),
        keys in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..140), 0..80),
    ) {
        let servers = as_servers(&names);
        let placement = build(scheme, &servers);
        let slices: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let mut placed = vec![ServerIndex::new(77); keys.len() + 1];
        placement.place_many(&slices, &mut placed);
        let one_by_one: Vec<_> = slices.iter().map(|key| placement.primary(key)).collect();
        prop_assert_eq!(placed.split_last(), Some((&ServerIndex::new(77), &one_by_one[..])));
    }

    #[test]
    fn an_order_begins_with_the_primary_and_names_nobody_twice(
        scheme in all_schemes(), names in names(1..=8), keys in keys(),
    ) {
        let servers = as_servers(&names);
        let placement = build(scheme, &servers);
        let mut out = vec![ServerIndex::default(); servers.len() + 1];
        for key in keys.iter().take(10) {
            let order = placement.order(key, &mut out).to_vec();
            prop_assert_eq!(order.first(), Some(&placement.primary(key)));
            prop_assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), order.len(), "{}", scheme.name);
            prop_assert!(order.iter().all(|server| server.get() < servers.len()));
            // A shorter slice gives the beginning of the same order.
            let mut less = vec![ServerIndex::default(); order.len() / 2];
            prop_assert_eq!(placement.order(key, &mut less), &order[..order.len() / 2]);
        }
    }

    #[test]
    fn peers_that_eject_walk_or_count_on_reach_every_server(names in names(1..=8), keys in keys()) {
        let servers = as_servers(&names);
        let ejecting = |name| Scheme::from_name(name).unwrap().with_option("auto_eject_hosts", "1").unwrap();
        for scheme in [
            ejecting("libmemcached-ketama-weighted"),
            ejecting("twemproxy-ketama"),
            Scheme::from_name("uhashring").unwrap(),
            Scheme::from_name("hash-ring").unwrap(),
            Scheme::from_name("memjs").unwrap(),
            Scheme::from_name("pymemcache-rendezvous").unwrap(),
            Scheme::from_name("enyim").unwrap(),
            Scheme::from_name("folsom").unwrap(),
            Scheme::from_name("xmemcached-array").unwrap(),
            Scheme::from_name("xmemcached-election").unwrap(),
        ] {
            let placement = build(scheme, &servers);
            let mut out = vec![ServerIndex::default(); servers.len()];
            for key in keys.iter().take(5) {
                prop_assert_eq!(placement.order(key, &mut out).len(), servers.len(), "{}", scheme.name);
            }
        }
    }

    #[test]
    fn a_rebuilt_placement_is_one_built_anew(scheme in all_schemes(), names in names(2..=8), keys in keys()) {
        let servers = as_servers(&names);
        let (before, after) = (servers[1..].to_vec(), servers.clone());
        let mut boxed = Placement::owned(scheme, before.clone()).unwrap();
        boxed.rebuild(after.clone()).unwrap();
        let (mut points, mut wide, mut owners) = (vec![0; 1600], vec![0; 1600], vec![0; 1600]);
        let lent = match scheme.needs(&after).unwrap().wide {
            true => Lent::wide(&mut wide, &mut owners),
            false => Lent::new(&mut points, &mut owners),
        };
        let mut lent = Placement::build(scheme, before, lent).unwrap();
        lent.rebuild(after.clone()).unwrap();
        let anew = build(scheme, &after);
        for key in &keys {
            prop_assert_eq!(boxed.primary(key), anew.primary(key), "{}", scheme.name);
            prop_assert_eq!(lent.primary(key), anew.primary(key), "{}", scheme.name);
        }
        prop_assert_eq!(boxed.rebuild(Vec::new()), Err(BuildError::NoServers));
        prop_assert_eq!(boxed.primary(b"key"), anew.primary(b"key"));
    }

    #[test]
    fn storage_that_is_too_small_is_left_alone(scheme in all_schemes(), names in names(1..=6), short in 1..50_usize) {
        let servers = as_servers(&names);
        let needs = scheme.needs(&*servers).unwrap();
        prop_assume!(needs.entries > 0);
        let given = needs.entries.saturating_sub(short);
        let (mut points, mut wide, mut owners) = (vec![7; given], vec![7; given], vec![7; given]);
        let lent = match needs.wide {
            true => Lent::wide(&mut wide, &mut owners),
            false => Lent::new(&mut points, &mut owners),
        };
        let error = Placement::build(scheme, &*servers, lent).unwrap_err();
        prop_assert_eq!(error, BuildError::TooFewPoints { needed: needs.entries, given, wide: needs.wide });
        prop_assert!(points.iter().all(|&point| point == 7) && wide.iter().all(|&point| point == 7));
        prop_assert!(owners.iter().all(|&owner| owner == 7));
    }

    #[test]
    fn shares_follow_weights(names in names(2..=8), weights in prop::collection::vec(1..5_u32, 8)) {
        let servers: Vec<_> =
            as_servers(&names).into_iter().zip(weights).map(|(server, weight)| server.weighing(weight)).collect();
        let total: u32 = servers.iter().map(|server| server.weight.real() as u32).sum();
        for scheme in [libketama::LIBKETAMA, libmemcached::KETAMA_WEIGHTED] {
            let placement = build(scheme, &servers);
            let mut matrix = vec![0.0; servers.len() * servers.len()];
            let plan = Plan::new(&placement, &placement, &mut matrix).unwrap();
            prop_assert_eq!(plan.precision(), Precision::Exact);
            prop_assert!(plan.moved() < 1e-9);
            for (index, server) in servers.iter().enumerate() {
                let due = server.weight.real() / f64::from(total);
                let has = plan.before(ServerIndex::new(index as u16));
                // A server's k points cut the circle at random: its share varies by 1/√k of itself, 160 points a server
                // of average weight. Six times that is never seen.
                let points = 160.0 * due * servers.len() as f64;
                prop_assert!((has / due - 1.0).abs() < 6.0 / points.sqrt(), "{}: {has} of {due}", server.name);
            }
        }
    }
}

#[test]
fn an_empty_list_is_refused_by_every_scheme() {
    for peer in peers::all() {
        let none: [Server<'_>; 0] = [];
        assert_eq!(peer.scheme.needs(&none), Err(BuildError::NoServers), "{}", peer.scheme.name);
    }
}

#[test]
fn every_scheme_takes_a_thousand_servers_of_any_name() {
    let names: Vec<String> = (0..1000).map(|number| format!("{}:{number}", "é".repeat(number % 7))).collect();
    let servers = as_servers(&names);
    for scheme in schemes() {
        let placement = build(scheme, &servers);
        assert!(placement.primary(b"key").get() < servers.count(), "{}", scheme.name);
    }
}
