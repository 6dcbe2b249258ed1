//! SipHash-1-3 with zero keys: the algorithm of `DefaultHasher` in Rust's standard library.
//!
//! Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", with one round to a word and three at the end.

use super::{
    Hasher,
    blocks::{Blocks, le64},
};

/// SipHash-1-3 with zero keys.
#[derive(Clone, Debug)]
pub(crate) struct SipHash13 {
    state: [u64; 4],
    blocks: Blocks<8>,
}

impl Hasher for SipHash13 {
    type Output = u64;

    fn start(_len: usize) -> Self {
        // "somepseudorandomlygeneratedbytes"
        let state =
            [0x736f_6d65_7073_6575, 0x646f_7261_6e64_6f6d, 0x6c79_6765_6e65_7261, 0x7465_6462_7974_6573];
        Self { state, blocks: Blocks::new() }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.blocks.write(bytes, |block| self.state = word(self.state, u64::from_le_bytes(*block)));
    }

    fn finish(self) -> u64 {
        let len = (self.blocks.len() as u64) << 56;
        let [a, b, c, d] = word(self.state, le64(self.blocks.rest()) | len);
        let [a, b, c, d] = round(round(round([a, b, c ^ 0xff, d])));
        a ^ b ^ c ^ d
    }
}

const fn word([a, b, c, d]: [u64; 4], word: u64) -> [u64; 4] {
    let [a, b, c, d] = round([a, b, c, d ^ word]);
    [a ^ word, b, c, d]
}

const fn round([a, b, c, d]: [u64; 4]) -> [u64; 4] {
    let (a, c) = (a.wrapping_add(b), c.wrapping_add(d));
    let (b, d) = (b.rotate_left(13) ^ a, d.rotate_left(16) ^ c);
    let (a, c) = (a.rotate_left(32).wrapping_add(d), c.wrapping_add(b));
    let (b, d) = (b.rotate_left(17) ^ c, d.rotate_left(21) ^ a);
    [a, b, c.rotate_left(32), d]
}

#[cfg(test)]
mod tests {
    use core::hash::Hasher as _;
    use std::hash::DefaultHasher;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hashes_as_the_standard_library_does(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            let mut peer = DefaultHasher::new();
            peer.write(&bytes);
            prop_assert_eq!(SipHash13::of(&bytes), peer.finish());
        }
    }
}
