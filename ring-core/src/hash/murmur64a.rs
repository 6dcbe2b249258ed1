//! MurmurHash64A, the hash under mcrouter's ch3.
//!
//! Source: mcrouter `mcrouter/lib/fbi/hash.c`, `murmur_hash_64A` and its seed `FURC_SEED`.

use super::{
    Hasher,
    blocks::{Blocks, le64},
};

const SEED: u64 = 4_193_360_111;
const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;

/// MurmurHash64A with mcrouter's seed.
#[derive(Clone, Debug)]
pub struct Murmur64a {
    hash: u64,
    blocks: Blocks<8>,
}

impl Murmur64a {
    /// The hash of the eight bytes of `word`, lowest first: how ch3 comes from one word to the next.
    #[must_use]
    pub fn of_word(word: u64) -> u64 {
        Self::of(&word.to_le_bytes())
    }
}

impl Hasher for Murmur64a {
    type Output = u64;

    const NEEDS_LEN: bool = true;

    fn start(len: usize) -> Self {
        Self { hash: SEED ^ (len as u64).wrapping_mul(FACTOR), blocks: Blocks::new() }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.blocks.write(bytes, |block| {
            let word = u64::from_le_bytes(*block).wrapping_mul(FACTOR);
            let word = (word ^ word >> 47).wrapping_mul(FACTOR);
            self.hash = (self.hash ^ word).wrapping_mul(FACTOR);
        });
    }

    fn finish(self) -> u64 {
        let mut hash = self.hash;
        if !self.blocks.rest().is_empty() {
            hash = (hash ^ le64(self.blocks.rest())).wrapping_mul(FACTOR);
        }
        hash = (hash ^ hash >> 47).wrapping_mul(FACTOR);
        hash ^ hash >> 47
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_mcrouter_does() {
        assert_eq!(Murmur64a::of(b"tokyo"), 0xbf22_af66_3d79_35fc);
        assert_eq!(Murmur64a::of(b"test"), 0xf236_ea7f_52c9_5660);
        assert_eq!(Murmur64a::of_word(0x6f_796b_6f74), Murmur64a::of(b"tokyo\0\0\0"));
    }
}
