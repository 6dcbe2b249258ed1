//! What was sent over one connection and is not answered yet. Knows no socket and no clock.

use core::ops::Range;
use std::collections::VecDeque;

use memring_text::{Event, Exchange, Expected, Limits, Progress, ProtocolError, Reply, ReplyShape};
use tokio::time::Instant;

use crate::{
    queue::{Line, Queue, Queued},
    slots::SlotId,
};

/// The requests of one connection from the moment they are written until their replies have ended, in order.
#[derive(Debug)]
pub(crate) struct Flight {
    exchange: Exchange,
    /// How many items one reply may have.
    most: usize,
    queues: VecDeque<Queue>,
    /// The oldest line: which requests of the first queue are on it.
    line: Range<usize>,
    /// Whether one of them is answered.
    is_begun: bool,
    /// The reply that comes in, as far as it has come.
    reply: Option<Reply<Vec<u8>>>,
    /// How many bytes were composed.
    composed: u64,
    has_answered: bool,
    /// The last queue that was done with.
    spare: Queue,
}

/// A request that the end of its connection leaves without an answer.
pub(crate) struct Unanswered<'q> {
    pub(crate) queue: &'q Queue,
    pub(crate) request: &'q Queued,
    /// Whether any of it was written.
    pub(crate) is_sent: bool,
    /// Whether a reply to it, or to a request on the same line, has begun.
    pub(crate) is_begun: bool,
}

impl Flight {
    /// A fresh connection.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            exchange: Exchange::new(limits),
            most: usize::try_from(limits.items).unwrap_or(usize::MAX).max(1),
            queues: VecDeque::new(),
            line: 0..0,
            is_begun: false,
            reply: None,
            composed: 0,
            has_answered: false,
            spare: Queue::new(),
        }
    }

    /// Sends the requests of `queue`: composes them behind what is in `out`, and waits for their replies.
    pub(crate) fn send(&mut self, mut queue: Queue, out: &mut Vec<u8>) {
        let base = self.composed.saturating_sub(out.len() as u64);
        let mut first = 0;
        loop {
            match queue.compose(first, self.most, base, out) {
                0 => break,
                count => {
                    self.exchange.sent();
                    first += count;
                }
            }
        }
        self.composed = base.saturating_add(out.len() as u64);
        if first > 0 {
            self.queues.push_back(queue);
        }
        if self.line.is_empty() {
            self.next_line();
        }
    }

    /// An empty queue, with the room of one that was done with.
    pub(crate) fn spare(&mut self) -> Queue {
        core::mem::take(&mut self.spare)
    }

    /// Takes what was received, and gives every complete reply to `take`. Says how many bytes are done with.
    ///
    /// # Errors
    /// Any error ends the connection.
    pub(crate) fn receive(
        &mut self,
        received: &[u8],
        mut take: impl FnMut(SlotId, Reply<Vec<u8>>),
    ) -> Result<usize, ProtocolError> {
        let mut rest = received;
        loop {
            let line = self.line.clone();
            let oldest = self.queues.front().map_or(Line::NONE, |queue| queue.line(line));
            match self.exchange.decode(rest, &oldest)? {
                Progress::NeedMore => return Ok(received.len().saturating_sub(rest.len())),
                Progress::Event { consumed, event, index, complete } => {
                    rest = rest.get(consumed..).unwrap_or(&[]);
                    let is_items = matches!(oldest.shape(), ReplyShape::Values { .. });
                    self.event(&event, is_items.then_some(index), complete, &mut take);
                }
            }
        }
    }

    /// `item`: with a reply of items, to which of the line's keys the event belongs.
    fn event(
        &mut self,
        event: &Event<'_>,
        item: Option<usize>,
        complete: bool,
        take: &mut impl FnMut(SlotId, Reply<Vec<u8>>),
    ) {
        match (event, item) {
            (Event::Value(head), Some(_)) => {
                self.reply = Some(Reply::new(Vec::with_capacity(head.len.min(RESERVED))));
                self.take(event);
            }
            (Event::ValueEnd, Some(index)) => {
                self.take(event);
                self.answer(self.line.start.saturating_add(index), &Event::End, take);
            }
            // What has no item by the end is a miss, and no sooner: until then the line may still break off.
            _ if complete => self.line.clone().for_each(|at| self.answer(at, event, take)),
            _ => self.take(event),
        }
        if complete {
            self.has_answered = true;
            self.next_line();
        }
    }

    fn take(&mut self, event: &Event<'_>) {
        self.reply.get_or_insert_with(|| Reply::new(Vec::new())).take(event);
    }

    /// Answers request number `at` of the first queue, unless it is answered, with what has come of its reply and `last`.
    fn answer(&mut self, at: usize, last: &Event<'_>, take: &mut impl FnMut(SlotId, Reply<Vec<u8>>)) {
        let request = self.queues.front_mut().and_then(|queue| queue.requests.get_mut(at));
        let Some(request) = request.filter(|request| !request.is_answered) else { return };
        request.is_answered = true;
        let slot = request.slot;
        self.is_begun = true;
        self.take(last);
        if let Some(reply) = self.reply.take() {
            take(slot, reply);
        }
    }

    /// The line behind the oldest one is the oldest now.
    fn next_line(&mut self) {
        self.is_begun = false;
        self.line = self.queues.front().map_or(0..0, |queue| queue.line_from(self.line.end));
        if self.line.is_empty() {
            if let Some(mut queue) = self.queues.pop_front() {
                queue.clear();
                self.spare = queue;
            }
            self.line = self.queues.front().map_or(0..0, |queue| queue.line_from(0));
        }
    }

    /// When the oldest request that is not answered must be.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.unanswered().next().map(|(_, request)| request.terms.deadline)
    }

    /// Whether the server answered anything so far.
    pub(crate) const fn has_answered(&self) -> bool {
        self.has_answered
    }

    /// What the end of the connection leaves without an answer, oldest first. `written`: how many bytes had left.
    pub(crate) fn left(&self, written: u64) -> impl Iterator<Item = Unanswered<'_>> {
        let is_begun = self.is_begun || self.reply.is_some();
        let begun = self.queues.front().filter(|_| is_begun).map(|queue| queue.line(self.line.clone()));
        self.unanswered().map(move |(queue, request)| Unanswered {
            queue,
            request,
            is_sent: request.at < written,
            is_begun: begun.is_some_and(|line| line.has(request)),
        })
    }

    fn unanswered(&self) -> impl Iterator<Item = (&Queue, &Queued)> {
        let requests =
            self.queues.iter().flat_map(|queue| queue.requests.iter().map(move |request| (queue, request)));
        requests.skip(self.line.start).filter(|(_, request)| !request.is_answered)
    }
}

/// How much is set aside for a value, in bytes, on the strength of its announced length alone.
const RESERVED: usize = 64 * 1024;
