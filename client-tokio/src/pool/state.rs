//! The state that callers and driver share: queued requests, slots, quota. It is behind a lock; nothing here waits, and
//! wakers are returned to be run without the lock.

use core::{num::NonZeroU64, task::Waker};

use memring_client::{config::UnderWay, failure::Cause};
use memring_text::Request;

use super::{
    growth::TurnedAway,
    queue::{Group, Queue, Terms},
    quota::{Quota, Ticket},
    slots::{Failure, Outcome, Slot, SlotId, Slots},
};

/// The callers' side of one connection.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) queue: Queue,
    pub(crate) slots: Slots,
    pub(crate) quota: Quota,
    /// Empty buffers for values, which callers with a buffer of their own have given back.
    pub(crate) spares: Vec<Vec<u8>>,
    groups: NonZeroU64,
}

impl State {
    /// The state with nothing queued and all of the quota left.
    pub(crate) const fn new(limits: UnderWay) -> Self {
        Self {
            queue: Queue::new(),
            slots: Slots::new(),
            quota: Quota::new(limits),
            spares: Vec::new(),
            groups: NonZeroU64::MIN,
        }
    }

    /// Queues `request`, if the quota suffices and it is the turn of its caller. `waker` is woken with the outcome.
    pub(crate) fn push(
        &mut self,
        request: &Request<'_>,
        terms: Terms,
        waker: Option<&Waker>,
        ticket: &mut Option<Ticket>,
    ) -> Option<SlotId> {
        let len = request.value().map_or(0, |value| value.as_bytes().len());
        if !self.quota.enter(len, ticket) {
            return None;
        }
        let slot = self.slots.open(waker.cloned(), len);
        self.queue.push(request, slot, terms);
        Some(slot)
    }

    /// Queues a request that shows whether the connection works. No caller waits for its reply.
    pub(crate) fn push_trial(&mut self, terms: Terms) {
        if self.quota.enter(0, &mut None) {
            let slot = self.slots.open(None, 0);
            let _no_waker = self.slots.abandon(slot);
            self.queue.push_trial(slot, terms);
        }
    }

    /// Queues a request whose caller has gone, if the quota suffices.
    pub(crate) fn push_unattended(&mut self, request: &Request<'_>, terms: Terms) {
        let len = request.value().map_or(0, |value| value.as_bytes().len());
        if self.quota.enter(len, &mut None) {
            let slot = self.slots.open(None, len);
            let _no_waker = self.slots.abandon(slot);
            self.queue.push_unattended(request, slot, terms);
        }
    }

    /// Whether any caller waits for an outcome or for quota.
    pub(crate) fn has_waiters(&self) -> bool {
        self.slots.has_waiters() || self.quota.has_waiters()
    }

    /// A group that no other request is in.
    pub(crate) fn new_group(&mut self) -> Group {
        self.groups = self.groups.checked_add(1).unwrap_or(NonZeroU64::MIN);
        Group(Some(self.groups))
    }

    /// Puts the outcome of a request into its slot; `wakers` takes the waker of its caller.
    pub(crate) fn finish(&mut self, slot: SlotId, outcome: Outcome, wakers: &mut Vec<Waker>) {
        if self.slots.finish(slot, outcome, wakers) {
            self.quota.leave(self.slots.len(slot));
        }
    }

    /// Notes that the callers of `slots` go away. Requests that have not left are not sent. `left` takes what must be
    /// dropped without the lock. Returns whether any of the requests may have left.
    pub(crate) fn abandon(&mut self, slots: impl IntoIterator<Item = SlotId>, left: &mut Vec<Slot>) -> bool {
        left.extend(slots.into_iter().map(|slot| self.slots.abandon(slot)));
        let Self { queue, slots, quota, .. } = self;
        let mut released = 0;
        if left.iter().any(|slot| matches!(slot, Slot::Waiting(_))) {
            queue.retain(|request| {
                let is_kept =
                    request.is_trial || request.is_unattended || release(request.slot, slots, quota);
                released += usize::from(!is_kept);
                is_kept
            });
        }
        released < left.len()
    }

    /// Gives up all queued requests, or those whose deadline is not after `until`.
    pub(crate) fn give_up(
        &mut self,
        cause: &Cause,
        turned_away: TurnedAway,
        is_over: impl Fn(&Terms) -> bool,
        wakers: &mut Vec<Waker>,
    ) {
        let Self { queue, slots, quota, .. } = self;
        queue.retain(|request| {
            let is_over = is_over(&request.terms);
            if is_over {
                let failure = Failure { cause: cause.clone(), sent: request.is_retried, turned_away };
                if slots.finish(request.slot, Err(Box::new(failure)), wakers) {
                    quota.leave(slots.len(request.slot));
                }
            }
            !is_over
        });
    }

    /// Puts requests back to the front of the queue, but for those whose callers have gone.
    pub(crate) fn put_back(&mut self, mut again: Queue) {
        let Self { queue, slots, quota, .. } = self;
        again.retain(|request| request.is_trial || release(request.slot, slots, quota));
        queue.requests.iter().for_each(|request| again.adopt(request, queue, false));
        *queue = again;
    }

    /// Gives all open requests the same outcome.
    pub(crate) fn fail_all(&mut self, failure: &Failure, wakers: &mut Vec<Waker>) {
        self.queue.clear();
        for slot in self.slots.ids() {
            self.finish(slot, Err(Box::new(failure.clone())), wakers);
        }
    }
}

/// Frees the slot of a request that is not sent, if its caller has gone. Returns whether the caller is still there.
fn release(slot: SlotId, slots: &mut Slots, quota: &mut Quota) -> bool {
    let is_abandoned = slots.is_abandoned(slot);
    if is_abandoned {
        quota.leave(slots.len(slot));
        slots.release(slot);
    }
    !is_abandoned
}
