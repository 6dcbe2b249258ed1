//! How much may be under way at once, and who waits for it to become less. First come, first served.

use core::task::Waker;
use std::collections::VecDeque;

use memring_client::config::UnderWay;

/// What is taken of the room, and the callers who wait for some.
///
/// Whenever there is room for a request, the first of those who wait has been woken: by who left, or by who entered
/// before it and left some room.
#[derive(Debug)]
pub(crate) struct Room {
    limits: UnderWay,
    requests: usize,
    bytes: usize,
    waiters: VecDeque<(Ticket, Waker)>,
    last: u64,
}

/// The place of one caller among those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

impl Room {
    /// An empty room.
    pub(crate) const fn new(limits: UnderWay) -> Self {
        Self { limits, requests: 0, bytes: 0, waiters: VecDeque::new(), last: 0 }
    }

    /// Lets in a request with a value of `len` bytes, if it is the turn of its caller and there is room. The caller's
    /// ticket is used up then.
    pub(crate) fn enter(&mut self, len: usize, ticket: &mut Option<Ticket>) -> bool {
        let first = self.waiters.front().map(|(ticket, _)| *ticket);
        // A value longer than all of the room is let in alone.
        let has_room = self.requests < self.limits.requests
            && (self.bytes == 0 || self.bytes.saturating_add(len) <= self.limits.bytes);
        let is_in_turn = first.is_none() || first == *ticket;
        if !(has_room && is_in_turn) {
            return false;
        }
        if ticket.take().is_some() {
            // The waker is that of the very task that runs.
            self.waiters.pop_front();
        }
        self.requests += 1;
        self.bytes = self.bytes.saturating_add(len);
        true
    }

    /// Lets a caller wait, behind all others if it has no ticket yet. Gives back the waker kept for it before.
    pub(crate) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: &Waker) -> Option<Waker> {
        let place = ticket.and_then(|ticket| self.place(ticket));
        if let Some((_, kept)) = place.and_then(|place| self.waiters.get_mut(place)) {
            return if kept.will_wake(waker) { None } else { Some(core::mem::replace(kept, waker.clone())) };
        }
        self.last += 1;
        let new = Ticket(self.last);
        self.waiters.push_back((new, waker.clone()));
        *ticket = Some(new);
        None
    }

    /// A caller waits no longer. Gives back its waker.
    pub(crate) fn give_up(&mut self, ticket: Ticket) -> Option<Waker> {
        let place = self.place(ticket)?;
        self.waiters.remove(place).map(|(_, waker)| waker)
    }

    /// A request with a value of `len` bytes is answered.
    pub(crate) const fn leave(&mut self, len: usize) {
        self.requests = self.requests.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(len);
    }

    /// Who is to be woken, whenever there may be room: the first of those who wait.
    pub(crate) fn next(&self) -> Option<Waker> {
        let first = self.waiters.front().filter(|_| self.requests < self.limits.requests)?;
        Some(first.1.clone())
    }

    /// Whether anybody waits.
    pub(crate) fn has_waiters(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// How many requests are not answered yet.
    pub(crate) const fn requests(&self) -> usize {
        self.requests
    }

    fn place(&self, ticket: Ticket) -> Option<usize> {
        self.waiters.binary_search_by_key(&ticket, |(ticket, _)| *ticket).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(requests: usize, bytes: usize) -> Room {
        Room::new(UnderWay { requests, bytes })
    }

    #[test]
    fn nobody_overtakes_who_waits() {
        let mut room = room(1, 100);
        let (mut first, mut second) = (None, None);
        assert!(room.enter(1, &mut None));
        for ticket in [&mut first, &mut second] {
            assert!(!room.enter(1, ticket));
            room.wait(ticket, Waker::noop());
        }
        assert!(room.next().is_none());
        room.leave(1);
        assert!(room.next().is_some());
        assert!(!room.enter(1, &mut None));
        assert!(!room.enter(1, &mut second));
        assert!(room.enter(1, &mut first));
        assert_eq!(first, None);
        room.leave(1);
        assert!(room.enter(1, &mut second));
    }

    #[test]
    fn who_gives_up_makes_way() {
        let mut room = room(1, 100);
        let (mut first, mut second) = (None, None);
        assert!(room.enter(1, &mut None));
        room.wait(&mut first, Waker::noop());
        room.wait(&mut second, Waker::noop());
        room.leave(1);
        assert!(room.give_up(first.unwrap()).is_some());
        assert!(room.enter(1, &mut second));
    }

    #[test]
    fn bytes_are_bounded_but_a_larger_value_passes_alone() {
        let mut room = room(10, 100);
        assert!(room.enter(60, &mut None));
        assert!(!room.enter(41, &mut None));
        assert!(room.enter(40, &mut None));
        room.leave(60);
        room.leave(40);
        assert!(room.enter(1000, &mut None));
        assert!(!room.enter(1, &mut None));
    }
}
