//! memcached's own proxy (`--enable-proxy`, `-o proxy_config`): a pool of `mcp.pool(backends, options)`.
//!
//! - The default is jump hash over the XXH3 of the key, the backends in the order of the list. It is not
//!   [`jump`](super::jump), which hashes with xxHash64 and sorts its servers.
//! - A server is named by host and port as `mcp.backend` was given them, an IPv6 address without brackets; the label of a
//!   backend does not count. No weights (list a backend twice), and no fallback here: failover is the matter of routes.
//! - Two servers on one point of a ring: the first of the list has it, as `qsort` of glibc keeps it.
//!
//! **Trap.** `omode` makes points and nothing else: `omode=ketama` alone hashes keys with XXH3 and agrees with no client of
//! ketama. Such a pool needs `hash=ring_hash` too, in Lua `hash = mcp.dist_ring_hash.hash`.
//!
//! | option | means |
//! |---|---|
//! | `dist` | `jump_hash`, the default, or `ring_hash` for `mcp.dist_ring_hash` |
//! | `hash` | of the key: `xxhash`, the default, or `ring_hash` for `mcp.dist_ring_hash.hash`, the MD5 of ketama, with or without a ring |
//! | `seed` | the pool's `seed`; `hash=ring_hash` ignores it |
//! | `filter`, `filter_conf` | `stop`: of a key, only what stands before the text `filter_conf` is hashed, and the text is not found behind a NUL. `tags`: only what stands between the first of the two bytes and, later, the second; **that may be nothing**, so all keys with `{}` share a server, unlike with twemproxy's `hash_tag`. The peer refuses either of the two without the other |
//! | `omode` | the points of a ring, see the trap: `default` (XXH3, one to a name), or MD5 ketama over the names `host:port` (`ketama`), `host` on port 11211 (`twemproxy`) or `host/host:port` (`evcache`) |
//! | `obuckets` | points of every server, 160; but for `omode=default` a multiple of 4, as the peer leaves the rest of them uninitialised |
//!
//! Who agrees, with `dist=ring_hash` and `hash=ring_hash`: `omode=ketama` is [`couchbase-ketama`](super::couchbase), and
//! `libketama` and `spymemcached-ketama` for servers of equal weight wherever those have 160 points for each;
//! `omode=twemproxy` is `libmemcached-ketama-weighted` in the same way: not at 25, 47, 50 … servers. Without options the
//! pool is pior/memcache, for Go.
//!
//! Source: memcached at 2d51e3647, `proxy_jump_hash.c`, `proxy_ring_hash.c`, `proxy_xxhash.c`, `proxy_lua.c`.

use super::{
    Peer, count,
    jump::jump,
    options::{Filter, Pool, PoolKeys, PoolPoints},
    twemproxy::between,
};
use crate::{
    hash::{self, Hasher, Xxh3, Xxh3Seeded},
    key::KeyText,
    mechanism::{Continuum, Label, Slots, ketama},
    scheme::{Extra, Options, Scheme},
    text::Concat,
};

/// A pool.
pub const MEMCACHED_PROXY: Scheme<'static> = Scheme {
    name: "memcached-proxy",
    used_by: "memcached's built-in proxy (mcp.pool): jump hash unless told otherwise",
    hash: hash::XXH3,
    mechanism: &JUMP,
    options: Options::Pool(DEFAULT_POOL),
    ..Scheme::BASE
};

const DEFAULT_POOL: Pool = Pool { mode: PoolPoints::Default, buckets: 160 };

/// The shortest and the longest `filter_conf` that the peer takes.
const CONF_LEN: core::ops::RangeInclusive<usize> = 2..=5;

const JUMP: Slots = Slots { slot: Some(|scheme, key, total| jump(whole_hash(scheme, key), total)) };

/// All 64 bits of a key's hash; those of MD5 are 32.
fn whole_hash(scheme: &Scheme<'_>, key: &[u8]) -> u64 {
    let text = scheme.key.of(key);
    if is_md5(scheme) {
        scheme.hash_key(key).into()
    } else if pool_keys(scheme).seeded {
        Xxh3Seeded::of_text(&text)
    } else if scheme.key.form.is_none() {
        Xxh3::of(key)
    } else {
        Xxh3::of_text(&text)
    }
}

const RING: Continuum<u32> = Continuum {
    count: |scheme, _, _| pool(scheme).buckets,
    points: |scheme, _, label, count, sink| {
        let digests =
            |label: &Concat<'_, 3>, sink| ketama::points(label, count, ketama::POINTS_PER_DIGEST, sink);
        let on_default_port = label.tail == ":11211";
        match pool(scheme).mode {
            PoolPoints::Default => ketama::hashed_points(label, &hash::XXH3, count, sink),
            PoolPoints::Twemproxy if on_default_port => digests(&Concat([&label.name, &"", &""]), sink),
            PoolPoints::Ketama | PoolPoints::Twemproxy => digests(&Concat([label, &"", &""]), sink),
            PoolPoints::Evcache => digests(&Concat([&label.name, &"/", label]), sink),
        }
    },
    ..ketama::ring(Label::host_and_port)
};

fn pool(scheme: &Scheme<'_>) -> Pool {
    match scheme.options {
        Options::Pool(pool) => pool,
        _ => DEFAULT_POOL,
    }
}

fn pool_keys<'a>(scheme: &Scheme<'a>) -> PoolKeys<'a> {
    match scheme.key.extra {
        Extra::Pool(keys) => keys,
        _ => PoolKeys::default(),
    }
}

fn is_md5(scheme: &Scheme<'_>) -> bool {
    scheme.hash.name() == hash::MD5.name()
}

/// The seed if the hash takes one, and what the filter leaves of the key.
fn filtered(rule: &KeyText<'_>, key: &[u8], sink: &mut dyn FnMut(&[u8])) {
    let Extra::Pool(keys) = rule.extra else { return sink(key) };
    if keys.seeded {
        sink(&keys.seed.unwrap_or(0).to_le_bytes());
    }
    let part = match (keys.filter, keys.filter_conf) {
        (Some(Filter::Stop), stop) => before(stop, key),
        (Some(Filter::Tags), &[open, close, ..]) => between([open, close], key),
        _ => None,
    };
    sink(part.unwrap_or(key));
}

/// What stands before the first `stop`, which is looked for as in a C string.
fn before<'k>(stop: &[u8], key: &'k [u8]) -> Option<&'k [u8]> {
    let (text, stop) = (c_string(key), c_string(stop));
    if stop.is_empty() {
        return None;
    }
    text.get(..text.windows(stop.len()).position(|part| part == stop)?)
}

/// What stands before the first NUL.
fn c_string(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}

pub(super) const PEERS: &[Peer] = &[Peer {
    scheme: MEMCACHED_PROXY,
    options: &["dist", "hash", "seed", "filter", "filter_conf", "omode", "obuckets"],
    set: |scheme, name, value| {
        let keys = pool_keys(&scheme);
        match name {
            "dist" => match value {
                "jump_hash" => Ok(Scheme { mechanism: &JUMP, ..scheme }),
                "ring_hash" => Ok(Scheme { mechanism: &RING, ..scheme }),
                _ => Err("jump_hash or ring_hash"),
            },
            "hash" => match value {
                "xxhash" => Ok(hashing(scheme, false, keys)),
                "ring_hash" => Ok(hashing(scheme, true, keys)),
                _ => Err("xxhash or ring_hash"),
            },
            "seed" => {
                let seed = Some(Xxh3::of(value.as_bytes()));
                Ok(hashing(scheme, is_md5(&scheme), PoolKeys { seed, ..keys }))
            }
            "filter" => {
                let filter = Some(match value {
                    "stop" => Filter::Stop,
                    "tags" => Filter::Tags,
                    _ => return Err("stop or tags"),
                });
                Ok(hashing(scheme, is_md5(&scheme), PoolKeys { filter, ..keys }))
            }
            "filter_conf" if CONF_LEN.contains(&value.len()) => {
                Ok(hashing(scheme, is_md5(&scheme), PoolKeys { filter_conf: value.as_bytes(), ..keys }))
            }
            "filter_conf" => Err("2 to 5 bytes"),
            "omode" => pointed(scheme, Pool { mode: omode(value)?, ..pool(&scheme) }),
            _ => pointed(scheme, Pool { buckets: count(value)?, ..pool(&scheme) }),
        }
    },
}];

/// The scheme with the hash and the text that all of its options together ask for.
fn hashing<'a>(scheme: Scheme<'a>, md5: bool, keys: PoolKeys<'a>) -> Scheme<'a> {
    let seeded = !md5 && keys.seed.is_some();
    let hash = match (md5, seeded) {
        (true, _) => hash::MD5,
        (false, true) => hash::XXH3_SEEDED,
        (false, false) => hash::XXH3,
    };
    let composed = seeded || keys.filter.is_some();
    let extra = Extra::Pool(PoolKeys { seeded, ..keys });
    let key = KeyText { extra, form: if composed { Some(filtered) } else { None }, ..scheme.key };
    Scheme { hash, key, ..scheme }
}

fn omode(value: &str) -> Result<PoolPoints, &'static str> {
    match value {
        "default" => Ok(PoolPoints::Default),
        "ketama" => Ok(PoolPoints::Ketama),
        "twemproxy" => Ok(PoolPoints::Twemproxy),
        "evcache" => Ok(PoolPoints::Evcache),
        _ => Err("default, ketama, twemproxy or evcache; keys are hashed with XXH3 unless hash=ring_hash"),
    }
}

/// The scheme with the points of `pool`, unless its digests do not make as many as the peer sorts.
fn pointed(scheme: Scheme<'_>, pool: Pool) -> Result<Scheme<'_>, &'static str> {
    if pool.mode == PoolPoints::Default || pool.buckets.is_multiple_of(ketama::POINTS_PER_DIGEST) {
        Ok(Scheme { options: Options::Pool(pool), ..scheme })
    } else {
        Err("a multiple of 4 as obuckets, unless omode is default")
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::{
        Placement, Server,
        peers::{couchbase, libmemcached, spymemcached},
        scheme::BuildError,
        storage::Fixed,
        text::Text,
    };

    fn with<'a>(options: &[(&str, &'a str)]) -> Scheme<'a> {
        options.iter().fold(MEMCACHED_PROXY, |scheme, (name, value)| scheme.with_option(name, value).unwrap())
    }

    fn text(options: &[(&str, &'static str)], key: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        with(options).key.of(key).feed(&mut |piece| text.extend_from_slice(piece));
        text
    }

    #[test]
    fn worked_examples() {
        let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
        for (options, expected) in [
            (&[][..], [2, 2, 1]),
            (&[("dist", "ring_hash")], [0, 1, 1]),
            (&[("dist", "ring_hash"), ("omode", "ketama"), ("hash", "ring_hash")], [2, 1, 2]),
        ] {
            let placed = ["tokyo", "foo", "test"]
                .map(|key| with(options).choose(&servers, key.as_bytes()).unwrap().get());
            assert_eq!(placed, expected, "{options:?}");
        }
    }

    #[test]
    fn a_stop_may_leave_nothing_and_is_not_found_behind_a_nul() {
        let stop = |conf, key| text(&[("filter", "stop"), ("filter_conf", conf)], key);
        assert_eq!(stop("|#|", b"user:1|#|a|#|b"), b"user:1");
        assert_eq!(stop("|#|", b"|#|a"), b"");
        assert_eq!(stop("|#|", b"user:1|#"), b"user:1|#");
        assert_eq!(stop("||", b"a|||b"), b"a");
        assert_eq!(stop("|#|", b"a\0b|#|c"), b"a\0b|#|c");
        assert_eq!(stop("|#|", b"a|#|b\0"), b"a");
        assert_eq!(stop("12345", b""), b"");
    }

    #[test]
    fn a_tag_may_be_empty() {
        let tags = |conf, key| text(&[("filter_conf", conf), ("filter", "tags")], key);
        assert_eq!(tags("{}", b"a{b}c{d}"), b"b");
        assert_eq!(tags("{}", b"a{}c"), b"");
        assert_eq!(tags("{}", b"a}b{c"), b"a}b{c");
        assert_eq!(tags("{}", b"}{a}"), b"a");
        assert_eq!(tags("$$", b"$a$b"), b"a");
        assert_eq!(tags("$$", b"$$"), b"");
        // The peer keeps five bytes and looks at two.
        assert_eq!(tags("{}xyz", b"a{b}c"), b"b");
        let servers = ["a:1", "b:1", "c:1", "d:1", "e:1"].map(Server::new);
        let tagged = with(&[("filter", "tags"), ("filter_conf", "{}")]);
        let place = |key: &str| tagged.choose(&servers, key.as_bytes()).unwrap();
        assert!((0..100).all(|number| place(&std::format!("{{}}{number}")) == place("{}")));
    }

    #[test]
    fn a_filter_and_its_text_need_each_other() {
        assert_eq!(text(&[("filter", "stop")], b"a|#|b"), b"a|#|b");
        assert_eq!(text(&[("filter", "tags")], b"a{b}"), b"a{b}");
        assert_eq!(text(&[("filter_conf", "{}")], b"a{b}"), b"a{b}");
        for conf in ["", "x", "123456"] {
            assert!(MEMCACHED_PROXY.with_option("filter_conf", conf).is_err(), "{conf}");
        }
    }

    #[test]
    fn a_seed_is_a_hash_of_its_text_also_of_an_empty_one() {
        let hash = |options: &[(&str, &'static str)]| whole_hash(&with(options), b"tokyo");
        let seeded =
            |seed: &str| Xxh3Seeded::of(&[&Xxh3::of(seed.as_bytes()).to_le_bytes()[..], b"tokyo"].concat());
        assert_eq!(hash(&[]), Xxh3::of(b"tokyo"));
        assert_eq!(hash(&[("seed", "a")]), seeded("a"));
        assert_eq!(hash(&[("seed", "")]), seeded(""));
        assert_ne!(hash(&[("seed", "")]), hash(&[]));
        // The MD5 of a ring ignores it, wherever it is said.
        let md5 = u64::from(hash::MD5.of(b"tokyo"));
        assert_eq!(hash(&[("seed", "a"), ("hash", "ring_hash")]), md5);
        assert_eq!(hash(&[("hash", "ring_hash"), ("seed", "a")]), md5);
        assert_eq!(hash(&[("hash", "ring_hash"), ("seed", "a"), ("hash", "xxhash")]), seeded("a"));
        assert_eq!(with(&[("seed", "a")]).hash_key(b"tokyo"), seeded("a") as u32);
    }

    #[test]
    fn only_the_default_mode_takes_any_number_of_points() {
        assert!(MEMCACHED_PROXY.with_option("obuckets", "0").is_err());
        assert_eq!(pool(&with(&[("obuckets", "7")])).buckets, 7);
        assert!(with(&[("obuckets", "7")]).with_option("omode", "ketama").is_err());
        assert!(with(&[("omode", "evcache")]).with_option("obuckets", "7").is_err());
        assert!(with(&[("omode", "evcache"), ("obuckets", "8")]).with_option("omode", "default").is_ok());
        let many = with(&[("dist", "ring_hash"), ("obuckets", "4294967295")]);
        assert_eq!(
            many.needs(&["a:1", "b:1"].map(Server::new)),
            Err(BuildError::TooManyPoints { needed: 2 * u64::from(u32::MAX) })
        );
    }

    #[test]
    fn modes_are_those_of_clients_that_hash_keys_alike() {
        let names = ["10.0.1.1:11211", "10.0.1.2:11212", "[fd00::1]:11213", "cache:11211"];
        let evcache = [
            "10.0.1.1/10.0.1.1:11211",
            "10.0.1.2/10.0.1.2:11212",
            "fd00::1/fd00::1:11213",
            "cache/cache:11211",
        ];
        let bare = ["10.0.1.1:11211", "10.0.1.2:11212", "fd00::1:11213", "cache:11211"];
        for (mode, client, named) in [
            ("ketama", couchbase::KETAMA, bare),
            ("twemproxy", libmemcached::KETAMA_WEIGHTED, bare),
            ("evcache", spymemcached::KETAMA, evcache),
        ] {
            let pool = with(&[("dist", "ring_hash"), ("hash", "ring_hash"), ("omode", mode)]);
            for number in 0..500_u16 {
                let key = number.to_be_bytes();
                let client = client.choose(&named.map(Server::new), &key);
                assert_eq!(pool.choose(&names.map(Server::new), &key), client, "{mode}");
            }
        }
    }

    #[test]
    fn a_plan_between_a_pool_and_its_twin_is_exact() {
        let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
        let pool = with(&[("dist", "ring_hash"), ("hash", "ring_hash"), ("omode", "ketama")]);
        let pool = Placement::build(pool, servers, Fixed::<480>::new()).unwrap();
        let twin = Placement::build(couchbase::KETAMA, servers, Fixed::<480>::new()).unwrap();
        let mut matrix = [0.0; 9];
        let plan = crate::plan::Plan::new(&pool, &twin, &mut matrix).unwrap();
        assert_eq!(plan.precision(), crate::plan::Precision::Exact);
        assert!(plan.moved() < 1e-9);
    }
}
