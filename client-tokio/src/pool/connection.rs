//! An open connection, which writes and reads at the same time.

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::io;

use memring_client::{Records, failure::Cause};
use memring_text::{Limits, exchange::ProtocolError};
use tokio::{io::ReadBuf, time::Instant};

use super::{
    flight::{Flight, Unanswered},
    queue::Queue,
    slots::{Failure, Outcome, SlotId},
};
use crate::socket::Transport;

/// A byte stream, and the requests that were sent over it.
#[derive(Debug)]
pub(crate) struct Connection<T> {
    io: T,
    flight: Flight,
    /// When the last request was made.
    last: Option<Instant>,
    /// A deadline that has passed, perhaps because the runtime was busy.
    excused: Option<Instant>,
    /// The bytes to write, and how many of them are written.
    out: Vec<u8>,
    out_written: usize,
    records: Records,
    /// How many bytes were written in all.
    written: u64,
    /// Why the peer takes no more bytes. What it has sent by then is still read.
    write_end: Option<Cause>,
    inbox: Box<[u8]>,
    /// How many bytes of the inbox are received and not consumed.
    received: usize,
}

/// Why a connection ends.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// The peer or the network closed it; or, after a refusal, it is unknown what the peer reads next.
    Closed(Cause),
    /// The reply is invalid, or does not fit the request.
    Protocol(Cause),
    /// The oldest reply is overdue.
    Overdue(Instant),
    /// The connection is not needed any more.
    Unneeded,
}

impl End {
    /// Whether the peer ended the connection: by closing it, or by an invalid reply.
    pub(crate) const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_) | Self::Protocol(_))
    }
}

impl<T: Transport> Connection<T> {
    /// A connection over `io`, freshly opened.
    pub(crate) fn new(io: T, limits: Limits) -> Self {
        Self {
            io,
            flight: Flight::new(limits),
            last: None,
            excused: None,
            out: Vec::new(),
            out_written: 0,
            records: Records::new(),
            written: 0,
            write_end: None,
            inbox: vec![0; INBOX.max(limits.line)].into_boxed_slice(),
            received: 0,
        }
    }

    /// Registers the connection with the current runtime.
    pub(crate) fn move_here(&mut self) -> io::Result<()> {
        self.io.move_here()
    }

    /// Whether everything sent is answered.
    pub(crate) fn is_idle(&self) -> bool {
        self.flight.is_empty()
    }

    /// Whether all bytes to be sent have left.
    pub(crate) fn is_written(&self) -> bool {
        self.out.is_empty()
    }

    /// Whether the peer has ended the connection, or sent unrequested bytes, since the last reply. The look is a system
    /// call of a quarter of a microsecond; without it, the next caller would take such bytes for its own reply.
    pub(crate) fn is_stale(&mut self) -> bool {
        self.last.is_some() && self.is_idle() && !self.io.is_silent()
    }

    /// Whether the reply that is overdue since `deadline` may have come while the runtime was too busy to notice. Each
    /// deadline is excused once.
    pub(crate) fn is_late_itself(&mut self, deadline: Instant) -> bool {
        let is_new = self.excused.replace(deadline) != Some(deadline);
        is_new && !self.io.is_silent()
    }

    /// When the last request was made, if everything is answered.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        self.last.filter(|_| self.is_idle() && self.is_written())
    }

    /// Sends the requests of `queue`.
    pub(crate) fn send(&mut self, mut queue: Queue) {
        if self.last.is_none() {
            queue.begin_connection();
        }
        self.last = queue.requests.last().map(|request| request.terms.begin);
        let Self { io, flight, out, records, .. } = self;
        flight.send(queue, out, |end| {
            if io.has_records() {
                records.request_ends(end);
            }
        });
    }

    /// Writes until the peer takes no more for now (pending) or everything has left.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.write_end.is_none() {
            let until = self.records.writable(self.out_written, self.out.len());
            let rest = self.out.get(self.out_written..until).unwrap_or(&[]);
            if rest.is_empty() {
                // Encrypted bytes may not have left yet.
                match Pin::new(&mut self.io).poll_flush(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => {
                        self.write_end = Some(T::cause_of(error));
                        return Poll::Pending;
                    }
                }
                self.records.all_written(self.out.len());
                self.out.clear();
                self.out.shrink_to(OUT);
                self.out_written = 0;
                return Poll::Ready(());
            }
            match Pin::new(&mut self.io).poll_write(cx, rest) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0)) => {
                    self.write_end = Some(Cause::from(io::Error::from(io::ErrorKind::WriteZero)));
                }
                Poll::Ready(Ok(len)) => {
                    self.out_written = self.out_written.saturating_add(len);
                    self.written = self.written.saturating_add(len as u64);
                }
                Poll::Ready(Err(error)) => {
                    if self.io.may_have_sent() {
                        self.written = self.written.saturating_add(rest.len() as u64);
                    }
                    self.write_end = Some(T::cause_of(error));
                }
            }
        }
        Poll::Pending
    }

    /// Reads once, values into `spares` as long as there are some; outcomes that are complete go to `done`.
    ///
    /// # Errors
    /// The end of the connection. Outcomes may have come before it.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        spares: &mut Vec<Vec<u8>>,
        done: &mut Vec<(SlotId, Outcome)>,
    ) -> Poll<Result<(), End>> {
        let mut free = ReadBuf::new(self.inbox.get_mut(self.received..).unwrap_or(&mut []));
        let read = match Pin::new(&mut self.io).poll_read(cx, &mut free) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(read) => read.map(|()| free.filled().len()),
        };
        Poll::Ready(match read {
            Ok(0) => Err(End::Closed(self.write_end.take().unwrap_or(Cause::Closed(None)))),
            Ok(len) => {
                self.received = self.received.saturating_add(len);
                self.decode(spares, done)
            }
            Err(error) => Err(match T::cause_of(error) {
                cause @ Cause::Tls(_) => End::Protocol(cause),
                cause => End::Closed(cause),
            }),
        })
    }

    fn decode(&mut self, spares: &mut Vec<Vec<u8>>, done: &mut Vec<(SlotId, Outcome)>) -> Result<(), End> {
        let received = self.inbox.get(..self.received).unwrap_or(&[]);
        let consumed =
            match self.flight.receive(received, spares, |slot, answer| done.push((slot, Ok(answer)))) {
                Ok(consumed) => consumed.min(self.received),
                // The server refused one request, which is no fault of the others.
                Err(error @ ProtocolError::OutOfStep) => return Err(End::Closed(Cause::from(error))),
                Err(error) => return Err(End::Protocol(Cause::from(error))),
            };
        self.inbox.copy_within(consumed..self.received, 0);
        self.received = self.received.saturating_sub(consumed);
        Ok(())
    }

    /// A time before which no reply is overdue.
    pub(crate) const fn earliest(&self) -> Option<Instant> {
        self.flight.earliest()
    }

    /// Looks for replies that are overdue, and puts their callers' outcomes into `done`. Returns whether the oldest is
    /// overdue, which ends the connection.
    pub(crate) fn find_overdue(&mut self, done: &mut Vec<(SlotId, Outcome)>) -> bool {
        let overdue = || Failure::new(Cause::Timeout, true);
        self.flight.find_overdue(Instant::now(), |slot| done.push((slot, Err(Box::new(overdue())))))
    }

    /// Whether the server has sent anything at all. If it has, it may have closed the connection for its age, or
    /// because of another caller's request.
    pub(crate) const fn has_spoken(&self) -> bool {
        self.flight.has_spoken()
    }

    /// An empty queue.
    pub(crate) fn spare(&mut self) -> Queue {
        self.flight.spare()
    }

    /// The requests that the end leaves without an answer, oldest first.
    pub(crate) fn left(&self) -> impl Iterator<Item = Unanswered<'_>> {
        self.flight.left(self.written)
    }
}

/// How many bytes are read at once.
const INBOX: usize = 32 * 1024;

/// How much capacity is kept for bytes to write.
const OUT: usize = 64 * 1024;
