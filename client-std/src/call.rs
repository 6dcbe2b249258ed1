//! One request to one server: over the connection at hand, or, when that turns out dead, over a fresh one.

use memring_text::failure::{Cause, Error};
use memring_text::{Buffer, Operation, Reply, Request};

use crate::{
    deadline::Deadline,
    pool::{Lease, Pool, Wire},
};

/// Sends `operation` to the pool's server and reads its result; `value` takes what the reply brings.
pub(crate) fn call<O: Operation<V>, V: Buffer>(
    pool: &Pool,
    name: &'static str,
    operation: &O,
    value: V,
    deadline: Deadline,
) -> Result<O::Output, Error> {
    let request = operation.request();
    let mut reply = Reply::new(value);
    let mut lease = pool.lease(deadline).map_err(|cause| Error::on(pool.name(), name, cause, false))?;
    exchange(&mut lease, &request, &mut reply, &deadline)
        .and_then(|()| operation.output(reply).map_err(Cause::from))
        .map_err(|cause| Error::on(pool.name(), name, cause, lease.leaves_open(&request)))
}

#[inline]
fn exchange<V: Buffer>(
    lease: &mut Lease<'_>,
    request: &Request<'_>,
    reply: &mut Reply<V>,
    deadline: &Deadline,
) -> Result<(), Cause> {
    if let Some(wire) = lease.wire_at_once() {
        wire.io_mut().begin_at_once(deadline);
        match attempt(wire, request, reply) {
            Err(cause) if cause.is_closed() && lease.may_retry(request) => lease.close(),
            done => return done,
        }
    }
    exchange_at_length(lease, request, reply, *deadline)
}

/// The same with a connection that has to be opened or waited for.
#[inline(never)]
fn exchange_at_length<V: Buffer>(
    lease: &mut Lease<'_>,
    request: &Request<'_>,
    reply: &mut Reply<V>,
    deadline: Deadline,
) -> Result<(), Cause> {
    let was_used = lease.is_used();
    let mut try_it = |lease: &mut Lease<'_>| {
        let wire = lease.wire(deadline)?;
        wire.io_mut().begin(deadline);
        attempt(wire, request, reply)
    };
    match try_it(lease) {
        Err(cause) if was_used && cause.is_closed() && lease.may_retry(request) => {
            lease.close();
            try_it(lease)
        }
        done => done,
    }
}

#[inline(always)]
fn attempt<V: Buffer>(wire: &mut Wire, request: &Request<'_>, reply: &mut Reply<V>) -> Result<(), Cause> {
    wire.send(request)?;
    wire.receive_reply(request, reply)?;
    Ok(())
}
