//! A store of four items.

use memring_text::{
    buffer::{ArrayBuffer, Buffer},
    server::{OutOfMemory, Record, Side, Store, Usage},
};

pub(crate) const SLOTS: usize = 4;

pub(crate) const VALUE_LEN: usize = 256;

/// A store of four items; the oldest makes room.
#[derive(Default)]
pub(crate) struct Shelf {
    slots: [Option<Slot>; SLOTS],
    next: usize,
}

pub(crate) struct Slot {
    key: ArrayBuffer<250>,
    record: Record,
    value: ArrayBuffer<VALUE_LEN>,
}

impl Shelf {
    fn slot(&mut self, key: &[u8]) -> Option<&mut Option<Slot>> {
        self.slots.iter_mut().find(|slot| slot.as_ref().is_some_and(|slot| slot.key.as_slice() == key))
    }
}

impl Store for Shelf {
    fn find(&mut self, key: &[u8]) -> Option<(&mut Record, &[u8])> {
        let slot = self.slot(key)?.as_mut()?;
        Some((&mut slot.record, slot.value.as_slice()))
    }

    fn put(&mut self, key: &[u8], record: Record, value: &[u8]) -> Result<(), OutOfMemory> {
        self.remove(key);
        let mut slot = Slot { key: ArrayBuffer::new(), record, value: ArrayBuffer::new() };
        slot.key.put(key).and_then(|()| slot.value.put(value)).map_err(|_| OutOfMemory)?;
        if let Some(place) = self.slots.get_mut(self.next) {
            *place = Some(slot);
        }
        self.next = self.next.saturating_add(1) % SLOTS;
        Ok(())
    }

    fn extend(&mut self, key: &[u8], side: Side, piece: &[u8]) -> Result<(), OutOfMemory> {
        let Some(Some(slot)) = self.slot(key) else { return Ok(()) };
        let old = slot.value.clone();
        let parts = match side {
            Side::Front => [piece, old.as_slice()],
            Side::Back => [old.as_slice(), piece],
        };
        slot.value.truncate(0);
        slot.value.put_all(&parts).map_err(|_| OutOfMemory)
    }

    fn remove(&mut self, key: &[u8]) -> bool {
        self.slot(key).is_some_and(|slot| slot.take().is_some())
    }

    fn clear(&mut self) {
        self.slots = Default::default();
    }

    fn usage(&self) -> Usage {
        let items = self.slots.iter().flatten().count() as u64;
        Usage { items, limit: SLOTS as u64, ..Usage::default() }
    }
}
