//! Errors of the reply decoder.

use core::fmt;

/// The peer's bytes are no reply, or exceed a limit.
///
/// Some servers can be built with flags of 64 bits (`client_flags_size`); flags above 32 bits are malformed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are no reply of memcached.
    Malformed(Malformed),
    /// A line does not end within the limit.
    LineTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The announced length of a value is larger than any server can have
    /// ([`MAX_VALUE_LEN`](crate::value::MAX_VALUE_LEN)), and than [`Limits::value`](crate::Limits::value).
    ValueTooLarge {
        /// Its announced length in bytes.
        len: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// One reply has more items than the limit.
    TooManyItems {
        /// The limit.
        limit: u32,
    },
    /// One reply has more lines than the limit.
    TooManyLines {
        /// The limit.
        limit: u32,
    },
}

/// The part of a reply that is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Malformed {
    /// A line begins with a byte that no line begins with.
    FirstByte,
    /// A record of TLS stands where a line should begin: the server wants an encrypted connection.
    Tls,
    /// A line ends without a carriage return.
    LineEnd,
    /// A line begins with an unknown word.
    Word,
    /// A number is malformed, or too large for its type.
    Number,
    /// The head of an item.
    Item,
    /// The line end behind a value.
    ValueEnd,
    /// A line of statistics.
    Stat,
    /// The flags or the length of a meta reply.
    Meta,
    /// A request line (seen by a server).
    Request,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => what.fmt(f),
            Self::LineTooLong { limit } => write!(f, "line is longer than {limit} bytes"),
            Self::ValueTooLarge { len, limit } => {
                write!(f, "value of {len} bytes announced, the limit is {limit}")
            }
            Self::TooManyItems { limit } => write!(f, "more than {limit} items in one reply"),
            Self::TooManyLines { limit } => write!(f, "more than {limit} lines in one reply"),
        }
    }
}

impl core::error::Error for DecodeError {}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstByte => "line begins with a byte that none begins with",
            Self::Tls => "the server speaks TLS here, and the connection is not encrypted; encrypt it",
            Self::LineEnd => "line ends without a carriage return",
            Self::Word => "line begins with an unknown word",
            Self::Number => "number is malformed or too large",
            Self::Item => "head of an item is malformed",
            Self::ValueEnd => "no line end where the value should end",
            Self::Stat => "line of statistics is malformed",
            Self::Meta => "meta reply is malformed",
            Self::Request => "request is malformed",
        })
    }
}
