//! Times to live: the caller's type, and the number on the wire.

use core::{fmt, time::Duration};

/// The longest time that the wire has in relative seconds: 30 days. A larger number is read as a Unix time.
///
/// Source: memcached `doc/protocol.txt`, section "Expiration times".
pub const MAX_RELATIVE_SECONDS: u32 = 60 * 60 * 24 * 30;

/// The number on the wire for "already expired".
const EXPIRED: i32 = -1;

/// A moment of the wall clock, in milliseconds since 1970. The crate has no clock: callers pass theirs in.
///
/// Not to be confused with the `Instant` of `memring-core`, which counts from any moment and never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The moment `seconds` after the start of 1970 (capped at the end of `u64` milliseconds).
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The moment `milliseconds` after the start of 1970.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    /// Whole seconds since the start of 1970, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// Milliseconds since the start of 1970.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the start of 1970, rounded up.
    const fn as_secs_ceil(self) -> u64 {
        self.0.div_ceil(1000)
    }
}

#[cfg(feature = "std")]
impl From<std::time::SystemTime> for UnixTime {
    /// Times before 1970 become its start.
    fn from(time: std::time::SystemTime) -> Self {
        let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// How long an item is to live.
///
/// On the wire, a time to live is one signed number with four meanings: 0 is for ever, a negative number is expired, up
/// to 30 days is relative, and above that is a Unix time. A `Ttl` cannot be misread: no length of time means "for ever"
/// by accident, and a length above 30 days becomes the right Unix time.
///
/// The server counts whole seconds of its own clock, so an item can end up to a second early: a `Ttl` of one second may
/// be over at once. Use two seconds where an item must live for one.
///
/// A time to live of zero is an error when it is sent. Use [`Ttl::NEVER`] where another client's 0 meant "for ever";
/// delete an item to get rid of it.
///
/// ```
/// use core::time::Duration;
/// use memring_text::{Ttl, ttl::{UnixTime, ZeroTtl}};
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// assert_eq!(Ttl::NEVER.exptime(now)?, 0);
/// assert_eq!(Ttl::seconds(60).exptime(now)?, 60);
/// assert_eq!(Ttl::after(Duration::from_millis(1500)).exptime(now)?, 2);
/// let forty_days = Duration::from_secs(40 * 24 * 60 * 60);
/// assert_eq!(Ttl::after(forty_days).exptime(now)?, 1_703_456_000);
/// assert_eq!(Ttl::after(Duration::ZERO).exptime(now), Err(ZeroTtl));
/// # Ok::<(), ZeroTtl>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Ttl(Kind);

#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
enum Kind {
    #[default]
    Never,
    After(Duration),
    At(UnixTime),
}

impl Ttl {
    /// The item stays until it is evicted.
    pub const NEVER: Self = Self(Kind::Never);

    /// The item lives for `time`, rounded up to whole seconds.
    #[must_use]
    pub const fn after(time: Duration) -> Self {
        Self(Kind::After(time))
    }

    /// The item lives for `seconds`.
    #[must_use]
    pub const fn seconds(seconds: u32) -> Self {
        Self::after(Duration::from_secs(seconds as u64))
    }

    /// The item lives until `moment`, rounded up to a whole second. If `moment` has passed, the item expires at once.
    #[must_use]
    pub const fn at(moment: UnixTime) -> Self {
        Self(Kind::At(moment))
    }

    /// The number on the wire for a request that is sent at `now`.
    ///
    /// The wire cannot express times after 2³¹ − 1 seconds (January 2038). A later end is shortened to that moment or,
    /// if that is less than 30 days away, to 30 days from now.
    ///
    /// # Errors
    /// [`ZeroTtl`] for a time to live of zero, which would mean "for ever" on the wire.
    pub fn exptime(self, now: UnixTime) -> Result<i32, ZeroTtl> {
        self.exptime_by(|| now)
    }

    /// The number on the wire, for callers whose clock costs something: `now` is called only if the number depends on
    /// it.
    ///
    /// ```
    /// # use memring_text::{Ttl, ttl::UnixTime};
    /// assert_eq!(Ttl::NEVER.exptime_by(|| unreachable!()), Ok(0));
    /// ```
    ///
    /// # Errors
    /// As of [`exptime`](Self::exptime).
    #[inline]
    pub fn exptime_by(self, now: impl FnOnce() -> UnixTime) -> Result<i32, ZeroTtl> {
        match self.0 {
            Kind::Never => Ok(0),
            Kind::After(Duration::ZERO) => Err(ZeroTtl),
            _ => Ok(self.number(now)),
        }
    }

    /// Whether the time to live is zero, which is an error when it is sent.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        matches!(self.0, Kind::After(time) if time.is_zero())
    }

    /// The number on the wire; for a time to live of zero, the one for "already expired".
    #[inline(never)]
    fn number(self, now: impl FnOnce() -> UnixTime) -> i32 {
        match self.0 {
            Kind::Never => 0,
            Kind::After(Duration::ZERO) => EXPIRED,
            Kind::After(time) => {
                let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
                if seconds <= u64::from(MAX_RELATIVE_SECONDS) {
                    return i32::try_from(seconds).unwrap_or(i32::MAX);
                }
                let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                let millis = millis.saturating_add(u64::from(!time.subsec_nanos().is_multiple_of(1_000_000)));
                let now = now();
                absolute(UnixTime(now.0.saturating_add(millis)), now)
            }
            Kind::At(moment) => {
                let now = now();
                if moment <= now { EXPIRED } else { absolute(moment, now) }
            }
        }
    }

    /// Shortens `exptime`, a number on the wire: returns it or this time's own number, whichever ends first when it is
    /// sent at `now`. A cap of zero makes the item expire at once.
    ///
    /// ```
    /// use memring_text::{Ttl, ttl::UnixTime};
    ///
    /// let minute = Ttl::seconds(60);
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// assert_eq!(minute.cap(0, now), 60);
    /// assert_eq!(minute.cap(5, now), 5);
    /// assert_eq!(Ttl::NEVER.cap(5, now), 5);
    /// ```
    #[must_use]
    pub fn cap(self, exptime: i32, now: UnixTime) -> i32 {
        let own = self.number(|| now);
        if end(exptime, now) <= end(own, now) { exptime } else { own }
    }
}

impl fmt::Debug for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Never => f.write_str("Never"),
            // Not the standard one of a `Duration`: that can panic, as far as a compiler sees.
            Kind::After(time) => write!(f, "After({}.{:09} s)", time.as_secs(), time.subsec_nanos()),
            Kind::At(moment) => write!(f, "At({} ms)", moment.0),
        }
    }
}

/// As [`Ttl::after`].
impl From<Duration> for Ttl {
    fn from(time: Duration) -> Self {
        Self::after(time)
    }
}

/// The end, in seconds since 1970, of an item that is sent with `exptime` at `now`.
fn end(exptime: i32, now: UnixTime) -> u64 {
    match u32::try_from(exptime) {
        Ok(0) => u64::MAX,
        Ok(seconds @ ..=MAX_RELATIVE_SECONDS) => now.as_secs().saturating_add(u64::from(seconds)),
        Ok(moment) => u64::from(moment),
        Err(_) => 0,
    }
}

/// The number on the wire for `moment`, which is after `now`.
fn absolute(moment: UnixTime, now: UnixTime) -> i32 {
    let relative = MAX_RELATIVE_SECONDS as i32;
    match i32::try_from(moment.as_secs_ceil()) {
        // In January 1970 the number would read as relative; there is only `now` to measure from.
        Ok(seconds) if seconds <= relative => {
            let left = moment.0.saturating_sub(now.0).div_ceil(1000);
            i32::try_from(left).unwrap_or(relative).min(relative)
        }
        Ok(seconds) => seconds,
        Err(_) if now.as_secs() < (i32::MAX - relative) as u64 => i32::MAX,
        Err(_) => relative,
    }
}

/// A time to live is zero. Use [`Ttl::NEVER`] for "for ever"; delete an item to get rid of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZeroTtl;

impl fmt::Display for ZeroTtl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("time to live is zero")
    }
}

impl core::error::Error for ZeroTtl {}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_millis(1_700_000_000_400);

    fn after(time: Duration) -> i32 {
        Ttl::after(time).number(|| NOW)
    }

    #[test]
    fn rounds_up_so_that_nothing_dies_early() {
        assert_eq!(after(Duration::from_nanos(1)), 1);
        assert_eq!(after(Duration::from_secs(1)), 1);
        assert_eq!(after(Duration::from_millis(1001)), 2);
    }

    #[test]
    fn no_time_at_all_is_refused_and_never_for_ever() {
        for zero in [Ttl::seconds(0), Ttl::from(Duration::ZERO), Ttl::after(Duration::from_nanos(0))] {
            assert_eq!(zero.exptime(NOW), Err(ZeroTtl));
            assert_eq!((zero.cap(0, NOW), zero.cap(60, NOW)), (-1, -1));
        }
        for shortest in [Ttl::seconds(1), Ttl::after(Duration::from_nanos(1))] {
            assert_eq!(shortest.exptime(NOW), Ok(1));
        }
    }

    #[test]
    fn thirty_days_are_relative_and_a_moment_more_is_absolute() {
        let month = Duration::from_secs(u64::from(MAX_RELATIVE_SECONDS));
        assert_eq!(after(month), 2_592_000);
        assert_eq!(after(month - Duration::from_nanos(1)), 2_592_000);
        assert_eq!(after(month + Duration::from_nanos(1)), 1_702_592_001);
    }

    #[test]
    fn what_the_wire_cannot_say_is_shortened_and_never_negative() {
        assert_eq!(after(Duration::MAX), i32::MAX);
        let in_2040 = UnixTime::from_secs(2_208_988_800);
        let year = Ttl::after(Duration::from_secs(31_536_000));
        assert_eq!(year.exptime(in_2040), Ok(2_592_000));
        assert_eq!(Ttl::at(UnixTime::from_millis(u64::MAX)).exptime(in_2040), Ok(2_592_000));
    }

    #[test]
    fn a_moment_is_never_read_as_a_length() {
        assert_eq!(Ttl::at(UnixTime::from_secs(100)).exptime(NOW), Ok(-1));
        assert_eq!(Ttl::at(NOW).exptime(NOW), Ok(-1));
        assert_eq!(Ttl::at(UnixTime::from_millis(1_700_000_000_401)).exptime(NOW), Ok(1_700_000_001));
        assert_eq!(Ttl::at(UnixTime::from_secs(100)).exptime(UnixTime::from_secs(40)), Ok(60));
    }

    #[test]
    fn a_cap_shortens_what_lives_longer_and_nothing_else() {
        let (minute, months) =
            (Duration::from_secs(60), Duration::from_secs(2 * u64::from(MAX_RELATIVE_SECONDS)));
        let caps = [(Ttl::after(minute), 60), (Ttl::after(months), 1_705_184_001)];
        for (cap, own) in caps {
            for exptime in [-1, i32::MIN, 1, 59, 60, 1_600_000_000, 1_700_000_060] {
                assert_eq!(cap.cap(exptime, NOW), exptime);
            }
            for exptime in [0, i32::MAX] {
                assert_eq!(cap.cap(exptime, NOW), own);
            }
        }
        for exptime in [61, MAX_RELATIVE_SECONDS as i32, 1_700_000_061] {
            assert_eq!(Ttl::after(minute).cap(exptime, NOW), 60);
            assert_eq!(Ttl::NEVER.cap(exptime, NOW), exptime);
        }
    }
}
