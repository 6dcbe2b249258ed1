//! A server's share of a `get_many`.

use memring_client::failure::Cause;
use memring_text::{
    Get, Item, Key, Request,
    connection::{Lent, Pieces},
    request::{GetVerb, Keys},
};

use super::Share;
use crate::pool::Wire;

/// The keys that one server is asked for, a line of them in each round.
pub(crate) struct Gets<'b, R> {
    verb: GetVerb,
    keys: &'b [Key<'b>],
    positions: &'b [usize],
    /// Makes the result of an item, whose key has this position in the batch.
    read: R,
    /// Most keys on a line.
    items: usize,
    /// How many keys have their reply, and how many behind them are asked for.
    done: usize,
    asked: usize,
    /// How far the reply has been read.
    pieces: Pieces,
    room: Vec<u8>,
    found: usize,
    /// The position of the last item. The item counts once what follows it is right, too: another item, the end of the reply,
    /// or a refusal.
    last: Option<usize>,
}

impl<'b, R> Gets<'b, R> {
    /// The share of `keys`, which have these `positions` in the batch. No reply may have more than `items` items.
    pub(crate) fn new(
        verb: GetVerb,
        keys: &'b [Key<'b>],
        positions: &'b [usize],
        items: u32,
        read: R,
    ) -> Self {
        let items = usize::try_from(items).unwrap_or(usize::MAX).max(1);
        let (pieces, room) = (Pieces::default(), Vec::new());
        Self { verb, keys, positions, read, items, done: 0, asked: 0, pieces, room, found: 0, last: None }
    }

    fn to_do(&self) -> &'b [Key<'b>] {
        self.keys.get(self.done..).unwrap_or(&[])
    }
}

/// A miss is the default of `T`.
impl<T: Default, R: Fn(usize, Item<Lent<'_, Vec<u8>>>) -> Result<T, Cause>> Share for Gets<'_, R> {
    type Output = T;

    fn send(&mut self, wire: &mut Wire) -> Result<bool, Cause> {
        if self.asked == 0 {
            let keys = self.to_do();
            self.asked = wire.send_get(self.verb, keys.get(..self.items).unwrap_or(keys))?;
        }
        Ok(false)
    }

    fn receive(
        &mut self,
        wire: &mut Wire,
        mut put: impl FnMut(usize, Result<T, Cause>),
    ) -> Result<bool, Cause> {
        let keys = self.to_do();
        let keys = keys.get(..self.asked).unwrap_or(keys);
        let positions = self.positions.get(self.done..).unwrap_or(&[]);
        let positions = positions.get(..keys.len()).unwrap_or(positions);
        let expected = Keys { keys, cas: self.verb.has_cas() };
        let Self { pieces, room, found, last, read, .. } = self;
        let received = wire.receive_filled_items(&expected, pieces, room, |index, item| {
            if let Some(position) = positions.get(index) {
                *found = found.saturating_add(1);
                *last = Some(*position);
                put(*position, item.map_err(Cause::from).and_then(|item| read(*position, item)));
            }
        });
        let is_over = received.map_err(Cause::from).inspect_err(|cause| {
            if matches!(cause, Cause::Server(_)) {
                self.last = None;
            }
        })?;
        if !is_over {
            return Ok(false);
        }
        // A miss is known at the end of the reply only; a reply that breaks off says nothing of it.
        if self.found < positions.len() {
            for position in positions {
                put(*position, Ok(T::default()));
            }
        }
        self.done = self.done.saturating_add(self.asked);
        self.forget();
        Ok(true)
    }

    fn owed(&self) -> usize {
        self.asked
    }

    fn forget(&mut self) {
        (self.asked, self.found, self.last) = (0, 0, None);
        self.pieces = Pieces::default();
    }

    fn request(&self) -> Option<Request<'_>> {
        let key = *self.to_do().first()?;
        Some(Request::Get(Get { verb: self.verb, key }))
    }

    fn unproven(&self) -> Option<usize> {
        self.last.filter(|_| !self.pieces.is_in_item())
    }

    fn positions(&self) -> &[usize] {
        self.positions
    }

    /// A get may always be sent twice.
    fn is_open(&self, _: usize) -> bool {
        false
    }
}
