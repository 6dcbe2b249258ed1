//! The engine: it does with items what memcached does, with expiry, conditions and counters. It knows no bytes on the
//! wire and no clock.

use core::fmt;

mod meta;

use super::{
    c_number::c_u64,
    clock::Clock,
    counters::Counters,
    item_size::item_size,
    request_event::{Refusal, StoreHead},
    store::{Record, Side, Store},
};
use crate::{
    number::Digits,
    operation::StoreOutcome,
    request::{ArithVerb, StoreVerb},
    ttl::UnixTime,
};

/// The options of an engine. memcached has options of the same meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EngineConfig {
    /// Largest item in bytes, with its key and an overhead of about 60 bytes (`-I`): 1 MiB.
    pub item_size_max: usize,
    /// The answer to `version`. Clients learn from it what the server can do.
    pub version: &'static str,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { item_size_max: 1 << 20, version: "1.6.18" }
    }
}

impl fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not derived: the `Debug` of a `str` can panic, as far as a compiler sees.
        write!(f, "EngineConfig(items up to {} bytes, version {})", self.item_size_max, self.version)
    }
}

/// The server without its wire: the verbs of memcached 1.6 over a [`Store`].
///
/// Every call is given the time, which must not run backwards. Keys are not checked here: the caller has done that.
#[derive(Debug)]
pub struct Engine<S> {
    store: S,
    config: EngineConfig,
    counters: Counters,
    /// The cas unique that was given out last.
    cas: u64,
    /// Items that were stored or last fetched up to this second, in Unix seconds, are flushed when it has come.
    flushed_until: Option<u64>,
    /// Whether that second is still to come.
    flush_waits: bool,
    started: Option<u64>,
}

/// An item that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundItem<'s> {
    /// The number that the client stored with the value.
    pub flags: u32,
    /// The cas unique: another number after every change of the item.
    pub cas: u64,
    /// The value.
    pub value: &'s [u8],
}

impl<S: Store> Engine<S> {
    /// An engine over `store`, with the default configuration.
    pub fn new(store: S) -> Self {
        Self::with_config(store, EngineConfig::default())
    }

    /// An engine over `store`.
    pub fn with_config(store: S, config: EngineConfig) -> Self {
        Self {
            store,
            config,
            counters: Counters::default(),
            cas: 0,
            flushed_until: None,
            flush_waits: false,
            started: None,
        }
    }

    /// The configuration.
    pub const fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// `get` and `gets`.
    pub fn get(&mut self, key: &[u8], now: UnixTime) -> Option<FoundItem<'_>> {
        bump(&mut self.counters.cmd_get);
        if self.live(key, now).is_none() {
            bump(&mut self.counters.get_misses);
            return None;
        }
        bump(&mut self.counters.get_hits);
        self.fetched(key, now)
    }

    /// `gat` and `gats`.
    pub fn get_and_touch(&mut self, key: &[u8], exptime: i32, now: UnixTime) -> Option<FoundItem<'_>> {
        bump(&mut self.counters.cmd_get);
        if !self.touch(key, exptime, now) {
            bump(&mut self.counters.get_misses);
            return None;
        }
        bump(&mut self.counters.get_hits);
        self.fetched(key, now)
    }

    /// Checks whether an item of this size may be stored. Call it before the value is received: where the item is
    /// refused, a `set` drops the old one.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`].
    pub fn admit(&mut self, head: &StoreHead<'_>) -> Result<(), Refusal> {
        if self.fits(head.key.len(), head.flags, head.len) {
            return Ok(());
        }
        bump(&mut self.counters.store_too_large);
        Err(self.refuse_store(head, Refusal::TooLarge))
    }

    /// Stores a value, by `set`, `add`, `replace`, `append`, `prepend` or `cas`.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`] and [`Refusal::OutOfMemory`].
    pub fn store_value(
        &mut self,
        head: &StoreHead<'_>,
        value: &[u8],
        now: UnixTime,
    ) -> Result<StoreOutcome, Refusal> {
        bump(&mut self.counters.cmd_set);
        let old = self.live(head.key, now);
        match (head.verb, old) {
            (StoreVerb::Add, Some(_))
            | (StoreVerb::Replace | StoreVerb::Append | StoreVerb::Prepend, None) => {
                return Ok(StoreOutcome::NotStored);
            }
            (StoreVerb::Cas(_), None) => {
                bump(&mut self.counters.cas_misses);
                return Ok(StoreOutcome::NotFound);
            }
            (StoreVerb::Cas(unique), Some((record, _))) if unique != record.cas => {
                bump(&mut self.counters.cas_badval);
                return Ok(StoreOutcome::Exists);
            }
            (StoreVerb::Cas(_), Some(_)) => bump(&mut self.counters.cas_hits),
            (StoreVerb::Append, Some((record, len))) => {
                return self.extend(head, Side::Back, value, record, len, now);
            }
            (StoreVerb::Prepend, Some((record, len))) => {
                return self.extend(head, Side::Front, value, record, len, now);
            }
            (StoreVerb::Set, _) | (StoreVerb::Add, None) | (StoreVerb::Replace, Some(_)) => {}
        }
        if !self.fits(head.key.len(), head.flags, value.len()) {
            return Err(self.refuse_store(head, Refusal::TooLarge));
        }
        let record = Record::new(head.flags, self.next_cas(), self.clock(now).expires_at(head.exptime));
        let record = Record { accessed: now.as_secs(), ..record };
        if self.store.put(head.key, record, value).is_err() {
            return Err(self.out_of_memory(head));
        }
        bump(&mut self.counters.total_items);
        Ok(StoreOutcome::Stored)
    }

    /// Notes that a value could not be received for lack of memory. A `set` drops the old item then.
    pub fn out_of_memory(&mut self, head: &StoreHead<'_>) -> Refusal {
        bump(&mut self.counters.store_no_memory);
        self.refuse_store(head, Refusal::OutOfMemory)
    }

    /// `delete`: whether there was an item.
    pub fn delete(&mut self, key: &[u8], now: UnixTime) -> bool {
        let found = self.live(key, now).is_some();
        if found {
            self.store.remove(key);
            bump(&mut self.counters.delete_hits);
        } else {
            bump(&mut self.counters.delete_misses);
        }
        found
    }

    /// `incr` and `decr`: the new number; `None` when there is no such item.
    ///
    /// A number that has become shorter is padded with spaces behind it, so that the value keeps its length.
    ///
    /// # Errors
    /// [`Refusal::NonNumeric`] and [`Refusal::OutOfMemory`].
    pub fn arith(
        &mut self,
        verb: ArithVerb,
        key: &[u8],
        delta: u64,
        now: UnixTime,
    ) -> Result<Option<u64>, Refusal> {
        let found = self.live(key, now);
        let counter = match (verb, found.is_some()) {
            (ArithVerb::Incr, true) => &mut self.counters.incr_hits,
            (ArithVerb::Incr, false) => &mut self.counters.incr_misses,
            (ArithVerb::Decr, true) => &mut self.counters.decr_hits,
            (ArithVerb::Decr, false) => &mut self.counters.decr_misses,
        };
        bump(counter);
        let Some((record, len)) = found else { return Ok(None) };
        let old = self.found(key).and_then(|item| c_u64(item.value)).ok_or(Refusal::NonNumeric)?;
        let number = match verb {
            ArithVerb::Incr => old.wrapping_add(delta),
            ArithVerb::Decr => old.saturating_sub(delta),
        };
        let digits = Digits::of(number);
        let cas = self.next_cas();
        // A number that fits is changed in its place; a longer one is an item made anew.
        let fits = digits.as_bytes().len() <= len;
        let accessed = now.as_secs();
        let record = if fits { Record { cas, accessed, ..record } } else { record.renewed(cas, now) };
        let mut stored = self.store.put(key, record, digits.as_bytes());
        let mut padding = len.saturating_sub(digits.as_bytes().len());
        while padding > 0 && stored.is_ok() {
            const SPACES: &[u8; 32] = b"                                ";
            let spaces = SPACES.get(..padding).unwrap_or(SPACES);
            stored = self.store.extend(key, Side::Back, spaces);
            padding = padding.saturating_sub(spaces.len());
        }
        stored.map_err(|_| Refusal::OutOfMemory)?;
        Ok(Some(number))
    }

    /// `touch`: whether there was an item.
    pub fn touch(&mut self, key: &[u8], exptime: i32, now: UnixTime) -> bool {
        bump(&mut self.counters.cmd_touch);
        let found = self.live(key, now).is_some();
        let clock = self.clock(now);
        if let Some((record, _)) = self.store.find(key) {
            record.expires = clock.expires_at(exptime);
            record.use_at(now);
        }
        bump(if found { &mut self.counters.touch_hits } else { &mut self.counters.touch_misses });
        found
    }

    /// `flush_all`: drops all items when the delay has passed; at once without a delay, or with one of 0 or less.
    ///
    /// As in memcached 1.6.18, that happens in the second before, and items that are stored in that second are
    /// dropped as well. A delay that ends before the server's start flushes nothing. Each call replaces the delay of
    /// the one before.
    pub fn flush_all(&mut self, delay: Option<i32>, now: UnixTime) {
        bump(&mut self.counters.cmd_flush);
        let clock = self.clock(now);
        let moment = delay.filter(|delay| *delay > 0).map_or(clock.now, |delay| clock.expires_at(delay));
        let until = moment.saturating_sub(1);
        self.flushed_until = Some(until).filter(|_| moment > clock.long_past());
        self.flush_waits = until > clock.now;
        if !self.flush_waits {
            self.next_cas();
            if self.flushed_until.is_some() {
                self.store.clear();
            }
        }
    }

    /// `stats`: calls `each` with every name and its value.
    pub fn stats(&mut self, now: UnixTime, mut each: impl FnMut(&str, &[u8])) {
        let clock = self.clock(now);
        let usage = self.store.usage();
        let number =
            |each: &mut dyn FnMut(&str, &[u8]), name, number| each(name, Digits::of(number).as_bytes());
        number(&mut each, "uptime", clock.now.saturating_sub(clock.started));
        number(&mut each, "time", clock.now);
        each("version", self.config.version.as_bytes());
        number(&mut each, "pointer_size", u64::from(usize::BITS));
        for (name, count) in self.counters.iter() {
            number(&mut each, name, count);
        }
        number(&mut each, "limit_maxbytes", usage.limit);
        number(&mut each, "bytes", usage.bytes);
        number(&mut each, "curr_items", usage.items);
        number(&mut each, "evictions", usage.evictions);
    }

    /// `stats settings`, likewise.
    pub fn settings(&self, mut each: impl FnMut(&str, &[u8])) {
        each("maxbytes", Digits::of(self.store.usage().limit).as_bytes());
        each("item_size_max", Digits::of(self.config.item_size_max as u64).as_bytes());
        each("cas_enabled", b"yes");
        each("flush_enabled", b"yes");
    }

    /// `stats reset`.
    pub fn reset_stats(&mut self) {
        self.counters = Counters::default();
    }

    /// The record of an item that is there at `now`, and the length of its value. One that has ended is dropped.
    fn live(&mut self, key: &[u8], now: UnixTime) -> Option<(Record, usize)> {
        let now = self.clock(now).now;
        let flushed_until = self.flushed_until.filter(|until| *until <= now);
        // Calls come in the order of time, so whatever is in the store now was there when the delay passed.
        if self.flush_waits && flushed_until.is_some() {
            self.flush_waits = false;
            self.store.clear();
        }
        let (record, value) = self.store.find(key)?;
        let found = (*record, value.len());
        if flushed_until.is_some_and(|until| record.accessed <= until) {
            self.store.remove(key);
            return None;
        }
        if record.is_expired(now) {
            bump(&mut self.counters.get_expired);
            self.store.remove(key);
            return None;
        }
        Some(found)
    }

    fn fetched(&mut self, key: &[u8], now: UnixTime) -> Option<FoundItem<'_>> {
        if let Some((record, _)) = self.store.find(key) {
            record.use_at(now);
        }
        self.found(key)
    }

    fn found(&mut self, key: &[u8]) -> Option<FoundItem<'_>> {
        let (record, value) = self.store.find(key)?;
        Some(FoundItem { flags: record.flags, cas: record.cas, value })
    }

    /// Adds to a value; flags and exptime stay. A value that would grow too large stays as it is, which is no error.
    fn extend(
        &mut self,
        head: &StoreHead<'_>,
        side: Side,
        piece: &[u8],
        record: Record,
        len: usize,
        now: UnixTime,
    ) -> Result<StoreOutcome, Refusal> {
        if !self.fits(head.key.len(), record.flags, len.saturating_add(piece.len())) {
            return Ok(StoreOutcome::NotStored);
        }
        if self.store.extend(head.key, side, piece).is_err() {
            return Err(self.out_of_memory(head));
        }
        let cas = self.next_cas();
        if let Some((record, _)) = self.store.find(head.key) {
            *record = record.renewed(cas, now);
        }
        Ok(StoreOutcome::Stored)
    }

    fn fits(&self, key_len: usize, flags: u32, value_len: usize) -> bool {
        item_size(key_len, flags, value_len) <= self.config.item_size_max
    }

    /// The present; the first one told is the start.
    pub(super) fn clock(&mut self, now: UnixTime) -> Clock {
        Clock::new(*self.started.get_or_insert(now.as_secs()), now)
    }

    fn refuse_store(&mut self, head: &StoreHead<'_>, refusal: Refusal) -> Refusal {
        if head.verb == StoreVerb::Set {
            self.store.remove(head.key);
        }
        refusal
    }

    pub(super) fn next_cas(&mut self) -> u64 {
        self.cas = self.cas.wrapping_add(1);
        self.cas
    }
}

const fn bump(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}
