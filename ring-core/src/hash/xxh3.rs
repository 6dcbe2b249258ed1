//! XXH3 with 64 bits: the hash of the proxy in memcached, for keys and for points.
//!
//! The length of a text decides how it is hashed: there is one way for up to 16 bytes, one for up to 128, one for up to
//! 240, and one for longer texts, in stripes of 64 bytes.
//!
//! Source: the xxHash specification, `doc/xxhash_spec.md`, section "XXH3 algorithm".

use super::{
    Hasher,
    blocks::{Blocks, le32, le64, words64},
};

/// XXH3 of 64 bits with the seed 0.
#[derive(Clone, Debug)]
pub struct Xxh3(Seeded);

impl Hasher for Xxh3 {
    type Output = u64;

    const NEEDS_LEN: bool = true;

    fn start(len: usize) -> Self {
        Self(Seeded::start(len, 0))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn finish(self) -> u64 {
        self.0.finish()
    }

    fn of(bytes: &[u8]) -> u64 {
        if bytes.len() <= MIDDLE { short(bytes, 0) } else { whole::<Self>(bytes) }
    }
}

/// XXH3 of 64 bits, whose seed is the first eight bytes of the text, the least significant first.
///
/// The bytes after these are hashed. The seed of a shorter text is the text with zeros after it.
#[derive(Clone, Debug)]
pub struct Xxh3Seeded {
    len: usize,
    seed: Blocks<SEED_LEN>,
    hash: Option<Seeded>,
}

impl Hasher for Xxh3Seeded {
    type Output = u64;

    const NEEDS_LEN: bool = true;

    fn start(len: usize) -> Self {
        Self { len: len.saturating_sub(SEED_LEN), seed: Blocks::new(), hash: None }
    }

    fn write(&mut self, bytes: &[u8]) {
        let missing = SEED_LEN.saturating_sub(self.seed.len());
        let (seed, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
        let (len, hash) = (self.len, &mut self.hash);
        self.seed.write(seed, |seed| *hash = Some(Seeded::start(len, u64::from_le_bytes(*seed))));
        if let Some(hash) = hash {
            hash.write(rest);
        }
    }

    fn finish(self) -> u64 {
        match self.hash {
            Some(hash) => hash.finish(),
            None => short(&[], u64::from_le_bytes(self.seed.padded())),
        }
    }
}

/// Bytes of a seed.
const SEED_LEN: usize = 8;

/// The lower half of a hash of 64 bits.
#[derive(Clone, Debug)]
pub(crate) struct LowerHalf<H>(H);

impl<H: Hasher<Output = u64>> Hasher for LowerHalf<H> {
    type Output = u32;

    const NEEDS_LEN: bool = H::NEEDS_LEN;

    fn start(len: usize) -> Self {
        Self(H::start(len))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn finish(self) -> u32 {
        self.0.finish() as u32
    }

    fn of(bytes: &[u8]) -> u32 {
        H::of(bytes) as u32
    }
}

/// The hash of one slice, through all of the hasher.
fn whole<H: Hasher>(bytes: &[u8]) -> H::Output {
    let mut hasher = H::start(bytes.len());
    hasher.write(bytes);
    hasher.finish()
}

/// Longest text that is hashed in one piece.
const MIDDLE: usize = 240;

/// Bytes of a stripe.
const STRIPE: usize = 64;

/// Stripes until the accumulators are scrambled.
const STRIPES_IN_BLOCK: usize = (SECRET.len() - STRIPE) / 8;

/// A hash with a seed, of a text whose length is known.
#[derive(Clone, Debug)]
struct Seeded {
    len: usize,
    seed: u64,
    /// A text of up to [`MIDDLE`] bytes.
    held: [u8; MIDDLE],
    used: usize,
    /// A longer one: the stripes met, the one before the bytes that are not one yet, and the result so far.
    stripes: Blocks<STRIPE>,
    number: usize,
    last: [u8; STRIPE],
    accumulators: [u64; 8],
}

impl Seeded {
    fn start(len: usize, seed: u64) -> Self {
        let accumulators =
            [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1];
        let stripes = Blocks::new();
        Self { len, seed, held: [0; MIDDLE], used: 0, stripes, number: 0, last: [0; STRIPE], accumulators }
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.len <= MIDDLE {
            let places = self.held.get_mut(self.used..).unwrap_or_default();
            for (place, byte) in places.iter_mut().zip(bytes) {
                *place = *byte;
            }
            self.used = self.used.saturating_add(bytes.len()).min(MIDDLE);
            return;
        }
        // The last stripe, whole or not, is added by `finish`.
        let counted = (self.len - 1) / STRIPE;
        let Self { seed, number, last, accumulators, .. } = self;
        self.stripes.write(bytes, |stripe| {
            *last = *stripe;
            if *number < counted {
                let index = *number % STRIPES_IN_BLOCK;
                accumulate(accumulators, stripe, 8 * index, *seed);
                if index + 1 == STRIPES_IN_BLOCK {
                    scramble(accumulators, *seed);
                }
                *number += 1;
            }
        });
    }

    fn finish(self) -> u64 {
        if self.len <= MIDDLE {
            return short(self.held.get(..self.used).unwrap_or_default(), self.seed);
        }
        // The last 64 bytes, of which the stripe before may have some.
        let (before, rest) = (self.last, self.stripes.rest());
        let mut last = [0; STRIPE];
        let ends = before.get(rest.len()..).unwrap_or_default().iter().chain(rest);
        for (place, byte) in last.iter_mut().zip(ends) {
            *place = *byte;
        }
        let mut accumulators = self.accumulators;
        accumulate(&mut accumulators, &last, SECRET.len() - STRIPE - 7, self.seed);

        let start = (self.len as u64).wrapping_mul(PRIME64_1);
        let pairs = accumulators.chunks_exact(2).zip((0..).step_by(16));
        avalanche(pairs.fold(start, |hash, (pair, at)| {
            let [left, right] = pair else { return hash };
            let folded = multiplied(
                left ^ seeded_secret(11 + at, self.seed),
                right ^ seeded_secret(19 + at, self.seed),
            );
            hash.wrapping_add(folded)
        }))
    }
}

/// Adds a stripe to the accumulators, with the secret from `at` on.
fn accumulate(accumulators: &mut [u64; 8], stripe: &[u8; STRIPE], at: usize, seed: u64) {
    let words = words64::<8>(stripe);
    let mut next = *accumulators;
    for (lane, word) in words.into_iter().enumerate() {
        let keyed = word ^ seeded_secret(at + 8 * lane, seed);
        if let Some(neighbour) = next.get_mut(lane ^ 1) {
            *neighbour = neighbour.wrapping_add(word);
        }
        if let Some(own) = next.get_mut(lane) {
            *own = own.wrapping_add((keyed & 0xffff_ffff).wrapping_mul(keyed >> 32));
        }
    }
    *accumulators = next;
}

fn scramble(accumulators: &mut [u64; 8], seed: u64) {
    for (accumulator, at) in accumulators.iter_mut().zip((SECRET.len() - STRIPE..).step_by(8)) {
        let mixed = *accumulator ^ *accumulator >> 47 ^ seeded_secret(at, seed);
        *accumulator = mixed.wrapping_mul(PRIME32_1);
    }
}

/// The hash of a text of up to [`MIDDLE`] bytes.
fn short(text: &[u8], seed: u64) -> u64 {
    let len = text.len();
    let mix = |at: usize, secret_at: usize| mixed(text, at, secret_at, seed);
    match len {
        0 => finished(seed ^ secret(56) ^ secret(64)),
        1..=3 => {
            let byte = |at: usize| u64::from(text.get(at).copied().unwrap_or(0));
            let combined = byte(0) << 16 | byte(len >> 1) << 24 | byte(len - 1) | (len as u64) << 8;
            let flip = ((secret(0) & 0xffff_ffff) ^ (secret(0) >> 32)).wrapping_add(seed);
            finished(combined ^ flip)
        }
        4..=8 => {
            let seed = seed ^ u64::from((seed as u32).swap_bytes()) << 32;
            let word = |at: usize| u64::from(le32(from(text, at)));
            let flip = (secret(8) ^ secret(16)).wrapping_sub(seed);
            let hash = (word(len - 4).wrapping_add(word(0) << 32)) ^ flip;
            let hash = (hash ^ hash.rotate_left(49) ^ hash.rotate_left(24)).wrapping_mul(SHORT_PRIME);
            let hash = (hash ^ (hash >> 35).wrapping_add(len as u64)).wrapping_mul(SHORT_PRIME);
            hash ^ hash >> 28
        }
        9..=16 => {
            let low = word(text, 0) ^ (secret(24) ^ secret(32)).wrapping_add(seed);
            let high = word(text, len - 8) ^ (secret(40) ^ secret(48)).wrapping_sub(seed);
            let sum = (len as u64).wrapping_add(low.swap_bytes()).wrapping_add(high);
            avalanche(sum.wrapping_add(multiplied(low, high)))
        }
        17..=128 => {
            // Pairs of sixteen bytes from both ends, as many as there are.
            let start = (len as u64).wrapping_mul(PRIME64_1);
            let pairs = (len - 1) / 32 + 1;
            avalanche((0..pairs).fold(start, |hash, pair| {
                let (front, back) = (mix(16 * pair, 32 * pair), mix(len - 16 * (pair + 1), 32 * pair + 16));
                hash.wrapping_add(front).wrapping_add(back)
            }))
        }
        _ => {
            let start = (len as u64).wrapping_mul(PRIME64_1);
            let first = (0..8).fold(start, |hash, part| hash.wrapping_add(mix(16 * part, 16 * part)));
            let hash = (8..len / 16)
                .fold(avalanche(first), |hash, part| hash.wrapping_add(mix(16 * part, 16 * (part - 8) + 3)));
            avalanche(hash.wrapping_add(mix(len - 16, 136 - 17)))
        }
    }
}

/// Sixteen bytes of `text` with sixteen of the secret and the seed.
fn mixed(text: &[u8], at: usize, secret_at: usize, seed: u64) -> u64 {
    multiplied(
        word(text, at) ^ secret(secret_at).wrapping_add(seed),
        word(text, at + 8) ^ secret(secret_at + 8).wrapping_sub(seed),
    )
}

/// The exclusive or of the two halves of the product, which has 128 bits.
const fn multiplied(left: u64, right: u64) -> u64 {
    let product = left as u128 * right as u128;
    product as u64 ^ (product >> 64) as u64
}

const fn avalanche(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 37).wrapping_mul(0x1656_6791_9e37_79f9);
    hash ^ hash >> 32
}

/// The end of XXH64, which the shortest texts share.
const fn finished(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 33).wrapping_mul(PRIME64_2);
    let hash = (hash ^ hash >> 29).wrapping_mul(PRIME64_3);
    hash ^ hash >> 32
}

/// The bytes of `text` from `at` on.
fn from(text: &[u8], at: usize) -> &[u8] {
    text.get(at..).unwrap_or_default()
}

/// The eight bytes of `text` from `at` on.
fn word(text: &[u8], at: usize) -> u64 {
    let rest = from(text, at);
    le64(rest.get(..8).unwrap_or(rest))
}

/// The eight bytes of the secret from `at` on.
fn secret(at: usize) -> u64 {
    word(&SECRET, at)
}

/// Long texts with a seed, which changes the secret word by word.
fn seeded_secret(at: usize, seed: u64) -> u64 {
    // A word that begins between two of the secret's own has bytes of both.
    let own = |at: usize| match at / 8 % 2 {
        0 => secret(at).wrapping_add(seed),
        _ => secret(at).wrapping_sub(seed),
    };
    let (begin, past) = (at / 8 * 8, at % 8 * 8);
    match past {
        0 => own(begin),
        _ => own(begin) >> past | own(begin + 8) << (64 - past),
    }
}

const SHORT_PRIME: u64 = 0x9fb2_1c65_1e98_df25;
const PRIME32_1: u64 = 0x9e37_79b1;
const PRIME32_2: u64 = 0x85eb_ca77;
const PRIME32_3: u64 = 0xc2b2_ae3d;
const PRIME64_1: u64 = 0x9e37_79b1_85eb_ca87;
const PRIME64_2: u64 = 0xc2b2_ae3d_27d4_eb4f;
const PRIME64_3: u64 = 0x1656_67b1_9e37_79f9;
const PRIME64_4: u64 = 0x85eb_ca77_c2b2_ae63;
const PRIME64_5: u64 = 0x27d4_eb2f_1656_67c5;

/// The specification's default secret.
const SECRET: [u8; 192] = [
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, 0xde,
    0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f, 0xcb, 0x79,
    0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21, 0xb8, 0x08, 0x46,
    0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb,
    0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3, 0x71, 0x64, 0x48, 0x97, 0xa2,
    0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8, 0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c,
    0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59,
    0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3,
    0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb, 0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3,
    0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e, 0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8,
    0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb,
    0xca, 0xbb, 0x4b, 0x40, 0x7e,
];

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_seed_is_in_front_of_the_text() {
        let seeded = |seed: u64, text: &[u8]| Xxh3Seeded::of(&[&seed.to_le_bytes(), text].concat());
        for len in [0, 1, 4, 9, 17, 129, 240, 241, 1024, 1025, 5000] {
            let text: Vec<u8> = (0..len).map(|number| number as u8).collect();
            assert_eq!(seeded(0, &text), Xxh3::of(&text), "{len} bytes");
        }
        // By the reference.
        assert_eq!(seeded(0x9e37_79b9_7f4a_7c15, b"tokyo"), 0x406f_51da_ecd0_4224);
        assert_eq!(Xxh3Seeded::of(&[1]), Xxh3Seeded::of(&1_u64.to_le_bytes()));
    }
}
