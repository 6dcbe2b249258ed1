//! Tells a server that hangs up at a command it does not know from one that fails.

use memring_client::{
    failure::{Cause, Error, ErrorKind},
    hang_up::{PROBE, Witness, answers, may_be_unknown},
};
use memring_text::{Operation, meta::MetaNoop};

use crate::{call, deadline::Deadline, pool::Pool};

/// Whether the server, which has closed a connection in the place of an answer to `operation`, does so at every one of its
/// kind, and answers others. If so, it is sent no other for a while.
pub(crate) async fn is_told<O: Operation>(
    pool: &Pool,
    name: &'static str,
    operation: &O,
    deadline: Deadline,
) -> bool {
    let is_told = may_be_unknown(&operation.request()) && is_seen(pool, name, operation, deadline).await;
    if is_told {
        pool.watch().has_hung_up(&operation.request());
    }
    is_told
}

async fn is_seen<O: Operation>(pool: &Pool, name: &'static str, operation: &O, deadline: Deadline) -> bool {
    let probed = call::ask(pool, name, &PROBE, deadline).await;
    if !answers(probed.as_ref().map_err(|failure| &failure.cause)) {
        return false;
    }
    let failure = match Witness::of(&operation.request()) {
        Witness::Itself => call::ask(pool, name, operation, deadline).await.err(),
        Witness::Noop => call::ask(pool, name, &MetaNoop, deadline).await.err(),
        Witness::Nobody => return true,
    };
    failure.is_some_and(|failure| failure.cause.is_closed())
}

/// Replaces an error that says only that the server closed the connection, if [`is_told`] says why it did.
pub(crate) async fn explain<O: Operation>(
    pool: &Pool,
    error: Error,
    operation: &O,
    deadline: Deadline,
) -> Error {
    if error.kind() != ErrorKind::Closed || !is_told(pool, error.operation(), operation, deadline).await {
        return error;
    }
    Error::on(pool.name(), error.operation(), Cause::HangsUp, error.is_ambiguous())
}
