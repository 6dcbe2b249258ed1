//! What a change of servers moves, for programs that have an allocator and want to know only sometimes.

use std::sync::Arc;

use memring_core::{
    ServerIndex,
    plan::{Plan, Precision},
};

use crate::{owned::OwnedPlacement, spec::ServerSpec};

/// A change from one placement to another. It costs nothing until it is asked what it [moves](Self::moves).
#[derive(Clone, Debug)]
pub struct Change {
    before: Arc<OwnedPlacement>,
    after: Arc<OwnedPlacement>,
}

impl Change {
    /// The change from `before` to `after`.
    pub const fn new(before: Arc<OwnedPlacement>, after: Arc<OwnedPlacement>) -> Self {
        Self { before, after }
    }

    /// The servers before the change.
    #[must_use]
    pub fn before(&self) -> &[ServerSpec] {
        self.before.servers()
    }

    /// The servers after the change.
    #[must_use]
    pub fn after(&self) -> &[ServerSpec] {
        self.after.servers()
    }

    /// What moves. For a ring of a hundred servers that takes a few milliseconds; where keys have to be sampled, as for
    /// jump hashing, a hundred thousand of them are placed twice.
    #[must_use]
    pub fn moves(&self) -> Moves {
        let (rows, columns) = (self.before().len(), self.after().len());
        let mut matrix = vec![0.0; rows.saturating_mul(columns)].into_boxed_slice();
        // The matrix has a cell for each pair.
        let figures = Plan::new(self.before.placement(), self.after.placement(), &mut matrix)
            .map_or((0.0, Precision::Exact), |plan| (plan.moved(), plan.precision()));
        Moves { matrix, rows, columns, figures }
    }
}

/// Which share of the keys goes where. Shares are of all keys, each as likely as any other, and add up to 1.
///
/// ```
/// use memring_client::{OwnedPlacement, change::Change, spec::ServerSpec};
/// use memring_core::{ServerIndex, peers::libmemcached::MODULA};
///
/// let servers = ServerSpec::read_all(["a:1", "b:1", "c:1", "d:1"]).unwrap();
/// let before = OwnedPlacement::build(MODULA.into(), servers[..3].to_vec())?;
/// let after = OwnedPlacement::build(MODULA.into(), servers)?;
/// let moves = Change::new(before.into(), after.into()).moves();
/// assert!((moves.moved() - 0.75).abs() < 1e-9);
/// assert!((moves.share(ServerIndex::new(0), ServerIndex::new(3)) - 1.0 / 12.0).abs() < 1e-9);
/// # Ok::<(), memring_core::BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Moves {
    matrix: Box<[f64]>,
    rows: usize,
    columns: usize,
    figures: (f64, Precision),
}

impl Moves {
    /// The share of the keys that leaves its server.
    #[must_use]
    pub const fn moved(&self) -> f64 {
        self.figures.0
    }

    /// The share that stays: the hit rate to expect right after the change, of what was hit before it.
    #[must_use]
    pub fn kept(&self) -> f64 {
        1.0 - self.moved()
    }

    /// How well all this is known.
    #[must_use]
    pub const fn precision(&self) -> Precision {
        self.figures.1
    }

    /// The share that goes from a server of the list before to one of the list after.
    #[must_use]
    pub fn share(&self, from: ServerIndex, to: ServerIndex) -> f64 {
        let cell = from.get().saturating_mul(self.columns).saturating_add(to.get());
        let is_there = from.get() < self.rows && to.get() < self.columns;
        self.matrix.get(cell).copied().filter(|_| is_there).unwrap_or(0.0)
    }

    /// All pairs of servers between which keys go, with their share.
    pub fn shares(&self) -> impl Iterator<Item = (ServerIndex, ServerIndex, f64)> {
        let index = |number: usize| u16::try_from(number).map(ServerIndex::new).unwrap_or_default();
        let columns = self.columns.max(1);
        let cells = self.matrix.iter().enumerate().filter(|(_, share)| **share > 0.0);
        cells.map(move |(cell, &share)| (index(cell / columns), index(cell % columns), share))
    }
}
