//! Where an engine keeps its items.

use core::fmt;

use crate::ttl::UnixTime;

/// A place for items: a map from key to record and value, of any size.
///
/// A store knows nothing of time and of the protocol: what a [`Record`] means is the engine's business. It may drop
/// items that were not used for long to make way for new ones.
pub trait Store {
    /// The item of `key`, which counts as used now.
    fn find(&mut self, key: &[u8]) -> Option<(&mut Record, &[u8])>;

    /// Keeps an item, in the place of one with the same key.
    ///
    /// # Errors
    /// [`OutOfMemory`]; what was there before may be gone then.
    fn put(&mut self, key: &[u8], record: Record, value: &[u8]) -> Result<(), OutOfMemory>;

    /// Adds `piece` to the value of `key` at one side; the record stays. Does nothing when there is no such item.
    ///
    /// # Errors
    /// [`OutOfMemory`]; the item is as before, or gone.
    fn extend(&mut self, key: &[u8], side: Side, piece: &[u8]) -> Result<(), OutOfMemory>;

    /// Drops the item of `key`; says whether there was one.
    fn remove(&mut self, key: &[u8]) -> bool;

    /// Drops every item.
    fn clear(&mut self);

    /// How much is kept.
    fn usage(&self) -> Usage;
}

/// What the engine knows about an item beside its value. Stores keep it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The number that the client stored with the value.
    pub flags: u32,
    /// The cas unique: another number after every change of the item.
    pub cas: u64,
    /// When the item expires, in Unix seconds; 0 is never.
    pub expires: u64,
    /// When it was stored or last fetched, in Unix seconds; the first fetch does not count.
    pub accessed: u64,
    /// Whether it was fetched since it was stored.
    pub fetched: bool,
    /// Whether it was fetched at least twice since it was stored.
    pub active: bool,
    /// Whether it was marked stale.
    pub stale: bool,
    /// Whether a reader has won, and is to compute the value anew.
    pub won: bool,
    /// Whether its key came as base64.
    pub binary_key: bool,
}

impl Record {
    pub(super) const fn new(flags: u32, cas: u64, expires: u64) -> Self {
        let (fetched, active, stale, won, binary_key) = (false, false, false, false, false);
        Self { flags, cas, expires, accessed: 0, fetched, active, stale, won, binary_key }
    }

    /// The same item, made anew; memcached 1.6.18 forgets then that its key came as base64.
    pub(super) const fn renewed(self, cas: u64, now: UnixTime) -> Self {
        Self { accessed: now.as_secs(), ..Self::new(self.flags, cas, self.expires) }
    }

    /// Notes that it is fetched. memcached notes when, at the second fetch only.
    pub(super) const fn use_at(&mut self, now: UnixTime) {
        if self.fetched && !self.active {
            (self.active, self.accessed) = (true, now.as_secs());
        }
        self.fetched = true;
    }

    pub(super) const fn is_expired(&self, now_secs: u64) -> bool {
        self.expires != 0 && self.expires <= now_secs
    }
}

/// A side of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Before its first byte.
    Front,
    /// Behind its last byte.
    Back,
}

/// What a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of items, expired ones included.
    pub items: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// The capacity in bytes.
    pub limit: u64,
    /// Items dropped so far to make way.
    pub evictions: u64,
}

/// The store has no memory for an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no memory for the item")
    }
}

impl core::error::Error for OutOfMemory {}
