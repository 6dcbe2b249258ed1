//! Statistics of every server, line by line as they come: each over a connection of its own, and none waits for another.

use core::time::Duration;
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use memring_client::failure::{Cause, Error};
use memring_text::{Limits, Operation as _, Reply, Request, buffer::ArrayBuffer, request::StatsKind};

use crate::{batch::together::all, pool::Pool, socket::Stream, streamed::Wire};

/// Asks the servers of `pools` for statistics, and hands each to `take`. `step` is how long each piece of a reply may take.
pub(crate) async fn each(
    pools: &[Arc<Pool>],
    kind: StatsKind,
    take: impl FnMut(&str, &[u8], &[u8]),
    step: Duration,
) -> Vec<Result<(), Error>> {
    let take = Mutex::new(take);
    let ask = async |pool: &Arc<Pool>| {
        // Who has panicked in it takes no more lines of any server.
        let take = |name: &[u8], value: &[u8]| {
            if let Ok(mut take) = take.lock() {
                take(pool.name(), name, value);
            }
        };
        of_one(pool, kind, take, step).await
    };
    all(pools.iter().map(ask)).await
}

/// Asks the pool's server. The limit of lines does not hold here: no line is kept.
async fn of_one(
    pool: &Pool,
    kind: StatsKind,
    mut take: impl FnMut(&[u8], &[u8]),
    step: Duration,
) -> Result<(), Error> {
    const NAME: &str = "stats";
    let watch = pool.watch();
    let request = Request::Stats(kind);
    if watch.hangs_up(&request) {
        return Err(watch.failed(NAME, Cause::HangsUp, false));
    }
    let mut attempt = watch.attempt(NAME, Instant::now(), false);
    let exchange = async |stream: Stream, limits: Limits| {
        let mut wire = Wire::new(stream, Limits { stats: u32::MAX, ..limits }, step);
        let mut reply = Reply::new(ArrayBuffer::<0>::new());
        wire.write(request.parts().head.as_bytes(), &mut false).await?;
        wire.flush().await?;
        wire.receive_events(&request, |event| match event.statistic() {
            Some((name, value)) => take(name, value),
            None => reply.take(event),
        })
        .await?;
        kind.output(reply)?;
        Ok(())
    };
    let done = pool.alone(step, exchange).await;
    attempt.was_silent_for(step);
    attempt.ended(done.as_ref());
    done.map_err(|cause| watch.failed(NAME, cause, false))
}
