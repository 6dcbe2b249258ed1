//! How fresh a value must be: what callers say.

use core::{error, fmt, time::Duration};

use memring_text::{
    Ttl,
    ttl::{MAX_RELATIVE_SECONDS, UnixTime},
};

use super::Times;
use crate::failure::Cause;

/// How long a value of `fetch` is good, and how long callers put up with an old one or wait for each other.
///
/// A time to live is enough; the rest has defaults that suit a web page. Programs that share keys must agree on
/// [`stale_for`](Self::stale_for) and [`lease`](Self::lease): each judges an item by its own. Fractions of a second are
/// rounded up.
///
/// ```
/// use core::time::Duration;
/// use memring_client::fetch::Freshness;
///
/// let hour = Duration::from_secs(3600);
/// let page = Freshness::new(hour).stale_for(Duration::from_secs(300)).wait(Duration::from_secs(1));
/// assert_eq!(Freshness::from(hour), Freshness::new(hour));
/// # let _ = page;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Freshness {
    ttl: Ttl,
    refresh_before: Option<Duration>,
    stale_for: Option<Duration>,
    lease: Duration,
    wait: Duration,
    negative_ttl: Option<Duration>,
    errors_first: bool,
}

impl Freshness {
    /// A value is fresh for `ttl`, counted from when it is stored. Any length will do; with [`Ttl::NEVER`], a value is
    /// fresh until somebody `invalidate`s, replaces or deletes it, or the server evicts it.
    pub fn new(ttl: impl Into<Ttl>) -> Self {
        Self {
            ttl: ttl.into(),
            refresh_before: None,
            stale_for: None,
            lease: LEASE,
            wait: WAIT,
            negative_ttl: None,
            errors_first: false,
        }
    }

    /// How long before the end of its time one caller loads the value anew, while all others still get the one that is
    /// there, which is fresh. So nobody ever waits for a key that is asked for all the time.
    ///
    /// Default: a tenth of the time to live, at most 30 s, and nothing below ten seconds. A tenth costs at most eleven
    /// percent more loads. More than half of the time to live is cut to that.
    pub const fn refresh_before(mut self, time: Duration) -> Self {
        self.refresh_before = Some(time);
        self
    }

    /// How long after the end of its time, or after `invalidate`, a value may still be handed out while somebody loads
    /// another one, or when the loader fails. Zero means never: then callers wait.
    ///
    /// Default: the time to live, at most 60 s. Items stay on the server for as long beyond their time to live.
    /// `invalidate` counts from the first of several calls: repeating it prolongs nothing.
    pub const fn stale_for(mut self, time: Duration) -> Self {
        self.stale_for = Some(time);
        self
    }

    /// How long a caller may take to load a value before the server lets another one try.
    ///
    /// Default: 10 s, which is longer than nearly every loader takes; the least is 1 s, the most 300 s. When it is too
    /// short, two callers load at the same time, and what the later one stores is kept. When it is too long, a process
    /// that dies while it loads keeps the others from loading for so long; those that have no value compute one for
    /// themselves after [`wait`](Self::wait).
    pub const fn lease(mut self, time: Duration) -> Self {
        self.lease = time;
        self
    }

    /// How long a caller that has no value at all waits for the one that loads it, in whatever process that is. After
    /// that it runs its own loader, and stores nothing.
    ///
    /// Default: 3 s; at most the [`lease`](Self::lease). A page waits once, then it computes for itself.
    pub const fn wait(mut self, time: Duration) -> Self {
        self.wait = time;
        self
    }

    /// How long `None` from the loader is kept, "there is no such thing". Zero means that it is not stored.
    ///
    /// Default: the time to live, at most 10 s: what is not there may be made at any moment.
    pub const fn negative_ttl(mut self, time: Duration) -> Self {
        self.negative_ttl = Some(time);
        self
    }

    /// A caller whose loader fails gets the loader's error, even if there is a stale value to be had. Without this, it
    /// gets the value, and the observer is told of the failure.
    pub const fn errors_first(mut self) -> Self {
        self.errors_first = true;
        self
    }

    /// How long a caller waits for others, at most.
    pub(crate) fn longest_wait(&self) -> Duration {
        self.wait.min(Duration::from_secs(self.lease_seconds()))
    }

    fn lease_seconds(&self) -> u64 {
        seconds(self.lease).clamp(1, MAX_LEASE)
    }

    /// What follows for a call at `now`.
    ///
    /// # Errors
    /// The time to live is zero, or the times are too long for the wire.
    pub fn times(&self, now: UnixTime) -> Result<Times, Cause> {
        self.times_by(|| now)
    }

    /// As [`times`](Self::times), for callers whose clock costs something: few times depend on it.
    pub(crate) fn times_by(&self, now: impl Fn() -> UnixTime) -> Result<Times, Cause> {
        let ttl = seconds_by(self.ttl, now)?;
        let short = |most: Duration| ttl.unwrap_or(u64::MAX).min(seconds(most));
        let tenth = ttl.map_or(seconds(REFRESH), |ttl| (ttl / 10).min(seconds(REFRESH)));
        let half = ttl.map_or(u64::MAX, |ttl| ttl / 2);
        let refresh_before = self.refresh_before.map_or(tenth, seconds).min(half);
        let stale_for = self.stale_for.map_or_else(|| short(STALE), seconds);
        let lease = self.lease_seconds();
        let longest = refresh_before.saturating_add(stale_for).saturating_add(lease).saturating_add(2);
        if longest > u64::from(MAX_RELATIVE_SECONDS) {
            return Err(Cause::config(TooLong));
        }
        Ok(Times {
            ttl,
            refresh_before,
            stale_for,
            grace: lease + 1,
            lease: Duration::from_secs(lease),
            negative_ttl: self.negative_ttl.map_or_else(|| short(NEGATIVE), seconds),
            errors_first: self.errors_first,
        })
    }
}

impl<T: Into<Ttl>> From<T> for Freshness {
    /// As [`Freshness::new`].
    fn from(ttl: T) -> Self {
        Self::new(ttl)
    }
}

/// Facebook's number. Source: Nishtala and others, "Scaling Memcache at Facebook", NSDI 2013.
const LEASE: Duration = Duration::from_secs(10);
const MAX_LEASE: u64 = 300;
const WAIT: Duration = Duration::from_secs(3);
const REFRESH: Duration = Duration::from_secs(30);
const STALE: Duration = Duration::from_secs(60);
const NEGATIVE: Duration = Duration::from_secs(10);

/// Whole seconds, rounded up.
pub(super) const fn seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add((time.subsec_nanos() > 0) as u64)
}

/// The seconds that an item with `ttl` lives if it is stored at `now`; `None` is for ever.
pub(super) fn seconds_of(ttl: Ttl, now: UnixTime) -> Result<Option<u64>, Cause> {
    seconds_by(ttl, || now)
}

fn seconds_by(ttl: Ttl, now: impl Fn() -> UnixTime) -> Result<Option<u64>, Cause> {
    let exptime = ttl.exptime_by(&now).map_err(Cause::Ttl)?;
    Ok(match u32::try_from(exptime) {
        Ok(0) => None,
        Ok(seconds @ ..=MAX_RELATIVE_SECONDS) => Some(u64::from(seconds)),
        Ok(moment) => Some(u64::from(moment).saturating_sub(now().as_secs())),
        Err(_) => Some(0),
    })
}

/// `refresh_before`, `stale_for` and `lease` do not fit into the 30 days that the protocol has for them.
#[derive(Clone, Copy, Debug)]
struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refresh_before, stale_for and lease are more than 30 days together")
    }
}

impl error::Error for TooLong {}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn times(freshness: impl Into<Freshness>) -> Times {
        freshness.into().times(NOW).unwrap()
    }

    #[test]
    fn defaults_follow_from_the_time_to_live() {
        let told = |ttl: u64| {
            let times = times(Duration::from_secs(ttl));
            (times.refresh_before, times.stale_for, times.negative_ttl)
        };
        assert_eq!(told(5), (0, 5, 5));
        assert_eq!(told(100), (10, 60, 10));
        assert_eq!(told(86_400), (30, 60, 10));
        let never = times(Ttl::NEVER);
        assert_eq!((never.ttl, never.refresh_before, never.stale_for), (None, 30, 60));
    }

    #[test]
    fn times_are_rounded_up_and_kept_in_their_bounds() {
        let odd = Freshness::new(Duration::from_millis(1500)).lease(Duration::ZERO).wait(Duration::MAX);
        assert_eq!((times(odd).ttl, times(odd).grace), (Some(2), 2));
        assert_eq!(odd.longest_wait(), Duration::from_secs(1));
        let eager = Freshness::new(Ttl::seconds(10)).refresh_before(Duration::from_secs(99));
        assert_eq!(times(eager).refresh_before, 5);
        assert_eq!(times(Freshness::new(Ttl::seconds(10)).lease(Duration::MAX)).grace, 301);
        let days = Freshness::new(Ttl::seconds(86_400 * 40));
        assert_eq!(times(days).ttl, Some(86_400 * 40));
        assert!(days.stale_for(Duration::from_secs(86_400 * 31)).times(NOW).is_err());
        assert!(Freshness::new(Duration::ZERO).times(NOW).is_err());
    }

    #[test]
    fn what_a_value_outlives_itself_by_is_at_most_thirty_days() {
        let thirty_days = Duration::from_secs(86_400 * 30);
        // Nothing is loaded early, the shortest lease is a second, and two more are for rounding.
        let outlived = |stale: Duration| {
            let short =
                Freshness::new(Ttl::seconds(100)).refresh_before(Duration::ZERO).lease(Duration::ZERO);
            short.stale_for(stale).times(NOW)
        };
        assert!(outlived(thirty_days - Duration::from_secs(3)).is_ok());
        assert!(outlived(thirty_days - Duration::from_secs(2)).is_err());
    }
}
