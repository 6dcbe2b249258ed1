//! Operations of different kinds in one list.

use memring_text::{
    Get, Item, Operation, Reply, Request, Store, StoreOutcome, Ttl,
    buffer::Buffer,
    operation::ReplyError,
    request::{Arith, Delete, StoreVerb, Touch},
    ttl::UnixTime,
};

use crate::{fetch::Answer, outcome::is_visible};

/// An operation on one key, of any of the classic kinds.
///
/// ```
/// use memring_client::AnyOperation;
/// use memring_text::{Get, Key, Operation, request::Arith};
///
/// let (name, visits) = (Key::new(b"name")?, Key::new(b"visits")?);
/// let operations = [
///     AnyOperation::Get(Get::new(name)),
///     AnyOperation::Arith(Arith::incr(visits, 1)),
/// ];
/// let lines = operations.each_ref().map(|operation| operation.request().parts());
/// assert_eq!(lines.each_ref().map(|line| line.as_slices()[0]), [&b"get name\r\n"[..], b"incr visits 1\r\n"]);
/// # Ok::<(), memring_text::key::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnyOperation<'a> {
    /// `get`, `gets`, `gat`, `gats`.
    Get(Get<'a>),
    /// `set`, `add`, `replace`, `append`, `prepend`, `cas`.
    Store(Store<'a>),
    /// `delete`.
    Delete(Delete<'a>),
    /// `touch`.
    Touch(Touch<'a>),
    /// `incr`, `decr`.
    Arith(Arith<'a>),
}

/// The result of an [`AnyOperation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnyOutcome<V> {
    /// The item that a get found; `None` is a miss.
    Item(Option<Item<V>>),
    /// What became of a value that was to be stored.
    Store(StoreOutcome),
    /// Whether a delete or a touch found an item.
    Found(bool),
    /// The new number of a counter; `None` when there is no such item.
    Number(Option<u64>),
}

impl<V> AnyOutcome<V> {
    /// Whether a get found an item that is [one for callers](crate::outcome::is_visible); `None` if this is of no get.
    #[must_use]
    pub fn is_hit(&self) -> Option<bool> {
        match self {
            Self::Item(item) => Some(item.as_ref().is_some_and(|item| is_visible(item.flags))),
            Self::Store(_) | Self::Found(_) | Self::Number(_) => None,
        }
    }

    /// Replaces the value, if there is one, by what `map` makes of it.
    pub fn map<W>(self, map: impl FnOnce(V) -> W) -> AnyOutcome<W> {
        match self {
            Self::Item(item) => AnyOutcome::Item(item.map(|Item { flags, cas, value }| Item {
                flags,
                cas,
                value: map(value),
            })),
            Self::Store(outcome) => AnyOutcome::Store(outcome),
            Self::Found(found) => AnyOutcome::Found(found),
            Self::Number(number) => AnyOutcome::Number(number),
        }
    }
}

impl AnyOperation<'_> {
    /// The same over an item with this cas unique, if there is a number.
    #[must_use]
    pub const fn over(self, cas: Option<u64>) -> Self {
        match (self, cas) {
            (Self::Store(store), Some(cas)) => Self::Store(Store { verb: StoreVerb::Cas(cas), ..store }),
            _ => self,
        }
    }
}

impl<V> AnyOutcome<V> {
    /// What became of a change, as a machine is told it.
    #[must_use]
    pub const fn answer(&self) -> Answer {
        match self {
            Self::Store(outcome) => Answer::Changed(*outcome),
            Self::Found(true) => Answer::Changed(StoreOutcome::Stored),
            Self::Found(false) => Answer::Changed(StoreOutcome::NotFound),
            Self::Number(number) => Answer::Number(*number),
            Self::Item(_) => Answer::Found(None),
        }
    }
}

impl Operation for AnyOperation<'_> {
    type Output<V> = AnyOutcome<V>;

    fn request(&self) -> Request<'_> {
        match self {
            Self::Get(get) => Request::Get(*get),
            Self::Store(store) => Request::Store(*store),
            Self::Delete(delete) => Request::Delete(*delete),
            Self::Touch(touch) => Request::Touch(*touch),
            Self::Arith(arith) => Request::Arith(*arith),
        }
    }

    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<AnyOutcome<V>, ReplyError> {
        match self {
            Self::Get(get) => get.output(reply).map(AnyOutcome::Item),
            Self::Store(store) => store.output(reply).map(AnyOutcome::Store),
            Self::Delete(delete) => delete.output(reply).map(AnyOutcome::Found),
            Self::Touch(touch) => touch.output(reply).map(AnyOutcome::Found),
            Self::Arith(arith) => arith.output(reply).map(AnyOutcome::Number),
        }
    }

    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        match self {
            Self::Get(get) => get.with_ttl_cap(cap, now).map(Self::Get),
            Self::Store(store) => store.with_ttl_cap(cap, now).map(Self::Store),
            Self::Touch(touch) => touch.with_ttl_cap(cap, now).map(Self::Touch),
            Self::Delete(_) | Self::Arith(_) => None,
        }
    }
}
