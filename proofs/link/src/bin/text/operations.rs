//! What a reply comes to for the one who asked.

use core::fmt::Debug;

use memring_text::{
    Get, Key, Operation, Reply, Store, Value,
    buffer::{ArrayBuffer, Buffer},
    meta::{MetaArith, MetaDebug, MetaDelete, MetaGet, MetaLease, MetaNoop, MetaSet},
    operation::{Assembly, Version},
    reply::{DecodeError, Event, ServerError},
    request::{Admin, Arith, Credentials, Delete, FlushAll, StatsKind, Touch, Verbosity},
};

use crate::{digest::Digest, feed::events};

/// Every operation reads its output off any events, and never the same buffer twice.
pub(crate) fn operations(input: &[u8]) -> Option<()> {
    let key = Key::new(b"tokyo").ok()?;
    let store = Store::set(key, Value::EMPTY);
    come_to(&Get::new(key), input, |item| item.map(|item| item.value.as_slice().len()))?;
    come_to(&store, input, |outcome| outcome)?;
    come_to(&Delete::new(key), input, |found| found)?;
    come_to(&Touch::new(key, 0), input, |found| found)?;
    come_to(&Arith::incr(key, 1), input, |number| number)?;
    come_to(&FlushAll::default(), input, |()| ())?;
    come_to(&Verbosity::new(0), input, |()| ())?;
    come_to(&Version, input, |text| text.as_slice().len())?;
    come_to(&StatsKind::General, input, |stats| (stats.value("pid").is_some(), stats.iter().count()))?;
    let meta = MetaGet::new(key).value();
    come_to(&meta, input, |item| item)?;
    come_to(&MetaSet::new(key, Value::EMPTY), input, |outcome| outcome)?;
    come_to(&MetaDelete::new(key), input, |outcome| outcome)?;
    come_to(&MetaArith::new(key).value(), input, |outcome| outcome)?;
    come_to(&MetaDebug::new(key), input, |text| text.map(|text| text.as_slice().len()))?;
    come_to(&MetaNoop, input, |()| ())?;
    come_to(&MetaLease::new(key, 11, 82, 7), input, |item| item)?;
    come_to(&Admin::CacheMemlimit { megabytes: 64 }, input, |outcome| outcome)?;
    come_to(&Credentials::new(b"user", b"password").ok()?, input, |()| ())?;
    let (mut coming, mut value, mut items) = (Assembly::default(), ArrayBuffer::<64>::new(), Digest::new());
    let _: Option<DecodeError> = events(input, |event| {
        coming.take(event, &mut value);
        if *event == Event::ValueEnd {
            items.debug(&(coming, coming.item(core::mem::take(&mut value))));
            coming = Assembly::default();
        }
    });
    let item = coming.item(value);
    let again = Get::new(Key::new(b"k").ok()?).output(Reply::of_item(item.clone()));
    (again.ok().flatten().map(|item| item.value) == item.ok().map(|item| item.value)).then_some(())
}

pub(crate) fn come_to<O: Operation, D: Debug>(
    operation: &O,
    input: &[u8],
    show: impl Fn(O::Output<ArrayBuffer<512>>) -> D,
) -> Option<()> {
    let mut reply = Reply::new(ArrayBuffer::new());
    events(input, |event| {
        reply.take(event);
        let _ = (reply.turned_away(), event.statistic());
        let told = reply.meta_value().map(|info| (*info, reply.clone().into_value().as_slice().len()));
        Digest::new().debug(&told);
        if let Event::Error(line) = event {
            let error = ServerError::from(*line);
            let mut digest = Digest::new();
            digest.error(&error);
            digest.debug(&(
                error.kind(),
                error.word(),
                error.text(),
                error == error.clone(),
                line.keeps_in_step(),
            ));
        }
    });
    let mut digest = Digest::new();
    match operation.output(reply) {
        Ok(output) => digest.debug(&show(output)),
        Err(error) => digest.error(&error),
    }
    operation.request().has_reply().then_some(())
}
