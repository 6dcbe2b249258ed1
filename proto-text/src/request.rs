//! Requests, as types that can only hold what is valid on the wire.

use crate::{
    meta::{MetaLease, MetaRequest, MetaShape},
    value::Value,
};

mod admin;
mod alone;
mod attributes;
mod change;
mod credentials;
mod encode;
mod expected;
mod get;
mod line;
mod stats;
mod store;

pub use admin::{Admin, Automove, SlabClasses, WatchKinds};
pub use alone::Encode;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub(crate) use alone::encode_head;
pub use attributes::Attributes;
pub use change::{Arith, ArithVerb, Delete, FlushAll, FlushDelay, Touch, Verbosity};
pub use credentials::{Credentials, CredentialsError, MAX_CREDENTIALS_LEN};
pub use encode::{GetLine, Head, MAX_HEAD_LEN, MAX_KEYS_PER_LINE, MAX_REQUEST_LINE, Parts};
pub(crate) use encode::{meta_line, store_line};
pub use expected::{Abandoned, Expected, Keys, ReplyShape};
pub use get::{Get, GetVerb};
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub(crate) use line::LINE_END;
pub(crate) use line::{Compose, Line, Usual};
pub use stats::StatsKind;
pub use store::{Store, StoreVerb};

/// One request.
///
/// A `get` of many keys is not among them, because its line has no limit: see
/// [`GetVerb::write_line`](crate::request::GetVerb::write_line).
///
/// With `noreply`, the server sends nothing, not even errors, so the client learns nothing and has nothing to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request<'a> {
    /// `get`, `gets`, `gat`, `gats` of one key.
    Get(Get<'a>),
    /// `set`, `add`, `replace`, `append`, `prepend`, `cas`.
    Store(Store<'a>),
    /// `delete`.
    Delete(Delete<'a>),
    /// `incr`, `decr`.
    Arith(Arith<'a>),
    /// `touch`.
    Touch(Touch<'a>),
    /// `flush_all`.
    FlushAll(FlushAll),
    /// `verbosity`.
    Verbosity(Verbosity),
    /// `version`.
    Version,
    /// `stats`.
    Stats(StatsKind),
    /// `quit`: the server closes the connection without a reply.
    Quit,
    /// `mg`, `ms`, `md`, `ma`, `me`: built by [`MetaGet`](crate::meta::MetaGet) and its relatives.
    Meta(&'a MetaRequest<'a>),
    /// The `mg` that wins what must be made anew.
    Lease(&'a MetaLease<'a>),
    /// `mn`: does nothing, and is answered; see [`MetaNoop`](crate::meta::MetaNoop).
    MetaNoop,
    /// User and password, in a `set`: the first request on a connection if the server demands them. Do not send it to
    /// another server, which would store them as a value.
    Auth(Credentials<'a>),
    /// A command for operators.
    Admin(Admin),
}

impl<'a> Request<'a> {
    /// The value that follows the line, for those that have one.
    #[must_use]
    pub const fn value(&self) -> Option<Value<'a>> {
        match self {
            Self::Store(store) => Some(store.value),
            Self::Meta(meta) => meta.value(),
            _ => None,
        }
    }

    /// Whether the server will answer.
    #[inline]
    #[must_use]
    pub fn has_reply(&self) -> bool {
        !matches!(self.reply_shape(), ReplyShape::Nothing)
    }

    /// Whether the request may be sent again on another connection, when `sent` bytes of it had been written and no
    /// reply was read.
    ///
    /// Unsent requests may; else only those that change nothing, or have the same effect however often they arrive and
    /// whatever other clients do in between.
    #[must_use]
    pub fn may_retry(&self, sent: usize) -> bool {
        let idempotent = match self {
            Self::Get(_) | Self::Touch(_) | Self::Version | Self::MetaNoop => true,
            Self::Meta(meta) => meta.is_idempotent(),
            Self::Stats(kind) => {
                !matches!(kind, StatsKind::Reset | StatsKind::DetailOn | StatsKind::DetailOff)
            }
            _ => false,
        };
        sent == 0 || idempotent
    }

    /// What a complete reply looks like.
    #[inline]
    #[must_use]
    pub fn reply_shape(&self) -> ReplyShape {
        let (noreply, shape) = match self {
            Self::Get(get) => (false, get.verb.reply_shape()),
            Self::Store(store) => (store.noreply, store.verb.reply_shape()),
            Self::Delete(delete) => (delete.noreply, ReplyShape::Delete),
            Self::Arith(arith) => (arith.noreply, ReplyShape::Arith),
            Self::Touch(touch) => (touch.noreply, ReplyShape::Touch),
            Self::FlushAll(flush) => (flush.noreply, ReplyShape::Ok),
            Self::Verbosity(verbosity) => (verbosity.noreply, ReplyShape::Ok),
            Self::Version => (false, ReplyShape::Version),
            Self::Stats(kind) => (false, kind.reply_shape()),
            Self::Meta(meta) => (false, ReplyShape::Meta(meta.shape())),
            Self::Lease(_) => (false, ReplyShape::Meta(MetaLease::SHAPE)),
            Self::MetaNoop => (false, ReplyShape::Meta(MetaShape::NOOP)),
            Self::Auth(_) => (false, ReplyShape::Auth),
            Self::Admin(admin) => (false, admin.reply_shape()),
            Self::Quit => (false, ReplyShape::Nothing),
        };
        if noreply { ReplyShape::Nothing } else { shape }
    }
}

impl Expected for Request<'_> {
    #[inline]
    fn shape(&self) -> ReplyShape {
        self.reply_shape()
    }

    #[inline]
    fn key(&self, index: usize) -> Option<&[u8]> {
        match self {
            Self::Get(get) if index == 0 => Some(get.key.as_bytes()),
            Self::Lease(lease) if index == 0 => Some(lease.key().as_bytes()),
            Self::Meta(meta) if index == 0 => Some(meta.key().as_bytes()),
            _ => None,
        }
    }

    fn opaque(&self) -> Option<&[u8]> {
        match self {
            Self::Lease(lease) => Some(lease.opaque()),
            Self::Meta(meta) => meta.opaque(),
            _ => None,
        }
    }

    fn value_may_be_request(&self) -> bool {
        self.value().is_none_or(|value| value.may_be_request())
    }
}
