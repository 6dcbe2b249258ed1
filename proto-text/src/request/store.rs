//! Requests that store a value.

use core::fmt;

use super::ReplyShape;
use crate::{
    key::Key,
    ttl::{Ttl, UnixTime, ZeroTtl},
    value::Value,
};

/// `set` and its relatives: a line and a value.
///
/// ```
/// use memring_text::{Key, Request, Store, Ttl, Value, ttl::UnixTime};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let store = Store::set(Key::new(b"greeting")?, Value::new(b"hello")?).ttl(Ttl::seconds(60), now)?.flags(7);
/// let request = Request::Store(store);
/// assert_eq!(request.parts().as_slices(), [&b"set greeting 7 60 5\r\n"[..], b"hello", b"\r\n"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Store<'a> {
    /// Which of the six.
    pub verb: StoreVerb,
    /// The key to store under.
    pub key: Key<'a>,
    /// The flags: a number of the client's own, which the server keeps with the value. `append` and `prepend` keep the
    /// old one.
    pub flags: u32,
    /// The time to live, as on the wire: see [`Ttl`](crate::Ttl::exptime). `append` and `prepend` keep the old one.
    pub exptime: i32,
    /// The value to store.
    pub value: Value<'a>,
    /// Ask for no reply.
    pub noreply: bool,
}

impl<'a> Store<'a> {
    /// `set`: stores `value` unconditionally.
    #[must_use]
    pub const fn set(key: Key<'a>, value: Value<'a>) -> Self {
        Self::new(StoreVerb::Set, key, value)
    }

    /// `add`: stores `value` only if the key has none.
    #[must_use]
    pub const fn add(key: Key<'a>, value: Value<'a>) -> Self {
        Self::new(StoreVerb::Add, key, value)
    }

    /// `replace`: stores `value` only if the key has one.
    #[must_use]
    pub const fn replace(key: Key<'a>, value: Value<'a>) -> Self {
        Self::new(StoreVerb::Replace, key, value)
    }

    /// `append`: puts `value` behind the key's value.
    #[must_use]
    pub const fn append(key: Key<'a>, value: Value<'a>) -> Self {
        Self::new(StoreVerb::Append, key, value)
    }

    /// `prepend`: puts `value` before the key's value.
    #[must_use]
    pub const fn prepend(key: Key<'a>, value: Value<'a>) -> Self {
        Self::new(StoreVerb::Prepend, key, value)
    }

    /// `cas`: stores `value` only if the item still has this cas unique, as `gets` returned it.
    #[must_use]
    pub const fn cas(key: Key<'a>, value: Value<'a>, cas: u64) -> Self {
        Self::new(StoreVerb::Cas(cas), key, value)
    }

    /// Stores `value` as `verb` says, for ever, with flags of 0, and asks for a reply.
    #[must_use]
    pub const fn new(verb: StoreVerb, key: Key<'a>, value: Value<'a>) -> Self {
        Self { verb, key, flags: 0, exptime: 0, value, noreply: false }
    }

    /// Sets the flags, a number of the client's own.
    #[must_use]
    pub const fn flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }

    /// Sets the time to live; `now` is when the request is sent.
    ///
    /// # Errors
    /// Refuses a time to live of zero.
    pub fn ttl(mut self, ttl: Ttl, now: UnixTime) -> Result<Self, ZeroTtl> {
        self.exptime = ttl.exptime(now)?;
        Ok(self)
    }

    /// Sets the time to live as on the wire: see [`Ttl::exptime`].
    #[must_use]
    pub const fn exptime(mut self, exptime: i32) -> Self {
        self.exptime = exptime;
        self
    }

    /// Without a reply.
    #[must_use]
    pub const fn noreply(mut self) -> Self {
        self.noreply = true;
        self
    }
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

/// On which condition a value is stored, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreVerb {
    /// Unconditionally.
    Set,
    /// Only if the key has no value.
    Add,
    /// Only if the key has a value.
    Replace,
    /// Behind the key's value.
    Append,
    /// Before the key's value.
    Prepend,
    /// Only if the item has this cas unique, as `gets` returned it.
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
