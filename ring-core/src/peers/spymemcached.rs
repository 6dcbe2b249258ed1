//! spymemcached, the Java client.
//!
//! | scheme | locator | default key hash |
//! |---|---|---|
//! | [`KETAMA`] | `KetamaNodeLocator`, by `Locator.CONSISTENT` or `KetamaConnectionFactory` | `KETAMA_HASH` |
//! | [`MODULO`] | `ArrayModNodeLocator`, the default | `NATIVE_HASH` |
//!
//! - Keys are Java strings. `KETAMA_HASH` and `CRC_HASH` take their UTF-8, the others their UTF-16 units; for ASCII that
//!   is the same.
//! - Two servers on one point of [`KETAMA`]: the *last* of the list has it, unlike everywhere else, because points are
//!   put into a map. With `CRC_HASH`, which has 15 bits, that happens often.
//! - A dead server's keys go to the server of another hash: of the first hash plus the hash of `0` and the key, then plus
//!   that of `1` and the key … Seven tries in all, which need not reach every server; if none is alive, the peer waits
//!   for the primary. [`MODULO`] goes on to the next server of the list.
//!
//! | option | means |
//! |---|---|
//! | `hash` | the `DefaultHashAlgorithm` |
//! | `weighted` | whether the locator was given weights. Without: 160 points for every server, from 40 MD5 digests if the hash is `KETAMA_HASH`, else one hash for each point. With weights: MD5 points, whatever the hash |
//! | `name-format` | `SPYMEMCACHED`, the default: a server is named as Java prints its address, without the slash in front. That is `10.0.1.1:11211` for an address, but `cache1/10.0.1.1:11211` for a name: the resolved address is part of it. `LIBMEMCACHED`: `host:port`, just `host` for port 11211, where the peer looks up the name of an address |
//! | `points-hash` | what points are made with unless there are weights: `md5` for four to a digest, or a `hash` |
//!
//! Names that did not resolve are `host:port` up to Java 13 and `host/<unresolved>:port` from Java 14 on, so that
//! placement changes with the Java release. So it does with IPv6, which Java prints in full: `fd00:0:0:0:0:0:0:1:11211`
//! up to Java 13, `[fd00:0:0:0:0:0:0:1]:11211` from Java 14 on.
//!
//! Source: spymemcached 2.12.3 `KetamaNodeLocator`, `KetamaIterator`, `KetamaNodeKeyFormatter`, `ArrayModNodeLocator`.

use super::{Peer, switch};
use crate::{
    hash::{self, Hash, names},
    mechanism::{Continuum, Label, Tie, View, ketama},
    order::Order,
    scheme::{Options, Scheme, Weights, fallback},
    text::{Concat, Decimal},
};

/// Consistent hashing; without weights unless the option `weighted` says otherwise.
pub const KETAMA: Scheme<'static> = Scheme {
    name: "spymemcached-ketama",
    used_by: "spymemcached, Java, with a KetamaConnectionFactory or Locator.CONSISTENT",
    hash: hash::MD5,
    mechanism: SPYMEMCACHED,
    fallback: rehash,
    tries: 7,
    ..Scheme::BASE
};

/// Modulo the number of servers.
pub const MODULO: Scheme<'static> = Scheme {
    name: "spymemcached-modulo",
    used_by: "spymemcached, Java, by default",
    hash: hash::JAVA,
    fallback: fallback::next_index,
    ..Scheme::BASE
};

/// Points of a server where there are no weights.
const POINTS: u32 = 160;

/// The ring of the format `SPYMEMCACHED`.
const SPYMEMCACHED: &Continuum<u32> =
    &const { ring(|name| Label::verbatim(name.strip_prefix('/').unwrap_or(name))) };

/// The ring of the format `LIBMEMCACHED`.
const LIBMEMCACHED: &Continuum<u32> = &const { ring(Label::without_default_port) };

const fn ring(label: fn(&str) -> Label<'_>) -> Continuum<u32> {
    Continuum {
        count: |scheme, live, member| {
            if is_weighted(scheme) {
                ketama::POINTS_PER_DIGEST * ketama::digests_f32(member.weight, live.total(), live.count())
            } else {
                POINTS
            }
        },
        points: |scheme, _, label, count, sink| {
            let hash = match scheme.options {
                Options::PointsHash(hash) => hash,
                _ => scheme.hash,
            };
            if is_weighted(scheme) || hash.name() == hash::MD5.name() {
                ketama::points(label, count, ketama::POINTS_PER_DIGEST, sink);
            } else {
                ketama::hashed_points(label, &hash, count, sink);
            }
        },
        tie: Tie::LastStays,
        ..ketama::ring(label)
    }
}

fn is_weighted(scheme: &Scheme<'_>) -> bool {
    scheme.weights != Weights::Ignored
}

/// Adds the hash of try number and key to the hash, again and again.
fn rehash(view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
    let Scheme { key: text, hash, .. } = view.scheme;
    let mut sum = text.hash(hash, key);
    fallback::chain(view, order, |number| {
        sum = sum.wrapping_add(hash.of_text(&Concat([&Decimal(number - 1), &text.of(key)])));
        sum
    });
}

pub(super) const PEERS: &[Peer] = &[
    Peer {
        scheme: KETAMA,
        options: &["hash", "points-hash", "weighted", "name-format"],
        set: |scheme, name, value| {
            Ok(match name {
                "hash" => Scheme { hash: named(value)?, ..scheme },
                "points-hash" => {
                    let hash = if value == "md5" { hash::MD5 } else { named(value)? };
                    Scheme { options: Options::PointsHash(hash), ..scheme }
                }
                "weighted" if switch(value)? => Scheme { weights: Weights::Whole, ..scheme },
                "weighted" => Scheme { weights: Weights::Ignored, ..scheme },
                _ if value == "SPYMEMCACHED" => Scheme { mechanism: SPYMEMCACHED, ..scheme },
                _ if value == "LIBMEMCACHED" => Scheme { mechanism: LIBMEMCACHED, ..scheme },
                _ => return Err("SPYMEMCACHED or LIBMEMCACHED"),
            })
        },
    },
    Peer {
        scheme: MODULO,
        options: &["hash"],
        set: |scheme, _, value| Ok(Scheme { hash: named(value)?, ..scheme }),
    },
];

fn named(name: &str) -> Result<Hash, &'static str> {
    names::SPYMEMCACHED.hash(name).ok_or("a hash of spymemcached: NATIVE_HASH, KETAMA_HASH, FNV1_64_HASH …")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        placement::Placement,
        server::{Server, ServerIndex},
        storage::Fixed,
    };

    fn order(scheme: Scheme<'_>, names: [&str; 3], key: &str) -> std::vec::Vec<usize> {
        let placement = Placement::build(scheme, names.map(Server::new), Fixed::<480>::new()).unwrap();
        let mut out = [ServerIndex::default(); 3];
        placement.order(key.as_bytes(), &mut out).iter().map(|server| server.get()).collect()
    }

    #[test]
    fn worked_examples() {
        let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"];
        for (key, ketama, modulo) in
            [("tokyo", [2, 0, 1], [2, 0, 1]), ("foo", [1, 0, 2], [0, 1, 2]), ("test", [2, 1, 0], [1, 2, 0])]
        {
            assert_eq!(order(KETAMA, servers, key), ketama, "{key}");
            assert_eq!(order(MODULO, servers, key), modulo, "{key}");
            // As Java prints an address that was not looked up.
            assert_eq!(
                order(KETAMA, servers.map(|name| std::format!("/{name}").leak() as &str), key),
                ketama
            );
        }
    }

    #[test]
    fn a_server_of_weight_zero_gets_no_key() {
        let weighted = KETAMA.with_option("weighted", "1").unwrap();
        let servers = [Server::new("a:1").weighing(0), Server::new("b:1").weighing(3)];
        assert!((0..100_u8).all(|number| weighted.choose(&servers, &[number]) == Ok(ServerIndex::new(1))));
        assert!(weighted.choose(&servers[..1], b"key").is_err());
    }
}
