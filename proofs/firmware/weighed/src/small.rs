//! The small exchanges, as a program without a network might carry them.

use memring_text::{
    Key,
    buffer::{ArrayBuffer, Buffer as _},
    exchange::{OneLine, SmallExchange, SmallGet},
    reply::{Event, Step},
};

/// How many bytes of value the reply to a get of `key` has.
pub fn get(key: Key<'_>, reply: &[u8]) -> usize {
    let mut get = SmallGet::new(key);
    get.request().iter().for_each(|piece| crate::send(piece));
    let (mut rest, mut sum) = (reply, 0);
    while let Ok(Step::Event { consumed, event }) = get.decode(rest) {
        match event {
            Event::Data(piece) => sum += piece.len(),
            Event::End => break,
            _ => {}
        }
        rest = rest.get(consumed..).unwrap_or_default();
    }
    sum
}

/// What the reply to a request of one line says.
pub fn change(request: impl OneLine, reply: &[u8]) -> Option<Event<'_>> {
    let mut exchange = SmallExchange::new(request);
    let mut out = ArrayBuffer::<128>::new();
    exchange.request().encode(&mut out).ok()?;
    crate::send(out.as_slice());
    match exchange.decode(reply) {
        Ok(Step::Event { event, .. }) => Some(event),
        _ => None,
    }
}
