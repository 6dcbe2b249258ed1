//! The client's half of such a session: what a client of ours could have asked, and what it makes of the answers.

use memring_text::{
    Exchange, Get, Key, Limits, Operation, Reply, Request, Store, StoreOutcome, Value,
    exchange::{ExchangeState, Progress, ProtocolError},
    reply::{Event, Step},
    request::{Expected, ReplyShape},
    server::{Reading, RequestDecoder, RequestEvent},
};

use crate::client::{Waiting, cuts};

/// A request of which the reply is waited for.
struct Asked<'w> {
    waiting: Waiting,
    /// The request itself, if it is an operation with a typed result.
    operation: Option<Request<'w>>,
}

impl<'w> Asked<'w> {
    fn of(request: &Request<'w>) -> Self {
        let is_typed =
            matches!(request, Request::Store(_) | Request::Delete(_) | Request::Touch(_) | Request::Arith(_));
        let operation = is_typed.then_some(*request);
        Self { waiting: Waiting::of(request), operation }
    }
}

/// The requests, if a client of ours could have sent them all, and them only.
fn asked(write: &[u8]) -> Option<Vec<Asked<'_>>> {
    let mut decoder = RequestDecoder::new(Reading::Strict);
    let mut list: Vec<Asked<'_>> = Vec::new();
    let (mut rest, mut in_value) = (write, false);
    while let Step::Event { consumed, event } = decoder.decode(rest).ok()? {
        match event {
            RequestEvent::Get(verb) => {
                let waiting = Waiting { shape: verb.reply_shape(), keys: Vec::new(), opaque: None };
                let get = Key::new(b"k").map(|key| Request::Get(Get { verb, key })).ok();
                list.push(Asked { waiting, operation: get });
            }
            RequestEvent::Key(key) => {
                let get = list.last_mut()?;
                get.waiting.keys.push(key.to_vec());
                get.operation = match get.operation {
                    Some(Request::Get(Get { verb, .. })) if get.waiting.keys.len() == 1 => {
                        Some(Request::Get(Get { verb, key: Key::new(key).ok()? }))
                    }
                    _ => None,
                };
            }
            RequestEvent::Store(head) => {
                let key = Key::new(head.key).ok()?;
                let (verb, flags, exptime, noreply) = (head.verb, head.flags, head.exptime, head.noreply);
                let store = Store { verb, key, flags, exptime, value: Value::EMPTY, noreply };
                list.push(Asked::of(&Request::Store(store)));
                in_value = true;
            }
            RequestEvent::MetaStore(line) | RequestEvent::Meta(line) => {
                in_value = matches!(event, RequestEvent::MetaStore(_));
                let waiting =
                    line.with_request(Value::EMPTY, |request| Waiting::of(&Request::Meta(request)))?;
                list.push(Asked { waiting, operation: None });
            }
            RequestEvent::StoreEnd => in_value = false,
            RequestEvent::Data(_) | RequestEvent::GetEnd => {}
            RequestEvent::Quit => return None,
            event => list.push(Asked::of(&event.request()?)),
        }
        rest = &rest[consumed..];
    }
    list.push(Asked::of(&Request::MetaNoop));
    (rest.is_empty() && !in_value).then_some(list)
}

/// What the client understands, written again as a server would; and how it ends.
fn understood(
    bytes: &[u8],
    ends: &[usize],
    list: &[Asked<'_>],
) -> (Vec<u8>, Result<ExchangeState, ProtocolError>) {
    let mut exchange = Exchange::new(Limits { value: 2 << 20, ..Limits::DEFAULT });
    let mut queue = list.iter().filter(|asked| asked.waiting.shape() != ReplyShape::Nothing).peekable();
    queue.clone().for_each(|_| exchange.sent());
    let (mut written, mut from) = (Vec::new(), 0);
    let mut reply = Reply::new(Vec::new());
    let mut reply_from = 0;
    for &to in ends {
        while let Some(asked) = queue.peek() {
            match exchange.decode(&bytes[from..to], &asked.waiting) {
                Ok(Progress::Event { consumed, event, complete, .. }) => {
                    from += consumed;
                    event.encode(&mut written).unwrap();
                    reply.take(&event);
                    if complete {
                        let reply = std::mem::replace(&mut reply, Reply::new(Vec::new()));
                        let is_error = matches!(event, Event::Error(_));
                        if let (Some(operation), false) = (asked.operation, is_error) {
                            let typed = wire(&operation, reply);
                            assert_eq!(
                                typed.escape_ascii().to_string(),
                                written[reply_from..].escape_ascii().to_string()
                            );
                        }
                        reply_from = written.len();
                        queue.next();
                    }
                }
                Ok(Progress::NeedMore) => break,
                Err(error) => return (written, Err(error)),
            }
        }
    }
    assert!(from == bytes.len() || exchange.state() == ExchangeState::MustClose, "more than was asked for");
    (written, Ok(exchange.state()))
}

/// The reply that says the typed result of `reply`, and nothing else.
fn wire(request: &Request<'_>, reply: Reply<Vec<u8>>) -> Vec<u8> {
    let found = |is_found, word: &str| if is_found { word.into() } else { "NOT_FOUND".into() };
    let line: String = match request {
        Request::Get(get) => match get.output(reply).unwrap() {
            Some(item) => {
                let cas = item.cas.map_or(String::new(), |cas| format!(" {cas}"));
                let numbers = format!(" {} {}{cas}\r\n", item.flags, item.value.len());
                let key = get.key.as_bytes();
                return [b"VALUE ", key, numbers.as_bytes(), &item.value, b"\r\nEND\r\n"].concat();
            }
            None => "END".into(),
        },
        Request::Store(store) => match store.output(reply).unwrap() {
            StoreOutcome::Stored => "STORED".into(),
            StoreOutcome::NotStored => "NOT_STORED".into(),
            StoreOutcome::Exists => "EXISTS".into(),
            StoreOutcome::NotFound => "NOT_FOUND".into(),
        },
        Request::Delete(delete) => found(delete.output(reply).unwrap(), "DELETED"),
        Request::Touch(touch) => found(touch.output(reply).unwrap(), "TOUCHED"),
        Request::Arith(arith) => match arith.output(reply).unwrap() {
            Some(number) => number.to_string(),
            None => "NOT_FOUND".into(),
        },
        other => panic!("{other:?} has no typed result"),
    };
    format!("{line}\r\n").into_bytes()
}

/// Holds the answer to what a client could have asked against what it makes of it, however it is cut. Says how many
/// requests that were.
pub fn check(write: &[u8], answer: &[u8]) -> usize {
    let Some(list) = asked(write) else { return 0 };
    // Behind it, so that silence ends.
    let bytes = [answer, b"MN\r\n"].concat();
    let whole = understood(&bytes, &[bytes.len()], &list);
    assert_eq!(understood(&bytes, &(1..=bytes.len()).collect::<Vec<_>>(), &list), whole);
    for cut in cuts(bytes.len()) {
        assert_eq!(understood(&bytes, &[cut, bytes.len()], &list), whole);
    }
    match whole.1 {
        Ok(ExchangeState::Idle) => assert_eq!(whole.0, bytes),
        // Behind an error line that may leave the connection out of step.
        Ok(ExchangeState::MustClose) | Err(ProtocolError::OutOfStep) => assert!(whole.0.ends_with(b"\r\n")),
        // Quiet requests without a name, of which one was answered all the same.
        Err(ProtocolError::Unidentified) => {}
        other => panic!("{other:?}"),
    }
    list.len() - 1
}
