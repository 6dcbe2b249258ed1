//! The meta requests as operations.

use core::fmt;

use super::{Operation, Outcome, Reply, ReplyError, StoreOutcome};
use crate::{
    buffer::Buffer,
    meta::{MetaArith, MetaCode, MetaDebug, MetaDelete, MetaGet, MetaInfo, MetaLease, MetaNoop, MetaSet},
    number::parse_u64,
    request::Request,
    ttl::{Ttl, UnixTime},
};

/// An item as `mg` returned it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MetaItem<V> {
    /// The value; `None` if it was not asked for, or was left out because of [`MetaGet::unless_cas`].
    pub value: Option<V>,
    /// The other parts that were asked for.
    pub info: MetaInfo,
}

impl<V> fmt::Debug for MetaItem<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetaItem").field("info", &self.info).finish_non_exhaustive()
    }
}

fn item<V>(reply: Reply<V>) -> Result<Option<MetaItem<V>>, ReplyError> {
    match (reply.outcome, reply.assembly.lost) {
        (Outcome::Meta(MetaCode::Miss, _) | Outcome::Silence { sure: true }, _) => Ok(None),
        (Outcome::Meta(MetaCode::Done, info), _) => Ok(Some(MetaItem { value: None, info })),
        (Outcome::Meta(MetaCode::Value, _), Some(lost)) => Err(lost.into()),
        (Outcome::Meta(MetaCode::Value, info), None) => Ok(Some(MetaItem { value: Some(reply.value), info })),
        (other, _) => Err(other.into_error()),
    }
}

impl Operation for MetaLease<'_> {
    /// `None` is a miss, of a server that makes no placeholders.
    type Output<V> = Option<MetaItem<V>>;

    #[inline]
    fn request(&self) -> Request<'_> {
        Request::Lease(self)
    }

    #[inline]
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<Self::Output<V>, ReplyError> {
        item(reply)
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        self.with_ttl_cap(cap, now)
    }
}

impl Operation for MetaGet<'_> {
    /// `None` is a miss.
    type Output<V> = Option<MetaItem<V>>;

    fn request(&self) -> Request<'_> {
        Request::Meta(&self.0)
    }

    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<Self::Output<V>, ReplyError> {
        item(reply)
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        self.0.with_ttl_cap(cap, now).map(Self)
    }
}

/// The outcome of an `ms`, an `md` or an `ma`, with the parts of the item that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetaStoreOutcome {
    /// The outcome. For an `md` and an `ma`, [`Stored`](StoreOutcome::Stored) means that it was done.
    pub outcome: StoreOutcome,
    /// The parts that were asked for; none if the request was answered by silence.
    pub info: MetaInfo,
}

fn stored<V>(reply: Reply<V>) -> Result<MetaStoreOutcome, ReplyError> {
    let (outcome, info) = match reply.outcome {
        Outcome::Meta(MetaCode::Done | MetaCode::Value, info) => (StoreOutcome::Stored, info),
        Outcome::Meta(MetaCode::NotStored, info) => (StoreOutcome::NotStored, info),
        Outcome::Meta(MetaCode::Exists, info) => (StoreOutcome::Exists, info),
        Outcome::Meta(MetaCode::NotFound, info) => (StoreOutcome::NotFound, info),
        Outcome::Silence { sure: true } => (StoreOutcome::Stored, MetaInfo::default()),
        other => return Err(other.into_error()),
    };
    Ok(MetaStoreOutcome { outcome, info })
}

impl Operation for MetaSet<'_> {
    type Output<V> = MetaStoreOutcome;

    fn request(&self) -> Request<'_> {
        Request::Meta(&self.0)
    }

    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<MetaStoreOutcome, ReplyError> {
        stored(reply)
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        self.0.with_ttl_cap(cap, now).map(Self)
    }
}

impl Operation for MetaDelete<'_> {
    /// [`StoreOutcome::Stored`]: deleted, or marked stale.
    type Output<V> = StoreOutcome;

    fn request(&self) -> Request<'_> {
        Request::Meta(&self.0)
    }

    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<StoreOutcome, ReplyError> {
        stored(reply).map(|stored| stored.outcome)
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        self.0.with_ttl_cap(cap, now).map(Self)
    }
}

/// The outcome of an `ma`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetaArithOutcome {
    /// [`StoreOutcome::Stored`]: counted.
    pub outcome: StoreOutcome,
    /// The new number, if it was asked for.
    pub number: Option<u64>,
    /// The other parts that were asked for.
    pub info: MetaInfo,
}

impl Operation for MetaArith<'_> {
    type Output<V> = MetaArithOutcome;

    fn request(&self) -> Request<'_> {
        Request::Meta(&self.0)
    }

    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<MetaArithOutcome, ReplyError> {
        let number = match (&reply.outcome, reply.assembly.lost) {
            (Outcome::Meta(MetaCode::Value, _), Some(lost)) => return Err(lost.into()),
            (Outcome::Meta(MetaCode::Value, _), None) => {
                Some(parse_u64(reply.value.as_slice()).ok_or(ReplyError::Mismatch)?)
            }
            _ => None,
        };
        stored(reply).map(|MetaStoreOutcome { outcome, info }| MetaArithOutcome { outcome, number, info })
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        self.0.with_ttl_cap(cap, now).map(Self)
    }
}

impl Operation for MetaDebug<'_> {
    /// What the server knows about the item, as `name=value` with spaces between; `None` is a miss.
    ///
    /// For a [key in base64](crate::meta::BinaryKey), a miss is [`ReplyError::Unclear`]: memcached 1.6.45 answers `EN`
    /// although the item is there. An `mg` shows whether it is.
    type Output<V> = Option<V>;

    fn request(&self) -> Request<'_> {
        Request::Meta(&self.0)
    }

    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<Option<V>, ReplyError> {
        match (reply.outcome, reply.assembly.lost) {
            (Outcome::Meta(MetaCode::Miss, _), _) if self.0.key().is_binary() => Err(ReplyError::Unclear),
            (Outcome::Meta(MetaCode::Miss, _), _) => Ok(None),
            (Outcome::Text, None) => Ok(Some(reply.value)),
            (Outcome::Text, Some(lost)) => Err(lost.into()),
            (other, _) => Err(other.into_error()),
        }
    }
}

impl Operation for MetaNoop {
    type Output<V> = ();

    fn request(&self) -> Request<'_> {
        Request::MetaNoop
    }

    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<(), ReplyError> {
        match reply.outcome {
            Outcome::Meta(MetaCode::Noop, _) => Ok(()),
            other => Err(other.into_error()),
        }
    }
}
