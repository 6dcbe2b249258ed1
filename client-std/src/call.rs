//! One request to one server: over the connection at hand or, if that is dead, over a fresh one; and to the next
//! server, if the policy allows it and nothing has reached the first.

use memring_client::{
    failure::{Cause, Error},
    watch::Attempt,
};
use memring_text::{Operation, Reply, Request, buffer::Buffer};

use crate::{
    deadline::Deadline,
    hang_up,
    pool::{Lease, Pool, Wire},
};

/// The target of an operation.
pub(crate) type Target<'k> = memring_client::Target<'k, Pool, Deadline>;

/// Sends `operation` to the server of `target`, or to one that stands in for it, and reads its result. `value` takes
/// the reply's value.
#[inline]
pub(crate) fn call<O: Operation, V: Buffer>(
    target: &mut Target<'_>,
    operation: &O,
    value: V,
) -> Result<O::Output<V>, Error> {
    call_where(target, operation, value, |_| Ok(()))
}

/// Sends `operation` as [`call`] does, but only to a server that `allows` it.
#[inline]
pub(crate) fn call_where<O: Operation, V: Buffer>(
    target: &mut Target<'_>,
    operation: &O,
    value: V,
    allows: impl Fn(&Target<'_>) -> Result<(), Cause>,
) -> Result<O::Output<V>, Error> {
    let mut reply = Reply::new(value);
    let deadline = target.deadline();
    loop {
        let shorter = target.shorter(operation);
        let operation = shorter.as_ref().unwrap_or(operation);
        let request = operation.request();
        let mut attempt = target.attempt();
        let hangs_up = target.pool().watch().hangs_up(&request);
        if let Err(cause) = if hangs_up { Err(Cause::HangsUp) } else { allows(target) } {
            attempt.not_sent(&cause);
            if cause.is_unreached() && target.move_on() {
                continue;
            }
            return Err(target.error(cause));
        }
        let mut lease = match target.pool().lease(&deadline) {
            Ok(lease) => lease,
            Err(cause) => {
                attempt.not_sent(&cause);
                return Err(target.error(cause));
            }
        };
        let done = exchange(&mut lease, &request, &mut reply, &deadline);
        if let Err(cause) = &done {
            if lease.was_turned_away() {
                attempt.says_nothing();
            }
            if cause.is_unreached() {
                attempt.ended(Err::<(), _>(cause));
                drop(lease);
                if target.move_on() {
                    continue;
                }
                return Err(target.error(cause.clone()));
            }
        }
        let result = done.and_then(|()| operation.output(reply).map_err(Cause::from));
        attempt.ended(result.as_ref());
        return result.map_err(|cause| {
            lease.ends(&cause);
            let leaves_open = lease.leaves_open(&request);
            drop(lease);
            let cause = hang_up::explained(target.pool(), target.name(), cause, &request, deadline);
            target.failed(cause, leaves_open)
        });
    }
}

/// Sends `operation` to the pool's server, even if that is down, and reads its result. `attempt` is told how that ends.
pub(crate) fn ask<O: Operation, V: Buffer>(
    mut attempt: Attempt<'_>,
    pool: &Pool,
    operation: &O,
    value: V,
    deadline: Deadline,
) -> Result<O::Output<V>, Cause> {
    let request = operation.request();
    let mut reply = Reply::new(value);
    let mut lease = pool.lease(&deadline)?;
    let done = exchange(&mut lease, &request, &mut reply, &deadline);
    if lease.was_turned_away() {
        attempt.says_nothing();
    }
    let result = done.and_then(|()| operation.output(reply).map_err(Cause::from));
    attempt.ended(result.as_ref());
    result.inspect_err(|cause| lease.ends(cause))
}

#[inline(always)]
fn exchange<V: Buffer>(
    lease: &mut Lease<'_>,
    request: &Request<'_>,
    reply: &mut Reply<V>,
    deadline: &Deadline,
) -> Result<(), Cause> {
    if let Some(wire) = lease.wire_at_once() {
        wire.io_mut().begin_at_once(deadline);
        match attempt(wire, request, reply) {
            Err(cause) if cause.is_closed() && lease.may_retry(request) => lease.replace(&cause),
            done => return done,
        }
    }
    exchange_at_length(lease, request, reply, *deadline)
}

/// Sends and reads over a connection that must be opened or waited for.
#[inline(never)]
fn exchange_at_length<V: Buffer>(
    lease: &mut Lease<'_>,
    request: &Request<'_>,
    reply: &mut Reply<V>,
    deadline: Deadline,
) -> Result<(), Cause> {
    loop {
        let was_used = lease.is_used();
        let cause = match try_it(lease, request, reply, deadline) {
            Ok(()) => return Ok(()),
            Err(cause) => cause,
        };
        if was_used && cause.is_closed() && lease.may_retry(request) {
            lease.replace(&cause);
        } else if lease.is_turned_away(&cause) && lease.may_take_turns(request, &cause) {
            lease.take_turns(&cause, &deadline)?;
        } else {
            return Err(cause);
        }
    }
}

fn try_it<V: Buffer>(
    lease: &mut Lease<'_>,
    request: &Request<'_>,
    reply: &mut Reply<V>,
    deadline: Deadline,
) -> Result<(), Cause> {
    let wire = lease.wire(deadline)?;
    wire.io_mut().begin(deadline);
    attempt(wire, request, reply)?;
    reply.turned_away().map_or(Ok(()), |error| Err(Cause::Server(error)))
}

#[inline(always)]
fn attempt<V: Buffer>(wire: &mut Wire, request: &Request<'_>, reply: &mut Reply<V>) -> Result<(), Cause> {
    wire.send(request)?;
    wire.receive_reply(request, reply)?;
    Ok(())
}
