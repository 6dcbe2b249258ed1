//! The law of requests that stand alone: by themselves and by the small exchanges, they are read as one of all.

use memring_text::{
    Connection, Exchange, Get, Key, Limits, Operation, Reply, Request, Store, Value,
    buffer::Buffer,
    exchange::{OneLine, Progress, ProtocolError, SmallExchange, SmallGet},
    operation::ReplyError,
    reply::{DecodeError, Event, Malformed, Step},
    request::{Arith, Delete, Encode, Touch},
};

use crate::{
    codec::{Stream, feed, item_keys},
    connection::{Wire, connect},
};

/// However a reply is cut: a request by itself reads it as one of all does, but that it does not tell foreign lines apart; and
/// the small exchanges take nothing that an [`Exchange`] does not take.
pub fn small_ways_agree(stream: &Stream<'_>) {
    let names = item_keys(stream.bytes);
    // The first key that stands there, or another one.
    let name = names.first().copied().filter(|_| stream.asked[1] < 128).unwrap_or(b"k");
    let key = Key::new(name).unwrap();
    let store = Store::set(key, Value::EMPTY);
    for ends in stream.ways() {
        match stream.asked[0] % 8 {
            0 | 1 => {
                alone_agrees(stream.bytes, &ends, &Get::new(key));
                get_agrees(stream.bytes, &ends, key);
            }
            2 => alone_agrees(stream.bytes, &ends, &Get::gats(key, 5)),
            3 => both_agree(stream.bytes, &ends, store),
            4 => both_agree(stream.bytes, &ends, Store::cas(key, Value::EMPTY, 1)),
            5 => both_agree(stream.bytes, &ends, Delete::new(key)),
            6 => both_agree(stream.bytes, &ends, Touch::new(key, 5)),
            _ => both_agree(stream.bytes, &ends, Arith::incr(key, 1)),
        }
    }
}

fn both_agree(bytes: &[u8], ends: &[usize], operation: impl OneLine + Operation + Copy) {
    alone_agrees(bytes, ends, &operation);
    line_agrees(bytes, ends, operation);
}

/// An operation of which nobody knows that it can stand alone.
struct AsOneOfAll<'o, O>(&'o O);

impl<O: Operation> Operation for AsOneOfAll<'_, O> {
    type Output<V> = O::Output<V>;

    fn request(&self) -> Request<'_> {
        self.0.request()
    }

    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<Self::Output<V>, ReplyError> {
        self.0.output(reply)
    }
}

fn alone_agrees<O: Operation + Encode>(bytes: &[u8], ends: &[usize], operation: &O) {
    let (told, read, error) = events(bytes, ends, operation);
    let (expected, expected_read, expected_error) = events(bytes, ends, &operation.request());
    assert_eq!((told, read), (expected, expected_read));
    match (error, expected_error) {
        (
            Some(
                ProtocolError::Unexpected | ProtocolError::Decode(DecodeError::Malformed(Malformed::Number)),
            ),
            Some(ProtocolError::Decode(DecodeError::Malformed(_))),
        ) => {}
        (error, expected) => assert_eq!(error, expected),
    }

    let (mut alone, mut as_one) = (connect(bytes, ends), connect(bytes, ends));
    let result = alone.call(operation, Vec::new());
    let expected = as_one.call(&AsOneOfAll(operation), Vec::new());
    assert_eq!(result.is_ok(), expected.is_ok());
    assert_eq!(alone.state(), as_one.state());
    if result.is_ok() {
        assert_eq!(rest(alone), rest(as_one));
    }
}

/// What the next call would read.
fn rest<'a>(connection: Connection<Wire<'a>, [u8; 2100]>) -> usize {
    connection.into_inner().0.read()
}

/// The events of one reply, how far they go, and how it ended.
fn events(bytes: &[u8], ends: &[usize], request: &impl Encode) -> (Vec<u8>, usize, Option<ProtocolError>) {
    let mut exchange = Exchange::default();
    exchange.sent();
    let mut told = Vec::new();
    let (read, error) = feed(bytes, ends, |buf| match exchange.decode(buf, request)? {
        Progress::Event { consumed, event, .. } => {
            event.encode(&mut told).unwrap();
            Ok(Some(consumed))
        }
        Progress::NeedMore => Ok(None),
    });
    (told, read, error)
}

/// How a reply ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// As it should.
    Complete,
    /// It did not yet.
    Open,
    /// With an error.
    Wrong,
}

/// That a small get takes what an exchange takes, and no more. It may know earlier that something is wrong.
fn get_agrees(bytes: &[u8], ends: &[usize], key: Key<'_>) {
    let mut get = SmallGet::new(key);
    let small = told(bytes, ends, |buf| match get.decode(buf) {
        Ok(Step::Event { consumed, event }) => Ok(Some((consumed, event))),
        Ok(Step::NeedMore) => Ok(None),
        Err(error) => {
            assert_eq!(get.decode(b"END\r\n"), Err(error), "an error is final");
            Err(())
        }
    });
    let request = Request::Get(Get::new(key));
    let mut exchange = Exchange::default();
    exchange.sent();
    let large = told(bytes, ends, |buf| match exchange.decode(buf, &request) {
        Ok(Progress::Event { event: Event::Error(_), .. }) | Err(_) => Err(()),
        Ok(Progress::Event { event: Event::Value(head), .. }) if head.len > Limits::DEFAULT.value => Err(()),
        Ok(Progress::Event { consumed, event, .. }) => Ok(Some((consumed, event))),
        Ok(Progress::NeedMore) => Ok(None),
    });
    assert_eq!(small.0, large.0);
    assert!(small.1 == large.1 || (small.1, large.1) == (End::Wrong, End::Open), "{small:?} {large:?}");
}

/// The events up to the end, what stands in them, and how that was.
fn told<'b>(
    bytes: &'b [u8],
    ends: &[usize],
    mut decode: impl FnMut(&'b [u8]) -> Result<Option<(usize, Event<'b>)>, ()>,
) -> (Vec<u8>, End) {
    let (mut told, mut from) = (Vec::new(), 0);
    for &to in ends {
        loop {
            match decode(&bytes[from..to]) {
                Ok(Some((consumed, event))) => {
                    from += consumed;
                    event.encode(&mut told).unwrap();
                    if event == Event::End {
                        return (told, End::Complete);
                    }
                }
                Ok(None) => break,
                Err(()) => return (told, End::Wrong),
            }
        }
    }
    (told, End::Open)
}

/// That a small exchange takes the line that an exchange takes, and no other; and with bytes behind it, none.
fn line_agrees(bytes: &[u8], ends: &[usize], operation: impl OneLine + Operation + Copy) {
    let mut small = SmallExchange::new(operation);
    let request = operation.request();
    let mut large = Exchange::default();
    large.sent();
    for &to in ends {
        let buf = &bytes[..to];
        match (small.decode(buf), large.decode(buf, &request)) {
            (Ok(Step::NeedMore), Ok(Progress::NeedMore)) => {}
            // What nothing begins with that a server says.
            (Ok(Step::NeedMore), Err(_)) => return,
            (
                Ok(Step::Event { consumed, event }),
                Ok(Progress::Event { consumed: expected, event: other, complete: true, .. }),
            ) => {
                assert_eq!((consumed, event), (expected, other));
                if matches!(event, Event::Error(_)) {
                    assert_eq!(small.decode(b"STORED\r\n"), Err(ProtocolError::OutOfStep));
                } else {
                    assert_eq!(consumed, to);
                }
                return;
            }
            (Err(ProtocolError::Unasked), Ok(Progress::Event { consumed, .. })) => {
                assert!(consumed < to);
                return;
            }
            (Err(error), Err(_)) => {
                assert_eq!(small.decode(b"STORED\r\n"), Err(error), "an error is final");
                return;
            }
            (small, large) => panic!("{small:?} {large:?}"),
        }
    }
}
