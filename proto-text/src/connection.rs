//! The blocking loop: one connection over any byte stream, in buffers of the caller.

use core::fmt;

use embedded_io::{Read, Write};

use crate::{
    buffer::{Buffer, SliceBuffer},
    encode::MAX_HEAD_LEN,
    exchange::{Exchange, ExchangeState, Expected, ProtocolError},
    key::Key,
    limits::Limits,
    operation::{Operation, Reply, ReplyError},
    reply::Event,
    request::{GetVerb, Request},
};

/// A connection to one server.
///
/// `T` is the byte stream, with whatever time limits it has; `B` is the buffer that replies are read into, and that
/// small requests are composed in on their way out. [`Limits::line`] bytes pass replies of any size; more bytes make
/// fewer reads.
///
/// After any error but [`ConnectionError::Reply`] the connection must be closed; [`state`](Self::state) says so.
#[derive(Debug)]
pub struct Connection<T, B> {
    io: T,
    inbox: Inbox<B>,
    exchange: Exchange,
    /// Bytes written since the last reply was read to its end, and has a reply to them begun?
    written: usize,
    answered: bool,
    unflushed: bool,
}

impl<T, B: AsRef<[u8]> + AsMut<[u8]>> Connection<T, B> {
    /// A connection over `io`, freshly opened, with [`Limits::DEFAULT`].
    pub fn new(io: T, buffer: B) -> Self {
        Self::with_limits(io, buffer, Limits::DEFAULT)
    }

    /// A connection over `io`, freshly opened. A line must fit into `buffer`, whatever the limit says.
    pub fn with_limits(io: T, buffer: B, limits: Limits) -> Self {
        let line = limits.line.min(buffer.as_ref().len());
        Self {
            io,
            inbox: Inbox { bytes: buffer, start: 0, end: 0 },
            exchange: Exchange::new(Limits { line, ..limits }),
            written: 0,
            answered: false,
            unflushed: false,
        }
    }

    /// May the connection be used? Bytes that nobody asked for make it unusable.
    pub fn state(&self) -> ExchangeState {
        match self.exchange.state() {
            ExchangeState::Idle if !self.inbox.unread().is_empty() => ExchangeState::MustClose,
            state => state,
        }
    }

    /// After an error: may `request`, the one in hand, be sent again on another connection?
    ///
    /// Not when any byte of a reply has come; and when any byte of it was written, only if
    /// [it allows that](Request::may_retry).
    pub fn may_retry(&self, request: &Request<'_>) -> bool {
        !self.answered && request.may_retry(self.written)
    }

    /// The byte stream.
    pub const fn io(&self) -> &T {
        &self.io
    }

    /// The byte stream, to set its time limits. Reading or writing there breaks the connection.
    pub const fn io_mut(&mut self) -> &mut T {
        &mut self.io
    }

    /// Takes the byte stream and the buffer back.
    pub fn into_inner(self) -> (T, B) {
        (self.io, self.inbox.bytes)
    }
}

impl<T: Read + Write, B: AsRef<[u8]> + AsMut<[u8]>> Connection<T, B> {
    /// Sends one request, reads its reply and gives the result. `value` takes what the reply brings: hand it in empty.
    ///
    /// # Errors
    /// See [`ConnectionError`]. A request [without a reply](Request::has_reply) belongs into [`send`](Self::send).
    pub fn call<O: Operation<V>, V: Buffer>(
        &mut self,
        operation: &O,
        value: V,
    ) -> Result<O::Output, ConnectionError<T::Error>> {
        let request = operation.request();
        let mut reply = Reply::new(value);
        self.send(&request)?;
        if request.has_reply() {
            self.receive(&request, |event, _| reply.take(event))?;
        }
        operation.output(reply).map_err(ConnectionError::Reply)
    }

    /// Sends one request. Its reply, if it [has one](Request::has_reply), is read with [`receive`](Self::receive),
    /// after those of the requests sent before.
    ///
    /// # Errors
    /// See [`ConnectionError`].
    pub fn send(&mut self, request: &Request<'_>) -> Result<(), ConnectionError<T::Error>> {
        self.begin(request.has_reply())?;
        let parts = request.parts();
        let slices = parts.as_slices();
        let mut small = SliceBuffer::new(self.inbox.free());
        if small.put_all(&slices).is_ok() {
            let len = small.as_slice().len();
            let bytes = self.inbox.free_ref().get(..len).unwrap_or(&[]);
            return write_all(&mut self.io, bytes, &mut self.written)
                .map_err(|error| lost(&mut self.exchange, error));
        }
        for slice in slices {
            write_all(&mut self.io, slice, &mut self.written)
                .map_err(|error| lost(&mut self.exchange, error))?;
        }
        Ok(())
    }

    /// Sends one line that asks for as many of `keys` as fit into the buffer, and says how many that are: at least
    /// one, if there are any. Its reply is read with [`receive`](Self::receive) and [`Keys`](crate::Keys).
    ///
    /// # Errors
    /// See [`ConnectionError`].
    pub fn send_get(&mut self, verb: GetVerb, keys: &[Key<'_>]) -> Result<usize, ConnectionError<T::Error>> {
        if keys.is_empty() {
            return Ok(0);
        }
        self.begin(true)?;
        let mut stack = [0; MAX_HEAD_LEN];
        let free = self.inbox.free();
        let place = if free.len() < MAX_HEAD_LEN { &mut stack } else { free };
        // Never full: the longest key with the longest verb is shorter than MAX_HEAD_LEN.
        let line = verb.write_line(keys, place).unwrap_or_default();
        let bytes = place.get(..line.len).unwrap_or(&[]);
        write_all(&mut self.io, bytes, &mut self.written).map_err(|error| lost(&mut self.exchange, error))?;
        Ok(line.keys)
    }

    /// Reads the reply to `oldest`, the oldest request that is owed one, and gives `take` every event of it; with the
    /// events of an item, which of the request's keys it has.
    ///
    /// A refusal by the server comes as an [`Event::Error`].
    ///
    /// # Errors
    /// See [`ConnectionError`].
    pub fn receive(
        &mut self,
        oldest: &(impl Expected + ?Sized),
        mut take: impl FnMut(&Event<'_>, usize),
    ) -> Result<(), ConnectionError<T::Error>> {
        if self.exchange.owed() == 0 {
            return Ok(());
        }
        if self.unflushed {
            self.io.flush().map_err(|error| lost(&mut self.exchange, ConnectionError::Io(error)))?;
            self.unflushed = false;
        }
        loop {
            let taken = self.exchange.decode_each(self.inbox.unread(), oldest, &mut take)?;
            self.inbox.consume(taken.consumed);
            if taken.complete {
                (self.written, self.answered) = (0, false);
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn begin(&mut self, has_reply: bool) -> Result<(), ConnectionError<T::Error>> {
        match self.state() {
            ExchangeState::MustClose => {
                // Names the error that made it so; bytes left over from an idle time are `Unasked`.
                self.exchange.decode(self.inbox.unread(), &crate::exchange::Abandoned)?;
                return Err(ConnectionError::Protocol(ProtocolError::Broken));
            }
            ExchangeState::Idle => (self.written, self.answered) = (0, false),
            ExchangeState::Busy => {}
        }
        if has_reply {
            self.exchange.sent();
        }
        self.unflushed = true;
        Ok(())
    }

    fn fill(&mut self) -> Result<(), ConnectionError<T::Error>> {
        let free = self.inbox.make_free();
        let room = free.len();
        match self.io.read(free) {
            Ok(0) => {
                self.exchange.closed()?;
                Err(ConnectionError::Protocol(ProtocolError::Eof))
            }
            Ok(len) => {
                self.answered = true;
                self.inbox.end = self.inbox.end.saturating_add(len.min(room));
                Ok(())
            }
            Err(error) => Err(lost(&mut self.exchange, ConnectionError::Io(error))),
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

    fn free_ref(&self) -> &[u8] {
        self.bytes.as_ref().get(self.end..).unwrap_or(&[])
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

fn write_all<T: Write>(
    io: &mut T,
    bytes: &[u8],
    written: &mut usize,
) -> Result<(), ConnectionError<T::Error>> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match io.write(rest) {
            Ok(0) => return Err(ConnectionError::WriteZero),
            Ok(len) => {
                *written = written.saturating_add(len);
                rest = rest.get(len..).unwrap_or(&[]);
            }
            Err(error) => return Err(ConnectionError::Io(error)),
        }
    }
    Ok(())
}

/// After a failure in the middle of an exchange the connection is of no further use.
fn lost<E>(exchange: &mut Exchange, error: ConnectionError<E>) -> ConnectionError<E> {
    exchange.fail();
    error
}

/// Why an operation on a [`Connection`] has no result.
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
            Self::Io(error) => Some(error),
            Self::WriteZero => None,
            Self::Protocol(error) => Some(error),
            Self::Reply(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::convert::Infallible;
    use std::{vec, vec::Vec};

    use super::*;
    use crate::{Get, Keys, Store, StoreOutcome, StoreVerb, Value};

    /// A peer whose replies are known beforehand, and come a few bytes at a time.
    struct Script {
        replies: Vec<u8>,
        at: usize,
        step: usize,
        writes: Vec<Vec<u8>>,
    }

    impl embedded_io::ErrorType for Script {
        type Error = Infallible;
    }

    impl Read for Script {
        fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
            let len = self.step.min(buf.len()).min(self.replies.len() - self.at);
            buf[..len].copy_from_slice(&self.replies[self.at..][..len]);
            self.at += len;
            Ok(len)
        }
    }

    impl Write for Script {
        fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
            self.writes.push(buf.to_vec());
            Ok(buf.len())
        }

        fn flush(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }

    fn connection(replies: &[u8], step: usize, buffer: usize) -> Connection<Script, Vec<u8>> {
        let script = Script { replies: replies.to_vec(), at: 0, step, writes: Vec::new() };
        Connection::new(script, vec![0; buffer])
    }

    fn get(key: &str) -> Get<'_> {
        Get { verb: GetVerb::Get, key: Key::new(key.as_bytes()).unwrap() }
    }

    #[test]
    fn a_value_passes_a_buffer_smaller_than_itself() {
        let mut reply = Vec::from(*b"VALUE k 0 1000\r\n");
        reply.extend([b'v'; 1000]);
        reply.extend(*b"\r\nEND\r\n");
        for step in [1, 7, 64] {
            let mut connection = connection(&reply, step, 32);
            let item = connection.call(&get("k"), crate::ArrayBuffer::<1000>::new()).unwrap().unwrap();
            assert_eq!(item.value.as_slice(), [b'v'; 1000]);
            assert_eq!(connection.state(), ExchangeState::Idle);
        }
    }

    #[test]
    fn a_small_request_is_one_write() {
        let mut connection = connection(b"STORED\r\n", 99, 64);
        let store = Store {
            verb: StoreVerb::Set,
            key: Key::new(b"k").unwrap(),
            flags: 0,
            exptime: 0,
            value: Value::new(b"v").unwrap(),
            noreply: false,
        };
        let outcome = connection.call(&store, crate::ArrayBuffer::<0>::new());
        assert_eq!(outcome, Ok(StoreOutcome::Stored));
        assert_eq!(connection.io().writes, [b"set k 0 0 1\r\nv\r\n"]);
    }

    #[test]
    fn requests_may_be_pipelined() {
        let mut connection = connection(b"END\r\nVALUE b 0 1\r\n2\r\nEND\r\n", 3, 64);
        let keys = [Key::new(b"a").unwrap(), Key::new(b"b").unwrap()];
        connection.send(&Request::Get(get("x"))).unwrap();
        assert_eq!(connection.send_get(GetVerb::Get, &keys), Ok(2));
        connection.receive(&Request::Get(get("x")), |event, _| assert_eq!(*event, Event::End)).unwrap();
        let mut found = Vec::new();
        let expected = Keys { keys: &keys, cas: false };
        connection
            .receive(&expected, |event, index| {
                if let Event::Data(piece) = event {
                    found.push((index, piece.to_vec()));
                }
            })
            .unwrap();
        assert_eq!(found, [(1, b"2".to_vec())]);
    }

    #[test]
    fn bytes_nobody_asked_for_end_the_connection() {
        let mut connection = connection(b"END\r\nEND\r\n", 99, 64);
        assert!(connection.call(&get("k"), crate::ArrayBuffer::<9>::new()).unwrap().is_none());
        assert_eq!(connection.state(), ExchangeState::MustClose);
        let error = connection.call(&get("k"), crate::ArrayBuffer::<9>::new()).unwrap_err();
        assert_eq!(error, ConnectionError::Protocol(ProtocolError::Unasked));
    }

    #[test]
    fn a_get_may_be_retried_until_a_reply_begins() {
        let request = Request::Get(get("k"));
        let mut silent = connection(b"", 99, 64);
        let error = silent.call(&get("k"), crate::ArrayBuffer::<9>::new()).unwrap_err();
        assert_eq!(error, ConnectionError::Protocol(ProtocolError::Eof));
        assert!(silent.may_retry(&request));
        let mut short = connection(b"VAL", 99, 64);
        assert!(short.call(&get("k"), crate::ArrayBuffer::<9>::new()).is_err());
        assert!(!short.may_retry(&request));
    }

    #[test]
    fn a_value_without_room_leaves_the_connection_in_step() {
        let mut connection = connection(b"VALUE k 0 5\r\nhello\r\nEND\r\n", 3, 64);
        let error = connection.call(&get("k"), crate::ArrayBuffer::<2>::new()).unwrap_err();
        assert!(matches!(error, ConnectionError::Reply(ReplyError::Full(_))));
        assert_eq!(connection.state(), ExchangeState::Idle);
    }
}
