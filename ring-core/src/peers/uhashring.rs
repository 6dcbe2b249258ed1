//! uhashring, Python's ring, and the clients that stand on it.
//!
//! | scheme | ring | a server's name | fallback |
//! |---|---|---|---|
//! | [`UHASHRING`] | 128-bit points | as written | the next points' owners |
//! | [`UHASHRING_KETAMA`] | 32-bit points, four to a digest | as written | the next points' owners |
//! | [`BMEMCACHED`] | as [`UHASHRING`], weights ignored | `server_username_password` | none |
//! | [`META_MEMCACHE`] | as [`UHASHRING`], weights ignored | as written, `[v6]:port` with brackets | none |
//!
//! - The default ring takes whole digests as points, `vnodes` (160) for each unit of weight: it is not normalised, and large
//!   weights make it large.
//! - Mode `ketama` is called compatible but is not libketama: it searches for a point *above* the hash, the last server
//!   owns a shared point, and its counts are rounded down in whole numbers.
//! - Options `vnodes`, and in mode `ketama` `replicas`, the points of a digest, 1 to 4.
//! - Option `key-type=bytes`: the caller passes `bytes` keys, and the peer hashes how Python prints them, `b'key'`. The
//!   same key as `str` is on another server.
//! - Options `username` and `password` of [`BMEMCACHED`]: without a login the name is `10.0.1.1:11211_None_None`.
//! - meta-memcache-py hashes the routing key where a key has one, and names a server by its `server_id` where it has one.
//!
//! Source: uhashring 2.5 `uhashring/ring.py`, `ring_ketama.py` and `ring_meta.py`; python-binary-memcached 0.33
//! `bmemcached/client/distributed.py`; meta-memcache-py 4.3 `connection/providers.py`.

use super::{Peer, count, hash_ring, options::Login, python};
use crate::{
    hash::{self, md5},
    mechanism::{Continuum, Label, Search, Tie},
    scheme::{Options, RingOptions, Scheme, Weights, fallback},
    text::{Concat, Decimal, Text},
};

/// uhashring's default ring.
pub const UHASHRING: Scheme<'static> = Scheme {
    name: "uhashring",
    used_by: "Python's uhashring",
    hash: hash::MD5,
    weights: Weights::Whole,
    mechanism: &WIDE,
    fallback: fallback::walk,
    options: Options::Ring(RingOptions::new(VNODES)),
    ..Scheme::BASE
};

/// uhashring with `hash_fn='ketama'`.
pub const UHASHRING_KETAMA: Scheme<'static> = Scheme {
    name: "uhashring-ketama",
    used_by: "Python's uhashring with hash_fn='ketama'",
    mechanism: &hash_ring::RING,
    options: Options::Ring(RingOptions::new(40)),
    ..UHASHRING
};

/// python-binary-memcached.
pub const BMEMCACHED: Scheme<'static> = Scheme {
    name: "bmemcached",
    used_by: "python-binary-memcached's DistributedClient",
    weights: Weights::Ignored,
    mechanism: &WITH_LOGIN,
    fallback: fallback::none,
    options: Options::Login(NO_LOGIN),
    ..UHASHRING
};

/// meta-memcache-py's ring.
pub const META_MEMCACHE: Scheme<'static> = Scheme {
    name: "meta-memcache",
    used_by: "meta-memcache-py with HashRingConnectionPoolProvider",
    weights: Weights::Ignored,
    fallback: fallback::none,
    ..UHASHRING
};

/// Names of a server, unless the option `vnodes` says otherwise.
const VNODES: u32 = 160;

const WIDE: Continuum<u128> = Continuum {
    label: Label::verbatim,
    count: |scheme, _, member| scheme.options.ring().replicas.saturating_mul(member.weight),
    points: |_, _, label, count, sink| digests(label, count, sink),
    search: Search::Above,
    tie: Tie::LastStays,
};

const WITH_LOGIN: Continuum<u128> = Continuum {
    count: |_, _, _| VNODES,
    points: |scheme, _, label, count, sink| {
        let Login { username, password } = login(scheme);
        digests(&Concat([label, &"_", &username, &"_", &password]), count, sink);
    },
    ..WIDE
};

/// What Python prints for "not given", twice.
const NO_LOGIN: Login<'static> = Login { username: "None", password: "None" };

fn login<'a>(scheme: &Scheme<'a>) -> Login<'a> {
    match scheme.options {
        Options::Login(login) => login,
        _ => NO_LOGIN,
    }
}

/// Hands out the MD5 of the names `label-0`, `label-1` … as whole numbers.
fn digests(label: &dyn Text, count: u32, sink: &mut dyn FnMut(u128)) {
    for number in 0..count {
        sink(md5::number(md5::digest_text(&Concat([label, &"-", &Decimal(number.into())]))));
    }
}

pub(super) const PEERS: &[Peer] = &[
    Peer { scheme: UHASHRING, options: &["vnodes", "key-type"], set },
    Peer { scheme: UHASHRING_KETAMA, options: &["vnodes", "replicas", "key-type"], set },
    Peer {
        scheme: BMEMCACHED,
        options: &["username", "password", "key-type"],
        set: |scheme, name, value| {
            let login = login(&scheme);
            let logging = |login| Ok(Scheme { options: Options::Login(login), ..scheme });
            match name {
                "username" => logging(Login { username: value, ..login }),
                "password" => logging(Login { password: value, ..login }),
                _ => set(scheme, name, value),
            }
        },
    },
    Peer { scheme: META_MEMCACHE, options: &[], set: |scheme, _, _| Ok(scheme) },
];

fn set<'a>(scheme: Scheme<'a>, name: &str, value: &'a str) -> Result<Scheme<'a>, &'static str> {
    match name {
        "vnodes" => Ok(Scheme { options: scheme.options.with_replicas(count(value)?), ..scheme }),
        "replicas" => match count(value)? {
            points_per_digest @ 1..=4 => Ok(Scheme {
                options: Options::Ring(RingOptions { points_per_digest, ..scheme.options.ring() }),
                ..scheme
            }),
            _ => Err("1 to 4"),
        },
        _ => Ok(Scheme { key: python::key_type(value, scheme.key)?, ..scheme }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Server;

    #[test]
    fn the_default_ring_grows_with_the_weights_and_the_ketama_ring_does_not() {
        let servers = [Server::new("a:1"), Server::new("b:1").weighing(2), Server::new("c:1").weighing(3)];
        let needs = |scheme: Scheme<'_>| scheme.needs(&servers).unwrap();
        assert_eq!((needs(UHASHRING).entries, needs(UHASHRING).wide), (960, true));
        assert_eq!((needs(UHASHRING_KETAMA).entries, needs(UHASHRING_KETAMA).wide), (480, false));
        assert_eq!(needs(META_MEMCACHE).entries, 480);
        assert_eq!(needs(BMEMCACHED).entries, 480);
    }

    #[test]
    fn a_digest_has_four_points() {
        for (name, value) in [("replicas", "0"), ("replicas", "5"), ("vnodes", "0"), ("key-type", "text")] {
            assert!(UHASHRING_KETAMA.with_option(name, value).is_err(), "{name}={value}");
        }
        assert!(UHASHRING.with_option("replicas", "3").is_err());
    }
}
