//! Refusals: behind which the connection can be used, and who is told what.

#![allow(missing_docs)]

use memring_text::{
    Exchange, Get, Key, Operation as _, Request, Store, Value,
    exchange::{ExchangeState, Progress, ProtocolError},
    meta::{MetaGet, MetaSet, Opaque},
    reply::Event,
    request::{Delete, Touch},
};

fn key(name: &str) -> Key<'_> {
    Key::new(name.as_bytes()).unwrap()
}

fn set<'a>(name: &'a str, value: &'a str) -> Request<'a> {
    let value = Value::new(value.as_bytes()).unwrap();
    Request::Store(Store::set(key(name), value))
}

fn get(name: &str) -> Request<'_> {
    Request::Get(Get::new(key(name)))
}

/// For each request that has an answer, whether it is a refusal; and how it ended.
fn answers(requests: &[Request<'_>], bytes: &[u8]) -> (Vec<bool>, Result<ExchangeState, ProtocolError>) {
    let whole = answers_in_pieces(requests, bytes, bytes.len());
    for step in [1, 2, 7] {
        assert_eq!(answers_in_pieces(requests, bytes, step), whole);
    }
    whole
}

fn answers_in_pieces(
    requests: &[Request<'_>],
    bytes: &[u8],
    step: usize,
) -> (Vec<bool>, Result<ExchangeState, ProtocolError>) {
    let mut exchange = Exchange::default();
    requests.iter().for_each(|_| exchange.sent());
    let (mut answers, mut from, mut to) = (Vec::new(), 0, 0);
    while let Some(oldest) = requests.get(answers.len()) {
        match exchange.decode(&bytes[from..to], oldest) {
            Ok(Progress::Event { consumed, event, complete, .. }) => {
                from += consumed;
                if complete {
                    answers.push(matches!(event, Event::Error(_)));
                }
            }
            Ok(Progress::NeedMore) if to < bytes.len() => to = bytes.len().min(to + step),
            Ok(Progress::NeedMore) => panic!("a reply is missing"),
            Err(error) => return (answers, Err(error)),
        }
    }
    (answers, Ok(exchange.state()))
}

const IDLE: Result<ExchangeState, ProtocolError> = Ok(ExchangeState::Idle);
const CLOSE: Result<ExchangeState, ProtocolError> = Ok(ExchangeState::MustClose);
const LOST: Result<ExchangeState, ProtocolError> = Err(ProtocolError::OutOfStep);

#[test]
fn a_request_without_a_value_is_refused_and_the_connection_goes_on() {
    let mg = MetaGet::new(key("k")).value().opaque(Opaque::number(1));
    let requests = [
        get("k"),
        Request::Delete(Delete::new(key("k"))),
        Request::Touch(Touch::new(key("k"), 0)),
        Request::Version,
        mg.request(),
        Request::MetaNoop,
    ];
    for request in requests {
        for line in ["ERROR", "SERVER_ERROR something new", "SERVER_ERROR: new", "CLIENT_ERROR new"] {
            let bytes = [line, "\r\nEND\r\n"].concat();
            assert_eq!(answers(&[request, get("k")], bytes.as_bytes()), (vec![true, false], IDLE), "{line}");
        }
        for line in
            ["ERROR Too many open connections", "CLIENT_ERROR unauthenticated", "CLIENT_ERROR bad data chunk"]
        {
            let bytes = [line, "\r\nEND\r\n"].concat();
            assert_eq!(answers(&[request, get("k")], bytes.as_bytes()), (vec![true], LOST), "{line}");
        }
    }
    // memcached 1.6.45 sends an empty line behind this one.
    assert_eq!(answers(&[get("k")], b"CLIENT_ERROR bad command line format\r\n"), (vec![true], CLOSE));
    // Items have come: where their reply ends is not known.
    let broken = b"VALUE k 0 1\r\nx\r\nSERVER_ERROR out of memory writing get response\r\n";
    assert_eq!(answers(&[get("k")], broken), (vec![true], CLOSE));
}

#[test]
fn known_lines_leave_a_store_in_step() {
    for text in [
        "object too large for cache",
        "Out of memory during read",
        "backend failure",
        "Connection refused",
        "timeout",
    ] {
        let line = ["SERVER_ERROR ", text, "\r\n"].concat();
        assert_eq!(answers(&[set("k", "get k")], line.as_bytes()), (vec![true], IDLE), "{text}");
    }
}

#[test]
fn behind_an_unknown_line_the_next_replies_prove_that_the_value_was_read() {
    let three = [set("a", "1"), set("bad", "2"), set("c", "3")];
    let line = "SERVER_ERROR new\r\n";
    let bytes = ["STORED\r\n", line, "STORED\r\n"].concat();
    assert_eq!(answers(&three, bytes.as_bytes()), (vec![false, true, false], IDLE));
    let bytes = [line, line, "NOT_STORED\r\n"].concat();
    assert_eq!(answers(&three, bytes.as_bytes()), (vec![true, true, false], IDLE));
    // Nothing behind it: nothing is proven.
    let bytes = ["STORED\r\n", "STORED\r\n", line].concat();
    assert_eq!(answers(&three, bytes.as_bytes()), (vec![false, false, true], CLOSE));
}

#[test]
fn a_value_that_was_taken_for_a_request_is_noticed_before_anybody_is_told_its_reply() {
    // The server says that it does not know `2`, and only then answers for `c`.
    for refusal in ["ERROR", "CLIENT_ERROR bad command line format"] {
        let bytes = ["SERVER_ERROR new\r\n", refusal, "\r\nSTORED\r\n"].concat();
        assert_eq!(
            answers(&[set("bad", "2"), set("c", "3")], bytes.as_bytes()),
            (vec![true], LOST),
            "{refusal}"
        );
        assert_eq!(answers(&[set("bad", "2"), get("c")], bytes.as_bytes()), (vec![true], LOST), "{refusal}");
    }
    // A value that is a request would be answered, and then `c` be told the answer.
    for value in ["set c 0 0 1", "get c", " mg c v", "flush_all"] {
        let bytes = b"SERVER_ERROR new\r\nSTORED\r\n";
        assert_eq!(answers(&[set("bad", value), set("c", "3")], bytes), (vec![true], LOST), "{value}");
    }
    // Other words than this are said of requests that the server cannot read.
    for line in ["ERROR", "CLIENT_ERROR new"] {
        let bytes = [line, "\r\nSTORED\r\n"].concat();
        assert_eq!(
            answers(&[set("bad", "2"), set("c", "3")], bytes.as_bytes()),
            (vec![true], LOST),
            "{line}"
        );
    }
}

#[test]
fn a_meta_store_is_held_to_the_same() {
    let value = Value::new(b"1").unwrap();
    let sets = [1, 2].map(|number| MetaSet::new(key("k"), value).opaque(Opaque::number(number)));
    let requests = [sets[0].request(), sets[1].request()];
    assert_eq!(answers(&requests, b"SERVER_ERROR new\r\nHD O2\r\n"), (vec![true, false], IDLE));
    assert_eq!(answers(&requests, b"SERVER_ERROR new\r\nERROR\r\n"), (vec![true], LOST));
    assert_eq!(answers(&requests[..1], b"SERVER_ERROR new\r\n"), (vec![true], CLOSE));
}

#[test]
fn the_size_that_memcached_1_6_20_adds_to_a_cas_unique_is_passed_over() {
    let value = Value::new(b"1").unwrap();
    let (with, without) = (MetaSet::new(key("k"), value).cas(), MetaSet::new(key("k"), value));
    assert_eq!(answers(&[with.request()], b"HD c5 s1\r\n"), (vec![false], IDLE));
    assert!(answers(&[without.request()], b"HD s1\r\n").1.is_err());
}

#[test]
fn a_bare_miss_answers_the_oldest_mg_and_nothing_else() {
    let gets = [1, 2].map(|number| MetaGet::new(key("k")).value().opaque(Opaque::number(number)));
    let requests = [gets[0].request(), gets[1].request()];
    assert_eq!(answers(&requests, b"EN\r\nVA 1 O2\r\nx\r\n"), (vec![false, false], IDLE));
    // One too many, and the opaque behind it tells.
    assert_eq!(answers(&requests, b"EN\r\nVA 1 O1\r\nx\r\n"), (vec![false], Err(ProtocolError::WrongOpaque)));
    // What tells anything must tell all.
    assert_eq!(answers(&requests, b"EN kk\r\n"), (vec![], Err(ProtocolError::WrongOpaque)));
    let value = Value::new(b"1").unwrap();
    let set = MetaSet::new(key("k"), value).opaque(Opaque::number(1));
    let lost = answers(&[set.request()], b"EN\r\n");
    assert!(lost.1.is_err());
    assert!(answers(&[get("k")], b"EN\r\n").1.is_err());
}

#[test]
fn a_bare_miss_is_not_that_of_a_quiet_request() {
    let quiet = MetaGet::new(key("a")).value().opaque(Opaque::number(1)).quiet();
    let loud = MetaGet::new(key("b")).value().opaque(Opaque::number(2));
    let requests = [quiet.request(), loud.request(), Request::MetaNoop];
    assert_eq!(answers(&requests, b"EN\r\nMN\r\n"), (vec![false; 3], IDLE));
    assert_eq!(answers(&requests, b"VA 1 O1\r\nx\r\nEN\r\nMN\r\n"), (vec![false; 3], IDLE));
}
