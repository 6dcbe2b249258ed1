//! A scheme: how one peer places keys, as data.

use core::{cmp::Ordering, error, fmt};

use crate::{
    fallback::{self, Fallback},
    hash::{self, Hash},
    key::KeyText,
    list::List,
    mechanism::{MAX_POINTS, Mechanism, ketama},
    peers::{memcached_proxy::PoolPoints, php_memcached::Sorting},
};

/// How one peer places keys: which bytes of the key are hashed, with what, how a hash becomes a server, and who is
/// asked next when that server is down.
///
/// A scheme is plain data. Take a constant of [`peers`](crate::peers), or name one at run time with
/// [`from_name`](Self::from_name); its options are fields to set or words for [`with_option`](Self::with_option).
/// Each field is read by the mechanisms that say so and means nothing to the others.
///
/// ```
/// use memring_core::{hash, peers::libmemcached, Scheme};
///
/// let typed = Scheme { hash: hash::CRC15, ..libmemcached::MODULA };
/// let named = Scheme::from_name("libmemcached-modula").unwrap().with_option("hash", "crc")?;
/// assert_eq!(typed.hash.of(b"tokyo"), named.hash.of(b"tokyo"));
/// # Ok::<(), memring_core::scheme::OptionError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Scheme<'a> {
    /// The name that the command line, the documentation and the vector files share.
    pub name: &'static str,
    /// Who places keys this way, in one line.
    pub used_by: &'static str,
    /// Which bytes are hashed for a key.
    pub key: KeyText<'a>,
    /// The function that hashes them.
    pub hash: Hash,
    /// Which weights the peer takes and what they mean.
    pub weights: Weights,
    /// The order in which the peer keeps its servers, by name; `None` = as configured.
    pub roster: Option<fn(&str, &str) -> Ordering>,
    /// How a hash becomes a server.
    pub mechanism: &'static dyn Mechanism,
    /// Who is asked when the primary is down.
    pub fallback: Fallback,
    /// The function that hashes the servers' numbered names, for the rings that let one choose it; `None` = the one
    /// that hashes keys.
    pub points_hash: Option<Hash>,
    /// Names (for MD5 ketama: digests) or points that a server of average weight has on a ring.
    pub replicas: u32,
    /// Points that one digest gives, 4 at most, for the rings that let one choose.
    pub points_per_digest: u32,
    /// How many points the finished ring must have, when the configuration says so.
    pub points_in_ring: Option<usize>,
    /// Whether a server that weighs more than 1 turns an unweighted ring into a weighted one: libmemcached.
    pub weighted_if_heavy: bool,
    /// The server of each bucket, by its number: libmemcached's and Couchbase's vbuckets.
    pub buckets: Option<List<'a, u16>>,
    /// Which part, from 0 to 1, of the keys that fall to a server stays with it: mcrouter's `weights`.
    pub shares: Option<List<'a, f64>>,
    /// What options of this peer alone say.
    pub own: Own<'a>,
    /// How many places are looked at for one key before the peer gives up, the primary's included.
    pub tries: u32,
}

impl Scheme<'static> {
    /// What a constant leaves out: all of the key is hashed, weights are ignored, order as configured, no fallback.
    pub(crate) const BASE: Self = Self {
        name: "",
        used_by: "",
        key: KeyText::WHOLE,
        hash: hash::MD5,
        weights: Weights::Ignored,
        roster: None,
        mechanism: &crate::mechanism::Slots::BY_HASH,
        fallback: fallback::none,
        points_hash: None,
        replicas: 0,
        points_per_digest: ketama::POINTS_PER_DIGEST,
        points_in_ring: None,
        weighted_if_heavy: false,
        buckets: None,
        shares: None,
        own: Own::None,
        tries: u32::MAX,
    };
}

impl fmt::Debug for Scheme<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheme").field("name", &self.name).field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// What options say that only one peer has; its file reads it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Own<'a> {
    /// Nothing.
    None,
    /// The user name and the password in the names of servers: [`BMEMCACHED`](crate::peers::uhashring::BMEMCACHED).
    Login([&'a str; 2]),
    /// Whether the list of servers is sorted, and was: [`php_memcached`](crate::peers::php_memcached).
    Sorting(Sorting),
    /// What a pool's points are made of: [`memcached_proxy`](crate::peers::memcached_proxy).
    Points(PoolPoints),
}

/// Which weights a peer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// Any; all servers count the same.
    Ignored,
    /// Whole numbers; a server of weight zero gets no key.
    Whole,
    /// Whole numbers; zero counts as one.
    ZeroIsOne,
    /// Whole numbers from one up.
    Positive,
    /// Any number above zero.
    PositiveReal,
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ignored => "any weight",
            Self::Whole | Self::ZeroIsOne => "a whole number",
            Self::Positive => "a whole number above zero",
            Self::PositiveReal => "a number above zero",
        })
    }
}

/// Why a scheme cannot be built for a list of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The list of servers is empty.
    NoServers,
    /// The list is longer than [`MAX_SERVERS`](crate::ServerIndex::MAX_SERVERS).
    TooManyServers {
        /// How many servers the list has.
        given: usize,
    },
    /// The peer does not take this server's weight.
    Weight {
        /// The server's position in the list, from 0.
        index: usize,
        /// What it takes.
        expected: Weights,
    },
    /// The weights add up to more than the scheme can count: 4294967295 slots.
    TotalWeight,
    /// The weights, or the points for each unit of weight, make more points than a ring may have:
    /// [`MAX_POINTS`]. To compute them would take minutes, and gigabytes.
    TooManyPoints {
        /// Points that the ring would have.
        needed: u64,
    },
    /// The scheme needs a map of buckets and has none.
    NoBuckets,
    /// The map of buckets names a server that is not in the list.
    Bucket {
        /// The bucket.
        bucket: usize,
        /// Its server, by number.
        server: u16,
    },
    /// No server gets any key: every weight is zero, or too small for a single point.
    NothingToPlaceOn,
    /// The storage is too small; nothing was written to it.
    TooFewPoints {
        /// Entries that the placement takes.
        needed: usize,
        /// Entries that the storage has.
        given: usize,
        /// Whether the points have 128 bits, as in [`FixedWide`](crate::storage::FixedWide), rather than 32.
        wide: bool,
    },
    /// The ring has not the number of points that the configuration says.
    PointsInRing {
        /// As configured.
        expected: usize,
        /// As built.
        built: usize,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoServers => f.write_str("no servers"),
            Self::TooManyServers { given } => write!(f, "{given} servers, more than 65535"),
            Self::Weight { index, expected } => {
                write!(f, "bad weight of server {index}: this scheme takes {expected}")
            }
            Self::TotalWeight => f.write_str("the weights add up to more than this scheme can count"),
            Self::TooManyPoints { needed } => {
                write!(f, "the weights make {needed} points, more than the {MAX_POINTS} that a ring may have")
            }
            Self::NoBuckets => f.write_str("no map of buckets"),
            Self::Bucket { bucket, server } => {
                write!(f, "bucket {bucket} is on server {server}, which is not in the list")
            }
            Self::NothingToPlaceOn => f.write_str("no server has weight enough to get a key"),
            Self::TooFewPoints { needed, given, wide } => {
                let bits = if wide { 128 } else { 32 };
                write!(f, "storage too small: {needed} points of {bits} bits needed, {given} given")
            }
            Self::PointsInRing { expected, built } => {
                write!(f, "the ring has {built} points, not {expected} as configured")
            }
        }
    }
}

impl error::Error for BuildError {}

/// Why an option does not fit a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionError {
    /// The scheme has no option of this name.
    Unknown {
        /// The names that it has.
        known: &'static [&'static str],
    },
    /// The option does not take this value.
    Value {
        /// What it takes.
        expected: &'static str,
    },
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { known: [] } => f.write_str("unknown option: this scheme has none"),
            Self::Unknown { known } => {
                f.write_str("unknown option: this scheme has ")?;
                for (place, name) in known.iter().enumerate() {
                    write!(f, "{}{name}", if place == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Value { expected } => write!(f, "bad value: expected {expected}"),
        }
    }
}

impl error::Error for OptionError {}
