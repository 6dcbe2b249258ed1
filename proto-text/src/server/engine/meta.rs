//! What the meta commands need of the items beyond the classic verbs.

use super::{
    super::{
        item_size::item_size,
        meta_answer::MetaStore,
        request_event::{Refusal, StoreHead},
        store::{Record, Side, Store},
    },
    Engine, bump,
};
use crate::{
    meta::{MetaCode, SetMode},
    operation::StoreOutcome,
    request::StoreVerb,
    ttl::UnixTime,
};

impl<S: Store> Engine<S> {
    /// The length of the value of an item that is there at `now`.
    pub(in crate::server) fn value_len(&mut self, key: &[u8], now: UnixTime) -> Option<usize> {
        self.live(key, now).map(|(_, len)| len)
    }

    /// The record of an item that is there at `now`.
    pub(in crate::server) fn meta_record(&mut self, key: &[u8], now: UnixTime) -> Option<Record> {
        self.live(key, now).map(|(record, _)| record)
    }

    /// `mg`: whether there is an item.
    pub(in crate::server) fn meta_find(&mut self, key: &[u8], now: UnixTime) -> bool {
        let found = self.live(key, now).is_some();
        bump(&mut self.counters.cmd_get);
        bump(if found { &mut self.counters.get_hits } else { &mut self.counters.get_misses });
        found
    }

    /// An item that is known to be there.
    pub(in crate::server) fn meta_item(&mut self, key: &[u8]) -> Option<(&mut Record, &[u8])> {
        self.store.find(key)
    }

    /// Bytes that an item takes, as memcached reckons.
    pub(in crate::server) fn item_size(&mut self, key: &[u8]) -> usize {
        let Some((record, value)) = self.store.find(key) else { return 0 };
        item_size(key.len(), record.flags, value.len())
    }

    /// Makes an item that `mg` or `ma` did not find.
    pub(in crate::server) fn meta_create(
        &mut self,
        key: &[u8],
        value: &[u8],
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let record = Record { accessed: now.as_secs(), ..Record::new(0, self.next_cas(), 0) };
        bump(&mut self.counters.total_items);
        self.store.put(key, record, value).map_err(|_| Refusal::OutOfMemory)
    }

    /// May the item of an `ms` be stored? When not, the old item goes, whatever the mode.
    pub(in crate::server) fn meta_admit(
        &mut self,
        key: &[u8],
        flags: u32,
        len: usize,
    ) -> Result<(), Refusal> {
        self.admit(&StoreHead { verb: StoreVerb::Set, key, flags, exptime: 0, len, noreply: false })
    }

    /// `ms`, and the item's cas unique; 0 where it is not stored.
    pub(in crate::server) fn meta_store(
        &mut self,
        head: &MetaStore,
        key: &[u8],
        value: &[u8],
        now: UnixTime,
    ) -> Result<(MetaCode, u64), Refusal> {
        bump(&mut self.counters.cmd_set);
        let old = self.live(key, now);
        let compared = match head.mode {
            SetMode::Set | SetMode::Replace => head.cas,
            SetMode::Append | SetMode::Prepend => head.cas.filter(|cas| *cas != 0),
            SetMode::Add => None,
        };
        let mut record =
            Record { accessed: now.as_secs(), binary_key: head.binary_key, ..Record::new(0, 0, 0) };
        (record.flags, record.expires) = (head.flags, self.clock(now).expires_at(head.exptime));
        let is_whole = matches!(head.mode, SetMode::Set | SetMode::Replace);
        match (head.mode, old, compared) {
            (SetMode::Add, Some(_), _)
            | (SetMode::Append | SetMode::Prepend, None, _)
            | (SetMode::Replace, None, None) => return Ok((MetaCode::NotStored, 0)),
            (_, None, Some(_)) => return Ok((MetaCode::NotFound, 0)),
            (_, Some((old, _)), Some(cas)) if cas != old.cas => {
                if !(is_whole && head.invalidate && cas != 0 && cas < old.cas) {
                    return Ok((MetaCode::Exists, 0));
                }
                (record.expires, record.stale, record.won) = (old.expires, true, old.won);
            }
            _ => {}
        }
        let side = match head.mode {
            SetMode::Append => Some(Side::Back),
            SetMode::Prepend => Some(Side::Front),
            SetMode::Set | SetMode::Add | SetMode::Replace => None,
        };
        if let (Some(side), Some((old, len))) = (side, old) {
            let verb = StoreVerb::Append;
            let store = StoreHead { verb, key, flags: 0, exptime: 0, len: value.len(), noreply: false };
            let outcome = self.extend(&store, side, value, old, len, now)?;
            let stored = outcome == StoreOutcome::Stored;
            return Ok(if stored { (MetaCode::Done, self.cas) } else { (MetaCode::NotStored, 0) });
        }
        record.cas = self.next_cas();
        if self.store.put(key, record, value).is_err() {
            bump(&mut self.counters.store_no_memory);
            return Err(Refusal::OutOfMemory);
        }
        bump(&mut self.counters.total_items);
        Ok((MetaCode::Done, record.cas))
    }
}
