//! Which request a reply answers, and whether the connection may be used again.

use core::fmt;

use crate::{
    limits::Limits,
    meta::{MetaCode, MetaShape, MetaVerb},
    reply::{Event, ItemHead, Status},
    reply_decoder::{DecodeError, Found, ReplyDecoder, Step, WholeItem},
};

mod usual;

#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub(crate) use usual::Usual;

/// What a request waits for. Implemented by [`Request`](crate::Request) and [`Keys`]; a client that queues requests
/// implements it for what it queues.
pub trait Expected {
    /// What a complete reply looks like.
    fn shape(&self) -> ReplyShape;

    /// The key number `index` that was asked for, counted from 0 in the order of the request line.
    fn key(&self, index: usize) -> Option<&[u8]>;

    /// The opaque token of a meta request.
    fn opaque(&self) -> Option<&[u8]> {
        None
    }
}

impl<E: Expected + ?Sized> Expected for &E {
    fn shape(&self) -> ReplyShape {
        (**self).shape()
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        (**self).key(index)
    }

    fn opaque(&self) -> Option<&[u8]> {
        (**self).opaque()
    }
}

/// What a complete reply looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplyShape {
    /// Items, then `END`.
    Values {
        /// Each item has its cas unique.
        cas: bool,
    },
    /// `STORED` or `NOT_STORED`.
    Store,
    /// `STORED`, `EXISTS` or `NOT_FOUND`.
    Cas,
    /// `DELETED` or `NOT_FOUND`.
    Delete,
    /// `TOUCHED` or `NOT_FOUND`.
    Touch,
    /// A number or `NOT_FOUND`.
    Arith,
    /// `OK`.
    Ok,
    /// `RESET`.
    Reset,
    /// `VERSION …`.
    Version,
    /// Lines of statistics, then `END`.
    Stats,
    /// `PREFIX …` lines, then `END`.
    Prefixes,
    /// `ITEM …` lines, then `END`.
    CacheItems,
    /// `key=…` lines, then `END`.
    Dump,
    /// `mg …` lines, then `EN`.
    DumpKeys,
    /// `OK`, or a [`Notice`](crate::Notice).
    Admin,
    /// `OK`, and log lines for ever, which are not for an exchange to read.
    Watch,
    /// The connection is closed, or an error line comes.
    Close,
    /// `STORED`: user and password are right.
    Auth,
    /// A meta reply.
    Meta(MetaShape),
    /// No reply at all.
    Nothing,
    /// Whatever comes, up to its end: the reply to a request that nobody waits for any more.
    Any,
}

impl ReplyShape {
    const fn statuses(self) -> &'static [Status] {
        match self {
            Self::Store => &[Status::Stored, Status::NotStored],
            Self::Cas => &[Status::Stored, Status::Exists, Status::NotFound],
            Self::Delete => &[Status::Deleted, Status::NotFound],
            Self::Touch => &[Status::Touched, Status::NotFound],
            Self::Arith => &[Status::NotFound],
            Self::Ok | Self::Admin | Self::Watch => &[Status::Ok],
            Self::Auth => &[Status::Stored],
            Self::Reset => &[Status::Reset],
            Self::Any => &Status::ALL,
            _ => &[],
        }
    }
}

/// A request that nobody waits for any more: its reply is read to the end and thrown away.
///
/// Not in the place of a quiet request, which may have no reply, nor of a dump: leave those as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Abandoned;

impl Expected for Abandoned {
    fn shape(&self) -> ReplyShape {
        ReplyShape::Any
    }

    fn key(&self, _: usize) -> Option<&[u8]> {
        None
    }
}

/// The keys of one multi-get line, in their order, for [`Exchange::decode`].
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a, K> {
    /// The keys on the line.
    pub keys: &'a [K],
    /// Was it `gets` or `gats`?
    pub cas: bool,
}

impl<K: AsRef<[u8]>> Expected for Keys<'_, K> {
    fn shape(&self) -> ReplyShape {
        ReplyShape::Values { cas: self.cas }
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        self.keys.get(index).map(AsRef::as_ref)
    }
}

/// One connection's bookkeeping: pairs the replies that arrive with the requests that were sent.
///
/// A server answers in the order of the requests, so the queue of what is owed stays where it is best kept, with the
/// caller: a vector, a ring of fixed size, or nothing but the one request in hand. The exchange counts, and is lent
/// the oldest entry at each call. It holds every reply against what was asked, every key included: a reply that does
/// not fit is an error, and after an error the connection is never used again. That is what keeps one caller's value
/// from reaching another.
///
/// The rules for a driver:
/// 1. Before the first byte of a request that [has a reply](crate::Request::has_reply) is written: [`sent`](Self::sent).
/// 2. When bytes arrive: [`decode`](Self::decode) with the oldest request, until [`Progress::NeedMore`]; at
///    `complete`, its reply has ended and the next request is the oldest.
/// 3. A caller that goes away leaves its request in the queue, as [`Abandoned`] or as it is.
/// 4. Between exchanges, a connection may be kept when [`state`](Self::state) is [`Idle`](ExchangeState::Idle) and no
///    unread bytes are left, and must be closed otherwise.
///
/// ```
/// use memring_text::{Event, Exchange, Get, GetVerb, Key, Progress, ProtocolError, Request};
///
/// let key = Key::new(b"mine").unwrap();
/// let request = Request::Get(Get { verb: GetVerb::Get, key });
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
    /// Has the oldest reply begun?
    begun: bool,
    /// Where to look for the next item's key.
    next_key: usize,
    /// The value that is being read belongs to a meta reply, which ends with it.
    meta_value: bool,
    /// A request of a quiet run was refused, and it is not known which.
    doubt: bool,
    end: Option<ProtocolError>,
}

impl Exchange {
    /// The bookkeeping of a fresh connection.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            decoder: ReplyDecoder::new(limits),
            owed: 0,
            begun: false,
            next_key: 0,
            meta_value: false,
            doubt: false,
            end: None,
        }
    }

    /// Notes that a request goes out which will be answered. Call this before its first byte is written: from then
    /// on the connection is busy, whatever happens.
    pub const fn sent(&mut self) {
        self.owed = self.owed.saturating_add(1);
    }

    /// How many requests are owed a reply.
    #[must_use]
    pub const fn owed(&self) -> usize {
        self.owed
    }

    /// May the connection be used?
    #[must_use]
    pub const fn state(&self) -> ExchangeState {
        match (&self.end, self.owed) {
            (Some(_), _) => ExchangeState::MustClose,
            (None, 0) => ExchangeState::Idle,
            (None, _) => ExchangeState::Busy,
        }
    }

    /// Would [`decode`](Self::decode) of no bytes at all say [`Progress::NeedMore`]?
    #[inline]
    pub(crate) const fn needs_bytes(&self) -> bool {
        self.owed > 0 && self.end.is_none() && !self.doubt
    }

    /// Notes that the connection is lost to further use, because a request was written in part, or a time limit
    /// passed. Later calls of [`decode`](Self::decode) return [`ProtocolError::Broken`].
    pub fn fail(&mut self) {
        self.end.get_or_insert(ProtocolError::Broken);
    }

    /// Notes that the peer has closed its side, and says whether that was in order.
    ///
    /// # Errors
    /// [`ProtocolError::Eof`] when a reply is owed, or the earlier error.
    pub fn closed(&mut self) -> Result<(), ProtocolError> {
        match self.end {
            Some(ProtocolError::OutOfStep) if self.owed == 0 => Ok(()),
            Some(error) => Err(error),
            None => {
                self.end = Some(ProtocolError::Eof);
                if self.owed == 0 { Ok(()) } else { Err(ProtocolError::Eof) }
            }
        }
    }

    /// Reads the next event from the front of `buf` and holds it against `oldest`, the oldest request that is owed
    /// a reply. With nothing owed, `oldest` is not looked at.
    ///
    /// `buf` is used as by [`ReplyDecoder::decode`].
    ///
    /// # Errors
    /// Any error is final: the connection must be closed, and every later call returns the same error. A refusal by
    /// the server is not an error here but an [`Event::Error`]; when the connection is no longer in step after it,
    /// [`state`](Self::state) says so, and the replies behind it are [`ProtocolError::OutOfStep`].
    #[inline]
    pub fn decode<'b>(
        &mut self,
        buf: &'b [u8],
        oldest: &(impl Expected + ?Sized),
    ) -> Result<Progress<'b>, ProtocolError> {
        if let ReplyShape::Values { cas } = oldest.shape() {
            if let Some(progress) = self.decode_item(buf, cas, oldest) {
                return Ok(progress);
            }
        }
        self.decode_any(buf, oldest)
    }

    /// Reads every event that is there of the reply to `oldest`, and gives each to `take`; with those of an item, which
    /// of the request's keys it has. The same events as by [`decode`](Self::decode), in fewer steps.
    ///
    /// # Errors
    /// As [`decode`](Self::decode); the events before it have been taken.
    #[inline]
    pub fn decode_each<'b>(
        &mut self,
        buf: &'b [u8],
        oldest: &(impl Expected + ?Sized),
        mut take: impl FnMut(&Event<'b>, usize),
    ) -> Result<Taken, ProtocolError> {
        let mut rest = buf;
        let mut complete = false;
        let shape = oldest.shape();
        if let (ReplyShape::Values { cas }, Some(key)) = (shape, oldest.key(0)) {
            if let Some(whole) = self.usual_get(buf, key, cas) {
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

    /// Takes the items of the reply to a get that are there whole and as they should be, and its end, and gives each item
    /// to `take`. Gives what is left, and, if the end was there, the index that goes with it.
    #[inline(always)]
    pub(crate) fn whole_items<'b>(
        &mut self,
        buf: &'b [u8],
        cas: bool,
        oldest: &(impl Expected + ?Sized),
        mut take: impl FnMut(&WholeItem<'b>, usize),
    ) -> (&'b [u8], Option<usize>) {
        let mut rest = buf;
        if !self.needs_bytes() || !self.decoder.is_between_lines() {
            return (rest, None);
        }
        while let Some(item) = self.decoder.whole_item(rest, oldest.key(self.next_key)) {
            if self.admit(&item.head, cas, item.expected, oldest).is_none() {
                return (rest, None);
            }
            let index = self.next_key.saturating_sub(1);
            self.begun = true;
            take(&item, index);
            rest = item.rest;
        }
        let Some(behind) = self.decoder.items_end(rest) else { return (rest, None) };
        let index = self.next_key.saturating_sub(1);
        self.complete();
        (behind, Some(index))
    }

    /// The oldest request is answered.
    #[inline(always)]
    fn complete(&mut self) {
        self.owed = self.owed.saturating_sub(1);
        self.next_key = 0;
        self.begun = false;
    }

    /// Holds an item's head against what was asked. What does not fit ends the connection.
    #[inline(always)]
    fn admit(
        &mut self,
        head: &ItemHead<'_>,
        cas: bool,
        expected: bool,
        oldest: &(impl Expected + ?Sized),
    ) -> Option<()> {
        if head.cas.is_some() != cas {
            self.end = Some(if cas { ProtocolError::MissingCas } else { ProtocolError::Unexpected });
            return None;
        }
        if expected {
            self.next_key = self.next_key.saturating_add(1);
            return Some(());
        }
        self.find_key(head.key, oldest).map_err(|error| self.end = Some(error)).ok()
    }

    /// The next event of the reply to a get, if all is as it should be.
    #[inline(always)]
    fn decode_item<'b>(
        &mut self,
        buf: &'b [u8],
        cas: bool,
        oldest: &(impl Expected + ?Sized),
    ) -> Option<Progress<'b>> {
        if self.end.is_some() || self.owed == 0 || self.doubt {
            return None;
        }
        let Found { consumed, event, expected } = self.decoder.decode_item(buf, oldest.key(self.next_key))?;
        let complete = match event {
            Event::Value(head) => {
                self.admit(&head, cas, expected, oldest)?;
                false
            }
            Event::End => true,
            _ => false,
        };
        let index = self.next_key.saturating_sub(1);
        self.begun = !complete;
        if complete {
            self.owed = self.owed.saturating_sub(1);
            self.next_key = 0;
        }
        Some(Progress::Event { consumed, event, index, complete })
    }

    #[inline(never)]
    fn decode_any<'b>(
        &mut self,
        buf: &'b [u8],
        oldest: &(impl Expected + ?Sized),
    ) -> Result<Progress<'b>, ProtocolError> {
        if let Some(error) = self.end {
            return Err(error);
        }
        let progress = self.try_decode(buf, oldest);
        if let Err(error) = progress {
            self.end = Some(error);
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
        if let ReplyShape::Meta(shape) = shape {
            return self.decode_meta(buf, shape, oldest);
        }
        if self.doubt {
            return Err(ProtocolError::OutOfStep);
        }
        let (consumed, event) = match self.decoder.decode(buf)? {
            Step::Event { consumed, event } => (consumed, event),
            Step::NeedMore => return Ok(Progress::NeedMore),
        };
        let complete = match (event, shape) {
            (Event::Error(line), _) => {
                if self.begun || !line.keeps_in_step() {
                    self.end = Some(ProtocolError::OutOfStep);
                }
                true
            }
            (Event::Value(head), ReplyShape::Values { cas }) => {
                if head.cas.is_some() != cas {
                    return Err(if cas { ProtocolError::MissingCas } else { ProtocolError::Unexpected });
                }
                self.find_key(head.key, oldest)?;
                false
            }
            (Event::ValueEnd, ReplyShape::Any) if self.meta_value => {
                self.meta_value = false;
                true
            }
            (Event::Data(_) | Event::ValueEnd, ReplyShape::Values { .. } | ReplyShape::Any)
            | (Event::Stat { .. }, ReplyShape::Stats | ReplyShape::Any)
            | (Event::Prefix { .. }, ReplyShape::Prefixes | ReplyShape::Any)
            | (Event::CacheItem(_), ReplyShape::CacheItems | ReplyShape::Any)
            | (Event::Dump(_), ReplyShape::Dump)
            | (Event::DumpKey(_), ReplyShape::DumpKeys)
            | (Event::Value(_), ReplyShape::Any) => false,
            // Some servers say `OK` before they dump.
            (Event::Status(Status::Ok), ReplyShape::Dump | ReplyShape::DumpKeys) if !self.begun => false,
            (Event::Meta(head), ReplyShape::Any) => {
                self.meta_value = head.code == MetaCode::Value;
                !self.meta_value
            }
            (Event::Meta(head), ReplyShape::DumpKeys) if head.code == MetaCode::Miss => true,
            (Event::Debug(_), ReplyShape::Any) | (Event::Notice(_), ReplyShape::Admin | ReplyShape::Any) => {
                true
            }
            (Event::Status(Status::Ok), ReplyShape::Watch) => {
                self.end = Some(ProtocolError::OutOfStep);
                true
            }
            (Event::End, ReplyShape::Values { .. } | ReplyShape::Stats | ReplyShape::Any)
            | (Event::End, ReplyShape::Prefixes | ReplyShape::CacheItems | ReplyShape::Dump)
            | (Event::Number(_), ReplyShape::Arith | ReplyShape::Any)
            | (Event::Version(_), ReplyShape::Version | ReplyShape::Any) => true,
            (Event::Status(status), shape) if shape.statuses().contains(&status) => true,
            _ => return Err(ProtocolError::Unexpected),
        };
        let index = self.next_key.saturating_sub(1);
        self.begun = !complete;
        if complete {
            self.owed = self.owed.saturating_sub(1);
            self.next_key = 0;
        }
        Ok(Progress::Event { consumed, event, index, complete })
    }

    /// Reads the next event for a meta request.
    ///
    /// A quiet one may have no reply. That shows when a reply comes that is another's: then nothing is consumed, and
    /// the event is [`Event::Silence`].
    fn decode_meta<'b>(
        &mut self,
        buf: &'b [u8],
        shape: MetaShape,
        oldest: &(impl Expected + ?Sized),
    ) -> Result<Progress<'b>, ProtocolError> {
        if self.doubt && !shape.is_quiet() && shape.verb() != MetaVerb::Noop {
            return Err(ProtocolError::OutOfStep);
        }
        let before = self.decoder.clone();
        let (consumed, event) = match self.decoder.decode(buf)? {
            Step::Event { consumed, event } => (consumed, event),
            Step::NeedMore => return Ok(Progress::NeedMore),
        };
        let (key, opaque) = (oldest.key(0).unwrap_or(&[]), oldest.opaque());
        if shape.is_quiet() && !self.begun {
            let is_mine = match event {
                Event::Error(_) => true,
                Event::Meta(head) => {
                    shape.is_answered_by(&head, key, opaque).ok_or(ProtocolError::Unidentified)?
                }
                _ => false,
            };
            if !is_mine {
                self.decoder = before;
                self.owed = self.owed.saturating_sub(1);
                let event = Event::Silence { sure: !self.doubt };
                return Ok(Progress::Event { consumed: 0, event, index: 0, complete: true });
            }
        }
        let complete = match event {
            Event::Error(line) => {
                if self.begun || !line.keeps_in_step() {
                    self.end = Some(ProtocolError::OutOfStep);
                }
                self.doubt = shape.is_quiet();
                true
            }
            Event::Meta(head) => {
                shape.check(&head, key, opaque)?;
                self.doubt = false;
                head.code != MetaCode::Value
            }
            Event::Data(_) => false,
            Event::ValueEnd => true,
            Event::Debug(line) if shape.verb() == MetaVerb::Debug => {
                if line.key != key && !crate::base64::is_of(line.key, key) {
                    return Err(ProtocolError::WrongKey);
                }
                true
            }
            _ => return Err(ProtocolError::Unexpected),
        };
        self.begun = !complete;
        // The caller may go away in the middle of the value.
        self.meta_value = !complete;
        if complete {
            self.owed = self.owed.saturating_sub(1);
        }
        Ok(Progress::Event { consumed, event, index: 0, complete })
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
}

/// What [`Exchange::decode_each`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How many bytes to take off the front of the buffer.
    pub consumed: usize,
    /// The reply has ended: the request is answered, and the next one is the oldest. Otherwise more bytes are needed.
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
        /// For the events of an item: which of the request's keys it has.
        index: usize,
        /// The reply ends here: the request is answered, and the next one is the oldest.
        complete: bool,
    },
    /// More bytes are needed.
    NeedMore,
}

/// Whether a connection may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExchangeState {
    /// Nothing is owed.
    Idle,
    /// Replies are owed; further requests may be sent behind.
    Busy,
    /// The position in the stream is lost, or the peer has gone.
    MustClose,
}

/// What came from the peer is not what was asked for. The connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The bytes are no reply, or exceed a limit.
    Decode(DecodeError),
    /// An item has a key that was not asked for, or not in this place.
    WrongKey,
    /// A reply lacks the opaque token of its request, or has another.
    WrongOpaque,
    /// A reply came that one of several quiet requests may have caused, and has neither opaque nor key to tell which.
    Unidentified,
    /// An item lacks the cas unique that was asked for.
    MissingCas,
    /// The reply belongs to another kind of request.
    Unexpected,
    /// Bytes came that nobody asked for.
    Unasked,
    /// The peer closed the connection before the reply was complete.
    Eof,
    /// The server refused an earlier request in a way that leaves unclear what it reads next.
    OutOfStep,
    /// The driver gave the connection up.
    Broken,
}

impl From<DecodeError> for ProtocolError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decode(error) => return error.fmt(f),
            Self::WrongKey => "reply has a key that was not asked for",
            Self::WrongOpaque => "reply has another opaque than its request",
            Self::Unidentified => "reply does not say which quiet request it answers",
            Self::MissingCas => "reply lacks the cas unique that was asked for",
            Self::Unexpected => "reply does not belong to the request",
            Self::Unasked => "bytes came that nobody asked for",
            Self::Eof => "connection closed before the reply was complete",
            Self::OutOfStep => "connection out of step after a refusal",
            Self::Broken => "connection given up",
        })
    }
}

impl core::error::Error for ProtocolError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Decode(error) => Some(error),
            _ => None,
        }
    }
}
