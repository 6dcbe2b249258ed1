//! Errors of operations: why a reply has no result.

use core::fmt;

use crate::{buffer::Full, reply::ServerError, value::ValueTooLarge};

/// Why a value that a server has sent could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueError {
    /// The caller's buffer is too small.
    Full(Full),
    /// The value is longer than [`Limits::value`](crate::Limits::value), and was skipped.
    TooLarge(ValueTooLarge),
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(full) => full.fmt(f),
            Self::TooLarge(value) => value.fmt(f),
        }
    }
}

impl core::error::Error for ValueError {}

impl From<ValueError> for ReplyError {
    fn from(error: ValueError) -> Self {
        match error {
            ValueError::Full(full) => Self::Full(full),
            ValueError::TooLarge(value) => Self::TooLarge(value),
        }
    }
}

/// Why a complete reply has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyError {
    /// The server refused.
    Server(ServerError),
    /// The caller's buffer is too small.
    Full(Full),
    /// The value is longer than [`Limits::value`](crate::Limits::value), and was skipped.
    TooLarge(ValueTooLarge),
    /// A quiet request was not answered, but some request of its run was refused, and it may have been this one.
    Unsure,
    /// The server answered that there is no such item, in a case where some servers say so although there is one.
    Unclear,
    /// The events were not those of a complete reply to this operation. With the events of an
    /// [`Exchange`](crate::Exchange), this happens only to a request that [has no reply](crate::Request::has_reply).
    Mismatch,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => error.fmt(f),
            Self::Full(full) => full.fmt(f),
            Self::TooLarge(value) => value.fmt(f),
            Self::Unsure => f.write_str("one of several quiet requests was refused"),
            Self::Unclear => f.write_str("server does not tell of a key in base64"),
            Self::Mismatch => f.write_str("reply does not belong to the operation"),
        }
    }
}

impl core::error::Error for ReplyError {}
