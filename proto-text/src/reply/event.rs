//! Events: the pieces of a server's replies.

use core::fmt;

use super::{CacheItem, DumpKey, DumpLine, ErrorLine, LogLine, Notice, Status};
use crate::{
    meta::{DebugLine, MetaHead},
    value::ValueTooLarge,
};

/// A piece of a reply, as [`ReplyDecoder`](crate::reply::ReplyDecoder) finds it; bytes are borrowed from the caller's buffer.
///
/// `Debug` prints lengths instead of keys and values.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'b> {
    /// An item begins: `VALUE <key> <flags> <bytes> [<cas unique>]`. Its value follows.
    Value(ItemHead<'b>),
    /// A piece of the item's value, never empty; the pieces of one item have the announced length together.
    Data(&'b [u8]),
    /// A piece of a value that is longer than [`Limits::value`](crate::Limits::value). Such a value has these events in
    /// place of [`Data`](Self::Data), at least one, and must not be kept: its result is
    /// [`ReplyError::TooLarge`](crate::operation::ReplyError::TooLarge).
    Skipped {
        /// The bytes, at least one.
        piece: &'b [u8],
        /// The length of the value, and the limit.
        value: ValueTooLarge,
    },
    /// The item's value is complete.
    ValueEnd,
    /// `END`: of the items, or of the statistics.
    End,
    /// One of the replies of one word.
    Status(Status),
    /// The new number of a counter.
    Number(u64),
    /// `VERSION <text>`: the text.
    Version(&'b [u8]),
    /// `STAT <name> <value>`.
    Stat {
        /// The name, at least one byte.
        name: &'b [u8],
        /// The rest of the line; may be empty and may hold spaces.
        value: &'b [u8],
    },
    /// The server refuses.
    Error(ErrorLine<'b>),
    /// A line of a meta reply; after [`MetaCode::Value`](crate::meta::MetaCode::Value) the value follows.
    Meta(MetaHead<'b>),
    /// `ME …`: what the server knows about an item.
    Debug(DebugLine<'b>),
    /// No bytes at all: the answer to a quiet request, as a later reply shows. Only an [`Exchange`](crate::Exchange)
    /// makes this event.
    Silence {
        /// Whether the silence is the answer. If not, some request of the run was refused, and it may have been this
        /// one.
        sure: bool,
    },
    /// `PREFIX <name> …`, from `stats detail dump`.
    Prefix {
        /// The keys' common prefix.
        name: &'b [u8],
        /// The rest of the line.
        value: &'b [u8],
    },
    /// `ITEM …`, from `stats cachedump`.
    CacheItem(CacheItem<'b>),
    /// `key=…`, from `lru_crawler metadump`.
    Dump(DumpLine<'b>),
    /// `mg …`, from `lru_crawler mgdump`.
    DumpKey(DumpKey<'b>),
    /// A line of the server's log, behind the `OK` of `watch`.
    Log(LogLine<'b>),
    /// A refusal of an operator's command, by a word of its own.
    Notice(Notice<'b>),
}

impl<'b> Event<'b> {
    /// The name and the value of a line of `stats`; for `stats cachedump`, the key and an empty value.
    #[must_use]
    pub const fn statistic(&self) -> Option<(&'b [u8], &'b [u8])> {
        match *self {
            Self::Stat { name, value } | Self::Prefix { name, value } => Some((name, value)),
            Self::CacheItem(item) => Some((item.key, b"")),
            _ => None,
        }
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(head) => head.fmt(f),
            Self::Data(piece) => write!(f, "Data({} bytes)", piece.len()),
            Self::Skipped { piece, value } => write!(f, "Skipped({} bytes, {value})", piece.len()),
            Self::ValueEnd => f.write_str("ValueEnd"),
            Self::End => f.write_str("End"),
            Self::Status(status) => write!(f, "Status({status:?})"),
            Self::Number(_) => f.write_str("Number(..)"),
            Self::Version(text) => write!(f, "Version({})", text.escape_ascii()),
            Self::Stat { name, value } => {
                write!(f, "Stat({} {})", name.escape_ascii(), value.escape_ascii())
            }
            Self::Error(line) => line.fmt(f),
            Self::Meta(head) => head.fmt(f),
            Self::Debug(line) => line.fmt(f),
            Self::Silence { sure } => write!(f, "Silence(sure {sure})"),
            Self::Prefix { name, value } => {
                write!(f, "Prefix({} bytes {})", name.len(), value.escape_ascii())
            }
            Self::CacheItem(item) => item.fmt(f),
            Self::Dump(line) => line.fmt(f),
            Self::DumpKey(key) => key.fmt(f),
            Self::Log(line) => line.fmt(f),
            Self::Notice(notice) => notice.fmt(f),
        }
    }
}

/// The head of an item, which comes before its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ItemHead<'b> {
    /// The key as the server sent it. Only [`Exchange`](crate::Exchange) knows whether it is the one asked for.
    pub key: &'b [u8],
    /// The flags that the item was stored with.
    pub flags: u32,
    /// Length of the value in bytes. If it is more than [`Limits::value`](crate::Limits::value), the value is
    /// [skipped](Event::Skipped).
    pub len: usize,
    /// The cas unique, if it was asked for.
    pub cas: Option<u64>,
}

impl fmt::Debug for ItemHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemHead")
            .field("key_len", &self.key.len())
            .field("flags", &self.flags)
            .field("len", &self.len)
            .field("cas", &self.cas)
            .finish()
    }
}
