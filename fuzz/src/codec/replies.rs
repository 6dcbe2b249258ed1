//! Replies as a client reads them.

use memring_text::{
    Limits,
    reply::{DecodeError, Event, ReplyDecoder, Step},
    value::MAX_VALUE_LEN,
};

use super::{Stream, feed};

/// However a reply is cut, its events are the same; an error is final; and written again, the events are read again.
pub fn reply_cuts_agree(stream: &Stream<'_>) {
    let limits = match stream.asked[0] % 3 {
        0 => Limits::DEFAULT,
        1 => Limits { value: usize::MAX, ..Limits::DEFAULT },
        _ => Limits { line: 64, value: 100, items: 3, stats: 3 },
    };
    let whole = replies(stream.bytes, &[stream.bytes.len()], limits);
    for ends in stream.ways() {
        assert_eq!(replies(stream.bytes, &ends, limits), whole);
    }
    let (written, ..) = whole;
    // Of a name without a value, the space behind it is written too.
    let longer = Limits { line: limits.line + 1, ..limits };
    let (again, read, error) = replies(&written, &[written.len()], longer);
    assert_eq!((&again, read, error), (&written, written.len(), None));
}

/// The events as a server would write them, how much was read, and the error.
pub(crate) fn replies(bytes: &[u8], ends: &[usize], limits: Limits) -> (Vec<u8>, usize, Option<DecodeError>) {
    let mut decoder = ReplyDecoder::new(limits);
    let mut written = Vec::new();
    let (read, error) = feed(bytes, ends, |buf| {
        Ok(match decoder.decode(buf)? {
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
