//! What all clones of a client share for `fetch`: flights, leases of others, and figures.

use core::{
    any::TypeId,
    hash::BuildHasher as _,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{hash::RandomState, sync::Arc, time::Instant};

use super::{
    call::flight_key,
    flights::{Flights, Kind},
    seen::Seen,
};
use crate::failure::{Event, Observer};

/// What all clones of a client share for `fetch`.
#[derive(Debug)]
pub struct Shared {
    pub(super) flights: Arc<Flights>,
    pub(super) seen: Seen,
    observer: Observer,
    /// Of the delays of the next call.
    seeds: AtomicU64,
    counts: [AtomicU64; FetchOutcome::COUNT],
}

impl Shared {
    /// Nothing is under way; `observer` is told of what happens.
    #[must_use]
    pub fn new(observer: Observer) -> Self {
        let seeds = AtomicU64::new(RandomState::new().hash_one(0));
        let counts = core::array::from_fn(|_| AtomicU64::new(0));
        Self { flights: Arc::new(Flights::new()), seen: Seen::default(), observer, seeds, counts }
    }

    /// Lets later callers begin anew, because the key is being written.
    #[inline]
    pub(crate) fn detach(&self, key: &[u8], routing_key: &[u8]) {
        if !self.is_idle() {
            self.flights.detach(&flight_key(key, routing_key));
        }
    }

    /// Whether nobody of this client asks for the key, or loads it, to get what `types` say.
    #[inline]
    pub(crate) fn is_alone(&self, key: &[u8], routing_key: &[u8], types: TypeId) -> bool {
        self.is_idle() || !self.flights.has(&flight_key(key, routing_key), Kind { types, is_own: false })
    }

    /// Whether nothing is under way.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.flights.is_empty()
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seeds.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }

    pub(super) fn tell(&self, outcome: FetchOutcome, waited: Duration, loading: Option<Duration>) {
        self.counts[outcome as usize].fetch_add(1, Ordering::Relaxed);
        self.observer.tell(|| Event::fetched(outcome, waited, loading));
    }

    /// Tells of a value that was there and fresh, to a call that began at `began`.
    #[inline]
    pub(crate) fn tell_hit(&self, began: Instant, now: impl FnOnce() -> Instant) {
        self.counts[FetchOutcome::Hit as usize].fetch_add(1, Ordering::Relaxed);
        let waited = || now().saturating_duration_since(began);
        self.observer.tell(|| Event::fetched(FetchOutcome::Hit, waited(), None));
    }

    pub(super) fn tell_lease(&self, event: LeaseEvent) {
        self.observer.tell(|| Event::lease(event));
    }

    /// How often `fetch` ended in which way.
    pub(crate) fn counts(&self) -> FetchCounts {
        let count = |outcome: FetchOutcome| self.counts[outcome as usize].load(Ordering::Relaxed);
        FetchCounts {
            hits: count(FetchOutcome::Hit),
            stale_hits: count(FetchOutcome::Stale),
            joined: count(FetchOutcome::Joined),
            waited: count(FetchOutcome::Waited),
            loads: count(FetchOutcome::Loaded),
            own_loads: count(FetchOutcome::Own),
            failures: count(FetchOutcome::Failed),
        }
    }
}

/// How a call of `fetch` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FetchOutcome {
    /// The value was there, and fresh.
    Hit,
    /// The value was there, and stale; another caller loads a new one.
    Stale,
    /// Another caller of this client asked or loaded for both.
    Joined,
    /// A caller of another process loaded the value.
    Waited,
    /// This caller held the lease, and loaded.
    Loaded,
    /// This caller loaded for itself, and nothing was stored: the server did not answer, or others took too long.
    Own,
    /// The loader failed.
    Failed,
}

impl FetchOutcome {
    const COUNT: usize = 7;
}

/// What happened to the lease of a call of `fetch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaseEvent {
    /// The lease was given back, because nothing was stored: another caller may load at once.
    GaveBack,
    /// The lease of another caller lasted for longer than it may, and was taken over: that caller has died, or its
    /// loader takes too long.
    TookOver,
    /// The value was loaded and not stored, as the item was changed, deleted, invalidated or evicted meanwhile.
    #[non_exhaustive]
    Late {
        /// By how much the loader took longer than the lease, if it did.
        too_long_by: Option<Duration>,
    },
}

/// How often calls of `fetch` ended in which way, since the client was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchCounts {
    /// [`FetchOutcome::Hit`].
    pub hits: u64,
    /// [`FetchOutcome::Stale`].
    pub stale_hits: u64,
    /// [`FetchOutcome::Joined`].
    pub joined: u64,
    /// [`FetchOutcome::Waited`].
    pub waited: u64,
    /// [`FetchOutcome::Loaded`].
    pub loads: u64,
    /// [`FetchOutcome::Own`].
    pub own_loads: u64,
    /// [`FetchOutcome::Failed`].
    pub failures: u64,
}

impl FetchCounts {
    /// How many loads were saved: calls without a fresh value that did not have to load one.
    #[must_use]
    pub const fn loads_saved(&self) -> u64 {
        self.stale_hits.saturating_add(self.joined).saturating_add(self.waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_callers_have_one_seed() {
        // A lease's token comes from the seed: with one token, each of two would take the other's lease for its own.
        let shared = [Shared::new(Observer::default()), Shared::new(Observer::default())];
        let seeds: std::collections::BTreeSet<_> =
            shared.iter().flat_map(|shared| (0..100).map(|_| shared.seed())).collect();
        assert_eq!(seeds.len(), 200);
    }
}
