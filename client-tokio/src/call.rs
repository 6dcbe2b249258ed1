//! One request to one server: queued on a connection, waited for in a slot.

use core::{future::poll_fn, pin::Pin, task::Poll};
use std::sync::Arc;

use memring_text::Operation;
use memring_text::failure::{Cause, Error};
use tokio::time::timeout_at;

use crate::{
    deadline::Deadline,
    pool::{
        Pool,
        mux::{MustWatch, Mux},
        slots::{Failure, Outcome, SlotId},
        waiting::{Entering, Waiting},
    },
};

/// Sends `operation` to the pool's server and reads its result.
pub(crate) async fn call<O: Operation<Vec<u8>>>(
    pool: &Pool,
    name: &'static str,
    operation: &O,
    deadline: Deadline,
) -> Result<O::Output, Error> {
    let outcome = exchange(pool.mux(), operation, deadline).await;
    read(operation, outcome).map_err(|failure| {
        let Failure { cause, sent } = *failure;
        let is_open = !operation.request().may_retry(usize::from(sent));
        Error::on(pool.name(), name, cause, is_open)
    })
}

/// What the outcome of an operation comes to.
pub(crate) fn read<O: Operation<Vec<u8>>>(
    operation: &O,
    outcome: Outcome,
) -> Result<O::Output, Box<Failure>> {
    let refused = |error| Box::new(Failure { cause: Cause::from(error), sent: true });
    operation.output(outcome?.into_reply()).map_err(refused)
}

async fn exchange<O: Operation<Vec<u8>>>(mux: &Arc<Mux>, operation: &O, deadline: Deadline) -> Outcome {
    let failed = |cause, sent| Err(Box::new(Failure { cause, sent }));
    match submit(mux, operation, deadline).await {
        Ok((slot, MustWatch(true))) => {
            let mut waiting = Waiting::fresh(mux, slot);
            match Box::pin(timeout_at(deadline.at(), &mut waiting)).await {
                Ok(outcome) => outcome,
                Err(_) => failed(Cause::Timeout, waiting.give_up()),
            }
        }
        Ok((slot, _)) => Waiting::fresh(mux, slot).await,
        Err(cause) => failed(cause, false),
    }
}

/// Queues the request, and waits for room where there is none. The slot has the waker of the poll that returns it.
async fn submit<O: Operation<Vec<u8>>>(
    mux: &Arc<Mux>,
    operation: &O,
    deadline: Deadline,
) -> Result<(SlotId, MustWatch), Cause> {
    let mut entering = Entering::new(mux);
    let mut submit = poll_fn(|cx| entering.poll_submit(cx, &operation.request(), deadline));
    match poll_fn(|cx| Poll::Ready(Pin::new(&mut submit).poll(cx))).await {
        Poll::Ready(submitted) => submitted,
        // Boxed, as above, because it is rare: the future of every call would be larger for it.
        Poll::Pending => Box::pin(timeout_at(deadline.at(), submit)).await.unwrap_or(Err(Cause::NoRoom)),
    }
}
