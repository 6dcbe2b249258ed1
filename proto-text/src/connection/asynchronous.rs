//! The loop for executors: one connection over any byte stream that is waited for.

use embedded_io_async::{Read, Write};

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

/// A connection to one server; the asynchronous twin of `Connection`.
///
/// `T` is the byte stream; `B` is the buffer that replies are read into, and that small requests are composed in on their
/// way out. [`Limits::line`] bytes pass replies of any size; more bytes make fewer reads. There are no time limits here:
/// drop the future that has lasted too long, and close the connection. Turns are for the blocking one only:
/// `Connection::fill` and what goes with it.
///
/// After any error but [`ConnectionError::Reply`] the connection must be closed; [`state`](Self::state) says so.
#[derive(Debug)]
pub struct AsyncConnection<T, B> {
    io: T,
    dialog: Dialog<B>,
}

impl<T, B: AsRef<[u8]> + AsMut<[u8]>> AsyncConnection<T, B> {
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

    /// The byte stream, to connect it or to set what it is to do. Reading or writing there breaks the connection.
    pub const fn io_mut(&mut self) -> &mut T {
        &mut self.io
    }

    /// Notes that the byte stream was opened anew, to the same server or another: the connection begins again, in the same
    /// buffer and with the same limits, and what was under way on the old stream is forgotten.
    pub const fn reopened(&mut self) {
        self.dialog.reopened();
    }

    /// Takes the byte stream and the buffer back.
    pub fn into_inner(self) -> (T, B) {
        (self.io, self.dialog.into_buffer())
    }
}

impl<T: Read + Write, B: AsRef<[u8]> + AsMut<[u8]>> AsyncConnection<T, B> {
    /// Sends one request, reads its reply and returns the result. `value` takes the reply's value: pass it empty.
    ///
    /// The replies to all earlier requests must have been read.
    ///
    /// # Errors
    /// See [`ConnectionError`]. Use [`send`](Self::send) for a request [without a reply](Encode::has_reply).
    ///
    /// # Cancellation
    /// Dropped before it is ready, it leaves a connection that must be closed; [`state`](Self::state) says so.
    pub async fn call<O: Operation, V: Buffer>(
        &mut self,
        operation: &O,
        value: V,
    ) -> Result<O::Output<V>, ConnectionError<T::Error>> {
        let request = operation.encoded();
        let mut reply = Reply::new(value);
        self.dialog.begin_call()?;
        self.send(&request).await?;
        if request.has_reply() {
            self.dialog.unfinished = true;
            let received = self.receive_reply(&request, &mut reply).await;
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
    ///
    /// # Cancellation
    /// Dropped before it is ready, it leaves a connection that must be closed; [`state`](Self::state) says so.
    pub async fn send(&mut self, request: &(impl Encode + ?Sized)) -> Result<(), ConnectionError<T::Error>> {
        self.dialog.begin(request.has_reply())?;
        let mut spare = None;
        let result = write_all(&mut self.io, self.dialog.compose(request, &mut spare)).await;
        self.dialog.written(result)
    }

    /// Sends one line that asks for as many of `keys` as fit into the buffer, at least one if there are any, and
    /// returns how many. Read its reply with [`receive`](Self::receive) and [`Keys`].
    ///
    /// # Errors
    /// See [`ConnectionError`].
    ///
    /// # Cancellation
    /// Dropped before it is ready, it leaves a connection that must be closed; [`state`](Self::state) says so.
    pub async fn send_get(
        &mut self,
        verb: GetVerb,
        keys: &[Key<'_>],
    ) -> Result<usize, ConnectionError<T::Error>> {
        if keys.is_empty() {
            return Ok(0);
        }
        self.dialog.begin(true)?;
        let mut spare = None;
        let (line, count) = self.dialog.compose_get(verb, keys, &mut spare);
        let result = write_all(&mut self.io, line).await;
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
    ///
    /// # Cancellation
    /// Dropped before it is ready, it has given `take` all that it consumed: called again with the same request, it goes
    /// on there. (If `T` loses no bytes when its `read` is dropped.)
    pub async fn receive(
        &mut self,
        oldest: &(impl Expected + ?Sized),
        mut take: impl FnMut(&Event<'_>, usize),
    ) -> Result<(), ConnectionError<T::Error>> {
        if self.dialog.owed() == 0 {
            return Ok(());
        }
        self.flush().await?;
        while self.dialog.needs_bytes() || !self.dialog.decode(oldest, &mut take)? {
            let read = self.io.read(self.dialog.free()).await;
            self.dialog.received(read)?;
        }
        Ok(())
    }

    /// Reads the reply to `oldest`, the oldest unanswered request, into `reply`, as if every event of
    /// [`receive`](Self::receive) were given to [`Reply::take`]; this way takes fewer steps.
    ///
    /// # Errors
    /// See [`ConnectionError`].
    ///
    /// # Cancellation
    /// As that of [`receive`](Self::receive).
    #[inline]
    pub async fn receive_reply<V: Buffer>(
        &mut self,
        oldest: &(impl Encode + ?Sized),
        reply: &mut Reply<V>,
    ) -> Result<(), ConnectionError<T::Error>> {
        if self.dialog.owed() == 0 {
            return Ok(());
        }
        self.flush().await?;
        while self.dialog.needs_bytes() || !self.dialog.decode_reply(oldest, reply)? {
            let read = self.io.read(self.dialog.free()).await;
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
    ///
    /// # Cancellation
    /// Dropped before it is ready, it leaves a connection that must be closed.
    #[inline]
    pub async fn receive_items<K: AsRef<[u8]>, V: Buffer>(
        &mut self,
        oldest: &Keys<'_, K>,
        scratch: &mut V,
        mut take: impl FnMut(usize, Result<Item<Lent<'_, V>>, ValueError>),
    ) -> Result<(), ConnectionError<T::Error>> {
        if self.dialog.owed() == 0 {
            return Ok(());
        }
        let mut pieces = Pieces::default();
        self.flush().await?;
        while self.dialog.needs_bytes()
            || !self.dialog.decode_items(oldest, &mut pieces, scratch, &mut take)?
        {
            self.dialog.unfinished = true;
            let read = self.io.read(self.dialog.free()).await;
            self.dialog.unfinished = false;
            self.dialog.received(read)?;
        }
        match pieces.refusal {
            Some(error) => Err(ConnectionError::Reply(ReplyError::Server(error))),
            None => Ok(()),
        }
    }

    /// Sends the bytes that the byte stream has kept back.
    #[inline]
    async fn flush(&mut self) -> Result<(), ConnectionError<T::Error>> {
        if self.dialog.unflushed {
            let flushed = self.io.flush().await;
            flushed.map_err(|error| self.dialog.lost(ConnectionError::Io(error)))?;
            self.dialog.unflushed = false;
        }
        Ok(())
    }
}

async fn write_all<T: Write>(
    io: &mut T,
    mut outgoing: Outgoing<'_>,
) -> Result<(), ConnectionError<T::Error>> {
    for piece in outgoing.pieces {
        let mut rest = piece;
        while !rest.is_empty() {
            let write = io.write(rest).await;
            rest = outgoing.wrote(rest, write)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::{
        convert::Infallible,
        future::poll_fn,
        pin::pin,
        task::{Context, Poll, Waker},
    };
    use std::{vec, vec::Vec};

    use super::*;
    use crate::{
        buffer::ArrayBuffer,
        exchange::ProtocolError,
        operation::StoreOutcome,
        request::{Get, Request, Store},
        value::Value,
    };

    /// A peer whose replies are known beforehand and come `step` bytes at a time; it takes as few, and every second
    /// time there is nothing to do yet.
    pub(super) struct Script {
        pub(super) replies: &'static [u8],
        step: usize,
        pub(super) written: Vec<u8>,
        ready: bool,
    }

    impl Script {
        async fn wait(&mut self) {
            poll_fn(|_| {
                self.ready = !self.ready;
                if self.ready { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
        }
    }

    impl embedded_io_async::ErrorType for Script {
        type Error = Infallible;
    }

    impl Read for Script {
        async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
            self.wait().await;
            let len = self.step.min(buf.len()).min(self.replies.len());
            let (piece, rest) = self.replies.split_at(len);
            buf[..len].copy_from_slice(piece);
            self.replies = rest;
            Ok(len)
        }
    }

    impl Write for Script {
        async fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
            self.wait().await;
            let len = self.step.min(buf.len());
            self.written.extend_from_slice(&buf[..len]);
            Ok(len)
        }

        async fn flush(&mut self) -> Result<(), Infallible> {
            self.wait().await;
            Ok(())
        }
    }

    pub(super) fn connection(replies: &'static [u8], step: usize) -> AsyncConnection<Script, Vec<u8>> {
        AsyncConnection::new(Script { replies, step, written: Vec::new(), ready: false }, vec![0; 64])
    }

    /// Polls `future` at most `polls` times; `None`: it was dropped before it was ready.
    pub(super) fn poll<F: Future>(future: F, polls: usize) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    }

    pub(super) fn finish<F: Future>(future: F) -> F::Output {
        poll(future, 10_000).expect("an end")
    }

    pub(super) fn get(key: &[u8]) -> Get<'_> {
        Get::new(Key::new(key).unwrap())
    }

    #[test]
    fn calls_come_out_the_same_however_few_bytes_come_at_a_time() {
        let value = b"a value that is longer than the buffer, so that it goes its own way: 0123456789";
        let store = Store::set(Key::new(b"k").unwrap(), Value::new(value).unwrap()).flags(7);
        for step in [1, 3, 1000] {
            let mut storing = connection(b"STORED\r\n", step);
            let outcome = finish(storing.call(&store, ArrayBuffer::<0>::new()));
            assert_eq!(outcome, Ok(StoreOutcome::Stored));
            assert_eq!(storing.io().written, [&b"set k 7 0 79\r\n"[..], value, b"\r\n"].concat());
            let mut getting = connection(b"VALUE k 7 5\r\nhello\r\nEND\r\n", step);
            let item = finish(getting.call(&get(b"k"), ArrayBuffer::<9>::new())).unwrap().unwrap();
            assert_eq!((item.flags, item.value.as_slice()), (7, &b"hello"[..]));
            for connection in [storing, getting] {
                assert_eq!(connection.state(), ExchangeState::Idle);
            }
        }
    }

    #[test]
    fn requests_may_be_pipelined() {
        let mut connection = connection(b"END\r\nVALUE b 0 1\r\n2\r\nEND\r\n", 3);
        let keys = [Key::new(b"a").unwrap(), Key::new(b"b").unwrap()];
        finish(connection.send(&Request::Get(get(b"x")))).unwrap();
        assert_eq!(finish(connection.send_get(GetVerb::Get, &keys)), Ok(2));
        finish(connection.receive(&Request::Get(get(b"x")), |event, _| assert_eq!(*event, Event::End)))
            .unwrap();
        let mut found = Vec::new();
        let expected = Keys { keys: &keys, cas: false };
        let receive = connection.receive(&expected, |event, index| {
            if let Event::Data(piece) = event {
                found.push((index, piece.to_vec()));
            }
        });
        finish(receive).unwrap();
        assert_eq!(found, [(1, b"2".to_vec())]);
    }

    #[test]
    fn a_dropped_call_leaves_a_connection_that_nobody_else_can_use() {
        for polls in 1.. {
            let mut connection = connection(b"VALUE k 0 5\r\nhello\r\nEND\r\n", 2);
            if poll(connection.call(&get(b"k"), ArrayBuffer::<9>::new()), polls).is_some() {
                assert!(polls > 10, "there is more than one place to drop it");
                break;
            }
            assert_eq!(connection.state(), ExchangeState::MustClose);
            let error = finish(connection.call(&get(b"other"), ArrayBuffer::<9>::new())).unwrap_err();
            assert_eq!(error, ConnectionError::Protocol(ProtocolError::Broken));
        }
    }

    #[test]
    fn a_dropped_receive_goes_on_where_it_was() {
        let request = Request::Get(get(b"k"));
        for polls in 1..30 {
            let mut connection = connection(b"VALUE k 0 5\r\nhello\r\nEND\r\n", 2);
            finish(connection.send(&request)).unwrap();
            let mut value = Vec::new();
            let mut take = |event: &Event<'_>, _| {
                if let Event::Data(piece) = event {
                    value.extend_from_slice(piece);
                }
            };
            if poll(connection.receive(&request, &mut take), polls).is_none() {
                finish(connection.receive(&request, &mut take)).unwrap();
            }
            assert_eq!(value, b"hello");
            assert_eq!(connection.state(), ExchangeState::Idle);
        }
    }
}
