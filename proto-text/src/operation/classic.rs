//! The classic verbs as operations.

use super::{Item, Operation, Outcome, Reply, ReplyError};
use crate::{
    buffer::Buffer,
    reply::Status,
    request::{
        Arith, Credentials, Delete, Encode, FlushAll, Get, GetVerb, Request, Store, StoreVerb, Touch,
        Verbosity,
    },
    ttl::{Ttl, UnixTime},
};

/// The outcome of a request that stores a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreOutcome {
    /// The value is stored.
    Stored,
    /// The condition of `add`, `replace`, `append` or `prepend` did not hold; or the appended value would be too
    /// large.
    NotStored,
    /// `cas`: the item has changed since its cas unique was read.
    Exists,
    /// `cas`: there is no such item any more.
    NotFound,
}

impl Operation for Get<'_> {
    /// `None` is a miss.
    type Output<V> = Option<Item<V>>;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Get(*self)
    }

    #[inline]
    fn encoded(&self) -> impl Encode + '_ {
        *self
    }

    #[inline]
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<Self::Output<V>, ReplyError> {
        match reply.outcome {
            Outcome::End if reply.has_item => Ok(Some(reply.assembly.item(reply.value)?)),
            Outcome::End => Ok(None),
            other => Err(other.into_error()),
        }
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        let verb = match self.verb {
            GetVerb::Get | GetVerb::Gets => return None,
            GetVerb::Gat(exptime) => GetVerb::Gat(cap.cap(exptime, now)),
            GetVerb::Gats(exptime) => GetVerb::Gats(cap.cap(exptime, now)),
        };
        Some(Self { verb, ..*self })
    }
}

impl Operation for Store<'_> {
    type Output<V> = StoreOutcome;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Store(*self)
    }

    #[inline]
    fn encoded(&self) -> impl Encode + '_ {
        *self
    }

    #[inline]
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<StoreOutcome, ReplyError> {
        match reply.status()? {
            Status::Stored => Ok(StoreOutcome::Stored),
            Status::NotStored => Ok(StoreOutcome::NotStored),
            Status::Exists => Ok(StoreOutcome::Exists),
            Status::NotFound => Ok(StoreOutcome::NotFound),
            _ => Err(ReplyError::Mismatch),
        }
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        match self.verb {
            StoreVerb::Append | StoreVerb::Prepend => None,
            _ => Some(Self { exptime: cap.cap(self.exptime, now), ..*self }),
        }
    }
}

impl Operation for Delete<'_> {
    /// Whether there was an item to delete.
    type Output<V> = bool;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Delete(*self)
    }

    #[inline]
    fn encoded(&self) -> impl Encode + '_ {
        *self
    }

    #[inline]
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<bool, ReplyError> {
        found(reply, Status::Deleted)
    }
}

impl Operation for Touch<'_> {
    /// Whether there was an item to touch.
    type Output<V> = bool;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Touch(*self)
    }

    #[inline]
    fn encoded(&self) -> impl Encode + '_ {
        *self
    }

    #[inline]
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<bool, ReplyError> {
        found(reply, Status::Touched)
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        Some(Self { exptime: cap.cap(self.exptime, now), ..*self })
    }
}

impl Operation for Arith<'_> {
    /// The new number; `None` when there is no such item.
    type Output<V> = Option<u64>;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Arith(*self)
    }

    #[inline]
    fn encoded(&self) -> impl Encode + '_ {
        *self
    }

    #[inline]
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<Option<u64>, ReplyError> {
        match reply.outcome {
            Outcome::Number(number) => Ok(Some(number)),
            Outcome::Status(Status::NotFound) => Ok(None),
            other => Err(other.into_error()),
        }
    }
}

impl Operation for FlushAll {
    type Output<V> = ();

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::FlushAll(*self)
    }

    #[inline]
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<(), ReplyError> {
        found(reply, Status::Ok).map(|_| ())
    }
}

impl Operation for Verbosity {
    type Output<V> = ();

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Verbosity(*self)
    }

    #[inline]
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<(), ReplyError> {
        found(reply, Status::Ok).map(|_| ())
    }
}

/// `version` as an operation: reads the server's version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version;

impl Operation for Version {
    /// The text, as bytes.
    type Output<V> = V;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Version
    }

    #[inline]
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<V, ReplyError> {
        match (reply.outcome, reply.assembly.lost) {
            (Outcome::Version, None) => Ok(reply.value),
            (Outcome::Version, Some(lost)) => Err(lost.into()),
            (other, _) => Err(other.into_error()),
        }
    }
}

impl Operation for Credentials<'_> {
    /// The server knows the user.
    type Output<V> = ();

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Auth(*self)
    }

    #[inline]
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<(), ReplyError> {
        found(reply, Status::Stored).map(|_| ()).map_err(|error| match error {
            ReplyError::Server(error) => ReplyError::Server(error.without_unknown_text()),
            error => error,
        })
    }
}

fn found<V>(reply: Reply<V>, yes: Status) -> Result<bool, ReplyError> {
    match reply.status()? {
        status if status == yes => Ok(true),
        Status::NotFound => Ok(false),
        _ => Err(ReplyError::Mismatch),
    }
}
