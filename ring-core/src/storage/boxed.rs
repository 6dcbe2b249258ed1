//! Storage on the heap.

use alloc::{boxed::Box, vec::Vec};
use core::mem;

use super::{Entries, EntriesMut, Needs, Storage, StorageMut};
use crate::error::BuildError;

/// Boxed slices of the size that is needed, with an index.
#[derive(Clone, Debug, Default)]
pub struct Boxed {
    points: Box<[u32]>,
    wide: Box<[u128]>,
    owners: Box<[u16]>,
    index: Box<[i16]>,
}

impl Boxed {
    /// Empty storage.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Storage for Boxed {
    fn entries(&self) -> Entries<'_> {
        Entries { points: &self.points, wide: &self.wide, owners: &self.owners, index: &self.index }
    }
}

impl StorageMut for Boxed {
    fn prepare(&mut self, needs: Needs) -> Result<EntriesMut<'_>, BuildError> {
        let (narrow, wide) = needs.points();
        // The largest power of two that is not above the number of points keeps an entry at 8 bytes or less.
        let index = needs.entries.checked_ilog2().map_or(0, |bits| 1 << bits.min(16));
        let zeroes = || Some((zeroed(narrow)?, zeroed(wide)?, zeroed(needs.entries)?, zeroed(index)?));
        // A heap that is too small is storage that is too small.
        let error = BuildError::TooFewPoints { needed: needs.entries, given: 0, wide: needs.wide };
        (self.points, self.wide, self.owners, self.index) = zeroes().ok_or(error)?;
        Ok(EntriesMut {
            points: &mut self.points,
            wide: &mut self.wide,
            owners: &mut self.owners,
            index: &mut self.index,
        })
    }

    fn trim(&mut self, entries: usize) {
        cut(&mut self.points, entries);
        cut(&mut self.wide, entries);
        cut(&mut self.owners, entries);
    }
}

/// Keeps the first `len` elements of a boxed slice.
fn cut<T>(boxed: &mut Box<[T]>, len: usize) {
    if len < boxed.len() {
        let mut elements = mem::take(boxed).into_vec();
        elements.truncate(len);
        *boxed = elements.into_boxed_slice();
    }
}

/// A boxed slice of zeros, if there is memory for it.
fn zeroed<T: Clone + Default>(len: usize) -> Option<Box<[T]>> {
    let mut elements = Vec::new();
    elements.try_reserve_exact(len).ok()?;
    elements.resize(len, T::default());
    Some(elements.into_boxed_slice())
}
