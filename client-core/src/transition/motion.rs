//! A transition of a client: its two fleets, its course, and what it has counted.

use core::sync::atomic::{AtomicU64, Ordering};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use memring_text::{Item, StoreOutcome, exchange::ProtocolError};

use super::{Course, Moved, Outcome, Phase, Side, Verb};
use crate::{
    any_operation::AnyOutcome,
    failure::{Cause, Error},
    fetch::{Errand, Found, Place},
    route::{Fleet, Watched},
    target::{Deadline, Target},
};

/// The transition of the fleet that has it.
#[derive(Debug)]
pub(crate) struct Motion<P> {
    new: Arc<Fleet<P>>,
    course: Mutex<Course>,
    /// The mark in time of each new server: the cas unique of an item that was stored there when the transition began.
    floors: Mutex<BTreeMap<usize, (Place, u64)>>,
    /// The key of those items.
    floor_key: Box<[u8]>,
    counts: [AtomicU64; 4],
}

impl<P: Watched> Motion<P> {
    pub(crate) fn new(new: Arc<Fleet<P>>, course: Course) -> Self {
        let floor_key = format!("memring-transition:{}", course.id()).into_bytes().into();
        let (course, floors) = (Mutex::new(course), Mutex::default());
        Self { new, course, floors, floor_key, counts: Default::default() }
    }
}

impl<P> Motion<P> {
    pub(crate) const fn new_fleet(&self) -> &Arc<Fleet<P>> {
        &self.new
    }

    pub(crate) fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counts(&self) -> TransitionCounts {
        let [found_new, found_old, missed, moved] =
            self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        TransitionCounts { found_new, found_old, missed, moved }
    }

    fn count(&self, index: usize) {
        if let Some(count) = self.counts.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// How reads of keys that move have ended in a transition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransitionCounts {
    /// The new server had the item.
    pub found_new: u64,
    /// The old server had it.
    pub found_old: u64,
    /// It was at neither.
    pub missed: u64,
    /// It was brought from the old server to the new one, by a read or before a change.
    pub moved: u64,
}

/// How far a transition is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransitionStatus {
    /// Its id.
    pub id: String,
    /// Its phase.
    pub phase: Phase,
    /// Whether it is taken back.
    pub is_back: bool,
    /// How reads have ended.
    pub counts: TransitionCounts,
}

/// One operation on one key that moves: its machine, and the way to the key's two servers.
///
/// A client carries it: it does what [`Moved::next`] says by way of [`target`](Self::target), and before that, if
/// [`needs_floor`](Self::needs_floor), sees to it that the new server has its mark in time.
#[derive(Debug)]
pub struct Crossing<P> {
    old: Arc<Fleet<P>>,
    verb: Verb,
    phase: Phase,
    /// Where the last item was read: old, new.
    places: [Option<Place>; 2],
}

impl<P: Watched> Crossing<P> {
    /// The operation `verb` on the key that is placed by `routing_key`; `None` if it does not move, or no more.
    pub(crate) fn new(old: Arc<Fleet<P>>, routing_key: &[u8], verb: Verb, now: Instant) -> Option<Self> {
        let phase =
            old.motion().filter(|_| old.moves(routing_key))?.course().phase_of(hash(routing_key), now);
        Some(Self { old, verb, phase, places: [None; 2] })
    }

    /// Whether the mark in time of the new server must be known: before anything is read there, and before anything is stored
    /// there, which would else be taken for older than the mark.
    #[must_use]
    pub const fn needs_floor(&self) -> bool {
        match self.phase {
            Phase::Old | Phase::Guard | Phase::New => false,
            Phase::Prepare => matches!(self.verb, Verb::Get | Verb::Gets),
            Phase::Move | Phase::Seal => !matches!(self.verb, Verb::Delete),
        }
    }

    /// Whether the operation can do without the new server if that does not answer.
    #[must_use]
    pub fn may_lack_floor(&self) -> bool {
        self.phase == Phase::Prepare
    }

    /// The key of the item that marks the time when the transition began, as a caller writes it.
    #[must_use]
    pub fn floor_key(&self) -> &[u8] {
        self.old.motion().map_or(&[], |motion| &motion.floor_key)
    }

    /// The mark in time of the new server of `key`, if it is known.
    pub fn floor(&self, key: &[u8]) -> Option<u64> {
        let floors = self.old.motion()?.floors.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.place(Side::New, key);
        floors.get(&place.server).filter(|(known, _)| *known == place).map(|(_, floor)| *floor)
    }

    /// Notes the mark in time of the new server, which was asked in that life of it.
    ///
    /// # Errors
    /// [`Cause::Unclear`]: the server does not count its items.
    pub fn note_floor(&self, place: Place, cas: Option<u64>) -> Result<u64, Cause> {
        let cas = cas.filter(|cas| *cas > 0).ok_or(Cause::Unclear)?;
        if let Some(motion) = self.old.motion() {
            let mut floors = motion.floors.lock().unwrap_or_else(PoisonError::into_inner);
            floors.insert(place.server, (place, cas));
        }
        Ok(cas)
    }

    /// The machine. `floor` is 0 if it is not needed.
    #[must_use]
    pub fn machine(&self, floor: u64, timeout: core::time::Duration, until: Instant) -> Moved {
        // Twice as long as an operation may take, and never so long that it would outlive Seal.
        let mark = timeout.saturating_mul(2).as_secs().saturating_add(1).clamp(2, 30);
        Moved::new(self.verb, self.phase, floor, u32::try_from(mark).unwrap_or(30), until)
    }

    /// The key's own server on that side; no other stands in for it.
    ///
    /// # Errors
    /// [`ErrorKind::Down`](crate::failure::ErrorKind::Down): it may not be asked now.
    pub fn target<'k, D: Deadline>(
        &self,
        side: Side,
        key: &'k [u8],
        name: &'static str,
        deadline: D,
    ) -> Result<Target<'k, P, D>, Error> {
        Target::own(Arc::clone(self.fleet(side)), key, name, deadline)
    }

    /// Whether a request with a cas unique may be sent to that side: only while it is in the life in which that was read.
    ///
    /// # Errors
    /// [`Cause::Closed`]: the server may have restarted, and would give equal numbers to other items.
    pub fn check(&self, side: Side, key: &[u8], errand: &Errand) -> Result<(), Cause> {
        if errand.is_bound() { self.check_life(side, key) } else { Ok(()) }
    }

    /// As [`check`](Self::check), for what is bound in any case.
    ///
    /// # Errors
    /// As there.
    pub fn check_life(&self, side: Side, key: &[u8]) -> Result<(), Cause> {
        match self.places[side as usize] {
            Some(known) if known != self.place(side, key) => Err(Cause::Closed(None)),
            _ => Ok(()),
        }
    }

    /// Notes where an item was read, before that is sent.
    pub fn note_place(&mut self, side: Side, place: Place) {
        self.places[side as usize] = Some(place);
    }

    /// Counts how the operation has ended.
    pub fn ended(&self, machine: &Moved, outcome: &Outcome) {
        let Some(motion) = self.old.motion() else { return };
        match outcome {
            Outcome::Item(Some((_, Some(Side::New)))) => motion.count(0),
            Outcome::Item(Some(_)) => motion.count(1),
            Outcome::Item(None) => motion.count(2),
            Outcome::Changed(_) => {}
        }
        if machine.has_moved() {
            motion.count(3);
        }
    }

    /// The key's own server on that side, in the life that it has now.
    fn place(&self, side: Side, key: &[u8]) -> Place {
        let fleet = self.fleet(side);
        let pool = fleet.pool(fleet.primary(key));
        Place { server: Arc::as_ptr(pool).addr(), ends: pool.watch().ends() }
    }

    fn fleet(&self, side: Side) -> &Arc<Fleet<P>> {
        match (side, self.old.motion()) {
            (Side::New, Some(motion)) => motion.new_fleet(),
            _ => &self.old,
        }
    }
}

/// What an operation on a key that moves has come to.
#[derive(Debug)]
pub struct Crossed {
    /// Its result.
    pub outcome: Outcome,
    /// The last number of a counter.
    pub number: Option<u64>,
}

impl Crossed {
    /// What became of the change that the operation `name` is.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::failure::ErrorKind::Protocol): it is none.
    pub fn changed(&self, name: &'static str) -> Result<StoreOutcome, Error> {
        match self.outcome {
            Outcome::Changed(outcome) => Ok(outcome),
            Outcome::Item(_) => Err(Error::new(name, Cause::Protocol(ProtocolError::Unexpected))),
        }
    }

    /// The item that was read, and its cas unique as a [`token`] if `with_cas`.
    #[must_use]
    pub fn into_item(self, with_cas: bool) -> Option<Item<Bytes>> {
        let Outcome::Item(Some((found, side))) = self.outcome else { return None };
        let cas = with_cas.then(|| token(found.cas, side));
        Some(Item { flags: found.flags, cas, value: found.value })
    }
}

/// What an operation has come to on the one server of a key that moves no more.
impl<V: Into<Bytes>> From<AnyOutcome<V>> for Crossed {
    fn from(outcome: AnyOutcome<V>) -> Self {
        let changed = |found| if found { StoreOutcome::Stored } else { StoreOutcome::NotFound };
        let (outcome, number) = match outcome {
            AnyOutcome::Item(item) => {
                let found = item.map(|item| {
                    let (value, cas) = (item.value.into(), item.cas.unwrap_or(0));
                    Found { len: value.len() as u64, value, flags: item.flags, cas, ..Found::default() }
                });
                // Its number is what that server gave.
                (Outcome::Item(found.map(|found| (found, Some(Side::Old)))), None)
            }
            AnyOutcome::Store(outcome) => (Outcome::Changed(outcome), None),
            AnyOutcome::Found(found) => (Outcome::Changed(changed(found)), None),
            AnyOutcome::Number(number) => (Outcome::Changed(changed(number.is_some())), number),
        };
        Self { outcome, number }
    }
}

/// Which keys a ramp moves first; processes need not agree on it.
fn hash(key: &[u8]) -> u64 {
    use core::hash::{BuildHasher as _, BuildHasherDefault};
    BuildHasherDefault::<std::hash::DefaultHasher>::new().hash_one(key)
}

/// A cas unique as callers have it while its key moves: with the side that it is from. Those of the new side have the highest
/// bit, which no server's counter ever reaches; so a number that was read before the transition is one of the old side.
#[must_use]
pub fn token(cas: u64, side: Option<Side>) -> u64 {
    match side {
        Some(Side::Old) => cas,
        Some(Side::New) => cas | NEW,
        // It is the number of no item.
        None => NEW,
    }
}

/// The side and the cas unique of a [`token`].
#[must_use]
pub const fn read_token(token: u64) -> Verb {
    if token & NEW == 0 { Verb::Cas(Side::Old, token) } else { Verb::Cas(Side::New, token & !NEW) }
}

const NEW: u64 = 1 << 63;

/// Checks that a key of many does not move, or says so of the first that does.
///
/// # Errors
/// [`Cause::Moving`], at its position.
pub(crate) fn check_many<P: Watched>(
    name: &'static str,
    fleet: &Fleet<P>,
    keys: &[&[u8]],
) -> Result<(), Error> {
    if fleet.motion().is_none() {
        return Ok(());
    }
    match keys.iter().position(|key| fleet.moves(key)) {
        Some(position) => Err(Error::at(position, name, Cause::Moving)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_which_server_it_is_from() {
        assert_eq!(read_token(token(9, Some(Side::Old))), Verb::Cas(Side::Old, 9));
        assert_eq!(read_token(token(9, Some(Side::New))), Verb::Cas(Side::New, 9));
        assert_eq!(read_token(token(9, None)), Verb::Cas(Side::New, 0), "of no item");
    }
}
