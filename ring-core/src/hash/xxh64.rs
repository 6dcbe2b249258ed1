//! xxHash64 with the seed 0: the key hash of the jump selectors of Thanos, Cortex, Loki and Mimir.
//!
//! Source: the xxHash specification, `doc/xxhash_spec.md`, section "XXH64 algorithm".

use super::{
    Hasher,
    blocks::{Blocks, le32, le64, words64},
};

const PRIME_1: u64 = 0x9e37_79b1_85eb_ca87;
const PRIME_2: u64 = 0xc2b2_ae3d_27d4_eb4f;
const PRIME_3: u64 = 0x1656_67b1_9e37_79f9;
const PRIME_4: u64 = 0x85eb_ca77_c2b2_ae63;
const PRIME_5: u64 = 0x27d4_eb2f_1656_67c5;

/// xxHash64 with the seed 0.
#[derive(Clone, Debug)]
pub struct Xxh64 {
    lanes: [u64; 4],
    blocks: Blocks<32>,
}

impl Hasher for Xxh64 {
    type Output = u64;

    fn start(_len: usize) -> Self {
        Self {
            lanes: [PRIME_1.wrapping_add(PRIME_2), PRIME_2, 0, PRIME_1.wrapping_neg()],
            blocks: Blocks::new(),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.blocks.write(bytes, |block| {
            for (lane, word) in self.lanes.iter_mut().zip(words64::<4>(block)) {
                *lane = round(*lane, word);
            }
        });
    }

    fn finish(self) -> u64 {
        let len = self.blocks.len();
        let mut hash = if len < 32 { PRIME_5 } else { merged(self.lanes) };
        hash = hash.wrapping_add(len as u64);

        let mut rest = self.blocks.rest();
        while let Some((word, behind)) = rest.split_at_checked(8) {
            hash = (hash ^ round(0, le64(word))).rotate_left(27).wrapping_mul(PRIME_1).wrapping_add(PRIME_4);
            rest = behind;
        }
        if let Some((word, behind)) = rest.split_at_checked(4) {
            hash ^= u64::from(le32(word)).wrapping_mul(PRIME_1);
            hash = hash.rotate_left(23).wrapping_mul(PRIME_2).wrapping_add(PRIME_3);
            rest = behind;
        }
        for &byte in rest {
            hash = (hash ^ u64::from(byte).wrapping_mul(PRIME_5)).rotate_left(11).wrapping_mul(PRIME_1);
        }

        hash = (hash ^ hash >> 33).wrapping_mul(PRIME_2);
        hash = (hash ^ hash >> 29).wrapping_mul(PRIME_3);
        hash ^ hash >> 32
    }
}

fn round(lane: u64, word: u64) -> u64 {
    lane.wrapping_add(word.wrapping_mul(PRIME_2)).rotate_left(31).wrapping_mul(PRIME_1)
}

fn merged(lanes: [u64; 4]) -> u64 {
    let sum = lanes
        .iter()
        .zip([1, 7, 12, 18])
        .fold(0_u64, |sum, (lane, bits)| sum.wrapping_add(lane.rotate_left(bits)));
    lanes.iter().fold(sum, |hash, &lane| (hash ^ round(0, lane)).wrapping_mul(PRIME_1).wrapping_add(PRIME_4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_the_reference_does() {
        assert_eq!(Xxh64::of(b""), 0xef46_db37_51d8_e999);
        assert_eq!(Xxh64::of(b"tokyo"), 0xcb4f_1dc6_bc5b_5213);
        assert_eq!(Xxh64::of(b"test"), 0x4fdc_ca5d_db67_8139);
    }
}
