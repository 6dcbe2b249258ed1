//! What a server says of an item.

use core::fmt;

use super::{MetaHead, ReturnFlag};

/// What a server says of an item. Nothing is there that was not asked for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetaInfo {
    /// The cas unique; 0 where there was none to tell.
    pub cas: Option<u64>,
    /// The client's flags.
    pub flags: Option<u32>,
    /// Seconds that the item has left; -1 is for ever.
    pub ttl: Option<i64>,
    /// The value's length.
    pub size: Option<u64>,
    /// Whether the item was fetched before.
    pub hit: Option<bool>,
    /// Seconds since the item was last used.
    pub last_access: Option<u32>,
    /// The caller has won, and is to make the value anew.
    pub win: bool,
    /// The item is stale.
    pub stale: bool,
    /// Another caller has won already.
    pub won_by_other: bool,
}

// Written out, here and elsewhere: what is derived for six fields and more can panic, as far as a compiler sees.
impl fmt::Debug for MetaInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetaInfo")
            .field("cas", &self.cas)
            .field("flags", &self.flags)
            .field("ttl", &self.ttl)
            .field("size", &self.size)
            .field("hit", &self.hit)
            .field("last_access", &self.last_access)
            .field("win", &self.win)
            .field("stale", &self.stale)
            .field("won_by_other", &self.won_by_other)
            .finish()
    }
}

impl From<&MetaHead<'_>> for MetaInfo {
    fn from(head: &MetaHead<'_>) -> Self {
        let mut info = Self::default();
        for flag in head.flags() {
            match flag {
                ReturnFlag::Cas(cas) => info.cas = Some(cas),
                ReturnFlag::Flags(flags) => info.flags = Some(flags),
                ReturnFlag::Ttl(seconds) => info.ttl = Some(seconds),
                ReturnFlag::Size(len) => info.size = Some(len),
                ReturnFlag::Hit(hit) => info.hit = Some(hit),
                ReturnFlag::LastAccess(seconds) => info.last_access = Some(seconds),
                ReturnFlag::Win => info.win = true,
                ReturnFlag::Stale => info.stale = true,
                ReturnFlag::WonByOther => info.won_by_other = true,
                ReturnFlag::Base64 | ReturnFlag::Key(_) | ReturnFlag::Opaque(_) => {}
            }
        }
        info
    }
}
