//! A server's share of a `get_many`.

use core::cell::RefCell;

use memring_text::failure::Cause;
use memring_text::{
    Event, Full, Get, GetVerb, Item as AnyItem, ItemCollector, Key, Keys, Request, ServerError,
};

use super::Share;
use crate::{client::Item, pool::Wire};

/// What becomes of the items of a reply.
pub(crate) trait Collect {
    /// What a key comes to.
    type Output;

    /// What that is for a key without an item.
    const MISS: Self::Output;

    /// Takes the next event of an item for the key at `position`; says what the key comes to when the item is whole.
    fn take(&mut self, event: &Event<'_>, position: usize) -> Option<Result<Self::Output, Full>>;
}

/// Into vectors, one for each item.
impl Collect for ItemCollector<Vec<u8>> {
    type Output = Option<Item>;

    const MISS: Option<Item> = None;

    fn take(&mut self, event: &Event<'_>, _: usize) -> Option<Result<Option<Item>, Full>> {
        Self::take(self, event).map(|item| item.map(Some))
    }
}

/// Shown to the caller, one after the other in the same room.
pub(crate) struct Shown<'v, F> {
    visit: &'v RefCell<F>,
    flags: u32,
    value: Vec<u8>,
}

impl<'v, F: FnMut(usize, AnyItem<&[u8]>)> Shown<'v, F> {
    pub(crate) const fn new(visit: &'v RefCell<F>) -> Self {
        Self { visit, flags: 0, value: Vec::new() }
    }
}

impl<F: FnMut(usize, AnyItem<&[u8]>)> Collect for Shown<'_, F> {
    type Output = bool;

    const MISS: bool = false;

    fn take(&mut self, event: &Event<'_>, position: usize) -> Option<Result<bool, Full>> {
        match *event {
            Event::Value(head) => {
                self.flags = head.flags;
                self.value.clear();
            }
            Event::Data(piece) => self.value.extend_from_slice(piece),
            Event::ValueEnd => {
                let item = AnyItem { flags: self.flags, cas: None, value: &*self.value };
                // A visitor that asks for items itself does so of another batch.
                (self.visit.borrow_mut())(position, item);
                return Some(Ok(true));
            }
            _ => {}
        }
        None
    }
}

/// Keys to ask one server for, a line of them in each round.
pub(crate) struct Gets<'b, C> {
    collect: C,
    verb: GetVerb,
    keys: &'b [Key<'b>],
    positions: &'b [usize],
    /// Most keys on a line.
    items: usize,
    /// How many keys have their reply, and how many are asked for behind them.
    done: usize,
    asked: usize,
}

impl<'b, C> Gets<'b, C> {
    /// The share of `keys`, which have these `positions` in the batch. No reply may have more than `items` items.
    pub(crate) fn new(
        verb: GetVerb,
        keys: &'b [Key<'b>],
        positions: &'b [usize],
        items: u32,
        collect: C,
    ) -> Self {
        let items = usize::try_from(items).unwrap_or(usize::MAX).max(1);
        Self { collect, verb, keys, positions, items, done: 0, asked: 0 }
    }

    fn to_do(&self) -> &'b [Key<'b>] {
        self.keys.get(self.done..).unwrap_or(&[])
    }
}

impl<C: Collect> Share for Gets<'_, C> {
    type Output = C::Output;

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
        let collect = &mut self.collect;
        let mut refusal = None;
        wire.receive(&Keys { keys, cas: self.verb.has_cas() }, |event, index| {
            if let Event::Error(line) = event {
                refusal = Some(Cause::Server(ServerError::from(*line)));
            }
            let Some(position) = positions.get(index) else { return };
            if let Some(output) = collect.take(event, *position) {
                put(*position, output.map_err(Cause::Full));
            }
        })?;
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        // A miss is known at the end of the line only: what breaks off before it has not told.
        for position in positions {
            put(*position, Ok(C::MISS));
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
