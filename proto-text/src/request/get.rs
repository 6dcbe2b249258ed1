//! Requests for items.

use super::ReplyShape;
use crate::key::Key;

/// `get` and its relatives, of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Get<'a> {
    /// Which of the four, with the new exptime of the last two.
    pub verb: GetVerb,
    /// The key asked for.
    pub key: Key<'a>,
}

impl<'a> Get<'a> {
    /// `get`: flags and value.
    #[must_use]
    pub const fn new(key: Key<'a>) -> Self {
        Self { verb: GetVerb::Get, key }
    }

    /// `gets`: flags, value and cas unique.
    #[must_use]
    pub const fn gets(key: Key<'a>) -> Self {
        Self { verb: GetVerb::Gets, key }
    }

    /// `gat`: get, and a new exptime, as on the wire: see [`Ttl`](crate::Ttl::exptime).
    #[must_use]
    pub const fn gat(key: Key<'a>, exptime: i32) -> Self {
        Self { verb: GetVerb::Gat(exptime), key }
    }

    /// `gats`: gets, and a new exptime, as on the wire: see [`Ttl`](crate::Ttl::exptime).
    #[must_use]
    pub const fn gats(key: Key<'a>, exptime: i32) -> Self {
        Self { verb: GetVerb::Gats(exptime), key }
    }
}

/// How items are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GetVerb {
    /// `get`: flags and value.
    Get,
    /// `gets`: flags, value and cas unique.
    Gets,
    /// `gat`: get and touch; the new exptime as on the wire.
    Gat(i32),
    /// `gats`: gets and touch; the new exptime as on the wire.
    Gats(i32),
}

impl GetVerb {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Gets => "gets",
            Self::Gat(_) => "gat",
            Self::Gats(_) => "gats",
        }
    }

    /// Whether the cas unique is asked for.
    #[must_use]
    pub const fn has_cas(self) -> bool {
        matches!(self, Self::Gets | Self::Gats(_))
    }

    /// The new exptime, for the two that touch.
    #[must_use]
    pub const fn exptime(self) -> Option<i32> {
        match self {
            Self::Gat(exptime) | Self::Gats(exptime) => Some(exptime),
            Self::Get | Self::Gets => None,
        }
    }

    /// What a complete reply looks like.
    #[must_use]
    pub const fn reply_shape(self) -> ReplyShape {
        ReplyShape::Values { cas: self.has_cas() }
    }
}
