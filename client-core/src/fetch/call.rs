//! One call of `fetch`: its part in the flights of its process, and the lease if it leads one.

use core::{
    any::TypeId,
    task::{Context, Poll},
    time::Duration,
};
use std::{sync::Arc, time::Instant};

use memring_text::{Ttl, ttl::UnixTime};

use super::{
    Answer, Dialect, Errand, FetchOutcome, Fetched, First, Freshness, LeaseEvent, Loaded, NoAnswer, Place,
    Shared, Times,
    flights::{End, Joined, Kind, Landing, Lead, Role},
    lease::{Lease, Terms, Turn},
};
use crate::failure::Cause;

/// A call of `fetch`, as a machine: a client does what [`step`](Self::step) says and tells what came of it.
///
/// Dropped, it lets others go on. If [`abandon`](Self::abandon) returns an errand, that should be sent first.
pub struct Call<E: Send + Sync + 'static> {
    shared: Arc<Shared>,
    /// The key in the flights: that of the wire, and by which it is placed.
    key: Box<[u8]>,
    types: TypeId,
    times: Times,
    terms: Terms,
    began: Instant,
    part: Part<E>,
    /// The flights that this call leads: that of the key, and that of those who load for themselves.
    flight: Option<Lead<E>>,
    /// Whether it is to join or to lead a flight if its question comes to nothing.
    is_alone: bool,
    own: Option<Lead<E>>,
    loading: Option<Instant>,
    took: Duration,
}

enum Part<E: Send + Sync + 'static> {
    Enter,
    Joins(Joined<E>, IsOwn),
    /// Does not know yet how to ask.
    Begins,
    /// Asks, waits or loads: alone at first, as most find a value; then as the leader of a flight.
    Asks(Box<Lease>),
    /// Has given up waiting, or asking.
    Own,
}

/// Whether it is the flight of those that load for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct IsOwn(bool);

/// What to do next.
#[derive(Debug)]
pub enum Step<E> {
    /// Find out which commands the server has, and tell by [`Call::begin`]; or by [`Call::unreachable`] that there is no
    /// server.
    Begin,
    /// Poll [`Call::poll_joined`] until it is ready, at most until this time, if there is one.
    Join(Option<Instant>),
    /// Wait until this time.
    Wait(Instant),
    /// Send this to the server of the first errand, and tell the answer by [`Call::answered`].
    Send(Errand),
    /// Run the loader, and tell by [`Call::loaded`] or [`Call::failed`].
    Load,
    /// This is the result.
    Done(Result<Fetched, Failed<E>>),
}

/// The loader failed: that of another caller, or the own one.
#[derive(Debug)]
pub struct Failed<E>(pub Arc<E>);

impl<E: Send + Sync + 'static> Call<E> {
    /// A call of `key`, which is placed by `routing_key`, at `now`. Values of more than `limit` bytes are not stored.
    ///
    /// # Errors
    /// The freshness is invalid.
    pub fn new<L: Loaded>(
        shared: &Arc<Shared>,
        (key, routing_key): (&[u8], &[u8]),
        freshness: &Freshness,
        limit: usize,
        clock: (Instant, UnixTime),
    ) -> Result<Self, Cause> {
        Self::after::<L>(shared, (key, routing_key), freshness, limit, clock, (First::None, None))
    }

    /// As [`new`](Self::new), and goes on where a glance has come to. The second of `begun` is that of
    /// [`answered`](Self::answered).
    ///
    /// # Errors
    /// As of [`new`](Self::new); none if the glance has asked.
    pub fn after<L: Loaded>(
        shared: &Arc<Shared>,
        (key, routing_key): (&[u8], &[u8]),
        freshness: &Freshness,
        limit: usize,
        (now, unix_time): (Instant, UnixTime),
        (first, stand_in): (First, Option<(Ttl, UnixTime)>),
    ) -> Result<Self, Cause> {
        // Of a value that ends at a given moment, other times would be left now.
        let times = first.times().map_or_else(|| freshness.times(unix_time), Ok)?;
        let wait_until = now + freshness.longest_wait();
        let mut call = Self {
            shared: Arc::clone(shared),
            key: flight_key(key, routing_key),
            types: TypeId::of::<(L::Found, E)>(),
            times,
            terms: Terms { wait_until, limit, takes_nothing: L::found(None).is_some() },
            began: now,
            part: Part::Enter,
            flight: None,
            is_alone: false,
            own: None,
            loading: None,
            took: Duration::ZERO,
        };
        call.begun(first, stand_in, now);
        Ok(call)
    }

    /// What to do at `now`.
    pub fn step(&mut self, now: Instant) -> Step<E> {
        loop {
            match &mut self.part {
                Part::Enter => {
                    let joined = self.shared.flights.join(&self.key, self.kind(IsOwn(false)));
                    self.is_alone = joined.is_none();
                    self.part = joined.map_or(Part::Begins, |joined| Part::Joins(joined, IsOwn(false)));
                }
                Part::Begins => return Step::Begin,
                // The one that loads for itself takes as long as the own loader would: that is no wait for others.
                Part::Joins(_, IsOwn(true)) => return Step::Join(None),
                Part::Joins(..) if now < self.terms.wait_until => {
                    return Step::Join(Some(self.terms.wait_until));
                }
                Part::Joins(..) => self.part = Part::Own,
                Part::Asks(lease) => match lease.step(now) {
                    Turn::Send(errand) => return Step::Send(errand),
                    Turn::Wait(until) => return Step::Wait(until),
                    Turn::Load => {
                        if lease.is_refresh() {
                            self.flight.take().into_iter().for_each(Lead::close);
                        }
                        self.loading = Some(now);
                        return Step::Load;
                    }
                    Turn::Done(fetched) => return Step::Done(Ok(self.done(fetched, now))),
                    Turn::Own | Turn::Failed => {
                        self.tell_lease();
                        self.part = Part::Own;
                    }
                },
                Part::Own if self.own.is_some() => {
                    self.loading = Some(now);
                    return Step::Load;
                }
                Part::Own => match self.enter(IsOwn(true)) {
                    Role::Leads(lead) => self.own = Some(lead),
                    Role::Joins(joined) => self.part = Part::Joins(joined, IsOwn(true)),
                },
            }
        }
    }

    /// Goes on where a glance has come to.
    fn begun(&mut self, first: First, stand_in: Option<(Ttl, UnixTime)>, now: Instant) {
        if !matches!(first, First::None) {
            (self.part, self.is_alone) = (Part::Begins, true);
        }
        match first {
            First::None => {}
            First::Unreachable => self.unreachable(),
            First::Found(dialect) => self.begin(dialect, now),
            First::Asked { at, place, answer, .. } => {
                self.began = at;
                self.begin(Dialect::Meta, at);
                if let Step::Send(_) = self.step(at) {
                    self.answered(answer, place, stand_in, now);
                }
            }
        }
    }

    /// Begins to ask a server that speaks `dialect`.
    pub fn begin(&mut self, dialect: Dialect, now: Instant) {
        if matches!(self.part, Part::Begins) {
            let lease = Lease::new(self.times, dialect, self.terms, now, self.shared.seed());
            self.part = Part::Asks(Box::new(lease));
        }
    }

    /// Notes that there is no server to ask.
    pub fn unreachable(&mut self) {
        if matches!(self.part, Part::Begins) {
            self.part = Part::Own;
        }
    }

    /// Takes the answer to an errand, from the server at `place`. `stand_in`: the longest time to live there, if it stands
    /// in for another; and the date.
    pub fn answered(
        &mut self,
        answer: Result<Answer, NoAnswer>,
        place: Place,
        stand_in: Option<(Ttl, UnixTime)>,
        now: Instant,
    ) {
        let Part::Asks(lease) = &mut self.part else { return };
        if let Some((cap, date)) = stand_in {
            lease.judge_by(self.times.within(cap, date));
        }
        let (shared, key) = (&self.shared, &self.key);
        lease.answered(answer, now, &mut |cas| shared.seen.note(key, (cas, place), now));
        let is_shared = lease.is_shared().then(|| lease.has_won());
        if let (true, Some(has_won)) = (core::mem::take(&mut self.is_alone), is_shared) {
            self.share(has_won);
        }
    }

    /// Begins a flight, or joins the one that has begun meanwhile. Whoever has won leads: the leader of any other flight
    /// waits for this caller.
    fn share(&mut self, has_won: bool) {
        if has_won {
            self.flight = Some(self.shared.flights.take(&self.key, self.kind(IsOwn(false))));
            return;
        }
        match self.enter(IsOwn(false)) {
            Role::Leads(lead) => self.flight = Some(lead),
            Role::Joins(joined) => self.part = Part::Joins(joined, IsOwn(false)),
        }
    }

    /// Which commands the server has, as far as is known by now.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match &self.part {
            Part::Asks(lease) => lease.dialect(),
            _ => Dialect::Classic,
        }
    }

    /// Whether the flight that this call joined has ended; with its result, if that is this call's, too.
    pub fn poll_joined(
        &mut self,
        cx: &Context<'_>,
        now: Instant,
    ) -> Poll<Option<Result<Fetched, Failed<E>>>> {
        let Part::Joins(joined, is_own) = &mut self.part else { return Poll::Ready(None) };
        let is_own = *is_own;
        match joined.poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(End::Landed(landing)) => {
                self.land(&landing);
                self.tell(FetchOutcome::Joined, now);
                Poll::Ready(Some(landing.map_err(Failed)))
            }
            Poll::Ready(End::AskAgain) => {
                self.part = Part::Enter;
                Poll::Ready(None)
            }
            Poll::Ready(End::Leads(lead)) => {
                if is_own == IsOwn(true) {
                    (self.part, self.own) = (Part::Own, Some(lead));
                } else {
                    (self.part, self.flight) = (Part::Begins, Some(lead));
                }
                Poll::Ready(None)
            }
        }
    }

    /// Takes what the loader has returned. `Some` is the result; without it, what to do next is another
    /// [`step`](Self::step).
    pub fn loaded(&mut self, fetched: Fetched, now: Instant) -> Option<Fetched> {
        self.note_load(now);
        if let Part::Asks(lease) = &mut self.part {
            lease.loaded(fetched.clone());
            // Those that joined, or join now, need not wait until it is stored.
            self.flight.iter().for_each(|flight| flight.share(Ok(fetched.clone())));
            return None;
        }
        self.land(&Ok(fetched.clone()));
        self.tell(FetchOutcome::Own, now);
        Some(fetched)
    }

    /// Notes that the loader has failed. The lease is to be given back before those that joined are told.
    pub fn failed(&mut self, error: E, now: Instant) -> Settling<'_, E> {
        self.note_load(now);
        let (mut errand, mut stale) = (None, None);
        if let Part::Asks(lease) = &mut self.part {
            lease.failed(now);
            let mut turn = lease.step(now);
            if let Turn::Send(back) = turn {
                errand = Some((back, lease.dialect()));
                turn = lease.step(now);
            }
            if let Turn::Done(fetched) = turn {
                stale = Some(fetched);
            }
        }
        self.tell_lease();
        self.tell(FetchOutcome::Failed, now);
        let error = Arc::new(error);
        let landing = stale.map_or_else(|| Err(error), Ok);
        Settling { call: self, errand, landing }
    }

    /// Ends the call, whose caller goes away. Returns what is to be sent, before this is dropped, so that others need not
    /// wait for the lease to end.
    pub fn abandon(&mut self) -> Option<Errand> {
        match &mut self.part {
            Part::Asks(lease) => lease.abandon().inspect(|_| self.shared.tell_lease(LeaseEvent::GaveBack)),
            _ => None,
        }
    }

    /// Whether it holds a lease.
    #[cfg(test)]
    pub(super) const fn is_leased(&self) -> bool {
        matches!(self.part, Part::Asks(_))
    }

    fn enter(&self, is_own: IsOwn) -> Role<E> {
        self.shared.flights.enter(&self.key, self.kind(is_own))
    }

    const fn kind(&self, IsOwn(is_own): IsOwn) -> Kind {
        Kind { types: self.types, is_own }
    }

    fn done(&mut self, fetched: Fetched, now: Instant) -> Fetched {
        self.tell_lease();
        self.land(&Ok(fetched.clone()));
        let Part::Asks(lease) = &self.part else { return fetched };
        let notes = lease.notes();
        let outcome = match (self.loading, notes.is_stale, notes.has_waited) {
            (Some(_), ..) => FetchOutcome::Loaded,
            (None, true, _) => FetchOutcome::Stale,
            (None, false, true) => FetchOutcome::Waited,
            (None, false, false) => FetchOutcome::Hit,
        };
        self.tell(outcome, now);
        fetched
    }

    /// Gives the result to all that have joined a flight of this call's.
    fn land(&mut self, landing: &Landing<E>) {
        let flights = self.flight.take().into_iter().chain(self.own.take());
        flights.for_each(|flight| flight.land(landing.clone()));
    }

    fn note_load(&mut self, now: Instant) {
        self.took = self.loading.map_or(Duration::ZERO, |begun| now.saturating_duration_since(begun));
    }

    fn tell_lease(&self) {
        let Part::Asks(lease) = &self.part else { return };
        let notes = lease.notes();
        let told = [
            notes.took_over.then_some(LeaseEvent::TookOver),
            notes.gave_back.then_some(LeaseEvent::GaveBack),
            notes.is_late.then_some(LeaseEvent::Late { too_long_by: notes.too_long_by }),
        ];
        told.into_iter().flatten().for_each(|event| self.shared.tell_lease(event));
    }

    fn tell(&self, outcome: FetchOutcome, now: Instant) {
        let took = now.saturating_duration_since(self.began);
        self.shared.tell(outcome, took.saturating_sub(self.took), self.loading.map(|_| self.took));
    }
}

/// A call whose loader has failed.
#[must_use]
pub struct Settling<'c, E: Send + Sync + 'static> {
    call: &'c mut Call<E>,
    errand: Option<(Errand, Dialect)>,
    landing: Landing<E>,
}

impl<E: Send + Sync + 'static> Settling<'_, E> {
    /// What is to be sent first, in which dialect; its answer does not matter.
    pub const fn errand(&mut self) -> Option<(Errand, Dialect)> {
        self.errand.take()
    }

    /// Tells those that joined, and returns the result.
    ///
    /// # Errors
    /// The loader's, if there is no stale value to be had.
    pub fn settle(self) -> Result<Fetched, Failed<E>> {
        self.call.land(&self.landing);
        self.landing.map_err(Failed)
    }
}

/// The key of a flight: two keys, of which neither can be mistaken for a part of the other.
pub(super) fn flight_key(key: &[u8], routing_key: &[u8]) -> Box<[u8]> {
    if key == routing_key {
        return key.into();
    }
    // No key has more than 250 bytes, and none has the byte 0 but that of a binary one, which is no key here.
    [key, b"\0", routing_key].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_share_a_flight_only_for_the_same_key_on_the_same_server() {
        assert_eq!(*flight_key(b"k", b"k"), *b"k");
        assert_ne!(flight_key(b"k", b"a"), flight_key(b"k", b"b"));
        assert_ne!(flight_key(b"k", b"a"), flight_key(b"k", b"k"));
        assert_ne!(flight_key(b"ka", b"b"), flight_key(b"k", b"ab"));
    }
}
