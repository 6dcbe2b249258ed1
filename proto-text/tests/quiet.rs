//! Runs of quiet requests: what silence means, and what it does not.

#![allow(missing_docs)]

use memring_text::{
    Exchange, Get, Key, Operation, Reply, Request, StoreOutcome, Value,
    exchange::{ExchangeState, Progress, ProtocolError},
    meta::{MetaArith, MetaDelete, MetaGet, MetaNoop, MetaSet, Opaque},
    operation::ReplyError,
    reply::Event,
};

fn key(name: &str) -> Key<'_> {
    Key::new(name.as_bytes()).unwrap()
}

fn get(name: &str, opaque: u64) -> MetaGet<'_> {
    MetaGet::new(key(name)).value().opaque(Opaque::number(opaque)).quiet()
}

fn set(name: &str, opaque: u64) -> MetaSet<'_> {
    MetaSet::new(key(name), Value::EMPTY).opaque(Opaque::number(opaque)).quiet()
}

/// Each request's reply, and how it ended.
fn replies(
    requests: &[Request<'_>],
    bytes: &[u8],
) -> (Vec<Reply<Vec<u8>>>, Result<ExchangeState, ProtocolError>) {
    let mut exchange = Exchange::default();
    requests.iter().for_each(|_| exchange.sent());
    let mut rest = bytes;
    let mut replies = Vec::new();
    for request in requests {
        let mut reply = Reply::new(Vec::new());
        loop {
            match exchange.decode(rest, request) {
                Ok(Progress::Event { consumed, event, complete, .. }) => {
                    assert_eq!(consumed == 0, matches!(event, Event::Silence { .. }));
                    reply.take(&event);
                    rest = &rest[consumed..];
                    if complete {
                        break;
                    }
                }
                Ok(Progress::NeedMore) => panic!("a reply is missing"),
                Err(error) => return (replies, Err(error)),
            }
        }
        replies.push(reply);
    }
    assert!(rest.is_empty());
    (replies, Ok(exchange.state()))
}

#[test]
fn silence_is_a_miss_a_store_and_a_deletion() {
    let (a, b, c) = (get("a", 1), get("b", 2), set("c", 3));
    let d = MetaDelete::new(key("d")).opaque(Opaque::number(4)).quiet();
    let e = MetaArith::new(key("e")).opaque(Opaque::number(5)).quiet();
    let requests = [a.request(), b.request(), c.request(), d.request(), e.request()];
    let requests = [&requests[..], &[Request::MetaNoop]].concat();
    let (replies, state) = replies(&requests, b"VA 1 O2\r\nx\r\nNF O5\r\nMN\r\n");
    let mut replies = replies.into_iter();
    let mut next = || replies.next().unwrap();
    assert_eq!(a.output(next()), Ok(None));
    assert_eq!(b.output(next()).unwrap().unwrap().value, Some(b"x".to_vec()));
    assert_eq!(c.output(next()).unwrap().outcome, StoreOutcome::Stored);
    assert_eq!(d.output(next()), Ok(StoreOutcome::Stored));
    assert_eq!(e.output(next()).unwrap().outcome, StoreOutcome::NotFound);
    assert_eq!(MetaNoop.output(next()), Ok(()));
    assert_eq!(state, Ok(ExchangeState::Idle));
}

#[test]
fn after_a_refusal_silence_is_unsure_until_a_reply_says_more() {
    let sets = [set("a", 1), set("b", 2), set("c", 3), set("d", 4)];
    let mut requests: Vec<_> = sets.iter().map(|set| set.request()).collect();
    requests.push(Request::MetaNoop);
    let bytes = b"SERVER_ERROR object too large for cache\r\nNS O3\r\nMN\r\n";
    let (replies, state) = replies(&requests, bytes);
    let outcomes: Vec<_> = sets.iter().zip(replies).map(|(set, reply)| set.output(reply)).collect();
    assert!(matches!(outcomes[0], Err(ReplyError::Server(_))));
    assert_eq!(outcomes[1], Err(ReplyError::Unsure));
    assert_eq!(outcomes[2].as_ref().unwrap().outcome, StoreOutcome::NotStored);
    assert_eq!(outcomes[3].as_ref().unwrap().outcome, StoreOutcome::Stored);
    assert_eq!(state, Ok(ExchangeState::Idle));
}

#[test]
fn a_refusal_in_a_run_that_no_noop_ends_loses_the_connection() {
    let quiet = set("a", 1);
    let plain = MetaGet::new(key("b"));
    let classic = Request::Get(Get::new(key("b")));
    for behind in [plain.request(), classic, Request::Version] {
        let requests = [quiet.request(), behind];
        let (replies, state) = replies(&requests, b"SERVER_ERROR object too large for cache\r\nEN\r\n");
        assert_eq!((replies.len(), state), (1, Err(ProtocolError::OutOfStep)));
    }
}

/// One request for each line: so it is known which was refused, and the next request is as good as the first.
#[test]
fn a_refusal_that_ends_a_run_leaves_the_connection_to_the_next_request() {
    let refusal = b"SERVER_ERROR object too large for cache\r\n";
    for count in 1..3 {
        let quiet = [set("a", 1), set("b", 2)];
        let run: Vec<_> = quiet[..count].iter().map(|set| set.request()).collect();
        for (next, reply) in [
            (Request::Version, &b"VERSION 1.6.18\r\n"[..]),
            (Request::Get(Get::new(key("b"))), b"END\r\n"),
            (MetaGet::new(key("b")).request(), b"EN\r\n"),
            (Request::MetaNoop, b"MN\r\n"),
        ] {
            let (mut exchange, refusals) = (Exchange::default(), refusal.repeat(count));
            let mut rest = &refusals[..];
            run.iter().for_each(|_| exchange.sent());
            for request in &run {
                let Ok(Progress::Event { consumed, event: Event::Error(_), complete: true, .. }) =
                    exchange.decode(rest, request)
                else {
                    panic!("a refusal is the end of one reply");
                };
                rest = &rest[consumed..];
            }
            assert_eq!((rest, exchange.state()), (&b""[..], ExchangeState::Idle));
            exchange.sent();
            let answered = exchange.decode(reply, &next);
            assert!(matches!(answered, Ok(Progress::Event { complete: true, .. })), "{answered:?}");
            assert_eq!(exchange.state(), ExchangeState::Idle);
        }
    }
}

/// The run behind it is a new one: its silence is sure.
#[test]
fn a_refusal_that_ends_a_run_casts_no_doubt_on_the_next_run() {
    let (first, second) = (set("a", 1), set("b", 2));
    let mut exchange = Exchange::default();
    exchange.sent();
    let refused = exchange.decode(b"SERVER_ERROR object too large for cache\r\n", &first.request());
    assert!(matches!(refused, Ok(Progress::Event { event: Event::Error(_), .. })));
    exchange.sent();
    exchange.sent();
    let silent = exchange.decode(b"MN\r\n", &second.request());
    assert!(matches!(silent, Ok(Progress::Event { event: Event::Silence { sure: true }, .. })), "{silent:?}");
}

#[test]
fn a_reply_that_nothing_tells_from_anothers_ends_the_connection() {
    let (a, b) = (MetaGet::new(key("a")).value().quiet(), MetaGet::new(key("b")).value().quiet());
    let requests = [a.request(), b.request(), Request::MetaNoop];
    let (replied, state) = replies(&requests, b"VA 1\r\nx\r\nMN\r\n");
    assert_eq!((replied.len(), state), (0, Err(ProtocolError::Unidentified)));
    // The key tells them apart as well as an opaque does.
    let (a, b) = (a.key(), b.key());
    let requests = [a.request(), b.request(), Request::MetaNoop];
    let (replied, state) = replies(&requests, b"VA 1 kb\r\nx\r\nMN\r\n");
    assert_eq!((replied.len(), state), (3, Ok(ExchangeState::Idle)));
}

#[test]
fn an_opaque_that_nobody_sent_ends_the_connection() {
    let (a, b) = (get("a", 1), get("b", 2));
    let requests = [a.request(), b.request(), Request::MetaNoop];
    let (_, state) = replies(&requests, b"VA 1 O7\r\nx\r\nMN\r\n");
    assert_eq!(state, Err(ProtocolError::WrongOpaque));
}
