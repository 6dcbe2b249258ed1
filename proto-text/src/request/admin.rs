//! Commands for operators: the memory limit, slabs, the LRU and its crawler, watching, shutting down.

use crate::{feature::Feature, request::ReplyShape};

/// A command for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Admin {
    /// `cache_memlimit <megabytes>`: how much memory items may take, at least 8.
    CacheMemlimit {
        /// In units of 1 MiB.
        megabytes: u32,
    },
    /// `shutdown`, `shutdown graceful`: the server ends. Where it may (memcached's option `-A`), it closes the
    /// connection without a reply, which a driver sees as [`ProtocolError::Eof`](crate::exchange::ProtocolError::Eof).
    Shutdown {
        /// Write the items to the file of a warm restart, where there is one.
        graceful: bool,
    },
    /// `watch`: behind the `OK`, a [`LogLine`](crate::reply::LogLine) for each event. The reply has no end, so a driver takes
    /// its events as they come, and closes the connection to end it.
    Watch(WatchKinds),
    /// `slabs reassign <from> <to>`: moves a page. `None` lets the server choose.
    SlabsReassign {
        /// The class that loses the page.
        from: Option<u8>,
        /// The class that gets the page.
        to: u8,
    },
    /// `slabs automove <mode>`.
    SlabsAutomove(Automove),
    /// `lru tune`: how much of the memory is for hot and for warm items.
    LruTune {
        /// In per cent.
        hot_percent: u8,
        /// In per cent.
        warm_percent: u8,
        /// How old hot items may be, in hundredths of the age of the cold ones.
        hot_hundredths: u16,
        /// How old warm items may be, likewise.
        warm_hundredths: u16,
    },
    /// `lru mode flat`, `lru mode segmented`.
    LruMode {
        /// Whether there are hot, warm and cold items.
        segmented: bool,
    },
    /// `lru temp_ttl <seconds>`: items that live shorter are kept apart; `None` ends that.
    LruTempTtl(Option<u32>),
    /// `lru_crawler enable`, `lru_crawler disable`.
    CrawlerEnable(bool),
    /// `lru_crawler sleep <microseconds>`: between items.
    CrawlerSleep(u32),
    /// `lru_crawler tocrawl <items>`: how many items of a class to look at; 0 is all.
    CrawlerTocrawl(u32),
    /// `lru_crawler crawl <classes>`.
    CrawlerCrawl(SlabClasses),
    /// `lru_crawler metadump <classes>`: a [`DumpLine`](crate::reply::DumpLine) for each item.
    Metadump(SlabClasses),
    /// `lru_crawler metadump hash`: a [`DumpLine`](crate::reply::DumpLine) for each item, in the order of the hash
    /// table, which misses fewer items.
    MetadumpHash,
    /// `lru_crawler mgdump <classes>`: a [`DumpKey`](crate::reply::DumpKey) for each item.
    Mgdump(SlabClasses),
    /// `lru_crawler mgdump hash`.
    MgdumpHash,
}

impl Admin {
    /// What a complete reply looks like.
    #[must_use]
    pub const fn reply_shape(&self) -> ReplyShape {
        match self {
            Self::Watch(_) => ReplyShape::Watch,
            Self::Shutdown { .. } => ReplyShape::Close,
            Self::Metadump(_) | Self::MetadumpHash => ReplyShape::Dump,
            Self::Mgdump(_) | Self::MgdumpHash => ReplyShape::DumpKeys,
            _ => ReplyShape::Admin,
        }
    }

    /// The feature that the command needs, if not every server has it.
    pub(crate) const fn feature(&self) -> Option<Feature> {
        match self {
            Self::Metadump(_) => Some(Feature::Metadump),
            Self::MetadumpHash | Self::Shutdown { graceful: true } => Some(Feature::HashDump),
            Self::Mgdump(_) | Self::MgdumpHash => Some(Feature::Mgdump),
            _ => None,
        }
    }
}

/// How eagerly the server moves pages between slab classes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Automove {
    /// `0`: not at all.
    Off,
    /// `1`: with care.
    On,
    /// `2`: at each eviction; for tests.
    Eager,
}

/// The kinds of events to watch; a server takes none of them for `fetchers`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct WatchKinds {
    /// Reads of items.
    pub fetchers: bool,
    /// Changes of items.
    pub mutations: bool,
    /// Evictions.
    pub evictions: bool,
    /// Connections that open and close.
    pub connevents: bool,
    /// Deletions.
    pub deletions: bool,
}

impl WatchKinds {
    /// The words on the wire.
    pub(crate) fn words(self) -> impl Iterator<Item = &'static str> {
        [
            (self.fetchers, "fetchers"),
            (self.mutations, "mutations"),
            (self.evictions, "evictions"),
            (self.connevents, "connevents"),
            (self.deletions, "deletions"),
        ]
        .into_iter()
        .filter_map(|(wanted, word)| wanted.then_some(word))
    }
}

/// Some slab classes of a server, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlabClasses(Option<u64>);

impl SlabClasses {
    /// Highest class that there is.
    pub const MAX: u8 = 63;

    /// Every class.
    pub const ALL: Self = Self(None);

    /// One class; `None` for a class that does not exist (0, or above [`MAX`](Self::MAX)).
    #[must_use]
    pub const fn one(class: u8) -> Option<Self> {
        if class == 0 || class > Self::MAX { None } else { Some(Self(Some(1 << class))) }
    }

    /// The classes of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(these), Some(those)) => Self(Some(these | those)),
            _ => Self::ALL,
        }
    }

    /// The classes by number; `None` for all.
    pub(crate) fn numbers(self) -> Option<impl Iterator<Item = u64>> {
        self.0.map(|bits| (1..=u64::from(Self::MAX)).filter(move |class| bits >> class & 1 == 1))
    }
}
