//! Slots, in which callers wait for their outcomes. A slot can outlive its caller: if the caller goes away, the reply
//! frees it.

use core::{mem, task::Waker};

use memring_client::failure::Cause;

use super::{answer::Answer, growth::TurnedAway};

/// The outcome of a request: its complete reply, or the reason why there is none.
pub(crate) type Outcome = Result<Answer, Box<Failure>>;

/// Why there is no complete reply.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    /// Whether any of the request may have left.
    pub(crate) sent: bool,
    pub(crate) turned_away: TurnedAway,
}

impl Failure {
    /// A failure like any other.
    pub(crate) const fn new(cause: Cause, sent: bool) -> Self {
        Self { cause, sent, turned_away: TurnedAway::No }
    }
}

/// The slot of one request. It is in use from when the request is queued until its outcome was both given and taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotId(usize);

/// The slots of one connection.
#[derive(Debug)]
pub(crate) struct Slots {
    slots: Vec<(Slot, usize)>,
    free: Vec<SlotId>,
}

/// The content of a slot. Drop it where no lock is held: wakers run foreign code.
#[derive(Debug)]
#[must_use]
pub(crate) enum Slot {
    Free,
    /// The caller waits, and has been polled with this waker.
    Waiting(Option<Waker>),
    Done(Outcome),
    /// The caller has gone; the reply is still to come.
    Abandoned,
}

impl Slots {
    /// No slots yet.
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// Takes a slot for a caller that waits with `waker` and has a value of `len` bytes to send.
    pub(crate) fn open(&mut self, waker: Option<Waker>, len: usize) -> SlotId {
        let slot = (Slot::Waiting(waker), len);
        if let Some(id) = self.free.pop() {
            self.slots[id.0] = slot;
            return id;
        }
        self.slots.push(slot);
        SlotId(self.slots.len() - 1)
    }

    /// The length of the request's value, in bytes.
    pub(crate) fn len(&self, id: SlotId) -> usize {
        self.slots[id.0].1
    }

    /// Takes the outcome, if it is there, and frees the slot. Else keeps `waker`, and returns the one kept before.
    pub(crate) fn poll(&mut self, id: SlotId, waker: &Waker) -> Result<Outcome, Option<Waker>> {
        match self.slot(id) {
            Slot::Waiting(Some(kept)) if kept.will_wake(waker) => Err(None),
            Slot::Waiting(kept) => Err(kept.replace(waker.clone())),
            _ => match self.close(id) {
                Slot::Done(outcome) => Ok(outcome),
                _ => Err(None),
            },
        }
    }

    /// Puts the outcome into the slot; `wakers` takes the waker of the caller that waits for it. Returns whether the
    /// request was open until now.
    pub(crate) fn finish(&mut self, id: SlotId, outcome: Outcome, wakers: &mut Vec<Waker>) -> bool {
        match self.slot(id) {
            Slot::Waiting(waker) => {
                wakers.extend(waker.take());
                *self.slot(id) = Slot::Done(outcome);
                true
            }
            Slot::Abandoned => {
                let _abandoned = self.close(id);
                true
            }
            Slot::Done(_) | Slot::Free => false,
        }
    }

    /// Notes that the caller goes away. The slot is kept if a reply is still to come; else it is free at once.
    pub(crate) fn abandon(&mut self, id: SlotId) -> Slot {
        match self.slot(id) {
            slot @ Slot::Waiting(_) => mem::replace(slot, Slot::Abandoned),
            _ => self.close(id),
        }
    }

    /// Frees the slot of a caller that has gone and whose request is not sent.
    pub(crate) fn release(&mut self, id: SlotId) {
        let _abandoned = self.close(id);
    }

    /// Whether the caller has gone.
    pub(crate) fn is_abandoned(&mut self, id: SlotId) -> bool {
        matches!(self.slot(id), Slot::Abandoned)
    }

    /// Whether any caller waits.
    pub(crate) fn has_waiters(&self) -> bool {
        self.slots.iter().any(|(slot, _)| matches!(slot, Slot::Waiting(_)))
    }

    /// The wakers of all callers that wait.
    pub(crate) fn wakers(&self) -> impl Iterator<Item = Waker> {
        self.slots.iter().filter_map(|(slot, _)| match slot {
            Slot::Waiting(waker) => waker.clone(),
            _ => None,
        })
    }

    /// Whether all slots are free.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.len() == self.free.len()
    }

    /// All slots, those that are free among them.
    pub(crate) fn ids(&self) -> impl Iterator<Item = SlotId> + use<> {
        (0..self.slots.len()).map(SlotId)
    }

    fn close(&mut self, id: SlotId) -> Slot {
        let slot = mem::replace(self.slot(id), Slot::Free);
        if !matches!(slot, Slot::Free) {
            self.free.push(id);
        }
        slot
    }

    fn slot(&mut self, id: SlotId) -> &mut Slot {
        // Ids are made here only, and slots never go away.
        &mut self.slots[id.0].0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> Box<Failure> {
        Box::new(Failure::new(Cause::Timeout, true))
    }

    #[test]
    fn a_slot_is_free_again_when_its_outcome_was_given_and_taken() {
        let mut slots = Slots::new();
        let id = slots.open(None, 0);
        assert!(slots.poll(id, Waker::noop()).is_err());
        let mut wakers = Vec::new();
        assert!(slots.finish(id, Err(failure()), &mut wakers) && wakers.len() == 1);
        assert!(!slots.finish(id, Err(failure()), &mut wakers) && wakers.len() == 1);
        assert_ne!(slots.open(None, 0), id);
        assert!(slots.poll(id, Waker::noop()).is_ok());
        assert_eq!(slots.open(None, 0), id);
    }

    #[test]
    fn an_abandoned_slot_is_kept_for_its_reply() {
        let mut slots = Slots::new();
        let id = slots.open(None, 0);
        assert!(matches!(slots.abandon(id), Slot::Waiting(_)));
        assert!(slots.is_abandoned(id));
        assert_ne!(slots.open(None, 0), id);
        assert!(slots.finish(id, Err(failure()), &mut Vec::new()));
        assert_eq!(slots.open(None, 0), id);
    }

    #[test]
    fn who_goes_after_the_reply_leaves_nothing() {
        let mut slots = Slots::new();
        let id = slots.open(None, 0);
        assert!(slots.finish(id, Err(failure()), &mut Vec::new()));
        assert!(matches!(slots.abandon(id), Slot::Done(_)));
        assert_eq!(slots.open(None, 0), id);
    }
}
