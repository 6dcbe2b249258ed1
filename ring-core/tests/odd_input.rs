//! Names, weights and keys that no configuration should have: every scheme places with them or says why it does not.

use memring_core::{
    BuildError, Placement, Scheme, Server, ServerIndex, Weight, mechanism::MAX_POINTS, peers, storage::Lent,
};

const NAMES: [&str; 14] = [
    "",
    " ",
    ":",
    "::",
    ":11211",
    "a:",
    "a:x",
    "/",
    "unix:",
    "unix:/",
    "[::1]:11211",
    "é:1",
    "a/b",
    "\u{1F600}\0",
];

const KEYS: [&[u8]; 12] = [
    b"",
    b"\0",
    b" ",
    b"/",
    b"///",
    b"|#|",
    b"{}",
    b"{",
    b":",
    b"-5:x",
    b"99999999999999999999999:",
    b"\xff\xc0\x80",
];

/// Every scheme, and those with options that change what is looked at.
fn schemes() -> Vec<Scheme<'static>> {
    let options: &[(&str, &str)] = &[
        ("buckets", "0"),
        ("buckets", "0,0,0"),
        ("hash", "crc"),
        ("hash", "CRC_HASH"),
        ("points-hash", "crc"),
        ("configured", "servers-then-behavior"),
        ("weighted", "0"),
        ("weighted", "1"),
        ("hash_with_prefix_key", "1"),
        ("prefix", "\0 "),
        ("sort_hosts", "1"),
        ("auto_eject_hosts", "1"),
        ("distribution", "consistent"),
        ("distribution", "consistent-weighted"),
        ("distribution", "virtual-bucket"),
        ("hash_tag", "{}"),
        ("name-rule", "verbatim"),
        ("name-format", "LIBMEMCACHED"),
        ("max_failover_attempts", "300"),
        ("salt", "\0"),
        ("weights", "0"),
        ("key-form", "hash:key"),
        ("dist", "ring_hash"),
        ("filter", "tags"),
        ("filter", "stop"),
        ("filter_conf", "{}"),
        ("seed", ""),
        ("digest_class", "sha1"),
        ("digest_class", "sha256"),
        ("locator", "legacy"),
        ("hash", "CRC32_HASH"),
    ];
    let with_option = |scheme: Scheme<'static>| {
        options.iter().filter_map(move |(name, value)| scheme.with_option(name, value).ok())
    };
    peers::all().flat_map(|peer| with_option(peer.scheme).chain([peer.scheme])).collect()
}

fn place(scheme: Scheme<'_>, servers: &[Server<'_>]) {
    // More points than a test should make are a matter of the storage.
    if scheme.needs(servers).is_ok_and(|needs| needs.entries > 100_000) {
        return;
    }
    let Ok(placement) = Placement::owned(scheme, servers) else { return };
    let long = vec![b'k'; 5000];
    let mut out = vec![ServerIndex::default(); servers.len() + 2];
    for key in KEYS.into_iter().chain([&long[..]]) {
        let order = placement.order(key, &mut out);
        assert_eq!(order.first(), Some(&placement.primary(key)));
        assert!(order.iter().all(|server| server.get() < servers.len()), "{scheme:?} {servers:?}");
        assert!(placement.order(key, &mut []).is_empty());
    }
    for key in KEYS.into_iter().take(2) {
        assert_eq!(scheme.choose(servers, key), Ok(placement.primary(key)), "{scheme:?} {servers:?} {key:?}");
    }
}

#[test]
fn odd_names_are_placed_or_refused() {
    for scheme in schemes() {
        for name in NAMES {
            place(scheme, &[Server::new(name)]);
        }
        place(scheme, &NAMES.map(Server::new));
        // One name for all of them.
        place(scheme, &[Server::new("a:1"); 5]);
    }
}

#[test]
fn odd_weights_are_placed_or_refused() {
    let weights = [
        Weight::Whole(0),
        Weight::Whole(1),
        Weight::Whole(u32::MAX),
        Weight::Whole(u32::MAX - 1),
        Weight::Real(0.0),
        Weight::Real(1e-300),
        Weight::Real(0.5),
        Weight::Real(1e300),
        Weight::Real(f64::NAN),
        Weight::Real(f64::INFINITY),
        Weight::Real(-1.0),
    ];
    for scheme in schemes() {
        for first in weights {
            for second in weights {
                let server = |name, weight| Server { name, weight };
                place(scheme, &[server("a:1", first)]);
                place(scheme, &[server("a:1", first), server("b:1", second), server("c:1", second)]);
            }
        }
    }
}

#[test]
fn weights_that_make_too_many_points_are_refused() {
    let names: Vec<String> = (1..=20).map(|number| format!("10.0.1.{number}:11211")).collect();
    let servers: Vec<_> = names.iter().map(|name| Server::new(name).weighing(65_535)).collect();
    let mut refused = Vec::new();
    for peer in peers::all() {
        match peer.scheme.needs(&*servers) {
            Err(BuildError::TooManyPoints { needed }) => {
                assert!(needed > u64::from(MAX_POINTS), "{needed}");
                refused.push(peer.scheme.name);
            }
            Ok(needs) => assert!(needs.entries <= MAX_POINTS as usize, "{:?}", peer.scheme),
            Err(error) => assert!(
                matches!(error, BuildError::NoBuckets | BuildError::TotalWeight),
                "{error} {:?}",
                peer.scheme
            ),
        }
    }
    for name in
        ["pecl-memcache-consistent", "nginx-hash-consistent", "uhashring", "cache-memcached-fast-ketama"]
    {
        assert!(refused.contains(&name), "{name} of {refused:?}");
    }
}

#[test]
fn too_many_servers_are_refused() {
    let names: Vec<String> = (0..=ServerIndex::MAX_SERVERS).map(|number| format!("s{number}:1")).collect();
    let servers: Vec<Server<'_>> = names.iter().map(|name| Server::new(name)).collect();
    for peer in peers::all() {
        let (one_more, most) = (&servers[..], &servers[1..]);
        assert!(peer.scheme.needs(one_more).is_err());
        // Without the points, which would take their time here.
        let needs = peer.scheme.needs(most);
        assert!(needs.is_ok() || peer.scheme.name == "couchbase-vbucket", "{:?}", peer.scheme);
        assert!(peer.scheme.needs(&servers[..0]).is_err());
        if needs.is_ok_and(|needs| needs.entries > 0) {
            assert!(Placement::build(peer.scheme, most, Lent::default()).is_err());
        }
    }
}
