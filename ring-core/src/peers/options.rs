//! Options that only some peers have, as plain data. The file of each peer reads its own.

use core::fmt;

use crate::{hash::Hash, list::List};

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
    Login(Login<'a>),
    /// What a pool's ring is made of: [`memcached_proxy`](crate::peers::memcached_proxy).
    Pool(Pool),
}

impl<'a> Options<'a> {
    /// How many points servers have; `replicas` is 0 in a scheme without such an option.
    pub(crate) const fn ring(&self) -> RingOptions {
        match *self {
            Self::Ring(ring) => ring,
            _ => RingOptions::new(0),
        }
    }

    /// Options with so many `replicas`.
    pub(crate) const fn with_replicas(self, replicas: u32) -> Self {
        Self::Ring(RingOptions { replicas, ..self.ring() })
    }

    /// The map of buckets, where the configuration has one.
    pub(crate) const fn buckets(&self) -> Option<List<'a, u16>> {
        match *self {
            Self::Buckets(map) => Some(map),
            Self::Php(settings) => settings.buckets,
            _ => None,
        }
    }

    /// How points of an unweighted ring of libmemcached are made.
    pub(crate) const fn points(&self) -> Points {
        match *self {
            Self::Libmemcached(points) => points,
            Self::Php(settings) => settings.points,
            _ => Points { hash: None, weighted_if_heavy: false },
        }
    }

    /// Options with these points.
    pub(crate) const fn with_points(self, points: Points) -> Self {
        match self {
            Self::Php(settings) => Self::Php(Settings { points, ..settings }),
            _ => Self::Libmemcached(points),
        }
    }
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
    /// So many `replicas`, and four points to a digest.
    #[must_use]
    pub const fn new(replicas: u32) -> Self {
        Self { replicas, points_per_digest: 4 }
    }
}

/// How the points of an unweighted ring are made.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Points {
    /// The function that hashes the servers' numbered names; `None` = the one that hashes keys.
    pub hash: Option<Hash>,
    /// Whether a server that weighs more than 1 turns the ring into a weighted one.
    pub weighted_if_heavy: bool,
}

impl Points {
    /// The points of a program that sets its behaviors before it adds servers.
    pub(crate) const BEHAVIOR_FIRST: Self = Self { hash: None, weighted_if_heavy: true };
}

/// What php-memcached's `setOption` was told, of which a distribution reads its part.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    pub(crate) points: Points,
    pub(crate) buckets: Option<List<'a, u16>>,
    pub(crate) sorting: Sorting,
}

/// What `OPT_SORT_HOSTS` was and is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sorting {
    /// Whether servers that are added now are sorted in.
    pub(crate) on: bool,
    /// Whether servers that there are were sorted at any time.
    pub(crate) once: bool,
}

/// The name and the password that a client logs in with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Login<'a> {
    /// The user's name.
    pub username: &'a str,
    /// The password, which is never shown.
    pub password: &'a str,
}

impl fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// What a pool's ring is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pool {
    /// How points are made: `omode`.
    pub mode: PoolPoints,
    /// Points of every server: `obuckets`.
    pub buckets: u32,
}

/// A pool's `omode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolPoints {
    /// One point to a name, by XXH3.
    Default,
    /// MD5 over `host:port`.
    Ketama,
    /// MD5 over `host:port`, or `host` on port 11211.
    Twemproxy,
    /// MD5 over `host/host:port`.
    Evcache,
}

/// Which part of a key a pool hashes, and with which seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolKeys<'a> {
    pub(crate) seed: Option<u64>,
    /// Whether the hash takes a seed in front of the text.
    pub(crate) seeded: bool,
    pub(crate) filter: Option<Filter>,
    pub(crate) filter_conf: &'a [u8],
}

/// Which part of a key a filter leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Stop,
    Tags,
}

/// What the options of one peer say about its keys; its form reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extra<'a> {
    /// Nothing.
    None,
    /// Hashed behind the key, never sent: [`mcrouter`](crate::peers::mcrouter).
    Salt(&'a [u8]),
    /// The two bytes between which the hashed part of a key stands: [`twemproxy`](crate::peers::twemproxy).
    Tag([u8; 2]),
    /// What stands between the namespace and the key: [`dalli`](crate::peers::dalli).
    Separator(&'a str),
    /// The seed and the filter of a pool: [`memcached_proxy`](crate::peers::memcached_proxy).
    Pool(PoolKeys<'a>),
}

#[cfg(test)]
mod tests {
    use std::format;

    use crate::peers::uhashring::BMEMCACHED;

    #[test]
    fn no_password_is_shown() {
        let scheme = BMEMCACHED.with_option("username", "alice").unwrap();
        let scheme = scheme.with_option("password", "s3cret").unwrap();
        let shown = format!("{:?}", scheme.options);
        assert!(shown.contains("alice") && !shown.contains("s3cret"), "{shown}");
    }
}
