//! Who agrees with whom: the table in the documentation of `peers`, measured.

use memring_core::{Placement, Scheme, Server};

const KEYS: usize = 20_000;

/// A scheme by name, with options as `name=value`.
fn scheme(named: &'static str) -> Scheme<'static> {
    let mut words = named.split_whitespace();
    let scheme = Scheme::from_name(words.next().unwrap()).unwrap();
    words.fold(scheme, |scheme, option| {
        let (name, value) = option.split_once('=').unwrap();
        scheme.with_option(name, value).unwrap_or_else(|error| panic!("{named}: {error}"))
    })
}

/// The share of keys, in percent, that two schemes place alike on `count` equal servers.
fn agreement(left: &'static str, right: &'static str, count: usize, port: u16) -> f64 {
    let names: Vec<String> = (1..=count).map(|host| format!("10.0.1.{host}:{port}")).collect();
    let servers: Vec<_> = names.iter().map(|name| Server::new(name)).collect();
    let [left, right] = [left, right].map(|named| Placement::owned(scheme(named), &*servers).unwrap());
    let same = |number: &usize| {
        let key = format!("user:{number}:profile");
        left.primary(key.as_bytes()) == right.primary(key.as_bytes())
    };
    100.0 * (0..KEYS).filter(same).count() as f64 / KEYS as f64
}

#[test]
fn these_are_one_placement_under_several_names() {
    let pairs = [
        ("libmemcached-modula", "pylibmc-modula"),
        ("libmemcached-modula", "php-memcached"),
        ("libmemcached-ketama", "libmemcached-consistent"),
        ("libmemcached-ketama", "pylibmc-ketama"),
        ("libmemcached-ketama-weighted", "pylibmc-ketama-weighted"),
        ("libmemcached-ketama-weighted", "twemproxy-ketama hash=md5"),
        ("libmemcached-vbucket hash=crc buckets=0,1,2,1", "couchbase-vbucket buckets=0,1,2,1"),
        ("nginx-hash", "cache-memcached"),
        ("nginx-hash-consistent", "cache-memcached-fast-ketama ketama_points=160"),
        ("cache-memcached", "cache-memcached-fast"),
        ("cache-memcached", "python-memcached"),
        ("uhashring", "meta-memcache"),
        ("crc32-modulo", "gomemcache"),
        ("crc32-modulo", "meta-memcache-crc32"),
        ("crc32-modulo", "python-memcached-crc32"),
        ("couchbase-ketama", "memcached-proxy dist=ring_hash omode=ketama hash=ring_hash"),
        ("libmemcached-ketama-weighted", "memcached-proxy dist=ring_hash omode=twemproxy hash=ring_hash"),
        ("libmemcached-ketama", "xmemcached-libmemcached"),
        ("spymemcached-modulo", "xmemcached-array"),
    ];
    for (left, right) in pairs {
        assert_eq!(agreement(left, right, 8, 11211), 100.0, "{left} and {right}");
    }
}

#[test]
fn libketama_and_its_followers_agree_as_documented() {
    let documented = [
        ("libketama", "libmemcached-ketama-weighted", 3, 11211, 32.0),
        ("libketama", "libmemcached-ketama-weighted", 8, 11212, 100.0),
        ("libketama", "libmemcached-ketama-weighted", 25, 11212, 97.3),
        ("libketama", "spymemcached-ketama", 8, 11211, 100.0),
        ("libketama", "spymemcached-ketama", 61, 11211, 97.7),
        ("libketama", "couchbase-ketama", 8, 11211, 100.0),
        ("libmemcached-ketama-weighted", "twemproxy-ketama", 8, 11211, 12.5),
        ("libmemcached-ketama-weighted", "libmemcached-ketama", 8, 11211, 12.5),
        ("libmemcached-ketama-weighted", "libmemcached-spy weighted=1", 8, 11211, 12.5),
        ("libmemcached-ketama-weighted", "uhashring-ketama", 8, 11212, 100.0),
        ("libmemcached-ketama-weighted", "node-hashring-ketama", 8, 11211, 100.0),
        ("uhashring-ketama", "node-hashring", 8, 11211, 100.0),
        ("hash-ring", "node-hashring-hash-ring", 8, 11211, 100.0),
        ("spymemcached-ketama", "xmemcached-ketama", 8, 11211, 12.5),
        ("libketama", "xmemcached-ketama-nginx", 8, 11212, 100.0),
        ("couchbase-ketama", "memcached-proxy dist=ring_hash omode=ketama", 8, 11211, 12.5),
        (
            "libmemcached-ketama-weighted",
            "memcached-proxy dist=ring_hash omode=twemproxy hash=ring_hash",
            25,
            11212,
            97.3,
        ),
        ("jump", "memcached-proxy", 8, 11211, 12.5),
    ];
    for (left, right, servers, port, expected) in documented {
        let found = agreement(left, right, servers, port);
        println!("{left} | {right} | {servers} on {port} | {found:.1}");
        assert!((found - expected).abs() < 4.0, "{left} and {right}: {found}, documented as {expected}");
    }
}
