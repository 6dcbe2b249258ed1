//! One request to one server: queued on a connection, with a slot for its outcome; and to the next server, if the
//! policy allows it and nothing has reached the first.

use core::{future::poll_fn, pin::Pin, task::Poll};
use std::sync::Arc;

use memring_client::{
    failure::{Cause, Error},
    watch::Attempt,
};
use memring_text::Operation;
use tokio::time::Instant;

use crate::{
    deadline::Deadline,
    hang_up,
    pool::{
        Pool,
        growth::TurnedAway,
        mux::{MustWatch, Mux},
        slots::{Failure, Outcome, SlotId},
        vigil::Vigil,
        waiting::{Admission, Heir, ReplyWait},
    },
};

/// The target of an operation.
pub(crate) type Target<'k> = memring_client::Target<'k, Pool, Deadline>;

/// Sends `operation` to the server of `target`, or to one that stands in for it, and reads its result.
pub(crate) async fn call<O: Operation>(
    target: &mut Target<'_>,
    operation: &O,
) -> Result<O::Output<Vec<u8>>, Error> {
    loop {
        if let Some(result) = call_one(target, operation).await {
            return result;
        }
    }
}

/// Sends `operation` to the server of `target` and reads its result; `None` when nothing has reached that server, and
/// `target` has moved on to another one.
pub(crate) async fn call_one<O: Operation>(
    target: &mut Target<'_>,
    operation: &O,
) -> Option<Result<O::Output<Vec<u8>>, Error>> {
    call_one_leaving(target, operation, None).await
}

/// The same with an heir: if the caller goes away while it waits for the outcome, the heir gets the slot.
pub(crate) async fn call_one_leaving<O: Operation>(
    target: &mut Target<'_>,
    operation: &O,
    heir: Option<Heir<'_>>,
) -> Option<Result<O::Output<Vec<u8>>, Error>> {
    // Boxed, because it is rare: the future of every call would be larger for it.
    let shorter = target.shorter(operation).map(Box::new);
    let operation = shorter.as_deref().unwrap_or(operation);
    let (deadline, attempt) = (target.deadline(), target.attempt());
    if target.pool().watch().hangs_up(&operation.request()) {
        attempt.not_sent(&Cause::HangsUp);
        return Some(Err(target.error(Cause::HangsUp)));
    }
    let failure = match ask_in(attempt, target.pool(), operation, deadline, heir).await {
        Ok(output) => return Some(Ok(output)),
        Err(failure) => failure,
    };
    if !failure.sent && failure.cause.is_unreached() && target.move_on() {
        return None;
    }
    let Failure { mut cause, sent, .. } = *failure;
    // Boxed, as above, because it is rare.
    if cause.is_closed()
        && Box::pin(hang_up::is_told(target.pool(), target.name(), operation, deadline)).await
    {
        cause = Cause::HangsUp;
    }
    let leaves_open = !operation.request().may_retry(usize::from(sent));
    Some(Err(target.failed(cause, leaves_open)))
}

/// Sends `operation` to the pool's server, even if that is down, and reads its result.
pub(crate) async fn ask<O: Operation>(
    pool: &Pool,
    name: &'static str,
    operation: &O,
    deadline: Deadline,
) -> Result<O::Output<Vec<u8>>, Box<Failure>> {
    let attempt = pool.watch().attempt(name, deadline.began().into_std(), false);
    ask_in(attempt, pool, operation, deadline, None).await
}

/// Sends `operation` as a part of `attempt`, which is told how it ends.
async fn ask_in<O: Operation>(
    mut attempt: Attempt<'_>,
    pool: &Pool,
    operation: &O,
    deadline: Deadline,
    heir: Option<Heir<'_>>,
) -> Result<O::Output<Vec<u8>>, Box<Failure>> {
    let mut turns = 0;
    loop {
        let outcome = exchange(pool.mux(), operation, deadline, heir).await;
        let result = read(operation, outcome);
        if let Err(failure) = &result {
            match pool.turned_away(failure) {
                TurnedAway::No => {}
                TurnedAway::Again if turns < TURNS && Instant::now() < deadline.at() => {
                    turns += 1;
                    continue;
                }
                TurnedAway::Again | TurnedAway::Sent => attempt.says_nothing(),
            }
        }
        attempt.ended(result.as_ref().map_err(|failure| &failure.cause));
        return result;
    }
}

/// Reads the result of an operation from its outcome.
pub(crate) fn read<O: Operation>(
    operation: &O,
    outcome: Outcome,
) -> Result<O::Output<Vec<u8>>, Box<Failure>> {
    let refused = |error| Box::new(Failure::new(Cause::from(error), true));
    operation.output(outcome?.into_reply()).map_err(refused)
}

async fn exchange<O: Operation>(
    mux: &Arc<Mux>,
    operation: &O,
    deadline: Deadline,
    heir: Option<Heir<'_>>,
) -> Outcome {
    let (slot, must_watch) = match submit(mux, operation, deadline).await {
        Ok(submitted) => submitted,
        Err(cause) => return Err(Box::new(Failure::new(cause, false))),
    };
    let mut waiting = ReplyWait::fresh(mux, slot, must_watch).with_heir(heir);
    if must_watch == MustWatch(false) {
        if let Ok(outcome) = (&mut waiting).await {
            return outcome;
        }
    }
    // Boxed, as above, because it is rare: the future of every call would be larger for it.
    Box::pin(waiting.watched(deadline)).await
}

/// Queues the request, and waits for quota if there is none left. The slot has the waker of the poll that returns it.
async fn submit<O: Operation>(
    mux: &Arc<Mux>,
    operation: &O,
    deadline: Deadline,
) -> Result<(SlotId, MustWatch), Cause> {
    let mut admission = Admission::new(mux);
    let mut submit = poll_fn(|cx| admission.poll_submit(cx, &operation.request(), deadline));
    match poll_fn(|cx| Poll::Ready(Pin::new(&mut submit).poll(cx))).await {
        Poll::Ready(submitted) => submitted,
        Poll::Pending => Box::pin(watched(mux, submit, deadline)).await,
    }
}

/// Waits for quota, and sees to it that the connection is driven.
async fn watched<T>(
    mux: &Arc<Mux>,
    mut submit: impl Future<Output = Result<T, Cause>> + Unpin,
    deadline: Deadline,
) -> Result<T, Cause> {
    let mut vigil = Vigil::new(mux, deadline)?;
    let over = poll_fn(|cx| match Pin::new(&mut submit).poll(cx) {
        Poll::Ready(submitted) => Poll::Ready(submitted),
        Poll::Pending => vigil.poll(cx, mux).map(|()| Err(Cause::OverQuota)),
    });
    over.await
}

/// How many working connections are tried at most, instead of one that was turned away.
const TURNS: usize = 3;
