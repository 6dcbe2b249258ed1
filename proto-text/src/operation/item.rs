//! Items as a server returns them.

use core::fmt;

use super::ValueError;
use crate::{buffer::Buffer, reply::Event};

/// An item as a server returned it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Item<V> {
    /// The number it was stored with.
    pub flags: u32,
    /// The cas unique, where it was asked for.
    pub cas: Option<u64>,
    /// The value.
    pub value: V,
}

impl<V> fmt::Debug for Item<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item").field("flags", &self.flags).field("cas", &self.cas).finish_non_exhaustive()
    }
}

/// Gathers the items of a multi-get, one at a time.
///
/// ```
/// use memring_text::{Exchange, exchange::Progress, operation::ItemCollector, request::Keys};
///
/// let keys = Keys { keys: &["a", "b", "c"], cas: false };
/// let mut rest = &b"VALUE c 0 1\r\n3\r\nEND\r\n"[..];
/// let mut exchange = Exchange::default();
/// exchange.sent();
/// let mut items = ItemCollector::<Vec<u8>>::default();
/// let mut found = Vec::new();
/// while exchange.owed() > 0 {
///     let Progress::Event { consumed, event, index, .. } = exchange.decode(rest, &keys)? else { break };
///     if let Some(item) = items.take(&event) {
///         found.push((keys.keys[index], item?.value));
///     }
///     rest = &rest[consumed..];
/// }
/// assert_eq!(found, [("c", b"3".to_vec())]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ItemCollector<V> {
    flags: u32,
    cas: Option<u64>,
    value: V,
    rest: usize,
    lost: Option<ValueError>,
}

impl<V: Buffer + Default> ItemCollector<V> {
    /// Takes the next event of the reply; gives the item when the event completes one.
    pub fn take(&mut self, event: &Event<'_>) -> Option<Result<Item<V>, ValueError>> {
        match *event {
            Event::Value(head) => {
                *self = Self { flags: head.flags, cas: head.cas, rest: head.len, ..Self::default() };
                None
            }
            Event::Data(piece) => {
                self.rest = self.rest.saturating_sub(piece.len());
                if self.lost.is_none() {
                    self.lost = self.value.put_of(piece, self.rest).err().map(ValueError::Full);
                }
                None
            }
            Event::Skipped { value, .. } => {
                self.lost = Some(ValueError::TooLarge(value));
                None
            }
            Event::ValueEnd => {
                let Self { flags, cas, value, lost, .. } = core::mem::take(self);
                Some(lost.map_or(Ok(Item { flags, cas, value }), Err))
            }
            _ => None,
        }
    }
}
