//! Connections that have one caller each, for values that are streamed: how many there may be, and how they end with the
//! client.

use core::{future::poll_fn, pin::pin, time::Duration};

use memring_client::failure::Cause;
use tokio::{
    runtime::Handle,
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};

use crate::deadline::check_runtime;

/// The room for such connections to one server. Who finds none waits, in the order of coming.
#[derive(Debug)]
pub(crate) struct Streams {
    room: Semaphore,
    /// It has nothing to give: it is waited for until it is closed, when all are to end.
    end: Semaphore,
}

impl Streams {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self { room: Semaphore::const_new(MOST as usize), end: Semaphore::const_new(0) }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        (MOST as usize).saturating_sub(self.room.available_permits())
    }

    /// Does `work` when there is room for it, within `wait`, and no longer than until all are to end.
    pub(crate) async fn run<T>(
        &self,
        wait: Duration,
        work: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, Cause> {
        if Handle::try_current().is_err() {
            return Err(Cause::NoRuntime);
        }
        check_runtime()?;
        let room = timeout(wait, self.room.acquire()).await.map_err(|_| Cause::NoRoom)?;
        let _room = room.map_err(|_| Cause::Shut)?;
        let (mut work, mut end) = (pin!(work), pin!(self.end.acquire()));
        poll_fn(|cx| {
            let done = work.as_mut().poll(cx);
            if done.is_ready() { done } else { end.as_mut().poll(cx).map(|_| Err(Cause::Shut)) }
        })
        .await
    }

    /// Waits until there are none, and at `deadline` ends those that there still are. From then on there will be none.
    pub(crate) async fn close(&self, deadline: Instant) {
        if self.count() > 0 && Handle::try_current().is_ok() && check_runtime().is_ok() {
            // Whether there is all of the room now, or the time is over, comes to the same.
            let _ = timeout_at(deadline, self.room.acquire_many(MOST)).await;
        }
        self.room.close();
        self.end.close();
    }
}

/// As many as the blocking client's pool has connections.
const MOST: u32 = 16;
