//! MD5 as placements use it: the digest as four little-endian words, the first of which is ketama's key hash.

use md5::{Digest as _, Md5};

use super::Hasher;
use crate::text::{Text, assemble};

/// An MD5 digest as four little-endian words; word 0 holds digest bytes 0 to 3.
pub type Words = [u32; 4];

/// Longest input of one block: 64 bytes less the 0x80 mark and the 8 bytes of length.
const ONE_BLOCK: usize = 55;

/// The digest of one slice.
#[must_use]
pub fn digest(bytes: &[u8]) -> Words {
    words(Md5::new().chain_update(bytes).finalize().as_slice())
}

/// The digest of a text that comes in pieces.
#[must_use]
pub fn digest_text(text: &dyn Text) -> Words {
    let mut block = [0; ONE_BLOCK];
    if let Some(bytes) = assemble(text, &mut block) {
        return digest(bytes);
    }
    let mut md5 = Md5::new();
    text.feed(&mut |piece| md5.update(piece));
    words(md5.finalize().as_slice())
}

/// The digest as one big-endian number, as scripting languages read it from hexadecimal digits.
#[must_use]
pub fn number(words: Words) -> u128 {
    words.iter().fold(0, |number, word| (number << 32) | u128::from(word.swap_bytes()))
}

fn words(digest: &[u8]) -> Words {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(digest.chunks_exact(4)) {
        *word = bytes.iter().rev().fold(0, |word, &byte| (word << 8) | u32::from(byte));
    }
    words
}

/// The first word of the digest.
#[derive(Clone, Debug)]
pub struct Md5Word(Md5);

impl Hasher for Md5Word {
    type Output = u32;

    fn start(_len: usize) -> Self {
        Self(Md5::new())
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self) -> u32 {
        let [first, ..] = words(self.0.finalize().as_slice());
        first
    }

    fn of(bytes: &[u8]) -> u32 {
        let [first, ..] = digest(bytes);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_little_endian_and_the_number_big_endian() {
        // RFC 1321, A.5: MD5 ("abc") = 900150983cd24fb0d6963f7d28e17f72
        assert_eq!(digest(b"abc"), [0x9850_0190, 0xb04f_d23c, 0x7d3f_96d6, 0x727f_e128]);
        assert_eq!(number(digest(b"abc")), 0x9001_5098_3cd2_4fb0_d696_3f7d_28e1_7f72);
    }

    #[test]
    fn pieces_hash_as_the_whole_on_both_sides_of_one_block() {
        let bytes = [b'x'; 130];
        for len in 0..bytes.len() {
            let (whole, _) = bytes.split_at(len);
            let (left, right) = whole.split_at(len / 3);
            let text = crate::text::Concat([&left as &dyn Text, &right]);
            assert_eq!(digest_text(&text), digest(whole), "{len} bytes");
            assert_eq!(Md5Word::of_text(&text), Md5Word::of(whole), "{len} bytes");
        }
    }
}
