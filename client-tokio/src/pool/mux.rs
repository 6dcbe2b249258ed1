//! One connection as its callers see it: they put requests in and get outcomes. They need not know whether it is open.

use core::{
    fmt,
    future::poll_fn,
    mem,
    sync::atomic::{AtomicBool, Ordering},
    task::{Poll, Waker},
};
#[cfg(not(all(test, memring_loom)))]
use std::sync::{Mutex, MutexGuard};
use std::{
    process,
    sync::{Arc, PoisonError},
};

#[cfg(all(test, memring_loom))]
use loom::sync::{Mutex, MutexGuard};
use memring_client::{Config, failure::Cause, watch::Watch};
use memring_text::Request;
use tokio::{
    runtime::{self, Handle},
    time::Instant,
};

use super::{
    driver::{AtWork, Driver, Held, Seat, Taken, start},
    growth::{Growth, TurnedAway},
    queue::{Group, Queue, Terms},
    quota::Ticket,
    slots::{Failure, Outcome, SlotId},
    state::State,
    vigil::Vigil,
};
use crate::{deadline::Deadline, dial::Dialer};

/// A connection that many callers share.
///
/// Callers queue their requests and wait in slots. A task, the driver, takes the queue, writes it, reads the replies
/// and fills the slots; it opens the connection when there is something to send. The lock is held for a short time,
/// never across an await, and no waker is run or dropped under it.
pub(crate) struct Mux {
    dialer: Arc<Dialer>,
    watch: Arc<Watch>,
    options: Arc<Config>,
    growth: Arc<Growth>,
    /// Whether the connection is open, and has had a reply.
    is_proven: AtomicBool,
    shared: Mutex<Shared>,
}

struct Shared {
    state: State,
    /// Whether there is a driver.
    is_driven: bool,
    /// The seat where the driver finds its link, or where a driver that ended with its runtime has left it for the
    /// callers that wait.
    seat: Arc<Seat>,
    is_orphaned: bool,
    /// The driver's runtime, and its process.
    home: Option<runtime::Id>,
    process: u32,
    /// Whether a driver has ever taken the place of another that did not run.
    has_moved: bool,
    /// How often the drivers have looked for work, as a sign of life.
    looks: u64,
    is_open: bool,
    /// The driver's waker, and whether it waits for a request.
    driver: Option<Waker>,
    is_parked: bool,
    closing: Closing,
    /// The wakers of tasks that wait for the driver to end.
    closers: Vec<Waker>,
}

/// Whether a caller must watch its own time, and the driver. The driver watches the time of most callers; but not of
/// those with a shorter timeout than others, for whom it would have to close the connection, nor of those in another
/// runtime, who cannot know whether the driver's runtime runs at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MustWatch(pub(crate) bool);

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Closing {
    /// Not yet.
    No,
    /// When everything that is queued or sent is answered.
    Gently,
    /// At once.
    Now,
}

/// The work of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Requests are queued.
    Queued,
    /// Nothing is queued; the driver will be woken.
    Nothing,
    /// Nothing is queued, and nothing will be.
    NoMore,
    /// The driver must end at once.
    Stop,
}

impl Shared {
    /// In a forked process, forgets all that is the parent's, so that the connection begins anew.
    ///
    /// The socket stays open and untouched until this process ends. Closing it would remove it from the parent's event
    /// queue, which the two processes share; and the seat may be locked for ever, by a thread that is not in this
    /// process.
    fn leave_parent(&mut self, mux: &Mux) {
        let process = process::id();
        if self.home.is_none() || self.process == process {
            return;
        }
        mem::forget(mem::replace(&mut self.seat, Arc::new(Seat::empty())));
        mem::forget(mem::replace(&mut self.state, State::new(mux.options.under_way)));
        mem::forget((self.driver.take(), mem::take(&mut self.closers)));
        (self.home, self.process) = (None, process);
        (self.is_driven, self.is_orphaned, self.is_open, self.is_parked) = (false, false, false, false);
        mux.set_proven(false);
    }
}

/// The callers' side.
impl Mux {
    /// A connection that is opened when it is needed.
    pub(crate) fn new(
        dialer: Arc<Dialer>,
        watch: Arc<Watch>,
        options: Arc<Config>,
        growth: Arc<Growth>,
    ) -> Self {
        let shared = Shared {
            state: State::new(options.under_way),
            is_driven: false,
            seat: Arc::new(Seat::empty()),
            is_orphaned: false,
            home: None,
            process: 0,
            has_moved: false,
            looks: 0,
            is_open: false,
            driver: None,
            is_parked: false,
            closing: Closing::No,
            closers: Vec::new(),
        };
        let is_proven = AtomicBool::new(false);
        Self { dialer, watch, options, growth, is_proven, shared: Mutex::new(shared) }
    }

    /// Queues `request`. Its outcome will be in the returned slot, and `waker` is woken then. Without quota, the caller
    /// gets a ticket, and is woken when there may be some. The result also says whether the caller [`MustWatch`] its
    /// time.
    pub(crate) fn poll_submit(
        self: &Arc<Self>,
        request: &Request<'_>,
        deadline: Deadline,
        waker: &Waker,
        ticket: &mut Option<Ticket>,
    ) -> Poll<Result<(SlotId, MustWatch), Cause>> {
        let terms = self.terms(deadline, if self.options.merge_gets { Group::ANY } else { Group::ALONE });
        self.enter(deadline, waker, ticket, |state, ticket| state.push(request, terms, Some(waker), ticket))
    }

    /// Queues as many of `requests` together as the quota suffices for; `slots` takes their slots. Ready when all are
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
            let group = if self.options.merge_gets { Group::ANY } else { state.new_group() };
            let terms = self.terms(deadline, group);
            while let Some(request) = requests.clone().next() {
                let slot = state.push(&request, terms, None, ticket)?;
                slots.extend([slot]);
                requests.next();
            }
            Some(())
        })
    }

    /// Queues `request`, if the quota suffices. No caller waits for its reply.
    pub(crate) fn queue(self: &Arc<Self>, request: &Request<'_>, deadline: Deadline) {
        let terms = self.terms(deadline, Group::ALONE);
        let _is_queued = self.enter(deadline, Waker::noop(), &mut None, |state, _| {
            state.push_unattended(request, terms);
            Some(())
        });
    }

    /// Whether the connection is open, and has had a reply.
    pub(crate) fn is_proven(&self) -> bool {
        self.is_proven.load(Ordering::Relaxed)
    }

    /// Opens the connection and tries it with a request, if nothing is under way. No caller waits for that, and none
    /// loses a request if the server turns the connection away.
    pub(crate) fn open(self: &Arc<Self>) {
        let deadline = Deadline::after(self.options.connect_timeout.saturating_add(self.options.timeout));
        let terms = self.terms(deadline, Group::ALONE);
        let _is_open = self.enter(deadline, Waker::noop(), &mut None, |state, _| {
            if state.quota.requests() == 0 {
                state.push_trial(terms);
            }
            Some(())
        });
    }

    /// The terms of a request. A caller with a shorter timeout than the configuration's does not end the connection.
    fn terms(&self, deadline: Deadline, group: Group) -> Terms {
        Terms { begin: deadline.began(), deadline: deadline.or_after(self.options.timeout), group }
    }

    /// Runs `push` on the state, and tells the driver. When `push` finds no quota, the caller waits.
    fn enter<T>(
        self: &Arc<Self>,
        deadline: Deadline,
        waker: &Waker,
        ticket: &mut Option<Ticket>,
        push: impl FnOnce(&mut State, &mut Option<Ticket>) -> Option<T>,
    ) -> Poll<Result<(T, MustWatch), Cause>> {
        // A caller that has waited for too long must not be let in: its overdue reply would end the connection of all.
        if ticket.is_some() && deadline.at() <= Instant::now() {
            return Poll::Ready(Err(Cause::OverQuota));
        }
        let mut shared = self.lock();
        if shared.closing > Closing::No {
            return Poll::Ready(Err(Cause::Shut));
        }
        let Ok(runtime) = Handle::try_current() else {
            return Poll::Ready(Err(Cause::NoRuntime));
        };
        if shared.home.is_some_and(|home| home != runtime.id()) {
            shared.leave_parent(self);
        }
        let mut driver = None;
        if !shared.is_driven {
            drop(shared);
            if let Err(cause) = self.dialer.check_runtime() {
                return Poll::Ready(Err(cause));
            }
            (shared, driver) = self.with_seat(|seat, mut shared| {
                let driver =
                    if shared.is_driven { None } else { self.seat_driver(seat, &mut shared, &runtime) };
                (shared, driver)
            });
        }
        let is_foreign = shared.home != Some(runtime.id());
        let (before, earliest) = (*ticket, shared.state.queue.earliest());
        let pushed = push(&mut shared.state, ticket);
        let replaced = if pushed.is_none() { shared.state.quota.wait(ticket, waker) } else { None };
        // A caller that leaves the head of the line lets the next one see whether the quota suffices for two.
        let next = if before.is_some() && *ticket != before { shared.state.quota.next() } else { None };
        // A driver that is at work takes the queue by and by, but must know of a deadline before all others.
        let is_urgent = shared.state.queue.earliest() != earliest;
        let woken = if shared.is_parked || is_urgent { shared.driver.clone() } else { None };
        shared.is_parked = false;
        drop(shared);
        drop(replaced);
        woken.into_iter().chain(next).for_each(Waker::wake);
        driver.into_iter().for_each(|driver| start(&runtime, driver));
        let is_brief = deadline.at() < deadline.or_after(self.options.timeout);
        let must_watch = MustWatch(is_brief || is_foreign);
        pushed.map_or(Poll::Pending, |pushed| Poll::Ready(Ok((pushed, must_watch))))
    }

    /// Runs `act` while the driver's seat is held, or known to be in use by a driver at work.
    fn with_seat<'m, T>(&'m self, act: impl FnOnce(&mut Held<'_>, MutexGuard<'m, Shared>) -> T) -> T {
        loop {
            let seat = Arc::clone(&self.lock().seat);
            let mut held = seat.hold();
            let shared = self.lock();
            if Arc::ptr_eq(&seat, &shared.seat) {
                return act(&mut held, shared);
            }
        }
    }

    /// Makes a driver for `runtime` of the link in `seat`, whose own driver has gone or does not run. `None` when that
    /// driver runs at this moment.
    fn seat_driver(
        self: &Arc<Self>,
        seat: &mut Held<'_>,
        shared: &mut Shared,
        runtime: &Handle,
    ) -> Option<Driver> {
        let link = match seat.take() {
            Ok(Some(Taken::Sound(mut link))) => {
                link.moved();
                link
            }
            Ok(_) => {
                self.set_proven(false);
                Box::default()
            }
            Err(AtWork) => return None,
        };
        let seat = Arc::new(Seat::new(link));
        shared.seat = Arc::clone(&seat);
        (shared.home, shared.process) = (Some(runtime.id()), process::id());
        (shared.is_driven, shared.is_orphaned) = (true, false);
        Some(Driver::new(Arc::clone(self), seat))
    }

    /// Asks the driver for a sign of life. Returns how often it has looked for work by now.
    pub(crate) fn call_driver(&self) -> u64 {
        let shared = self.lock();
        let (looks, driver) = (shared.looks, shared.driver.clone());
        drop(shared);
        driver.into_iter().for_each(Waker::wake);
        looks
    }

    /// If the driver has gone, or has given no sign of life although it was called, lets a driver of the current
    /// runtime take its place. Requests under way stay under way. Returns how often drivers have looked for work by
    /// now.
    pub(crate) fn look_after(self: &Arc<Self>, seen: u64) -> u64 {
        let mut shared = self.lock();
        shared.leave_parent(self);
        if shared.is_driven && shared.looks != seen {
            drop(shared);
            return self.call_driver();
        }
        drop(shared);
        let Ok(runtime) = Handle::try_current() else { return seen };
        if self.dialer.check_runtime().is_err() {
            return seen;
        }
        let (driver, wakers) = self.with_seat(|seat, mut shared| {
            if shared.is_driven && shared.looks != seen {
                return (None, Vec::new());
            }
            let driver = self.seat_driver(seat, &mut shared, &runtime);
            let mut wakers = Vec::new();
            if driver.is_some() {
                shared.has_moved = true;
                // The old driver, which may end now, and all callers that wait: they must watch now.
                wakers.extend(shared.driver.take());
                wakers.extend(shared.state.slots.wakers());
            }
            (driver, wakers)
        });
        driver.into_iter().for_each(|driver| start(&runtime, driver));
        wakers.into_iter().for_each(Waker::wake);
        seen
    }

    /// The outcome of a request, if it is there; else `waker` is woken when it is. A caller that does not watch the
    /// driver may learn that it must.
    pub(crate) fn poll_outcome(
        self: &Arc<Self>,
        slot: SlotId,
        waker: &Waker,
        watches: MustWatch,
    ) -> Poll<Result<Outcome, MustWatch>> {
        let mut shared = self.lock();
        let polled = shared.state.slots.poll(slot, waker);
        let is_lost = polled.is_err() && (shared.is_orphaned || (shared.has_moved && !watches.0));
        let (is_orphaned, seen) = (shared.is_orphaned, shared.looks);
        drop(shared);
        match polled {
            Ok(outcome) => Poll::Ready(Ok(outcome)),
            // A waker that was replaced is dropped here, without the lock.
            Err(_) if !is_lost => Poll::Pending,
            Err(_) => {
                if is_orphaned {
                    self.look_after(seen);
                }
                if watches.0 { Poll::Pending } else { Poll::Ready(Err(MustWatch(true))) }
            }
        }
    }

    /// Notes that the callers of these slots go away.
    ///
    /// Returns whether any of the requests may have left.
    pub(crate) fn abandon(&self, slots: impl IntoIterator<Item = SlotId>) -> bool {
        let mut left = Vec::new();
        let mut shared = self.lock();
        let is_sent = shared.state.abandon(slots, &mut left);
        let is_forgotten = shared.is_orphaned && !shared.state.has_waiters();
        let next = shared.state.quota.next();
        drop(shared);
        drop(left);
        if is_forgotten {
            self.forget_orphan();
        }
        next.into_iter().for_each(Waker::wake);
        is_sent
    }

    /// Gives back a value's buffer, for the next value.
    pub(crate) fn give_back(&self, mut spare: Vec<u8>) {
        if spare.capacity() <= KEPT_SPARE {
            spare.clear();
            let spares = &mut self.lock().state.spares;
            if spares.len() < KEPT_SPARES {
                spares.push(spare);
            }
        }
    }

    /// Notes that a caller no longer waits for quota.
    pub(crate) fn give_up_ticket(&self, ticket: Ticket) {
        let mut shared = self.lock();
        let waker = shared.state.quota.give_up(ticket);
        let next = shared.state.quota.next();
        drop(shared);
        drop(waker);
        next.into_iter().for_each(Waker::wake);
    }

    /// Takes no more requests, and ends the driver.
    pub(crate) fn close(&self, closing: Closing) {
        let mut shared = self.lock();
        shared.leave_parent(self);
        shared.closing = shared.closing.max(closing);
        let driver = shared.driver.clone();
        drop(shared);
        if closing == Closing::Now {
            // This works whether the driver's runtime runs or not. A driver at work notices by itself.
            let link = self.with_seat(|seat, shared| {
                let link = seat.take();
                if let Ok(Some(_)) = link {
                    self.end(shared, Cause::Shut);
                }
                link
            });
            drop(link);
        }
        driver.into_iter().for_each(Waker::wake);
    }

    /// Whether it has been told to close.
    pub(crate) fn is_closing(&self) -> bool {
        self.lock().closing > Closing::No
    }

    /// Ready when there is no driver.
    pub(crate) fn poll_closed(&self, waker: &Waker) -> Poll<()> {
        let mut shared = self.lock();
        if !shared.is_driven && !shared.is_orphaned {
            return Poll::Ready(());
        }
        shared.closers.push(waker.clone());
        Poll::Pending
    }

    /// Waits until the connection has closed; at `deadline`, closes it even with requests under way.
    pub(crate) async fn closed(self: &Arc<Self>, deadline: Deadline) {
        let mut vigil = None;
        let closed = poll_fn(|cx| {
            if self.poll_closed(cx.waker()).is_ready() {
                return Poll::Ready(true);
            }
            match vigil.get_or_insert_with(|| Vigil::new(self, deadline)) {
                Ok(vigil) => vigil.poll(cx, self).map(|()| false),
                Err(_) => Poll::Ready(false),
            }
        });
        if !closed.await {
            self.close(Closing::Now);
        }
    }

    /// Whether it is open, and how many requests are not answered yet.
    pub(crate) fn usage(&self) -> (bool, usize) {
        let shared = self.lock();
        (shared.is_open, shared.state.quota.requests())
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The driver's side.
impl Mux {
    pub(crate) fn options(&self) -> &Config {
        &self.options
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    pub(crate) const fn dialer(&self) -> &Arc<Dialer> {
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
        shared.looks = shared.looks.wrapping_add(1);
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
        self.set_proven(false);
    }

    /// Notes whether the connection works.
    pub(crate) fn set_proven(&self, is_proven: bool) {
        if self.is_proven() != is_proven && self.is_proven.swap(is_proven, Ordering::Relaxed) != is_proven {
            self.growth.count(is_proven);
        }
    }

    /// Whether `cause`, or that the connection `is_closed`, says that the server turned it away, while others work.
    pub(crate) fn is_turned_away(&self, cause: &Cause, is_closed: bool) -> bool {
        self.growth.is_turned_away(if is_closed { &Cause::Closed(None) } else { cause })
    }

    /// Whether other connections work, where this one does not yet.
    pub(crate) fn has_others(&self) -> bool {
        self.growth.has_proven()
    }

    /// A time before which no queued request has its deadline.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.lock().state.queue.earliest()
    }

    /// Gives up all queued requests, or those whose deadline is not after `until`.
    pub(crate) fn give_up(&self, cause: &Cause, turned_away: TurnedAway, until: Option<Instant>) {
        let is_over = |terms: &Terms| until.is_none_or(|until| terms.deadline <= until);
        self.with_wakers(&mut Vec::new(), |state, wakers| state.give_up(cause, turned_away, is_over, wakers));
    }

    /// Puts requests back to the front of the queue, but for those whose callers have gone.
    pub(crate) fn put_back(&self, again: Queue) {
        self.with_wakers(&mut Vec::new(), |state, _| state.put_back(again));
    }

    /// Fills slots with their outcomes. `wakers` is scratch; `spares` takes the buffers that callers gave back.
    pub(crate) fn finish(
        &self,
        done: &mut Vec<(SlotId, Outcome)>,
        wakers: &mut Vec<Waker>,
        spares: &mut Vec<Vec<u8>>,
    ) {
        if !done.is_empty() {
            self.with_wakers(wakers, |state, wakers| {
                done.drain(..).for_each(|(slot, outcome)| state.finish(slot, outcome, wakers));
                let left = state.spares.len().saturating_sub(KEPT_SPARES.saturating_sub(spares.len()));
                spares.extend(state.spares.drain(left..));
            });
        }
    }

    /// Notes that the driver of `seat` ends. If it ends with its runtime, the link is left to the callers that wait:
    /// the first of them that is polled drives it on. Else the callers that still wait are told.
    pub(crate) fn vacate(&self, seat: &Arc<Seat>) {
        let mut shared = self.lock();
        shared.leave_parent(self);
        let is_taken_over = |shared: &Shared| !Arc::ptr_eq(&shared.seat, seat);
        if is_taken_over(&shared) {
            // Another driver has the link; or the seat was the parent's, whose threads may hold it for ever.
            return;
        }
        drop(shared);
        // Not `hold`: a caller that looks after the driver this very moment lets go of it soon. If the link stayed in the
        // seat while everybody is told of the end, the next driver would go on with it, and with slots that are others' by
        // then.
        let mut held = seat.lock();
        let mut shared = self.lock();
        if is_taken_over(&shared) {
            return;
        }
        let link = held.take();
        match link {
            Ok(Some(Taken::Sound(link))) if shared.closing < Closing::Now && shared.state.has_waiters() => {
                shared.seat = Arc::new(Seat::new(link));
                (shared.is_driven, shared.is_orphaned, shared.is_parked) = (false, true, false);
                let mut wakers: Vec<_> = shared.driver.take().into_iter().collect();
                wakers.extend(shared.state.slots.wakers());
                wakers.extend(shared.state.quota.next());
                wakers.append(&mut shared.closers);
                drop(shared);
                wakers.into_iter().for_each(Waker::wake);
            }
            link => {
                let cause = if shared.closing > Closing::No { Cause::Shut } else { Cause::Closed(None) };
                self.end(shared, cause);
                drop(link);
            }
        }
    }

    /// Forgets a link that a driver has left, when no caller waits any more.
    #[cold]
    fn forget_orphan(&self) {
        let link = self.with_seat(|seat, shared| {
            if !shared.is_orphaned || shared.state.has_waiters() {
                return None;
            }
            // The holder of the seat looks after the link in it.
            let link = seat.take().ok()?;
            self.end(shared, Cause::Closed(None));
            link
        });
        drop(link);
    }

    /// Notes that there is no driver and no link any more. Callers that still wait are told.
    fn end(&self, mut shared: MutexGuard<'_, Shared>, cause: Cause) {
        let mut wakers = mem::take(&mut shared.closers);
        shared.state.fail_all(&Failure::new(cause, true), &mut wakers);
        wakers.extend(shared.state.quota.next());
        (shared.is_driven, shared.is_orphaned) = (false, false);
        (shared.is_open, shared.is_parked) = (false, false);
        self.set_proven(false);
        let driver = shared.driver.take();
        drop(shared);
        drop(driver);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Runs `act` on the state; then, without the lock, the wakers that it returns, and that of the caller which may be let
    /// in now.
    fn with_wakers(&self, wakers: &mut Vec<Waker>, act: impl FnOnce(&mut State, &mut Vec<Waker>)) {
        let mut shared = self.lock();
        act(&mut shared.state, wakers);
        wakers.extend(shared.state.quota.next());
        drop(shared);
        wakers.drain(..).for_each(Waker::wake);
    }
}

/// The largest buffer for a value that is kept, in bytes.
const KEPT_SPARE: usize = 4096;

/// How many such buffers are kept at most, by the callers' side and by the driver each.
const KEPT_SPARES: usize = 256;

#[cfg(test)]
impl Mux {
    /// Whether no caller waits, and nothing is kept.
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
