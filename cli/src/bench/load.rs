//! What is asked: which keys, whether they are read or written, how long the values are, and when.

use core::{fmt::Write as _, ops::RangeInclusive, str::FromStr, time::Duration};
use std::time::Instant;

use memring_std::{Attributes, Ttl};
use rand::{Rng as _, SeedableRng as _, distr::Distribution as _, rngs::SmallRng};
use rand_distr::Zipf;

use super::{Args, Kind};
use crate::failure::Failure;

/// A load, as the arguments describe it.
pub(super) struct Load {
    keys: u64,
    zipf: Option<Zipf<f64>>,
    reads: u8,
    sizes: Sizes,
    pub(super) attributes: Attributes,
    rate: Option<u32>,
    duration: Duration,
    seed: u64,
    bytes: Vec<u8>,
}

/// The lengths of values, in bytes.
#[derive(Clone, Debug)]
pub(crate) struct Sizes(RangeInclusive<usize>);

impl FromStr for Sizes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const FORMAT: &str =
            "not a number of bytes up to 1048576, such as 100, or two of them, such as 100-2000";
        let (least, most) = text.split_once('-').unwrap_or((text, text));
        match (least.parse(), most.parse()) {
            (Ok(least), Ok(most)) if least <= most && most <= 1 << 20 => Ok(Self(least..=most)),
            _ => Err(FORMAT),
        }
    }
}

impl Load {
    pub(super) fn new(args: &Args) -> Result<Self, Failure> {
        let zipf = |exponent| {
            Zipf::new(args.keys as f64, exponent)
                .map_err(|error| Failure::usage(format_args!("--zipf {exponent}: {error}")))
        };
        if args.ttl.is_zero() {
            return Err(Failure::usage("time to live is zero"));
        }
        let mut bytes = vec![0; *args.size.0.end()];
        let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
        // Letters: a server that compresses would gain by zeros, and a terminal obeys no letter.
        let mut rng = SmallRng::seed_from_u64(seed);
        bytes.fill_with(|| rng.random_range(b'a'..=b'z'));
        Ok(Self {
            keys: args.keys,
            zipf: args.zipf.map(zipf).transpose()?,
            reads: args.reads,
            sizes: args.size.clone(),
            attributes: Attributes { flags: 0, ttl: Ttl::after(args.ttl) },
            rate: args.rate,
            duration: args.duration,
            seed,
            bytes,
        })
    }

    /// The operations of worker number `worker` of `workers`.
    pub(super) fn operations(&self, worker: u16, workers: u16) -> Operations<'_> {
        let rng = SmallRng::seed_from_u64(self.seed.wrapping_add(u64::from(worker)));
        Operations {
            load: self,
            rng,
            number: worker.into(),
            step: workers.into(),
            key: String::new(),
            value: &[],
        }
    }

    /// When an operation is to begin, counted from the beginning of all; `None` is at once.
    fn due(&self, number: u64) -> Option<Duration> {
        let rate = self.rate?;
        Some(Duration::from_secs_f64(number as f64 / f64::from(rate)))
    }

    /// The keys, all of them.
    pub(super) fn keys(&self) -> impl Iterator<Item = String> {
        (1..=self.keys).map(key)
    }

    /// A value of the greatest length.
    pub(super) fn value(&self) -> &[u8] {
        &self.bytes
    }
}

fn key(number: u64) -> String {
    format!("memring:bench:{number}")
}

/// One worker's operations, one after the other.
pub(super) struct Operations<'l> {
    load: &'l Load,
    rng: SmallRng,
    /// The number of the next operation among those of all workers.
    number: u64,
    step: u64,
    pub(super) key: String,
    pub(super) value: &'l [u8],
}

/// The next operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    pub(super) kind: Kind,
    /// When it is to begin; `None` is at once.
    pub(super) due: Option<Instant>,
}

impl Operations<'_> {
    /// Chooses the next operation, with its key and value; `None` if it would begin when time is up.
    pub(super) fn next(&mut self, begin: Instant) -> Option<Next> {
        let load = self.load;
        let due = load.due(self.number);
        if due.unwrap_or_else(|| begin.elapsed()) >= load.duration {
            return None;
        }
        self.number += self.step;
        let number = match &load.zipf {
            Some(zipf) => zipf.sample(&mut self.rng) as u64,
            None => self.rng.random_range(1..=load.keys),
        };
        self.key.clear();
        let _ = write!(self.key, "{}", key(number));
        let kind = if self.rng.random_range(0..100) < load.reads { Kind::Read } else { Kind::Write };
        if kind == Kind::Write {
            let len = self.rng.random_range(load.sizes.0.clone());
            self.value = load.bytes.get(..len).unwrap_or(&[]);
        }
        Some(Next { kind, due: due.map(|due| begin + due) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(rate: Option<u32>, zipf: Option<f64>) -> Load {
        Load {
            keys: 1000,
            zipf: zipf.map(|exponent| Zipf::new(1000.0, exponent).unwrap()),
            reads: 75,
            sizes: "10-20".parse().unwrap(),
            attributes: Ttl::NEVER.into(),
            rate,
            duration: Duration::from_secs(1),
            seed: 7,
            bytes: vec![b'x'; 20],
        }
    }

    #[test]
    fn workers_share_the_rate_and_no_operation_begins_late() {
        let (load, begin) = (load(Some(1000), None), Instant::now());
        let mut due = Vec::new();
        for worker in 0..3 {
            let mut operations = load.operations(worker, 3);
            while let Some(next) = operations.next(begin) {
                due.push(next.due.unwrap().duration_since(begin).as_micros());
            }
        }
        due.sort_unstable();
        assert_eq!(due.len(), 1000);
        assert!(due.iter().zip((0_u128..).step_by(1000)).all(|(due, even)| due.abs_diff(even) <= 1));
    }

    #[test]
    fn keys_mix_and_sizes_are_those_asked_for() {
        for (zipf, share_of_first) in [(None, 0.0..0.01), (Some(1.0), 0.1..0.17)] {
            let load = load(Some(10_000), zipf);
            let (mut operations, begin) = (load.operations(0, 1), Instant::now());
            let (mut reads, mut firsts) = (0.0, 0.0);
            while let Some(next) = operations.next(begin) {
                let number: u64 = operations.key.strip_prefix("memring:bench:").unwrap().parse().unwrap();
                assert!((1..=1000).contains(&number));
                firsts += f64::from(u8::from(number == 1));
                reads += f64::from(u8::from(next.kind == Kind::Read));
                assert!(next.kind == Kind::Read || (10..=20).contains(&operations.value.len()));
            }
            assert!((0.73..0.77).contains(&(reads / 10_000.0)), "{reads}");
            assert!(share_of_first.contains(&(firsts / 10_000.0)), "{firsts}");
        }
    }

    #[test]
    fn sizes_are_one_number_or_two() {
        assert_eq!("0".parse::<Sizes>().unwrap().0, 0..=0);
        assert_eq!("1-1048576".parse::<Sizes>().unwrap().0, 1..=1 << 20);
        for wrong in ["", "-", "1-", "2-1", "1048577", "x", "1-2-3"] {
            assert!(wrong.parse::<Sizes>().is_err(), "{wrong}");
        }
    }
}
