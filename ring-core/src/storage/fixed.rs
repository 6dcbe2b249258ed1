//! Storage of a fixed capacity, for a stack frame or a static.

use super::{Entries, EntriesMut, Needs, Storage, StorageMut, first};
use crate::error::BuildError;

/// Storage for `N` points of 32 bits and an index of `I` corrections: 6 `N` + 2 `I` bytes.
/// [`points_for`](super::points_for) gives the number of points for MD5 ketama.
///
/// ```
/// use memring_core::{peers::libketama::LIBKETAMA, storage::{points_for, Fixed}, Placement, Server};
///
/// let servers = [Server::new("10.0.1.1:11211"), Server::new("10.0.1.2:11211"), Server::new("10.0.1.3:11211")];
/// let placement = Placement::build(LIBKETAMA, servers, Fixed::<{ points_for(3) }, 256>::new())?;
/// assert_eq!(placement.server(b"tokyo").name, "10.0.1.3:11211");
/// # Ok::<(), memring_core::BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fixed<const N: usize, const I: usize = 0> {
    points: [u32; N],
    owners: [u16; N],
    index: [i16; I],
    used: usize,
}

impl<const N: usize, const I: usize> Fixed<N, I> {
    /// Empty storage.
    #[must_use]
    pub const fn new() -> Self {
        Self { points: [0; N], owners: [0; N], index: [0; I], used: 0 }
    }
}

impl<const N: usize, const I: usize> Default for Fixed<N, I> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize, const I: usize> Storage for Fixed<N, I> {
    fn entries(&self) -> Entries<'_> {
        Entries {
            points: first(&self.points, self.used),
            wide: &[],
            owners: first(&self.owners, self.used),
            index: &self.index,
        }
    }
}

impl<const N: usize, const I: usize> StorageMut for Fixed<N, I> {
    fn prepare(&mut self, needs: Needs) -> Result<EntriesMut<'_>, BuildError> {
        let Self { points, owners, index, used } = self;
        let entries = EntriesMut { points, wide: &mut [], owners, index }.cut(needs)?;
        *used = needs.entries;
        Ok(entries)
    }

    fn trim(&mut self, entries: usize) {
        self.used = self.used.min(entries);
    }
}

/// Storage for `N` points of 128 bits, which a few schemes have: 18 `N` bytes.
#[derive(Clone, Debug)]
pub struct FixedWide<const N: usize> {
    points: [u128; N],
    owners: [u16; N],
    used: usize,
}

impl<const N: usize> FixedWide<N> {
    /// Empty storage.
    #[must_use]
    pub const fn new() -> Self {
        Self { points: [0; N], owners: [0; N], used: 0 }
    }
}

impl<const N: usize> Default for FixedWide<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Storage for FixedWide<N> {
    fn entries(&self) -> Entries<'_> {
        Entries {
            points: &[],
            wide: first(&self.points, self.used),
            owners: first(&self.owners, self.used),
            index: &[],
        }
    }
}

impl<const N: usize> StorageMut for FixedWide<N> {
    fn prepare(&mut self, needs: Needs) -> Result<EntriesMut<'_>, BuildError> {
        let Self { points, owners, used } = self;
        let entries = EntriesMut { points: &mut [], wide: points, owners, index: &mut [] }.cut(needs)?;
        *used = needs.entries;
        Ok(entries)
    }

    fn trim(&mut self, entries: usize) {
        self.used = self.used.min(entries);
    }
}
