//! The task behind a connection: opens it when there is something to send, moves bytes, tells how it ended.

use core::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll, Waker, ready},
};
use std::{io, sync::Arc};

use memring_client::failure::{Cause, Event};
use tokio::time::Instant;

#[cfg(all(test, memring_loom))]
mod interleavings;
#[cfg(test)]
mod simulation;

use super::{
    connection::{Connection, End},
    mux::{Mux, Work},
    queue::Queue,
    slots::{Failure, Outcome, SlotId},
};
use crate::{
    deadline::{Deadline, Timer},
    socket::{Stream, Transport},
};

#[cfg(all(test, memring_loom))]
pub(crate) use interleavings::start;

/// Lets a task of `runtime` drive.
#[cfg(not(all(test, memring_loom)))]
pub(crate) fn start(runtime: &tokio::runtime::Handle, driver: Driver) {
    drop(runtime.spawn(drive(driver)));
}

/// Serves `driver`'s connection until its callers have gone.
#[cfg_attr(all(test, memring_loom), expect(dead_code, reason = "a model has other tasks"))]
async fn drive(mut driver: Driver) {
    let mut timer = Timer::new();
    while driver.has_work().await {
        match driver.dial(&mut timer).await {
            Some(Ok(stream)) => driver.serve(stream, &mut timer).await,
            Some(Err(cause)) => {
                driver.tell_end(&cause);
                driver.mux.give_up(&cause, None);
            }
            None => break,
        }
    }
}

/// What the task holds. Wherever it ends, with its runtime or in a panic, dropping this tells who waits.
pub(crate) struct Driver {
    mux: Arc<Mux>,
    done: Vec<(SlotId, Outcome)>,
    wakers: Vec<Waker>,
    /// Empty room for values.
    rooms: Vec<Vec<u8>>,
    /// An empty queue, to be exchanged for a full one.
    spare: Queue,
    /// Where several requests waited together the last time, others may be about to join: the driver lets all tasks
    /// that are ready run once before it takes the queue.
    is_crowded: bool,
    has_waited: bool,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.mux.undriven();
    }
}

impl Driver {
    /// A driver of `mux`, of which there is one at a time.
    pub(crate) const fn new(mux: Arc<Mux>) -> Self {
        Self {
            mux,
            done: Vec::new(),
            wakers: Vec::new(),
            rooms: Vec::new(),
            spare: Queue::new(),
            is_crowded: false,
            has_waited: false,
        }
    }

    /// Waits until something is queued; `false` when nothing will be.
    async fn has_work(&self) -> bool {
        poll_fn(|cx| match self.mux.work(cx.waker(), None) {
            Work::Queued => Poll::Ready(true),
            Work::NoMore | Work::Stop => Poll::Ready(false),
            Work::Nothing => Poll::Pending,
        })
        .await
    }

    /// Opens a connection, while those whose deadline passes are told; `None` when there is nothing to send any more.
    async fn dial(&self, timer: &mut Timer) -> Option<Result<Stream, Cause>> {
        let options = self.mux.options();
        let deadline = Deadline::after(options.connect_timeout);
        let mut dial = pin!(self.mux.dialer().dial(deadline.at(), options.timeout));
        poll_fn(|cx| {
            if matches!(self.mux.work(cx.waker(), None), Work::NoMore | Work::Stop) {
                return Poll::Ready(None);
            }
            if let Poll::Ready(connected) = dial.as_mut().poll(cx) {
                if connected.is_ok() {
                    let watch = self.mux.watch();
                    watch.tell(Event::connected(watch.name(), deadline.begin().elapsed()));
                }
                return Poll::Ready(Some(connected));
            }
            while let Some(deadline) = self.mux.earliest() {
                if timer.poll(cx, deadline).is_pending() {
                    break;
                }
                let cause = Cause::connect(io::ErrorKind::TimedOut.into());
                self.mux.give_up(&cause, Some(Instant::now()));
            }
            Poll::Pending
        })
        .await
    }

    /// Moves bytes until the connection ends.
    async fn serve<T: Transport>(&mut self, io: T, timer: &mut Timer) {
        let mut connection = Connection::new(io, self.mux.options().limits);
        self.mux.set_open(true);
        let mut is_fresh = true;
        let end =
            poll_fn(|cx| self.poll_serve(cx, &mut connection, timer, core::mem::take(&mut is_fresh))).await;
        self.mux.set_open(false);
        self.settle(&connection, &end);
    }

    fn poll_serve<T: Transport>(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection<T>,
        timer: &mut Timer,
        is_fresh: bool,
    ) -> Poll<End> {
        // What has come is read before more is sent: it may be the end. A fresh connection has something to send first.
        if is_fresh {
            if let Poll::Ready(end) = self.poll_send(cx, connection) {
                return Poll::Ready(end);
            }
        }
        if let Poll::Ready(end) = self.poll_receive(cx, connection) {
            return Poll::Ready(end);
        }
        // Also where nothing was left to send before: with the last reply read, the connection may be needed no more.
        if let Poll::Ready(end) = self.poll_send(cx, connection) {
            return Poll::Ready(end);
        }
        self.poll_overdue(cx, connection, timer)
    }

    /// Tells those whose time is over. Ready when the oldest reply is overdue.
    fn poll_overdue<T: Transport>(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection<T>,
        timer: &mut Timer,
    ) -> Poll<End> {
        loop {
            // What is queued while nothing can be written has its deadlines, too.
            let queued = if connection.is_written() { None } else { self.mux.earliest() };
            let Some(earliest) = connection.earliest().into_iter().chain(queued).min() else {
                let rest = connection.idle_since().and_then(|since| {
                    // A timeout beyond what the clock can say is none.
                    since.checked_add(self.mux.options().idle_timeout)
                });
                let Some(rest) = rest else { return Poll::Pending };
                ready!(timer.poll(cx, rest));
                return Poll::Ready(End::Unneeded);
            };
            ready!(timer.poll(cx, earliest));
            if connection.is_late_itself(earliest) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if connection.find_overdue(&mut self.done) {
                return Poll::Ready(End::Overdue(Instant::now()));
            }
            self.mux.finish(&mut self.done, &mut self.wakers, &mut self.rooms);
            self.mux.give_up(&Cause::Timeout, Some(Instant::now()));
        }
    }

    /// Reads all that has come, and fills slots. Ready when the connection ends.
    fn poll_receive<T: Transport>(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection<T>,
    ) -> Poll<End> {
        loop {
            let read = connection.poll_read(cx, &mut self.rooms, &mut self.done);
            self.mux.finish(&mut self.done, &mut self.wakers, &mut self.rooms);
            match ready!(read) {
                Ok(()) => {}
                Err(end) => return Poll::Ready(end),
            }
        }
    }

    /// Sends all that is queued. Ready when the connection ends.
    fn poll_send<T: Transport>(&mut self, cx: &mut Context<'_>, connection: &mut Connection<T>) -> Poll<End> {
        loop {
            let is_written = connection.poll_write(cx).is_ready();
            if is_written && !self.spare.has_room() {
                self.spare = connection.spare();
            }
            let takes = is_written && (!self.is_crowded || self.has_waited);
            match self.mux.work(cx.waker(), takes.then_some(&mut self.spare)) {
                Work::Stop => return Poll::Ready(End::Unneeded),
                Work::NoMore if connection.is_idle() => return Poll::Ready(End::Unneeded),
                Work::Queued if takes => {
                    let queue = core::mem::take(&mut self.spare);
                    (self.is_crowded, self.has_waited) = (queue.requests.len() > 1, false);
                    if connection.is_stale(&queue) {
                        self.mux.put_back(queue);
                        return Poll::Ready(End::Closed(Cause::Closed(None)));
                    }
                    connection.send(queue);
                }
                Work::Queued if is_written => {
                    self.has_waited = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                _ => return Poll::Pending,
            }
        }
    }

    /// Tells those whom the end left without an answer, or sends their requests again.
    fn settle<T: Transport>(&mut self, connection: &Connection<T>, end: &End) {
        match end {
            End::Closed(cause) | End::Protocol(cause) => self.tell_end(cause),
            End::Overdue(_) => self.tell_end(&Cause::Timeout),
            End::Unneeded => {}
        }
        let mut again = Queue::new();
        for left in connection.left() {
            let request = left.request;
            let may_retry = connection.has_answered()
                && !left.is_begun
                && !request.is_retried
                && (request.is_idempotent || !left.is_sent);
            let cause = match end {
                End::Closed(_) if may_retry => {
                    again.adopt(request, left.queue, true);
                    continue;
                }
                End::Closed(cause) | End::Protocol(cause) => cause.clone(),
                End::Overdue(now) if request.terms.deadline <= *now => Cause::Timeout,
                End::Overdue(_) => Cause::Stalled,
                End::Unneeded => Cause::Shut,
            };
            let failure = Failure { cause, sent: left.is_sent || request.is_retried };
            self.done.push((request.slot, Err(Box::new(failure))));
        }
        if !again.requests.is_empty() {
            let watch = self.mux.watch();
            watch.tell(Event::retried(watch.name()));
        }
        self.mux.put_back(again);
        self.mux.finish(&mut self.done, &mut self.wakers, &mut self.rooms);
    }

    fn tell_end(&self, cause: &Cause) {
        let watch = self.mux.watch();
        watch.tell(Event::disconnected(watch.name(), cause.kind()));
    }
}
