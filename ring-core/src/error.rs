//! Errors: why a scheme cannot be built, and why it does not take an option.

use core::{error, fmt};

use crate::weights::Weights;

/// Most points that a ring may have: 2²⁴, which is 160 for each of the longest list of servers, and half as many again.
///
/// A few peers have so many points for each unit of weight that weights meant as megabytes make hundreds of millions.
pub const MAX_POINTS: u32 = 1 << 24;

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
        /// The weights that it takes.
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
        /// Entries that the placement needs.
        needed: usize,
        /// Entries that the storage has.
        given: usize,
        /// Whether the points have 128 bits, as in [`FixedWide`](crate::storage::FixedWide), rather than 32.
        wide: bool,
    },
    /// The ring does not have the number of points that the configuration demands.
    PointsInRing {
        /// The configured number.
        expected: usize,
        /// The number in the built ring.
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
        /// The values that it takes.
        expected: &'static str,
    },
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { known: [] } => f.write_str("unknown option: this scheme has none"),
            Self::Unknown { known } => {
                f.write_str("unknown option: this scheme has ")?;
                for (index, name) in known.iter().enumerate() {
                    write!(f, "{}{name}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Value { expected } => write!(f, "bad value: expected {expected}"),
        }
    }
}

impl error::Error for OptionError {}
