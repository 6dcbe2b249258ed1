//! Why there is no value.

use core::{error, fmt};

use super::{BoxError, EncodingId};
use crate::values;

/// A value could not be encoded, or an item has no value of this encoding. The item stays as it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// The item was stored without an encoding: by `set`, or by another client.
    Untyped {
        /// The item's flags.
        flags: u32,
    },
    /// The item was stored with another encoding.
    OtherEncoding {
        /// The one by which it was to be read.
        expected: EncodingId,
        /// The one with which it was stored.
        found: EncodingId,
    },
    /// The item is compressed in a way that this version does not know.
    UnknownCompression {
        /// The item's flags.
        flags: u32,
    },
    /// The compressed value is damaged, or longer than the limit.
    Compressed(values::Problem),
    /// The encoding refused the value that was to be stored. The [source](error::Error::source) says why.
    Encode(BoxError),
    /// The encoding refused the bytes that are stored: they are damaged, or of another type of values. The
    /// [source](error::Error::source) says why.
    Decode(BoxError),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untyped { flags } => write!(f, "not a typed value: its flags are {flags:#x}"),
            Self::OtherEncoding { expected, found } => {
                write!(f, "value was stored as {found}, not as {expected}")
            }
            Self::UnknownCompression { flags } => {
                write!(f, "value is compressed in a way unknown here: its flags are {flags:#x}")
            }
            Self::Compressed(problem) => problem.fmt(f),
            // What the encoding says may have a piece of the value in it.
            Self::Encode(_) => f.write_str("value cannot be encoded"),
            Self::Decode(_) => f.write_str("stored bytes are not of this encoding and type"),
        }
    }
}

impl error::Error for Problem {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Encode(error) | Self::Decode(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<values::Problem> for Problem {
    fn from(problem: values::Problem) -> Self {
        Self::Compressed(problem)
    }
}
