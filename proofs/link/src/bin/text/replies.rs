//! What a server says, cut anywhere.

use memring_text::{
    Key, Limits,
    exchange::{ProtocolError, SmallGet},
    reply::{DecodeError, ReplyDecoder, Step},
};

use crate::{digest::Digest, feed::feed};

pub(crate) fn tell_replies(input: &[u8], step: usize, limits: Limits) -> (Digest, Option<DecodeError>) {
    let mut digest = Digest::new();
    let mut decoder = ReplyDecoder::new(limits);
    let error = feed(input, step, |buf| {
        Ok(match decoder.decode(buf)? {
            Step::Event { consumed, event } => {
                digest.reply(&event);
                Some(consumed)
            }
            Step::NeedMore => None,
        })
    });
    if let Some(error) = error {
        digest.error(&error);
        if decoder.is_between_lines() || decoder.decode(input) != Err(error) {
            return (Digest(0), None);
        }
    }
    (digest, error)
}

/// However a reply is cut, the events are the same.
pub(crate) fn replies(input: &[u8]) -> Option<()> {
    let small = Limits { line: 64, value: 100, items: 2, stats: 2 };
    for limits in [Limits::DEFAULT, small] {
        let whole = tell_replies(input, input.len(), limits);
        for step in [1, 7] {
            (tell_replies(input, step, limits) == whole).then_some(())?;
        }
    }
    Some(())
}

/// The same for a get in little code.
pub(crate) fn small_gets(input: &[u8]) -> Option<()> {
    let key = Key::new(b"tokyo").ok()?;
    let tell = |step| {
        let mut get = SmallGet::new(key);
        let mut digest = Digest::new();
        get.request().iter().for_each(|piece| digest.bytes(piece));
        let error = feed(input, step, |buf| {
            Ok::<_, ProtocolError>(match get.decode(buf)? {
                Step::Event { consumed, event } => {
                    digest.reply(&event);
                    Some(consumed)
                }
                Step::NeedMore => None,
            })
        });
        digest.debug(&get.clone());
        (digest, error)
    };
    (tell(1) == tell(input.len().max(1))).then_some(())
}
