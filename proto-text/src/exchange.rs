//! Exchanges: which request a reply answers, and whether the connection may be used again.

use crate::{
    limits::Limits,
    meta::MetaCode,
    reply::{Event, ReplyDecoder, Status, Step},
    request::{Expected, ReplyShape},
};

mod error;
mod fast;
mod in_step;
mod meta;
mod meta_shape;
mod small_exchange;
mod small_get;

pub use error::ProtocolError;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub(crate) use fast::{Leased, WholeReply};
use in_step::InStep;
pub use small_exchange::{OneLine, SmallExchange};
pub use small_get::SmallGet;

/// One connection's bookkeeping: pairs the replies that arrive with the requests that were sent.
///
/// A server answers in the order of the requests. The caller keeps the queue of unanswered requests: a vector, a ring
/// of fixed size, or a single request. The exchange counts them, and the caller passes the oldest one at each call. The
/// exchange checks every reply, with every key, against that request: a reply that does not fit is an error, and after
/// an error the connection is never used again. That keeps one caller's value from reaching another.
///
/// The rules for a driver:
/// 1. Before the first byte of a request that [has a reply](crate::Request::has_reply) is written: [`sent`](Self::sent).
/// 2. When bytes arrive: [`decode`](Self::decode) with the oldest request, until [`Progress::NeedMore`]; at
///    `complete`, its reply has ended and the next request is the oldest.
/// 3. If a caller goes away, leave its request in the queue, as [`Abandoned`](crate::request::Abandoned) or as it is.
/// 4. Between exchanges, a connection may be kept when [`state`](Self::state) is [`Idle`](ExchangeState::Idle) and no
///    unread bytes are left, and must be closed otherwise.
///
/// ```
/// use memring_text::{
///     Exchange, Get, Key, Request,
///     exchange::{Progress, ProtocolError},
///     reply::Event,
/// };
///
/// let key = Key::new(b"mine").unwrap();
/// let request = Request::Get(Get::new(key));
/// let mut exchange = Exchange::default();
/// exchange.sent();
/// let reply = exchange.decode(b"VALUE yours 0 6\r\nsecret\r\nEND\r\n", &request);
/// assert_eq!(reply, Err(ProtocolError::WrongKey));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    decoder: ReplyDecoder,
    /// Requests sent whose reply has not ended.
    owed: usize,
    /// Where to look for the next item's key.
    next_key: usize,
    reading: Reading,
    in_step: InStep,
}

/// How far the oldest reply has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    /// Nothing of it has come.
    #[default]
    Fresh,
    /// It has begun.
    Begun,
    /// It is within the value of a meta reply, and ends with it.
    MetaValue,
}

impl Exchange {
    /// The bookkeeping of a fresh connection.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            decoder: ReplyDecoder::new(limits),
            owed: 0,
            next_key: 0,
            reading: Reading::Fresh,
            in_step: InStep::Yes,
        }
    }

    /// Begins anew: the connection was opened again.
    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    pub(crate) const fn reopened(&mut self) {
        *self = Self::new(self.decoder.limits);
    }

    /// Notes that a request will be sent that has a reply. Call this before its first byte is written: from then on the
    /// connection is busy, whatever happens.
    pub const fn sent(&mut self) {
        self.owed = self.owed.saturating_add(1);
    }

    /// The number of requests whose reply has not ended.
    #[must_use]
    pub const fn owed(&self) -> usize {
        self.owed
    }

    /// Whether the connection may be used.
    #[must_use]
    pub const fn state(&self) -> ExchangeState {
        match (&self.in_step, self.owed) {
            (InStep::Ended(_), _) => ExchangeState::MustClose,
            (_, 0) => ExchangeState::Idle,
            _ => ExchangeState::Busy,
        }
    }

    /// Whether [`decode`](Self::decode) of no bytes at all would say [`Progress::NeedMore`].
    #[inline]
    pub(crate) const fn needs_bytes(&self) -> bool {
        self.owed > 0 && matches!(self.in_step, InStep::Yes)
    }

    /// Notes that the connection cannot be used any more, for example because a request was written in part, or a time
    /// limit passed. Later calls of [`decode`](Self::decode) return [`ProtocolError::Broken`].
    pub fn fail(&mut self) {
        self.end(ProtocolError::Broken);
    }

    /// Why nothing can be asked any more, of a connection that must be closed, with what lies unread there.
    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    pub(crate) fn ended_by(&mut self, unread: &[u8]) -> ProtocolError {
        let is_unasked = self.owed == 0 && !unread.is_empty();
        self.end(if is_unasked { ProtocolError::Unasked } else { ProtocolError::Broken });
        match self.in_step {
            InStep::Ended(error) => error,
            _ => ProtocolError::Broken,
        }
    }

    /// Notes that the peer has closed its side of the connection.
    ///
    /// # Errors
    /// [`ProtocolError::Eof`] when a reply is owed, or the earlier error.
    pub fn closed(&mut self) -> Result<(), ProtocolError> {
        match self.in_step {
            InStep::Ended(ProtocolError::OutOfStep) if self.owed == 0 => Ok(()),
            InStep::Ended(error) => Err(error),
            _ => {
                self.in_step = InStep::Ended(ProtocolError::Eof);
                if self.owed == 0 { Ok(()) } else { Err(ProtocolError::Eof) }
            }
        }
    }

    /// Reads the next event from the front of `buf` and checks it against `oldest`, the oldest request whose reply has
    /// not ended. If there is no such request, `oldest` is ignored.
    ///
    /// `buf` is used as by [`ReplyDecoder::decode`].
    ///
    /// # Errors
    /// Any error is final: the connection must be closed, and every later call returns the same error. A refusal by the
    /// server is not an error here but an [`Event::Error`]. If the connection may be out of step after it,
    /// [`state`](Self::state) is [`MustClose`](ExchangeState::MustClose), and the replies behind it are
    /// [`ProtocolError::OutOfStep`].
    #[inline]
    pub fn decode<'b>(
        &mut self,
        buf: &'b [u8],
        oldest: &(impl Expected + ?Sized),
    ) -> Result<Progress<'b>, ProtocolError> {
        if let ReplyShape::Values { cas } = oldest.shape() {
            if let Some(progress) = self.item_event(buf, cas, oldest) {
                return Ok(progress);
            }
        }
        self.decode_any(buf, oldest)
    }

    /// Reads all events in `buf` of the reply to `oldest`, and calls `take` with each of them, and with the index of
    /// the key for the events of an item. The events are those of [`decode`](Self::decode); this way takes fewer steps.
    ///
    /// # Errors
    /// As of [`decode`](Self::decode); `take` has had the events before the error.
    #[inline]
    pub fn decode_each<'b>(
        &mut self,
        buf: &'b [u8],
        oldest: &(impl Expected + ?Sized),
        mut take: impl FnMut(&Event<'b>, usize),
    ) -> Result<Taken, ProtocolError> {
        if let (ReplyShape::Values { cas }, Some(key)) = (oldest.shape(), oldest.key(0)) {
            if let Some(whole) = self.whole_get(buf, key, cas) {
                if let Some((head, value)) = whole.item {
                    take(&Event::Value(head), 0);
                    if !value.is_empty() {
                        take(&Event::Data(value), 0);
                    }
                    take(&Event::ValueEnd, 0);
                }
                take(&Event::End, 0);
                return Ok(Taken { consumed: buf.len().saturating_sub(whole.rest.len()), complete: true });
            }
        }
        self.decode_each_item(buf, oldest, take)
    }

    /// As [`decode_each`](Self::decode_each), for what is not the whole reply to a get of one key.
    #[inline(never)]
    fn decode_each_item<'b>(
        &mut self,
        buf: &'b [u8],
        oldest: &(impl Expected + ?Sized),
        mut take: impl FnMut(&Event<'b>, usize),
    ) -> Result<Taken, ProtocolError> {
        let mut rest = buf;
        let mut complete = false;
        let shape = oldest.shape();
        while !complete {
            if let ReplyShape::Values { cas } = shape {
                let end;
                (rest, end) = self
                    .whole_items(rest, cas, oldest, |item, index| item.events(|event| take(event, index)));
                if let Some(index) = end {
                    take(&Event::End, index);
                    complete = true;
                    break;
                }
            }
            match self.decode_any(rest, oldest)? {
                Progress::Event { consumed, event, index, complete: last } => {
                    take(&event, index);
                    rest = rest.get(consumed..).unwrap_or(&[]);
                    complete = last;
                }
                Progress::NeedMore => break,
            }
        }
        Ok(Taken { consumed: buf.len().saturating_sub(rest.len()), complete })
    }

    /// As [`decode`](Self::decode), without a look for what is as it should be.
    #[inline(never)]
    pub(crate) fn decode_any<'b>(
        &mut self,
        buf: &'b [u8],
        oldest: &(impl Expected + ?Sized),
    ) -> Result<Progress<'b>, ProtocolError> {
        if let InStep::Ended(error) = self.in_step {
            return Err(error);
        }
        let progress = self.try_decode(buf, oldest);
        if let Err(error) = progress {
            self.in_step = InStep::Ended(error);
        }
        progress
    }

    fn try_decode<'b>(
        &mut self,
        buf: &'b [u8],
        oldest: &(impl Expected + ?Sized),
    ) -> Result<Progress<'b>, ProtocolError> {
        if self.owed == 0 {
            return if buf.is_empty() { Ok(Progress::NeedMore) } else { Err(ProtocolError::Unasked) };
        }
        let shape = oldest.shape();
        let is_plain = oldest.is_plain();
        match shape {
            ReplyShape::Meta(shape) if !is_plain => return self.decode_meta(buf, shape, oldest),
            _ => {}
        }
        if self.in_step == InStep::QuietRefused {
            return Err(ProtocolError::OutOfStep);
        }
        let step = if is_plain {
            self.decoder.decode_plain(buf, ProtocolError::Unexpected)?
        } else {
            self.decoder.decode(buf)?
        };
        let (consumed, event) = match step {
            Step::Event { consumed, event } => (consumed, event),
            Step::NeedMore => return Ok(Progress::NeedMore),
        };
        let complete = self.is_last(&event, shape, oldest)?;
        if !matches!(event, Event::Error(_)) {
            self.resolve();
        }
        let index = self.next_key.saturating_sub(1);
        if complete {
            self.complete();
        } else if self.reading == Reading::Fresh {
            self.reading = Reading::Begun;
        }
        self.end_doubts();
        Ok(Progress::Event { consumed, event, index, complete })
    }

    /// Holds an event against the shape of the oldest reply, and says whether that ends with it.
    fn is_last(
        &mut self,
        event: &Event<'_>,
        shape: ReplyShape,
        oldest: &(impl Expected + ?Sized),
    ) -> Result<bool, ProtocolError> {
        Ok(match (*event, shape) {
            (Event::Error(line), shape) => {
                self.refused(line, shape, oldest)?;
                true
            }
            (Event::Value(head), ReplyShape::Values { cas }) => {
                if head.cas.is_some() != cas {
                    return Err(if cas { ProtocolError::MissingCas } else { ProtocolError::Unexpected });
                }
                self.find_key(head.key, oldest)?;
                false
            }
            (Event::ValueEnd, ReplyShape::Any) if self.reading == Reading::MetaValue => true,
            (
                Event::Data(_) | Event::Skipped { .. } | Event::ValueEnd,
                ReplyShape::Values { .. } | ReplyShape::Any,
            )
            | (Event::Stat { .. }, ReplyShape::Stats | ReplyShape::Any)
            | (Event::Prefix { .. }, ReplyShape::Prefixes | ReplyShape::Any)
            | (Event::CacheItem(_), ReplyShape::CacheItems | ReplyShape::Any)
            | (Event::Dump(_), ReplyShape::Dump)
            | (Event::DumpKey(_), ReplyShape::DumpKeys)
            | (Event::Value(_), ReplyShape::Any) => false,
            // Some servers say `OK` before they dump, and all do before they log.
            (Event::Status(Status::Ok), ReplyShape::Dump | ReplyShape::DumpKeys | ReplyShape::Watch)
                if self.reading == Reading::Fresh =>
            {
                false
            }
            (Event::Meta(head), ReplyShape::Any) if head.code == MetaCode::Value => {
                self.reading = Reading::MetaValue;
                false
            }
            (Event::Meta(_), ReplyShape::Any) => true,
            (Event::Meta(head), ReplyShape::DumpKeys) if head.code == MetaCode::Miss => true,
            (Event::Debug(_), ReplyShape::Any) | (Event::Notice(_), ReplyShape::Admin | ReplyShape::Any) => {
                true
            }
            // Another dump is under way, or there is no such class.
            (Event::Notice(_), ReplyShape::Dump | ReplyShape::DumpKeys) if self.reading == Reading::Fresh => {
                true
            }
            (Event::Log(_), ReplyShape::Watch) if self.reading == Reading::Begun => false,
            (Event::End, ReplyShape::Values { .. } | ReplyShape::Stats | ReplyShape::Any)
            | (Event::End, ReplyShape::Prefixes | ReplyShape::CacheItems | ReplyShape::Dump)
            | (Event::Number(_), ReplyShape::Arith | ReplyShape::Any)
            | (Event::Version(_), ReplyShape::Version | ReplyShape::Any) => true,
            (Event::Status(status), shape) if shape.statuses().contains(&status) => true,
            _ => return Err(ProtocolError::Unexpected),
        })
    }

    /// Looks for the key of an item among those not yet passed by: a server answers in the order of the request.
    #[inline]
    fn find_key(&mut self, key: &[u8], oldest: &(impl Expected + ?Sized)) -> Result<(), ProtocolError> {
        while let Some(asked) = oldest.key(self.next_key) {
            self.next_key = self.next_key.saturating_add(1);
            if asked == key {
                return Ok(());
            }
        }
        Err(ProtocolError::WrongKey)
    }

    /// Notes that the oldest request is answered.
    #[inline(always)]
    const fn complete(&mut self) {
        self.owed = self.owed.saturating_sub(1);
        self.next_key = 0;
        self.reading = Reading::Fresh;
    }
}

/// The result of [`Exchange::decode_each`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How many bytes to take off the front of the buffer.
    pub consumed: usize,
    /// Whether the reply has ended, so that the next request is the oldest. If not, more bytes are needed.
    pub complete: bool,
}

/// How far the reply to the oldest request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'b> {
    /// An event of the oldest request's reply.
    Event {
        /// How many bytes to take off the front of the buffer: at least one, but none for [`Event::Silence`].
        consumed: usize,
        /// What they say.
        event: Event<'b>,
        /// For the events of an item: the index of the item's key among those of the request.
        index: usize,
        /// Whether the reply ends with this event, so that the next request is the oldest.
        complete: bool,
    },
    /// More bytes are needed.
    NeedMore,
}

/// Whether a connection may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExchangeState {
    /// All requests are answered.
    Idle,
    /// Some requests are not answered; further ones may be sent.
    Busy,
    /// The position in the stream is lost, or the peer has gone.
    MustClose,
}
