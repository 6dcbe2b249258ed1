//! Options of the meta commands, as clients take them, and times to live that are capped.

use core::time::Duration;

use memring_text::{
    Get, Key, Operation, Store, Ttl, Value,
    meta::{
        ArithMode, MetaArith, MetaArithOptions, MetaDelete, MetaDeleteOptions, MetaGet, MetaGetOptions,
        MetaKey, MetaLease, MetaNoop, MetaSet, MetaSetOptions, Opaque, SetMode,
    },
    request::Touch,
    ttl::{UnixTime, ZeroTtl},
};

use crate::{digest::Digest, words::number};

/// Every option makes a request, or is refused for its time to live.
pub(crate) fn options(input: &[u8]) -> Option<()> {
    let number = number(input);
    let now = UnixTime::from_secs(number);
    let ttl = Ttl::from(Duration::from_millis(number >> 20));
    let mut digest = Digest::new();
    let mut room = None;
    let key = match MetaKey::prefixed(input.get(..3).unwrap_or_default(), input, &mut room) {
        Ok(key) => key,
        Err(error) => {
            digest.error(&error);
            MetaKey::new(b"tokyo").ok()?
        }
    };
    let opaque = Opaque::number(number);
    digest.debug(&opaque);
    digest.bytes(opaque.as_ref());

    let get = MetaGetOptions::new().value().cas().flags().hit().last_access().size().ttl().no_bump();
    let get = get.vivify(ttl).recache(ttl).touch(ttl).unless_cas(number).new_cas(number);
    let get = made(get.proxy(opaque).path(opaque).request(key, now), &mut digest);
    let set = MetaSetOptions::new().invalidate().cas().size().flags(7).ttl(ttl).mode(SetMode::Append);
    let set = set.if_cas(number).new_cas(number).vivify(ttl).proxy(opaque).path(opaque);
    let set = made(set.request(key, Value::EMPTY, now), &mut digest);
    let delete = MetaDeleteOptions::new().mark_stale().value_only().if_cas(number).new_cas(number).ttl(ttl);
    let delete = made(delete.proxy(opaque).path(opaque).request(key, now), &mut digest);
    let arith = MetaArithOptions::new().value().cas().ttl().mode(ArithMode::Decr).delta(number).vivify(ttl);
    let arith = arith.initial(number).touch(ttl).if_cas(number).new_cas(number).proxy(opaque).path(opaque);
    let arith = made(arith.request(key, now), &mut digest);

    let (get, set) = (get.unwrap_or(MetaGet::new(key)), set.unwrap_or(MetaSet::new(key, Value::EMPTY)));
    let (delete, arith) = (delete.unwrap_or(MetaDelete::new(key)), arith.unwrap_or(MetaArith::new(key)));
    capped(&get.proxy(opaque).path(opaque), ttl, now, &mut digest);
    capped(&set.proxy(opaque).path(opaque), ttl, now, &mut digest);
    capped(&delete.proxy(opaque).path(opaque), ttl, now, &mut digest);
    capped(&arith.proxy(opaque).path(opaque), ttl, now, &mut digest);
    capped(&MetaNoop, ttl, now, &mut digest);
    let (key, exptime) = (Key::new(b"tokyo").ok()?, number as i32);
    capped(&Get::gat(key, exptime), ttl, now, &mut digest);
    capped(&Touch::new(key, exptime), ttl, now, &mut digest);
    capped(&MetaLease::new(key, exptime, exptime, 7), ttl, now, &mut digest);
    let store = Store::set(key, Value::EMPTY).exptime(exptime);
    capped(&store, ttl, now, &mut digest);
    Some(())
}

fn made<T>(request: Result<T, ZeroTtl>, digest: &mut Digest) -> Option<T> {
    request.map_err(|error| digest.error(&error)).ok()
}

/// The operation that lives no longer than `ttl`, if there is one.
fn capped(operation: &impl Operation, ttl: Ttl, now: UnixTime, digest: &mut Digest) {
    if let Some(capped) = operation.with_ttl_cap(ttl, now) {
        digest.debug(&capped.request());
    }
}
