//! A connection without its byte stream: what is to be written, what was read, and whether it may be used.

use core::fmt;

use crate::{
    buffer::{Buffer, SliceBuffer},
    connection::items::{Lent, Pieces},
    exchange::{Exchange, ExchangeState, Progress, ProtocolError, Taken},
    key::Key,
    limits::Limits,
    operation::{Item, Reply, ReplyError, ValueError},
    reply::Event,
    request::{Encode, Expected, GetVerb, Keys, LINE_END, MAX_HEAD_LEN, encode_head},
};

/// One side of a conversation, in a buffer of the caller.
#[derive(Debug)]
pub(super) struct Dialog<B> {
    inbox: Inbox<B>,
    exchange: Exchange,
    /// Bytes written since nothing was owed, and whether the oldest reply has begun.
    written: usize,
    answered: bool,
    pub(super) unflushed: bool,
    /// Something has begun that must come to its end before anything else begins: a request is being written, or one
    /// call's reply is being read. Still set when the next thing begins, it shows that a future was dropped.
    pub(super) unfinished: bool,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Dialog<B> {
    pub(super) fn new(buffer: B, limits: Limits) -> Self {
        let line = limits.line.min(buffer.as_ref().len());
        Self {
            inbox: Inbox { bytes: buffer, start: 0, end: 0 },
            exchange: Exchange::new(Limits { line, ..limits }),
            written: 0,
            answered: false,
            unflushed: false,
            unfinished: false,
        }
    }

    pub(super) fn state(&self) -> ExchangeState {
        match self.exchange.state() {
            _ if self.unfinished => ExchangeState::MustClose,
            ExchangeState::Idle if !self.inbox.unread().is_empty() => ExchangeState::MustClose,
            state => state,
        }
    }

    pub(super) fn may_retry(&self, request: &(impl Encode + ?Sized)) -> bool {
        !self.answered && request.may_retry(self.written)
    }

    /// Begins anew, in the same buffer.
    pub(super) const fn reopened(&mut self) {
        self.exchange.reopened();
        (self.inbox.start, self.inbox.end) = (0, 0);
        (self.written, self.answered) = (0, false);
        (self.unflushed, self.unfinished) = (false, false);
    }

    pub(super) fn into_buffer(self) -> B {
        self.inbox.bytes
    }

    pub(super) const fn owed(&self) -> usize {
        self.exchange.owed()
    }

    /// Before a request whose reply must be the next to come.
    pub(super) fn begin_call(&mut self) -> Result<(), ProtocolError> {
        if self.exchange.owed() == 0 {
            return Ok(());
        }
        self.exchange.fail();
        Err(self.exchange.ended_by(&[]))
    }

    /// Before the first byte of a request.
    pub(super) fn begin(&mut self, has_reply: bool) -> Result<(), ProtocolError> {
        if self.unfinished {
            self.exchange.fail();
        }
        match self.state() {
            ExchangeState::MustClose => {
                return Err(self.exchange.ended_by(self.inbox.unread()));
            }
            ExchangeState::Idle => (self.written, self.answered) = (0, false),
            ExchangeState::Busy => {}
        }
        if has_reply {
            self.exchange.sent();
        }
        (self.unflushed, self.unfinished) = (true, true);
        Ok(())
    }

    /// What to write, in one piece where it fits behind what was read; `spare` serves where not even its line does.
    #[inline]
    pub(super) fn compose<'a>(
        &'a mut self,
        request: &'a (impl Encode + ?Sized),
        spare: &'a mut Spare,
    ) -> Outgoing<'a> {
        let place = place(self.inbox.free(), spare);
        let mut whole = SliceBuffer::new(place);
        // Never full: the longest line is shorter than MAX_HEAD_LEN.
        encode_head(request, &mut whole);
        let pieces = match request.value() {
            None => [whole.into_filled(), &[], &[]],
            Some(value) if value.as_bytes().len().saturating_add(LINE_END.len()) <= whole.free() => {
                // Both fit, as has just been seen.
                let _ = whole.put(value.as_bytes());
                let _ = whole.put(LINE_END);
                [whole.into_filled(), &[], &[]]
            }
            Some(value) => [whole.into_filled(), value.as_bytes(), LINE_END],
        };
        Outgoing { pieces, written: &mut self.written }
    }

    /// A part of a request, to be written as it is.
    pub(super) const fn part<'a>(&'a mut self, bytes: &'a [u8]) -> Outgoing<'a> {
        Outgoing { pieces: [bytes, &[], &[]], written: &mut self.written }
    }

    /// One line with as many of `keys` as fit, at least one, and how many that are; `spare` serves where the buffer is
    /// too small for that.
    pub(super) fn compose_get<'a>(
        &'a mut self,
        verb: GetVerb,
        keys: &[Key<'_>],
        spare: &'a mut Spare,
    ) -> (Outgoing<'a>, usize) {
        let place = place(self.inbox.free(), spare);
        // Never full: the longest key with the longest verb is shorter than MAX_HEAD_LEN.
        let line = verb.write_line(keys, place).unwrap_or_default();
        let bytes = place.get(..line.len).unwrap_or(&[]);
        (Outgoing { pieces: [bytes, &[], &[]], written: &mut self.written }, line.keys)
    }

    /// After the last byte of a request, or what went wrong.
    pub(super) fn written<E>(
        &mut self,
        result: Result<(), ConnectionError<E>>,
    ) -> Result<(), ConnectionError<E>> {
        self.unfinished = false;
        result.map_err(|error| self.lost(error))
    }

    /// After a failure in the middle of an exchange the connection is of no further use.
    pub(super) fn lost<E>(&mut self, error: ConnectionError<E>) -> ConnectionError<E> {
        self.exchange.fail();
        error
    }

    /// Whether more bytes are needed before anything of the oldest reply can be read.
    #[inline]
    pub(super) fn needs_bytes(&self) -> bool {
        self.inbox.start == self.inbox.end && self.exchange.needs_bytes()
    }

    /// Gives `take` the events that are there of the oldest reply, and says whether that was its end.
    #[inline(never)]
    pub(super) fn decode(
        &mut self,
        oldest: &(impl Expected + ?Sized),
        take: &mut impl FnMut(&Event<'_>, usize),
    ) -> Result<bool, ProtocolError> {
        let taken = self.exchange.decode_each(self.inbox.unread(), oldest, take)?;
        Ok(self.taken(taken))
    }

    /// Takes what was read off the front of the buffer, and says whether that was the end of a reply.
    pub(super) fn taken(&mut self, taken: Taken) -> bool {
        self.inbox.consume(taken.consumed);
        if taken.complete {
            self.ended();
        }
        taken.complete
    }

    /// The next event of the oldest reply, which is to be told when it is [taken](Self::taken).
    #[cfg(feature = "embedded-io-async")]
    pub(super) fn next(&mut self, oldest: &(impl Expected + ?Sized)) -> Result<Progress<'_>, ProtocolError> {
        self.exchange.decode(self.inbox.unread(), oldest)
    }

    /// Reads what has come of one call's reply, and says whether that was its end.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    pub(super) fn decode_reply<V: Buffer>(
        &mut self,
        oldest: &(impl Encode + ?Sized),
        reply: &mut Reply<V>,
    ) -> Result<bool, ProtocolError> {
        if let Some((whole, consumed)) = self.exchange.whole_reply(self.inbox.unread(), oldest) {
            reply.take_whole(&whole);
            self.inbox.consume(consumed);
            self.ended();
            return Ok(true);
        }
        self.decode_events(oldest, reply)
    }

    /// As [`decode_reply`](Self::decode_reply), event by event.
    // Where a word is half as wide, flash is dear, and a call takes 60 bytes of it.
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(always))]
    fn decode_events<V: Buffer>(
        &mut self,
        oldest: &(impl Encode + ?Sized),
        reply: &mut Reply<V>,
    ) -> Result<bool, ProtocolError> {
        while let Progress::Event { consumed, event, complete, .. } =
            self.exchange.decode_any(self.inbox.unread(), oldest)?
        {
            if oldest.is_plain() {
                reply.take_plain(&event);
            } else {
                reply.take(&event);
            }
            if self.taken(Taken { consumed, complete }) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads what has come of the items of a multi-get, and says whether that was their end.
    #[inline]
    pub(super) fn decode_items<K: AsRef<[u8]>, V: Buffer>(
        &mut self,
        oldest: &Keys<'_, K>,
        pieces: &mut Pieces,
        scratch: &mut V,
        take: &mut impl FnMut(usize, Result<Item<Lent<'_, V>>, ValueError>),
    ) -> Result<bool, ProtocolError> {
        loop {
            let unread = self.inbox.unread();
            let (rest, end) = self.exchange.whole_items(unread, oldest.cas, oldest, |whole, index| {
                let (head, value) = (whole.head, whole.value);
                take(index, Ok(Item { flags: head.flags, cas: head.cas, value: Lent::Whole(value) }));
            });
            let consumed = unread.len().saturating_sub(rest.len());
            self.inbox.consume(consumed);
            if end.is_some() {
                break;
            }
            match self.exchange.decode(self.inbox.unread(), oldest)? {
                Progress::Event { consumed, event, index, complete } => {
                    pieces.take(&event, index, scratch, take);
                    self.inbox.consume(consumed);
                    if complete {
                        break;
                    }
                }
                Progress::NeedMore => return Ok(false),
            }
        }
        self.ended();
        Ok(true)
    }

    /// A reply has ended.
    #[inline]
    fn ended(&mut self) {
        if self.exchange.owed() == 0 {
            (self.written, self.answered) = (0, false);
        } else {
            // What was written for the requests behind stays written.
            self.answered = !self.inbox.unread().is_empty();
        }
    }

    /// Where to read to; never empty while the limits hold.
    pub(super) fn free(&mut self) -> &mut [u8] {
        self.inbox.make_free()
    }

    /// Notes what a read has brought.
    pub(super) fn received<E>(&mut self, read: Result<usize, E>) -> Result<(), ConnectionError<E>> {
        match read {
            Ok(0) => {
                self.exchange.closed()?;
                Err(ConnectionError::Protocol(ProtocolError::Eof))
            }
            Ok(len) => {
                self.answered = true;
                self.inbox.filled(len);
                Ok(())
            }
            Err(error) => Err(self.lost(ConnectionError::Io(error))),
        }
    }
}

/// A buffer for a line that does not fit into the caller's.
pub(super) type Spare = Option<[u8; MAX_HEAD_LEN]>;

#[inline]
fn place<'a>(free: &'a mut [u8], spare: &'a mut Spare) -> &'a mut [u8] {
    if free.len() < MAX_HEAD_LEN { spare.insert([0; MAX_HEAD_LEN]) } else { free }
}

/// What to write, and where to count it.
pub(super) struct Outgoing<'a> {
    pub(super) pieces: [&'a [u8]; 3],
    written: &'a mut usize,
}

impl Outgoing<'_> {
    /// Counts what a write of `rest` has taken, and gives what is left.
    pub(super) fn wrote<'r, E>(
        &mut self,
        rest: &'r [u8],
        write: Result<usize, E>,
    ) -> Result<&'r [u8], ConnectionError<E>> {
        match write {
            Ok(0) => Err(ConnectionError::WriteZero),
            Ok(len) => {
                *self.written = self.written.saturating_add(len);
                Ok(rest.get(len..).unwrap_or(&[]))
            }
            Err(error) => Err(ConnectionError::Io(error)),
        }
    }
}

/// Bytes received and not yet consumed, in the caller's buffer.
struct Inbox<B> {
    bytes: B,
    start: usize,
    end: usize,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Inbox<B> {
    fn unread(&self) -> &[u8] {
        self.bytes.as_ref().get(self.start..self.end).unwrap_or(&[])
    }

    /// What lies behind the unread bytes.
    fn free(&mut self) -> &mut [u8] {
        self.bytes.as_mut().get_mut(self.end..).unwrap_or(&mut [])
    }

    /// Notes that `len` bytes were put where it is free.
    fn filled(&mut self, len: usize) {
        self.end = self.end.saturating_add(len).min(self.bytes.as_ref().len());
    }

    fn consume(&mut self, len: usize) {
        self.start = self.start.saturating_add(len).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Moves the unread bytes to the front when nothing is free behind them. They are less than a line.
    fn make_free(&mut self) -> &mut [u8] {
        if self.end == self.bytes.as_ref().len() && self.start > 0 {
            let bytes = self.bytes.as_mut();
            for to in 0..self.end.saturating_sub(self.start) {
                let byte = bytes.get(self.start.saturating_add(to)).copied().unwrap_or_default();
                if let Some(place) = bytes.get_mut(to) {
                    *place = byte;
                }
            }
            (self.start, self.end) = (0, self.end.saturating_sub(self.start));
        }
        self.free()
    }
}

impl<B> fmt::Debug for Inbox<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inbox({} bytes unread)", self.end.saturating_sub(self.start))
    }
}

/// Why an operation on a connection has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionError<E> {
    /// The byte stream failed, or ran into its time limit.
    Io(E),
    /// The byte stream takes no more bytes.
    WriteZero,
    /// The peer broke the protocol, or closed the connection.
    Protocol(ProtocolError),
    /// The reply is complete but no result: the server refuses, or the value does not fit. The connection may be of
    /// further use.
    Reply(ReplyError),
}

impl<E> From<ProtocolError> for ConnectionError<E> {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl<E: fmt::Display> fmt::Display for ConnectionError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::WriteZero => f.write_str("byte stream takes no more bytes"),
            Self::Protocol(error) => error.fmt(f),
            Self::Reply(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for ConnectionError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io(error) => error.source(),
            Self::WriteZero | Self::Protocol(_) | Self::Reply(_) => None,
        }
    }
}
