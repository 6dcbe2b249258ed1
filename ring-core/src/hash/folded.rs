//! What peers make of a hash before they use it: fewer bits, or never zero.

use core::marker::PhantomData;

use super::Hasher;
use crate::text::Text;

/// A change made to a finished hash.
pub(crate) trait Fold {
    /// Returns the changed `hash`.
    fn fold(hash: u32) -> u32;

    /// The number of values that 2³² equally likely hashes become, if they count up from 0 and are equally likely; else 0.
    const VALUES: u64;
}

/// The hash of `H`, changed by `F`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Folded<H, F>(H, PhantomData<F>);

impl<H: Hasher<Output = u32>, F: Fold> Hasher for Folded<H, F> {
    type Output = u32;

    const NEEDS_LEN: bool = H::NEEDS_LEN;

    const VALUES: u64 = F::VALUES;

    fn start(len: usize) -> Self {
        Self(H::start(len), PhantomData)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn finish(self) -> u32 {
        F::fold(self.0.finish())
    }

    fn of(bytes: &[u8]) -> u32 {
        F::fold(H::of(bytes))
    }

    fn of_text(text: &dyn Text) -> u32 {
        F::fold(H::of_text(text))
    }

    fn of_many(keys: &[&[u8]], out: &mut [u32]) {
        H::of_many(keys, out);
        for (hash, _) in out.iter_mut().zip(keys) {
            *hash = F::fold(*hash);
        }
    }
}

/// `(h >> 16) & 0x7fff`: the upper half without its sign, 15 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upper15;

impl Fold for Upper15 {
    const VALUES: u64 = 1 << 15;

    fn fold(hash: u32) -> u32 {
        (hash >> 16) & 0x7fff
    }
}

/// [`Upper15`], but 1 where that is 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upper15Or1;

impl Fold for Upper15Or1 {
    const VALUES: u64 = 0;

    fn fold(hash: u32) -> u32 {
        Upper15::fold(hash).max(1)
    }
}

/// `h & 0x7fffffff`: no sign, 31 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lower31;

impl Fold for Lower31 {
    const VALUES: u64 = 1 << 31;

    fn fold(hash: u32) -> u32 {
        hash & 0x7fff_ffff
    }
}

/// `h ^ 0x80000000`: an unsigned number for each signed one, in the same order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignFirst;

impl Fold for SignFirst {
    const VALUES: u64 = 1 << 32;

    fn fold(hash: u32) -> u32 {
        hash ^ 0x8000_0000
    }
}
