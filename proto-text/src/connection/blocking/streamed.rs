//! Values that are sent and received piece by piece.

use embedded_io::{Read, Write};

use super::{Connection, write_all};
use crate::{
    connection::dialog::ConnectionError,
    reply::Event,
    request::{Expected, Store},
    value::ValueTooLarge,
};

impl<T: Read + Write, B: AsRef<[u8]> + AsMut<[u8]>> Connection<T, B> {
    /// Sends `store` with a value of `len` bytes in place of its own. Its reply is read with
    /// [`receive_with`](Self::receive_with).
    ///
    /// `fill` gives the value: it is called with `scratch`, or with less of it towards the end, puts at least one byte
    /// there, and returns how many. It also gets the byte stream, to set its time limits.
    ///
    /// # Errors
    /// See [`ConnectionError`]; or the error of `fill`. Part of the value has left by then, so the connection must be
    /// closed; no server stores a part of a value.
    pub fn send_from<E: From<ConnectionError<T::Error>> + From<ValueTooLarge>>(
        &mut self,
        store: &Store<'_>,
        len: usize,
        scratch: &mut [u8],
        mut fill: impl FnMut(&mut T, &mut [u8]) -> Result<usize, E>,
    ) -> Result<(), E> {
        let line = store.line_for(len)?;
        self.dialog.begin(!store.noreply).map_err(ConnectionError::from)?;
        // Until the end is written, the dialog is unfinished: whatever breaks off here ends the connection.
        write_all(&mut self.io, self.dialog.part(line.as_bytes()))?;
        let mut left = len;
        while left > 0 {
            let most = left.min(scratch.len());
            let filled = fill(&mut self.io, scratch.get_mut(..most).unwrap_or(&mut []))?;
            let piece = scratch.get(..filled.min(most)).unwrap_or(&[]);
            if piece.is_empty() {
                return Err(ConnectionError::WriteZero.into());
            }
            left = left.saturating_sub(piece.len());
            write_all(&mut self.io, self.dialog.part(piece))?;
        }
        let end = write_all(&mut self.io, self.dialog.part(b"\r\n"));
        Ok(self.dialog.written(end)?)
    }

    /// Reads a reply as [`receive`](Self::receive) does, and calls `before` with the byte stream before each read, to set
    /// its time limits.
    ///
    /// # Errors
    /// See [`ConnectionError`].
    pub fn receive_with(
        &mut self,
        oldest: &(impl Expected + ?Sized),
        mut take: impl FnMut(&Event<'_>, usize),
        mut before: impl FnMut(&mut T),
    ) -> Result<(), ConnectionError<T::Error>> {
        if self.dialog.owed() == 0 {
            return Ok(());
        }
        self.flush()?;
        while self.dialog.needs_bytes() || !self.dialog.decode(oldest, &mut take)? {
            before(&mut self.io);
            let read = self.io.read(self.dialog.free());
            self.dialog.received(read)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::convert::Infallible;
    use std::{vec, vec::Vec};

    use super::*;
    use crate::{exchange::ExchangeState, key::Key, reply::Status, request::Request, value::Value};

    #[derive(Debug, PartialEq)]
    enum Failure {
        Connection(ConnectionError<Infallible>),
        TooLarge,
        Source,
    }

    impl From<ConnectionError<Infallible>> for Failure {
        fn from(error: ConnectionError<Infallible>) -> Self {
            Self::Connection(error)
        }
    }

    impl From<ValueTooLarge> for Failure {
        fn from(_: ValueTooLarge) -> Self {
            Self::TooLarge
        }
    }

    #[derive(Default)]
    struct Peer(Vec<u8>);

    impl embedded_io::ErrorType for Peer {
        type Error = Infallible;
    }

    impl Read for Peer {
        fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
            buf[..8].copy_from_slice(b"STORED\r\n");
            Ok(8)
        }
    }

    impl Write for Peer {
        fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
            self.0.extend_from_slice(buf);
            Ok(buf.len())
        }

        fn flush(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }

    fn store() -> Store<'static> {
        let key = Key::new(b"k").unwrap();
        Store::set(key, Value::EMPTY).flags(1).exptime(2)
    }

    #[test]
    fn a_value_passes_in_pieces() {
        for len in [0, 1, 3, 4, 5, 1000] {
            let mut connection = Connection::new(Peer::default(), vec![0; 64]);
            let sent = connection.send_from(&store(), len, &mut [0; 4], |_, scratch| {
                scratch.fill(b'v');
                Ok::<_, Failure>(scratch.len())
            });
            assert_eq!(sent, Ok(()));
            let mut reads = 0;
            let take = |event: &Event<'_>, _| assert_eq!(*event, Event::Status(Status::Stored));
            connection.receive_with(&Request::Store(store()), take, |_| reads += 1).unwrap();
            assert_eq!((connection.state(), reads), (ExchangeState::Idle, 1));
            let written =
                [std::format!("set k 1 2 {len}\r\n").as_bytes(), &vec![b'v'; len], b"\r\n"].concat();
            assert_eq!(connection.io().0, written);
        }
    }

    #[test]
    fn what_breaks_off_ends_the_connection() {
        for end in [Ok(0), Err(Failure::Source)] {
            let mut connection = Connection::new(Peer::default(), vec![0; 64]);
            let mut given = Some(Ok(3)).into_iter().chain([end]);
            let sent = connection.send_from(&store(), 9, &mut [0; 4], |_, _| given.next().unwrap());
            assert!(sent.is_err());
            assert_eq!(connection.state(), ExchangeState::MustClose);
        }
    }

    #[test]
    fn what_is_too_large_is_not_begun() {
        let mut connection = Connection::new(Peer::default(), vec![0; 64]);
        let sent = connection.send_from(&store(), (1 << 30) + 1, &mut [0; 4], |_, _| Err(Failure::Source));
        assert_eq!(sent, Err(Failure::TooLarge));
        assert_eq!(connection.state(), ExchangeState::Idle);
    }
}
