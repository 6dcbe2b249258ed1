//! One connection as its callers see it: requests go in, outcomes come out. Who uses it need not know when it is open.

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memring_text::{Limits, Request};
use tokio::{runtime::Handle, time::Instant};

use crate::{
    dial::Dialer,
    driver::{Driver, drive},
    error::Cause,
    queue::Queue,
    slots::{Failure, Outcome, SlotId, Slots},
};

/// What connections are made with.
#[derive(Clone, Debug)]
pub(crate) struct MuxOptions {
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) limits: Limits,
}

/// A connection that many callers share.
///
/// Callers queue their requests and wait in slots. A task, the driver, takes the queue, writes it, reads the replies and
/// fills the slots; it opens the connection when there is something to send. The lock is held for a few instructions at
/// a time, never across an await, and no waker is run or dropped under it.
pub(crate) struct Mux {
    dialer: Arc<Dialer>,
    options: MuxOptions,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: Queue,
    slots: Slots,
    /// Whether there is a driver.
    is_driven: bool,
    /// The driver's waker, and whether it waits for a request.
    driver: Option<Waker>,
    is_parked: bool,
    is_closing: bool,
}

/// What there is for a driver to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// The callers have gone.
    Closing,
    /// Requests are queued.
    Queued,
    /// Nothing is queued; the driver will be woken.
    Nothing,
}

impl Mux {
    /// A connection that is opened when it is needed.
    pub(crate) fn new(dialer: Arc<Dialer>, options: MuxOptions) -> Self {
        Self { dialer, options, state: Mutex::default() }
    }

    /// Queues `request`. The outcome is in the slot by the deadline; `waker` is woken then.
    pub(crate) fn submit(
        self: &Arc<Self>,
        request: &Request<'_>,
        deadline: Instant,
        waker: Option<&Waker>,
    ) -> Result<SlotId, Cause> {
        let mut state = self.lock();
        if state.is_closing {
            return Err(Cause::Shut);
        }
        let runtime = match state.is_driven {
            true => None,
            false => Some(Handle::try_current().map_err(|_| Cause::NoRuntime)?),
        };
        let slot = state.slots.open(waker.cloned());
        state.queue.push(request, slot, deadline);
        state.is_driven = true;
        let driver = if state.is_parked { state.driver.clone() } else { None };
        state.is_parked = false;
        drop(state);
        if let Some(driver) = driver {
            driver.wake();
        }
        if let Some(runtime) = runtime {
            drop(runtime.spawn(drive(Driver::new(Arc::clone(self)))));
        }
        Ok(slot)
    }

    /// Takes no more requests, and ends the driver.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.is_closing = true;
        let driver = state.driver.clone();
        drop(state);
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    fn poll(&self, slot: SlotId, waker: &Waker) -> Poll<Outcome> {
        let polled = self.lock().slots.poll(slot, waker);
        // A waker that was replaced is dropped here, without the lock.
        polled.map_or(Poll::Pending, Poll::Ready)
    }

    fn abandon(&self, slot: SlotId) {
        let mut state = self.lock();
        let is_queued = state.queue.cancel(slot);
        let left = state.slots.abandon(slot, !is_queued);
        drop(state);
        drop(left);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The driver's side.
impl Mux {
    pub(crate) const fn options(&self) -> &MuxOptions {
        &self.options
    }

    pub(crate) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Looks for work. With `into`, an empty queue, takes what is queued. `waker` is woken when requests are queued
    /// where there was nothing, and when the callers have gone.
    pub(crate) fn work(&self, waker: &Waker, into: Option<&mut Queue>) -> Work {
        let mut state = self.lock();
        let before = match &state.driver {
            Some(driver) if driver.will_wake(waker) => None,
            _ => state.driver.replace(waker.clone()),
        };
        let work = match (state.is_closing, state.queue.requests.is_empty()) {
            (true, _) => Work::Closing,
            (false, true) => Work::Nothing,
            (false, false) => Work::Queued,
        };
        state.is_parked = work == Work::Nothing;
        if let (Work::Queued, Some(queue)) = (work, into) {
            core::mem::swap(&mut state.queue, queue);
        }
        drop(state);
        drop(before);
        work
    }

    /// The deadline of the oldest request that is queued.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.lock().queue.requests.first().map(|request| request.deadline)
    }

    /// Gives up all queued requests, or those whose deadline is not after `until`.
    pub(crate) fn give_up(&self, cause: &Cause, until: Option<Instant>) {
        let mut wakers = Vec::new();
        let mut state = self.lock();
        let State { queue, slots, .. } = &mut *state;
        queue.requests.retain(|request| {
            let is_over = until.is_none_or(|until| request.deadline <= until);
            if is_over {
                let failure = Failure { cause: cause.clone(), sent: request.is_retried };
                wakers.extend(slots.finish(request.slot, Err(failure)));
            }
            !is_over
        });
        if queue.requests.is_empty() {
            queue.clear();
        }
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Puts requests back to the front of the queue, but for those whose callers have gone.
    pub(crate) fn put_back(&self, mut again: Queue) {
        let mut left = Vec::new();
        let mut state = self.lock();
        let State { queue, slots, .. } = &mut *state;
        again.requests.retain(|request| {
            let is_abandoned = slots.is_abandoned(request.slot);
            if is_abandoned {
                left.push(slots.abandon(request.slot, false));
            }
            !is_abandoned
        });
        for request in &queue.requests {
            again.adopt(request, queue, false);
        }
        *queue = again;
        drop(state);
        drop(left);
    }

    /// Fills slots with their outcomes; `wakers` is room to be used.
    pub(crate) fn finish(&self, done: &mut Vec<(SlotId, Outcome)>, wakers: &mut Vec<Waker>) {
        if done.is_empty() {
            return;
        }
        let mut state = self.lock();
        for (slot, outcome) in done.drain(..) {
            wakers.extend(state.slots.finish(slot, outcome));
        }
        drop(state);
        wakers.drain(..).for_each(Waker::wake);
    }

    /// The driver ends. Whoever still waits is told.
    pub(crate) fn undriven(&self) {
        let mut wakers = Vec::new();
        let mut state = self.lock();
        state.is_driven = false;
        state.is_parked = false;
        let driver = state.driver.take();
        state.queue.clear();
        let cause = if state.is_closing { Cause::Shut } else { Cause::Closed(None) };
        state.slots.fail_all(&Failure { cause, sent: true }, &mut wakers);
        drop(state);
        drop(driver);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Mux {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mux").field("dialer", &self.dialer).finish_non_exhaustive()
    }
}

/// Waits for the outcome of a request. Dropping it leaves the reply to be read and thrown away by the connection; a
/// request that has not left is not sent.
#[derive(Debug)]
pub(crate) struct Waiting<'m> {
    mux: &'m Mux,
    slot: Option<SlotId>,
    /// The slot was opened with the waker of the task that polls, in the very poll that comes first.
    is_fresh: bool,
}

impl<'m> Waiting<'m> {
    /// Waits for `slot`, which was opened within this poll and with its waker.
    pub(crate) const fn fresh(mux: &'m Mux, slot: SlotId) -> Self {
        Self { mux, slot: Some(slot), is_fresh: true }
    }
}

impl Future for Waiting<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        if core::mem::take(&mut self.is_fresh) {
            return Poll::Pending;
        }
        let Some(slot) = self.slot else { return Poll::Pending };
        let polled = self.mux.poll(slot, cx.waker());
        if polled.is_ready() {
            self.slot = None;
        }
        polled
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            self.mux.abandon(slot);
        }
    }
}
