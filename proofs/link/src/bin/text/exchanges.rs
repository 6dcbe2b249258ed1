//! Whose reply it is.

use core::fmt::Debug;

use memring_text::{
    Exchange, Limits,
    exchange::{ExchangeState, Progress, ProtocolError},
    request::{Abandoned, Expected, Keys},
};

use crate::{digest::Digest, feed::feed, requests::every_request};

/// Whatever is waited for, an exchange counts right and fails for good.
pub(crate) fn exchanges(input: &[u8]) -> Option<()> {
    let names = [&b"tokyo"[..], b"foo"];
    waits(input, &Abandoned)?;
    waits(input, &Keys { keys: &names, cas: false })?;
    waits(input, &Keys { keys: &names, cas: true })?;
    every_request(input, |request| waits(input, request))?;
    let mut exchange = Exchange::default();
    exchange.closed().ok()?;
    exchange.fail();
    (exchange.state() == ExchangeState::MustClose).then_some(())
}

pub(crate) fn waits(input: &[u8], oldest: &(impl Expected + Debug)) -> Option<()> {
    let tell = |step| {
        let mut digest = Digest::new();
        digest.debug(oldest);
        digest.debug(&oldest.shape());
        let mut exchange = Exchange::new(Limits::DEFAULT);
        exchange.sent();
        exchange.sent();
        let error = feed(input, step, |buf| {
            Ok::<_, ProtocolError>(match exchange.decode(buf, &oldest)? {
                Progress::Event { consumed, event, index, complete } => {
                    digest.reply(&event);
                    if oldest.key(index).is_none() && complete {
                        digest.debug(&exchange.state());
                    }
                    Some(consumed)
                }
                Progress::NeedMore => None,
            })
        });
        if let Some(error) = &error {
            digest.error(error);
        }
        digest.debug(&exchange.owed());
        let closed = exchange.closed();
        (digest, error, closed.is_ok())
    };
    (tell(1) == tell(input.len().max(1))).then_some(())
}
