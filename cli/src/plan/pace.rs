//! The pace of a change: how many misses a step makes, how fast they go back, and how long to wait before the next.
//!
//! The model: every item is asked for equally often, at times that do not depend on each other, and lives for the same time
//! from when it is stored. Then a hit ratio h at a time to live T means that an item is asked for r = h / ((1 - h) · T) times a
//! second. Of the items that a step moves, the share e^(-rt) is still missing after the time t, because nobody has asked for it.

use core::time::Duration;

use crate::failure::Failure;

/// What the servers bear: the requests, and how many of them may be misses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Requests a second.
    pub(super) rate: f64,
    /// The share of them that are hits, at rest.
    pub(super) hit_ratio: f64,
    /// How long an item lives, in seconds.
    pub(super) ttl: f64,
    /// The most misses a second.
    pub(super) max_misses: f64,
}

impl Load {
    /// The load of command line arguments.
    pub(super) fn new(rate: f64, hit_ratio: f64, ttl: Duration, max_misses: f64) -> Result<Self, Failure> {
        let load = Self { rate, hit_ratio, ttl: ttl.as_secs_f64(), max_misses };
        if !(rate.is_finite() && rate > 0.0) {
            return Err(Failure::usage(format_args!(
                "--rate {rate}: requests a second are more than none, such as 20000"
            )));
        }
        if !(hit_ratio > 0.0 && hit_ratio < 1.0) {
            return Err(Failure::usage(format_args!(
                "--hit-ratio {hit_ratio}: a hit ratio is between 0 and 1, such as 0.95"
            )));
        }
        if ttl.is_zero() {
            return Err(Failure::usage(
                "--ttl 0s: an item that does not live is never hit; write the usual time to live",
            ));
        }
        // The last bits of a product are not the caller's.
        if !(max_misses.is_finite() && max_misses > load.at_rest() * (1.0 + 1e-9)) {
            return Err(Failure::usage(format_args!(
                "--max-misses {max_misses}: {:.0} misses a second are there at rest, so that nothing could ever move; write more",
                load.at_rest()
            )));
        }
        Ok(load)
    }

    /// Misses a second when nothing moves.
    pub(super) fn at_rest(&self) -> f64 {
        self.rate * (1.0 - self.hit_ratio)
    }

    /// Misses a second when the share `missing` of the items is not where it is looked for.
    pub(super) fn misses(&self, missing: f64) -> f64 {
        self.at_rest() + self.rate * self.hit_ratio * missing
    }

    /// The share of the keys that may move at once, from rest.
    pub(super) fn at_once(&self) -> f64 {
        ((self.max_misses - self.at_rest()) / (self.rate * self.hit_ratio)).min(1.0)
    }

    /// How often an item is asked for in a second.
    pub(super) fn asked(&self) -> f64 {
        self.hit_ratio / ((1.0 - self.hit_ratio) * self.ttl)
    }

    /// How many items are stored: as many as are stored anew in the time that each lives.
    pub(super) fn items(&self) -> f64 {
        self.at_rest() * self.ttl
    }
}

/// The steps of a change, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    load: Load,
    /// The longest wait before a step, in seconds.
    longest_pause: f64,
    /// The share of the items that is missing right after the last step.
    missing: f64,
}

/// When a step is made, and what it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Paced {
    /// How long to wait before it, in seconds.
    pub(super) pause: f64,
    /// Misses a second right after it.
    pub(super) misses: f64,
}

impl Pace {
    /// Begins at rest.
    pub(super) const fn new(load: Load, longest_pause: f64) -> Self {
        Self { load, longest_pause, missing: 0.0 }
    }

    /// In how many equal parts a step must be made that moves the share `moved`, so that no wait is too long.
    pub(super) fn parts(&self, moved: f64) -> f64 {
        if self.pause(moved).is_some_and(|pause| pause <= self.longest_pause) {
            return 1.0;
        }
        let after_a_pause = -(-self.load.asked() * self.longest_pause).exp_m1();
        // No division of a share that just fits because of the last bit of a number.
        (moved / (self.load.at_once() * after_a_pause) - 1e-9).ceil().max(1.0)
    }

    /// Makes a step that moves the share `moved`, which fits.
    pub(super) fn step(&mut self, moved: f64) -> Paced {
        let pause = self.pause(moved).unwrap_or(self.longest_pause).min(self.longest_pause);
        // No more than everything is missing.
        self.missing = (self.missing * (-self.load.asked() * pause).exp() + moved).min(1.0);
        Paced { pause, misses: self.load.misses(self.missing) }
    }

    /// The shortest wait after which the share `moved` may move; none is long enough for more than may move at once.
    fn pause(&self, moved: f64) -> Option<f64> {
        let allowed = self.load.at_once() - moved;
        if self.missing <= allowed || self.load.at_once() >= 1.0 || moved <= 0.0 {
            return Some(0.0);
        }
        (allowed > 0.0).then(|| (self.missing / allowed).ln() / self.load.asked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(max_misses: f64) -> Load {
        Load::new(20_000.0, 0.95, Duration::from_secs(3600), max_misses).unwrap()
    }

    fn is_near(left: f64, right: f64, by: f64) -> bool {
        (left - right).abs() < by
    }

    /// Makes a change of one share, and returns its parts, its length and the most misses.
    fn change(load: Load, longest_pause: f64, moved: f64) -> (f64, f64, f64) {
        let mut pace = Pace::new(load, longest_pause);
        let parts = pace.parts(moved);
        let (mut length, mut most, mut part) = (0.0, 0.0_f64, 0.0);
        while part < parts {
            let step = pace.step(moved / parts);
            length += step.pause;
            most = most.max(step.misses);
            part += 1.0;
        }
        (parts, length, most)
    }

    #[test]
    fn a_quarter_that_moves_at_once_makes_5750_misses_of_1000() {
        let load = load(2_000.0);
        assert!(is_near(load.at_rest(), 1_000.0, 1e-6) && is_near(load.misses(0.25), 5_750.0, 1e-6));
        assert!(is_near(load.asked(), 0.00528, 1e-5) && is_near(load.items(), 3.6e6, 1.0));
        assert!(is_near(load.at_once(), 0.0526, 1e-4));
    }

    #[test]
    fn a_change_is_made_in_parts_that_stay_under_the_limit() {
        for (pause, parts, length) in [(190.0, 8.0, 7.0 * 190.0), (600.0, 5.0, 4.0 * 600.0)] {
            let made = change(load(2_000.0), pause, 0.25);
            assert_eq!(made.0, parts, "{made:?}");
            assert!(made.1 <= length && made.2 <= 2_000.0 + 1e-6, "{made:?}");
            // It is not slower than it must be, either.
            assert!(made.2 > 1_900.0, "{made:?}");
        }
    }

    #[test]
    fn no_step_ever_makes_more_misses_than_allowed() {
        for moved in [0.0, 1e-6, 0.01, 0.05, 0.0526, 0.2, 0.7, 1.0] {
            for max in [1_000.1, 1_050.0, 3_000.0, 19_000.0, 20_000.0, 1e9] {
                for pause in [1.0, 60.0, 86_400.0] {
                    let load = load(max);
                    let mut pace = Pace::new(load, pause);
                    for _ in 0..3 {
                        let parts = pace.parts(moved);
                        let step = pace.step(moved / parts);
                        assert!(
                            step.misses <= max * (1.0 + 1e-9) || max > 20_000.0,
                            "{moved} {max} {pause}: {step:?}"
                        );
                        assert!((0.0..=pause).contains(&step.pause));
                    }
                }
            }
        }
    }

    #[test]
    fn what_may_all_be_missed_is_not_waited_for() {
        assert_eq!(change(load(20_000.0), 60.0, 1.0), (1.0, 0.0, 20_000.0));
    }

    #[test]
    fn nonsense_is_refused() {
        let with = |rate, ratio, ttl, most| Load::new(rate, ratio, Duration::from_secs(ttl), most).is_err();
        assert!(with(0.0, 0.9, 1, 1.0) && with(f64::NAN, 0.9, 1, 1.0) && with(f64::INFINITY, 0.9, 1, 1.0));
        assert!(with(1.0, 0.0, 1, 1.0) && with(1.0, 1.0, 1, 1.0) && with(1.0, f64::NAN, 1, 1.0));
        assert!(with(1.0, 0.5, 0, 1.0));
        assert!(with(100.0, 0.9, 1, 10.0) && with(100.0, 0.9, 1, f64::NAN));
        assert!(!with(100.0, 0.9, 1, 11.0));
    }
}
