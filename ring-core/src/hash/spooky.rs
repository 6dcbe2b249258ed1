//! SpookyHash V2 cut to 32 bits, which mcrouter's weighted ch3 weighs keys with.
//!
//! Source: folly `folly/hash/SpookyHashV2.cpp`, `Hash32`; the seed is in mcrouter `mcrouter/lib/WeightedCh3HashFunc.cpp`.

use super::{
    Hasher,
    blocks::{Blocks, words64},
};

const SEED: u64 = 0xface_2014;
/// Spooky's `sc_const`: odd, and neither regular nor random.
const FILLER: u64 = 0xdead_beef_dead_beef;
/// From this length on the long form is used.
const LONG: usize = 192;

/// The lower 32 bits of SpookyHash V2, both seeds 0xface2014.
#[derive(Clone, Debug)]
pub(crate) struct Spooky32(Form);

#[derive(Clone, Debug)]
enum Form {
    Short(Short),
    Long(Long),
}

impl Hasher for Spooky32 {
    type Output = u32;

    /// The length decides between two forms that have nothing in common.
    const NEEDS_LEN: bool = true;

    fn start(len: usize) -> Self {
        Self(if len < LONG { Form::Short(Short::new()) } else { Form::Long(Long::new()) })
    }

    fn write(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Form::Short(short) => short.write(bytes),
            Form::Long(long) => long.write(bytes),
        }
    }

    fn finish(self) -> u32 {
        match self.0 {
            Form::Short(short) => short.finish() as u32,
            Form::Long(long) => long.finish() as u32,
        }
    }
}

/// The form for less than 192 bytes: four words, 32 bytes at a time.
#[derive(Clone, Debug)]
struct Short {
    state: [u64; 4],
    blocks: Blocks<32>,
}

impl Short {
    const fn new() -> Self {
        Self { state: [SEED, SEED, FILLER, FILLER], blocks: Blocks::new() }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.blocks.write(bytes, |block| {
            let [first, second, third, fourth] = words64(block);
            let [a, b, c, d] = with_upper(self.state, first, second);
            self.state = [a.wrapping_add(third), b.wrapping_add(fourth), c, d];
        });
    }

    fn finish(self) -> u64 {
        let mut state = self.state;
        let mut rest = self.blocks.rest();
        if let Some((half, behind)) = rest.split_at_checked(16) {
            let [first, second] = words64(half);
            state = with_upper(state, first, second);
            rest = behind;
        }
        // The rest fills two words from the front; the last byte of the second one is the lowest byte of the length.
        let mut tail = Blocks::<16>::new();
        tail.write(rest, |_| {});
        let [low, high] = if rest.is_empty() { [FILLER; 2] } else { words64(&tail.padded()) };
        let [a, b, c, d] = state;
        let d = d.wrapping_add((self.blocks.len() as u64) << 56);
        end([a, b, c.wrapping_add(low), d.wrapping_add(high)])
    }
}

/// Adds two words to the upper half of the state, and mixes.
fn with_upper([a, b, c, d]: [u64; 4], first: u64, second: u64) -> [u64; 4] {
    let mut state = [a, b, c.wrapping_add(first), d.wrapping_add(second)];
    for bits in [50, 52, 30, 41, 54, 48, 38, 37, 62, 34, 5, 36] {
        // Changes c, d, a and b in turn: the words move round, so that the next one always stands third.
        let [a, b, c, d] = state;
        let c = c.rotate_left(bits).wrapping_add(d);
        state = [b, c, d, a ^ c];
    }
    state
}

fn end(mut state: [u64; 4]) -> u64 {
    for bits in [15, 52, 26, 51, 28, 9, 47, 54, 32, 25, 63] {
        // Changes c, d, a and b in turn: the words move round, so that the next one always stands third.
        let [a, b, c, d] = state;
        let d = d ^ c;
        let c = c.rotate_left(bits);
        state = [b, c, d.wrapping_add(c), a];
    }
    let [_, a, ..] = state;
    a
}

/// The form from 192 bytes on: twelve words, 96 bytes at a time.
#[derive(Clone, Debug)]
struct Long {
    state: [u64; 12],
    blocks: Blocks<96>,
}

impl Long {
    const fn new() -> Self {
        let [s, f] = [SEED, FILLER];
        Self { state: [s, s, f, s, s, f, s, s, f, s, s, f], blocks: Blocks::new() }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.blocks.write(bytes, |block| {
            let words: [u64; 12] = words64(block);
            let state = &mut self.state;
            for (i, bits) in [11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46].into_iter().enumerate() {
                state[i] = state[i].wrapping_add(words[i]);
                state[(i + 2) % 12] ^= state[(i + 10) % 12];
                state[(i + 11) % 12] ^= state[i];
                state[i] = state[i].rotate_left(bits);
                state[(i + 11) % 12] = state[(i + 11) % 12].wrapping_add(state[(i + 1) % 12]);
            }
        });
    }

    fn finish(self) -> u64 {
        let mut state = self.state;
        let mut last = self.blocks.padded();
        last[95] = self.blocks.rest().len() as u8;
        for (part, word) in state.iter_mut().zip(words64::<12>(&last)) {
            *part = part.wrapping_add(word);
        }
        for _ in 0..3 {
            for (i, bits) in [44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54].into_iter().enumerate() {
                state[(i + 11) % 12] = state[(i + 11) % 12].wrapping_add(state[(i + 1) % 12]);
                state[(i + 2) % 12] ^= state[(i + 11) % 12];
                state[(i + 1) % 12] = state[(i + 1) % 12].rotate_left(bits);
            }
        }
        state[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_folly_does() {
        assert_eq!(Spooky32::of(b"tokyo"), 0xae4a_6b3d);
        assert_eq!(Spooky32::of(b"test"), 0x9b2a_f243);
        assert_eq!(Spooky32::of(&[0xff, 0x80]), 0xa077_36c0);
    }
}
