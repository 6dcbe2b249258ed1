//! Requests that store a value.

use core::fmt;

use super::ReplyShape;
use crate::{key::Key, value::Value};

/// `set` and its relatives: a line and a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Store<'a> {
    /// Which of the six.
    pub verb: StoreVerb,
    /// The key to store under.
    pub key: Key<'a>,
    /// The client's own number, kept by the server beside the value. `append` and `prepend` keep the old one.
    pub flags: u32,
    /// How long it lives, as on the wire: see [`Ttl`](crate::Ttl::exptime). `append` and `prepend` keep the old one.
    pub exptime: i32,
    /// What to store.
    pub value: Value<'a>,
    /// Ask for no reply.
    pub noreply: bool,
}

// Written out: what is derived for six fields and more can panic, as far as a compiler sees.
impl fmt::Debug for Store<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("verb", &self.verb)
            .field("key", &self.key)
            .field("flags", &self.flags)
            .field("exptime", &self.exptime)
            .field("value", &self.value)
            .field("noreply", &self.noreply)
            .finish()
    }
}

/// When a value is stored, and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreVerb {
    /// In any case.
    Set,
    /// Only where there is none.
    Add,
    /// Only where there is one.
    Replace,
    /// Behind the one that is there.
    Append,
    /// Before the one that is there.
    Prepend,
    /// Only over the one with this cas unique, as `gets` returned it.
    Cas(u64),
}

impl StoreVerb {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Append => "append",
            Self::Prepend => "prepend",
            Self::Cas(_) => "cas",
        }
    }

    /// What a complete reply looks like.
    #[must_use]
    pub const fn reply_shape(self) -> ReplyShape {
        match self {
            Self::Cas(_) => ReplyShape::Cas,
            _ => ReplyShape::Store,
        }
    }
}
