//! The clock of a client. This crate reads no other.

use core::time::Duration;
use std::{
    sync::OnceLock,
    time::{Instant, SystemTime},
};

use memring_core::health;
use memring_text::ttl::UnixTime;

/// The functions that tell the time: the system's clocks, or those of a runtime whose tests may pause time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The monotonic clock, for timeouts and the health of servers.
    pub monotonic: fn() -> Instant,
    /// The wall clock, for times to live that the protocol writes as a date.
    pub wall: fn() -> SystemTime,
}

impl Clock {
    /// The system's clocks.
    pub const SYSTEM: Self = Self { monotonic: Instant::now, wall: SystemTime::now };

    /// The time now.
    #[must_use]
    pub fn now(self) -> Instant {
        (self.monotonic)()
    }

    /// The date and time now.
    #[must_use]
    pub fn unix_time(self) -> UnixTime {
        UnixTime::from((self.wall)())
    }

    /// The time now, as the health of servers counts it.
    pub(crate) fn moment(self) -> health::Instant {
        moment(self.now())
    }
}

/// Converts a time to the health machine's count, which begins a year before this function was first called.
pub(crate) fn moment(at: Instant) -> health::Instant {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let first = *FIRST.get_or_init(|| at);
    let since = (at + YEAR).saturating_duration_since(first);
    health::Instant::from_millis(0).plus(since)
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
