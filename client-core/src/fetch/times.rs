//! Times in seconds, as they are sent, and what they say of an item that came back.

use core::time::Duration;

use memring_text::Ttl;

use super::Dialect;

/// What follows from a [`Freshness`](super::Freshness), in whole seconds.
///
/// Stored items outlive their values by a *grace*, a lease and a second more: a lease on an item ends with the item, so
/// the item must be there for longer than its value is handed out. An item in its grace has a token and no value, like
/// the placeholder of a missing item, which lives for a grace, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// `None` is for ever.
    pub(super) ttl: Option<u64>,
    pub(super) refresh_before: u64,
    pub(super) stale_for: u64,
    pub(super) grace: u64,
    pub(super) lease: Duration,
    pub(super) negative_ttl: u64,
    pub(super) errors_first: bool,
}

/// What an item is to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    /// Aged or invalidated, to be handed out while somebody loads.
    Stale,
    /// A placeholder, or a value that is handed out no more.
    Nothing,
}

impl Times {
    /// The longest time that a value is kept beyond its own.
    pub(super) const fn beyond(&self) -> u64 {
        self.stale_for.saturating_add(self.grace)
    }

    /// `R`: an item with less time left than this is to be loaded anew. It fires strictly below, hence the one.
    pub(super) fn recache(&self) -> i32 {
        wire(self.refresh_before.saturating_add(self.beyond()).saturating_add(1))
    }

    /// `N`: how long a placeholder lives. It must be more than the lease: a server may count a second too much.
    pub(super) fn vivify(&self) -> i32 {
        wire(self.grace)
    }

    /// How long an item is kept that has a value.
    pub(super) fn kept(&self) -> Ttl {
        self.ttl.map_or(Ttl::NEVER, |ttl| after(ttl.saturating_add(self.beyond())))
    }

    /// How long "nothing" is kept: to be loaded anew when its own time is over, which is when `R` fires.
    pub(super) fn kept_negative(&self) -> Ttl {
        after(self.negative_ttl.saturating_add(self.refresh_before).saturating_add(self.beyond()))
    }

    /// How long a value of a server without meta commands is kept: it has no grace.
    pub(super) fn kept_plainly(&self) -> Ttl {
        self.ttl.map_or(Ttl::NEVER, |ttl| after(ttl.max(1)))
    }

    /// How long an item is kept by a server that speaks `dialect`, whether it has a value or says "nothing".
    pub(super) fn kept_by(&self, dialect: Dialect, has_value: bool) -> Ttl {
        match (dialect, has_value) {
            (Dialect::Meta, true) => self.kept(),
            (Dialect::Meta, false) => self.kept_negative(),
            (Dialect::Classic, true) => self.kept_plainly(),
            (Dialect::Classic, false) => after(self.negative_ttl.max(1)),
        }
    }

    /// What an item is that has `left` seconds; -1 is for ever.
    pub(super) fn age(&self, left: i64, is_marked_stale: bool) -> Age {
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        if left <= self.grace {
            Age::Nothing
        } else if is_marked_stale || left <= self.beyond() {
            Age::Stale
        } else {
            Age::Fresh
        }
    }

    /// How long a value may still be handed out that has `left` seconds; -1 is for ever.
    pub(super) fn served_for(&self, left: i64) -> Duration {
        u64::try_from(left).map_or(Duration::MAX, |left| Duration::from_secs(left.saturating_sub(self.grace)))
    }

    /// The times on a server that stands in for another and keeps nothing for longer than `cap` seconds. Each of those
    /// by which an item is judged is cut to a quarter, so that an item which is cut is not old from the beginning.
    pub(super) fn capped(&self, cap: u64) -> Self {
        let quarter = cap / 4;
        let stale_for = self.stale_for.min(quarter);
        // A placeholder of zero seconds would be one for ever.
        let grace = self.grace.min(quarter).max(1);
        let most = cap.saturating_sub(stale_for).saturating_sub(grace).max(1);
        let ttl = Some(self.ttl.map_or(most, |ttl| ttl.min(most)));
        let refresh_before = self.refresh_before.min(quarter).min(most / 2);
        let negative_ttl = self.negative_ttl.min(most.saturating_sub(refresh_before));
        let lease = self.lease.min(Duration::from_secs(grace.saturating_sub(1).max(1)));
        Self { ttl, refresh_before, stale_for, grace, lease, negative_ttl, ..*self }
    }
}

/// As a number for the wire, which is relative: the sum of all of them is at most 30 days.
fn wire(seconds: u64) -> i32 {
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

pub(super) const fn after(seconds: u64) -> Ttl {
    Ttl::after(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use memring_text::ttl::UnixTime;

    use super::*;
    use crate::fetch::Freshness;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn times(ttl: Ttl) -> Times {
        Freshness::new(ttl).times(NOW).unwrap()
    }

    #[test]
    fn an_item_is_fresh_then_stale_then_nothing() {
        let times = times(Ttl::seconds(100));
        assert_eq!((times.vivify(), times.recache()), (11, 82));
        assert_eq!(times.kept().exptime(NOW), Ok(171));
        let ages = [171, 72, 71, 12, 11, 1, 0].map(|left| times.age(left, false));
        use Age::{Fresh, Nothing, Stale};
        assert_eq!(ages, [Fresh, Fresh, Stale, Stale, Nothing, Nothing, Nothing]);
        assert_eq!([-1, 171].map(|left| times.age(left, true)), [Stale, Stale]);
        assert_eq!(times.age(-1, false), Fresh);
    }

    #[test]
    fn nothing_is_loaded_anew_when_its_own_time_is_over_and_not_before() {
        let times = times(Ttl::seconds(3600));
        let kept = times.kept_negative().exptime(NOW).unwrap();
        assert_eq!(i64::from(kept - times.recache()), 10 - 1, "R fires strictly below");
    }

    #[test]
    fn what_a_stand_in_keeps_is_not_old_from_the_beginning() {
        let times = times(Ttl::seconds(3600)).capped(60);
        assert_eq!((times.stale_for, times.refresh_before, times.grace), (15, 15, 11));
        assert_eq!(times.kept().exptime(NOW), Ok(60));
        assert_eq!(times.age(60, false), Age::Fresh);
        assert!(times.recache() < 60);
        for cap in 0..200 {
            let times = times.capped(cap);
            let kept = times.kept().exptime(NOW).unwrap();
            assert!(times.vivify() > 0 && kept > times.vivify(), "{cap}: {times:?}");
            assert_eq!(times.capped(cap), times);
        }
    }
    #[test]
    fn a_server_without_meta_commands_keeps_no_grace() {
        let times = times(Ttl::seconds(100));
        let kept = |dialect, has_value| times.kept_by(dialect, has_value).exptime(NOW).unwrap();
        assert_eq!((kept(Dialect::Meta, true), kept(Dialect::Classic, true)), (171, 100));
        assert_eq!((kept(Dialect::Meta, false), kept(Dialect::Classic, false)), (91, 10));
    }
}
