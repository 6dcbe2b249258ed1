//! Plans of keys that the caller places: their own, or the sample in pieces, by several threads.

use alloc::{boxed::Box, vec};

use super::{Plan, Precision, divided, moved, sampled};
use crate::{
    placement::Placement,
    server::{ServerIndex, Servers},
    storage::Storage,
};

/// How many keys of [`sample_key`] a sampled plan places.
pub const SAMPLE: u32 = sampled::KEYS;

/// Key `number` of the sample, from 0 up to [`SAMPLE`].
#[must_use]
pub fn sample_key(number: u32) -> [u8; 16] {
    sampled::key(number)
}

/// The share of the keys that each server has, if it can be known exactly.
///
/// [`shares`](super::shares) samples where it cannot.
pub fn exact_shares<L: Servers, S: Storage>(placement: &Placement<'_, L, S>) -> Option<Box<[f64]>> {
    let view = placement.view();
    let mut out = vec![0.0; view.servers.count()].into_boxed_slice();
    let mut add = |server: ServerIndex, _, share: f64| {
        if let Some(cell) = out.get_mut(server.get()) {
            *cell += share;
        }
    };
    divided::compare(&view, &view, &mut add).then_some(out)
}

/// Counts keys by the server that they leave and the server that they come to.
///
/// ```
/// use memring_core::{peers::libmemcached::MODULA, plan::{Counted, Precision}, Placement, Server};
///
/// let servers = ["a:1", "b:1", "c:1"].map(Server::new);
/// let (old, new) = (Placement::owned(MODULA, &servers[..2])?, Placement::owned(MODULA, &servers[..])?);
/// let (mut counted, mut moved) = (Counted::new(2, 3), 0);
/// for key in ["tokyo", "kyoto", "osaka", "nara"] {
///     let (from, to) = (old.primary(key.as_bytes()), new.primary(key.as_bytes()));
///     counted.add(from, to);
///     moved += u32::from(from != to);
/// }
/// let plan = counted.plan(&old, &new, Precision::Exact);
/// assert!((plan.moved() - f64::from(moved) / 4.0).abs() < 1e-9);
/// # Ok::<(), memring_core::BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Counted {
    /// A count for each pair, whole numbers all.
    matrix: Box<[f64]>,
    old: usize,
    new: usize,
    keys: u64,
}

impl Counted {
    /// No keys yet, of `old` servers before a change and `new` ones after it.
    #[must_use]
    pub fn new(old: usize, new: usize) -> Self {
        Self { matrix: vec![0.0; old.saturating_mul(new)].into_boxed_slice(), old, new, keys: 0 }
    }

    /// Counts a key that goes from a server of the old list to one of the new.
    pub fn add(&mut self, from: ServerIndex, to: ServerIndex) {
        self.keys += 1;
        let cell = from.get().saturating_mul(self.new).saturating_add(to.get());
        if let Some(count) = self.matrix.get_mut(cell) {
            *count += 1.0;
        }
    }

    /// How many keys were counted.
    #[must_use]
    pub const fn keys(&self) -> u64 {
        self.keys
    }

    /// The plan of these keys, which were placed by `old` and by `new`. It is as precise as the caller says: exact, if the keys
    /// are all there are.
    #[must_use]
    pub fn plan<L: Servers, S: Storage, K: Servers, T: Storage>(
        self,
        old: &Placement<'_, L, S>,
        new: &Placement<'_, K, T>,
        precision: Precision,
    ) -> Plan<Box<[f64]>> {
        let Self { mut matrix, old: rows, new: columns, keys } = self;
        let all = keys.max(1) as f64;
        matrix.iter_mut().for_each(|cell| *cell /= all);
        let moved = moved(&old.view(), &new.view(), &matrix);
        Plan { matrix, old: rows, new: columns, moved, precision }
    }
}

impl Plan<Box<[f64]>> {
    /// Compares `old` with `new` as [`owned`](Self::owned) does, if that is exact; a sample is not taken.
    #[must_use]
    pub fn exact<L: Servers, S: Storage, K: Servers, T: Storage>(
        old: &Placement<'_, L, S>,
        new: &Placement<'_, K, T>,
    ) -> Option<Self> {
        let (old, new) = (old.view(), new.view());
        let (rows, columns) = (old.servers.count(), new.servers.count());
        let mut matrix = vec![0.0; rows.saturating_mul(columns)].into_boxed_slice();
        let mut add = |from: ServerIndex, to: ServerIndex, share: f64| {
            if let Some(cell) = matrix.get_mut(from.get() * columns + to.get()) {
                *cell += share;
            }
        };
        if !divided::compare(&old, &new, &mut add) {
            return None;
        }
        let moved = moved(&old, &new, &matrix);
        Some(Self { matrix, old: rows, new: columns, moved, precision: Precision::Exact })
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::{Server, peers};

    #[test]
    fn a_sample_that_is_counted_is_the_sampled_plan() {
        let servers = ["a:1", "b:1", "c:1", "d:1"].map(Server::new);
        let old = Placement::owned(peers::libmemcached::KETAMA_WEIGHTED, &servers[..3]).unwrap();
        let new = Placement::owned(peers::libmemcached::MODULA, &servers[..]).unwrap();
        assert!(Plan::exact(&old, &new).is_none() && exact_shares(&new).is_some());
        let mut counted = Counted::new(3, 4);
        for number in 0..SAMPLE {
            let key = sample_key(number);
            counted.add(old.primary(&key), new.primary(&key));
        }
        assert_eq!(counted.keys(), u64::from(SAMPLE));
        let counted = counted.plan(&old, &new, Precision::Sampled { keys: SAMPLE });
        let plan = Plan::owned(&old, &new);
        assert!((counted.moved() - plan.moved()).abs() < 1e-9);
        let shares: Vec<_> = plan.shares().collect();
        assert_eq!(shares.len(), counted.shares().count());
        for ((from, to, share), (_, _, other)) in shares.iter().zip(counted.shares()) {
            assert!((share - other).abs() < 1e-9, "{from} {to}");
        }
    }

    #[test]
    fn an_exact_plan_is_the_plan() {
        let servers = ["a:1", "b:1", "c:1", "d:1"].map(Server::new);
        let ketama = peers::libketama::LIBKETAMA;
        let (old, new) = (
            Placement::owned(ketama, &servers[..3]).unwrap(),
            Placement::owned(ketama, &servers[..]).unwrap(),
        );
        let (exact, plan) = (Plan::exact(&old, &new).unwrap(), Plan::owned(&old, &new));
        assert_eq!((exact.moved(), exact.precision()), (plan.moved(), plan.precision()));
        assert!(exact.shares().eq(plan.shares()));
    }
}
