//! MD5 of many keys side by side.
//!
//! One MD5 is a single chain of operations that each wait for the one before. Here every step is done for 32 keys
//! before the next, over plain arrays; the compiler makes vector instructions of the loops, on x86-64 with nothing but
//! SSE2. 24 to 64 lanes do equally well; with 16 or fewer it unrolls the loops instead and the gain is lost.

use super::{
    Md5Word, Words,
    padding::{self, BLOCK, ONE_BLOCK, count},
    rounds::{CONSTANTS, SHIFTS, START, step, word_at},
};
use crate::{
    hash::{
        Hasher as _,
        blocks::{le32, words32},
    },
    text::{Decimal, Text, assemble},
};

/// Keys side by side.
const LANES: usize = 32;

/// From this many keys on all lanes take less time than the keys one by one.
const WORTHWHILE: usize = 10;

/// Keys of up to this many blocks go side by side with those of as many; it is 119 bytes.
const MOST_BLOCKS: usize = 2;

/// One word of every key.
type Lanes = [u32; LANES];

/// The first words of the digests of `keys`, into `out`.
pub(super) fn of_many(keys: &[&[u8]], out: &mut [u32]) {
    for blocks in 1..=MOST_BLOCKS {
        let mut equal = keys.iter().zip(&mut *out).filter(|(key, _)| count(key.len()) == blocks).fuse();
        loop {
            let batch: [_; LANES] = core::array::from_fn(|_| equal.next());
            match batch.iter().flatten().count() {
                0 => break,
                WORTHWHILE.. => side_by_side(batch, blocks),
                _ => batch.into_iter().flatten().for_each(|(key, hash)| *hash = Md5Word::of(key)),
            }
        }
    }
    for (key, hash) in keys.iter().zip(out).filter(|(key, _)| count(key.len()) > MOST_BLOCKS) {
        *hash = Md5Word::of(key);
    }
}

fn side_by_side(batch: [Option<(&&[u8], &mut u32)>; LANES], blocks: usize) {
    let mut state = START.map(|word| [word; LANES]);
    for index in 0..blocks {
        let mut words = [[0; LANES]; 16];
        for (lane, (key, _)) in (0..LANES).zip(batch.iter().flatten()) {
            let block =
                if blocks == 1 { padding::only_block(key) } else { padding::block(key, key.len(), index) };
            for (lanes, word) in words.iter_mut().zip(block) {
                lanes[lane] = word;
            }
        }
        compress(&mut state, &words);
    }
    let [first, ..] = state;
    for ((_, hash), word) in batch.into_iter().flatten().zip(first) {
        *hash = word;
    }
}

/// Longest text that makes one block with any number behind it.
pub(super) const LONGEST_LEAD: usize = ONE_BLOCK - "4294967295".len();

/// Hands out the digests of `lead` with the numbers from `first` on behind it, and returns how many: none if `lead` is
/// too long or `left`, how many are wanted, too few.
pub(super) fn numbered(lead: &[u8], first: u32, left: u32, sink: &mut dyn FnMut(Words)) -> u32 {
    let many = LANES.min(left as usize);
    if many < WORTHWHILE || lead.len() > LONGEST_LEAD {
        return 0;
    }
    // What is behind the lead in the lane before has as many bytes or fewer, and so is written over.
    let mut block = [0; BLOCK];
    assemble(&lead, &mut block);
    let mut words = words32(&block).map(|word| [word; LANES]);
    for (lane, number) in (0..LANES).zip(first..).take(many) {
        let len = lead.len() + put_number(number, block.get_mut(lead.len()..).unwrap_or_default());
        let changed = words.iter_mut().zip(block.chunks_exact(4)).take(len / 4 + 1).skip(lead.len() / 4);
        for (lanes, bytes) in changed {
            lanes[lane] = le32(bytes);
        }
        words[14][lane] = 8 * len as u32;
    }
    let mut state = START.map(|word| [word; LANES]);
    compress(&mut state, &words);
    let [a, b, c, d] = state;
    for (((a, b), c), d) in a.into_iter().zip(b).zip(c).zip(d).take(many) {
        sink([a, b, c, d]);
    }
    many as u32
}

/// Puts the digits of `number` and the mark behind them into `out`, and returns how many digits they are.
fn put_number(number: u32, out: &mut [u8]) -> usize {
    let mut digits = 0;
    Decimal(number.into()).feed(&mut |piece| {
        digits = piece.len();
        for (into, byte) in out.iter_mut().zip(piece.iter().chain(&[0x80])) {
            *into = *byte;
        }
    });
    digits
}

/// Not inlined: as arguments the two are known to lie apart.
#[inline(never)]
fn compress(state: &mut [Lanes; 4], words: &[Lanes; 16]) {
    let before = *state;
    round::<0>(state, words);
    round::<1>(state, words);
    round::<2>(state, words);
    round::<3>(state, words);
    for (lanes, before) in state.iter_mut().zip(before) {
        for (word, before) in lanes.iter_mut().zip(before) {
            *word = word.wrapping_add(before);
        }
    }
}

#[inline(always)]
fn round<const ROUND: usize>([a, b, c, d]: &mut [Lanes; 4], words: &[Lanes; 16]) {
    for at in 4 * ROUND..4 * ROUND + 4 {
        step_all::<ROUND, 0>([a, b, c, d], at, words);
        step_all::<ROUND, 1>([d, a, b, c], at, words);
        step_all::<ROUND, 2>([c, d, a, b], at, words);
        step_all::<ROUND, 3>([b, c, d, a], at, words);
    }
}

/// Step `4 × at + I` in every lane.
#[inline(always)]
fn step_all<const ROUND: usize, const I: usize>(
    [a, b, c, d]: [&mut Lanes; 4],
    at: usize,
    words: &[Lanes; 16],
) {
    let words = &words[word_at(ROUND, 4 * at + I)];
    for lane in 0..LANES {
        let state = [a[lane], b[lane], c[lane], d[lane]];
        a[lane] = step(ROUND, state, words[lane], CONSTANTS[at][I], SHIFTS[ROUND][I]);
    }
}
