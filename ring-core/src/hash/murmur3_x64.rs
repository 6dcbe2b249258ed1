//! MurmurHash3 x64, 128 bits, seed 0, and the odd 32 bits that emcache takes of it.

use super::{
    Hasher,
    blocks::{Blocks, words64},
    signed,
};

const FACTORS: [u64; 2] = [0x87c3_7b91_1142_53d5, 0x4cf5_ad43_2745_937f];

/// MurmurHash3 x64 with the seed 0, both halves.
#[derive(Clone, Debug)]
pub(crate) struct Murmur3X64 {
    state: [u64; 2],
    blocks: Blocks<16>,
}

impl Hasher for Murmur3X64 {
    type Output = [u64; 2];

    fn start(_len: usize) -> Self {
        Self { state: [0; 2], blocks: Blocks::new() }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.blocks.write(bytes, |block| {
            let [a, b] = added(self.state, block);
            let a = a.rotate_left(27).wrapping_add(self.state[1]).wrapping_mul(5).wrapping_add(0x52dc_e729);
            let b = b.rotate_left(31).wrapping_add(a).wrapping_mul(5).wrapping_add(0x3849_5ab5);
            self.state = [a, b];
        });
    }

    fn finish(self) -> [u64; 2] {
        let len = self.blocks.len() as u64;
        let [a, b] = summed(added(self.state, &self.blocks.padded()).map(|half| half ^ len));
        summed([avalanche(a), avalanche(b)])
    }
}

fn added([a, b]: [u64; 2], block: &[u8; 16]) -> [u64; 2] {
    let [low, high] = words64(block);
    let [first, second] = FACTORS;
    [
        a ^ low.wrapping_mul(first).rotate_left(31).wrapping_mul(second),
        b ^ high.wrapping_mul(second).rotate_left(33).wrapping_mul(first),
    ]
}

fn summed([a, b]: [u64; 2]) -> [u64; 2] {
    let a = a.wrapping_add(b);
    [a, b.wrapping_add(a)]
}

fn avalanche(mut half: u64) -> u64 {
    half = (half ^ half >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    half = (half ^ half >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    half ^ half >> 33
}

/// The lowest four bytes as emcache reads them: each is a `char`, sign-extended before it is masked to its place and
/// never shifted there.
///
/// So the first byte counts, and of the others only whether they are 0x80 or more: 640 values in all. The rule is that
/// of x86-64; where `char` is unsigned emcache places differently.
///
/// Source: emcache 1.3.3 `emcache/_cython/hashing/rendezvous.pyx`, `_hash`.
#[derive(Clone, Debug)]
pub(crate) struct Emcache(Murmur3X64);

impl Hasher for Emcache {
    type Output = u32;

    const VALUES: u64 = 0;

    fn start(len: usize) -> Self {
        Self(Murmur3X64::start(len))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn finish(self) -> u32 {
        let [low, _] = self.0.finish();
        let [a, b, c, d, ..] = low.to_le_bytes();
        signed(a) | signed(b) & 0xffff_ff00 | signed(c) & 0xffff_0000 | signed(d) & 0xff00_0000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_the_reference_does() {
        // The check value of the reference implementation's users: the phrase with seed 0.
        let phrase = b"The quick brown fox jumps over the lazy dog";
        assert_eq!(Murmur3X64::of(phrase), [0xe34b_bc7b_bc07_1b6c, 0x7a43_3ca9_c49a_9347]);
        assert_eq!(Murmur3X64::of(b""), [0, 0]);
    }

    #[test]
    fn emcache_keeps_one_byte_and_three_signs() {
        assert_eq!(Emcache::of(b"10.0.1.111211"), 0xffff_ff86);
        assert_eq!(Emcache::of(b"10.0.1.211211"), 0x25);
        assert_eq!(Emcache::of(b"10.0.1.311211"), 0xffff_ffe2);
    }
}
