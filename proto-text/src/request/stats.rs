//! Requests for statistics.

use core::fmt;

use super::ReplyShape;

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
    /// `stats detail dump`: an [`Event::Prefix`](crate::reply::Event::Prefix) for each prefix.
    DetailDump,
    /// `stats cachedump <class> <count>`: a [`CacheItem`](crate::reply::CacheItem) for each of some items of a slab class.
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
