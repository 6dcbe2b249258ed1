//! A store in memory: a hash map, and a list in the order of last use.

use std::{collections::HashMap, sync::Arc, vec::Vec};

use super::store::{OutOfMemory, Record, Side, Store, Usage};

/// Bytes that an item takes beside its key and its value: about what memcached reckons (48 bytes of header, 8 of cas).
const ITEM_OVERHEAD: usize = 56;

/// Items in memory, up to a limit. When memory is short, the least recently used items are dropped.
#[derive(Debug)]
pub struct MemoryStore {
    /// Where each key's item lies in `items`.
    places: HashMap<Arc<[u8]>, usize>,
    items: Vec<Item>,
    /// Places in `items` that are free.
    free: Vec<usize>,
    newest: Option<usize>,
    oldest: Option<usize>,
    bytes: usize,
    limit: usize,
    evicts: bool,
    evictions: u64,
}

struct Item {
    key: Arc<[u8]>,
    record: Record,
    value: Vec<u8>,
    newer: Option<usize>,
    older: Option<usize>,
}

impl MemoryStore {
    /// An empty store for `limit` bytes, keys and an overhead per item counted.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            places: HashMap::new(),
            items: Vec::new(),
            free: Vec::new(),
            newest: None,
            oldest: None,
            bytes: 0,
            limit,
            evicts: true,
            evictions: 0,
        }
    }

    /// A store that drops nothing, and refuses new items when it is full (memcached's option `-M`).
    #[must_use]
    pub fn without_eviction(limit: usize) -> Self {
        Self { evicts: false, ..Self::new(limit) }
    }

    fn make_space(&mut self, len: usize, keep: Option<usize>) -> Result<(), OutOfMemory> {
        if len > self.limit {
            return Err(OutOfMemory);
        }
        while self.bytes.saturating_add(len) > self.limit {
            let oldest =
                self.oldest.filter(|oldest| self.evicts && Some(*oldest) != keep).ok_or(OutOfMemory)?;
            self.take_out(oldest);
            self.evictions += 1;
        }
        Ok(())
    }

    fn take_out(&mut self, place: usize) {
        self.unlink(place);
        let Some(item) = self.items.get_mut(place) else { return };
        self.bytes = self.bytes.saturating_sub(item.size());
        item.value = Vec::new();
        let key = core::mem::take(&mut item.key);
        self.places.remove(&key);
        self.free.push(place);
    }

    fn unlink(&mut self, place: usize) {
        let Some(item) = self.items.get_mut(place) else { return };
        let (newer, older) = (item.newer.take(), item.older.take());
        match newer.and_then(|newer| self.items.get_mut(newer)) {
            Some(newer) => newer.older = older,
            None => self.newest = older,
        }
        match older.and_then(|older| self.items.get_mut(older)) {
            Some(older) => older.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link_newest(&mut self, place: usize) {
        let before = self.newest.replace(place);
        if let Some(item) = self.items.get_mut(place) {
            item.older = before;
        }
        match before.and_then(|before| self.items.get_mut(before)) {
            Some(before) => before.newer = Some(place),
            None => self.oldest = Some(place),
        }
    }

    fn use_now(&mut self, key: &[u8]) -> Option<usize> {
        let place = *self.places.get(key)?;
        if self.newest != Some(place) {
            self.unlink(place);
            self.link_newest(place);
        }
        Some(place)
    }
}

impl Item {
    fn size(&self) -> usize {
        ITEM_OVERHEAD.saturating_add(self.key.len()).saturating_add(self.value.len())
    }
}

impl core::fmt::Debug for Item {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Item({} bytes)", self.size())
    }
}

impl Store for MemoryStore {
    fn find(&mut self, key: &[u8]) -> Option<(&mut Record, &[u8])> {
        let place = self.use_now(key)?;
        let item = self.items.get_mut(place)?;
        Some((&mut item.record, &item.value))
    }

    fn put(&mut self, key: &[u8], record: Record, value: &[u8]) -> Result<(), OutOfMemory> {
        self.remove(key);
        let key: Arc<[u8]> = Arc::from(key);
        let item = Item { key: Arc::clone(&key), record, value: value.to_vec(), newer: None, older: None };
        self.make_space(item.size(), None)?;
        self.bytes = self.bytes.saturating_add(item.size());
        let place = self.free.pop().unwrap_or(self.items.len());
        match self.items.get_mut(place) {
            Some(free) => *free = item,
            None => self.items.push(item),
        }
        self.places.insert(key, place);
        self.link_newest(place);
        Ok(())
    }

    fn extend(&mut self, key: &[u8], side: Side, piece: &[u8]) -> Result<(), OutOfMemory> {
        let Some(place) = self.use_now(key) else { return Ok(()) };
        self.make_space(piece.len(), Some(place))?;
        if let Some(item) = self.items.get_mut(place) {
            match side {
                Side::Back => item.value.extend_from_slice(piece),
                Side::Front => drop(item.value.splice(..0, piece.iter().copied())),
            }
            self.bytes = self.bytes.saturating_add(piece.len());
        }
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> bool {
        let place = self.places.get(key).copied();
        if let Some(place) = place {
            self.take_out(place);
        }
        place.is_some()
    }

    fn clear(&mut self) {
        let (limit, evicts, evictions) = (self.limit, self.evicts, self.evictions);
        *self = Self { evicts, evictions, ..Self::new(limit) };
    }

    fn usage(&self) -> Usage {
        Usage {
            items: self.places.len() as u64,
            bytes: self.bytes as u64,
            limit: self.limit as u64,
            evictions: self.evictions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: Record = Record::new(0, 1, 0);
    const SIZE: usize = ITEM_OVERHEAD + 2;

    #[test]
    fn the_item_used_least_lately_makes_room() {
        let mut store = MemoryStore::new(3 * SIZE);
        for key in [b"a", b"b", b"c"] {
            store.put(key, RECORD, b"v").unwrap();
        }
        assert!(store.find(b"a").is_some());
        store.put(b"d", RECORD, b"v").unwrap();
        assert!(store.find(b"b").is_none());
        for key in [b"a", b"c", b"d"] {
            assert!(store.find(key).is_some());
        }
        let usage = store.usage();
        assert_eq!((usage.items, usage.bytes, usage.evictions), (3, 3 * SIZE as u64, 1));
    }

    #[test]
    fn without_eviction_full_is_full() {
        let mut store = MemoryStore::without_eviction(SIZE);
        store.put(b"a", RECORD, b"v").unwrap();
        assert_eq!(store.put(b"b", RECORD, b"v"), Err(OutOfMemory));
        assert_eq!(store.extend(b"a", Side::Back, b"w"), Err(OutOfMemory));
        assert!(store.find(b"a").is_some());
    }

    #[test]
    fn an_item_that_grows_does_not_evict_itself() {
        let mut store = MemoryStore::new(2 * SIZE);
        store.put(b"a", RECORD, b"v").unwrap();
        store.put(b"b", RECORD, b"v").unwrap();
        store.extend(b"a", Side::Front, b"uu").unwrap();
        assert_eq!(store.find(b"a").unwrap().1, b"uuv");
        assert!(store.find(b"b").is_none());
        assert_eq!(store.extend(b"a", Side::Back, &[0; 100]), Err(OutOfMemory));
    }

    #[test]
    fn places_are_used_again() {
        let mut store = MemoryStore::new(1 << 20);
        for round in 0..10 {
            for key in 0..20_u8 {
                store.put(&[key], RECORD, &[round]).unwrap();
            }
            for key in (0..20_u8).step_by(2) {
                assert!(store.remove(&[key]));
            }
        }
        assert!(store.items.len() <= 20);
        assert_eq!(store.usage().items, 10);
        store.clear();
        assert_eq!(store.usage(), Usage { limit: 1 << 20, ..Usage::default() });
        assert_eq!((store.newest, store.oldest), (None, None));
    }
}
