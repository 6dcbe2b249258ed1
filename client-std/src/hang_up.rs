//! Tells a server that hangs up at an unknown command from a server that fails.

use memring_client::{
    failure::{Cause, Error, ErrorKind},
    hang_up::{PROBE, Witness, answers, may_be_unknown},
};
use memring_text::Request;

use crate::{call, deadline::Deadline, pool::Pool};

/// Whether the server, which closed a connection instead of answering `request`, closes it at every request of this command and
/// answers others. If so, the server is not sent the command for a while.
#[cold]
pub(crate) fn is_told(pool: &Pool, name: &'static str, request: &Request<'_>, deadline: Deadline) -> bool {
    let is_told = may_be_unknown(request) && is_seen(pool, name, request, deadline);
    if is_told {
        pool.watch().has_hung_up(request);
    }
    is_told
}

fn is_seen(pool: &Pool, name: &'static str, request: &Request<'_>, deadline: Deadline) -> bool {
    let attempt = pool.watch().attempt(name, deadline.began(), false);
    if !answers(call::ask(attempt, pool, &PROBE, Vec::new(), deadline).as_ref()) {
        return false;
    }
    let witness = match Witness::of(request) {
        Witness::Itself => request,
        Witness::Noop => &Request::MetaNoop,
        Witness::Nobody => return true,
    };
    matches!(again(pool, witness, deadline), Err(cause) if cause.is_closed())
}

/// The cause why `request` has failed: `cause`, unless [`is_told`] says more.
pub(crate) fn explained(
    pool: &Pool,
    name: &'static str,
    cause: Cause,
    request: &Request<'_>,
    deadline: Deadline,
) -> Cause {
    if cause.is_closed() && is_told(pool, name, request, deadline) { Cause::HangsUp } else { cause }
}

/// Replaces an error that says only that the server closed the connection, if [`is_told`] says why it did.
pub(crate) fn explain(pool: &Pool, error: Error, request: &Request<'_>, deadline: Deadline) -> Error {
    if error.kind() != ErrorKind::Closed || !is_told(pool, error.operation(), request, deadline) {
        return error;
    }
    Error::on(pool.name(), error.operation(), Cause::HangsUp, error.is_ambiguous())
}

fn again(pool: &Pool, request: &Request<'_>, deadline: Deadline) -> Result<(), Cause> {
    let mut lease = pool.lease(&deadline)?;
    let wire = lease.wire(deadline)?;
    wire.io_mut().begin(deadline);
    wire.send(request)?;
    wire.receive(request, |_, _| {})?;
    Ok(())
}
