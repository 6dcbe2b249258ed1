//! Time as memcached reckons it.

use crate::ttl::{MAX_RELATIVE_SECONDS, UnixTime};

/// The present second, of a server that has been up since `started`; both in Unix seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) started: u64,
    pub(super) now: u64,
}

impl Clock {
    /// How long before its start memcached's own count of seconds begins.
    ///
    /// Source: memcached 1.6.18 `memcached.c`, `process_started`.
    const LEAD: u64 = 62;

    pub(super) const fn new(started: u64, now: UnixTime) -> Self {
        Self { started, now: now.as_secs() }
    }

    /// The end that an exptime means, in Unix seconds; 0 is never.
    pub(super) fn expires_at(self, exptime: i32) -> u64 {
        match u32::try_from(exptime) {
            Ok(0) => 0,
            Ok(seconds) if seconds <= MAX_RELATIVE_SECONDS => self.now.saturating_add(u64::from(seconds)),
            Ok(moment) => u64::from(moment).max(self.long_past()),
            Err(_) => self.long_past(),
        }
    }

    /// The end of whatever ended before the server started, which clients see as a time to live below zero.
    pub(super) const fn long_past(self) -> u64 {
        self.started.saturating_sub(Self::LEAD).saturating_add(1)
    }
}
