//! Deadlines of operations.

use core::time::Duration;
use std::time::Instant;

/// The moment at which an operation is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    began: Instant,
    /// Until this time, hardly any of the timeout has passed.
    soon: Instant,
    at: Instant,
    timeout: Duration,
    overtime: Duration,
}

impl Deadline {
    /// The deadline `timeout` from now.
    pub(crate) fn after(timeout: Duration) -> Self {
        let began = Instant::now();
        // A timeout beyond the clock's range stands for "as long as it takes".
        let after = |time| began.checked_add(time).unwrap_or_else(|| began + FAR);
        Self {
            began,
            soon: after(timeout / HARDLY_ANY),
            at: after(timeout),
            timeout,
            overtime: Duration::ZERO,
        }
    }

    /// The deadline with `overtime`, in which bytes that have arrived by then may still be read.
    ///
    /// On a busy machine, a caller may find, when its time is over, replies that arrived in time and are unread.
    pub(crate) const fn with_overtime(self, overtime: Duration) -> Self {
        Self { overtime, ..self }
    }

    /// The earlier of this deadline and `timeout` from now.
    pub(crate) fn within(self, timeout: Duration) -> Self {
        let at = Self::after(timeout).at.min(self.at);
        Self { at, soon: self.began, ..self }
    }

    /// A deadline with the same beginning that is over at once.
    pub(crate) const fn at_once(self) -> Self {
        Self { at: self.began, soon: self.began, overtime: Duration::ZERO, ..self }
    }

    /// The whole time that an operation with this deadline may take.
    #[inline]
    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The beginning of the time.
    pub(crate) const fn began(self) -> Instant {
        self.began
    }

    /// Whether hardly any of the time has passed, so that waiting for all of it from now on is not noticeably too long.
    /// Costs less than [`left`](Self::left).
    #[inline]
    pub(crate) fn has_just_begun(&self) -> bool {
        Instant::now() < self.soon
    }

    /// Whether at least half of the time is over.
    pub(crate) fn is_half_over(&self) -> bool {
        self.began.elapsed() >= self.timeout / 2
    }

    /// The time left; zero when it is over.
    pub(crate) fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// How long to wait for bytes: zero when only bytes that have arrived may be read, `None` when no more may be read.
    pub(crate) fn patience(self) -> Option<Duration> {
        let now = Instant::now();
        let left = self.at.saturating_duration_since(now);
        let over = now.checked_duration_since(self.at).is_some_and(|over| over >= self.overtime);
        if over { None } else { Some(left) }
    }
}

impl memring_client::Deadline for Deadline {
    fn began(self) -> Instant {
        self.began
    }

    fn is_over(self) -> bool {
        self.left().is_zero()
    }
}

/// The part of the time that is not worth a system call: one in so many.
const HARDLY_ANY: u32 = 32;

/// A year.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_timeout_is_far_away() {
        assert!(Deadline::after(Duration::MAX).left() > FAR / 2);
    }

    #[test]
    fn within_never_extends() {
        let deadline = Deadline::after(Duration::ZERO);
        assert!(deadline.within(Duration::from_secs(9)).left().is_zero());
        assert_eq!(deadline.patience(), None);
        assert_eq!(deadline.with_overtime(Duration::from_secs(9)).patience(), Some(Duration::ZERO));
    }
}
