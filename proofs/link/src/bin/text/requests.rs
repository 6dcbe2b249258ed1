//! Requests of every kind, and what a server makes of them.

use memring_text::{
    Get, Key, Request, Store, Ttl, Value,
    buffer::{ArrayBuffer, Buffer},
    reply::{DecodeError, Step},
    request::{Arith, Credentials, Delete, FlushAll, FlushDelay, StatsKind, StoreVerb, Touch, Verbosity},
    server::{Reading, RequestDecoder},
    ttl::UnixTime,
};

use crate::{digest::Digest, feed::feed, meta::meta_requests};

/// However requests are cut, the events are the same; and what they make is read back strictly.
pub(crate) fn requests(input: &[u8]) -> Option<()> {
    for reading in [Reading::AsMemcached, Reading::Strict] {
        let tell = |step| {
            let mut digest = Digest::new();
            let mut decoder = RequestDecoder::new(reading);
            let mut read_back = true;
            let error = feed(input, step, |buf| {
                Ok::<_, DecodeError>(match decoder.decode(buf)? {
                    Step::Event { consumed, event } => {
                        digest.request(&event);
                        if let Some(request) = event.request() {
                            read_back = read_back && is_one_request(&request).is_some();
                        }
                        Some(consumed)
                    }
                    Step::NeedMore => None,
                })
            });
            (digest, error, read_back)
        };
        let whole = tell(input.len().max(1));
        (whole.2 && tell(1) == whole && tell(7) == whole).then_some(())?;
    }
    every_request(input, is_one_request)
}

pub(crate) fn is_one_request(request: &Request<'_>) -> Option<()> {
    let parts = request.parts();
    let mut bytes = ArrayBuffer::<2048>::new();
    let mut digest = Digest::new();
    if let Err(full) = request.encode(&mut bytes) {
        digest.error(&full);
        return (full.needed == parts.len() && bytes.as_slice().is_empty()).then_some(());
    }
    digest.debug(&(parts.head.as_bytes(), &parts, request.may_retry(0)));
    let mut decoder = RequestDecoder::new(Reading::Strict);
    let mut events = 0_usize;
    let error = feed(bytes.as_slice(), bytes.as_slice().len(), |buf| {
        Ok::<_, DecodeError>(match decoder.decode(buf)? {
            Step::Event { consumed, event } => {
                events = events.saturating_add(1);
                digest.request(&event);
                Some(consumed)
            }
            Step::NeedMore => None,
        })
    });
    let expected = match (request, request.value()) {
        (Request::Get(_) | Request::Auth(_), _) => 3,
        (_, Some(value)) if value.as_bytes().is_empty() => 2,
        (_, Some(_)) => 3,
        _ => 1,
    };
    (error.is_none() && events == expected).then_some(())
}

/// Calls `each` with requests of every kind, of keys and values from the input.
pub(crate) fn every_request(input: &[u8], each: impl Fn(&Request<'_>) -> Option<()>) -> Option<()> {
    let number = input.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let (exptime, flags, noreply) = (number as i32, (number >> 20) as u32, number & 1 == 1);
    let value = Value::within(input, 1024).unwrap_or(Value::EMPTY);
    for word in input.split(|byte| byte.is_ascii_whitespace()).chain([&b"noreply"[..]]) {
        let key = match Key::new(word) {
            Ok(key) => key,
            Err(error) => {
                Digest::new().error(&error);
                continue;
            }
        };
        for get in [Get::new(key), Get::gets(key), Get::gat(key, exptime), Get::gats(key, exptime)] {
            each(&Request::Get(get))?;
        }
        for store in [
            Store::set(key, value),
            Store::add(key, value),
            Store::replace(key, value),
            Store::append(key, value),
            Store::prepend(key, value),
            Store::cas(key, value, number),
            Store::new(StoreVerb::Set, key, value).exptime(exptime),
        ] {
            let store =
                store.flags(flags).ttl(Ttl::seconds(flags), UnixTime::from_secs(number)).unwrap_or(store);
            each(&Request::Store(if noreply { store.noreply() } else { store }))?;
        }
        for arith in [Arith::incr(key, number), Arith::decr(key, number)] {
            each(&Request::Arith(if noreply { arith.noreply() } else { arith }))?;
        }
        meta_requests(key, number, value, &each)?;
        let (delete, touch) = (Delete::new(key), Touch::new(key, exptime));
        each(&Request::Delete(if noreply { delete.noreply() } else { delete }))?;
        each(&Request::Touch(if noreply { touch.noreply() } else { touch }))?;
    }
    let flush = FlushDelay::new(flags).map_or(FlushAll::now(), FlushAll::after);
    each(&Request::FlushAll(if noreply { flush.noreply() } else { flush }))?;
    let verbosity = Verbosity::new(flags);
    each(&Request::Verbosity(if noreply { verbosity.noreply() } else { verbosity }))?;
    each(&Request::Version)?;
    for kind in StatsKind::ALL {
        Digest::new().display(&kind);
        each(&Request::Stats(kind))?;
    }
    match Credentials::new(input, input) {
        Ok(credentials) => each(&Request::Auth(credentials))?,
        Err(error) => Digest::new().error(&error),
    }
    each(&Request::MetaNoop)?;
    each(&Request::Quit)
}
