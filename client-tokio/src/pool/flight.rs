//! The requests that were sent over one connection and are not answered yet. Knows no socket and no clock.

use core::ops::Range;
use std::collections::VecDeque;

use memring_text::{
    Exchange, Limits, Reply,
    exchange::{Progress, ProtocolError},
    operation::Assembly,
    reply::{Event, ServerErrorKind},
    request::{Expected, ReplyShape},
};
use tokio::time::Instant;

use super::{
    answer::Answer,
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
    /// The oldest line: its requests in the first queue.
    line: Range<usize>,
    /// Whether one of them is answered.
    is_begun: bool,
    /// The item that is arriving, or the reply to a request that has no items.
    item: Option<(Assembly, Vec<u8>)>,
    /// A complete item, and the number of its request. It is given to its caller when what follows it is right, too.
    whole: Option<(usize, Answer)>,
    other: Option<Box<Reply<Vec<u8>>>>,
    earliest: Option<Instant>,
    /// How many bytes were composed.
    composed: u64,
    has_spoken: bool,
    /// Emptied queues, kept for their buffers.
    spare: Vec<Queue>,
}

/// A request that was not answered before its connection ended.
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
            item: None,
            whole: None,
            other: None,
            earliest: None,
            composed: 0,
            has_spoken: false,
            spare: Vec::new(),
        }
    }

    /// Composes the requests of `queue` behind the bytes of `out`, and expects their replies. Calls `composed` with the
    /// end of each request in `out`.
    pub(crate) fn send(&mut self, queue: Queue, out: &mut Vec<u8>, mut composed: impl FnMut(usize)) {
        self.earliest = self.earliest.into_iter().chain(queue.earliest()).min();
        if queue.requests.is_empty() {
            return;
        }
        let base = self.composed.saturating_sub(out.len() as u64);
        let mut first = self.put(queue);
        if let Some(queue) = self.queues.back_mut() {
            while let count @ 1.. = queue.compose(first, self.most, base, out) {
                self.exchange.sent();
                composed(out.len());
                first += count;
            }
        }
        self.composed = base.saturating_add(out.len() as u64);
        if self.line.is_empty() {
            self.next_line();
        }
    }

    /// Puts the requests of `queue` behind the others, and returns where they begin in the last queue. A small queue is
    /// appended to the last one, so that it needs no buffers of its own.
    fn put(&mut self, queue: Queue) -> usize {
        let len = queue.requests.len();
        match self.queues.back_mut() {
            Some(last) if len <= FEW && last.requests.len() < MANY => {
                let first = last.requests.len();
                queue.requests.iter().for_each(|request| last.adopt(request, &queue, false));
                self.keep(queue);
                first
            }
            _ => {
                self.queues.push_back(queue);
                0
            }
        }
    }

    fn keep(&mut self, mut queue: Queue) {
        if self.spare.len() < SPARE {
            queue.clear();
            self.spare.push(queue);
        }
    }

    /// An empty queue, with the buffers of one that was done with.
    pub(crate) fn spare(&mut self) -> Queue {
        self.spare.pop().unwrap_or_default()
    }

    /// Reads received bytes, and gives every complete reply to `take`. Returns how many bytes were consumed. Values are
    /// put into the empty buffers of `spares`, and into new ones when those are used up.
    ///
    /// # Errors
    /// Any error ends the connection.
    pub(crate) fn receive(
        &mut self,
        received: &[u8],
        spares: &mut Vec<Vec<u8>>,
        mut take: impl FnMut(SlotId, Answer),
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
                    self.event(&event, is_items.then_some(index), complete, spares, &mut take);
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
        spares: &mut Vec<Vec<u8>>,
        take: &mut impl FnMut(SlotId, Answer),
    ) {
        if let Some((at, answer)) = self.whole.take() {
            self.answer(at, answer, take);
        }
        match (event, item) {
            (Event::Value(head), Some(_)) => {
                let mut value = spares.pop().unwrap_or_default();
                value.reserve_exact(head.len.min(RESERVED));
                let mut item = Assembly::default();
                item.take(event, &mut value);
                self.item = Some((item, value));
            }
            (Event::Data(_) | Event::Skipped { .. }, Some(_)) => {
                if let Some((item, value)) = &mut self.item {
                    item.take(event, value);
                }
            }
            (Event::ValueEnd, Some(index)) => {
                if let Some((item, value)) = self.item.take() {
                    let answer = item.item(value).map_or_else(Answer::Lost, Answer::Item);
                    self.whole = Some((self.line.start.saturating_add(index), answer));
                }
            }
            // A key without an item is a miss only at the end: until then the reply may still break off.
            _ if complete => {
                for at in self.line.clone() {
                    let answer = match self.other.take() {
                        Some(mut reply) => {
                            reply.take(event);
                            Answer::Other(reply)
                        }
                        None => Answer::of(event),
                    };
                    self.answer(at, answer, take);
                }
            }
            _ => self.other.get_or_insert_with(|| Box::new(Reply::new(Vec::new()))).take(event),
        }
        self.has_spoken |= !is_crowd(event);
        if complete {
            self.next_line();
        }
    }

    /// Answers request number `at` of the first queue, unless it is answered.
    fn answer(&mut self, at: usize, answer: Answer, take: &mut impl FnMut(SlotId, Answer)) {
        let request = self.queues.front_mut().and_then(|queue| queue.requests.get_mut(at));
        if let Some(request) = request.filter(|request| !request.is_answered) {
            request.is_answered = true;
            self.is_begun = true;
            take(request.slot, answer);
        }
    }

    /// The line behind the oldest one is the oldest now.
    fn next_line(&mut self) {
        self.is_begun = false;
        self.line = self.queues.front().map_or(0..0, |queue| queue.line_from(self.line.end));
        if self.line.is_empty() {
            if let Some(queue) = self.queues.pop_front() {
                self.keep(queue);
            }
            self.line = self.queues.front().map_or(0..0, |queue| queue.line_from(0));
            if self.line.is_empty() {
                self.earliest = None;
            }
        }
    }

    /// Whether everything sent is answered.
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// A moment that no deadline of a request without an answer is before.
    pub(crate) const fn earliest(&self) -> Option<Instant> {
        self.earliest
    }

    /// Looks for replies that are overdue at `now`. Returns whether the oldest is. If it is not, the connection goes
    /// on: `tell` gets the slots of the overdue ones, and their replies will be thrown away.
    pub(crate) fn find_overdue(&mut self, now: Instant, mut tell: impl FnMut(SlotId)) -> bool {
        if self.unanswered().next().is_some_and(|(_, request)| request.terms.deadline <= now) {
            return true;
        }
        let requests = self.queues.iter_mut().flat_map(|queue| &mut queue.requests).skip(self.line.start);
        let mut earliest = None;
        for request in requests.filter(|request| !request.is_answered) {
            if request.terms.deadline <= now {
                request.is_answered = true;
                tell(request.slot);
            } else {
                earliest = earliest.into_iter().chain([request.terms.deadline]).min();
            }
        }
        self.earliest = earliest;
        false
    }

    /// Whether the server has sent any part of an answer so far.
    pub(crate) const fn has_spoken(&self) -> bool {
        self.has_spoken
    }

    /// The requests that the end of the connection leaves without an answer, oldest first. `written` is how many bytes
    /// had left.
    pub(crate) fn left(&self, written: u64) -> impl Iterator<Item = Unanswered<'_>> {
        let is_begun = self.is_begun || self.item.is_some() || self.whole.is_some() || self.other.is_some();
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

/// Whether the server refuses because it has too many connections. That is no answer, and the connection counts as
/// closed.
fn is_crowd(event: &Event<'_>) -> bool {
    matches!(event, Event::Error(error) if error.kind() == ServerErrorKind::TooManyConnections)
}

/// How many requests a queue that is appended, and one that it is appended to, have at most.
const FEW: usize = 16;
const MANY: usize = 512;

/// How many emptied queues are kept.
const SPARE: usize = 4;

/// How many bytes are reserved for a value because of its announced length alone.
const RESERVED: usize = 64 * 1024;
