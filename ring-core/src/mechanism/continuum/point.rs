//! Points of 32 and of 128 bits.

use crate::storage::Entries;

/// The value of a point, and of a key's position among the points.
pub trait Point: Copy + Ord + Sync + 'static {
    /// Whether the value takes 128 bits.
    const WIDE: bool;

    /// The points of this width.
    fn of<'e>(entries: &Entries<'e>) -> &'e [Self];

    /// Which of two slices holds points of this width.
    fn of_mut<'e>(points: &'e mut [u32], wide: &'e mut [u128]) -> &'e mut [Self];

    /// The value whose lowest bits are `hash`.
    fn from_hash(hash: u32) -> Self;

    /// The highest 32 bits.
    fn head(self) -> u32;

    /// The next higher value, if there is one.
    fn above(self) -> Option<Self>;

    /// The difference, going round below zero.
    #[must_use]
    fn minus(self, other: Self) -> Self;
}

impl Point for u32 {
    const WIDE: bool = false;

    fn of<'e>(entries: &Entries<'e>) -> &'e [Self] {
        entries.points
    }

    fn of_mut<'e>(points: &'e mut [u32], _wide: &'e mut [u128]) -> &'e mut [Self] {
        points
    }

    fn from_hash(hash: u32) -> Self {
        hash
    }

    fn head(self) -> u32 {
        self
    }

    fn above(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
}

impl Point for u128 {
    const WIDE: bool = true;

    fn of<'e>(entries: &Entries<'e>) -> &'e [Self] {
        entries.wide
    }

    fn of_mut<'e>(_points: &'e mut [u32], wide: &'e mut [u128]) -> &'e mut [Self] {
        wide
    }

    fn from_hash(hash: u32) -> Self {
        hash.into()
    }

    fn head(self) -> u32 {
        (self >> 96) as u32
    }

    fn above(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
}
