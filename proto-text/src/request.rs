//! What a client may ask, as types that can only hold what is valid on the wire.

use core::fmt;

use crate::{
    admin::Admin,
    auth::Credentials,
    key::Key,
    meta::{MetaRequest, MetaShape},
    value::Value,
};

mod expected;

pub use expected::{Abandoned, Expected, Keys, ReplyShape};

/// One request.
///
/// A multi-get of any number of keys is not here, because its line has no bound: see
/// [`GetVerb::write_line`](crate::GetVerb::write_line).
///
/// `noreply` asks the server for silence. Nothing is then learnt, of errors neither; and nothing is to be read.
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
    /// `mg`, `ms`, `md`, `ma`, `me`: built by [`MetaGet`](crate::MetaGet) and its relatives.
    Meta(&'a MetaRequest<'a>),
    /// `mn`: answered, and nothing else; see [`MetaNoop`](crate::MetaNoop).
    MetaNoop,
    /// User and password, in a `set`. Where a server demands them this is the first request on a connection; where
    /// it does not, they would be stored as a value, so do not send them there.
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

    /// Will the server answer?
    #[inline]
    #[must_use]
    pub fn has_reply(&self) -> bool {
        !matches!(self.reply_shape(), ReplyShape::Nothing)
    }

    /// May the request be sent again on another connection, when `sent` bytes of it had been written and no reply
    /// was read?
    ///
    /// Unsent requests may; else only those that change nothing, or the same thing again, however often they arrive
    /// and whatever others did in between.
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
            Self::Meta(meta) if index == 0 => Some(meta.key().as_bytes()),
            _ => None,
        }
    }

    fn opaque(&self) -> Option<&[u8]> {
        match self {
            Self::Meta(meta) => meta.opaque(),
            _ => None,
        }
    }

    fn value_may_be_request(&self) -> bool {
        self.value().is_none_or(|value| value.may_be_request())
    }
}

/// `get` and its relatives, of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Get<'a> {
    /// Which of the four, with the new exptime of the last two.
    pub verb: GetVerb,
    /// The key asked for.
    pub key: Key<'a>,
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

    /// Is the cas unique asked for?
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

/// `delete`.
///
/// memcached 1.6.45 takes `delete noreply` for a delete without a reply, and a client would wait for ever. For this
/// one key the old form `delete noreply 0` is sent, which every server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delete<'a> {
    /// The key to delete.
    pub key: Key<'a>,
    /// Ask for no reply.
    pub noreply: bool,
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

/// `flush_all`: every item is gone, now or after a delay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlushAll {
    /// How long to wait.
    pub delay: Option<FlushDelay>,
    /// Ask for no reply.
    pub noreply: bool,
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

/// Which statistics are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatsKind {
    /// `stats`: counters of the whole server.
    General,
    /// `stats settings`.
    Settings,
    /// `stats items`: per slab class.
    Items,
    /// `stats slabs`: per slab class.
    Slabs,
    /// `stats sizes`.
    Sizes,
    /// `stats conns`: per connection.
    Conns,
    /// `stats reset`: sets the counters to zero; the reply is `RESET`.
    Reset,
    /// `stats detail on`: count by the keys' prefixes; the reply is `OK`.
    DetailOn,
    /// `stats detail off`: the reply is `OK`.
    DetailOff,
    /// `stats detail dump`: an [`Event::Prefix`](crate::Event::Prefix) for each prefix.
    DetailDump,
    /// `stats cachedump <class> <count>`: a [`CacheItem`](crate::CacheItem) for each of some items of a slab class.
    Cachedump {
        /// The slab class.
        class: u8,
        /// How many items at most; 0 is all.
        count: u32,
    },
}

impl StatsKind {
    /// Every kind but [`Cachedump`](Self::Cachedump), which has arguments.
    pub const ALL: [Self; 10] = [
        Self::General,
        Self::Settings,
        Self::Items,
        Self::Slabs,
        Self::Sizes,
        Self::Conns,
        Self::Reset,
        Self::DetailOn,
        Self::DetailOff,
        Self::DetailDump,
    ];

    /// What a complete reply looks like.
    #[must_use]
    pub const fn reply_shape(self) -> ReplyShape {
        match self {
            Self::Reset => ReplyShape::Reset,
            Self::DetailOn | Self::DetailOff => ReplyShape::Ok,
            Self::DetailDump => ReplyShape::Prefixes,
            Self::Cachedump { .. } => ReplyShape::CacheItems,
            _ => ReplyShape::Stats,
        }
    }

    /// The word after `stats`; empty for [`General`](Self::General).
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::General => "",
            Self::Settings => "settings",
            Self::Items => "items",
            Self::Slabs => "slabs",
            Self::Sizes => "sizes",
            Self::Conns => "conns",
            Self::Reset => "reset",
            Self::DetailOn => "detail on",
            Self::DetailOff => "detail off",
            Self::DetailDump => "detail dump",
            Self::Cachedump { .. } => "cachedump",
        }
    }
}

impl fmt::Display for StatsKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
