//! Requests as a server reads them.

use memring_text::{
    reply::{DecodeError, Step},
    server::{Reading, RequestDecoder, RequestEvent},
};

use super::{Stream, feed};

/// However requests are cut, a server reads the same ones. (But as memcached does, it takes a line of more than 2048
/// bytes only where that comes in one piece.)
pub fn request_cuts_agree(stream: &Stream<'_>) {
    let reading = if stream.asked[0].is_multiple_of(2) { Reading::AsMemcached } else { Reading::Strict };
    let [whole, bytewise, cut] = stream.ways().map(|ends| requests(stream.bytes, &ends, reading));
    if reading == Reading::AsMemcached {
        assert_eq!(whole.1, None, "read as memcached does, there are no errors");
        if closes(&bytewise.0) {
            return;
        }
    }
    assert_eq!(bytewise, whole);
    assert_eq!(cut, whole);
}

pub(crate) fn closes(told: &[Asking]) -> bool {
    told.contains(&Asking::Event(format!("{:?}", RequestEvent::Close)))
}

/// What was read: an event as text, or the bytes of a value.
#[derive(Debug, PartialEq)]
pub(crate) enum Asking {
    Event(String),
    Key(Vec<u8>),
    Data(Vec<u8>),
}

pub(crate) fn requests(bytes: &[u8], ends: &[usize], reading: Reading) -> (Vec<Asking>, Option<DecodeError>) {
    let mut decoder = RequestDecoder::new(reading);
    let mut told = Vec::new();
    let (_, error) = feed(bytes, ends, |buf| {
        Ok(match decoder.decode(buf)? {
            Step::Event { consumed, event } => {
                assert!(consumed > 0, "no progress");
                match (event, told.last_mut()) {
                    (RequestEvent::Data(piece), Some(Asking::Data(data))) => data.extend_from_slice(piece),
                    (RequestEvent::Data(piece), _) => told.push(Asking::Data(piece.to_vec())),
                    (RequestEvent::Key(key), _) => told.push(Asking::Key(key.to_vec())),
                    // How much is passed by at a time depends on the cut.
                    (RequestEvent::Skipped, _) => {}
                    (event, _) => told.push(Asking::Event(format!("{event:?}"))),
                }
                Some(consumed)
            }
            Step::NeedMore => None,
        })
    });
    if let Some(error) = error {
        assert_eq!(decoder.decode(b"version\r\n"), Err(error), "an error is final");
    }
    (told, error)
}
