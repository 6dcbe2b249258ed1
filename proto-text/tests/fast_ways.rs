//! What lies whole in a buffer is read in few steps. What must not be taken for that: a reply that nobody asked for, a value
//! that looks like a reply, the end of another one's; and what does not lie whole there must not be lost.

#![allow(missing_docs)]

use core::convert::Infallible;

use memring_text::{
    Connection, Exchange, Get, Key, Limits, Request, Store, StoreOutcome, Value,
    buffer::{ArrayBuffer, Buffer as _},
    connection::ConnectionError,
    exchange::{Progress, ProtocolError},
    operation::ReplyError,
    reply::Event,
};

fn key(name: &str) -> Key<'_> {
    Key::new(name.as_bytes()).unwrap()
}

fn get(name: &str) -> Request<'_> {
    Request::Get(Get::new(key(name)))
}

/// What is taken of the reply to `oldest` at once: its data, whether that was all, and how many bytes it had.
fn each(
    exchange: &mut Exchange,
    bytes: &[u8],
    oldest: &Request<'_>,
) -> Result<(Vec<u8>, bool, usize), ProtocolError> {
    let mut data = Vec::new();
    let mut taken = 0;
    let result = exchange.decode_each(bytes, oldest, |event, _| {
        taken += 1;
        if let Event::Data(piece) = event {
            data.extend_from_slice(piece);
        }
    });
    assert!(result.is_ok() || taken == 0, "events before an error");
    result.map(|taken| (data, taken.complete, taken.consumed))
}

#[test]
fn what_nobody_asked_for_is_an_error() {
    for reply in ["VALUE k 0 1\r\nx\r\nEND\r\n", "END\r\n", "STORED\r\n", "V"] {
        let mut exchange = Exchange::default();
        assert_eq!(each(&mut exchange, reply.as_bytes(), &get("k")), Err(ProtocolError::Unasked), "{reply}");
        // One that was asked for was answered before.
        let mut exchange = Exchange::default();
        exchange.sent();
        let answered = each(&mut exchange, b"END\r\n", &get("k"));
        assert_eq!(answered, Ok((vec![], true, 5)));
        assert_eq!(each(&mut exchange, reply.as_bytes(), &get("k")), Err(ProtocolError::Unasked), "{reply}");
    }
}

#[test]
fn a_connection_that_was_given_up_answers_nobody() {
    let mut exchange = Exchange::default();
    exchange.sent();
    exchange.fail();
    let hit = b"VALUE k 0 1\r\nx\r\nEND\r\n";
    assert_eq!(each(&mut exchange, hit, &get("k")), Err(ProtocolError::Broken));
    assert_eq!(exchange.decode(hit, &get("k")), Err(ProtocolError::Broken));
}

#[test]
fn a_value_that_looks_like_a_reply_is_a_value() {
    let inner = b"VALUE k 0 1\r\nx\r\nEND\r\n";
    for inner in [&inner[..], b"END\r\n", b"STORED\r\n"] {
        let mut exchange = Exchange::default();
        exchange.sent();
        let head = format!("VALUE k 0 {}\r\n", inner.len());
        let first = each(&mut exchange, head.as_bytes(), &get("k"));
        assert_eq!(first, Ok((vec![], false, head.len())));
        let rest = [inner, b"\r\nEND\r\n"].concat();
        assert_eq!(each(&mut exchange, &rest, &get("k")), Ok((inner.to_vec(), true, rest.len())));
        assert_eq!(exchange.owed(), 0);
    }
}

#[test]
fn a_key_is_answered_once() {
    let item = b"VALUE k 0 1\r\nx\r\n";
    let mut exchange = Exchange::default();
    exchange.sent();
    let mut rest = &item[..];
    while !rest.is_empty() {
        let Ok(Progress::Event { consumed, complete: false, .. }) = exchange.decode(rest, &get("k")) else {
            panic!("an item has three events")
        };
        rest = &rest[consumed..];
    }
    // The reply has begun: another whole one, which would be right by itself, is not the rest of it.
    assert!(each(&mut exchange, b"VALUE k 0 1\r\nx\r\nEND\r\n", &get("k")).is_err());
}

#[test]
fn what_was_looked_at_in_part_is_forgotten_with_its_line() {
    let hit = b"VALUE k 0 1\r\nx\r\nEND\r\n";
    for begun in 1..hit.len() {
        let mut exchange = Exchange::default();
        exchange.sent();
        exchange.sent();
        let (_, is_over, consumed) = each(&mut exchange, &hit[..begun], &get("k")).unwrap();
        assert!(!is_over);
        let (_, is_over, _) = each(&mut exchange, &hit[consumed..], &get("k")).unwrap();
        assert!(is_over);
        // A line shorter than the part that was looked at.
        let refused = exchange.decode(b"ERROR\r\n", &get("k"));
        assert!(matches!(refused, Ok(Progress::Event { event: Event::Error(_), .. })), "{refused:?}");
    }
}

#[test]
fn a_key_of_the_same_length_is_another_key() {
    for reply in
        ["VALUE key 0 1\r\nx\r\nEND\r\n", "VALUE kez 0 1\r\nx\r\nEND\r\n", "VALUE Key 0 1\r\nx\r\nEND\r\n"]
    {
        let mut exchange = Exchange::default();
        exchange.sent();
        let result = each(&mut exchange, reply.as_bytes(), &get("key"));
        assert_eq!(result.is_ok(), reply.contains("key"), "{reply}");
    }
}

/// A server that says this, in pieces of so many bytes.
struct Says {
    bytes: Vec<u8>,
    at: usize,
    piece: usize,
}

impl embedded_io::ErrorType for Says {
    type Error = Infallible;
}

impl embedded_io::Read for Says {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let rest = &self.bytes[self.at..];
        let len = rest.len().min(self.piece).min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}

impl embedded_io::Write for Says {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A connection with a buffer of 64 bytes to a server that says this.
fn connection(bytes: Vec<u8>, piece: usize) -> Connection<Says, [u8; 64]> {
    let limits = Limits { line: 64, ..Limits::DEFAULT };
    Connection::with_limits(Says { bytes, at: 0, piece }, [0; 64], limits)
}

/// The next reply is the next request's.
fn is_in_step(mut connection: Connection<Says, [u8; 64]>) {
    *connection.io_mut() = Says { bytes: b"STORED\r\n".to_vec(), at: 0, piece: 64 };
    let set = Store::set(key("k"), Value::EMPTY);
    assert_eq!(connection.call(&set, ArrayBuffer::<0>::new()), Ok(StoreOutcome::Stored));
}

#[test]
fn a_value_longer_than_the_buffer_comes_whole() {
    // Of lengths around the buffer's, so that an end of the value meets an end of the buffer.
    for len in (0..200).chain([1000, 2000]) {
        let value: Vec<u8> = (0..len).map(|at| b'a' + (at % 23) as u8).collect();
        let says = [format!("VALUE k 7 {len}\r\n").as_bytes(), &value, b"\r\nEND\r\n"].concat();
        for piece in [1, 5, 63, 64, 4096] {
            let mut connection = connection(says.clone(), piece);
            let item = connection.call(&Get::new(key("k")), ArrayBuffer::<2000>::new()).unwrap().unwrap();
            assert_eq!(
                (item.flags, item.value.as_slice()),
                (7, &value[..]),
                "{len} bytes, {piece} at a time"
            );
            is_in_step(connection);
        }
    }
}

#[test]
fn a_value_longer_than_its_place_is_an_error_and_the_next_reply_is_right() {
    let says = [&b"VALUE k 0 300\r\n"[..], &[b'x'; 300], b"\r\nEND\r\n"].concat();
    for piece in [1, 64, 4096] {
        let mut connection = connection(says.clone(), piece);
        let error = connection.call(&Get::new(key("k")), ArrayBuffer::<299>::new()).unwrap_err();
        assert!(matches!(error, ConnectionError::Reply(ReplyError::Full(_))), "{error:?}");
        is_in_step(connection);
    }
}
