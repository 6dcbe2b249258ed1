//! The items of a multi-get, each passed to the caller as a whole.

use crate::{
    buffer::Buffer,
    operation::{Assembly, Item, ValueError},
    reply::{Event, ServerError},
};

/// A borrowed value of an item.
#[derive(Debug)]
pub enum Lent<'a, V> {
    /// The value lies in one piece in the connection's buffer.
    Whole(&'a [u8]),
    /// The value was put together from pieces, in the caller's scratch buffer. The caller may take it out of there.
    Joined(&'a mut V),
}

impl<V: Buffer> Lent<'_, V> {
    /// The value.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Joined(scratch) => scratch.as_slice(),
        }
    }
}

/// The progress of a multi-get's reply, for items that do not lie in one piece in the connection's buffer.
///
/// Each reply has its own, which begins as [`Pieces::default`].
#[derive(Debug, Default)]
pub struct Pieces {
    item: Assembly,
    is_in_item: bool,
    /// The server's refusal, in place of the items or behind some of them.
    pub(super) refusal: Option<ServerError>,
}

impl Pieces {
    /// Whether an item has begun that is not complete. If so, the items before it are right.
    #[must_use]
    pub const fn is_in_item(&self) -> bool {
        self.is_in_item
    }

    /// Takes the next event, puts a value together in `scratch`, and lends `take` the item that is complete by it.
    #[inline(never)]
    pub(super) fn take<V: Buffer>(
        &mut self,
        event: &Event<'_>,
        index: usize,
        scratch: &mut V,
        take: &mut impl FnMut(usize, Result<Item<Lent<'_, V>>, ValueError>),
    ) {
        match *event {
            Event::Value(_) => {
                scratch.truncate(0);
                (self.item, self.is_in_item) = (Assembly::default(), true);
                self.item.take(event, scratch);
            }
            Event::Data(_) | Event::Skipped { .. } => self.item.take(event, scratch),
            Event::ValueEnd => {
                self.is_in_item = false;
                take(index, self.item.item(Lent::Joined(scratch)));
            }
            Event::Error(line) => self.refusal = Some(ServerError::from(line)),
            _ => {}
        }
    }
}
