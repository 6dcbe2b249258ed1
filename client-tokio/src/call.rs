//! One request to one server: queued on a connection, waited for in a slot.

use core::{future::poll_fn, task::Poll};
use std::sync::Arc;

use memring_text::Operation;
use tokio::time::Instant;

use crate::{
    error::{Cause, Error},
    mux::{Mux, Waiting},
    pool::Pool,
    slots::{Failure, Outcome},
};

/// Sends `operation` to the pool's server and reads its result.
pub(crate) async fn call<O: Operation<Vec<u8>>>(
    pool: &Pool,
    name: &'static str,
    operation: &O,
    deadline: Instant,
) -> Result<O::Output, Error> {
    let outcome = exchange(pool.mux(), operation, deadline).await;
    let failed = |cause, sent: bool| {
        let is_open = !operation.request().may_retry(usize::from(sent));
        Error::on(pool.name(), name, cause, is_open)
    };
    match outcome {
        Ok(reply) => operation.output(reply).map_err(|error| failed(Cause::from(error), true)),
        Err(Failure { cause, sent }) => Err(failed(cause, sent)),
    }
}

async fn exchange<O: Operation<Vec<u8>>>(mux: &Arc<Mux>, operation: &O, deadline: Instant) -> Outcome {
    let queued = poll_fn(|cx| Poll::Ready(mux.submit(&operation.request(), deadline, Some(cx.waker()))));
    match queued.await {
        Ok(slot) => Waiting::fresh(mux, slot).await,
        Err(cause) => Err(Failure { cause, sent: false }),
    }
}
