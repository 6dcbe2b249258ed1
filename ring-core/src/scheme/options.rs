//! What some schemes let one say and others do not.

use crate::{
    hash::Hash,
    list::List,
    mechanism::ketama::POINTS_PER_DIGEST,
    peers::{libmemcached::Points, memcached_proxy::Pool, php_memcached::Settings},
};

use super::Scheme;

/// What a scheme's options say beyond its fields: the scheme has the variant that its mechanism reads.
///
/// ```
/// use memring_core::{peers::couchbase::VBUCKET, scheme::{List, Options}, Server};
///
/// let mut scheme = VBUCKET;
/// scheme.options = Options::Buckets(List::Items(&[1, 2, 0, 1]));
/// let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
/// assert_eq!(scheme.choose(&servers, b"tokyo")?.get(), 1);
/// # Ok::<(), memring_core::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Options<'a> {
    /// Nothing.
    None,
    /// How many points servers have, for rings whose peer lets one choose.
    Ring(RingOptions),
    /// The server of each bucket, by its number: libmemcached's and Couchbase's `VBUCKET`.
    Buckets(List<'a, u16>),
    /// How many points the finished ring must have: [`libketama`](crate::peers::libketama).
    PointsInRing(usize),
    /// How points are made: the unweighted rings of [`libmemcached`](crate::peers::libmemcached).
    Libmemcached(Points),
    /// What `setOption` was told: [`php_memcached`](crate::peers::php_memcached).
    Php(Settings<'a>),
    /// The function that hashes the names of points, where it is not that of the keys:
    /// [`spymemcached`](crate::peers::spymemcached).
    PointsHash(Hash),
    /// Which part, from 0 to 1, of the keys that fall to a server stays with it: [`mcrouter`](crate::peers::mcrouter)'s
    /// `weights`.
    Shares(List<'a, f64>),
    /// The user name and the password in the names of servers:
    /// [`BMEMCACHED`](crate::peers::uhashring::BMEMCACHED).
    Login([&'a str; 2]),
    /// What a pool's ring is made of: [`memcached_proxy`](crate::peers::memcached_proxy).
    Pool(Pool),
}

/// How many points servers have on a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingOptions {
    /// Points, or digests that give several, of a server of average weight; where a peer has its own way with weights, of a
    /// server of weight 1.
    pub replicas: u32,
    /// Points that one digest gives, 1 to 4.
    pub points_per_digest: u32,
}

impl RingOptions {
    /// As many `replicas`, and four points to a digest.
    #[must_use]
    pub const fn new(replicas: u32) -> Self {
        Self { replicas, points_per_digest: POINTS_PER_DIGEST }
    }
}

impl<'a> Scheme<'a> {
    /// How many points servers have; none at all in a scheme without such an option.
    pub(crate) const fn ring(&self) -> RingOptions {
        match self.options {
            Options::Ring(ring) => ring,
            _ => RingOptions::new(0),
        }
    }

    /// The scheme with other numbers of points.
    pub(crate) const fn with_ring(self, ring: RingOptions) -> Self {
        Self { options: Options::Ring(ring), ..self }
    }

    /// The scheme with as many `replicas`.
    pub(crate) const fn with_replicas(self, replicas: u32) -> Self {
        self.with_ring(RingOptions { replicas, ..self.ring() })
    }

    /// The map of buckets, where the configuration has one.
    pub(crate) const fn buckets(&self) -> Option<List<'a, u16>> {
        match self.options {
            Options::Buckets(map) => Some(map),
            Options::Php(settings) => settings.buckets,
            _ => None,
        }
    }
}
