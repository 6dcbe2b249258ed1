//! What a broken or hostile server says: each case ends in its class of error, and the connection as stated.

use memring_text::{
    Exchange, Get, Key, Limits, Operation, Reply,
    exchange::{ExchangeState, Progress, ProtocolError},
    reply::{DecodeError, ErrorWord, Event, ServerErrorKind},
    request::{Expected, Keys, ReplyShape},
};
use serde_json::Value;

use crate::{
    model::{self, ReplyBuilder},
    transcript::{BadReply, bad_replies},
};

/// What the case waits for.
struct Waiting {
    shape: ReplyShape,
    keys: Vec<Vec<u8>>,
    opaque: Option<Vec<u8>>,
}

impl Expected for Waiting {
    fn shape(&self) -> ReplyShape {
        self.shape
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        self.keys.get(index).map(Vec::as_slice)
    }

    fn opaque(&self) -> Option<&[u8]> {
        self.opaque.as_deref()
    }
}

/// What the requests wait for, in their order.
fn waiting(requests: &str) -> Vec<Waiting> {
    if requests.starts_with("(none:") {
        return Vec::new();
    }
    requests.split("; ").map(one).collect()
}

fn one(request: &str) -> Waiting {
    let mut words = request.split(' ');
    let verb = words.next().unwrap();
    let keys: Vec<_> = words.map(|word| word.as_bytes().to_vec()).collect();
    let shape = match verb {
        "get" => ReplyShape::Values { cas: false },
        "gets" => ReplyShape::Values { cas: true },
        "set" | "add" => ReplyShape::Store,
        "delete" => ReplyShape::Delete,
        "incr" => ReplyShape::Arith,
        "touch" => ReplyShape::Touch,
        "version" => ReplyShape::Version,
        "stats" => ReplyShape::Stats,
        "mg" | "ms" | "mn" => return meta(verb, &keys),
        other => panic!("unknown request {other}"),
    };
    Waiting { shape, keys, opaque: None }
}

fn meta(verb: &str, words: &[Vec<u8>]) -> Waiting {
    let text = |word: &Vec<u8>| String::from_utf8(word.clone()).unwrap();
    let skipped = if verb == "ms" { 2 } else { 1 };
    let flags: Vec<_> = words.iter().skip(skipped).map(text).collect();
    let json =
        serde_json::json!({ "q": verb, "key": words.first().map(text).unwrap_or_default(), "flags": flags });
    model::with_request(&json, b"1", |request| Waiting {
        shape: request.reply_shape(),
        keys: request.key(0).map(<[u8]>::to_vec).into_iter().collect(),
        opaque: request.opaque().map(<[u8]>::to_vec),
    })
    .unwrap()
}

/// What came of a case.
#[derive(Debug, PartialEq)]
struct Came {
    class: &'static str,
    keep: bool,
    delivered: Option<model::Reply>,
}

/// Feeds the reply in pieces of `step` bytes, as a driver would.
fn run(case: &BadReply, waiting: &[Waiting], step: usize) -> Came {
    let mut exchange = Exchange::new(Limits::DEFAULT);
    waiting.iter().for_each(|_| exchange.sent());
    let nobody = Waiting { shape: ReplyShape::Nothing, keys: Vec::new(), opaque: None };
    let mut queue = waiting.iter();
    let mut oldest = queue.next().unwrap_or(&nobody);
    let mut builder = ReplyBuilder::default();
    let (mut class, mut is_skipped) = (None, false);
    let (mut start, mut end) = (0, 0);
    while class.is_none() {
        match exchange.decode(&case.received[start..end], oldest) {
            Ok(Progress::Event { consumed, event, complete, .. }) => {
                start += consumed;
                let len = match event {
                    Event::Value(head) => head.len,
                    Event::Meta(head) => head.len,
                    _ => 0,
                };
                is_skipped |= len > Limits::DEFAULT.value;
                if let Event::Error(line) = event {
                    class = Some(class_of_line(line.kind(), line.word));
                } else {
                    builder.take(&event);
                }
                assert!(complete || class.is_none());
                if complete {
                    oldest = queue.next().unwrap_or(&nobody);
                }
            }
            Ok(Progress::NeedMore) if end < case.received.len() => end = case.received.len().min(end + step),
            Ok(Progress::NeedMore) if case.eof => {
                class = exchange.closed().err().map(class_of).or(Some("closed"));
            }
            // Of these the vectors have the head alone: the value would be read to its end, and be nobody's.
            Ok(Progress::NeedMore) if is_skipped => class = Some("too-large-value"),
            Ok(Progress::NeedMore) => panic!("{}: no end in sight", case.name),
            Err(error) => {
                class = Some(class_of(error));
                assert_eq!(exchange.decode(b"END\r\n", oldest), Err(error), "{}: not final", case.name);
            }
        }
    }
    let keep = exchange.state() == ExchangeState::Idle;
    // Of a run of quiet requests a caller takes what came when the run has ended.
    let ended = waiting.len() <= 1 || exchange.owed() == 0;
    Came { class: class.unwrap(), keep, delivered: builder.replies.pop().filter(|_| ended) }
}

fn class_of(error: ProtocolError) -> &'static str {
    match error {
        ProtocolError::Decode(DecodeError::Malformed(_)) | ProtocolError::MissingCas => "malformed",
        ProtocolError::Decode(DecodeError::ValueTooLarge { .. }) => "too-large-value",
        ProtocolError::Decode(DecodeError::LineTooLong { .. }) => "too-long-line",
        ProtocolError::Decode(DecodeError::TooManyLines { .. }) => "too-many-lines",
        ProtocolError::WrongKey => "wrong-key",
        ProtocolError::WrongOpaque => "wrong-opaque",
        ProtocolError::Unexpected => "unexpected-reply",
        ProtocolError::Unasked => "extra-bytes",
        ProtocolError::Eof => "eof",
        other => panic!("no class for {other:?}"),
    }
}

fn class_of_line(kind: ServerErrorKind, word: ErrorWord) -> &'static str {
    match (kind, word) {
        (ServerErrorKind::TooManyConnections, _) => "too-many-connections",
        (_, ErrorWord::Error) => "error",
        (_, ErrorWord::ClientError) => "client-error",
        (_, ErrorWord::ServerError) => "server-error",
    }
}

/// A case that other servers than the one of the file make a right one: memcached 1.4.5 and 1.4.24 write flags with the
/// highest bit so.
const NOT_BAD: &str = "value-flags-negative";

#[test]
fn every_case_ends_in_its_class() {
    let mut ran = 0;
    for case in bad_replies().into_iter().filter(|case| case.name != NOT_BAD) {
        let waiting = waiting(&case.request);
        let whole = run(&case, &waiting, usize::MAX >> 1);
        assert!(case.classes.iter().any(|class| class == whole.class), "{}: {whole:?}", case.name);
        let connection = if whole.keep { "keep" } else { "close" };
        assert!(case.connection.iter().any(|end| end == connection), "{}: {whole:?}", case.name);
        assert_eq!(whole.delivered, case.delivered.as_ref().map(reply_of), "{}", case.name);
        for step in [1, 2, 3, 7, 1000] {
            assert_eq!(run(&case, &waiting, step), whole, "{} in pieces of {step}", case.name);
        }
        ran += 1;
    }
    assert_eq!(ran, 94);
}

fn reply_of(json: &Value) -> model::Reply {
    model::Reply::of_json(json)
}

#[test]
fn nothing_is_delivered_of_a_reply_that_breaks_off() {
    let get = Get::new(Key::new(b"k").unwrap());
    let expected = Keys { keys: &["k"], cas: false };
    let mut exchange = Exchange::default();
    exchange.sent();
    let mut reply = Reply::new(Vec::new());
    let mut rest = &b"VALUE k 0 5\r\nabc"[..];
    while let Ok(Progress::Event { consumed, event, .. }) = exchange.decode(rest, &expected) {
        reply.take(&event);
        rest = &rest[consumed..];
    }
    assert_eq!(exchange.closed(), Err(ProtocolError::Eof));
    // A driver that would ask for the output all the same is told that the value is not whole.
    assert!(get.output(reply).is_err());
}
