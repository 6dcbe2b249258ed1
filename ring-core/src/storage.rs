//! Storage of placements: boxes, fixed arrays, borrowed slices or flash.
//!
//! An entry is a point (32 bits, 128 for a few schemes) and its owner (16 bits), in slices of their own. An optional
//! index of 16-bit corrections makes the search about twice as fast; give it half as many entries as there are
//! points or up to as many.

use crate::error::BuildError;

#[cfg(feature = "alloc")]
mod boxed;
mod fixed;
mod lent;
mod source;

#[cfg(feature = "alloc")]
pub use boxed::Boxed;
pub use fixed::{Fixed, FixedWide};
pub use lent::{Lent, Static};
pub use source::Source;

use crate::server::ServerIndex;

/// The number of points that MD5 ketama has for `servers` servers: 160 for each on average, whatever their weights.
///
/// That is enough for libketama, libmemcached's `KETAMA_WEIGHTED`, twemproxy, spymemcached and all others that share
/// 160 points for each server among them by weight. For another scheme, ask [`Scheme::needs`](crate::Scheme::needs);
/// [`BuildError::TooFewPoints`] has the number, too.
///
/// ```
/// use memring_core::{peers::libketama::LIBKETAMA, storage::{points_for, Fixed}, Placement, Server};
///
/// let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
/// let placement = Placement::build(LIBKETAMA, servers, Fixed::<{ points_for(3) }>::new())?;
/// assert_eq!((placement.len(), points_for(3)), (480, 480));
/// # Ok::<(), memring_core::BuildError>(())
/// ```
#[must_use]
pub const fn points_for(servers: usize) -> usize {
    servers.saturating_mul(160)
}

/// The storage that a placement needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The number of entries; each is a point and an owner.
    pub entries: usize,
    /// Whether the points are 128 bits wide rather than 32.
    pub wide: bool,
}

/// Entries to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entries<'e> {
    /// Points of 32 bits, ascending; empty where they are wide.
    pub points: &'e [u32],
    /// Points of 128 bits, ascending; empty where they are not wide.
    pub wide: &'e [u128],
    /// The server of each point.
    pub owners: &'e [u16],
    /// The index, which says where to begin the search; empty without one.
    pub index: &'e [i16],
}

impl Entries<'_> {
    /// The server of entry `entry`; the first server when there is no such entry.
    #[must_use]
    pub fn owner(&self, entry: usize) -> ServerIndex {
        ServerIndex::new(self.owners.get(entry).copied().unwrap_or(0))
    }
}

/// Entries to fill.
#[derive(Debug, Default)]
pub struct EntriesMut<'e> {
    /// Points of 32 bits.
    pub points: &'e mut [u32],
    /// Points of 128 bits.
    pub wide: &'e mut [u128],
    /// The server of each point.
    pub owners: &'e mut [u16],
    /// The index, which says where to begin the search.
    pub index: &'e mut [i16],
}

impl Needs {
    /// How many points of 32 bits, and of 128.
    const fn points(self) -> (usize, usize) {
        if self.wide { (0, self.entries) } else { (self.entries, 0) }
    }
}

impl<'e> EntriesMut<'e> {
    /// The first entries, as many as are needed.
    ///
    /// # Errors
    /// [`BuildError::TooFewPoints`] when there are fewer.
    pub fn cut(self, needs: Needs) -> Result<Self, BuildError> {
        let points = if needs.wide { self.wide.len() } else { self.points.len() };
        let given = points.min(self.owners.len());
        let (narrow, wide) = needs.points();
        let error = BuildError::TooFewPoints { needed: needs.entries, given, wide: needs.wide };
        Ok(Self {
            points: self.points.get_mut(..narrow).ok_or(error)?,
            wide: self.wide.get_mut(..wide).ok_or(error)?,
            owners: self.owners.get_mut(..needs.entries).ok_or(error)?,
            index: self.index,
        })
    }
}

/// The first `len` elements, or none where there are fewer.
fn first<T>(slice: &[T], len: usize) -> &[T] {
    slice.get(..len).unwrap_or_default()
}

/// Storage that holds a built placement.
pub trait Storage {
    /// The entries in use.
    fn entries(&self) -> Entries<'_>;
}

/// Storage that a placement can be built into.
pub trait StorageMut: Storage {
    /// The entries to fill, as many as are needed.
    ///
    /// # Errors
    /// [`BuildError::TooFewPoints`] when the storage has fewer; nothing was changed then.
    fn prepare(&mut self, needs: Needs) -> Result<EntriesMut<'_>, BuildError>;

    /// Gives up all but the first `entries` entries.
    fn trim(&mut self, entries: usize);
}

impl<S: Storage + ?Sized> Storage for &S {
    fn entries(&self) -> Entries<'_> {
        (**self).entries()
    }
}

impl<S: Storage + ?Sized> Storage for &mut S {
    fn entries(&self) -> Entries<'_> {
        (**self).entries()
    }
}

impl<S: StorageMut + ?Sized> StorageMut for &mut S {
    fn prepare(&mut self, needs: Needs) -> Result<EntriesMut<'_>, BuildError> {
        (**self).prepare(needs)
    }

    fn trim(&mut self, entries: usize) {
        (**self).trim(entries);
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::{Server, peers};

    proptest! {
        #[test]
        fn rings_that_share_their_points_by_weight_need_no_more(
            weights in prop::collection::vec(prop_oneof![Just(1), 1..100_u32, any::<u32>()], 1..70),
        ) {
            let servers: Vec<_> = weights.iter().map(|&weight| Server::new("a:11212").weighing(weight.max(1))).collect();
            for scheme in [
                peers::libketama::LIBKETAMA,
                peers::libmemcached::KETAMA_WEIGHTED,
                peers::libmemcached::KETAMA,
                peers::twemproxy::KETAMA,
                peers::spymemcached::KETAMA,
                peers::spymemcached::KETAMA.with_option("weighted", "1").unwrap(),
                peers::couchbase::KETAMA,
                peers::hash_ring::HASH_RING,
                peers::node_hashring::NODE_HASHRING,
                peers::uhashring::UHASHRING_KETAMA,
                peers::dalli::DALLI,
                peers::memcached_proxy::MEMCACHED_PROXY.with_option("dist", "ring_hash").unwrap(),
            ] {
                if let Ok(needs) = scheme.needs(&servers) {
                    prop_assert!(needs.entries <= points_for(servers.len()), "{scheme:?} {needs:?}");
                }
            }
        }
    }
}
