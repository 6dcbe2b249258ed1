//! Random numbers for delays.

use core::time::Duration;

/// A generator of random numbers. Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014),
/// SplitMix.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The delay after `count` others: `first` × 1.6^`count`, at most `longest`, of which a random half to all.
    pub(super) fn jitter(&mut self, first: Duration, longest: Duration, count: u32) -> Duration {
        let grown = first.as_secs_f64() * 1.6_f64.powi(i32::try_from(count.min(64)).unwrap_or(64));
        let part = 0.5 + (self.next() >> 11) as f64 / (1_u64 << 54) as f64;
        Duration::from_secs_f64(grown.min(longest.as_secs_f64()) * part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_longest_and_are_never_less_than_half() {
        let mut random = Random::new(7);
        let ms = Duration::from_millis;
        for (count, whole) in [(0, ms(10)), (1, ms(16)), (20, ms(250)), (u32::MAX, ms(250))] {
            for _ in 0..100 {
                let delay = random.jitter(ms(10), ms(250), count);
                assert!(whole / 2 <= delay && delay <= whole, "{count}: {delay:?}");
            }
        }
    }
}
