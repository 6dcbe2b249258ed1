//! Storage of a fixed capacity, for a stack frame or a static.

use heapless::Vec;

use super::{Entries, EntriesMut, Needs, Storage, StorageMut};
use crate::scheme::BuildError;

/// Room for `N` points of 32 bits and an index of `I` corrections: 6 `N` + 2 `I` bytes.
///
/// ```
/// use memring_core::{peers::libketama::LIBKETAMA, storage::Fixed, Placement, Server};
///
/// let servers = [Server::new("10.0.1.1:11211"), Server::new("10.0.1.2:11211"), Server::new("10.0.1.3:11211")];
/// let placement = Placement::build(LIBKETAMA, servers, Fixed::<480>::new())?;
/// assert_eq!(placement.primary(b"tokyo").get(), 2);
/// # Ok::<(), memring_core::BuildError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Fixed<const N: usize, const I: usize = 0> {
    points: Vec<u32, N>,
    owners: Vec<u16, N>,
    index: Vec<i16, I>,
}

impl<const N: usize, const I: usize> Fixed<N, I> {
    /// Empty storage.
    #[must_use]
    pub const fn new() -> Self {
        Self { points: Vec::new(), owners: Vec::new(), index: Vec::new() }
    }
}

impl<const N: usize, const I: usize> Storage for Fixed<N, I> {
    fn entries(&self) -> Entries<'_> {
        Entries { points: &self.points, wide: &[], owners: &self.owners, index: &self.index }
    }
}

impl<const N: usize, const I: usize> StorageMut for Fixed<N, I> {
    fn prepare(&mut self, needs: Needs) -> Result<EntriesMut<'_>, BuildError> {
        let given = if needs.wide { 0 } else { N };
        let error = BuildError::TooFewPoints { needed: needs.entries, given, wide: needs.wide };
        if needs.entries > given {
            return Err(error);
        }
        self.points.resize(needs.entries, 0).map_err(|_| error)?;
        self.owners.resize(needs.entries, 0).map_err(|_| error)?;
        self.index.resize(I, 0).map_err(|_| error)?;
        Ok(EntriesMut {
            points: &mut self.points,
            wide: &mut [],
            owners: &mut self.owners,
            index: &mut self.index,
        })
    }

    fn trim(&mut self, entries: usize) {
        self.points.truncate(entries);
        self.owners.truncate(entries);
    }
}

/// Room for `N` points of 128 bits, which a few schemes have: 18 `N` bytes.
#[derive(Clone, Debug, Default)]
pub struct FixedWide<const N: usize> {
    points: Vec<u128, N>,
    owners: Vec<u16, N>,
}

impl<const N: usize> FixedWide<N> {
    /// Empty storage.
    #[must_use]
    pub const fn new() -> Self {
        Self { points: Vec::new(), owners: Vec::new() }
    }
}

impl<const N: usize> Storage for FixedWide<N> {
    fn entries(&self) -> Entries<'_> {
        Entries { points: &[], wide: &self.points, owners: &self.owners, index: &[] }
    }
}

impl<const N: usize> StorageMut for FixedWide<N> {
    fn prepare(&mut self, needs: Needs) -> Result<EntriesMut<'_>, BuildError> {
        let given = if needs.wide { N } else { 0 };
        let error = BuildError::TooFewPoints { needed: needs.entries, given, wide: needs.wide };
        if needs.entries > given {
            return Err(error);
        }
        self.points.resize(needs.entries, 0).map_err(|_| error)?;
        self.owners.resize(needs.entries, 0).map_err(|_| error)?;
        Ok(EntriesMut { points: &mut [], wide: &mut self.points, owners: &mut self.owners, index: &mut [] })
    }

    fn trim(&mut self, entries: usize) {
        self.points.truncate(entries);
        self.owners.truncate(entries);
    }
}
