//! Until when something may take.

use core::time::Duration;
use std::time::Instant;

/// The moment at which an operation is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    began: Instant,
    /// Until when hardly any of the time has passed.
    soon: Instant,
    at: Instant,
    timeout: Duration,
    overtime: Duration,
}

impl Deadline {
    /// `timeout` from now.
    pub(crate) fn after(timeout: Duration) -> Self {
        let began = Instant::now();
        // A timeout beyond what the clock can say stands for "as long as it takes".
        let after = |time| began.checked_add(time).unwrap_or_else(|| began + FAR);
        Self {
            began,
            soon: after(timeout / HARDLY_ANY),
            at: after(timeout),
            timeout,
            overtime: Duration::ZERO,
        }
    }

    /// The same deadline, but what has arrived by then may still be read for `overtime`.
    ///
    /// Whoever is kept from reading in time, by a machine that is busy, finds the replies there, unread, when the time is
    /// over.
    pub(crate) const fn with_overtime(self, overtime: Duration) -> Self {
        Self { overtime, ..self }
    }

    /// The earlier of this deadline and `timeout` from now.
    pub(crate) fn within(self, timeout: Duration) -> Self {
        let at = Self::after(timeout).at.min(self.at);
        Self { at, soon: self.began, ..self }
    }

    /// A deadline with this beginning that waits for nothing.
    pub(crate) const fn at_once(self) -> Self {
        Self { at: self.began, soon: self.began, overtime: Duration::ZERO, ..self }
    }

    /// How long an operation with this deadline may take from its beginning to its end.
    #[inline]
    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// When the time began to run.
    pub(crate) const fn began(self) -> Instant {
        self.began
    }

    /// Whether hardly any of the time has passed, so that a caller that waits for all of it from now on waits no
    /// noticeable time too long. Costs less than [`left`](Self::left).
    #[inline]
    pub(crate) fn has_just_begun(&self) -> bool {
        Instant::now() < self.soon
    }

    /// Whether half of the time is over, or more.
    pub(crate) fn is_half_over(&self) -> bool {
        self.began.elapsed() >= self.timeout / 2
    }

    /// The time left; zero when it is over.
    pub(crate) fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The time left to wait for bytes: zero when only what has arrived may be read, `None` when not even that.
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

/// What part of the time is not worth a system call.
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
