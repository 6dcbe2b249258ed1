//! MD5 as placements use it: the digest as four little-endian words, the first of which is ketama's key hash.
//!
//! A ketama lookup is one MD5 of the key and little else, so the implementation is our own: it hashes a key where it
//! lies, without a copy or a state object, and many keys side by side.

use super::Hasher;
use crate::text::{Concat, Decimal, Text, assemble};

#[cfg(all(not(feature = "small"), any(target_arch = "x86_64", target_arch = "aarch64")))]
mod lanes;
mod padding;
mod rounds;
mod stream;

use padding::ONE_BLOCK;
use rounds::{START, compress};
use stream::Stream;

/// An MD5 digest as four little-endian words; word 0 holds digest bytes 0 to 3.
pub type Words = [u32; 4];

/// The digest of one slice.
#[must_use]
pub fn digest(bytes: &[u8]) -> Words {
    of(bytes)
}

/// The digest of a text that comes in pieces.
#[must_use]
pub fn digest_text(text: &dyn Text) -> Words {
    if let Some(bytes) = assemble(text, &mut [0; ONE_BLOCK]) {
        return digest(bytes);
    }
    let mut stream = Stream::new();
    text.feed(&mut |piece| stream.write(piece));
    stream.finish()
}

/// Hands out the digests of `lead`0, `lead`1 and so on, `count` of them.
pub fn digests_numbered(lead: &dyn Text, count: u32, sink: &mut dyn FnMut(Words)) {
    let begun = begin_numbered(lead, count, sink);
    for number in begun..count {
        sink(digest_text(&Concat([lead, &Decimal(number.into())])));
    }
}

/// Hands out the first of these digests where hashing them side by side is faster, and returns how many.
#[cfg(all(not(feature = "small"), any(target_arch = "x86_64", target_arch = "aarch64")))]
fn begin_numbered(lead: &dyn Text, count: u32, sink: &mut dyn FnMut(Words)) -> u32 {
    let mut buffer = [0; lanes::LONGEST_LEAD];
    let Some(lead) = assemble(lead, &mut buffer) else { return 0 };
    let mut number = 0;
    loop {
        match lanes::numbered(lead, number, count - number, sink) {
            0 => return number,
            done => number += done,
        }
    }
}

/// This processor has no vectors worth the code: hands out none.
#[cfg(not(all(not(feature = "small"), any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn begin_numbered(_lead: &dyn Text, _count: u32, _sink: &mut dyn FnMut(Words)) -> u32 {
    0
}

/// The digest as one big-endian number, as scripting languages read it from hexadecimal digits.
#[must_use]
pub fn number(words: Words) -> u128 {
    words.iter().fold(0, |number, word| (number << 32) | u128::from(word.swap_bytes()))
}

/// The digest of one slice, to be inlined: a caller that takes the first word alone does not compute the others.
#[inline(always)]
fn of(bytes: &[u8]) -> Words {
    #[cfg(not(feature = "small"))]
    if bytes.len() <= ONE_BLOCK {
        return compress(START, &padding::only_block(bytes));
    }
    finished(START, bytes, bytes.len())
}

/// The digest of a message of `len` bytes that ends in `bytes`, after whole blocks that led to `state`.
#[inline(never)]
fn finished(state: Words, bytes: &[u8], len: usize) -> Words {
    (0..padding::count(bytes.len()))
        .fold(state, |state, index| compress(state, &padding::block(bytes, len, index)))
}

/// The first word of the digest.
#[derive(Clone, Debug)]
pub struct Md5Word(Stream);

impl Hasher for Md5Word {
    type Output = u32;

    fn start(_len: usize) -> Self {
        Self(Stream::new())
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn finish(self) -> u32 {
        let [first, ..] = self.0.finish();
        first
    }

    fn of(bytes: &[u8]) -> u32 {
        let [first, ..] = of(bytes);
        first
    }

    fn of_text(text: &dyn Text) -> u32 {
        let [first, ..] = digest_text(text);
        first
    }

    #[cfg(all(not(feature = "small"), any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn of_many(keys: &[&[u8]], out: &mut [u32]) {
        lanes::of_many(keys, out);
    }
}

/// The last six decimal digits of the digest as a [`number`].
///
/// Source: the Python snippet `consistent_hashing.py`, which divides by a million on top.
#[derive(Clone, Debug)]
pub struct Md5SixDigits(Stream);

impl Hasher for Md5SixDigits {
    type Output = u32;

    const VALUES: u64 = 1_000_000;

    fn start(_len: usize) -> Self {
        Self(Stream::new())
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn finish(self) -> u32 {
        six_digits(self.0.finish())
    }

    fn of(bytes: &[u8]) -> u32 {
        six_digits(digest(bytes))
    }

    fn of_text(text: &dyn Text) -> u32 {
        six_digits(digest_text(text))
    }
}

fn six_digits(words: Words) -> u32 {
    let step = |rest: u64, word: u32| (rest << 32 | u64::from(word.swap_bytes())) % Md5SixDigits::VALUES;
    words.into_iter().fold(0, step) as u32
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use md5::{Digest as _, Md5};
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::hash::blocks::words32;

    /// The digest as the md-5 crate has it.
    fn by_crate(bytes: &[u8]) -> Words {
        words32(Md5::digest(bytes).as_slice())
    }

    #[test]
    fn six_digits_are_the_end_of_the_number() {
        for key in ["", "abc", "tokyo", "0_0", "99_159"] {
            let expected = number(digest(key.as_bytes())) % 1_000_000;
            assert_eq!(u128::from(Md5SixDigits::of(key.as_bytes())), expected, "{key}");
            assert_eq!(Md5SixDigits::of_text(&key), Md5SixDigits::of(key.as_bytes()));
        }
    }

    #[test]
    fn words_are_little_endian_and_the_number_big_endian() {
        // RFC 1321, A.5: MD5 ("abc") = 900150983cd24fb0d6963f7d28e17f72
        assert_eq!(digest(b"abc"), [0x9850_0190, 0xb04f_d23c, 0x7d3f_96d6, 0x727f_e128]);
        assert_eq!(number(digest(b"abc")), 0x9001_5098_3cd2_4fb0_d696_3f7d_28e1_7f72);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_length_hashes_as_the_md_5_crate_does(bytes in vec(any::<u8>(), 300)) {
            for len in 0..=bytes.len() {
                let message = &bytes[..len];
                let (left, right) = message.split_at(len / 3);
                let wanted = by_crate(message);
                prop_assert_eq!(digest(message), wanted, "{} bytes", len);
                prop_assert_eq!(digest_text(&Concat([&left as &dyn Text, &right])), wanted, "{} bytes in two", len);
                prop_assert_eq!(Md5Word::of(message), wanted[0], "{} bytes, one word", len);
            }
        }

        #[test]
        fn many_hash_as_each_alone(keys in vec(vec(any::<u8>(), 0..200), 0..150)) {
            let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
            let mut hashes = std::vec![0; keys.len()];
            Md5Word::of_many(&keys, &mut hashes);
            let alone: Vec<u32> = keys.iter().map(|key| Md5Word::of(key)).collect();
            prop_assert_eq!(hashes, alone);
        }
    }

    #[test]
    fn numbered_texts_hash_as_each_alone() {
        for lead in ["", "10.0.1.1-", &"x".repeat(44), &"x".repeat(45), &"x".repeat(46), &"x".repeat(100)] {
            for count in [0, 1, 9, 10, 11, 32, 40, 64, 105, 1005] {
                let mut number = 0;
                digests_numbered(&lead, count, &mut |words| {
                    assert_eq!(words, by_crate(std::format!("{lead}{number}").as_bytes()), "{lead}{number}");
                    number += 1;
                });
                assert_eq!(number, count);
            }
        }
    }

    #[test]
    fn keys_of_one_and_two_blocks_go_side_by_side_at_every_length() {
        for len in 0..=130 {
            let keys: Vec<Vec<u8>> = (0..40).map(|first| std::vec![first; len]).collect();
            let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
            let mut hashes = [0; 40];
            Md5Word::of_many(&keys, &mut hashes);
            for (key, hash) in keys.iter().zip(hashes) {
                assert_eq!(hash, by_crate(key)[0], "{len} bytes");
            }
        }
    }

    #[test]
    fn the_shorter_of_keys_and_room_decides_how_many() {
        let keys = [b"tokyo".as_slice(); 40];
        let mut hashes = [7; 42];
        Md5Word::of_many(&keys, &mut hashes);
        assert_eq!(hashes[38..], [0x0fc1_0cef, 0x0fc1_0cef, 7, 7]);
        Md5Word::of_many(&keys, &mut hashes[..1]);
    }
}
