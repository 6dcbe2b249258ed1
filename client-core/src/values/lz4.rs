//! LZ4's block format, by lz4_flex. No peer has it; typed values do.

use super::{Compression, Problem, inflate::Room};

/// Undoes one block, whose length after decompression is known.
pub(super) fn inflate(block: &[u8], room: Room) -> Result<Vec<u8>, Problem> {
    // A length that no such block has is not worth the memory.
    if room.most() > block.len().saturating_mul(MOST) {
        return Err(DAMAGED);
    }
    let mut out = vec![0; room.most()];
    match lz4_flex::block::decompress_into(block, &mut out) {
        Ok(len) => {
            out.truncate(len);
            Ok(out)
        }
        Err(lz4_flex::block::DecompressError::OutputTooSmall { .. }) => Err(room.exceeded()),
        Err(_) => Err(DAMAGED),
    }
}

const DAMAGED: Problem = Problem::Damaged(Compression::Lz4);

/// The most bytes that one byte of a block can stand for: a byte of a length adds up to 255 to it.
const MOST: usize = 255;
