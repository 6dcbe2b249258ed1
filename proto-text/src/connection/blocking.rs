//! The blocking loop: one connection over any byte stream.

use embedded_io::{Read, Write};

use crate::{
    buffer::Buffer,
    connection::{
        dialog::{ConnectionError, Dialog, Outgoing},
        items::{Lent, Pieces},
    },
    exchange::ExchangeState,
    key::Key,
    limits::Limits,
    operation::{Item, Operation, Reply, ReplyError, ValueError},
    reply::Event,
    request::{Encode, Expected, GetVerb, Keys},
};

mod streamed;
mod turns;

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
    dialog: Dialog<B>,
}

impl<T, B: AsRef<[u8]> + AsMut<[u8]>> Connection<T, B> {
    /// A connection over `io`, freshly opened, with [`Limits::DEFAULT`].
    pub fn new(io: T, buffer: B) -> Self {
        Self::with_limits(io, buffer, Limits::DEFAULT)
    }

    /// A connection over `io`, freshly opened. A line must fit into `buffer`, whatever the limit says.
    pub fn with_limits(io: T, buffer: B, limits: Limits) -> Self {
        Self { io, dialog: Dialog::new(buffer, limits) }
    }

    /// Whether the connection may be used. Unrequested bytes make it unusable.
    pub fn state(&self) -> ExchangeState {
        self.dialog.state()
    }

    /// Whether `request`, the current one, may be sent again on another connection after an error.
    ///
    /// It may not after any byte of an incomplete reply has come. If any unanswered byte was written, of this request
    /// or of one before it, it may only if the [request allows that](Encode::may_retry).
    pub fn may_retry(&self, request: &(impl Encode + ?Sized)) -> bool {
        self.dialog.may_retry(request)
    }

    /// The byte stream.
    pub const fn io(&self) -> &T {
        &self.io
    }

    /// The byte stream, to set its time limits. Reading or writing there breaks the connection.
    pub const fn io_mut(&mut self) -> &mut T {
        &mut self.io
    }

    /// Notes that the byte stream was opened anew, to the same server or another: the connection begins again, in the same
    /// buffer and with the same limits, and what was under way on the old stream is forgotten.
    ///
    /// ```
    /// # use memring_text::{Connection, Key, Get, buffer::ArrayBuffer, connection::ConnectionError, exchange::ExchangeState};
    /// # use embedded_io::{ErrorType, Read, Write};
    /// # struct Socket(&'static [u8]);
    /// # impl Socket { fn connect(&mut self) -> Result<(), core::convert::Infallible> { self.0 = b"END\r\n"; Ok(()) } }
    /// # impl ErrorType for Socket { type Error = core::convert::Infallible; }
    /// # impl Read for Socket {
    /// #     fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
    /// #         let len = buf.len().min(self.0.len());
    /// #         buf[..len].copy_from_slice(&self.0[..len]);
    /// #         self.0 = &self.0[len..];
    /// #         Ok(len)
    /// #     }
    /// # }
    /// # impl Write for Socket {
    /// #     fn write(&mut self, buf: &[u8]) -> Result<usize, Self::Error> { Ok(buf.len()) }
    /// #     fn flush(&mut self) -> Result<(), Self::Error> { Ok(()) }
    /// # }
    /// # let mut connection = Connection::new(Socket(b""), [0; 128]);
    /// # let get = Get::new(Key::new(b"k")?);
    /// // The server has hung up.
    /// assert!(connection.call(&get, ArrayBuffer::<9>::new()).is_err());
    /// if connection.state() == ExchangeState::MustClose {
    ///     connection.io_mut().connect()?;
    ///     connection.reopened();
    /// }
    /// assert_eq!(connection.call(&get, ArrayBuffer::<9>::new()), Ok(None));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub const fn reopened(&mut self) {
        self.dialog.reopened();
    }

    /// Takes the byte stream and the buffer back.
    pub fn into_inner(self) -> (T, B) {
        (self.io, self.dialog.into_buffer())
    }
}

impl<T: Read + Write, B: AsRef<[u8]> + AsMut<[u8]>> Connection<T, B> {
    /// Sends one request, reads its reply and returns the result. `value` takes the reply's value: pass it empty.
    ///
    /// The replies to all earlier requests must have been read.
    ///
    /// # Errors
    /// See [`ConnectionError`]. Use [`send`](Self::send) for a request [without a reply](Encode::has_reply).
    pub fn call<O: Operation, V: Buffer>(
        &mut self,
        operation: &O,
        value: V,
    ) -> Result<O::Output<V>, ConnectionError<T::Error>> {
        let request = operation.encoded();
        let mut reply = Reply::new(value);
        self.dialog.begin_call()?;
        self.send(&request)?;
        if request.has_reply() {
            self.dialog.unfinished = true;
            let received = self.receive_reply(&request, &mut reply);
            self.dialog.unfinished = false;
            received?;
        }
        operation.output(reply).map_err(ConnectionError::Reply)
    }

    /// Sends one request: a [`Request`](crate::Request), or one that [stands alone](Encode). Its reply, if it [has one](Encode::has_reply), is read with [`receive`](Self::receive),
    /// after those of the requests sent before.
    ///
    /// # Errors
    /// See [`ConnectionError`].
    pub fn send(&mut self, request: &(impl Encode + ?Sized)) -> Result<(), ConnectionError<T::Error>> {
        self.dialog.begin(request.has_reply())?;
        let mut spare = None;
        let result = write_all(&mut self.io, self.dialog.compose(request, &mut spare));
        self.dialog.written(result)
    }

    /// Sends one line that asks for as many of `keys` as fit into the buffer, at least one if there are any, and
    /// returns how many. Read its reply with [`receive`](Self::receive) and [`Keys`].
    ///
    /// # Errors
    /// See [`ConnectionError`].
    pub fn send_get(&mut self, verb: GetVerb, keys: &[Key<'_>]) -> Result<usize, ConnectionError<T::Error>> {
        if keys.is_empty() {
            return Ok(0);
        }
        self.dialog.begin(true)?;
        let mut spare = None;
        let (line, count) = self.dialog.compose_get(verb, keys, &mut spare);
        let result = write_all(&mut self.io, line);
        self.dialog.written(result)?;
        Ok(count)
    }

    /// Reads the reply to `oldest`, the oldest unanswered request, and calls `take` with every event of it, and with
    /// the index of the key for the events of an item.
    ///
    /// A refusal by the server comes as an [`Event::Error`].
    ///
    /// # Errors
    /// See [`ConnectionError`].
    pub fn receive(
        &mut self,
        oldest: &(impl Expected + ?Sized),
        take: impl FnMut(&Event<'_>, usize),
    ) -> Result<(), ConnectionError<T::Error>> {
        self.receive_with(oldest, take, |_| {})
    }

    /// Reads the reply to `oldest`, the oldest unanswered request, into `reply`, as if every event of
    /// [`receive`](Self::receive) were given to [`Reply::take`]; this way takes fewer steps.
    ///
    /// # Errors
    /// See [`ConnectionError`].
    #[inline]
    pub fn receive_reply<V: Buffer>(
        &mut self,
        oldest: &(impl Encode + ?Sized),
        reply: &mut Reply<V>,
    ) -> Result<(), ConnectionError<T::Error>> {
        if self.dialog.owed() == 0 {
            return Ok(());
        }
        self.flush()?;
        while self.dialog.needs_bytes() || !self.dialog.decode_reply(oldest, reply)? {
            let read = self.io.read(self.dialog.free());
            self.dialog.received(read)?;
        }
        Ok(())
    }

    /// Reads the reply to `oldest`, the oldest unanswered request, which is a line of keys. Calls `take` with each item
    /// and the index of its key. Values that do not come in one piece are put together in `scratch`; one that does not
    /// fit there is [`ValueError::Full`].
    ///
    /// # Errors
    /// See [`ConnectionError`]; a refusal by the server is [`ReplyError::Server`].
    #[inline]
    pub fn receive_items<K: AsRef<[u8]>, V: Buffer>(
        &mut self,
        oldest: &Keys<'_, K>,
        scratch: &mut V,
        mut take: impl FnMut(usize, Result<Item<Lent<'_, V>>, ValueError>),
    ) -> Result<(), ConnectionError<T::Error>> {
        if self.dialog.owed() == 0 {
            return Ok(());
        }
        let mut pieces = Pieces::default();
        self.flush()?;
        while self.dialog.needs_bytes()
            || !self.dialog.decode_items(oldest, &mut pieces, scratch, &mut take)?
        {
            let read = self.io.read(self.dialog.free());
            self.dialog.received(read)?;
        }
        match pieces.refusal {
            Some(error) => Err(ConnectionError::Reply(ReplyError::Server(error))),
            None => Ok(()),
        }
    }

    /// Sends the bytes that the byte stream has kept back.
    #[inline]
    fn flush(&mut self) -> Result<(), ConnectionError<T::Error>> {
        if self.dialog.unflushed {
            let flushed = self.io.flush();
            flushed.map_err(|error| self.dialog.lost(ConnectionError::Io(error)))?;
            self.dialog.unflushed = false;
        }
        Ok(())
    }
}

#[inline(always)]
fn write_all<T: Write>(io: &mut T, mut outgoing: Outgoing<'_>) -> Result<(), ConnectionError<T::Error>> {
    let [first, _, end] = outgoing.pieces;
    let write = io.write(first);
    let rest = outgoing.wrote(first, write)?;
    // Most requests are one piece, and most byte streams take it whole.
    if rest.is_empty() && end.is_empty() {
        return Ok(());
    }
    outgoing.pieces[0] = rest;
    write_pieces(io, outgoing)
}

#[inline(never)]
fn write_pieces<T: Write>(io: &mut T, mut outgoing: Outgoing<'_>) -> Result<(), ConnectionError<T::Error>> {
    for piece in outgoing.pieces {
        let mut rest = piece;
        while !rest.is_empty() {
            let write = io.write(rest);
            rest = outgoing.wrote(rest, write)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::convert::Infallible;
    use std::{vec, vec::Vec};

    use super::*;
    use crate::{
        exchange::ProtocolError,
        meta::MetaLease,
        operation::StoreOutcome,
        request::{Arith, Get, Request, Store, StoreVerb},
        value::Value,
    };

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
        Get::new(Key::new(key.as_bytes()).unwrap())
    }

    #[test]
    fn however_a_reply_is_cut_a_call_comes_to_the_same() {
        let key = Key::new(b"key").unwrap();
        let get = |verb| Request::Get(Get { verb, key });
        let store = |verb| {
            let value = Value::new(b"v").unwrap();
            Request::Store(Store::new(verb, key, value))
        };
        let requests = [
            get(GetVerb::Get),
            get(GetVerb::Gats(0)),
            store(StoreVerb::Set),
            store(StoreVerb::Cas(1)),
            Request::Version,
            Request::Lease(&MetaLease::new(key, 11, 82, 7)),
        ];
        let limits = Limits { line: 20, value: 9, items: 1, ..Limits::DEFAULT };
        for reply in [
            &b"VALUE key 1 2\r\nab\r\nEND\r\n"[..],
            b"VALUE key 0 2 3\r\nab\r\nEND\r\n",
            b"VALUE key 0 0\r\n\r\nEND\r\n",
            b"VALUE key 0 9\r\n123456789\r\nEND\r\n",
            b"VALUE key 0 10\r\n1234567890\r\nEND\r\n",
            b"VALUE key 00000000 2\r\nab\r\nEND\r\n",
            b"VALUE key 0 2\r\nabc\nEND\r\n",
            b"VALUE key 0 2\r\nab\r\nENDS\r\n",
            b"VALUE key 0 2\r\nab\r\nEND\r\nEND\r\n",
            b"VALUE key 0 2\r\nab\r\nVALUE key 0 2\r\nab\r\nEND\r\n",
            b"VALUE kex 0 2\r\nab\r\nEND\r\n",
            b"VALUE ke 0 2\r\nab\r\nEND\r\n",
            b"VALUE keys 0 2\r\nab\r\nEND\r\n",
            b"VALUE key  0 2\r\nab\r\nEND\r\n",
            b"END\r\n",
            b"END\n",
            b"ENDS\r\n",
            b"STORED\r\n",
            b"STORED\r\nSTORED\r\n",
            b"STOREDX\r\n",
            b"STORED",
            b"NOT_STORED\r\n",
            b"EXISTS\r\n",
            b"SERVER_ERROR no\r\n",
            b"SERVER_ERROR out of memory storing object\r\n",
            b"VA 2 c7 t99 f0 Ohaaaaaaa\r\nab\r\n",
            b"VA 2 c18446744073709551615 t-1 f4294967295 Ohaaaaaaa\r\nab\r\n",
            b"VA 2 c18446744073709551616 t-1 f7 Ohaaaaaaa\r\nab\r\n",
            b"VA 2 c7 t-1 f4294967296 Ohaaaaaaa\r\nab\r\n",
            b"VA 2 c7 t9223372036854775808 f7 Ohaaaaaaa\r\nab\r\n",
            b"VA 2 c7 t-12 f7 Ohaaaaaaa\r\nab\r\n",
            b"VA 2 c7 t5 f00 Ohaaaaaaa\r\nab\r\n",
            b"VA 0 c7 t11 f0 Ohaaaaaaa\r\n\r\n",
            b"VA 0 c7 t11 f0 Ohaaaaaaa W\r\n\r\n",
            b"VA 2 c7 t11 f0 Ohaaaaaaa X Z\r\nab\r\n",
            b"VA 2 c7 t5 f0 Oiaaaaaaa\r\nab\r\n",
            b"VA 2 c7 t5 f0 Ohaaaaaa\r\nab\r\n",
            b"VA 2 c7 t5 f0 Ohaaaaaaaa\r\nab\r\n",
            b"VA 2 t5 c7 f0 Ohaaaaaaa\r\nab\r\n",
            b"VA 2 c7 t5 f0 s2 Ohaaaaaaa\r\nab\r\n",
            b"VA 2 c7 t5 Ohaaaaaaa\r\nab\r\n",
            b"VA 2 c7 t5 f0 Ohaaaaaaa\nab\r\n",
            b"VA 2 c7 t5 f0 Ohaaaaaaa\r\nabc\n",
            b"VA 9 c7 t5 f0 Ohaaaaaaa\r\n123456789\r\n",
            b"VA 10 c7 t5 f0 Ohaaaaaaa\r\n1234567890\r\n",
            b"VA 2 c7 t5 f0 Ohaaaaaaa\r\nab\r\nEN\r\n",
            b"EN\r\n",
            b"HD c7 t5 f0 Ohaaaaaaa\r\n",
            b"",
        ] {
            for request in &requests {
                let call = |step, limits| {
                    let mut connection = connection(reply, step, 99);
                    connection.dialog = Dialog::new(vec![0; 99], limits);
                    let mut taken = Reply::new(Vec::new());
                    let result =
                        connection.send(request).and_then(|()| connection.receive_reply(request, &mut taken));
                    std::format!("{result:?} {taken:?} {}", connection.dialog.owed())
                };
                for limits in
                    [limits, Limits { line: 6, ..limits }, Limits { line: 40, ..limits }, Limits::DEFAULT]
                {
                    let came_to = call(1, limits);
                    for step in [2, 5, 8, 99] {
                        assert_eq!(call(step, limits), came_to, "{} {request:?}", reply.escape_ascii());
                    }
                }
            }
        }
    }

    #[test]
    fn however_a_reply_is_cut_its_items_are_lent_whole() {
        let keys = ["a", "b", "c", "d"].map(|key| Key::new(key.as_bytes()).unwrap());
        for (reply, expected) in [
            (
                &b"VALUE a 7 2\r\n11\r\nVALUE c 0 0\r\n\r\nVALUE d 0 12\r\n123456789012\r\nEND\r\nEND\r\n"[..],
                "0 7 11, 2 0 , 3 0 123456789012, Ok(())",
            ),
            (b"END\r\n", "Ok(())"),
            (b"VALUE b 0 1\r\n2\r\nVALUE a 0 1\r\n1\r\nEND\r\n", "1 0 2, Err(Protocol(WrongKey))"),
            (b"VALUE b 0 1\r\n2\r\nVALUE c 0 1\r\n3", "1 0 2, Err(Protocol(Eof))"),
            (b"VALUE b 0 1 9\r\n2\r\nEND\r\n", "Err(Protocol(Unexpected))"),
            (
                b"VALUE b 0 1\r\n2\r\nSERVER_ERROR no\r\n",
                "1 0 2, Err(Reply(Server(ServerError(Server: server answered SERVER_ERROR no))))",
            ),
        ] {
            for step in [1, 2, 5, 14, 99] {
                let mut connection = connection(reply, step, 30);
                connection.send_get(GetVerb::Get, &keys).unwrap();
                let mut lent = std::string::String::new();
                let result = connection.receive_items(
                    &Keys { keys: &keys, cas: false },
                    &mut crate::buffer::ArrayBuffer::<12>::new(),
                    |index, item| {
                        let item = item.unwrap();
                        lent += &std::format!(
                            "{index} {} {}, ",
                            item.flags,
                            item.value.as_slice().escape_ascii()
                        );
                    },
                );
                assert_eq!(
                    lent + &std::format!("{result:?}"),
                    expected,
                    "{} by {step}",
                    reply.escape_ascii()
                );
            }
        }
    }

    #[test]
    fn a_cut_item_without_room_leaves_the_others_and_the_connection() {
        let keys = ["a", "b"].map(|key| Key::new(key.as_bytes()).unwrap());
        let mut connection = connection(b"VALUE a 0 3\r\n123\r\nVALUE b 0 2\r\n12\r\nEND\r\n", 4, 30);
        connection.send_get(GetVerb::Get, &keys).unwrap();
        let mut lent = Vec::new();
        let expected = Keys { keys: &keys, cas: false };
        let take = |_, item: Result<Item<Lent<'_, _>>, ValueError>| {
            lent.push(item.map(|item| item.value.as_slice().len()));
        };
        connection.receive_items(&expected, &mut crate::buffer::ArrayBuffer::<2>::new(), take).unwrap();
        assert!(matches!(lent[..], [Err(ValueError::Full(_)), Ok(2)]));
        assert_eq!(connection.state(), ExchangeState::Idle);
    }

    #[test]
    fn a_value_passes_a_buffer_smaller_than_itself() {
        let mut reply = Vec::from(*b"VALUE k 0 1000\r\n");
        reply.extend([b'v'; 1000]);
        reply.extend(*b"\r\nEND\r\n");
        for step in [1, 7, 64] {
            let mut connection = connection(&reply, step, 32);
            let item =
                connection.call(&get("k"), crate::buffer::ArrayBuffer::<1000>::new()).unwrap().unwrap();
            assert_eq!(item.value.as_slice(), [b'v'; 1000]);
            assert_eq!(connection.state(), ExchangeState::Idle);
        }
    }

    #[test]
    fn a_small_request_is_one_write() {
        let mut connection = connection(b"STORED\r\n", 99, 64);
        let store = Store::set(Key::new(b"k").unwrap(), Value::new(b"v").unwrap());
        let outcome = connection.call(&store, crate::buffer::ArrayBuffer::<0>::new());
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
    fn a_call_does_not_take_the_reply_to_an_earlier_request() {
        let mut connection = connection(b"VALUE k 0 1\r\n1\r\nEND\r\nEND\r\n", 99, 64);
        connection.send(&Request::Get(get("k"))).unwrap();
        let error = connection.call(&get("k"), crate::buffer::ArrayBuffer::<9>::new()).unwrap_err();
        assert_eq!(error, ConnectionError::Protocol(ProtocolError::Broken));
        assert_eq!(connection.state(), ExchangeState::MustClose);
    }

    #[test]
    fn bytes_nobody_asked_for_end_the_connection() {
        let mut connection = connection(b"END\r\nEND\r\n", 99, 64);
        assert!(connection.call(&get("k"), crate::buffer::ArrayBuffer::<9>::new()).unwrap().is_none());
        assert_eq!(connection.state(), ExchangeState::MustClose);
        let error = connection.call(&get("k"), crate::buffer::ArrayBuffer::<9>::new()).unwrap_err();
        assert_eq!(error, ConnectionError::Protocol(ProtocolError::Unasked));
    }

    #[test]
    fn a_get_may_be_retried_until_a_reply_begins() {
        let request = Request::Get(get("k"));
        let mut silent = connection(b"", 99, 64);
        let error = silent.call(&get("k"), crate::buffer::ArrayBuffer::<9>::new()).unwrap_err();
        assert_eq!(error, ConnectionError::Protocol(ProtocolError::Eof));
        assert!(silent.may_retry(&request));
        let mut short = connection(b"VAL", 99, 64);
        assert!(short.call(&get("k"), crate::buffer::ArrayBuffer::<9>::new()).is_err());
        assert!(!short.may_retry(&request));
    }

    #[test]
    fn what_was_sent_behind_another_request_is_not_unsent_when_that_is_answered() {
        let incr = |key: &'static [u8]| {
            let key = Key::new(key).unwrap();
            Request::Arith(Arith::incr(key, 1))
        };
        let (first, second, get) = (incr(b"a"), incr(b"b"), Request::Get(get("c")));
        for (replies, may_get) in [(&b"1\r\n"[..], true), (b"1\r\n2", false)] {
            let mut connection = connection(replies, 99, 64);
            for request in [&first, &second] {
                connection.send(request).unwrap();
            }
            connection.receive(&first, |event, _| assert_eq!(*event, Event::Number(1))).unwrap();
            assert!(connection.receive(&second, |_, _| {}).is_err());
            assert!(!connection.may_retry(&second));
            assert_eq!(connection.may_retry(&get), may_get, "only where no reply has begun");
        }
        // With nothing owed, the next request has its own count.
        let mut connection = connection(b"1\r\n", 99, 64);
        connection.call(&Arith::incr(Key::new(b"a").unwrap(), 1), Vec::new()).unwrap();
        assert!(connection.may_retry(&second));
        connection.send(&second).unwrap();
        assert!(!connection.may_retry(&second));
    }

    #[test]
    fn a_value_without_room_leaves_the_connection_in_step() {
        let mut connection = connection(b"VALUE k 0 5\r\nhello\r\nEND\r\n", 3, 64);
        let error = connection.call(&get("k"), crate::buffer::ArrayBuffer::<2>::new()).unwrap_err();
        assert!(matches!(error, ConnectionError::Reply(ReplyError::Full(_))));
        assert_eq!(connection.state(), ExchangeState::Idle);
    }
}
