//! Where a placement keeps what it has built: in fixed arrays, in lent slices, in boxes or in flash.
//!
//! An entry is a point (32 bits, 128 for a few schemes) and its owner (16 bits), in slices of their own. An optional
//! index of 16-bit corrections makes the search about twice as fast; give it half as many entries as there are
//! points or up to as many.

use crate::scheme::BuildError;

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

/// What a placement stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Entries: a point and an owner each.
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
    /// Where to begin looking, or empty.
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
    /// Where to begin looking.
    pub index: &'e mut [i16],
}

impl<'e> EntriesMut<'e> {
    /// Exactly the entries that are needed.
    ///
    /// # Errors
    /// [`BuildError::TooFewPoints`] when there are fewer.
    pub fn cut(self, needs: Needs) -> Result<Self, BuildError> {
        let points = if needs.wide { self.wide.len() } else { self.points.len() };
        let given = points.min(self.owners.len());
        let (narrow, wide) = if needs.wide { (0, needs.entries) } else { (needs.entries, 0) };
        let error = BuildError::TooFewPoints { needed: needs.entries, given, wide: needs.wide };
        Ok(Self {
            points: self.points.get_mut(..narrow).ok_or(error)?,
            wide: self.wide.get_mut(..wide).ok_or(error)?,
            owners: self.owners.get_mut(..needs.entries).ok_or(error)?,
            index: self.index,
        })
    }
}

/// Storage that holds a built placement.
pub trait Storage {
    /// The entries in use.
    fn entries(&self) -> Entries<'_>;
}

/// Storage that a placement can be built into.
pub trait StorageMut: Storage {
    /// Room for what is needed.
    ///
    /// # Errors
    /// [`BuildError::TooFewPoints`] when there is too little; nothing was changed then.
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
