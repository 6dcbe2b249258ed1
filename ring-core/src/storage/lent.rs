//! Storage that a placement does not own: the caller's slices, and rings in flash.

use super::{Entries, EntriesMut, Needs, Storage, StorageMut, first};
use crate::error::BuildError;

/// Slices that the caller lends.
///
/// ```
/// use memring_core::{peers::libketama::LIBKETAMA, storage::Lent, Placement, Server};
///
/// let (mut points, mut owners, mut index) = ([0; 480], [0; 480], [0; 256]);
/// let storage = Lent::new(&mut points, &mut owners).indexed(&mut index);
/// let servers = ["10.0.1.1:11211", "10.0.1.2:11211", "10.0.1.3:11211"].map(Server::new);
/// let placement = Placement::build(LIBKETAMA, servers, storage)?;
/// assert_eq!(placement.primary(b"tokyo").get(), 2);
/// # Ok::<(), memring_core::BuildError>(())
/// ```
#[derive(Debug, Default)]
pub struct Lent<'s> {
    slices: EntriesMut<'s>,
    used: usize,
}

impl<'s> Lent<'s> {
    /// Lends slices for points of 32 bits and their owners; the shorter slice counts.
    pub fn new(points: &'s mut [u32], owners: &'s mut [u16]) -> Self {
        Self { slices: EntriesMut { points, owners, ..EntriesMut::default() }, used: 0 }
    }

    /// Lends slices for points of 128 bits and their owners.
    pub fn wide(points: &'s mut [u128], owners: &'s mut [u16]) -> Self {
        Self { slices: EntriesMut { wide: points, owners, ..EntriesMut::default() }, used: 0 }
    }

    /// Lends a slice for an index, too; a length that is a power of two is best.
    #[must_use]
    pub fn indexed(self, index: &'s mut [i16]) -> Self {
        Self { slices: EntriesMut { index, ..self.slices }, ..self }
    }
}

impl Storage for Lent<'_> {
    fn entries(&self) -> Entries<'_> {
        let EntriesMut { points, wide, owners, index } = &self.slices;
        Entries {
            points: first(points, self.used),
            wide: first(wide, self.used),
            owners: first(owners, self.used),
            index,
        }
    }
}

impl StorageMut for Lent<'_> {
    fn prepare(&mut self, needs: Needs) -> Result<EntriesMut<'_>, BuildError> {
        let EntriesMut { points, wide, owners, index } = &mut self.slices;
        let entries = EntriesMut { points, wide, owners, index }.cut(needs)?;
        self.used = needs.entries;
        Ok(entries)
    }

    fn trim(&mut self, entries: usize) {
        self.used = self.used.min(entries);
    }
}

/// A placement that was built elsewhere, such as by a build script, and lies in flash.
pub type Static = Entries<'static>;

impl Storage for Entries<'_> {
    fn entries(&self) -> Entries<'_> {
        *self
    }
}
