//! Errors of exchanges: why a connection cannot be used any more.

use core::fmt;

use crate::reply::DecodeError;

/// The peer's bytes are not the reply to the request. The connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The bytes are no reply, or exceed a limit.
    Decode(DecodeError),
    /// An item has a key that was not asked for, or is not in the order of the request.
    WrongKey,
    /// A reply lacks the opaque token of its request, or has another.
    WrongOpaque,
    /// A reply came that one of several quiet requests may have caused, and has neither opaque nor key to tell which.
    Unidentified,
    /// An item lacks the cas unique that was asked for.
    MissingCas,
    /// The reply belongs to another kind of request.
    Unexpected,
    /// Bytes came although no request was open.
    Unasked,
    /// The peer closed the connection before the reply was complete.
    Eof,
    /// The server refused an earlier request in a way that leaves unclear what it reads next.
    OutOfStep,
    /// The driver gave the connection up.
    Broken,
}

impl From<DecodeError> for ProtocolError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decode(error) => return error.fmt(f),
            Self::WrongKey => "reply has a key that was not asked for",
            Self::WrongOpaque => "reply has another opaque than its request",
            Self::Unidentified => "reply does not say which quiet request it answers",
            Self::MissingCas => "reply lacks the cas unique that was asked for",
            Self::Unexpected => "reply does not belong to the request",
            Self::Unasked => "bytes came that nobody asked for",
            Self::Eof => "connection closed before the reply was complete",
            Self::OutOfStep => "connection out of step after a refusal",
            Self::Broken => "connection given up",
        })
    }
}

impl core::error::Error for ProtocolError {}
