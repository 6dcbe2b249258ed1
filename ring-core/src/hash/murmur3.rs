//! MurmurHash3 x86, 32 bits: plain, seeded with the length, and over characters.

use super::{
    Hasher,
    blocks::{Blocks, le32},
    folded::{Folded, SignFirst},
    utf8::Utf8,
};

/// MurmurHash3 with the seed 0.
#[derive(Clone, Debug)]
pub(crate) struct Murmur3 {
    hash: u32,
    blocks: Blocks<4>,
}

impl Murmur3 {
    /// Begins a hash with `seed`.
    #[must_use]
    pub(crate) const fn seeded(seed: u32) -> Self {
        Self { hash: seed, blocks: Blocks::new() }
    }
}

impl Hasher for Murmur3 {
    type Output = u32;

    fn start(_len: usize) -> Self {
        Self::seeded(0)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.blocks.write(bytes, |block| {
            let hash = (self.hash ^ scrambled(u32::from_le_bytes(*block))).rotate_left(13);
            self.hash = hash.wrapping_mul(5).wrapping_add(0xe654_6b64);
        });
    }

    fn finish(self) -> u32 {
        let mut hash = self.hash ^ scrambled(le32(self.blocks.rest())) ^ self.blocks.len() as u32;
        hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
        hash ^ hash >> 16
    }
}

fn scrambled(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

/// MurmurHash3 with the seed 0xdeadbeef × length.
///
/// Source: libhashkit `murmur3.cc`.
#[derive(Clone, Debug)]
pub(crate) struct Murmur3SeededByLen(Murmur3);

impl Hasher for Murmur3SeededByLen {
    type Output = u32;

    const NEEDS_LEN: bool = true;

    fn start(len: usize) -> Self {
        Self(Murmur3::seeded(0xdead_beef_u32.wrapping_mul(len as u32)))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn finish(self) -> u32 {
        self.0.finish()
    }
}

/// [`Murmur3`] over the characters of UTF-8 text, each as the lowest byte of its number.
///
/// Keys of ASCII hash as their bytes; `é` is the one byte E9, and `東` (U+6771) the one byte 71. Bytes that are no UTF-8
/// count as U+FFFD, once for each longest run that could have begun a character.
///
/// Source: pymemcache 4.0.0 `pymemcache/client/murmur3.py`, which hashes `ord(character) & 0xff`.
#[derive(Clone, Debug)]
pub(crate) struct Murmur3Chars {
    murmur: Murmur3,
    utf8: Utf8,
}

impl Hasher for Murmur3Chars {
    type Output = u32;

    fn start(len: usize) -> Self {
        Self { murmur: Murmur3::start(len), utf8: Utf8::new() }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.utf8.write(bytes, |character| self.murmur.write(&[character as u8]));
    }

    fn finish(mut self) -> u32 {
        if let Some(character) = self.utf8.finish() {
            self.murmur.write(&[character as u8]);
        }
        self.murmur.finish()
    }
}

/// [`Murmur3`] with its highest bit flipped, for a peer that compares hashes as signed numbers.
pub(crate) type Murmur3Signed = Folded<Murmur3, SignFirst>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_libhashkit_and_pymemcache_do() {
        assert_eq!(Murmur3SeededByLen::of(b"tokyo"), 0xfaac_1eeb);
        assert_eq!(Murmur3SeededByLen::of(&[0xff, 0x80]), 0xe422_9026);
        assert_eq!(Murmur3::of(b"10.0.1.1:11211-tokyo"), 0x7ea9_cdd9);
        assert_eq!(Murmur3Chars::of(b"10.0.1.1:11211-tokyo"), 0x7ea9_cdd9);
    }

    #[test]
    fn a_character_is_its_lowest_byte() {
        assert_eq!(Murmur3Chars::of("é東😀".as_bytes()), Murmur3::of(&[0xe9, 0x71, 0x00]));
    }
}
