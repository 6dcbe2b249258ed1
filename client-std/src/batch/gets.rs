//! A server's share of a `get_many`.

use memring_text::failure::Cause;
use memring_text::{Event, Get, GetVerb, ItemCollector, Key, Keys, Request, ServerError};

use super::Share;
use crate::{client::Item, pool::Wire};

/// Keys to ask one server for, a line of them in each round.
pub(crate) struct Gets<'b> {
    verb: GetVerb,
    keys: &'b [Key<'b>],
    positions: &'b [usize],
    /// Most keys on a line.
    items: usize,
    /// How many keys have their reply, and how many are asked for behind them.
    done: usize,
    asked: usize,
}

impl<'b> Gets<'b> {
    /// The share of `keys`, which have these `positions` in the batch. No reply may have more than `items` items.
    pub(crate) fn new(verb: GetVerb, keys: &'b [Key<'b>], positions: &'b [usize], items: u32) -> Self {
        let items = usize::try_from(items).unwrap_or(usize::MAX).max(1);
        Self { verb, keys, positions, items, done: 0, asked: 0 }
    }

    fn to_do(&self) -> &'b [Key<'b>] {
        self.keys.get(self.done..).unwrap_or(&[])
    }
}

impl Share for Gets<'_> {
    type Output = Option<Item>;

    fn send(&mut self, wire: &mut Wire) -> Result<(), Cause> {
        let keys = self.to_do();
        self.asked = wire.send_get(self.verb, keys.get(..self.items).unwrap_or(keys))?;
        Ok(())
    }

    fn receive(
        &mut self,
        wire: &mut Wire,
        mut put: impl FnMut(usize, Result<Self::Output, Cause>),
    ) -> Result<(), Cause> {
        let keys = self.to_do();
        let keys = keys.get(..self.asked).unwrap_or(keys);
        let positions = self.positions.get(self.done..).unwrap_or(&[]);
        let positions = positions.get(..keys.len()).unwrap_or(positions);
        let mut items = ItemCollector::default();
        let mut refusal = None;
        wire.receive(&Keys { keys, cas: self.verb.has_cas() }, |event, index| {
            if let Event::Error(line) = event {
                refusal = Some(Cause::Server(ServerError::from(*line)));
            }
            if let (Some(item), Some(position)) = (items.take(event), positions.get(index)) {
                put(*position, item.map(Some).map_err(Cause::Full));
            }
        })?;
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        // A miss is known at the end of the line only: what breaks off before it has not told.
        for position in positions {
            put(*position, Ok(None));
        }
        self.done = self.done.saturating_add(self.asked);
        Ok(())
    }

    fn request(&self) -> Option<Request<'_>> {
        let key = *self.to_do().first()?;
        Some(Request::Get(Get { verb: self.verb, key }))
    }

    fn positions(&self) -> &[usize] {
        self.positions
    }
}
