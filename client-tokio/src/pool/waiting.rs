//! What callers hold while they wait. A caller goes away by dropping it.

use core::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};
use std::sync::Arc;

use memring_client::failure::Cause;
use memring_text::Request;

use super::{
    mux::{MustWatch, Mux},
    quota::Ticket,
    slots::{Failure, Outcome, SlotId},
    vigil::Vigil,
};
use crate::deadline::Deadline;

/// Waits until the quota of a connection lets a request in.
#[derive(Debug)]
pub(crate) struct Admission<'m> {
    mux: &'m Arc<Mux>,
    ticket: Option<Ticket>,
}

impl<'m> Admission<'m> {
    /// Before the caller waits.
    pub(crate) const fn new(mux: &'m Arc<Mux>) -> Self {
        Self { mux, ticket: None }
    }

    /// Queues `request`, once the quota suffices.
    pub(crate) fn poll_submit(
        &mut self,
        cx: &mut Context<'_>,
        request: &Request<'_>,
        deadline: Deadline,
    ) -> Poll<Result<(SlotId, MustWatch), Cause>> {
        self.mux.poll_submit(request, deadline, cx.waker(), &mut self.ticket)
    }

    /// Queues `requests`, each once the quota suffices.
    pub(crate) fn poll_submit_all<'r>(
        &mut self,
        cx: &mut Context<'_>,
        requests: &mut (impl ExactSizeIterator<Item = Request<'r>> + Clone),
        deadline: Deadline,
        slots: &mut impl Extend<SlotId>,
    ) -> Poll<Result<((), MustWatch), Cause>> {
        self.mux.poll_submit_all(requests, deadline, cx.waker(), &mut self.ticket, slots)
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.mux.give_up_ticket(ticket);
        }
    }
}

/// Waits for the outcome of one request. If it is dropped, the connection reads the reply and throws it away, or does
/// not send a request that has not left.
pub(crate) struct ReplyWait<'m> {
    mux: &'m Arc<Mux>,
    slot: Option<SlotId>,
    watches: MustWatch,
    /// The slot has the waker of the task that polls, from within the very poll that comes first.
    is_fresh: bool,
    heir: Option<Heir<'m>>,
}

/// What gets the slot of a caller that goes away before its outcome is there.
pub(crate) type Heir<'h> = &'h (dyn Fn(&Arc<Mux>, SlotId) + Sync);

impl<'m> ReplyWait<'m> {
    /// Waits for `slot`, which was opened within this poll and with its waker. The caller `watches` its time, or not.
    pub(crate) const fn fresh(mux: &'m Arc<Mux>, slot: SlotId, watches: MustWatch) -> Self {
        Self { mux, slot: Some(slot), watches, is_fresh: true, heir: None }
    }

    /// Leaves the slot to `heir` if this is dropped.
    pub(crate) fn with_heir(mut self, heir: Option<Heir<'m>>) -> Self {
        self.heir = heir;
        self
    }

    /// Waits for a slot that another caller has opened.
    pub(crate) fn taken_over(mut self) -> Self {
        self.is_fresh = false;
        self
    }

    /// Waits until `deadline` at most, and sees to it that the connection is driven.
    pub(crate) async fn watched(mut self, deadline: Deadline) -> Outcome {
        self.watches = MustWatch(true);
        let outcome = match Vigil::new(self.mux, deadline) {
            Ok(mut vigil) => {
                let over = poll_fn(|cx| match Pin::new(&mut self).poll(cx) {
                    Poll::Ready(Ok(outcome)) => Poll::Ready(Some(outcome)),
                    Poll::Ready(Err(MustWatch(_))) | Poll::Pending => vigil.poll(cx, self.mux).map(|()| None),
                });
                over.await.ok_or(Cause::Timeout)
            }
            Err(cause) => Err(cause),
        };
        outcome.unwrap_or_else(|cause| Err(Box::new(Failure::new(cause, self.give_up()))))
    }
}

impl ReplyWait<'_> {
    /// Gives up waiting, and returns whether the request may have left.
    fn give_up(mut self) -> bool {
        self.slot.take().is_none_or(|slot| self.mux.abandon([slot]))
    }
}

impl Future for ReplyWait<'_> {
    /// A caller that does not watch its time may learn that it must.
    type Output = Result<Outcome, MustWatch>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if core::mem::take(&mut self.is_fresh) {
            return Poll::Pending;
        }
        let Some(slot) = self.slot else { return Poll::Pending };
        let polled = self.mux.poll_outcome(slot, cx.waker(), self.watches);
        if matches!(polled, Poll::Ready(Ok(_))) {
            self.slot = None;
        }
        polled
    }
}

impl Drop for ReplyWait<'_> {
    fn drop(&mut self) {
        match (self.slot, self.heir) {
            (Some(slot), Some(heir)) => heir(self.mux, slot),
            (Some(slot), None) => {
                self.mux.abandon([slot]);
            }
            (None, _) => {}
        }
    }
}
