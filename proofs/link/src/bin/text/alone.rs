//! Requests that stand alone, sent and answered.

use memring_text::{
    Exchange, Get, Key, Store, Value,
    buffer::{ArrayBuffer, Buffer},
    exchange::{OneLine, Progress, ProtocolError, SmallExchange},
    reply::Step,
    request::{Arith, Delete, Encode, Touch},
};

use crate::{digest::Digest, feed::feed};

/// Each is encoded by itself, and reads any reply alike, however that is cut.
pub(crate) fn alone(input: &[u8]) -> Option<()> {
    let key = Key::new(b"tokyo").ok()?;
    let value = Value::new(input).ok()?;
    let store = Store::set(key, value).flags(u32::MAX).exptime(-1);
    reads_alike(&Get::gats(key, 60), input)?;
    reads_alike(&store, input)?;
    reads_alike(&Delete::new(key), input)?;
    reads_alike(&Touch::new(key, 60), input)?;
    reads_alike(&Arith::decr(key, u64::MAX), input)?;
    is_read_small(store, input);
    is_read_small(Delete::new(key), input);
    is_read_small(Touch::new(key, 60), input);
    is_read_small(Arith::incr(key, 1), input);
    Some(())
}

fn reads_alike(request: &impl Encode, input: &[u8]) -> Option<()> {
    let mut digest = Digest::new();
    let mut out = ArrayBuffer::<40>::new();
    match request.encode(&mut out) {
        Ok(()) => digest.bytes(out.as_slice()),
        Err(full) => digest.display(&full),
    }
    digest.debug(&(request.has_reply(), request.may_retry(1), request.value(), request.is_plain()));
    let tell = |step| {
        let (mut exchange, mut digest) = (Exchange::default(), Digest::new());
        exchange.sent();
        let error = feed(input, step, |buf| {
            Ok::<_, ProtocolError>(match exchange.decode(buf, request)? {
                Progress::Event { consumed, event, .. } => {
                    digest.reply(&event);
                    Some(consumed)
                }
                Progress::NeedMore => None,
            })
        });
        (digest, error)
    };
    (tell(1) == tell(input.len().max(1))).then_some(())
}

fn is_read_small(request: impl OneLine + core::fmt::Debug + Clone, input: &[u8]) {
    let mut digest = Digest::new();
    let mut small = SmallExchange::new(request);
    digest.debug(small.request());
    for end in 0..=input.len() {
        match small.decode(input.get(..end).unwrap_or_default()) {
            Ok(Step::Event { event, .. }) => digest.reply(&event),
            Ok(Step::NeedMore) => {}
            Err(error) => digest.display(&error),
        }
    }
    digest.debug(&small.clone());
}
