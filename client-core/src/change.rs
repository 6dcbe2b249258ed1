//! What a change of servers moves, for programs that have an allocator and want to know only sometimes.

use std::sync::Arc;

use memring_core::plan::Plan;

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
    #[must_use]
    pub fn moves(&self) -> Moves {
        Plan::owned(self.before.placement(), self.after.placement())
    }
}

/// Which share of the keys goes where, in memory of its own.
pub type Moves = Plan<Box<[f64]>>;
