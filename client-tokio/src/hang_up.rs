//! Tells a server that hangs up at an unknown command from a server that fails.

use memring_client::{
    failure::{Cause, Error, ErrorKind},
    hang_up::{PROBE, Witness, answers, may_be_unknown},
};
use memring_text::{Limits, Operation, Request};
use tokio::time::Instant;

use crate::{call, deadline::Deadline, pool::Pool, socket::Stream, streamed::Wire};

/// Whether the server, which closed a connection instead of answering `operation`, closes it at every operation of this command
/// and answers others. If so, the server is not sent the command for a while.
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
    let request = operation.request();
    let witness = match Witness::of(&request) {
        Witness::Itself => &request,
        Witness::Noop => &Request::MetaNoop,
        Witness::Nobody => return true,
    };
    matches!(again(pool, witness, deadline).await, Err(cause) if cause.is_closed())
}

/// Sends `request` over a connection of its own: should that end, nobody else's requests end with it.
async fn again(pool: &Pool, request: &Request<'_>, deadline: Deadline) -> Result<(), Cause> {
    let left = deadline.at().saturating_duration_since(Instant::now());
    let exchange = async |stream: Stream, limits: Limits| {
        let mut wire = Wire::new(stream, limits, left);
        for slice in request.parts().as_slices() {
            wire.write(slice, &mut false).await?;
        }
        wire.flush().await?;
        wire.receive_events(request, left, |_| {}).await
    };
    pool.alone(left, exchange).await
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
