//! Plans: which share of the keys a change of placement moves, and between which servers, before it is made.
//!
//! For rings the answer is exact, arc by arc; for modulo, slot by slot. Where the old and the new placement hash keys
//! differently, or compute servers rather than look them up, keys are sampled, and the plan says so with its error.

#[cfg(feature = "alloc")]
use alloc::{boxed::Box, vec};
use core::{error, fmt};

use crate::{
    mechanism::View,
    placement::Placement,
    server::{ServerIndex, Servers},
    storage::Storage,
};

#[cfg(feature = "alloc")]
mod counted;
mod divided;
mod sampled;

#[cfg(feature = "alloc")]
pub use counted::{Counted, SAMPLE, exact_shares, sample_key};

/// The shares of keys that move in a change from one placement to another.
///
/// Shares are of all keys, each as likely as any other, and add up to 1. They are in a matrix `M` of the caller, or in
/// one of the plan's own (`Plan::owned`).
#[derive(Clone, Copy, Debug)]
pub struct Plan<M> {
    matrix: M,
    old: usize,
    new: usize,
    moved: f64,
    precision: Precision,
}

/// Puts the share of the keys that each server has into `out`, in the order of the list. The shares add up to 1.
///
/// The shares are those of a [`Plan`] from a placement to itself, which would need a cell for each pair of servers.
///
/// ```
/// use memring_core::{peers::libmemcached::MODULA, plan::{self, Precision}, storage::Fixed, Placement, Server};
///
/// let servers = ["a:1", "b:1", "c:1", "d:1"].map(Server::new);
/// let placement = Placement::build(MODULA, &servers[..], Fixed::<0>::new())?;
/// let mut out = [0.0; 4];
/// assert_eq!(plan::shares(&placement, &mut out).unwrap(), Precision::Exact);
/// assert!(out.iter().all(|share| (share - 0.25).abs() < 1e-9));
/// # Ok::<(), memring_core::BuildError>(())
/// ```
///
/// # Errors
/// [`MatrixTooSmall`] when there are fewer cells than servers.
pub fn shares<L: Servers, S: Storage>(
    placement: &Placement<'_, L, S>,
    out: &mut [f64],
) -> Result<Precision, MatrixTooSmall> {
    let view = placement.view();
    let (needed, given) = (view.servers.count(), out.len());
    let out = out.get_mut(..needed).ok_or(MatrixTooSmall { needed, given })?;
    out.fill(0.0);
    let mut add = |server: ServerIndex, share: f64| {
        if let Some(cell) = out.get_mut(server.get()) {
            *cell += share;
        }
    };
    if divided::compare(&view, &view, &mut |server, _, share| add(server, share)) {
        return Ok(Precision::Exact);
    }
    Ok(sampled::shares(&view, &mut add))
}

/// The precision of a plan's shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Precision {
    /// Exact, to the last hash value.
    Exact,
    /// Estimated from a sample of keys.
    Sampled {
        /// How many keys were placed.
        keys: u32,
    },
}

impl<M: AsRef<[f64]> + AsMut<[f64]>> Plan<M> {
    /// Compares `old` with `new`. `matrix` takes one share for each pair of servers, old × new.
    ///
    /// A key has moved when its two servers have different names; their indexes do not matter.
    ///
    /// ```
    /// use memring_core::{peers::libmemcached::MODULA, plan::{Plan, Precision}, storage::Fixed, Placement, Server};
    ///
    /// let servers = ["a:1", "b:1", "c:1", "d:1"].map(Server::new);
    /// let old = Placement::build(MODULA, &servers[..3], Fixed::<0>::new())?;
    /// let new = Placement::build(MODULA, &servers[..], Fixed::<0>::new())?;
    /// let mut matrix = [0.0; 3 * 4];
    /// let plan = Plan::new(&old, &new, &mut matrix).unwrap();
    /// assert_eq!(plan.precision(), Precision::Exact);
    /// assert!((plan.moved() - 0.75).abs() < 1e-9);
    /// # Ok::<(), memring_core::BuildError>(())
    /// ```
    ///
    /// # Errors
    /// [`MatrixTooSmall`] when there are fewer cells than pairs.
    pub fn new<L: Servers, S: Storage, K: Servers, T: Storage>(
        old: &Placement<'_, L, S>,
        new: &Placement<'_, K, T>,
        mut matrix: M,
    ) -> Result<Self, MatrixTooSmall> {
        let (old, new) = (old.view(), new.view());
        let (rows, columns) = (old.servers.count(), new.servers.count());
        let needed = rows.saturating_mul(columns);
        let given = matrix.as_ref().len();
        let cells = matrix.as_mut().get_mut(..needed).ok_or(MatrixTooSmall { needed, given })?;
        let (moved, precision) = compare(&old, &new, cells);
        Ok(Self { matrix, old: rows, new: columns, moved, precision })
    }
}

#[cfg(feature = "alloc")]
impl Plan<Box<[f64]>> {
    /// Compares `old` with `new` in a matrix of its own: one share for each pair of servers, old × new.
    ///
    /// ```
    /// use memring_core::{peers::libmemcached::MODULA, plan::Plan, Placement, Server};
    ///
    /// let servers = ["a:1", "b:1", "c:1", "d:1"].map(Server::new);
    /// let old = Placement::owned(MODULA, &servers[..3])?;
    /// let new = Placement::owned(MODULA, &servers[..])?;
    /// assert!((Plan::owned(&old, &new).kept() - 0.25).abs() < 1e-9);
    /// # Ok::<(), memring_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn owned<L: Servers, S: Storage, K: Servers, T: Storage>(
        old: &Placement<'_, L, S>,
        new: &Placement<'_, K, T>,
    ) -> Self {
        let (old, new) = (old.view(), new.view());
        let (rows, columns) = (old.servers.count(), new.servers.count());
        let mut matrix = vec![0.0; rows.saturating_mul(columns)].into_boxed_slice();
        let (moved, precision) = compare(&old, &new, &mut matrix);
        Self { matrix, old: rows, new: columns, moved, precision }
    }
}

impl<M> Plan<M> {
    /// The share of the keys that leaves its server.
    #[must_use]
    pub const fn moved(&self) -> f64 {
        self.moved
    }

    /// The share of the keys that stays where it is: the hit rate to expect right after the change, of what was hit
    /// before it.
    #[must_use]
    pub fn kept(&self) -> f64 {
        1.0 - self.moved
    }

    /// The precision of the shares.
    #[must_use]
    pub const fn precision(&self) -> Precision {
        self.precision
    }
}

impl<M: AsRef<[f64]>> Plan<M> {
    /// The share of the keys that goes from a server of the old list to one of the new.
    #[must_use]
    pub fn share(&self, from: ServerIndex, to: ServerIndex) -> f64 {
        self.row(from).get(to.get()).copied().unwrap_or(0.0)
    }

    /// The share of the keys that a server of the old list has before the change.
    #[must_use]
    pub fn before(&self, server: ServerIndex) -> f64 {
        self.row(server).iter().sum()
    }

    /// The share of the keys that a server of the new list has after the change.
    #[must_use]
    pub fn after(&self, server: ServerIndex) -> f64 {
        if server.get() < self.new {
            self.cells().iter().skip(server.get()).step_by(self.new).sum()
        } else {
            0.0
        }
    }

    /// All pairs of an old and a new server that have keys in common, with their share; keys that stay are pairs of the
    /// same server.
    pub fn shares(&self) -> impl Iterator<Item = (ServerIndex, ServerIndex, f64)> {
        let index = |number: usize| ServerIndex::new(number as u16);
        let rows = self.cells().chunks_exact(self.new.max(1)).enumerate();
        rows.flat_map(move |(from, row)| {
            let shares = row.iter().enumerate().filter(|(_, share)| **share > 0.0);
            shares.map(move |(to, share)| (index(from), index(to), *share))
        })
    }

    fn row(&self, from: ServerIndex) -> &[f64] {
        self.cells().chunks_exact(self.new.max(1)).nth(from.get()).unwrap_or_default()
    }

    fn cells(&self) -> &[f64] {
        self.matrix.as_ref().get(..self.old.saturating_mul(self.new)).unwrap_or_default()
    }
}

/// Fills `matrix`, which has a cell for each pair. Returns the share that moves, and how well it is known.
fn compare(old: &View<'_>, new: &View<'_>, matrix: &mut [f64]) -> (f64, Precision) {
    let columns = new.servers.count();
    matrix.fill(0.0);
    let mut add = |from: ServerIndex, to: ServerIndex, share: f64| {
        if let Some(cell) = matrix.get_mut(from.get() * columns + to.get()) {
            *cell += share;
        }
    };
    let precision = if divided::compare(old, new, &mut add) {
        Precision::Exact
    } else {
        sampled::compare(old, new, &mut add)
    };
    (moved(old, new, matrix), precision)
}

/// The sum of the cells whose servers have different names.
fn moved(old: &View<'_>, new: &View<'_>, matrix: &[f64]) -> f64 {
    let columns = new.servers.count();
    let mut moved = 0.0;
    for (from, row) in matrix.chunks_exact(columns.max(1)).enumerate() {
        let Some(from) = old.servers.server(from) else { continue };
        for (to, share) in row.iter().enumerate() {
            if new.servers.server(to).is_none_or(|to| to.name != from.name) {
                moved += share;
            }
        }
    }
    moved
}

/// The matrix has fewer cells than there are shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixTooSmall {
    /// The number of shares: old servers × new servers for a [`Plan`], servers for [`shares`].
    pub needed: usize,
    /// The number of cells.
    pub given: usize,
}

impl fmt::Display for MatrixTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "matrix too small: {} cells needed, {} given", self.needed, self.given)
    }
}

impl error::Error for MatrixTooSmall {}

impl Precision {
    /// The standard error of a share that was found to be `share`. A share of 0 in a sample has an error, too.
    #[must_use]
    pub fn standard_error(self, share: f64) -> f64 {
        match self {
            Self::Exact => 0.0,
            Self::Sampled { keys } => {
                let one_key = 1.0 / f64::from(keys.max(1));
                square_root((share * (1.0 - share)).max(one_key) * one_key)
            }
        }
    }
}

/// Newton's method, for targets without a library of mathematics.
fn square_root(square: f64) -> f64 {
    let mut root = if square > 1.0 { square } else { 1.0 };
    for _ in 0..40 {
        root = f64::midpoint(root, square / root);
    }
    root
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::{BuildError, Scheme, Server, peers};

    const NAMES: [&str; 13] = [
        "s1:11212",
        "s2:11212",
        "s3:11212",
        "s4:11212",
        "s5:11212",
        "s6:11212",
        "s7:11212",
        "s8:11212",
        "s9:11212",
        "s10:11212",
        "s11:11212",
        "s12:11212",
        "s13:11212",
    ];

    fn servers(count: usize) -> Vec<Server<'static>> {
        NAMES.iter().take(count).map(|name| Server::new(name)).collect()
    }

    /// The kept share, and how well it is known.
    fn kept(
        scheme: Scheme<'_>,
        other: Scheme<'_>,
        old: usize,
        new: usize,
    ) -> Result<(f64, Precision), BuildError> {
        let old = Placement::owned(scheme, servers(old))?;
        let new = Placement::owned(other, servers(new))?;
        let mut matrix = vec![0.0; old.servers().len() * new.servers().len()];
        let plan = Plan::new(&old, &new, &mut matrix).unwrap();
        let rows: f64 =
            (0..old.servers().len()).map(|index| plan.before(ServerIndex::new(index as u16))).sum();
        let columns: f64 =
            (0..new.servers().len()).map(|index| plan.after(ServerIndex::new(index as u16))).sum();
        assert!((rows - 1.0).abs() < 1e-9 && (columns - 1.0).abs() < 1e-9, "{rows} {columns}");
        Ok((plan.kept(), plan.precision()))
    }

    /// The kept share of many keys, by placing them.
    fn kept_of_keys(scheme: Scheme<'_>, other: Scheme<'_>, old: usize, new: usize) -> f64 {
        let old = Placement::owned(scheme, servers(old)).unwrap();
        let new = Placement::owned(other, servers(new)).unwrap();
        let same = |number: &u32| {
            let key = std::format!("user:{number}");
            old.primary(key.as_bytes()) == new.primary(key.as_bytes())
        };
        (0..40_000).filter(same).count() as f64 / 40_000.0
    }

    #[test]
    fn modulo_is_a_matter_of_arithmetic() {
        let modula = peers::libmemcached::MODULA;
        let (share, precision) = kept(modula, modula, 8, 13).unwrap();
        assert!((share - 8.0 / 104.0).abs() < 1e-6, "{share}");
        assert_eq!(precision, Precision::Exact);
        let (share, _) = kept(modula, modula, 3, 4).unwrap();
        assert!((share - 0.25).abs() < 1e-6, "{share}");
    }

    #[test]
    fn exact_plans_agree_with_keys() {
        for name in ["crc32-modulo", "python-memcached", "libketama", "libmemcached-ketama-weighted"] {
            let scheme = Scheme::from_name(name).unwrap();
            let (share, precision) = kept(scheme, scheme, 8, 13).unwrap();
            assert_eq!(precision, Precision::Exact, "{name}");
            let seen = kept_of_keys(scheme, scheme, 8, 13);
            assert!((share - seen).abs() < 0.01, "{name}: {share} by the plan, {seen} of the keys");
        }
    }

    #[test]
    fn other_hashes_are_sampled() {
        let (old, new) = (peers::libmemcached::MODULA, peers::libmemcached::KETAMA_WEIGHTED);
        let (share, precision) = kept(old, new, 4, 4).unwrap();
        assert!(matches!(precision, Precision::Sampled { .. }));
        assert!((share - 0.25).abs() < 5.0 * precision.standard_error(share) + 0.02, "{share}");
    }

    #[test]
    fn shares_are_those_of_a_plan_that_changes_nothing() {
        let heavy =
            servers(5).into_iter().zip([3, 1, 4, 1, 5]).map(|(server, weight)| server.weighing(weight));
        let heavy: Vec<_> = heavy.collect();
        for peer in peers::all() {
            let Ok(placement) = Placement::owned(peer.scheme, heavy.clone()) else {
                continue;
            };
            let (mut matrix, mut out) = (vec![0.0; 25], vec![7.0; 6]);
            let plan = Plan::new(&placement, &placement, &mut matrix).unwrap();
            assert_eq!(shares(&placement, &mut out), Ok(plan.precision()), "{}", peer.scheme.name);
            for (index, share) in (0..5).zip(&out) {
                let planned = plan.before(ServerIndex::new(index));
                assert!((planned - share).abs() < 1e-9, "{}: {planned} {share}", peer.scheme.name);
            }
            assert_eq!(out[5].to_bits(), 7.0_f64.to_bits());
            assert_eq!(shares(&placement, &mut out[..4]), Err(MatrixTooSmall { needed: 5, given: 4 }));
        }
    }

    #[test]
    fn the_longest_list_has_shares() {
        let names: Vec<_> =
            (0..ServerIndex::MAX_SERVERS).map(|number| std::format!("cache-{number}")).collect();
        let servers: Vec<_> = names.iter().map(|name| Server::new(name)).collect();
        let placement = Placement::owned(peers::libmemcached::MODULA, servers).unwrap();
        let mut out = vec![0.0; names.len()];
        assert_eq!(shares(&placement, &mut out), Ok(Precision::Exact));
        assert!((out.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_root_of_a_small_share_is_found() {
        for square in [0.0, 1e-9, 0.25, 1.0, 2.0, 144.0] {
            assert!((square_root(square) - f64::sqrt(square)).abs() < 1e-6, "{square}");
        }
    }
}
