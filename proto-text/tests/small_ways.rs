//! A request that stands alone, and the small exchanges, know few replies. What they must never do: take another key's value,
//! a reply to something else, or one that nobody asked for.

#![allow(missing_docs)]

use memring_text::{
    Exchange, Get, Item, Key, Operation, Reply, Store, StoreOutcome, Value,
    exchange::{ExchangeState, OneLine, Progress, ProtocolError, SmallExchange, SmallGet},
    operation::ReplyError,
    reply::{DecodeError, Event, Malformed, Status, Step},
    request::{Arith, Delete, Encode, Touch},
};

fn key(name: &str) -> Key<'_> {
    Key::new(name.as_bytes()).unwrap()
}

fn set() -> Store<'static> {
    Store::set(key("key"), Value::EMPTY)
}

/// Replies to a get of `key` that are another's, or no one's.
const FOREIGN: [&str; 9] = [
    "VALUE kez 0 1\r\nx\r\nEND\r\n",
    "VALUE Key 0 1\r\nx\r\nEND\r\n",
    "VALUE jey 0 1\r\nx\r\nEND\r\n",
    "VALUE keys 0 1\r\nx\r\nEND\r\n",
    "VALUE ke 0 1\r\nx\r\nEND\r\n",
    "VALUE key 0 1 7\r\nx\r\nEND\r\n",
    "VALUE key 0 1\r\nx\r\nVALUE key 0 1\r\ny\r\nEND\r\n",
    "VALUE key 0 1\r\nx\r\nVALUE kez 0 1\r\ny\r\nEND\r\n",
    "VALUE key 0 1\r\nxy\nEND\r\n",
];

/// The whole reply to a get, in pieces of so many bytes.
fn small_get(reply: &[u8], piece: usize) -> Result<Option<Vec<u8>>, ProtocolError> {
    let mut get = SmallGet::new(key("key"));
    let (mut value, mut from) = (None, 0);
    for to in (0..=reply.len()).step_by(piece).chain([reply.len()]) {
        while let Step::Event { consumed, event } = get.decode(&reply[from..to])? {
            from += consumed;
            match event {
                Event::Value(_) => value = Some(Vec::new()),
                Event::Data(piece) => value.as_mut().unwrap().extend_from_slice(piece),
                Event::End => return Ok(value),
                _ => {}
            }
        }
    }
    panic!("an open reply: {}", reply.escape_ascii())
}

/// The same by an exchange that is lent the get alone.
fn get_alone(reply: &[u8], piece: usize) -> Result<Option<Item<Vec<u8>>>, ProtocolError> {
    let get = Get::new(key("key"));
    let (mut exchange, mut result, mut from) = (Exchange::default(), Reply::new(Vec::new()), 0);
    exchange.sent();
    for to in (0..=reply.len()).step_by(piece).chain([reply.len()]) {
        while let Progress::Event { consumed, event, complete, .. } =
            exchange.decode(&reply[from..to], &get)?
        {
            from += consumed;
            result.take(&event);
            if complete {
                return Ok(get.output(result).unwrap());
            }
        }
    }
    panic!("an open reply: {}", reply.escape_ascii())
}

#[test]
fn another_keys_value_is_given_to_nobody() {
    for reply in FOREIGN {
        for piece in [1, 2, 5, 100] {
            assert!(small_get(reply.as_bytes(), piece).is_err(), "{reply} by {piece}");
            assert!(get_alone(reply.as_bytes(), piece).is_err(), "{reply} by {piece}");
        }
    }
}

#[test]
fn a_value_that_looks_like_a_reply_is_a_value() {
    for inner in ["END\r\n", "STORED\r\n", "VALUE kez 0 1\r\nx\r\nEND\r\n", "\r\nEND\r\n"] {
        let reply = format!("VALUE key 0 {}\r\n{inner}\r\nEND\r\n", inner.len());
        for piece in [1, 2, 5, 100] {
            let small = small_get(reply.as_bytes(), piece).unwrap();
            assert_eq!(small.as_deref(), Some(inner.as_bytes()), "{inner} by {piece}");
            let alone = get_alone(reply.as_bytes(), piece).unwrap();
            assert_eq!(alone.map(|item| item.value).as_deref(), Some(inner.as_bytes()), "{inner} by {piece}");
        }
    }
}

/// What a small exchange makes of a line.
fn line(request: impl OneLine, reply: &str) -> Result<Event<'_>, ProtocolError> {
    match SmallExchange::new(request).decode(reply.as_bytes())? {
        Step::Event { event, .. } => Ok(event),
        Step::NeedMore => panic!("an open reply: {reply}"),
    }
}

#[test]
fn a_reply_to_something_else_is_an_error() {
    let right = [
        (0, "STORED", Event::Status(Status::Stored)),
        (0, "NOT_STORED", Event::Status(Status::NotStored)),
        (1, "STORED", Event::Status(Status::Stored)),
        (1, "EXISTS", Event::Status(Status::Exists)),
        (1, "NOT_FOUND", Event::Status(Status::NotFound)),
        (2, "DELETED", Event::Status(Status::Deleted)),
        (2, "NOT_FOUND", Event::Status(Status::NotFound)),
        (3, "TOUCHED", Event::Status(Status::Touched)),
        (3, "NOT_FOUND", Event::Status(Status::NotFound)),
        (4, "7", Event::Number(7)),
        (4, "NOT_FOUND", Event::Status(Status::NotFound)),
    ];
    let words = [
        "STORED",
        "NOT_STORED",
        "EXISTS",
        "NOT_FOUND",
        "DELETED",
        "TOUCHED",
        "OK",
        "RESET",
        "7",
        "END",
        "HD",
    ];
    let name = key("key");
    for word in words {
        let reply = format!("{word}\r\n");
        let small = [
            line(set(), &reply),
            line(Store::cas(name, Value::EMPTY, 1), &reply),
            line(Delete::new(name), &reply),
            line(Touch::new(name, 1), &reply),
            line(Arith::incr(name, 1), &reply),
        ];
        for (which, small) in small.into_iter().enumerate() {
            let expected = right.iter().find(|row| (row.0, row.1) == (which, word)).map(|row| row.2);
            assert_eq!(small, expected.ok_or(ProtocolError::Unexpected), "{word} to request {which}");
        }
    }
}

#[test]
fn a_request_without_a_reply_gets_none() {
    let name = key("key");
    assert_eq!(line(set().noreply(), "STORED\r\n"), Err(ProtocolError::Unexpected));
    assert_eq!(line(Delete::new(name).noreply(), "DELETED\r\n"), Err(ProtocolError::Unexpected));
    assert_eq!(line(Touch::new(name, 1).noreply(), "TOUCHED\r\n"), Err(ProtocolError::Unexpected));
    assert_eq!(line(Arith::incr(name, 1).noreply(), "NOT_FOUND\r\n"), Err(ProtocolError::Unexpected));
}

#[test]
fn what_nobody_asked_for_is_an_error_to_a_request_alone() {
    for reply in ["STORED\r\n", "END\r\n", "VALUE key 0 1\r\nx\r\nEND\r\n", "V"] {
        let mut exchange = Exchange::default();
        assert_eq!(exchange.decode(reply.as_bytes(), &set()), Err(ProtocolError::Unasked), "{reply}");
        assert_eq!(exchange.state(), ExchangeState::MustClose);
    }
}

/// A reply to the request that an exchange is lent, and the state behind it.
fn alone(request: &impl Encode, reply: &str) -> (Result<bool, ProtocolError>, ExchangeState) {
    let mut exchange = Exchange::default();
    exchange.sent();
    let read = exchange.decode(reply.as_bytes(), request);
    let is_complete = read.map(|progress| matches!(progress, Progress::Event { complete: true, .. }));
    (is_complete, exchange.state())
}

#[test]
fn lines_that_a_request_alone_does_not_know_end_the_connection() {
    for foreign in [
        "STAT a b",
        "HD",
        "VA 1\r\nx",
        "EN",
        "ME key x=1",
        "VERSION 1.6",
        "key=key exp=1",
        "mg key",
        "BUSY x",
        "ITEM a",
        "OK",
        "x",
    ] {
        for shape in [
            alone(&set(), &format!("{foreign}\r\n")),
            alone(&Get::new(key("key")), &format!("{foreign}\r\n")),
        ] {
            assert_eq!(shape, (Err(ProtocolError::Unexpected), ExchangeState::MustClose), "{foreign}");
        }
    }
    // What no server says is known from what one might.
    let tls = DecodeError::Malformed(Malformed::Tls);
    assert_eq!(alone(&set(), "\x15\x03").0, Err(ProtocolError::Decode(tls)));
}

#[test]
fn behind_a_known_refusal_a_request_alone_stays_in_step() {
    let too_large = "SERVER_ERROR object too large for cache\r\n";
    assert_eq!(alone(&set(), too_large), (Ok(true), ExchangeState::Idle));
    // It is not known whether the value was read.
    assert_eq!(alone(&set(), "CLIENT_ERROR what\r\n"), (Ok(true), ExchangeState::MustClose));
    // There is none.
    assert_eq!(alone(&Delete::new(key("key")), "CLIENT_ERROR what\r\n"), (Ok(true), ExchangeState::Idle));
    // A value that may be a request must not be left to the server as one.
    let request = Store::set(key("key"), Value::new(b"get kez\r\n").unwrap());
    let harmless = Store::set(key("key"), Value::new(b"\0").unwrap());
    for (store, state) in [(request, ExchangeState::MustClose), (harmless, ExchangeState::Busy)] {
        let mut exchange = Exchange::default();
        exchange.sent();
        exchange.sent();
        let refused = exchange.decode(b"SERVER_ERROR what\r\n", &store).unwrap();
        assert!(matches!(refused, Progress::Event { complete: true, .. }));
        assert_eq!(exchange.state(), state, "{store:?}");
    }
}

#[test]
fn a_refusal_is_told_as_it_is() {
    let mut exchange = Exchange::default();
    exchange.sent();
    let mut reply = Reply::new(Vec::new());
    let refused = exchange.decode(b"SERVER_ERROR out of memory storing object\r\n", &set()).unwrap();
    let Progress::Event { event, .. } = refused else { panic!("an open reply") };
    reply.take(&event);
    let error = set().output(reply).unwrap_err();
    assert!(matches!(error, ReplyError::Server(_)), "{error}");
    let mut reply = Reply::new(Vec::new());
    reply.take(&Event::Status(Status::Stored));
    assert_eq!(set().output(reply), Ok(StoreOutcome::Stored));
}
