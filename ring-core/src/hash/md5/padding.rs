//! A message as MD5's blocks: its bytes, a mark behind them, and its length at the end of the last block.
//!
//! Source: RFC 1321, sections 3.1 and 3.2.

#[cfg(not(feature = "small"))]
use core::mem;

use super::super::blocks::le32;
#[cfg(not(feature = "small"))]
use super::super::blocks::words32;

/// Bytes of a block.
pub(super) const BLOCK: usize = 64;

/// Longest message of one block, which has the mark and eight bytes of length behind it.
pub(super) const ONE_BLOCK: usize = BLOCK - 1 - 8;

/// How many blocks a message of `len` bytes makes.
pub(super) const fn count(len: usize) -> usize {
    (len + 8) / BLOCK + 1
}

/// The only block of a message of up to [`ONE_BLOCK`] bytes, put together from few large pieces.
#[cfg(not(feature = "small"))]
#[inline(always)]
pub(super) fn only_block(bytes: &[u8]) -> [u32; 16] {
    let mut block = [0; BLOCK];
    let (mut rest, mut left) = (bytes, &mut block[..]);
    while move_chunk::<16>(&mut rest, &mut left) {}
    move_chunk::<8>(&mut rest, &mut left);
    move_chunk::<4>(&mut rest, &mut left);
    // As one word: of bytes the load of a word would wait, up to a tenth of the whole hash.
    let end = match *rest {
        [] => 0x80,
        [a] => 0x8000 | u32::from(a),
        [a, b] => 0x80_0000 | u32::from(b) << 8 | u32::from(a),
        [a, b, c, ..] => 0x8000_0000 | u32::from(c) << 16 | u32::from(b) << 8 | u32::from(a),
    };
    if let Some(word) = left.first_chunk_mut() {
        *word = end.to_le_bytes();
    }
    let mut words = words32(&block);
    words[14] = 8 * bytes.len() as u32;
    words
}

/// Moves the next `N` bytes, if there are as many.
#[cfg(not(feature = "small"))]
#[inline(always)]
fn move_chunk<const N: usize>(from: &mut &[u8], to: &mut &mut [u8]) -> bool {
    let Some((chunk, rest)) = from.split_first_chunk::<N>() else { return false };
    let Some((into, left)) = mem::take(to).split_first_chunk_mut() else { return false };
    *into = *chunk;
    (*from, *to) = (rest, left);
    true
}

/// Block `index` of a message of `len` bytes that ends in `bytes`, counted from the block that `bytes` begins.
#[cfg_attr(not(feature = "small"), inline(always))]
pub(super) fn block(bytes: &[u8], len: usize, index: usize) -> [u32; 16] {
    let mut block = [0; 16];
    words(bytes, len, index, |at, word| {
        if let Some(place) = block.get_mut(at) {
            *place = word;
        }
    });
    block
}

/// Hands out the words of that block with their indexes; those not handed out are 0.
#[inline(always)]
pub(super) fn words(bytes: &[u8], len: usize, index: usize, mut put: impl FnMut(usize, u32)) {
    let here = bytes.get(index * BLOCK..).unwrap_or_default();
    let here = here.get(..BLOCK).unwrap_or(here);
    let whole = here.chunks_exact(4);
    let rest = whole.remainder();
    for (at, bytes) in whole.enumerate() {
        put(at, le32(bytes));
    }
    if index == bytes.len() / BLOCK {
        put(here.len() / 4, le32(rest) | 0x80 << (8 * rest.len()));
    }
    if index + 1 == count(bytes.len()) {
        let bits = 8 * len as u64;
        put(14, bits as u32);
        put(15, (bits >> 32) as u32);
    }
}
