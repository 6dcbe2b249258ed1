//! Bytes to a decoder, a few at a time.

use memring_text::reply::{DecodeError, Event, ReplyDecoder, Step};

/// Gives `decode` the input, `step` more bytes at a time, until it fails or all is there.
pub(crate) fn feed<E>(
    input: &[u8],
    step: usize,
    mut decode: impl FnMut(&[u8]) -> Result<Option<usize>, E>,
) -> Option<E> {
    let (mut from, mut to) = (0_usize, 0_usize);
    while to < input.len() {
        to = to.saturating_add(step).min(input.len());
        loop {
            match decode(input.get(from..to).unwrap_or_default()) {
                Ok(Some(consumed)) => from = from.saturating_add(consumed),
                Ok(None) => break,
                Err(error) => return Some(error),
            }
        }
    }
    None
}

pub(crate) fn events(input: &[u8], mut take: impl FnMut(&Event<'_>)) -> Option<DecodeError> {
    let mut decoder = ReplyDecoder::default();
    feed(input, input.len(), |buf| {
        Ok(match decoder.decode(buf)? {
            Step::Event { consumed, event } => {
                take(&event);
                Some(consumed)
            }
            Step::NeedMore => None,
        })
    })
}
