//! What callers hold while they wait. Dropping it is how they go away.

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::sync::Arc;

use memring_client::failure::Cause;
use memring_text::Request;

use super::{
    mux::{MustWatch, Mux},
    room::Ticket,
    slots::{Outcome, SlotId},
};
use crate::deadline::Deadline;

/// Waits for room on a connection.
#[derive(Debug)]
pub(crate) struct Entering<'m> {
    mux: &'m Arc<Mux>,
    ticket: Option<Ticket>,
}

impl<'m> Entering<'m> {
    /// Nobody waits yet.
    pub(crate) const fn new(mux: &'m Arc<Mux>) -> Self {
        Self { mux, ticket: None }
    }

    /// Queues `request`, once there is room.
    pub(crate) fn poll_submit(
        &mut self,
        cx: &mut Context<'_>,
        request: &Request<'_>,
        deadline: Deadline,
    ) -> Poll<Result<(SlotId, MustWatch), Cause>> {
        self.mux.poll_submit(request, deadline, cx.waker(), &mut self.ticket)
    }

    /// Queues `requests`, each once there is room.
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

impl Drop for Entering<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.mux.give_up_ticket(ticket);
        }
    }
}

/// Waits for the outcome of one request. Dropping it leaves the reply to be read and thrown away by the connection; a
/// request that has not left is not sent.
#[derive(Debug)]
pub(crate) struct Waiting<'m> {
    mux: &'m Mux,
    slot: Option<SlotId>,
    /// The slot has the waker of the task that polls, from within the very poll that comes first.
    is_fresh: bool,
}

impl<'m> Waiting<'m> {
    /// Waits for `slot`, which was opened within this poll and with its waker.
    pub(crate) const fn fresh(mux: &'m Mux, slot: SlotId) -> Self {
        Self { mux, slot: Some(slot), is_fresh: true }
    }
}

impl Waiting<'_> {
    /// Waits no longer, and says whether the request may have left.
    pub(crate) fn give_up(mut self) -> bool {
        self.slot.take().is_none_or(|slot| self.mux.abandon([slot]))
    }
}

impl Future for Waiting<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        if core::mem::take(&mut self.is_fresh) {
            return Poll::Pending;
        }
        let Some(slot) = self.slot else { return Poll::Pending };
        let polled = self.mux.poll_outcome(slot, cx.waker());
        if polled.is_ready() {
            self.slot = None;
        }
        polled
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            self.mux.abandon([slot]);
        }
    }
}
