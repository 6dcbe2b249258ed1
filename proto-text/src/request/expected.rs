//! Expected replies: the shape of a request's reply, and the keys in it.

use crate::{
    meta::{MetaShape, MetaVerb},
    reply::Status,
};

/// The reply that a request expects. [`Request`](crate::Request) and [`Keys`] implement it; a client that queues
/// requests implements it for the type that it queues.
pub trait Expected {
    /// What a complete reply looks like.
    fn shape(&self) -> ReplyShape;

    /// The key number `index` that was asked for, counted from 0 in the order of the request line.
    fn key(&self, index: usize) -> Option<&[u8]>;

    /// The opaque token of a meta request.
    fn opaque(&self) -> Option<&[u8]> {
        None
    }

    /// Whether the request has a value. If so, a refusal can leave open whether the server has read the value.
    fn has_value(&self) -> bool {
        self.shape().is_of_value()
    }

    /// Whether the request's value, should the server read it as requests, may begin with one: see
    /// [`Value::may_be_request`](crate::Value::may_be_request).
    ///
    /// If so, a refusal that leaves open whether the value was read ends the connection. Return `true` if unknown.
    fn value_may_be_request(&self) -> bool {
        true
    }

    /// Whether a line that is neither an item's nor a word, a number or a refusal is
    /// [`ProtocolError::Unexpected`](crate::exchange::ProtocolError::Unexpected) whatever else it may be. What would read such
    /// lines, those of meta commands, of statistics and of dumps, is then left out of a program that asks for nothing else.
    ///
    /// `true` of the requests that stand alone: see [`Encode`](crate::request::Encode).
    #[inline]
    fn is_plain(&self) -> bool {
        false
    }
}

impl<E: Expected + ?Sized> Expected for &E {
    fn shape(&self) -> ReplyShape {
        (**self).shape()
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        (**self).key(index)
    }

    fn opaque(&self) -> Option<&[u8]> {
        (**self).opaque()
    }

    fn has_value(&self) -> bool {
        (**self).has_value()
    }

    fn value_may_be_request(&self) -> bool {
        (**self).value_may_be_request()
    }

    #[inline]
    fn is_plain(&self) -> bool {
        (**self).is_plain()
    }
}

/// What a complete reply looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplyShape {
    /// Items, then `END`.
    Values {
        /// Each item has its cas unique.
        cas: bool,
    },
    /// `STORED` or `NOT_STORED`.
    Store,
    /// `STORED`, `EXISTS` or `NOT_FOUND`.
    Cas,
    /// `DELETED` or `NOT_FOUND`.
    Delete,
    /// `TOUCHED` or `NOT_FOUND`.
    Touch,
    /// A number or `NOT_FOUND`.
    Arith,
    /// `OK`.
    Ok,
    /// `RESET`.
    Reset,
    /// `VERSION …`.
    Version,
    /// Lines of statistics, then `END`.
    Stats,
    /// `PREFIX …` lines, then `END`.
    Prefixes,
    /// `ITEM …` lines, then `END`.
    CacheItems,
    /// `key=…` lines, then `END`.
    Dump,
    /// `mg …` lines, then `EN`.
    DumpKeys,
    /// `OK`, or a [`Notice`](crate::reply::Notice).
    Admin,
    /// `OK`, and log lines until the connection is closed.
    Watch,
    /// The connection is closed, or an error line comes.
    Close,
    /// `STORED`: user and password are right.
    Auth,
    /// A meta reply.
    Meta(MetaShape),
    /// No reply at all.
    Nothing,
    /// Any reply, up to its end: for a request whose caller has gone.
    Any,
}

impl ReplyShape {
    /// Whether the request may have a value.
    pub(crate) const fn is_of_value(self) -> bool {
        match self {
            Self::Store | Self::Cas | Self::Auth | Self::Any => true,
            Self::Meta(shape) => matches!(shape.verb(), MetaVerb::Set),
            _ => false,
        }
    }

    pub(crate) const fn statuses(self) -> &'static [Status] {
        match self {
            Self::Store => &[Status::Stored, Status::NotStored],
            Self::Cas => &[Status::Stored, Status::Exists, Status::NotFound],
            Self::Delete => &[Status::Deleted, Status::NotFound],
            Self::Touch => &[Status::Touched, Status::NotFound],
            Self::Arith => &[Status::NotFound],
            Self::Ok | Self::Admin => &[Status::Ok],
            Self::Auth => &[Status::Stored],
            Self::Reset => &[Status::Reset],
            Self::Any => &Status::ALL,
            _ => &[],
        }
    }
}

/// A request whose caller has gone: its reply is read to the end and thrown away.
///
/// The request may have had a value, so an unknown refusal ends the connection. A client that knows more about the
/// request implements [`Expected`] for it, with the shape [`Any`](ReplyShape::Any).
///
/// Do not use it in place of a quiet request, which may have no reply, or of a dump: leave those in the queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Abandoned;

impl Expected for Abandoned {
    fn shape(&self) -> ReplyShape {
        ReplyShape::Any
    }

    fn key(&self, _: usize) -> Option<&[u8]> {
        None
    }
}

/// The keys of one multi-get line, in their order, for [`Exchange::decode`](crate::Exchange::decode).
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a, K> {
    /// The keys on the line.
    pub keys: &'a [K],
    /// Whether it was `gets` or `gats`.
    pub cas: bool,
}

impl<K: AsRef<[u8]>> Expected for Keys<'_, K> {
    fn shape(&self) -> ReplyShape {
        ReplyShape::Values { cas: self.cas }
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        self.keys.get(index).map(AsRef::as_ref)
    }
}
