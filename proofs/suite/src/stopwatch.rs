//! How long something took, on a machine that has other work, too.

use core::time::Duration;
use std::{fs, time::Instant};

/// Tells how long this thread has been at it. The time that it was ready to run and the machine was not is not its own.
pub struct Stopwatch {
    begin: Instant,
    waited: Duration,
}

impl Stopwatch {
    /// Starts now, on this thread.
    pub fn start() -> Self {
        Self { begin: Instant::now(), waited: waited() }
    }

    /// The time since the start, less what the thread has waited for a processor.
    pub fn took(&self) -> Duration {
        self.begin.elapsed().saturating_sub(waited().saturating_sub(self.waited))
    }

    /// Asserts that a deadline ends now: it is over, and not by more than a fifth.
    pub fn assert_ends_at(&self, deadline: Duration) {
        let elapsed = self.begin.elapsed();
        assert!(elapsed >= deadline.mul_f64(0.95), "ended early: {elapsed:?} of {deadline:?}");
        let took = self.took();
        assert!(took < deadline.mul_f64(1.2) + NOISE, "ended late: {took:?} of {deadline:?}");
    }
}

/// How late a busy machine may wake a thread that it owes nothing.
const NOISE: Duration = Duration::from_millis(100);

/// How long this thread has waited for a processor so far. Where the system does not say, not at all.
fn waited() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split_whitespace().nth(1).and_then(|waited| waited.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}
