//! Values that pass piece by piece between a server and the caller's stream.

use core::time::Duration;
use std::io::{self, Read, Write};

use memring_client::failure::{Cause, Error};
use memring_text::{
    Get, Item, Operation, Reply, Request, Store, StoreOutcome, buffer::ArrayBuffer, reply::Event,
};

use crate::{
    call::Target,
    deadline::Deadline,
    pool::{Lease, Wire},
    socket::Socket,
};

/// Sends `store` with a value of `len` bytes from `source`. `step` is how long each piece may take.
pub(crate) fn send_from(
    target: &Target<'_>,
    store: &Store<'_>,
    len: usize,
    source: &mut dyn Read,
    step: Duration,
) -> Result<StoreOutcome, Error> {
    run(target, store, step, |lease, store| {
        let wire = wire(lease, step)?;
        let mut piece = vec![0; PIECE.min(len)];
        wire.send_from(store, len, &mut piece, |io, piece| {
            let read = read(source, piece).map_err(Cause::stream)?;
            io.extend(Deadline::after(step));
            Ok::<_, Cause>(read)
        })?;
        let mut reply = Reply::new(NoValue::new());
        let extend = |io: &mut Socket| io.extend(Deadline::after(step));
        wire.receive_with(&Request::Store(*store), |event, _| reply.take(event), extend)?;
        Ok(store.output(reply)?)
    })
}

/// Sends `get` and writes the value to `sink`. `step` is how long each piece may take. The item has the value's length
/// instead of the value.
pub(crate) fn get_to(
    target: &Target<'_>,
    get: Get<'_>,
    sink: &mut dyn Write,
    step: Duration,
) -> Result<Option<Item<usize>>, Error> {
    run(target, &get, step, |lease, get| {
        let wire = wire(lease, step)?;
        wire.send(&Request::Get(*get))?;
        let mut reply = Reply::new(NoValue::new());
        let (mut len, mut written) = (0, Ok(()));
        let take = |event: &Event<'_>, _| match event {
            // After the sink has failed, the rest is thrown away, so that the connection stays in step.
            Event::Data(piece) => {
                len += piece.len();
                if written.is_ok() {
                    written = sink.write_all(piece);
                }
            }
            event => reply.take(event),
        };
        let extend = |io: &mut Socket| io.extend(Deadline::after(step));
        wire.receive_with(&Request::Get(*get), take, extend)?;
        written.and_then(|()| sink.flush()).map_err(Cause::stream)?;
        let item = get.output(reply)?;
        Ok(item.map(|Item { flags, cas, .. }| Item { flags, cas, value: len }))
    })
}

/// Runs `exchange` with a part of the pool. The request is never repeated: the caller's stream cannot be wound back.
fn run<O: Operation, T>(
    target: &Target<'_>,
    operation: &O,
    step: Duration,
    exchange: impl FnOnce(&mut Lease<'_>, &O) -> Result<T, Cause>,
) -> Result<T, Error> {
    let (mut attempt, shorter) = (target.attempt(), target.shorter(operation));
    let operation = shorter.as_ref().unwrap_or(operation);
    let mut lease = match target.pool().lease(&Deadline::after(step)) {
        Ok(lease) => lease,
        Err(cause) => {
            attempt.not_sent(&cause);
            return Err(target.error(cause));
        }
    };
    let done = exchange(&mut lease, operation);
    if done.as_ref().is_err_and(|cause| lease.is_turned_away(cause)) {
        attempt.says_nothing();
    }
    attempt.was_silent_for(step);
    attempt.ended(done.as_ref());
    done.map_err(|cause| {
        lease.ends(&cause);
        target.failed(cause, lease.leaves_open(&operation.request()))
    })
}

/// The connection. One that was used before is checked, and replaced by another if it has ended.
fn wire<'l>(lease: &'l mut Lease<'_>, step: Duration) -> Result<&'l mut Wire, Cause> {
    let deadline = Deadline::after(step);
    if let Err(cause) = lease.wire(deadline) {
        if !lease.is_turned_away(&cause) {
            return Err(cause);
        }
        lease.take_turns(&cause, &deadline)?;
    }
    if lease.is_used() && !lease.wire(deadline)?.io_mut().is_silent() {
        lease.replace(&Cause::Closed(None));
    }
    let wire = lease.wire(deadline)?;
    wire.io_mut().begin(Deadline::after(step));
    Ok(wire)
}

/// Reads some bytes. The end of the source is an error: bytes are still missing.
fn read(source: &mut dyn Read, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(piece) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// The buffer of a reply whose value goes elsewhere.
type NoValue = ArrayBuffer<0>;

/// How many bytes of a value are in memory at a time.
const PIECE: usize = 32 * 1024;
