//! Values that pass piece by piece, and are nowhere whole: the source and the sink are waited for.

use embedded_io_async::{Read, Write};

use super::{AsyncConnection, write_all};
use crate::{
    connection::dialog::ConnectionError,
    exchange::{Progress, Taken},
    reply::Event,
    request::{Expected, Store},
    value::ValueTooLarge,
};

impl<T: Read + Write, B: AsRef<[u8]> + AsMut<[u8]>> AsyncConnection<T, B> {
    /// Sends `store` with a value of `len` bytes in place of its own. Its reply is read with [`receive`](Self::receive).
    ///
    /// `fill` gives the value: it is called with `scratch`, or less of it towards the end, and says how many bytes it has
    /// put there, at least one.
    ///
    /// # Errors
    /// See [`ConnectionError`]; or what `fill` says. The value has left in part then, no server takes that for a value,
    /// and the connection must be closed.
    ///
    /// # Cancellation
    /// Dropped before it is ready, it leaves a connection that must be closed; [`state`](Self::state) says so.
    pub async fn send_from<E: From<ConnectionError<T::Error>> + From<ValueTooLarge>>(
        &mut self,
        store: &Store<'_>,
        len: usize,
        scratch: &mut [u8],
        mut fill: impl AsyncFnMut(&mut [u8]) -> Result<usize, E>,
    ) -> Result<(), E> {
        let line = store.line_for(len)?;
        self.dialog.begin(!store.noreply).map_err(ConnectionError::from)?;
        // Until the end is written, the dialog is unfinished: whatever breaks off here ends the connection.
        write_all(&mut self.io, self.dialog.part(line.as_bytes())).await?;
        let mut left = len;
        while left > 0 {
            let most = left.min(scratch.len());
            let filled = fill(scratch.get_mut(..most).unwrap_or(&mut [])).await?;
            let piece = scratch.get(..filled.min(most)).unwrap_or(&[]);
            if piece.is_empty() {
                return Err(ConnectionError::WriteZero.into());
            }
            left = left.saturating_sub(piece.len());
            write_all(&mut self.io, self.dialog.part(piece)).await?;
        }
        let end = write_all(&mut self.io, self.dialog.part(b"\r\n")).await;
        Ok(self.dialog.written(end)?)
    }

    /// Reads a reply as [`receive`](Self::receive) does, and waits for `take` before it goes on: a value passes through the
    /// connection's buffer to wherever its pieces are taken, no faster than that takes them.
    ///
    /// # Errors
    /// See [`ConnectionError`].
    ///
    /// # Cancellation
    /// Dropped before it is ready, it leaves a connection that must be closed; [`state`](Self::state) says so.
    pub async fn receive_with(
        &mut self,
        oldest: &(impl Expected + ?Sized),
        mut take: impl AsyncFnMut(&Event<'_>, usize),
    ) -> Result<(), ConnectionError<T::Error>> {
        if self.dialog.owed() == 0 {
            return Ok(());
        }
        self.flush().await?;
        self.dialog.unfinished = true;
        loop {
            match self.dialog.next(oldest)? {
                Progress::Event { consumed, event, index, complete } => {
                    take(&event, index).await;
                    if self.dialog.taken(Taken { consumed, complete }) {
                        break;
                    }
                }
                Progress::NeedMore => {
                    let read = self.io.read(self.dialog.free()).await;
                    self.dialog.received(read)?;
                }
            }
        }
        self.dialog.unfinished = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::{convert::Infallible, future::poll_fn, task::Poll};
    use std::{format, vec, vec::Vec};

    use super::{
        super::tests::{connection, finish, get, poll},
        *,
    };
    use crate::{
        buffer::ArrayBuffer,
        exchange::{ExchangeState, ProtocolError},
        key::Key,
        reply::Status,
        value::Value,
    };

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

    fn store() -> Store<'static> {
        Store::set(Key::new(b"k").unwrap(), Value::EMPTY).flags(1).exptime(2)
    }

    /// Is ready at the second look.
    async fn wait() {
        let mut is_ready = false;
        poll_fn(|_| if core::mem::replace(&mut is_ready, true) { Poll::Ready(()) } else { Poll::Pending })
            .await;
    }

    /// A source of 200 bytes that is waited for.
    async fn fill(scratch: &mut [u8]) -> Result<usize, Failure> {
        wait().await;
        scratch.fill(b'v');
        Ok(scratch.len())
    }

    #[test]
    fn a_value_leaves_in_pieces() {
        for len in [0, 1, 3, 4, 5, 200] {
            let mut connection = connection(b"STORED\r\n", 3);
            assert_eq!(finish(connection.send_from(&store(), len, &mut [0; 4], fill)), Ok(()));
            let take = |event: &Event<'_>, _| assert_eq!(*event, Event::Status(Status::Stored));
            finish(connection.receive(&store(), take)).unwrap();
            assert_eq!(connection.state(), ExchangeState::Idle);
            let written = [format!("set k 1 2 {len}\r\n").as_bytes(), &vec![b'v'; len], b"\r\n"].concat();
            assert_eq!(connection.io().written, written);
        }
    }

    #[test]
    fn a_value_comes_in_pieces_and_the_next_reply_is_right() {
        let replies = b"VALUE k 7 90\r\n\
            012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
            \r\nEND\r\n";
        for step in [1, 7, 64, 1000] {
            let mut connection = connection(replies, step);
            let (mut value, mut most) = (Vec::new(), 0);
            let get = get(b"k");
            finish(connection.send(&get)).unwrap();
            let received = connection.receive_with(&get, async |event, index| {
                wait().await;
                assert_eq!(index, 0);
                if let Event::Data(piece) = event {
                    value.extend_from_slice(piece);
                    most = most.max(piece.len());
                }
            });
            finish(received).unwrap();
            assert_eq!(value, b"0123456789".repeat(9));
            assert!(most <= 64, "a piece is no longer than the buffer");
            connection.io_mut().replies = b"VALUE k 0 1\r\nx\r\nEND\r\n";
            let next = finish(connection.call(&get, ArrayBuffer::<9>::new())).unwrap().unwrap();
            assert_eq!((next.value.as_ref(), connection.state()), (&b"x"[..], ExchangeState::Idle));
        }
    }

    #[test]
    fn another_keys_value_is_not_given() {
        let mut connection = connection(b"VALUE j 0 1\r\nx\r\nEND\r\n", 1000);
        finish(connection.send(&get(b"k"))).unwrap();
        let received = finish(
            connection.receive_with(&get(b"k"), async |event, _| unreachable!("{event:?} of another")),
        );
        assert_eq!(received, Err(ConnectionError::Protocol(ProtocolError::WrongKey)));
        assert_eq!(connection.state(), ExchangeState::MustClose);
    }

    #[test]
    fn what_breaks_off_or_is_dropped_ends_the_connection() {
        for end in [Ok(0), Err(Failure::Source)] {
            let mut connection = connection(b"STORED\r\n", 9);
            let mut given = Some(Ok(3)).into_iter().chain([end]);
            let sent =
                finish(connection.send_from(&store(), 9, &mut [0; 4], async |_| given.next().unwrap()));
            assert!(sent.is_err());
            assert_eq!(connection.state(), ExchangeState::MustClose);
        }
        for polls in 1.. {
            let mut connection = connection(b"STORED\r\n", 9);
            let sent = poll(connection.send_from(&store(), 9, &mut [0; 4], fill), polls);
            if sent.is_some() {
                assert!(polls > 5, "there is more than one place to drop it");
                break;
            }
            assert_eq!(connection.state(), ExchangeState::MustClose);
        }
        for polls in 1.. {
            let mut connection = connection(b"VALUE k 0 5\r\nhello\r\nEND\r\n", 2);
            finish(connection.send(&get(b"k"))).unwrap();
            if poll(connection.receive_with(&get(b"k"), async |_, _| wait().await), polls).is_some() {
                assert!(polls > 10, "there is more than one place to drop it");
                break;
            }
            // Within the flush nothing is lost: that can be done again.
            let is_lost = connection.state() == ExchangeState::MustClose;
            assert!(is_lost || polls == 1, "dropped after {polls} polls");
        }
    }

    #[test]
    fn what_is_too_large_is_not_begun() {
        let mut connection = connection(b"", 1);
        let sent = finish(connection.send_from(&store(), (1 << 30) + 1, &mut [0; 4], fill));
        assert_eq!(sent, Err(Failure::TooLarge));
        assert_eq!(connection.state(), ExchangeState::Idle);
    }
}
