//! MurmurHash2, 32 bits, seeded with the length.
//!
//! Source: libhashkit `murmur.cc`.

use super::{
    Hasher,
    blocks::{Blocks, le32},
};

const FACTOR: u32 = 0x5bd1_e995;

/// MurmurHash2 with the seed 0xdeadbeef × length.
#[derive(Clone, Debug)]
pub(crate) struct Murmur2 {
    hash: u32,
    blocks: Blocks<4>,
}

impl Hasher for Murmur2 {
    type Output = u32;

    const NEEDS_LEN: bool = true;

    fn start(len: usize) -> Self {
        let len = len as u32;
        Self { hash: 0xdead_beef_u32.wrapping_mul(len) ^ len, blocks: Blocks::new() }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.blocks.write(bytes, |block| {
            let word = u32::from_le_bytes(*block).wrapping_mul(FACTOR);
            let word = (word ^ word >> 24).wrapping_mul(FACTOR);
            self.hash = self.hash.wrapping_mul(FACTOR) ^ word;
        });
    }

    fn finish(self) -> u32 {
        let mut hash = self.hash;
        if !self.blocks.rest().is_empty() {
            hash = (hash ^ le32(self.blocks.rest())).wrapping_mul(FACTOR);
        }
        hash = (hash ^ hash >> 13).wrapping_mul(FACTOR);
        hash ^ hash >> 15
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_libhashkit_does() {
        assert_eq!(Murmur2::of(b"tokyo"), 0x9ea1_d422);
        assert_eq!(Murmur2::of(b"test"), 0x7325_4c9f);
        assert_eq!(Murmur2::of(&[0xff, 0x80]), 0x68dd_8edc);
    }
}
