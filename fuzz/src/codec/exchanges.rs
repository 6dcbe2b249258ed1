//! Replies paired with the requests that they answer.

use memring_text::{
    Exchange,
    exchange::{ExchangeState, Progress, ProtocolError},
    reply::Event,
    request::{Abandoned, Expected, Keys, ReplyShape},
};

use super::{Stream, feed, item_keys};

/// However a reply is cut, it is paired with the same requests; only items that were asked for come through; and
/// once a connection is out of step, nothing does.
pub fn exchange_cuts_agree(stream: &Stream<'_>) {
    let names = item_keys(stream.bytes);
    let queue = stream.asked.map(|which| Asked::number(which, &names));
    let [whole, bytewise, cut] = stream.ways().map(|ends| pair(stream.bytes, &ends, &queue));
    assert_eq!(bytewise, whole);
    assert_eq!(cut, whole);
    assert_eq!(pair_at_once(stream.bytes, &queue), (whole.0, whole.2));
}

/// A request as an exchange sees it.
#[derive(Debug)]
pub(crate) enum Asked<'a> {
    Keys(Keys<'a, &'a [u8]>),
    Shape(ReplyShape),
    Abandoned,
}

impl<'a> Asked<'a> {
    fn number(which: u8, names: &'a [&'a [u8]]) -> Self {
        let shape = match which % 12 {
            0 | 1 => return Self::Keys(Keys { keys: names, cas: which % 12 == 1 }),
            2 => return Self::Keys(Keys { keys: &names[names.len() / 2..], cas: false }),
            3 => ReplyShape::Store,
            4 => ReplyShape::Cas,
            5 => ReplyShape::Delete,
            6 => ReplyShape::Touch,
            7 => ReplyShape::Arith,
            8 => ReplyShape::Ok,
            9 => ReplyShape::Version,
            10 => ReplyShape::Stats,
            _ => return Self::Abandoned,
        };
        Self::Shape(shape)
    }
}

impl Expected for Asked<'_> {
    fn shape(&self) -> ReplyShape {
        match self {
            Self::Keys(keys) => keys.shape(),
            Self::Shape(shape) => *shape,
            Self::Abandoned => Abandoned.shape(),
        }
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        match self {
            Self::Keys(keys) => keys.key(index),
            _ => None,
        }
    }
}

/// The events of each request's reply, how far they go, and how it ended.
fn pair(bytes: &[u8], ends: &[usize], queue: &[Asked<'_>]) -> (Vec<Vec<u8>>, usize, Option<ProtocolError>) {
    let mut exchange = Exchange::default();
    let mut told = vec![Vec::new()];
    queue.iter().for_each(|_| exchange.sent());
    let (read, error) = feed(bytes, ends, |buf| {
        let oldest = queue.get(told.len() - 1).unwrap_or(&Asked::Abandoned);
        let owed = exchange.owed();
        Ok::<_, ProtocolError>(match exchange.decode(buf, oldest)? {
            Progress::Event { consumed, event, index, complete } => {
                if let (Event::Value(head), Asked::Keys(keys)) = (event, oldest) {
                    assert_eq!(keys.keys[index], head.key);
                    assert_eq!(head.cas.is_some(), keys.cas);
                }
                assert!(consumed > 0 || complete, "no progress");
                event.encode(told.last_mut().unwrap()).unwrap();
                assert_eq!(exchange.owed(), owed - usize::from(complete));
                if complete {
                    told.push(Vec::new());
                }
                Some(consumed)
            }
            Progress::NeedMore => None,
        })
    });
    if let Some(error) = error {
        assert_eq!(exchange.state(), ExchangeState::MustClose);
        assert_eq!(exchange.decode(b"END\r\n", &Abandoned), Err(error), "an error is final");
    }
    (told, read, error)
}

/// The same, every reply in one step.
fn pair_at_once(bytes: &[u8], queue: &[Asked<'_>]) -> (Vec<Vec<u8>>, Option<ProtocolError>) {
    let mut exchange = Exchange::default();
    let mut told = vec![Vec::new()];
    queue.iter().for_each(|_| exchange.sent());
    let mut rest = bytes;
    loop {
        let oldest = queue.get(told.len() - 1).unwrap_or(&Asked::Abandoned);
        let events = told.last_mut().unwrap();
        match exchange.decode_each(rest, oldest, |event, _| event.encode(events).unwrap()) {
            Ok(taken) => {
                rest = &rest[taken.consumed..];
                if !taken.complete {
                    return (told, None);
                }
                told.push(Vec::new());
            }
            Err(error) => return (told, Some(error)),
        }
    }
}
