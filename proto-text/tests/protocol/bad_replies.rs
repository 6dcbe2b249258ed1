//! What a broken or hostile server says: each case ends in its class of error, and the connection as stated.

use memring_text::{
    DecodeError, ErrorWord, Event, Exchange, ExchangeState, Expected, Get, GetVerb, Key, Keys, Limits,
    Operation, Progress, ProtocolError, Reply, ReplyShape, ServerErrorKind,
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
}

impl Expected for Waiting {
    fn shape(&self) -> ReplyShape {
        self.shape
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        self.keys.get(index).map(Vec::as_slice)
    }
}

/// `None` for the meta commands, which have no type yet.
fn waiting(request: &str) -> Option<Option<Waiting>> {
    let mut words = request.split(' ');
    let verb = words.next().unwrap();
    let keys: Vec<_> = words.map(|word| word.as_bytes().to_vec()).collect();
    let shape = match verb {
        "(none:" => return Some(None),
        "get" => ReplyShape::Values { cas: false },
        "gets" => ReplyShape::Values { cas: true },
        "set" | "add" => ReplyShape::Store,
        "delete" => ReplyShape::Delete,
        "incr" => ReplyShape::Arith,
        "touch" => ReplyShape::Touch,
        "version" => ReplyShape::Version,
        "stats" => ReplyShape::Stats,
        "mg" | "ms" => return None,
        other => panic!("unknown request {other}"),
    };
    Some(Some(Waiting { shape, keys }))
}

/// What came of a case.
#[derive(Debug, PartialEq)]
struct Came {
    class: &'static str,
    keep: bool,
    delivered: Option<model::Reply>,
}

/// Feeds the reply in pieces of `step` bytes, as a driver would.
fn run(case: &BadReply, waiting: Option<&Waiting>, step: usize) -> Came {
    let mut exchange = Exchange::new(Limits::DEFAULT);
    if waiting.is_some() {
        exchange.sent();
    }
    let nobody = Waiting { shape: ReplyShape::Nothing, keys: Vec::new() };
    let oldest = waiting.unwrap_or(&nobody);
    let mut builder = ReplyBuilder::default();
    let mut class = None;
    let (mut start, mut end) = (0, 0);
    while class.is_none() {
        match exchange.decode(&case.received[start..end], oldest) {
            Ok(Progress::Event { consumed, event, complete, .. }) => {
                start += consumed;
                if let Event::Error(line) = event {
                    class = Some(class_of_line(line.kind(), line.word));
                } else {
                    builder.take(&event);
                }
                assert!(complete || class.is_none());
            }
            Ok(Progress::NeedMore) if end < case.received.len() => end = case.received.len().min(end + step),
            Ok(Progress::NeedMore) if case.eof => {
                class = exchange.closed().err().map(class_of).or(Some("closed"));
            }
            Ok(Progress::NeedMore) => panic!("{}: no end in sight", case.name),
            Err(error) => {
                class = Some(class_of(error));
                assert_eq!(exchange.decode(b"END\r\n", oldest), Err(error), "{}: not final", case.name);
            }
        }
    }
    let keep = exchange.state() == ExchangeState::Idle;
    Came { class: class.unwrap(), keep, delivered: builder.replies.pop() }
}

fn class_of(error: ProtocolError) -> &'static str {
    match error {
        ProtocolError::Decode(DecodeError::Malformed(_)) | ProtocolError::MissingCas => "malformed",
        ProtocolError::Decode(DecodeError::ValueTooLarge { .. }) => "too-large-value",
        ProtocolError::Decode(DecodeError::LineTooLong { .. }) => "too-long-line",
        ProtocolError::Decode(DecodeError::TooManyLines { .. }) => "too-many-lines",
        ProtocolError::WrongKey => "wrong-key",
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

#[test]
fn every_case_ends_in_its_class() {
    let (mut ran, mut later) = (Vec::new(), Vec::new());
    for case in bad_replies() {
        let Some(waiting) = waiting(&case.request) else {
            later.push(case.name);
            continue;
        };
        let whole = run(&case, waiting.as_ref(), usize::MAX >> 1);
        assert!(case.classes.iter().any(|class| class == whole.class), "{}: {whole:?}", case.name);
        let connection = if whole.keep { "keep" } else { "close" };
        assert!(case.connection.iter().any(|end| end == connection), "{}: {whole:?}", case.name);
        assert_eq!(whole.delivered, case.delivered.as_ref().map(reply_of), "{}", case.name);
        for step in [1, 2, 3, 7, 1000] {
            assert_eq!(run(&case, waiting.as_ref(), step), whole, "{} in pieces of {step}", case.name);
        }
        ran.push(case.name);
    }
    println!("ran {ran:?}");
    println!("meta, not run {later:?}");
    assert_eq!((ran.len(), later.len()), (75, 20));
}

fn reply_of(json: &Value) -> model::Reply {
    model::Reply::of_json(json).unwrap()
}

#[test]
fn nothing_is_delivered_of_a_reply_that_breaks_off() {
    let get = Get { verb: GetVerb::Get, key: Key::new(b"k").unwrap() };
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
