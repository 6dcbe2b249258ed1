//! Couchbase and moxi: what libvbucket does with the configuration of a bucket.
//!
//! | scheme | type of bucket | placement |
//! |---|---|---|
//! | [`VBUCKET`] | `couchbase`, `membase` | 15 bits of CRC-32 name a vbucket, and the map in the configuration its server |
//! | [`KETAMA`] | `memcached` | MD5 ketama, 160 points for every server, names sorted |
//!
//! - [`VBUCKET`] needs the option `buckets`: the active server of each vbucket, `2,0,1,…`, a power of two of them, usually
//!   1024. Of more than 32768 the rest is never used. Placement is libmemcached's with the same map and the hash `crc`.
//! - [`KETAMA`] names servers `host:port`, the port always there, and sorts them by bytes: of two servers on one point
//!   the first by name has it. The order of the list means nothing.
//! - No weights, no fallback; the cluster sends a new map. `hash`, `points-per-server` and `server-order` are checked.
//!
//! Source: libvbucket `src/vbucket.c`, `src/ketama.c`.

use super::{Peer, informs};
use crate::{
    hash,
    list::List,
    mechanism::{Continuum, Label, Table, ketama},
    scheme::{Options, Scheme},
};

/// Buckets with a map.
pub const VBUCKET: Scheme<'static> = Scheme {
    name: "couchbase-vbucket",
    used_by: "Couchbase clients and moxi, for couchbase buckets",
    hash: hash::CRC15,
    mechanism: &MAP,
    ..Scheme::BASE
};

/// Buckets without a map: those of the type `memcached`.
pub const KETAMA: Scheme<'static> = Scheme {
    name: "couchbase-ketama",
    used_by: "Couchbase clients and moxi, for memcached buckets",
    hash: hash::MD5,
    roster: Some(|left, right| left.cmp(right)),
    mechanism: &RING,
    ..Scheme::BASE
};

const MAP: Table = Table { count: Table::mapped, ..Table::MAP };

const RING: Continuum<u32> = Continuum { count: |_, _, _| 160, ..ketama::ring(Label::verbatim) };

pub(super) const PEERS: &[Peer] = &[
    Peer {
        scheme: VBUCKET,
        options: &["hash", "buckets"],
        set: |scheme, name, value| match name {
            "hash" => informs(scheme, value, "crc"),
            _ => Ok(Scheme { options: Options::Buckets(map(value)?), ..scheme }),
        },
    },
    Peer {
        scheme: KETAMA,
        options: &["hash", "points-per-server", "server-order"],
        set: |scheme, name, value| match name {
            "hash" => informs(scheme, value, "md5"),
            "points-per-server" => informs(scheme, value, "160 always"),
            _ => informs(scheme, value, "sorted by name (strcmp)"),
        },
    },
];

/// Source: libvbucket `src/vbucket.c`, `parse_vbucket_config`: "Number of vBuckets must be a power of two > 0".
fn map(value: &str) -> Result<List<'_, u16>, &'static str> {
    List::parse(value)
        .filter(|map| map.iter().count().is_power_of_two())
        .ok_or("the number of a server for each of a power of two of buckets: 2,0,1,1 …")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scheme::BuildError,
        server::{Server, ServerIndex},
    };

    #[test]
    fn a_map_is_needed_and_names_servers_that_exist() {
        let servers = ["a:1", "b:1"].map(Server::new);
        let with = |map| VBUCKET.with_option("buckets", map).unwrap();
        assert_eq!(VBUCKET.choose(&servers, b"key"), Err(BuildError::NoBuckets));
        assert_eq!(
            Scheme { options: Options::Buckets(List::Items(&[])), ..VBUCKET }.needs(&servers),
            Err(BuildError::NoBuckets)
        );
        assert_eq!(with("0,2").needs(&servers), Err(BuildError::Bucket { bucket: 1, server: 2 }));
        assert_eq!(with("1").choose(&servers, b"key"), Ok(ServerIndex::new(1)));
        for bad in ["", "0,1,0", "0,-1", "0,65536", "none", "0,,1,1"] {
            assert!(VBUCKET.with_option("buckets", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn worked_examples() {
        for (key, bucket) in [("tokyo", 583), ("foo", 115), ("test", 127)] {
            let mut map = [0; 1024];
            map[bucket] = 1;
            let scheme = Scheme { options: Options::Buckets(List::Items(&map)), ..VBUCKET };
            let servers = ["a:1", "b:1"].map(Server::new);
            assert_eq!(scheme.choose(&servers, key.as_bytes()), Ok(ServerIndex::new(1)));
            assert_eq!(scheme.choose(&servers, b"other"), Ok(ServerIndex::new(0)));
        }
    }

    #[test]
    fn the_order_of_the_list_means_nothing() {
        let servers = ["b:11210", "a:11210", "c:11210"].map(Server::new);
        let sorted = ["a:11210", "b:11210", "c:11210"].map(Server::new);
        for number in 0..100_u8 {
            let (one, other) = (KETAMA.choose(&servers, &[number]), KETAMA.choose(&sorted, &[number]));
            assert_eq!(servers[one.unwrap().get()], sorted[other.unwrap().get()]);
        }
    }
}
