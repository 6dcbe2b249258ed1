//! A connection in any stage, with all that belongs to it. The task that drives it comes and goes with its runtime; the
//! link can be passed from one task to another, and nothing that is under way is lost.

use core::{
    mem,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};
use std::{io, sync::Arc};

use memring_client::failure::Cause;
use tokio::time::Instant;

use super::{
    connection::{Connection, End},
    growth::TurnedAway,
    mux::{Mux, Work},
    queue::Queue,
    slots::{Failure, Outcome, SlotId},
};
use crate::{
    deadline::{Deadline, Timer},
    socket::Stream,
};

/// The connection of a [`Mux`], open or not.
#[derive(Default)]
pub(crate) struct Link {
    stage: Stage,
    /// Whether another runtime than before drives the link from now on.
    is_moved: bool,
    done: Vec<(SlotId, Outcome)>,
    wakers: Vec<Waker>,
    /// Empty buffers for values.
    spares: Vec<Vec<u8>>,
    /// An empty queue, to be exchanged for a full one.
    spare: Queue,
    /// Whether several requests waited together the last time. If so, others may be about to join, and the driver lets
    /// all ready tasks run once before it takes the queue.
    is_crowded: bool,
    has_waited: bool,
}

#[derive(Default)]
enum Stage {
    /// There is no connection, and nothing to send.
    #[default]
    Idle,
    Dialling(Dialling),
    Open(Box<Connection<Stream>>),
}

/// A connection that is being opened.
struct Dialling {
    began: Instant,
    dial: Pin<Box<dyn Future<Output = Result<Stream, Cause>> + Send>>,
}

impl Link {
    /// Notes that another runtime drives the link from now on.
    pub(crate) const fn moved(&mut self) {
        self.is_moved = true;
    }

    /// Opens the connection when there is something to send, moves bytes, and reports how it ended; ready when the link
    /// is not needed any more. `timer` belongs to the current runtime.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, mux: &Mux, timer: &mut Timer) -> Poll<()> {
        if mem::take(&mut self.is_moved) {
            self.move_here(mux);
        }
        loop {
            self.stage = match mem::take(&mut self.stage) {
                Stage::Idle => match mux.work(cx.waker(), None) {
                    Work::Queued => Stage::Dialling(Dialling::new(mux)),
                    Work::NoMore | Work::Stop => return Poll::Ready(()),
                    Work::Nothing => return Poll::Pending,
                },
                Stage::Dialling(mut dialling) => match dialling.poll(cx, mux, timer) {
                    Poll::Pending => {
                        self.stage = Stage::Dialling(dialling);
                        return Poll::Pending;
                    }
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Ready(Some(Ok(stream))) => {
                        let mut connection = Connection::new(stream, mux.options().limits);
                        mux.set_open(true);
                        // The connection is fresh: it has something to send, and nothing can have come.
                        match self.poll_send(cx, mux, &mut connection) {
                            Poll::Pending => Stage::Open(Box::new(connection)),
                            Poll::Ready(end) => self.settle(mux, &connection, &end),
                        }
                    }
                    Poll::Ready(Some(Err(cause))) => {
                        mux.watch().disconnected(&cause);
                        let turned_away = mux.is_turned_away(&cause, false);
                        mux.give_up(
                            &cause,
                            if turned_away { TurnedAway::Again } else { TurnedAway::No },
                            None,
                        );
                        Stage::Idle
                    }
                },
                Stage::Open(mut connection) => match self.poll_serve(cx, mux, &mut connection, timer) {
                    Poll::Pending => {
                        self.stage = Stage::Open(connection);
                        return Poll::Pending;
                    }
                    Poll::Ready(end) => self.settle(mux, &connection, &end),
                },
            };
        }
    }

    /// Registers the connection with the current runtime. A connection that is being opened is opened anew.
    fn move_here(&mut self, mux: &Mux) {
        self.stage = match mem::take(&mut self.stage) {
            Stage::Idle | Stage::Dialling(_) => Stage::Idle,
            Stage::Open(mut connection) => match connection.move_here() {
                Ok(()) => Stage::Open(connection),
                Err(error) => self.settle(mux, &connection, &End::Closed(Cause::from(error))),
            },
        };
    }

    fn poll_serve(
        &mut self,
        cx: &mut Context<'_>,
        mux: &Mux,
        connection: &mut Connection<Stream>,
        timer: &mut Timer,
    ) -> Poll<End> {
        // Bytes that have arrived are read before more are sent, because they may be the end.
        if let Poll::Ready(end) = self.poll_receive(cx, mux, connection) {
            return Poll::Ready(end);
        }
        // This is also done when there is nothing to send: after the last reply, the connection may not be needed any
        // more.
        if let Poll::Ready(end) = self.poll_send(cx, mux, connection) {
            return Poll::Ready(end);
        }
        self.poll_overdue(cx, mux, connection, timer)
    }

    /// Tells the callers whose time is over. Ready when the oldest reply is overdue.
    fn poll_overdue(
        &mut self,
        cx: &mut Context<'_>,
        mux: &Mux,
        connection: &mut Connection<Stream>,
        timer: &mut Timer,
    ) -> Poll<End> {
        loop {
            // Requests that are queued while nothing can be written have deadlines, too.
            let queued = if connection.is_written() { None } else { mux.earliest() };
            let Some(earliest) = connection.earliest().into_iter().chain(queued).min() else {
                let rest = connection.idle_since().and_then(|since| {
                    // A timeout beyond the clock's range is no timeout.
                    since.checked_add(mux.options().idle_timeout)
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
            mux.finish(&mut self.done, &mut self.wakers, &mut self.spares);
            mux.give_up(&Cause::Timeout, TurnedAway::No, Some(Instant::now()));
        }
    }

    /// Reads all that has arrived, and fills slots. Ready when the connection ends.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        mux: &Mux,
        connection: &mut Connection<Stream>,
    ) -> Poll<End> {
        loop {
            let read = connection.poll_read(cx, &mut self.spares, &mut self.done);
            mux.finish(&mut self.done, &mut self.wakers, &mut self.spares);
            if connection.has_spoken() {
                mux.set_proven(true);
            }
            match ready!(read) {
                Ok(()) => {}
                Err(end) => return Poll::Ready(end),
            }
        }
    }

    /// Sends all that is queued. Ready when the connection ends.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        mux: &Mux,
        connection: &mut Connection<Stream>,
    ) -> Poll<End> {
        loop {
            let is_written = connection.poll_write(cx).is_ready();
            if is_written && !self.spare.has_room() {
                self.spare = connection.spare();
            }
            let takes = is_written && (!self.is_crowded || self.has_waited);
            match mux.work(cx.waker(), takes.then_some(&mut self.spare)) {
                Work::Stop => return Poll::Ready(End::Unneeded),
                Work::NoMore if connection.is_idle() => return Poll::Ready(End::Unneeded),
                Work::Queued if takes => {
                    let queue = mem::take(&mut self.spare);
                    (self.is_crowded, self.has_waited) = (queue.requests.len() > 1, false);
                    if connection.is_stale() {
                        mux.put_back(queue);
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

    /// Tells the callers that the end left without an answer, or sends their requests again.
    fn settle(&mut self, mux: &Mux, connection: &Connection<Stream>, end: &End) -> Stage {
        mux.set_open(false);
        let ended_by = match end {
            End::Closed(cause) | End::Protocol(cause) => Some(cause),
            End::Overdue(_) => Some(&Cause::Timeout),
            End::Unneeded => None,
        };
        ended_by.into_iter().for_each(|cause| mux.watch().disconnected(cause));
        let is_turned_away = !connection.has_spoken()
            && ended_by.is_some_and(|cause| mux.is_turned_away(cause, end.is_closed()));
        let mut again = Queue::new();
        for left in connection.left() {
            let request = left.request;
            let may_retry = (connection.has_spoken() || !request.is_first)
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
            let sent = left.is_sent || request.is_retried;
            let turned_away = match is_turned_away {
                false => TurnedAway::No,
                true if request.is_idempotent || !left.is_sent => TurnedAway::Again,
                true => TurnedAway::Sent,
            };
            let failure = Failure { cause, sent, turned_away };
            self.done.push((request.slot, Err(Box::new(failure))));
        }
        if !again.requests.is_empty() {
            mux.watch().retried();
        }
        mux.put_back(again);
        mux.finish(&mut self.done, &mut self.wakers, &mut self.spares);
        Stage::Idle
    }
}

impl Dialling {
    fn new(mux: &Mux) -> Self {
        let (dialer, deadline) = (Arc::clone(mux.dialer()), Deadline::after(mux.options().connect_timeout));
        let dial = Box::pin(async move { dialer.dial(deadline.at()).await });
        Self { began: deadline.began(), dial }
    }

    /// Opens a connection, and meanwhile tells the callers whose deadline passes; `None` when there is nothing to send
    /// any more.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mux: &Mux,
        timer: &mut Timer,
    ) -> Poll<Option<Result<Stream, Cause>>> {
        if matches!(mux.work(cx.waker(), None), Work::NoMore | Work::Stop) {
            return Poll::Ready(None);
        }
        if let Poll::Ready(connected) = self.dial.as_mut().poll(cx) {
            if connected.is_ok() {
                mux.watch().connected(self.began.elapsed());
            }
            return Poll::Ready(Some(connected));
        }
        while let Some(deadline) = mux.earliest() {
            ready!(timer.poll(cx, deadline));
            let cause = Cause::connect(io::ErrorKind::TimedOut.into());
            let turned_away = if mux.has_others() { TurnedAway::Again } else { TurnedAway::No };
            mux.give_up(&cause, turned_away, Some(Instant::now()));
        }
        Poll::Pending
    }
}
