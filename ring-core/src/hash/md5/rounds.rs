//! The 64 steps of MD5 over one block.
//!
//! Source: RFC 1321, section 3.4.

use super::Words;

/// The state before the first block.
pub(super) const START: Words = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// The state after one more block.
#[cfg(not(feature = "small"))]
#[inline(always)]
pub(super) fn compress(state: Words, block: &[u32; 16]) -> Words {
    // A constant that the compiler knows it adds last, on the critical path of each step: six operations instead of
    // five or four. Hidden, it is read from memory and added while the step before is not done: 75 ns, not 88.
    let constants = core::hint::black_box(&CONSTANTS);
    let after = state;
    let after = four_steps(0, after, block, constants);
    let after = four_steps(1, after, block, constants);
    let after = four_steps(2, after, block, constants);
    let after = four_steps(3, after, block, constants);
    let after = four_steps(4, after, block, constants);
    let after = four_steps(5, after, block, constants);
    let after = four_steps(6, after, block, constants);
    let after = four_steps(7, after, block, constants);
    let after = four_steps(8, after, block, constants);
    let after = four_steps(9, after, block, constants);
    let after = four_steps(10, after, block, constants);
    let after = four_steps(11, after, block, constants);
    let after = four_steps(12, after, block, constants);
    let after = four_steps(13, after, block, constants);
    let after = four_steps(14, after, block, constants);
    let after = four_steps(15, after, block, constants);
    sum(state, after)
}

/// The state after one more block.
#[cfg(feature = "small")]
#[inline(never)]
pub(super) fn compress(state: Words, block: &[u32; 16]) -> Words {
    sum(state, (0..16).fold(state, |after, at| four_steps(at, after, block, &CONSTANTS)))
}

/// Steps `4 × at` to `4 × at + 3`.
#[inline(always)]
fn four_steps(at: usize, mut state: Words, block: &[u32; 16], constants: &[[u32; 4]; 16]) -> Words {
    let round = at / 4;
    for i in 0..4 {
        let [_, b, c, d] = state;
        let word = block[word_at(round, 4 * at + i)];
        state = [d, step(round, state, word, constants[at][i], SHIFTS[round][i]), b, c];
    }
    state
}

/// What becomes of the first word of the state.
#[inline(always)]
pub(super) fn step(round: usize, [a, b, c, d]: Words, word: u32, constant: u32, shift: u32) -> u32 {
    let sum = a.wrapping_add(word).wrapping_add(constant);
    let sum = match round {
        0 => sum.wrapping_add(d ^ (b & (c ^ d))),
        // The two halves share no bit, and only the second waits for the step before.
        1 => sum.wrapping_add(c & !d).wrapping_add(b & d),
        2 => sum.wrapping_add(b ^ (c ^ d)),
        _ => sum.wrapping_add(c ^ (b | !d)),
    };
    sum.rotate_left(shift).wrapping_add(b)
}

/// Which word of the block a step takes.
#[inline(always)]
pub(super) const fn word_at(round: usize, step: usize) -> usize {
    let (times, plus) = [(1, 0), (5, 1), (3, 5), (7, 0)][round % 4];
    (step * times + plus) % 16
}

pub(super) fn sum([a, b, c, d]: Words, [e, f, g, h]: Words) -> Words {
    [a.wrapping_add(e), b.wrapping_add(f), c.wrapping_add(g), d.wrapping_add(h)]
}

/// How far each step of a round rotates; the four repeat.
pub(super) const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// `floor(2³² × |sin(i + 1)|)` for step i.
pub(super) static CONSTANTS: [[u32; 4]; 16] = [
    [0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee],
    [0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501],
    [0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be],
    [0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821],
    [0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa],
    [0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8],
    [0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed],
    [0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a],
    [0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c],
    [0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70],
    [0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05],
    [0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665],
    [0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039],
    [0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1],
    [0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1],
    [0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391],
];
