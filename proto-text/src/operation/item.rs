//! Items as a server returns them.

use core::fmt;

/// An item as a server returned it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Item<V> {
    /// The flags that the item was stored with.
    pub flags: u32,
    /// The cas unique, if it was asked for.
    pub cas: Option<u64>,
    /// The value.
    pub value: V,
}

impl<V> fmt::Debug for Item<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item").field("flags", &self.flags).field("cas", &self.cas).finish_non_exhaustive()
    }
}
