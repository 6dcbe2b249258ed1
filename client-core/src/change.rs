//! Changes of servers, and which keys they move.

use std::sync::Arc;

use memring_core::plan::Plan;

use crate::{owned::OwnedPlacement, spec::ServerSpec};

/// A change from one placement to another. What it [moves](Self::moves) is computed only when asked for.
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

    /// Computes the share of keys that moves between any two servers. For a ring of a hundred servers this takes a few
    /// milliseconds; where keys have to be sampled, as for jump hashing, a hundred thousand of them are placed twice.
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

/// The share of keys that goes from each server to each other.
pub type Moves = Plan<Box<[f64]>>;
