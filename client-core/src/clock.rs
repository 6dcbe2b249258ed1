//! The clock of a client: this crate asks no other.

use core::time::Duration;
use std::{
    sync::OnceLock,
    time::{Instant, SystemTime},
};

use memring_core::health;
use memring_text::ttl::UnixTime;

/// What time it is, as the client says: by the system's clocks, or by that of a runtime whose tests may pause it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The clock that never runs backwards, for timeouts and the health of servers.
    pub monotonic: fn() -> Instant,
    /// The time of day, for times to live that the protocol writes as a date.
    pub wall: fn() -> SystemTime,
}

impl Clock {
    /// The system's clocks.
    pub const SYSTEM: Self = Self { monotonic: Instant::now, wall: SystemTime::now };

    /// The present.
    #[must_use]
    pub fn now(self) -> Instant {
        (self.monotonic)()
    }

    /// The present as a date.
    #[must_use]
    pub fn unix_time(self) -> UnixTime {
        UnixTime::from((self.wall)())
    }

    /// The present as the health of servers counts time.
    pub(crate) fn moment(self) -> health::Instant {
        moment(self.now())
    }
}

/// A moment as the health of servers counts time: from a year before this function was first called.
pub(crate) fn moment(at: Instant) -> health::Instant {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let first = *FIRST.get_or_init(|| at);
    let since = (at + YEAR).saturating_duration_since(first);
    health::Instant::from_millis(0).plus(since)
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
