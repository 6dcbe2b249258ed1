//! Connections with one caller each, for streamed values: how many there may be, and how they end with the client.

use core::{future::poll_fn, pin::pin, time::Duration};

use memring_client::failure::Cause;
use tokio::{
    runtime::Handle,
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};

use crate::deadline::check_runtime;

/// The quota of such connections to one server. A caller that finds none free waits; first come, first served.
#[derive(Debug)]
pub(crate) struct Streams {
    quota: Semaphore,
    /// It never has a permit: it is waited for until it is closed, which ends all of the connections.
    end: Semaphore,
}

impl Streams {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self { quota: Semaphore::const_new(MOST as usize), end: Semaphore::const_new(0) }
    }

    /// The number of connections.
    pub(crate) fn count(&self) -> usize {
        (MOST as usize).saturating_sub(self.quota.available_permits())
    }

    /// Does `work` once the quota lets it in, which may take `wait`. Ends it when all must end.
    pub(crate) async fn run<T>(
        &self,
        wait: Duration,
        work: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, Cause> {
        if Handle::try_current().is_err() {
            return Err(Cause::NoRuntime);
        }
        check_runtime()?;
        let permit = timeout(wait, self.quota.acquire()).await.map_err(|_| Cause::OverQuota)?;
        let _permit = permit.map_err(|_| Cause::Shut)?;
        let (mut work, mut end) = (pin!(work), pin!(self.end.acquire()));
        poll_fn(|cx| {
            let done = work.as_mut().poll(cx);
            if done.is_ready() { done } else { end.as_mut().poll(cx).map(|_| Err(Cause::Shut)) }
        })
        .await
    }

    /// Waits until all have ended, and at `deadline` ends the rest. No further one is begun after that.
    pub(crate) async fn close(&self, deadline: Instant) {
        if self.count() > 0 && Handle::try_current().is_ok() && check_runtime().is_ok() {
            // The result does not matter: either all of the quota is free now, or the time is over.
            let _ = timeout_at(deadline, self.quota.acquire_many(MOST)).await;
        }
        self.quota.close();
        self.end.close();
    }
}

/// The number of connections in the blocking client's pool.
const MOST: u32 = 16;
