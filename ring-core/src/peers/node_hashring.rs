//! hashring, the ring under Node's `memcached`.
//!
//! | scheme | who | points of a digest |
//! |---|---|---|
//! | [`NODE_HASHRING`] | `new HashRing(servers)` | 4 |
//! | [`NODE_HASHRING_KETAMA`] | `new Memcached(servers)`: compatibility `ketama` | 4 |
//! | [`NODE_HASHRING_HASH_RING`] | compatibility `hash_ring` | 3 |
//!
//! - Names are hashed as they are written; in mode `ketama` a server on port 11211 is its host alone. The port is what
//!   stands between the first colon and the second, so `[::1]:11211` stays as it is.
//! - The number of digests is w / W × vnodes × n in f64, rounded down. One third of three is not one in f64: of 7, 14, 28,
//!   49 … equal servers each has 39 digests, not 40.
//! - Weight 0 means 1. All points stay on the ring: of two servers on one point the first of the list has it, and the
//!   second is met right after it.
//! - A dead server's keys go to the owners of the next points. (`memcached` with `remove: true` takes the server out and
//!   makes the ring anew, which with unequal weights is not the same.)
//! - Options `vnodes` (40) and `algorithm` (`md5`, `sha1`); `compatibility` says which of the three it is.
//! - Option `namespace` of `memcached` is hashed, with nothing between it and the key. For keys of more than 250 UTF-16
//!   units the peer sends their MD5, but places them by the key itself.
//!
//! Source: hashring 3.2.0 `index.js`, `HashRing.prototype.continuum`; memcached 2.2.2 `lib/memcached.js`.

use super::{Peer, count, hashed_namespace, informs, split_at_byte};
use crate::{
    hash::{self, sha1},
    mechanism::{Continuum, Label, Mechanism, Search, Tie, ketama},
    scheme::{Options, RingOptions, Scheme, Weights, fallback},
};

/// hashring by itself.
pub const NODE_HASHRING: Scheme<'static> = Scheme {
    name: "node-hashring",
    used_by: "Node's hashring",
    hash: hash::MD5,
    weights: Weights::ZeroIsOne,
    mechanism: &RING,
    fallback: fallback::walk,
    options: Options::Ring(DIGESTS),
    ..Scheme::BASE
};

/// Node's `memcached`.
pub const NODE_HASHRING_KETAMA: Scheme<'static> = Scheme {
    name: "node-hashring-ketama",
    used_by: "Node's memcached (3rd-Eden)",
    mechanism: &KETAMA_RING,
    ..NODE_HASHRING
};

/// hashring with `compatibility: 'hash_ring'`.
pub const NODE_HASHRING_HASH_RING: Scheme<'static> = Scheme {
    name: "node-hashring-hash-ring",
    used_by: "Node's hashring with compatibility hash_ring",
    options: Options::Ring(RingOptions { points_per_digest: 3, ..DIGESTS }),
    ..NODE_HASHRING
};

/// Forty digests, all of each.
const DIGESTS: RingOptions = RingOptions::new(40);

const RING: Continuum<u32> = Continuum {
    label: Label::verbatim,
    count: |scheme, live, member| {
        digests(member.weight, live.total(), scheme.options.ring().replicas, live.count())
            .saturating_mul(scheme.options.ring().points_per_digest)
    },
    points: |scheme, _, label, count, sink| {
        ketama::points(label, count, scheme.options.ring().points_per_digest, sink);
    },
    search: Search::AtOrAbove,
    tie: Tie::Stay,
};

const KETAMA_RING: Continuum<u32> = Continuum { label: without_default_port, ..RING };

const SHA1_RING: Continuum<u32> = Continuum {
    points: |scheme, _, label, count, sink| {
        ketama::digest_points(
            sha1::digests_numbered,
            label,
            count,
            scheme.options.ring().points_per_digest,
            sink,
        );
    },
    ..RING
};

const SHA1_KETAMA_RING: Continuum<u32> = Continuum { label: without_default_port, ..SHA1_RING };

/// Digests of a server; the order of the operations matters.
fn digests(weight: u32, total: u64, vnodes: u32, servers: usize) -> u32 {
    (f64::from(weight) / total as f64 * f64::from(vnodes) * servers as f64) as u32
}

/// The host alone when the second field is the number 11211, however it is written.
fn without_default_port(name: &str) -> Label<'_> {
    let Some((host, rest)) = split_at_byte(name, b':') else { return Label::verbatim(name) };
    let (port, _) = split_at_byte(rest, b':').unwrap_or((rest, ""));
    let is_default = port.parse::<u32>().is_ok_and(|port| port == 11211);
    Label::verbatim(if is_default { host } else { name })
}

pub(super) const PEERS: &[Peer] = &[
    Peer {
        scheme: NODE_HASHRING,
        options: &["compatibility", "algorithm", "vnodes"],
        set: |scheme, name, value| set(scheme, name, value, "none", [&RING, &SHA1_RING]),
    },
    Peer {
        scheme: NODE_HASHRING_KETAMA,
        options: &["compatibility", "algorithm", "vnodes", "namespace"],
        set: |scheme, name, value| match name {
            "namespace" => Ok(hashed_namespace(scheme, value)),
            _ => set(scheme, name, value, "ketama", [&KETAMA_RING, &SHA1_KETAMA_RING]),
        },
    },
    Peer {
        scheme: NODE_HASHRING_HASH_RING,
        options: &["compatibility", "algorithm", "vnodes"],
        set: |scheme, name, value| set(scheme, name, value, "hash_ring", [&RING, &SHA1_RING]),
    },
];

/// The options that all three have; `rings` are those of MD5 and of SHA-1.
fn set<'a>(
    scheme: Scheme<'a>,
    name: &str,
    value: &str,
    compatibility: &'static str,
    [md5, sha1]: [&'static dyn Mechanism; 2],
) -> Result<Scheme<'a>, &'static str> {
    match (name, value) {
        ("compatibility", _) => informs(scheme, value, compatibility),
        ("vnodes", _) => Ok(Scheme { options: scheme.options.with_replicas(count(value)?), ..scheme }),
        (_, "md5") => Ok(Scheme { hash: hash::MD5, mechanism: md5, ..scheme }),
        (_, "sha1") => Ok(Scheme { hash: hash::SHA1, mechanism: sha1, ..scheme }),
        _ => Err("md5 or sha1"),
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn some_numbers_of_equal_servers_lose_a_digest_to_rounding() {
        let short: Vec<_> =
            (1..=256).filter(|&servers| digests(1, servers as u64, 40, servers) == 39).collect();
        assert_eq!(short, [7, 14, 28, 49, 56, 98, 103, 112, 141, 147, 161, 196, 206, 224, 253]);
        assert_eq!(digests(1, 3, 40, 9), 119);
    }

    #[test]
    fn the_host_alone_on_port_11211() {
        for (name, expected) in [
            ("a:11211", "a"),
            ("a:011211", "a"),
            ("a:11211:b", "a"),
            (":11211", ""),
            ("a:11212", "a:11212"),
            ("a", "a"),
            ("a:", "a:"),
            ("", ""),
            ("[::1]:11211", "[::1]:11211"),
            ("/run/a.sock", "/run/a.sock"),
        ] {
            assert_eq!(without_default_port(name), Label::verbatim(expected), "{name}");
        }
    }

    #[test]
    fn options_may_come_in_any_order() {
        let one = NODE_HASHRING_KETAMA.with_option("algorithm", "sha1").unwrap();
        let one = one.with_option("namespace", "app:").unwrap().with_option("vnodes", "100").unwrap();
        let other = NODE_HASHRING_KETAMA.with_option("vnodes", "100").unwrap();
        let other = other.with_option("namespace", "app:").unwrap().with_option("algorithm", "sha1").unwrap();
        let servers = ["a:11211", "b:11212", "c:11213", "d:11211"].map(crate::Server::new);
        for key in ["tokyo", "some_key", "user:123:profile"] {
            assert_eq!(one.choose(&servers, key.as_bytes()), other.choose(&servers, key.as_bytes()));
        }
        assert_eq!(one.hash_key(b"tokyo"), hash::SHA1.of(b"app:tokyo"));
    }
}
