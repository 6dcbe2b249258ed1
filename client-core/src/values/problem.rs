//! Why an item cannot be read, and a value not written.

use core::{error, fmt};

use super::{Compression, Type};

/// An item is not what its flags say to a peer. The item itself is unharmed: the caller has its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The peer's [name](super::Peer::name).
    pub peer: &'static str,
    /// The flags of the item.
    pub flags: u32,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The peer writes no such flags.
    UnknownFlags,
    /// It should be text: the byte at this place, after decompression, is not UTF-8.
    NotUtf8 {
        /// From 0.
        at: usize,
    },
    /// It should be a whole number in ASCII digits.
    NotDecimal,
    /// It should be a floating-point number in ASCII.
    NotFloat,
    /// It should be a truth value.
    NotBool,
    /// It should be bytes, each of them a character up to U+00FF.
    NotLatin1,
    /// It should be one character, and is half of one.
    NotCharacter,
    /// The number is outside the range of its type.
    OutOfRange,
    /// A binary number of another length than its type has.
    WrongLength {
        /// The bytes of the type.
        expected: usize,
        /// The bytes that are there.
        found: usize,
    },
    /// The compressed value ends too early.
    Truncated,
    /// The compressed value is damaged: it is not of its format, or its checksum is wrong.
    Damaged(Compression),
    /// There are bytes behind the end of the compressed value, as `append` leaves them.
    Trailing {
        /// How many.
        count: usize,
    },
    /// The value inflates to another length than is written before it.
    WrongSize {
        /// The length that is written before it.
        said: usize,
        /// The length that it has, or more than which it has.
        found: usize,
    },
    /// The value inflates to more than the reader takes.
    TooLarge {
        /// What the reader takes, in bytes.
        limit: usize,
        /// The length that is written before it, if one is.
        said: Option<usize>,
    },
    /// This build cannot decompress it: a feature is off.
    Unavailable(Compression),
}

/// A value that a peer's convention has no form for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteError {
    /// The peer's [name](super::Peer::name).
    pub peer: &'static str,
    /// What kind of value it is.
    pub kind: Type,
    /// Why it is not written.
    pub refusal: Refusal,
}

/// Why a value is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The peer's clients serialise such values with their language, which is not done here.
    NotDefined,
    /// The peer has a form for such values, but not for this one: a number too large, or bytes that are not UTF-8 where
    /// all strings are text.
    DoesNotFit,
    /// The peer has no type of the name asked for.
    NoSuchType,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer, flags, problem } = self;
        write!(f, "as {peer} with flags {flags:#x}: {problem}")
    }
}

impl error::Error for ReadError {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFlags => f.write_str("no client of this kind writes such flags"),
            Self::NotUtf8 { at } => write!(f, "not text: byte {at} is not UTF-8"),
            Self::NotDecimal => f.write_str("not a whole number in ASCII digits"),
            Self::NotFloat => f.write_str("not a number in ASCII"),
            Self::NotBool => f.write_str("neither true nor false"),
            Self::NotLatin1 => f.write_str("a character above U+00FF where each is to be one byte"),
            Self::NotCharacter => f.write_str("half of a character"),
            Self::OutOfRange => f.write_str("number out of the range of its type"),
            Self::WrongLength { expected, found } => {
                write!(f, "a number of {found} bytes where its type has {expected}")
            }
            Self::Truncated => f.write_str("compressed value ends too early"),
            Self::Damaged(compression) => write!(f, "not valid {compression}"),
            Self::Trailing { count } => write!(f, "{count} bytes behind the compressed value"),
            Self::WrongSize { said, found } => {
                write!(f, "compressed value says {said} bytes and inflates to {found} or more")
            }
            Self::TooLarge { limit, said: Some(said) } => {
                write!(f, "compressed value says {said} bytes, the limit is {limit}")
            }
            Self::TooLarge { limit, said: None } => {
                write!(f, "compressed value inflates to more than the limit of {limit} bytes")
            }
            Self::Unavailable(compression) => {
                write!(f, "compressed with {compression}: build with feature `{}`", compression.feature())
            }
        }
    }
}

impl error::Error for Problem {}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer, kind, refusal } = self;
        match refusal {
            Refusal::NotDefined => {
                write!(f, "{peer} has no form for {kind} but that of its language's serialiser")
            }
            Refusal::DoesNotFit => {
                write!(f, "{peer} has no form for this {kind}: it is out of range or no text")
            }
            Refusal::NoSuchType => write!(f, "{peer} has no such type for {kind}"),
        }
    }
}

impl error::Error for WriteError {}
