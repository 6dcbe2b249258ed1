//! What every server answers in lines, as they come: each over a connection of its own, and none waits for another.

use core::{future::poll_fn, ops::ControlFlow, pin::pin, task::Poll, time::Duration};
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use memring_client::{
    Lines,
    failure::{Cause, Error},
};
use memring_text::{Limits, Reply, buffer::ArrayBuffer, reply::Event};
use tokio::sync::Notify;

use crate::{batch::together::all, pool::Pool, socket::Stream, streamed::Wire};

/// Asks the servers of `pools` for `lines`, and hands each line to `take`, until that breaks off. `step` is how long each
/// piece of a reply may take.
pub(crate) async fn each(
    pools: &[Arc<Pool>],
    lines: Lines,
    take: impl FnMut(&str, &Event<'_>) -> ControlFlow<()>,
    step: Duration,
) -> Vec<Result<(), Error>> {
    let (taker, enough) = (Mutex::new(Some(take)), Notify::new());
    let take = |pool: &Pool, event: &Event<'_>| {
        // Who has panicked in it takes no more lines of any server.
        let Ok(mut taker) = taker.lock() else { return };
        if taker.as_mut().is_some_and(|take| take(pool.name(), event).is_break()) {
            *taker = None;
            enough.notify_waiters();
        }
    };
    let ask = |pool: &Arc<Pool>| {
        // Made before the first line comes, so that none of them misses it.
        let enough = enough.notified();
        let (pool, take) = (Arc::clone(pool), &take);
        async move {
            let told = of_one(&pool, lines, |event| take(&pool, event), step);
            unless(enough, told).await.unwrap_or(Ok(()))
        }
    };
    let asked: Vec<_> = pools.iter().map(ask).collect();
    all(asked.into_iter()).await
}

/// What `work` comes to; `None` once `ended` is over.
async fn unless<T>(ended: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    let (mut ended, mut work) = (pin!(ended), pin!(work));
    poll_fn(|cx| match ended.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => work.as_mut().poll(cx).map(Some),
    })
    .await
}

/// Asks the pool's server. The limit of lines does not hold here: no line is kept.
async fn of_one(
    pool: &Pool,
    lines: Lines,
    mut take: impl FnMut(&Event<'_>),
    step: Duration,
) -> Result<(), Error> {
    let (watch, name, request) = (pool.watch(), lines.name(), lines.request());
    if watch.hangs_up(&request) {
        return Err(watch.failed(name, Cause::HangsUp, false));
    }
    let mut attempt = watch.attempt(name, Instant::now(), false);
    let exchange = async |stream: Stream, limits: Limits| {
        let mut wire = Wire::new(stream, Limits { stats: u32::MAX, ..limits }, step);
        let mut reply = Reply::new(ArrayBuffer::<0>::new());
        wire.write(request.parts().head.as_bytes(), &mut false).await?;
        wire.flush().await?;
        let then = if lines.is_endless() { Duration::MAX } else { step };
        let take = |event: &Event<'_>| if Lines::is_line(event) { take(event) } else { reply.take(event) };
        wire.receive_events(&request, then, take).await?;
        lines.end(reply)
    };
    let done = pool.alone(step, exchange).await;
    attempt.was_silent_for(step);
    attempt.ended(done.as_ref());
    done.map_err(|cause| watch.failed(name, cause, false))
}
