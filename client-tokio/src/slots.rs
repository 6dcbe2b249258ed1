//! Where callers wait for their replies. A slot outlives its caller: who goes away leaves it to be closed by the reply.

use core::task::Waker;

use memring_text::Reply;

use crate::error::Cause;

/// What became of a request: its complete reply, or why there is none.
pub(crate) type Outcome = Result<Reply<Vec<u8>>, Failure>;

/// Why there is no complete reply.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    /// Whether any of the request may have left.
    pub(crate) sent: bool,
}

/// The place of one request among the [`Slots`]. It is taken when the request is queued and free again when its outcome
/// was both given and taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotId(usize);

/// The outcomes that are waited for.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
    free: Vec<SlotId>,
}

/// What is in a slot. Drop it where no lock is held: wakers run code of others.
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
    /// Takes a slot for a caller who waits with `waker`.
    pub(crate) fn open(&mut self, waker: Option<Waker>) -> SlotId {
        if let Some(id) = self.free.pop() {
            *self.slot(id) = Slot::Waiting(waker);
            return id;
        }
        self.slots.push(Slot::Waiting(waker));
        SlotId(self.slots.len() - 1)
    }

    /// The outcome, if it is there; the slot is free then. Else `waker` is kept, and the one kept before returned.
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

    /// Gives the outcome, and the waker of who waits for it. Does nothing when it was given before.
    pub(crate) fn finish(&mut self, id: SlotId, outcome: Outcome) -> Option<Waker> {
        match self.slot(id) {
            Slot::Waiting(waker) => {
                let waker = waker.take();
                *self.slot(id) = Slot::Done(outcome);
                waker
            }
            Slot::Abandoned => {
                let _abandoned = self.close(id);
                None
            }
            Slot::Done(_) | Slot::Free => None,
        }
    }

    /// The caller goes away. Without a reply to come (`is_owed`), or with one that came, the slot is free at once.
    pub(crate) fn abandon(&mut self, id: SlotId, is_owed: bool) -> Slot {
        match self.slot(id) {
            slot @ Slot::Waiting(_) if is_owed => core::mem::replace(slot, Slot::Abandoned),
            _ => self.close(id),
        }
    }

    /// Whether the caller has gone.
    pub(crate) fn is_abandoned(&mut self, id: SlotId) -> bool {
        matches!(self.slot(id), Slot::Abandoned)
    }

    /// Gives everybody who waits the same outcome; `wakers` takes those to be woken.
    pub(crate) fn fail_all(&mut self, failure: &Failure, wakers: &mut Vec<Waker>) {
        for index in 0..self.slots.len() {
            wakers.extend(self.finish(SlotId(index), Err(failure.clone())));
        }
    }

    fn close(&mut self, id: SlotId) -> Slot {
        let slot = core::mem::replace(self.slot(id), Slot::Free);
        if !matches!(slot, Slot::Free) {
            self.free.push(id);
        }
        slot
    }

    fn slot(&mut self, id: SlotId) -> &mut Slot {
        // Ids are made here only, and slots never go away.
        &mut self.slots[id.0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> Failure {
        Failure { cause: Cause::Timeout, sent: true }
    }

    #[test]
    fn a_slot_is_free_again_when_its_outcome_was_given_and_taken() {
        let mut slots = Slots::default();
        let id = slots.open(None);
        assert!(slots.poll(id, Waker::noop()).is_err());
        assert!(slots.finish(id, Err(failure())).is_some());
        assert_ne!(slots.open(None), id);
        assert!(slots.poll(id, Waker::noop()).is_ok());
        assert_eq!(slots.open(None), id);
    }

    #[test]
    fn an_abandoned_slot_is_kept_for_its_reply() {
        let mut slots = Slots::default();
        let id = slots.open(None);
        assert!(matches!(slots.abandon(id, true), Slot::Waiting(_)));
        assert!(slots.is_abandoned(id));
        assert_ne!(slots.open(None), id);
        assert!(slots.finish(id, Err(failure())).is_none());
        assert_eq!(slots.open(None), id);
    }

    #[test]
    fn who_goes_after_the_reply_leaves_nothing() {
        let mut slots = Slots::default();
        let id = slots.open(None);
        assert!(slots.finish(id, Err(failure())).is_none());
        assert!(matches!(slots.abandon(id, true), Slot::Done(_)));
        assert_eq!(slots.open(None), id);
    }
}
