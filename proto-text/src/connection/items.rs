//! The items of a multi-get, each lent as a whole.

use crate::{
    buffer::{Buffer, Full},
    error_line::ServerError,
    operation::Item,
    reply::Event,
};

/// A value, lent for the moment.
#[derive(Debug)]
pub enum Lent<'a, V> {
    /// As it lies in the connection's buffer.
    Whole(&'a [u8]),
    /// As it was put together from pieces. The room may be taken away with it; what is left there is not read.
    Joined(&'a mut V),
}

impl<V: Buffer> Lent<'_, V> {
    /// The value.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Joined(room) => room.as_slice(),
        }
    }
}

/// Puts together what does not lie in one piece in the connection's buffer.
pub(super) struct Pieces<'v, V> {
    room: &'v mut V,
    flags: u32,
    cas: Option<u64>,
    /// What is still to come of the value, in bytes.
    left: usize,
    full: Option<Full>,
    /// The server refused, in the place of the items or behind some of them.
    pub(super) refusal: Option<ServerError>,
}

impl<'v, V: Buffer> Pieces<'v, V> {
    pub(super) const fn new(room: &'v mut V) -> Self {
        Self { room, flags: 0, cas: None, left: 0, full: None, refusal: None }
    }

    /// Takes the next event; lends `take` the item that it completes.
    #[inline(never)]
    pub(super) fn take(
        &mut self,
        event: &Event<'_>,
        index: usize,
        take: &mut impl FnMut(usize, Result<Item<Lent<'_, V>>, Full>),
    ) {
        match *event {
            Event::Value(head) => {
                self.room.truncate(0);
                (self.flags, self.cas, self.left, self.full) = (head.flags, head.cas, head.len, None);
            }
            Event::Data(_) if self.full.is_some() => {}
            Event::Data(piece) => {
                self.left = self.left.saturating_sub(piece.len());
                self.full = self.room.put_of(piece, self.left).err();
            }
            Event::ValueEnd => {
                let item = Item { flags: self.flags, cas: self.cas, value: Lent::Joined(self.room) };
                take(index, self.full.map_or(Ok(item), Err));
            }
            Event::Error(line) => self.refusal = Some(ServerError::from(line)),
            _ => {}
        }
    }
}
