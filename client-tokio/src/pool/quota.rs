//! The quota: how much may be under way at once, and the callers that wait for some. First come, first served.

use core::task::Waker;
use std::collections::VecDeque;

use memring_client::config::UnderWay;

/// The used part of the quota, and the callers that wait for some.
///
/// Whenever the quota suffices for a request, the first waiting caller has been woken: by the request that left, or by
/// the one that entered before it and left something over.
#[derive(Debug)]
pub(crate) struct Quota {
    limits: UnderWay,
    requests: usize,
    bytes: usize,
    waiters: VecDeque<(Ticket, Waker)>,
    last: u64,
}

/// The number of one caller in the line of those that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

impl Quota {
    /// An unused quota.
    pub(crate) const fn new(limits: UnderWay) -> Self {
        Self { limits, requests: 0, bytes: 0, waiters: VecDeque::new(), last: 0 }
    }

    /// Lets in a request with a value of `len` bytes, if it is the turn of its caller and the quota suffices. The caller's
    /// ticket is used up then.
    pub(crate) fn enter(&mut self, len: usize, ticket: &mut Option<Ticket>) -> bool {
        let first = self.waiters.front().map(|(ticket, _)| *ticket);
        // A value longer than the whole quota is let in alone.
        let is_free = self.requests < self.limits.requests
            && (self.bytes == 0 || self.bytes.saturating_add(len) <= self.limits.bytes);
        let is_in_turn = first.is_none() || first == *ticket;
        if !(is_free && is_in_turn) {
            return false;
        }
        if ticket.take().is_some() {
            // The waker is that of the task that runs now.
            self.waiters.pop_front();
        }
        self.requests += 1;
        self.bytes = self.bytes.saturating_add(len);
        true
    }

    /// Lets a caller wait, behind all others if it has no ticket yet. Returns the waker kept for it before.
    pub(crate) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: &Waker) -> Option<Waker> {
        let index = ticket.and_then(|ticket| self.index(ticket));
        if let Some((_, kept)) = index.and_then(|index| self.waiters.get_mut(index)) {
            return if kept.will_wake(waker) { None } else { Some(core::mem::replace(kept, waker.clone())) };
        }
        self.last += 1;
        let new = Ticket(self.last);
        self.waiters.push_back((new, waker.clone()));
        *ticket = Some(new);
        None
    }

    /// Notes that a caller no longer waits. Returns its waker.
    pub(crate) fn give_up(&mut self, ticket: Ticket) -> Option<Waker> {
        let index = self.index(ticket)?;
        self.waiters.remove(index).map(|(_, waker)| waker)
    }

    /// Notes that a request with a value of `len` bytes is answered.
    pub(crate) const fn leave(&mut self, len: usize) {
        self.requests = self.requests.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(len);
    }

    /// The waker of the caller that waits first, if the quota may suffice for it now.
    pub(crate) fn next(&self) -> Option<Waker> {
        let first = self.waiters.front().filter(|_| self.requests < self.limits.requests)?;
        Some(first.1.clone())
    }

    /// Whether any caller waits.
    pub(crate) fn has_waiters(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// How many requests are not answered yet.
    pub(crate) const fn requests(&self) -> usize {
        self.requests
    }

    fn index(&self, ticket: Ticket) -> Option<usize> {
        self.waiters.binary_search_by_key(&ticket, |(ticket, _)| *ticket).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(requests: usize, bytes: usize) -> Quota {
        Quota::new(UnderWay { requests, bytes })
    }

    #[test]
    fn nobody_overtakes_who_waits() {
        let mut quota = quota(1, 100);
        let (mut first, mut second) = (None, None);
        assert!(quota.enter(1, &mut None));
        for ticket in [&mut first, &mut second] {
            assert!(!quota.enter(1, ticket));
            quota.wait(ticket, Waker::noop());
        }
        assert!(quota.next().is_none());
        quota.leave(1);
        assert!(quota.next().is_some());
        assert!(!quota.enter(1, &mut None));
        assert!(!quota.enter(1, &mut second));
        assert!(quota.enter(1, &mut first));
        assert_eq!(first, None);
        quota.leave(1);
        assert!(quota.enter(1, &mut second));
    }

    #[test]
    fn who_gives_up_makes_way() {
        let mut quota = quota(1, 100);
        let (mut first, mut second) = (None, None);
        assert!(quota.enter(1, &mut None));
        quota.wait(&mut first, Waker::noop());
        quota.wait(&mut second, Waker::noop());
        quota.leave(1);
        assert!(quota.give_up(first.unwrap()).is_some());
        assert!(quota.enter(1, &mut second));
    }

    #[test]
    fn bytes_are_bounded_but_a_larger_value_passes_alone() {
        let mut quota = quota(10, 100);
        assert!(quota.enter(60, &mut None));
        assert!(!quota.enter(41, &mut None));
        assert!(quota.enter(40, &mut None));
        quota.leave(60);
        quota.leave(40);
        assert!(quota.enter(1000, &mut None));
        assert!(!quota.enter(1, &mut None));
    }
}
