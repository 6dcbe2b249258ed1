//! The loop in turns, for a caller that waits for several connections at once. Nothing here waits.

use super::{Connection, ConnectionError, Lent, Pieces};
use crate::{
    buffer::Buffer,
    operation::{Item, ReplyError, ValueError},
    reply::Event,
    request::{Expected, Keys},
};

impl<T: embedded_io::ErrorType, B: AsRef<[u8]> + AsMut<[u8]>> Connection<T, B> {
    /// Calls `read` to read from the byte stream, and returns whether any bytes came; `read` returns `None` for
    /// "nothing yet".
    ///
    /// # Errors
    /// See [`ConnectionError`].
    pub fn fill(
        &mut self,
        read: impl FnOnce(&mut T, &mut [u8]) -> Option<Result<usize, T::Error>>,
    ) -> Result<bool, ConnectionError<T::Error>> {
        match read(&mut self.io, self.dialog.free()) {
            None => Ok(false),
            Some(read) => self.dialog.received(read).map(|()| true),
        }
    }

    /// Reads the part of the reply to `oldest` that has come, as [`receive`](Self::receive) does, and returns whether
    /// the reply has ended. If not, call this again when there are [more bytes](Self::fill).
    ///
    /// What the byte stream has kept back is not flushed.
    ///
    /// # Errors
    /// See [`ConnectionError`].
    pub fn receive_filled(
        &mut self,
        oldest: &(impl Expected + ?Sized),
        mut take: impl FnMut(&Event<'_>, usize),
    ) -> Result<bool, ConnectionError<T::Error>> {
        if self.dialog.owed() == 0 {
            return Ok(true);
        }
        Ok(!self.dialog.needs_bytes() && self.dialog.decode(oldest, &mut take)?)
    }

    /// Reads the part of the reply to `oldest` that has come, as [`receive_items`](Self::receive_items) does, and
    /// returns whether the reply has ended. If not, call this again, with the same `pieces` and `scratch`, when there
    /// are [more bytes](Self::fill).
    ///
    /// What the byte stream has kept back is not flushed.
    ///
    /// # Errors
    /// See [`ConnectionError`]; a refusal by the server is [`ReplyError::Server`].
    #[inline]
    pub fn receive_filled_items<K: AsRef<[u8]>, V: Buffer>(
        &mut self,
        oldest: &Keys<'_, K>,
        pieces: &mut Pieces,
        scratch: &mut V,
        mut take: impl FnMut(usize, Result<Item<Lent<'_, V>>, ValueError>),
    ) -> Result<bool, ConnectionError<T::Error>> {
        if self.dialog.owed() == 0 {
            return Ok(true);
        }
        if self.dialog.needs_bytes() || !self.dialog.decode_items(oldest, pieces, scratch, &mut take)? {
            return Ok(false);
        }
        match pieces.refusal.take() {
            Some(error) => Err(ConnectionError::Reply(ReplyError::Server(error))),
            None => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::convert::Infallible;
    use std::{format, string::String, vec, vec::Vec};

    use crate::{
        connection::{Connection, Pieces},
        exchange::ExchangeState,
        key::Key,
        request::{Get, GetVerb, Keys, Request},
    };

    /// It takes everything and gives nothing: bytes come by `fill`.
    struct Sink;

    impl embedded_io::ErrorType for Sink {
        type Error = Infallible;
    }

    impl embedded_io::Write for Sink {
        fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
            Ok(buf.len())
        }

        fn flush(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }

    impl embedded_io::Read for Sink {
        fn read(&mut self, _: &mut [u8]) -> Result<usize, Infallible> {
            unreachable!("nothing is read but by `fill`")
        }
    }

    fn fill(connection: &mut Connection<Sink, Vec<u8>>, bytes: &[u8]) {
        let read = |_: &mut Sink, scratch: &mut [u8]| {
            scratch[..bytes.len()].copy_from_slice(bytes);
            Some(Ok(bytes.len()))
        };
        assert_eq!(connection.fill(read), Ok(true));
    }

    #[test]
    fn turns_read_what_has_come_and_wait_for_nothing() {
        const REPLY: &[u8] = b"VALUE a 7 2\r\n11\r\nVALUE c 0 12\r\n123456789012\r\nEND\r\nEND\r\n";
        let keys = ["a", "b", "c"].map(|key| Key::new(key.as_bytes()).unwrap());
        let request = Request::Get(Get::new(keys[1]));
        for step in 1..REPLY.len() {
            let mut connection = Connection::new(Sink, vec![0; 90]);
            connection.send_get(GetVerb::Get, &keys).unwrap();
            connection.send(&request).unwrap();
            let (mut pieces, mut scratch, mut lent) = (Pieces::default(), Vec::new(), String::new());
            let expected = Keys { keys: &keys, cas: false };
            let (mut is_first_over, mut is_over) = (false, false);
            for bytes in REPLY.chunks(step) {
                assert_eq!(connection.fill(|_, _| None), Ok(false));
                fill(&mut connection, bytes);
                if !is_first_over {
                    is_first_over = connection
                        .receive_filled_items(&expected, &mut pieces, &mut scratch, |index, item| {
                            let item = item.unwrap();
                            lent += &format!("{index} {}, ", item.value.as_slice().escape_ascii());
                        })
                        .unwrap();
                }
                is_over = is_first_over && connection.receive_filled(&request, |_, _| {}).unwrap();
            }
            assert_eq!((&*lent, is_over), ("0 11, 2 123456789012, ", true), "by {step}");
            assert_eq!(connection.state(), ExchangeState::Idle);
        }
    }
}
