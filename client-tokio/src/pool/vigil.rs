//! The watch that a caller keeps, over its own time and over whether its connection's driver runs at all.

use core::{
    task::{Context, Poll, ready},
    time::Duration,
};
use std::sync::Arc;

use memring_client::failure::Cause;
use tokio::time::Instant;

use super::mux::Mux;
use crate::deadline::{Deadline, Timer};

/// A caller's watch over a [`Mux`].
///
/// It calls the driver, and when that has given no sign of life after a while, lets one of its own runtime take the
/// connection over. A driver that was only slow has lost nothing by that, and what is under way stays under way.
#[derive(Debug)]
pub(crate) struct Vigil {
    timer: Timer,
    deadline: Deadline,
    next: Instant,
    interval: Duration,
    seen: u64,
}

impl Vigil {
    /// Begins to watch, until `deadline`.
    ///
    /// # Errors
    /// The runtime at hand has no clock.
    pub(crate) fn new(mux: &Mux, deadline: Deadline) -> Result<Self, Cause> {
        let now = Instant::now();
        // If there is little time, some of it must be left for the reply.
        let interval = INTERVAL.min(deadline.at().saturating_duration_since(now) / 8);
        Ok(Self { timer: Timer::new()?, deadline, next: now + interval, interval, seen: mux.call_driver() })
    }

    /// Ready when the deadline has passed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, mux: &Arc<Mux>) -> Poll<()> {
        loop {
            ready!(self.timer.poll(cx, self.next.min(self.deadline.at())));
            let now = Instant::now();
            if self.deadline.at() <= now {
                return Poll::Ready(());
            }
            self.seen = mux.look_after(self.seen);
            // A driver that lives waits for a slow server: it need not be called so often.
            self.interval = (self.interval * 2).min(LONGEST);
            self.next = now + self.interval;
        }
    }
}

/// After this time without a sign of life, a driver is taken for one that does not run. A short time does no harm: to
/// replace a driver that does run costs a few microseconds.
const INTERVAL: Duration = Duration::from_millis(10);

/// How long a driver may go without being called.
const LONGEST: Duration = Duration::from_millis(80);
