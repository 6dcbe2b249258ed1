//! Requests that change an item, or the server, without a value.

use crate::key::Key;

/// `delete`.
///
/// memcached 1.6.45 takes the key in `delete noreply` for the wish to have no reply, so a client would wait for ever.
/// For this one key the old form `delete noreply 0` is sent, which every server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delete<'a> {
    /// The key to delete.
    pub key: Key<'a>,
    /// Ask for no reply.
    pub noreply: bool,
}

impl<'a> Delete<'a> {
    /// Deletes the item of `key`.
    #[must_use]
    pub const fn new(key: Key<'a>) -> Self {
        Self { key, noreply: false }
    }

    /// Without a reply.
    #[must_use]
    pub const fn noreply(mut self) -> Self {
        self.noreply = true;
        self
    }
}

/// `incr` and `decr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arith<'a> {
    /// Which of the two.
    pub verb: ArithVerb,
    /// The key whose value is a decimal number.
    pub key: Key<'a>,
    /// By how much.
    pub delta: u64,
    /// Ask for no reply.
    pub noreply: bool,
}

impl<'a> Arith<'a> {
    /// `incr`: adds `delta`; wraps at 2⁶⁴.
    #[must_use]
    pub const fn incr(key: Key<'a>, delta: u64) -> Self {
        Self { verb: ArithVerb::Incr, key, delta, noreply: false }
    }

    /// `decr`: subtracts `delta`; stops at 0.
    #[must_use]
    pub const fn decr(key: Key<'a>, delta: u64) -> Self {
        Self { verb: ArithVerb::Decr, key, delta, noreply: false }
    }

    /// Without a reply.
    #[must_use]
    pub const fn noreply(mut self) -> Self {
        self.noreply = true;
        self
    }
}

/// Which way a counter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithVerb {
    /// `incr`: wraps at 2⁶⁴.
    Incr,
    /// `decr`: stops at 0.
    Decr,
}

impl ArithVerb {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Incr => "incr",
            Self::Decr => "decr",
        }
    }
}

/// `touch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch<'a> {
    /// The key to touch.
    pub key: Key<'a>,
    /// The new exptime, as on the wire: see [`Ttl`](crate::Ttl::exptime).
    pub exptime: i32,
    /// Ask for no reply.
    pub noreply: bool,
}

impl<'a> Touch<'a> {
    /// Gives the item of `key` a new exptime, as on the wire: see [`Ttl`](crate::Ttl::exptime).
    #[must_use]
    pub const fn new(key: Key<'a>, exptime: i32) -> Self {
        Self { key, exptime, noreply: false }
    }

    /// Without a reply.
    #[must_use]
    pub const fn noreply(mut self) -> Self {
        self.noreply = true;
        self
    }
}

/// `flush_all`: every item is gone, now or after a delay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlushAll {
    /// How long to wait.
    pub delay: Option<FlushDelay>,
    /// Ask for no reply.
    pub noreply: bool,
}

impl FlushAll {
    /// Every item is gone at once.
    #[must_use]
    pub const fn now() -> Self {
        Self { delay: None, noreply: false }
    }

    /// Every item will be gone after a delay.
    #[must_use]
    pub const fn after(delay: FlushDelay) -> Self {
        Self { delay: Some(delay), noreply: false }
    }

    /// Without a reply.
    #[must_use]
    pub const fn noreply(mut self) -> Self {
        self.noreply = true;
        self
    }
}

/// The delay of a `flush_all`: 0 to 2³¹ − 1, read as seconds up to 30 days and as a Unix time above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlushDelay(u32);

impl FlushDelay {
    /// Takes the number for the wire; `None` above 2³¹ − 1, which servers would read as negative.
    #[must_use]
    pub const fn new(delay: u32) -> Option<Self> {
        if delay <= i32::MAX as u32 { Some(Self(delay)) } else { None }
    }

    /// The number for the wire.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// `verbosity`: how much the server logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verbosity {
    /// The level; 0 is quiet.
    pub level: u32,
    /// Ask for no reply.
    pub noreply: bool,
}

impl Verbosity {
    /// Sets the level; 0 is quiet.
    #[must_use]
    pub const fn new(level: u32) -> Self {
        Self { level, noreply: false }
    }

    /// Without a reply.
    #[must_use]
    pub const fn noreply(mut self) -> Self {
        self.noreply = true;
        self
    }
}
