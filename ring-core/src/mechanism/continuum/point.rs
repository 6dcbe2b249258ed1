//! Points of 32 and of 128 bits.

use crate::{hash::md5, scheme::Scheme, storage::Entries};

/// The value of a point, and of a key's position among the points.
pub trait Point: Copy + Ord + Sync + 'static {
    /// Whether the value takes 128 bits.
    const WIDE: bool;

    /// The points of this width.
    fn of<'e>(entries: &Entries<'e>) -> &'e [Self];

    /// Which of two slices holds points of this width.
    fn of_mut<'e>(points: &'e mut [u32], wide: &'e mut [u128]) -> &'e mut [Self];

    /// Where a key is on a ring of such points: the scheme's hash of it, or all of its MD5 as one number.
    fn position(scheme: &Scheme<'_>, key: &[u8]) -> Self;

    /// Where many keys are; the shorter slice decides how many.
    fn positions(scheme: &Scheme<'_>, keys: &[&[u8]], out: &mut [Self]) {
        for (position, key) in out.iter_mut().zip(keys) {
            *position = Self::position(scheme, key);
        }
    }

    /// The value whose lowest bits are `hash`.
    fn from_hash(hash: u32) -> Self;

    /// The highest 32 bits.
    fn head(self) -> u32;

    /// The next higher value, if there is one.
    fn above(self) -> Option<Self>;

    /// The difference, going round below zero.
    #[must_use]
    fn minus(self, other: Self) -> Self;

    /// The remainder of a division by `count`; 0 for none.
    fn modulo(self, count: usize) -> usize;
}

impl Point for u32 {
    const WIDE: bool = false;

    fn of<'e>(entries: &Entries<'e>) -> &'e [Self] {
        entries.points
    }

    fn of_mut<'e>(points: &'e mut [u32], _wide: &'e mut [u128]) -> &'e mut [Self] {
        points
    }

    #[inline]
    fn position(scheme: &Scheme<'_>, key: &[u8]) -> Self {
        scheme.hash_key(key)
    }

    fn positions(scheme: &Scheme<'_>, keys: &[&[u8]], out: &mut [Self]) {
        scheme.hash_keys(keys, out);
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

    fn modulo(self, count: usize) -> usize {
        Self::try_from(count).ok().and_then(|count| self.checked_rem(count)).unwrap_or(0) as usize
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

    fn position(scheme: &Scheme<'_>, key: &[u8]) -> Self {
        md5::number(md5::digest_text(&scheme.key.of(key)))
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

    fn modulo(self, count: usize) -> usize {
        self.checked_rem(count as Self).unwrap_or(0) as usize
    }
}
