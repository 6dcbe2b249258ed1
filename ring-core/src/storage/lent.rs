//! Storage that belongs to somebody else: slices lent by the caller, and rings in flash.

use core::mem;

use super::{Entries, EntriesMut, Storage, StorageMut};
use crate::{mechanism::Needs, scheme::BuildError};

/// Slices of the caller's. Those that a scheme does not use may be empty.
#[derive(Debug, Default)]
pub struct Lent<'s> {
    /// Room for points of 32 bits.
    pub points: &'s mut [u32],
    /// Room for points of 128 bits.
    pub wide: &'s mut [u128],
    /// Room for their owners.
    pub owners: &'s mut [u16],
    /// Room for an index.
    pub index: &'s mut [i16],
}

impl Storage for Lent<'_> {
    fn entries(&self) -> Entries<'_> {
        Entries { points: self.points, wide: self.wide, owners: self.owners, index: self.index }
    }
}

impl StorageMut for Lent<'_> {
    fn prepare(&mut self, needs: Needs) -> Result<EntriesMut<'_>, BuildError> {
        EntriesMut { points: self.points, wide: self.wide, owners: self.owners, index: self.index }.cut(needs)
    }

    fn trim(&mut self, entries: usize) {
        cut(&mut self.points, entries);
        cut(&mut self.wide, entries);
        cut(&mut self.owners, entries);
    }
}

/// Keeps the first `len` elements of a slice.
fn cut<T>(slice: &mut &mut [T], len: usize) {
    if let Some((kept, _)) = mem::take(slice).split_at_mut_checked(len) {
        *slice = kept;
    }
}

/// A placement that was built elsewhere, such as by a build script, and lies in flash.
pub type Static = Entries<'static>;

impl Storage for Entries<'_> {
    fn entries(&self) -> Entries<'_> {
        *self
    }
}
