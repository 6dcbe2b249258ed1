//! Flights: callers of one key in one process share one load.
//!
//! The first caller that finds no value leads. Others join, and are woken when the flight lands with a result, when it is over for them so
//! that they must ask for themselves, or when the leader has gone and they are next. Nothing here waits: a caller is
//! polled with a [`Waker`], which may be that of a task or of a thread.
//!
//! A lock is held for a few instructions: never while anything is sent or loaded, nor while a waker is woken or a value
//! dropped.

use core::{
    any::{Any, TypeId},
    hash::BuildHasher as _,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
};
use std::{
    collections::{BTreeMap, HashMap},
    hash::RandomState,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Fetched;

/// The flights of one client.
#[derive(Debug)]
pub(crate) struct Flights {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    /// How many there are: a write asks whether there are any.
    count: AtomicUsize,
}

const SHARDS: usize = 16;

type Shard = HashMap<Box<[u8]>, Vec<Entry>>;

#[derive(Debug)]
struct Entry {
    kind: Kind,
    flight: Arc<dyn Any + Send + Sync>,
}

/// What callers must have in common to share a flight, beside the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The types of the value and of the error.
    pub(super) types: TypeId,
    /// Whether this is the flight of those who load for themselves.
    pub(super) is_own: bool,
}

/// The result of a flight.
pub(super) type Landing<E> = Result<Fetched, Arc<E>>;

struct Flight<E>(Mutex<State<E>>);

struct State<E> {
    stage: Stage<E>,
    /// By the order of their arrival.
    joined: BTreeMap<u64, Option<Waker>>,
    next: u64,
}

enum Stage<E> {
    Led,
    /// The leader has gone; the first that joined is next.
    Vacant,
    Landed(Landing<E>),
    /// Whoever joined must ask for itself.
    Over,
}

/// What a caller is in a flight.
pub(super) enum Role<E: Send + Sync + 'static> {
    Leads(Lead<E>),
    Joins(Joined<E>),
}

/// How a flight ends for one that joined it.
pub(super) enum End<E: Send + Sync + 'static> {
    Landed(Landing<E>),
    Leads(Lead<E>),
    AskAgain,
}

/// The leader's part of a flight. If it is dropped, the next one leads.
pub(super) struct Lead<E: Send + Sync + 'static>(Option<Part<E>>);

/// The part of a caller that waits.
pub(super) struct Joined<E: Send + Sync + 'static> {
    part: Part<E>,
    number: u64,
}

struct Part<E> {
    flights: Arc<Flights>,
    key: Box<[u8]>,
    kind: Kind,
    flight: Arc<Flight<E>>,
}

impl Flights {
    pub(crate) fn new() -> Self {
        Self { shards: Default::default(), hasher: RandomState::new(), count: AtomicUsize::new(0) }
    }

    /// Joins the flight of `key`, or begins one.
    pub(super) fn enter<E: Send + Sync + 'static>(self: &Arc<Self>, key: &[u8], kind: Kind) -> Role<E> {
        let mut shard = self.shard(key);
        match self.known(&shard, key, kind) {
            Some(joined) => Role::Joins(joined),
            None => Role::Leads(self.begin(&mut shard, key, kind)),
        }
    }

    /// Joins the flight of `key`, if there is one.
    pub(super) fn join<E: Send + Sync + 'static>(
        self: &Arc<Self>,
        key: &[u8],
        kind: Kind,
    ) -> Option<Joined<E>> {
        if self.is_empty() {
            return None;
        }
        self.known(&self.shard(key), key, kind)
    }

    /// Begins a flight of `key`, whoever leads one: this caller has won, and that one waits for it. Those that joined ask
    /// again, and so join this one.
    pub(super) fn take<E: Send + Sync + 'static>(self: &Arc<Self>, key: &[u8], kind: Kind) -> Lead<E> {
        let mut shard = self.shard(key);
        let before = self.flight::<E>(&shard, key, kind);
        let entry =
            before.as_ref().and_then(|flight| self.remove(&mut shard, key, Arc::as_ptr(flight).cast()));
        let lead = self.begin(&mut shard, key, kind);
        drop(shard);
        drop(entry);
        before.iter().for_each(|flight| flight.end(Stage::Over));
        lead
    }

    /// Whether there is a flight of `key`.
    pub(super) fn has(&self, key: &[u8], kind: Kind) -> bool {
        self.shard(key).get(key).is_some_and(|entries| entries.iter().any(|entry| entry.kind == kind))
    }

    fn flight<E: Send + Sync + 'static>(
        &self,
        shard: &Shard,
        key: &[u8],
        kind: Kind,
    ) -> Option<Arc<Flight<E>>> {
        let entry = shard.get(key)?.iter().find(|entry| entry.kind == kind)?;
        Arc::clone(&entry.flight).downcast().ok()
    }

    fn known<E: Send + Sync + 'static>(
        self: &Arc<Self>,
        shard: &Shard,
        key: &[u8],
        kind: Kind,
    ) -> Option<Joined<E>> {
        let flight = self.flight(shard, key, kind)?;
        let number = flight.lock().enter();
        Some(Joined { part: self.part(key, kind, flight), number })
    }

    fn begin<E: Send + Sync + 'static>(
        self: &Arc<Self>,
        shard: &mut Shard,
        key: &[u8],
        kind: Kind,
    ) -> Lead<E> {
        let state = State { stage: Stage::Led, joined: BTreeMap::new(), next: 0 };
        let flight = Arc::new(Flight(Mutex::new(state)));
        let entry = Entry { kind, flight: Arc::clone(&flight) as _ };
        shard.entry(key.into()).or_default().push(entry);
        self.count.fetch_add(1, Ordering::Relaxed);
        Lead(Some(self.part(key, kind, flight)))
    }

    fn part<E>(self: &Arc<Self>, key: &[u8], kind: Kind, flight: Arc<Flight<E>>) -> Part<E> {
        Part { flights: Arc::clone(self), key: key.into(), kind, flight }
    }

    /// Lets later callers of `key` begin anew, because the key is being written. Flights under way go on for those that
    /// have joined.
    pub(crate) fn detach(&self, key: &[u8]) {
        let detached = self.shard(key).remove(key).unwrap_or_default();
        self.count.fetch_sub(detached.len(), Ordering::Relaxed);
    }

    /// Whether there are none.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// How many flights there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let counted: usize =
            self.shards.iter().map(|shard| lock(shard).values().map(Vec::len).sum::<usize>()).sum();
        assert_eq!(counted, self.count.load(Ordering::Relaxed));
        counted
    }

    fn shard(&self, key: &[u8]) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(key);
        lock(&self.shards[hash as usize % SHARDS])
    }

    /// Takes `flight` away, if it is still that of `key`.
    fn remove(&self, shard: &mut Shard, key: &[u8], flight: *const ()) -> Option<Entry> {
        let entries = shard.get_mut(key)?;
        let at = entries.iter().position(|entry| Arc::as_ptr(&entry.flight).cast() == flight)?;
        let entry = entries.swap_remove(at);
        if entries.is_empty() {
            shard.remove(key);
        }
        self.count.fetch_sub(1, Ordering::Relaxed);
        Some(entry)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<E> Flight<E> {
    fn lock(&self) -> MutexGuard<'_, State<E>> {
        lock(&self.0)
    }

    /// Ends the flight, and wakes all.
    fn end(&self, stage: Stage<E>) {
        let mut state = self.lock();
        state.stage = stage;
        let wakers: Vec<Waker> = state.joined.values_mut().filter_map(Option::take).collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<E> State<E> {
    /// One more that waits, and its number.
    fn enter(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        self.joined.insert(number, None);
        number
    }

    /// The waker of the one that is next.
    fn next(&mut self) -> Option<Waker> {
        self.joined.first_entry().and_then(|mut first| first.get_mut().take())
    }
}

impl<E: Send + Sync + 'static> Part<E> {
    /// Takes the flight out of the client, so that later callers begin anew.
    fn leave(&self) {
        let mut shard = self.flights.shard(&self.key);
        let entry = self.flights.remove(&mut shard, &self.key, Arc::as_ptr(&self.flight).cast());
        drop(shard);
        drop(entry);
    }

    /// Notes that there is no leader. With nobody to follow, the flight ends.
    fn vacate(&self, mut state: impl FnMut(&mut State<E>)) {
        let mut shard = self.flights.shard(&self.key);
        let mut locked = self.flight.lock();
        state(&mut locked);
        let is_vacant = matches!(locked.stage, Stage::Vacant);
        let next = if is_vacant { locked.next() } else { None };
        let is_empty = is_vacant && locked.joined.is_empty();
        drop(locked);
        let entry = if is_empty {
            self.flights.remove(&mut shard, &self.key, Arc::as_ptr(&self.flight).cast())
        } else {
            None
        };
        drop(shard);
        drop(entry);
        next.into_iter().for_each(Waker::wake);
    }
}

impl<E: Send + Sync + 'static> Lead<E> {
    /// Gives the result to all that joined, and to all that join until this is dropped.
    pub(super) fn share(&self, landing: Landing<E>) {
        if let Some(part) = &self.0 {
            part.flight.end(Stage::Landed(landing));
        }
    }

    /// Gives the result to all that joined.
    pub(super) fn land(mut self, landing: Landing<E>) {
        self.end(Stage::Landed(landing));
    }

    /// Lets all that joined ask for themselves, as there is a value to be had while this caller loads another.
    pub(super) fn close(mut self) {
        self.end(Stage::Over);
    }

    fn end(&mut self, stage: Stage<E>) {
        if let Some(part) = self.0.take() {
            part.leave();
            part.flight.end(stage);
        }
    }
}

impl<E: Send + Sync + 'static> Drop for Lead<E> {
    fn drop(&mut self) {
        let Some(part) = self.0.take() else { return };
        if matches!(part.flight.lock().stage, Stage::Landed(_) | Stage::Over) {
            part.leave();
        } else {
            part.vacate(|state| state.stage = Stage::Vacant);
        }
    }
}

impl<E: Send + Sync + 'static> Joined<E> {
    /// How the flight ends for this caller; it is woken when there is something to be known.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<End<E>> {
        let mut state = self.part.flight.lock();
        let is_first = state.joined.first_key_value().is_some_and(|(first, _)| *first == self.number);
        let end = match &state.stage {
            Stage::Landed(landing) => End::Landed(landing.clone()),
            Stage::Over => End::AskAgain,
            Stage::Vacant if is_first => {
                state.stage = Stage::Led;
                state.joined.remove(&self.number);
                drop(state);
                return Poll::Ready(End::Leads(Lead(Some(self.part.clone()))));
            }
            Stage::Vacant | Stage::Led => {
                let kept = state.joined.get_mut(&self.number);
                let before = kept.and_then(|kept| kept.replace(cx.waker().clone()));
                drop(state);
                drop(before);
                return Poll::Pending;
            }
        };
        Poll::Ready(end)
    }
}

impl<E: Send + Sync + 'static> Drop for Joined<E> {
    fn drop(&mut self) {
        let (number, mut waker) = (self.number, None);
        self.part.vacate(|state| waker = state.joined.remove(&number));
    }
}

impl<E> Clone for Part<E> {
    fn clone(&self) -> Self {
        let (flights, flight) = (Arc::clone(&self.flights), Arc::clone(&self.flight));
        Self { flights, key: self.key.clone(), kind: self.kind, flight }
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::AtomicU32;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    const KIND: Kind = Kind { types: TypeId::of::<()>(), is_own: false };

    fn enter(flights: &Arc<Flights>) -> Role<&'static str> {
        flights.enter(b"k", KIND)
    }

    fn lead(flights: &Arc<Flights>) -> Lead<&'static str> {
        match enter(flights) {
            Role::Leads(lead) => lead,
            Role::Joins(_) => panic!("somebody leads"),
        }
    }

    fn joined(flights: &Arc<Flights>) -> (Joined<&'static str>, Arc<Woken>) {
        let Role::Joins(mut joined) = enter(flights) else { panic!("nobody leads") };
        let woken = Arc::new(Woken::default());
        assert!(poll(&mut joined, &woken).is_none());
        (joined, woken)
    }

    fn poll(joined: &mut Joined<&'static str>, woken: &Arc<Woken>) -> Option<End<&'static str>> {
        match joined.poll(&Context::from_waker(&Arc::clone(woken).into())) {
            Poll::Ready(end) => Some(end),
            Poll::Pending => None,
        }
    }

    fn count(woken: &Woken) -> u32 {
        woken.0.load(Ordering::Relaxed)
    }

    #[test]
    fn all_that_joined_have_the_leaders_result() {
        let flights = Arc::new(Flights::new());
        let leader = lead(&flights);
        let mut others = [joined(&flights), joined(&flights)];
        leader.land(Err(Arc::new("no")));
        for (joined, woken) in &mut others {
            assert_eq!(count(woken), 1);
            assert!(matches!(poll(joined, woken), Some(End::Landed(Err(error))) if *error == "no"));
        }
        assert_eq!(flights.len(), 0);
        lead(&flights).close();
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn a_result_is_shared_until_its_leader_is_done() {
        let flights = Arc::new(Flights::new());
        let leader = lead(&flights);
        leader.share(Ok(None));
        let Role::Joins(mut late) = enter(&flights) else { panic!("it is still there") };
        assert!(matches!(poll(&mut late, &Arc::default()), Some(End::Landed(Ok(None)))));
        drop(leader);
        drop(late);
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn when_the_leader_goes_the_next_one_leads_in_the_order_of_arrival() {
        let flights = Arc::new(Flights::new());
        let leader = lead(&flights);
        let [(first, _), (mut second, second_woken), (mut third, third_woken)] =
            [joined(&flights), joined(&flights), joined(&flights)];
        drop(leader);
        assert!(poll(&mut third, &third_woken).is_none());
        drop(first);
        assert_eq!((count(&second_woken), count(&third_woken)), (1, 0));
        let Some(End::Leads(leader)) = poll(&mut second, &second_woken) else { panic!("it is next") };
        drop(second);
        assert!(poll(&mut third, &third_woken).is_none());
        leader.close();
        assert!(matches!(poll(&mut third, &third_woken), Some(End::AskAgain)));
        drop(third);
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn a_flight_that_nobody_leads_or_waits_for_is_forgotten() {
        let flights = Arc::new(Flights::new());
        let leader = lead(&flights);
        let (one, _) = joined(&flights);
        drop(leader);
        assert_eq!(flights.len(), 1);
        drop(one);
        assert_eq!(flights.len(), 0);
        drop(lead(&flights));
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn a_write_lets_later_callers_begin_anew() {
        let flights = Arc::new(Flights::new());
        let before = lead(&flights);
        let (mut joined, woken) = joined(&flights);
        flights.detach(b"k");
        let after = lead(&flights);
        before.land(Ok(None));
        assert!(matches!(poll(&mut joined, &woken), Some(End::Landed(Ok(None)))));
        assert_eq!(flights.len(), 1);
        after.land(Ok(None));
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn the_flight_of_a_caller_that_waits_is_taken_by_the_one_that_has_won() {
        let flights = Arc::new(Flights::new());
        let waits = lead(&flights);
        let (mut other, woken) = joined(&flights);
        let won = flights.take::<&str>(b"k", KIND);
        assert_eq!(count(&woken), 1);
        drop(waits);
        assert!(matches!(poll(&mut other, &woken), Some(End::AskAgain)));
        drop(other);
        let (mut again, woken) = joined(&flights);
        won.land(Ok(None));
        assert!(matches!(poll(&mut again, &woken), Some(End::Landed(Ok(None)))));
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn a_flight_can_be_joined_while_there_is_one() {
        let flights = Arc::new(Flights::new());
        assert!(flights.join::<&str>(b"k", KIND).is_none());
        let leader = lead(&flights);
        assert!(flights.has(b"k", KIND) && !flights.has(b"l", KIND));
        assert!(flights.join::<&str>(b"k", KIND).is_some());
        assert!(flights.join::<&str>(b"k", Kind { is_own: true, ..KIND }).is_none());
        drop(leader);
    }

    #[test]
    fn callers_of_other_types_do_not_share() {
        let flights = Arc::new(Flights::new());
        let _one = lead(&flights);
        let other = flights.enter::<String>(b"k", Kind { types: TypeId::of::<u8>(), is_own: false });
        assert!(matches!(other, Role::Leads(_)));
        assert!(matches!(flights.enter::<&str>(b"l", KIND), Role::Leads(_)));
    }
}
