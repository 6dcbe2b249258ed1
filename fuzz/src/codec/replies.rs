//! Replies as a client reads them.

use memring_text::{
    Limits,
    reply::{DecodeError, Event, ReplyDecoder, Step},
    value::MAX_VALUE_LEN,
};

use super::{Stream, feed, item_keys};

/// However a reply is cut, and whichever key is expected, its events are the same; an error is final; and written
/// again, the events are read again.
pub fn reply_cuts_agree(stream: &Stream<'_>) {
    let limits = match stream.asked[0] % 3 {
        0 => Limits::DEFAULT,
        1 => Limits { value: usize::MAX, ..Limits::DEFAULT },
        _ => Limits { line: 64, value: 100, items: 3, stats: 3 },
    };
    let names = item_keys(stream.bytes);
    let key = names.get(usize::from(stream.asked[1])).or(names.first()).copied();
    let whole = replies(stream.bytes, &[stream.bytes.len()], limits, None);
    for ends in stream.ways() {
        assert_eq!(replies(stream.bytes, &ends, limits, None), whole);
        assert_eq!(replies(stream.bytes, &ends, limits, key), whole);
    }
    let mut at_once = Vec::new();
    let read =
        ReplyDecoder::new(limits).decode_each(stream.bytes, |event| event.encode(&mut at_once).unwrap());
    assert_eq!((&at_once, read.err()), (&whole.0, whole.2));
    assert!(read.is_err() || read == Ok(whole.1));
    let (written, ..) = whole;
    // Of a name without a value, the space behind it is written too.
    let longer = Limits { line: limits.line + 1, ..limits };
    let (again, read, error) = replies(&written, &[written.len()], longer, key);
    assert_eq!((&again, read, error), (&written, written.len(), None));
}

/// The events as a server would write them, how much was read, and the error.
pub(crate) fn replies(
    bytes: &[u8],
    ends: &[usize],
    limits: Limits,
    key: Option<&[u8]>,
) -> (Vec<u8>, usize, Option<DecodeError>) {
    let mut decoder = ReplyDecoder::new(limits);
    let mut written = Vec::new();
    let (read, error) = feed(bytes, ends, |buf| {
        Ok(match decoder.decode_expecting(buf, key)? {
            Step::Event { consumed, event } => {
                assert!(consumed > 0, "no progress");
                if let Event::Value(head) = event {
                    assert!(head.len <= limits.value.max(MAX_VALUE_LEN));
                }
                event.encode(&mut written).unwrap();
                Some(consumed)
            }
            Step::NeedMore => None,
        })
    });
    if let Some(error) = error {
        for later in [bytes, b"END\r\n", b""] {
            assert_eq!(decoder.decode(later), Err(error), "an error is final");
        }
    }
    (written, read, error)
}
