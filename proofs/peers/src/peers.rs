//! Who is asked, and which configurations are drawn.

use fastrand::Rng;

use crate::{
    Failure,
    configuration::{Drawn, Weights},
    program::{self, Peer},
    proxies,
};

/// One peer.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The program and its arguments, in the folder of this package.
    pub(crate) program: &'static [&'static str],
    pub(crate) start: fn(&Self) -> Result<Box<dyn Peer>, Failure>,
    pub(crate) draw: fn(&mut Rng) -> Drawn,
}

const fn client(name: &'static str, program: &'static [&'static str], draw: fn(&mut Rng) -> Drawn) -> Row {
    Row { name, program, start: program::start, draw }
}

/// Every peer that a package has.
pub(crate) const PEERS: &[Row] = &[
    client("libmemcached", &["clients/libmemcached"], libmemcached),
    client("php-memcached", &["php", "clients/php_memcached.php"], php_memcached),
    client("PECL memcache", &["php", "clients/pecl_memcache.php"], pecl_memcache),
    client("pylibmc", &["/usr/bin/python3", "clients/python.py", "pylibmc"], pylibmc),
    client("python-memcached, Debian's", &["/usr/bin/python3", "clients/python.py", "memcache"], |_| {
        Drawn::plain("python-memcached-or1").weighing(Weights::Whole(5))
    }),
    client("python-memcached", &["clients/with_wheels", "memcache"], |_| {
        Drawn::plain("python-memcached").weighing(Weights::Whole(5))
    }),
    client("pymemcache", &["clients/with_wheels", "pymemcache"], |_| Drawn::plain("pymemcache-rendezvous")),
    client("python-binary-memcached", &["clients/with_wheels", "bmemcached"], |_| Drawn::plain("bmemcached")),
    client("emcache", &["clients/with_wheels", "emcache"], |_| Drawn::plain("emcache")),
    client("meta-memcache", &["clients/with_wheels", "meta_memcache"], |_| Drawn::plain("meta-memcache")),
    client("Cache::Memcached", &["perl", "clients/cache_memcached.pl", "Cache::Memcached"], |_| {
        Drawn::plain("cache-memcached").weighing(Weights::Whole(7))
    }),
    client("Cache::Memcached::Fast", &["perl", "clients/cache_memcached.pl", "Cache::Memcached::Fast"], fast),
    client("Dalli", &["ruby", "clients/dalli.rb"], |_| Drawn::plain("dalli").weighing(Weights::Whole(6))),
    client("gomemcache", &["clients/gomemcache"], |_| Drawn::plain("gomemcache")),
    client("memcached (npm)", &["node", "clients/node.js", "memcached"], |_| {
        Drawn::plain("node-hashring-ketama").weighing(Weights::Whole(9))
    }),
    client("memjs", &["node", "clients/node.js", "memjs"], |_| Drawn::plain("memjs")),
    client("spymemcached", &["clients/spymemcached"], spymemcached),
    Row { name: "twemproxy", program: &[], start: proxies::twemproxy, draw: twemproxy },
    Row { name: "nginx", program: &[], start: proxies::nginx, draw: nginx },
];

fn pick<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.usize(..of.len())]
}

fn libmemcached(rng: &mut Rng) -> Drawn {
    let (scheme, way) = [
        ("libmemcached-modula", "MODULA"),
        ("libmemcached-consistent", "CONSISTENT"),
        ("libmemcached-ketama", "CONSISTENT_KETAMA"),
        ("libmemcached-spy", "CONSISTENT_KETAMA_SPY"),
        ("libmemcached-ketama-weighted", "CONSISTENT_WEIGHTED"),
    ][rng.usize(..5)];
    let hash = pick(
        rng,
        &[
            "default", "md5", "crc", "fnv1_64", "fnv1a_64", "fnv1_32", "fnv1a_32", "murmur", "murmur3",
            "jenkins",
        ],
    );
    let sorted = pick(rng, &["0", "1"]);
    let drawn = Drawn::plain(scheme).told("way", way).weighing(Weights::Whole(9));
    drawn.option(("hash", hash), ("hash", hash)).option(("sort_hosts", sorted), ("sort_hosts", sorted))
}

fn pecl_memcache(rng: &mut Rng) -> Drawn {
    let (scheme, strategy) =
        [("pecl-memcache-standard", "standard"), ("pecl-memcache-consistent", "consistent")][rng.usize(..2)];
    let hash = pick(rng, &["crc32", "fnv"]);
    let drawn = Drawn::plain(scheme).told("hash_strategy", strategy).weighing(Weights::Whole(9));
    drawn.option(("hash", hash), ("hash_function", hash))
}

fn php_memcached(rng: &mut Rng) -> Drawn {
    let way = pick(
        rng,
        &[
            "OPT_LIBKETAMA_COMPATIBLE=1",
            "OPT_DISTRIBUTION=DISTRIBUTION_CONSISTENT",
            "OPT_DISTRIBUTION=DISTRIBUTION_MODULA",
        ],
    );
    let hash = pick(
        rng,
        &[
            "",
            " OPT_HASH=HASH_MD5",
            " OPT_HASH=HASH_CRC",
            " OPT_HASH=HASH_FNV1A_64",
            " OPT_HASH=HASH_FNV1_32",
        ],
    );
    let options = format!("{way}{hash}");
    Drawn::plain("php-memcached")
        .option(("php-options", &options), ("options", &options))
        .weighing(Weights::Whole(9))
}

fn pylibmc(rng: &mut Rng) -> Drawn {
    let (scheme, way) = [
        ("pylibmc-modula", "modula"),
        ("pylibmc-consistent", "consistent"),
        ("pylibmc-ketama", "ketama"),
        ("pylibmc-ketama-weighted", "ketama_weighted"),
    ][rng.usize(..4)];
    let hash = pick(rng, &["default", "md5", "crc", "fnv1a_32", "fnv1_64"]);
    let drawn = Drawn::plain(scheme).told("way", way).weighing(Weights::Whole(9));
    drawn.option(("hash", hash), ("hash", hash))
}

fn fast(rng: &mut Rng) -> Drawn {
    let points = rng.u32(1..400).to_string();
    if rng.bool() {
        return Drawn::plain("cache-memcached-fast").weighing(Weights::Tenths(60));
    }
    let drawn = Drawn::plain("cache-memcached-fast-ketama").weighing(Weights::Tenths(60));
    drawn.option(("ketama_points", &points), ("ketama_points", &points))
}

fn spymemcached(rng: &mut Rng) -> Drawn {
    let (scheme, locator) =
        [("spymemcached-ketama", "CONSISTENT"), ("spymemcached-modulo", "ARRAY_MOD")][rng.usize(..2)];
    let hash = pick(rng, &["KETAMA_HASH", "NATIVE_HASH", "CRC_HASH", "FNV1A_64_HASH", "FNV1_32_HASH"]);
    Drawn::plain(scheme).told("locator", locator).option(("hash", hash), ("hash", hash))
}

fn twemproxy(rng: &mut Rng) -> Drawn {
    let (scheme, distribution) =
        [("twemproxy-ketama", "ketama"), ("twemproxy-modula", "modula")][rng.usize(..2)];
    let hash = pick(
        rng,
        &[
            "one_at_a_time",
            "md5",
            "crc16",
            "crc32",
            "crc32a",
            "fnv1_64",
            "fnv1a_64",
            "fnv1_32",
            "fnv1a_32",
            "hsieh",
            "murmur",
            "jenkins",
        ],
    );
    let drawn = Drawn::plain(scheme).told("distribution", distribution).weighing(Weights::Whole(9));
    drawn.option(("hash", hash), ("hash", hash))
}

fn nginx(rng: &mut Rng) -> Drawn {
    let weights = Weights::Whole(5);
    if rng.bool() {
        Drawn::plain("nginx-hash").weighing(weights)
    } else {
        Drawn::plain("nginx-hash-consistent").told("consistent", "1").weighing(weights)
    }
}
