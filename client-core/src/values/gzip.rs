//! zlib and gzip, by flate2.
//!
//! Its low level is used: its readers end silently where a stream of zlib is cut off.

#![cfg(feature = "zlib")]

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{
    Compression, Problem,
    inflate::{GZIP_MAGIC, Room},
};

/// Undoes one whole zlib stream.
pub(super) fn inflate_zlib(bytes: &[u8], room: Room) -> Result<Vec<u8>, Problem> {
    let (out, rest) = inflate(Decompress::new(true), bytes, room, Compression::Zlib)?;
    if rest.is_empty() { Ok(out) } else { Err(Problem::Trailing { count: rest.len() }) }
}

/// Undoes one whole gzip member.
pub(super) fn inflate_gzip(bytes: &[u8], room: Room) -> Result<Vec<u8>, Problem> {
    let (out, rest) = inflate(Decompress::new(false), body(bytes)?, room, Compression::Gzip)?;
    let (&crc, rest) = rest.split_first_chunk().ok_or(Problem::Truncated)?;
    let (&len, rest) = rest.split_first_chunk().ok_or(Problem::Truncated)?;
    let mut sum = Crc::new();
    sum.update(&out);
    if (sum.sum(), sum.amount()) != (u32::from_le_bytes(crc), u32::from_le_bytes(len)) {
        return Err(DAMAGED);
    }
    if rest.is_empty() { Ok(out) } else { Err(Problem::Trailing { count: rest.len() }) }
}

const DAMAGED: Problem = Problem::Damaged(Compression::Gzip);

/// Undoes a stream at the front of `bytes`, and returns what is behind it.
fn inflate(
    mut stream: Decompress,
    bytes: &[u8],
    room: Room,
    compression: Compression,
) -> Result<(Vec<u8>, &[u8]), Problem> {
    let mut out = Vec::new();
    loop {
        room.grow(&mut out)?;
        // Both counts are lengths in memory.
        let rest = usize::try_from(stream.total_in()).ok().and_then(|read| bytes.get(read..));
        let rest = rest.unwrap_or_default();
        let (read, len) = (stream.total_in(), out.len());
        let status = stream.decompress_vec(rest, &mut out, FlushDecompress::None);
        match status.map_err(|_| Problem::Damaged(compression))? {
            Status::StreamEnd if out.len() > room.most() => return Err(room.exceeded()),
            Status::StreamEnd => {
                let taken = usize::try_from(stream.total_in() - read).unwrap_or(rest.len());
                return Ok((out, rest.get(taken..).unwrap_or_default()));
            }
            // All was read, there is room left, and it wants more.
            _ if (stream.total_in(), out.len()) == (read, len) && out.len() < out.capacity() => {
                return Err(Problem::Truncated);
            }
            _ => {}
        }
    }
}

/// What is behind the header of a gzip member.
fn body(bytes: &[u8]) -> Result<&[u8], Problem> {
    let (header, mut rest) = bytes.split_first_chunk::<10>().ok_or(Problem::Truncated)?;
    let [magic @ .., _, _, _, _, _, _, _] = header;
    let [first, second, method] = *magic;
    let flags = header[3];
    if [first, second] != GZIP_MAGIC || method != DEFLATE || flags & RESERVED != 0 {
        return Err(DAMAGED);
    }
    if flags & EXTRA != 0 {
        let (&len, extra) = rest.split_first_chunk().ok_or(Problem::Truncated)?;
        rest = extra.get(usize::from(u16::from_le_bytes(len))..).ok_or(Problem::Truncated)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0).ok_or(Problem::Truncated)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & HEADER_CRC != 0 {
        let mut sum = Crc::new();
        sum.update(&bytes[..bytes.len() - rest.len()]);
        let (&crc, behind) = rest.split_first_chunk().ok_or(Problem::Truncated)?;
        // The lower half of the checksum.
        if sum.sum() & 0xffff != u32::from(u16::from_le_bytes(crc)) {
            return Err(DAMAGED);
        }
        rest = behind;
    }
    Ok(rest)
}

// RFC 1952, section 2.3.1.
const DEFLATE: u8 = 8;
const HEADER_CRC: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;
