//! One connection as its callers see it: requests go in, outcomes come out. Who uses it need not know when it is open.

use core::{
    fmt, mem,
    task::{Poll, Waker},
    time::Duration,
};
use std::sync::{Arc, PoisonError};
#[cfg(not(all(test, memring_loom)))]
use std::sync::{Mutex, MutexGuard};

#[cfg(all(test, memring_loom))]
use loom::sync::{Mutex, MutexGuard};
use memring_client::{failure::Cause, watch::Watch};
use memring_text::{Limits, Request};
use tokio::{
    runtime::{self, Handle, RuntimeFlavor},
    time::Instant,
};

use super::{
    driver::{Driver, start},
    queue::{Group, Queue, Terms},
    room::{RoomLimits, Ticket},
    slots::{Failure, Outcome, SlotId},
    state::State,
};
use crate::{deadline::Deadline, dial::Dialer};

/// What connections are made with.
#[derive(Clone, Debug)]
pub(crate) struct MuxOptions {
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) limits: Limits,
    pub(crate) room: RoomLimits,
    /// Whether gets of different callers may leave as one.
    pub(crate) is_merging: bool,
}

/// A connection that many callers share.
///
/// Callers queue their requests and wait in slots. A task, the driver, takes the queue, writes it, reads the replies and
/// fills the slots; it opens the connection when there is something to send. The lock is held for a short while at a
/// time, never across an await, and no waker is run or dropped under it.
pub(crate) struct Mux {
    dialer: Arc<Dialer>,
    watch: Arc<Watch>,
    options: MuxOptions,
    shared: Mutex<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: State,
    /// Whether there is a driver.
    is_driven: bool,
    /// Its runtime, where that runs on nobody's thread but its callers'.
    home: Option<runtime::Id>,
    is_open: bool,
    /// The driver's waker, and whether it waits for a request.
    driver: Option<Waker>,
    is_parked: bool,
    closing: Closing,
    /// Who waits for the driver to end.
    closers: Vec<Waker>,
}

/// Whether a caller must watch its own time. The driver does that for most; but not for callers with less patience than
/// others, whom it would have to close the connection for, nor for those of another runtime, who cannot know whether the
/// driver's is running at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MustWatch(pub(crate) bool);

/// How a connection comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Closing {
    /// Not yet.
    No,
    /// When everything that is queued or sent is answered.
    Gently,
    /// At once.
    Now,
}

/// What there is for a driver to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Requests are queued.
    Queued,
    /// Nothing is queued; the driver will be woken.
    Nothing,
    /// Nothing is queued, and nothing will be.
    NoMore,
    /// To end at once.
    Stop,
}

/// The callers' side.
impl Mux {
    /// A connection that is opened when it is needed.
    pub(crate) fn new(dialer: Arc<Dialer>, watch: Arc<Watch>, options: MuxOptions) -> Self {
        let shared = Shared {
            state: State::new(options.room),
            is_driven: false,
            home: None,
            is_open: false,
            driver: None,
            is_parked: false,
            closing: Closing::No,
            closers: Vec::new(),
        };
        Self { dialer, watch, options, shared: Mutex::new(shared) }
    }

    /// Queues `request`; its outcome will be in the slot, and `waker` is woken then. Without room, the caller has a ticket
    /// afterwards, and is woken when there may be some. Whether the caller [`MustWatch`] its time comes with the slot.
    pub(crate) fn poll_submit(
        self: &Arc<Self>,
        request: &Request<'_>,
        deadline: Deadline,
        waker: &Waker,
        ticket: &mut Option<Ticket>,
    ) -> Poll<Result<(SlotId, MustWatch), Cause>> {
        let terms = self.terms(deadline, if self.options.is_merging { Group::ANY } else { Group::ALONE });
        self.enter(deadline, waker, ticket, |state, ticket| state.push(request, terms, Some(waker), ticket))
    }

    /// Queues as many of `requests` as there is room for, together; `slots` takes their slots. It is ready when all are
    /// queued.
    pub(crate) fn poll_submit_all<'r>(
        self: &Arc<Self>,
        requests: &mut (impl ExactSizeIterator<Item = Request<'r>> + Clone),
        deadline: Deadline,
        waker: &Waker,
        ticket: &mut Option<Ticket>,
        slots: &mut impl Extend<SlotId>,
    ) -> Poll<Result<((), MustWatch), Cause>> {
        self.enter(deadline, waker, ticket, |state, ticket| {
            let group = if self.options.is_merging { Group::ANY } else { state.new_group() };
            let terms = self.terms(deadline, group);
            while let Some(request) = requests.clone().next() {
                let slot = state.push(&request, terms, None, ticket)?;
                slots.extend([slot]);
                requests.next();
            }
            Some(())
        })
    }

    /// The connection is not given up for the sake of a caller with less patience than most.
    fn terms(&self, deadline: Deadline, group: Group) -> Terms {
        Terms { begin: deadline.begin(), deadline: deadline.or_after(self.options.timeout), group }
    }

    /// Runs `push` on the state, and tells the driver. When `push` finds no room, the caller waits.
    fn enter<T>(
        self: &Arc<Self>,
        deadline: Deadline,
        waker: &Waker,
        ticket: &mut Option<Ticket>,
        push: impl FnOnce(&mut State, &mut Option<Ticket>) -> Option<T>,
    ) -> Poll<Result<(T, MustWatch), Cause>> {
        // Whoever waited for too long must not be let in: its overdue reply would end the connection of all.
        if ticket.is_some() && deadline.at() <= Instant::now() {
            return Poll::Ready(Err(Cause::NoRoom));
        }
        let mut shared = self.lock();
        if shared.closing > Closing::No {
            return Poll::Ready(Err(Cause::Shut));
        }
        let Ok(runtime) = Handle::try_current() else {
            return Poll::Ready(Err(Cause::NoRuntime));
        };
        let is_driven = mem::replace(&mut shared.is_driven, true);
        if !is_driven {
            let is_alone = runtime.runtime_flavor() == RuntimeFlavor::CurrentThread;
            shared.home = is_alone.then(|| runtime.id());
        }
        let is_foreign = shared.home.is_some_and(|home| home != runtime.id());
        let (before, earliest) = (*ticket, shared.state.queue.earliest());
        let pushed = push(&mut shared.state, ticket);
        let replaced = if pushed.is_none() { shared.state.room.wait(ticket, waker) } else { None };
        // Who leaves the head of those who wait lets the next one see whether there is room for two.
        let next = if before.is_some() && *ticket != before { shared.state.room.next() } else { None };
        // A driver that is at work takes the queue by and by, but must know of a deadline before all others.
        let is_urgent = shared.state.queue.earliest() != earliest;
        let driver = if shared.is_parked || is_urgent { shared.driver.clone() } else { None };
        shared.is_parked = false;
        drop(shared);
        drop(replaced);
        driver.into_iter().chain(next).for_each(Waker::wake);
        if !is_driven {
            start(&runtime, Driver::new(Arc::clone(self)));
        }
        let is_brief = deadline.at() < deadline.or_after(self.options.timeout);
        let must_watch = MustWatch(is_brief || is_foreign);
        pushed.map_or(Poll::Pending, |pushed| Poll::Ready(Ok((pushed, must_watch))))
    }

    /// The outcome of a request, if it is there; else `waker` is woken with it.
    pub(crate) fn poll_outcome(&self, slot: SlotId, waker: &Waker) -> Poll<Outcome> {
        let polled = self.lock().state.slots.poll(slot, waker);
        // A waker that was replaced is dropped here, without the lock.
        polled.map_or(Poll::Pending, Poll::Ready)
    }

    /// The callers of these slots go away.
    ///
    /// Says whether any of the requests may have left.
    pub(crate) fn abandon(&self, slots: impl IntoIterator<Item = SlotId>) -> bool {
        let mut left = Vec::new();
        let mut shared = self.lock();
        let is_sent = shared.state.abandon(slots, &mut left);
        let next = shared.state.room.next();
        drop(shared);
        drop(left);
        next.into_iter().for_each(Waker::wake);
        is_sent
    }

    /// Gives back a value's room, for the next value.
    pub(crate) fn give_back(&self, mut room: Vec<u8>) {
        if room.capacity() <= KEPT_ROOM {
            room.clear();
            let rooms = &mut self.lock().state.rooms;
            if rooms.len() < KEPT_ROOMS {
                rooms.push(room);
            }
        }
    }

    /// A caller waits for room no longer.
    pub(crate) fn give_up_ticket(&self, ticket: Ticket) {
        let mut shared = self.lock();
        let waker = shared.state.room.give_up(ticket);
        let next = shared.state.room.next();
        drop(shared);
        drop(waker);
        next.into_iter().for_each(Waker::wake);
    }

    /// Takes no more requests, and ends the driver.
    pub(crate) fn close(&self, closing: Closing) {
        let mut shared = self.lock();
        shared.closing = shared.closing.max(closing);
        let driver = shared.driver.clone();
        drop(shared);
        driver.into_iter().for_each(Waker::wake);
    }

    /// Whether it has been told to close.
    pub(crate) fn is_closing(&self) -> bool {
        self.lock().closing > Closing::No
    }

    /// Ready when there is no driver.
    pub(crate) fn poll_closed(&self, waker: &Waker) -> Poll<()> {
        let mut shared = self.lock();
        if !shared.is_driven {
            return Poll::Ready(());
        }
        shared.closers.push(waker.clone());
        Poll::Pending
    }

    /// Whether it is open, and how many requests are not answered yet.
    pub(crate) fn usage(&self) -> (bool, usize) {
        let shared = self.lock();
        (shared.is_open, shared.state.room.requests())
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The driver's side.
impl Mux {
    pub(crate) const fn options(&self) -> &MuxOptions {
        &self.options
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    pub(crate) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Looks for work. With `into`, an empty queue, takes what is queued. `waker` is woken when requests are queued
    /// where there was nothing, and when the connection is to end.
    pub(crate) fn work(&self, waker: &Waker, into: Option<&mut Queue>) -> Work {
        let mut shared = self.lock();
        let replaced = match &shared.driver {
            Some(driver) if driver.will_wake(waker) => None,
            _ => shared.driver.replace(waker.clone()),
        };
        let work = match (shared.closing, shared.state.queue.requests.is_empty()) {
            (Closing::Now, _) => Work::Stop,
            (_, false) => Work::Queued,
            (Closing::Gently, true) => Work::NoMore,
            (Closing::No, true) => Work::Nothing,
        };
        shared.is_parked = work == Work::Nothing;
        if let (Work::Queued, Some(queue)) = (work, into) {
            mem::swap(&mut shared.state.queue, queue);
        }
        drop(shared);
        drop(replaced);
        work
    }

    /// Notes whether the connection is open.
    pub(crate) fn set_open(&self, is_open: bool) {
        self.lock().is_open = is_open;
    }

    /// A moment that no deadline of a queued request is before.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.lock().state.queue.earliest()
    }

    /// Gives up all queued requests, or those whose deadline is not after `until`.
    pub(crate) fn give_up(&self, cause: &Cause, until: Option<Instant>) {
        let is_over = |terms: &Terms| until.is_none_or(|until| terms.deadline <= until);
        self.with_wakers(&mut Vec::new(), |state, wakers| state.give_up(cause, is_over, wakers));
    }

    /// Puts requests back to the front of the queue, but for those whose callers have gone.
    pub(crate) fn put_back(&self, again: Queue) {
        self.with_wakers(&mut Vec::new(), |state, _| state.put_back(again));
    }

    /// Fills slots with their outcomes; `wakers` is room to be used. `rooms` takes what callers gave back.
    pub(crate) fn finish(
        &self,
        done: &mut Vec<(SlotId, Outcome)>,
        wakers: &mut Vec<Waker>,
        rooms: &mut Vec<Vec<u8>>,
    ) {
        if !done.is_empty() {
            self.with_wakers(wakers, |state, wakers| {
                done.drain(..).for_each(|(slot, outcome)| state.finish(slot, outcome, wakers));
                let left = state.rooms.len().saturating_sub(KEPT_ROOMS.saturating_sub(rooms.len()));
                rooms.extend(state.rooms.drain(left..));
            });
        }
    }

    /// The driver ends. Whoever still waits is told.
    pub(crate) fn undriven(&self) {
        let mut shared = self.lock();
        let mut wakers = mem::take(&mut shared.closers);
        let cause = if shared.closing > Closing::No { Cause::Shut } else { Cause::Closed(None) };
        shared.state.fail_all(&Failure { cause, sent: true }, &mut wakers);
        wakers.extend(shared.state.room.next());
        (shared.is_driven, shared.is_open, shared.is_parked) = (false, false, false);
        let driver = shared.driver.take();
        drop(shared);
        drop(driver);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Runs `act` on the state; then, without the lock, whom it wakes, and who may be let in now.
    fn with_wakers(&self, wakers: &mut Vec<Waker>, act: impl FnOnce(&mut State, &mut Vec<Waker>)) {
        let mut shared = self.lock();
        act(&mut shared.state, wakers);
        wakers.extend(shared.state.room.next());
        drop(shared);
        wakers.drain(..).for_each(Waker::wake);
    }
}

/// The largest room for a value that is kept, in bytes.
const KEPT_ROOM: usize = 4096;

/// How many such rooms are kept at most, by the callers' side and by the driver each.
const KEPT_ROOMS: usize = 256;

#[cfg(test)]
impl Mux {
    /// The caller drives it, and no task is spawned for that.
    pub(crate) fn drive_by_hand(&self) {
        self.lock().is_driven = true;
    }

    /// Whether nobody waits, and nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        let shared = self.lock();
        shared.state.queue.requests.is_empty() && shared.state.slots.is_empty()
    }
}

impl fmt::Debug for Mux {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mux").field("dialer", &self.dialer).finish_non_exhaustive()
    }
}
