//! Meta requests with every flag.

use memring_text::{
    Key, Request, Value,
    capabilities::{Capabilities, Feature},
    meta::{
        ArithMode, BinaryKey, MetaArith, MetaDebug, MetaDelete, MetaGet, MetaKey, MetaLease, MetaSet, Opaque,
        SetMode,
    },
};

use crate::digest::Digest;

/// Calls `each` with meta requests that have every flag.
pub(crate) fn meta_requests(
    key: Key<'_>,
    number: u64,
    value: Value<'_>,
    each: &impl Fn(&Request<'_>) -> Option<()>,
) -> Option<()> {
    let exptime = number as i32;
    let mut digest = Digest::new();
    let opaque = match Opaque::new(key.as_bytes()) {
        Ok(opaque) => opaque,
        Err(error) => {
            digest.error(&error);
            Opaque::number(number)
        }
    };
    digest.bytes(opaque.as_bytes());
    let binary = match BinaryKey::new(key.as_bytes()) {
        Ok(key) => MetaKey::from(key),
        Err(error) => {
            digest.error(&error);
            MetaKey::from(key)
        }
    };
    for key in [MetaKey::from(key), binary] {
        digest.debug(&(key, key.as_bytes(), key.is_binary()));
        let get = MetaGet::new(key).value().cas().flags().hit().key().last_access().size().ttl().quiet();
        let get = get.opaque(opaque).no_bump().vivify(exptime).recache(exptime).touch(exptime);
        let get = get.unless_cas(number).new_cas(number);
        let set = MetaSet::new(key, value).flags(number as u32).exptime(exptime).mode(SetMode::Append);
        let set = set.if_cas(number).new_cas(number).invalidate().vivify(exptime).cas().key().size();
        let set = set.opaque(opaque).quiet();
        let delete = MetaDelete::new(key).if_cas(number).new_cas(number).mark_stale().exptime(exptime);
        let delete = delete.value_only().key().opaque(opaque).quiet();
        let arith = MetaArith::new(key).mode(ArithMode::Decr).delta(number).vivify(exptime).initial(number);
        let arith = arith.exptime(exptime).if_cas(number).new_cas(number).value().cas().key().ttl();
        let arith = arith.opaque(opaque).quiet();
        let debug = MetaDebug::new(key);
        // What the oldest server knows, which is what ours reads.
        let old = [
            *MetaGet::new(key).value().key().opaque(opaque).quiet().vivify(exptime).as_ref(),
            *MetaSet::new(key, value).flags(7).exptime(exptime).mode(SetMode::Add).if_cas(number).as_ref(),
            *MetaDelete::new(key).mark_stale().exptime(exptime).opaque(opaque).as_ref(),
            *MetaArith::new(key).mode(ArithMode::Incr).delta(number).vivify(exptime).value().as_ref(),
            *debug.as_ref(),
        ];
        let lease = MetaLease::new(Key::new(b"tokyo").ok()?, exptime, exptime, number as u32);
        each(&Request::Lease(&lease))?;
        digest.debug(&(lease, lease.key(), lease.opaque(), lease.with_times(7, exptime)));
        old.iter().try_for_each(|request| each(&Request::Meta(request)))?;
        for request in [get.as_ref(), set.as_ref(), delete.as_ref(), arith.as_ref(), debug.as_ref()] {
            let whole = Request::Meta(request);
            digest.debug(&whole.parts());
            digest.bytes(request.verb().word().as_bytes());
            digest.bytes(request.opaque().unwrap_or_default());
            digest.debug(&(request, request.key(), request.is_quiet(), request.value()));
            digest.debug(&(request.shape().verb(), request.shape().is_quiet()));
            for version in [key.as_bytes(), b"1.6.18"] {
                let server = Capabilities::of_version(version).with(Feature::Meta).without(Feature::Mgdump);
                digest.debug(&(server, server.has(Feature::MetaNewCas)));
                if let Err(error) = server.check(&whole) {
                    digest.error(&error);
                }
            }
        }
    }
    Some(())
}
