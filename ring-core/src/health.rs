//! Health: which servers may be asked now. Counts failures per server; knows no socket and no clock.
//!
//! A server that fails several times within a window is left alone for a while. Then one caller, and only one, may try
//! it: success brings it back at once, failure doubles the while. The waits are spread at random, so that many clients
//! do not come back at the same moment.

use core::{error, fmt, time::Duration};

/// A moment, as milliseconds since any fixed moment that the caller chose.
///
/// Not to be confused with the `UnixTime` of `memring-text`, which counts from 1970 and may go back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(u64);

impl Instant {
    /// The moment `ms` milliseconds after the caller's zero.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the caller's zero.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The moment `after` later.
    #[must_use]
    pub const fn plus(self, after: Duration) -> Self {
        let ms = after.as_millis();
        Self(self.0.saturating_add(if ms > u64::MAX as u128 { u64::MAX } else { ms as u64 }))
    }

    /// How long after `earlier` this is; zero if it is before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// After which failures a server is left alone, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    /// How many failures within the window it takes.
    pub failures: u32,
    /// How long a failure is remembered.
    pub window: Duration,
    /// The first wait.
    pub min_wait: Duration,
    /// The longest wait; each failed trial doubles the wait up to this.
    pub max_wait: Duration,
}

impl HealthPolicy {
    /// Three failures in ten seconds; waits of 0.1 to 30 seconds.
    pub const DEFAULT: Self = Self {
        failures: 3,
        window: Duration::from_secs(10),
        min_wait: Duration::from_millis(100),
        max_wait: Duration::from_secs(30),
    };
}

impl Default for HealthPolicy {
    /// [`HealthPolicy::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The health of one server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerHealth {
    /// Failures counted since `counted_from`, the last of them at `failed_at`.
    failures: u32,
    counted_from: Instant,
    failed_at: Instant,
    /// How often in a row it was left alone; 0 while it is up.
    waits: u32,
    /// When it may be tried again; while a caller is trying it, when the next caller may.
    retry_at: Instant,
    /// Whether a caller is trying it.
    probing: bool,
}

impl ServerHealth {
    /// Whether the server is being left alone or tried.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.waits > 0
    }

    /// Whether any failure is noted.
    #[must_use]
    pub const fn is_noted(&self) -> bool {
        self.waits > 0 || self.failures > 0
    }

    /// Failures counted so far, while it is up.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// When the next caller may try the server; `None` while it is up or a caller is trying it.
    #[must_use]
    pub const fn retry_at(&self) -> Option<Instant> {
        if self.is_down() && !self.probing { Some(self.retry_at) } else { None }
    }

    /// The health at `now`, for operators.
    #[must_use]
    pub fn status(&self, now: Instant) -> HealthStatus {
        if self.is_down() {
            HealthStatus::Down { retry_after: self.retry_at().map(|at| at.since(now)) }
        } else {
            HealthStatus::Up { failures: self.failures }
        }
    }

    /// Whether the server may be asked at `now`.
    pub fn ask(&mut self, now: Instant, policy: &HealthPolicy) -> Verdict {
        if !self.is_down() {
            return Verdict::Up;
        }
        if now < self.retry_at {
            // A trial is over soon, one way or the other.
            let soon = now.plus(policy.min_wait).min(self.retry_at);
            return Verdict::Down { retry_at: if self.probing { soon } else { self.retry_at } };
        }
        // If the probe's caller never reports, another may try after the longest wait.
        (self.retry_at, self.probing) = (now.plus(policy.max_wait), true);
        Verdict::Probe
    }

    /// Notes a failure at `now`. `jitter` is a random number, all of whose bits spread the wait. Returns the wait, if
    /// one begins now.
    pub fn failed(&mut self, now: Instant, jitter: u32, policy: &HealthPolicy) -> Option<Duration> {
        if self.is_down() && !self.probing {
            return None; // Sent before it was left alone; more of the same news.
        }
        if self.failures == 0 || now.since(self.counted_from) > policy.window {
            (self.failures, self.counted_from) = (0, now);
        }
        (self.failures, self.failed_at) = (self.failures.saturating_add(1), now);
        if self.failures < policy.failures && !self.probing {
            return None;
        }
        let waits = self.waits.saturating_add(1);
        let wait = policy.wait(waits, jitter);
        *self = Self { waits, retry_at: now.plus(wait), ..Self::default() };
        Some(wait)
    }

    /// Notes that a connection was lost at `now`, in an operation that began at `began`.
    ///
    /// All operations on the connection report the same failure, so it counts once: one that began before the last
    /// failure does not count.
    pub fn lost(
        &mut self,
        began: Instant,
        now: Instant,
        jitter: u32,
        policy: &HealthPolicy,
    ) -> Option<Duration> {
        if self.failures > 0 && began <= self.failed_at { None } else { self.failed(now, jitter, policy) }
    }

    /// Notes that the server answered: it is up and its failures are forgotten. Returns whether it was down.
    pub fn succeeded(&mut self) -> bool {
        core::mem::take(self).is_down()
    }

    /// Notes that a probe ended without saying anything about the server: the next caller may try it.
    pub const fn unlearned(&mut self, now: Instant) {
        if self.probing {
            (self.retry_at, self.probing) = (now, false);
        }
    }
}

/// The health of one server, for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HealthStatus {
    /// The server is up.
    #[non_exhaustive]
    Up {
        /// Recent failures, too few to leave it alone.
        failures: u32,
    },
    /// The server is left alone.
    #[non_exhaustive]
    Down {
        /// After which time it is tried again; `None` while a caller is trying it.
        retry_after: Option<Duration>,
    },
}

impl HealthStatus {
    /// Whether it is left alone.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        matches!(self, Self::Down { .. })
    }
}

/// Whether a server may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The server may be asked.
    Up,
    /// Only this caller may ask the server, to see whether it is back. The caller must report the end, whatever it is.
    Probe,
    /// The server may not be asked now.
    Down {
        /// When the next caller may try it.
        retry_at: Instant,
    },
}

/// The server that [`choose`] has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen<S> {
    /// The server.
    pub server: S,
    /// Whether this is the one trial of a server that was down; its end must be reported, whatever it is.
    pub is_probe: bool,
}

/// All servers that could be asked are being left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Down {
    /// When the first of them may be tried.
    pub retry_at: Instant,
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no server to ask before the next trial")
    }
}

impl error::Error for Down {}

/// Finds the first of `servers` that may be asked now; `ask` gives the [`verdict`](ServerHealth::ask) on each.
///
/// The list of servers is the policy. With the primary alone, a key whose server is down fails, and no key moves. With
/// all of [`Placement::order`](crate::Placement::order), the policy is the peer's own fallback. A gutter behind them,
/// the primary of a second placement over spare servers, is asked when no other server is left.
///
/// ```
/// use core::time::Duration;
/// use memring_core::health::{self, Chosen, Down, HealthPolicy, Instant, ServerHealth};
///
/// let policy = HealthPolicy { failures: 1, ..HealthPolicy::DEFAULT };
/// let mut fleet = [ServerHealth::default(); 3];
/// let now = Instant::from_millis(0);
/// fleet[2].failed(now, 0, &policy);
///
/// // The primary alone, and with the one that the peer asks next.
/// let mut ask = |server: &usize| fleet[*server].ask(now, &policy);
/// assert_eq!(health::choose([2], &mut ask), Err(Down { retry_at: Instant::from_millis(100) }));
/// assert_eq!(health::choose([2, 0], &mut ask), Ok(Chosen { server: 0, is_probe: false }));
///
/// // One caller may try a server that was left alone for long enough, and reports what came of it.
/// let later = now.plus(Duration::from_secs(1));
/// let mut ask = |server: &usize| fleet[*server].ask(later, &policy);
/// assert_eq!(health::choose([2], &mut ask), Ok(Chosen { server: 2, is_probe: true }));
/// assert!(health::choose([2], &mut ask).is_err());
/// fleet[2].succeeded();
/// assert!(!fleet[2].is_down());
/// ```
///
/// # Errors
/// [`Down`] when all of them are left alone, with the earliest moment to try one.
pub fn choose<S>(
    servers: impl IntoIterator<Item = S>,
    mut ask: impl FnMut(&S) -> Verdict,
) -> Result<Chosen<S>, Down> {
    let mut down = Down { retry_at: Instant::from_millis(u64::MAX) };
    for server in servers {
        match ask(&server) {
            Verdict::Up => return Ok(Chosen { server, is_probe: false }),
            Verdict::Probe => return Ok(Chosen { server, is_probe: true }),
            Verdict::Down { retry_at } => down.retry_at = down.retry_at.min(retry_at),
        }
    }
    Err(down)
}

impl HealthPolicy {
    /// The wait before trial number `waits`, somewhere between the first wait and that doubled each time.
    fn wait(&self, waits: u32, jitter: u32) -> Duration {
        // In numbers: what a `Duration` has for this can panic, as far as a compiler sees.
        const NANOS_PER_MS: u64 = 1_000_000;
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let (min, max) = (nanos(self.min_wait), nanos(self.max_wait));
        let doublings = waits.saturating_sub(1).min(31);
        let most = min.saturating_mul(1 << doublings).min(max);
        let spread = most.saturating_sub(min) / NANOS_PER_MS;
        let part = ((u128::from(spread) * u128::from(jitter)) >> 32) as u64;
        Duration::from_nanos(min.min(max).saturating_add(part.saturating_mul(NANOS_PER_MS)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::vec::Vec;

    use super::*;

    const POLICY: HealthPolicy = HealthPolicy {
        failures: 3,
        window: Duration::from_secs(10),
        min_wait: Duration::from_millis(100),
        max_wait: Duration::from_secs(30),
    };

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn it_takes_three_failures_within_the_window() {
        let mut health = ServerHealth::default();
        health.failed(at(0), 0, &POLICY);
        health.failed(at(1), 0, &POLICY);
        assert_eq!(health.ask(at(2), &POLICY), Verdict::Up);
        health.failed(at(3), 0, &POLICY);
        assert_eq!(health.ask(at(4), &POLICY), Verdict::Down { retry_at: at(103) });
    }

    #[test]
    fn late_news_of_a_failure_does_not_make_the_wait_longer() {
        let mut health = ServerHealth::default();
        for _ in 0..60 {
            health.failed(at(0), 0, &POLICY);
        }
        assert_eq!(health.ask(at(4), &POLICY), Verdict::Down { retry_at: at(100) });
        assert_eq!(health.ask(at(100), &POLICY), Verdict::Probe);
        health.failed(at(200), u32::MAX, &POLICY);
        assert_eq!(health.ask(at(201), &POLICY), Verdict::Down { retry_at: at(399) });
    }

    #[test]
    fn failures_days_apart_do_not_add_up() {
        let mut health = ServerHealth::default();
        for day in 0..5 {
            health.failed(at(day * 86_400_000), 0, &POLICY);
            assert_eq!(health.ask(at(day * 86_400_000), &POLICY), Verdict::Up);
        }
    }

    #[test]
    fn a_success_forgets_everything() {
        let mut health = ServerHealth::default();
        for _ in 0..2 {
            health.failed(at(0), 0, &POLICY);
            health.failed(at(0), 0, &POLICY);
            health.succeeded();
        }
        assert_eq!(health, ServerHealth::default());
    }

    #[test]
    fn a_probe_that_is_never_reported_does_not_lock_the_server_out() {
        let mut health = ServerHealth::default();
        for _ in 0..3 {
            health.failed(at(0), 0, &POLICY);
        }
        assert_eq!(health.ask(at(100), &POLICY), Verdict::Probe);
        assert_eq!(health.ask(at(101), &POLICY), Verdict::Down { retry_at: at(201) });
        assert_eq!(health.ask(at(30_099), &POLICY), Verdict::Down { retry_at: at(30_100) });
        assert_eq!(health.ask(at(30_100), &POLICY), Verdict::Probe);
    }

    #[test]
    fn after_a_probe_that_was_given_up_the_next_caller_may_try() {
        let mut health = ServerHealth::default();
        for _ in 0..3 {
            health.failed(at(0), 0, &POLICY);
        }
        health.unlearned(at(50));
        assert_eq!(health.ask(at(99), &POLICY), Verdict::Down { retry_at: at(100) });
        assert_eq!(health.ask(at(100), &POLICY), Verdict::Probe);
        health.unlearned(at(120));
        assert_eq!(health.ask(at(120), &POLICY), Verdict::Probe);
        health.succeeded();
        assert_eq!(health.ask(at(120), &POLICY), Verdict::Up);
    }

    #[test]
    fn all_who_lose_one_connection_are_one_failure() {
        let mut health = ServerHealth::default();
        for _ in 0..100 {
            assert_eq!(health.lost(at(3), at(5), 0, &POLICY), None);
        }
        assert_eq!((health.failures(), health.is_down()), (1, false));
        for ms in [6, 7] {
            health.lost(at(ms), at(ms), 0, &POLICY);
        }
        assert!(health.is_down());
        assert!(health.succeeded() && !health.is_noted());
    }

    #[test]
    fn the_trials_of_a_hundred_clients_spread_over_most_of_the_wait() {
        // The golden ratio's multiples: as even as dice may be, and the same each time.
        let jitters = (0..100_u32).map(|client| client.wrapping_mul(2_654_435_769));
        for trials in 2..12 {
            let mut retries: Vec<_> = jitters.clone().map(|jitter| POLICY.wait(trials, jitter)).collect();
            retries.sort();
            let most = POLICY.min_wait.saturating_mul(1 << (trials - 1)).min(POLICY.max_wait);
            let spread = retries[99] - retries[0];
            // At the second trial, the shortest wait is half of the longest.
            let share = if trials == 2 { 0.45 } else { 0.5 };
            assert!(spread >= most.mul_f64(share), "{spread:?} of {most:?}");
            let crowd =
                |from: &Duration| retries.iter().filter(|at| *at >= from && **at < *from + most / 10).count();
            assert!(retries.iter().all(|from| crowd(from) <= 25), "no tenth of it has a quarter of them");
        }
    }

    proptest! {
        #[test]
        fn waits_grow_within_their_bounds(jitter in any::<u32>(), trials in 1..40_u32) {
            let wait = POLICY.wait(trials, jitter);
            prop_assert!(wait >= POLICY.min_wait && wait <= POLICY.max_wait);
            prop_assert!(wait <= POLICY.min_wait * 2_u32.saturating_pow(trials - 1).min(1 << 20));
        }

        #[test]
        fn there_is_one_probe_at_a_time(asks in prop::collection::vec(0..1000_u64, 1..50)) {
            let mut health = ServerHealth::default();
            for _ in 0..3 {
                health.failed(at(0), 0, &POLICY);
            }
            let mut now = 0;
            let mut probes = 0;
            for ask in asks {
                now += ask;
                probes += usize::from(health.ask(at(now), &POLICY) == Verdict::Probe);
            }
            prop_assert!(probes <= 1 + now as usize / 30_000);
        }
    }
}
