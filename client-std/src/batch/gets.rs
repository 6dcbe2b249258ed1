//! A server's share of a `get_many`.

use memring_text::{Event, Get, GetVerb, ItemCollector, Key, Keys, Request, ServerError};

use super::Share;
use crate::{client::Item, error::Cause, pool::Wire};

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
        let mut items = ItemCollector::default();
        let mut refusal = None;
        let mut passed = 0;
        // A server answers in the order of the line, so what a hit passes by is missed.
        let mut put_until = |index: usize, hit| {
            for missed in positions.get(passed..index).unwrap_or(&[]) {
                put(*missed, Ok(None));
            }
            if let (Some(hit), Some(position)) = (hit, positions.get(index)) {
                put(*position, hit);
            }
            passed = index.saturating_add(1);
        };
        wire.receive(&Keys { keys, cas: self.verb.has_cas() }, |event, index| {
            if let Event::Error(line) = event {
                refusal = Some(Cause::Server(ServerError::from(*line)));
            }
            if let Some(item) = items.take(event) {
                put_until(index, Some(item.map(Some).map_err(Cause::Full)));
            }
        })?;
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        put_until(self.asked, None);
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
