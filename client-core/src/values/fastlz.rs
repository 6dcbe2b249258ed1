//! FastLZ, which php-memcached bundles and no crate decodes: both levels of the block format.
//!
//! A block is literal bytes and references back, each begun by a control byte. It has no checksum, so a damaged one may
//! inflate to something else; only the length written before it is checked.

use super::{Compression, Problem, inflate::Room};

/// Undoes a block.
pub(super) fn inflate(block: &[u8], room: Room) -> Result<Vec<u8>, Problem> {
    let mut input = Input(block);
    let first = input.next()?;
    let level = match first >> 5 {
        0 => Level::One,
        1 => Level::Two,
        _ => return Err(DAMAGED),
    };
    let mut out = Vec::new();
    let mut control = first & 31;
    loop {
        if control < 32 {
            let literal = input.take(usize::from(control) + 1)?;
            fits(&out, literal.len(), room)?;
            out.extend_from_slice(literal);
        } else {
            let (len, back) = input.reference(control, level)?;
            fits(&out, len, room)?;
            let from = out.len().checked_sub(back).ok_or(DAMAGED)?;
            // What is copied may be what was copied a moment ago.
            repeat(&mut out, from, len);
        }
        match input.0.split_first() {
            None => return Ok(out),
            Some((&next, rest)) => (control, input) = (next, Input(rest)),
        }
    }
}

/// Which of its two formats a block has.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    One,
    Two,
}

const DAMAGED: Problem = Problem::Damaged(Compression::FastLz);

/// The highest reference that a control byte and the byte behind it can say; level 2 has a longer form.
const FAR: usize = 8191;

fn fits(out: &[u8], len: usize, room: Room) -> Result<(), Problem> {
    if len > room.most().saturating_sub(out.len()) { Err(room.exceeded()) } else { Ok(()) }
}

/// Appends `len` bytes that begin at `from`, as if byte by byte.
fn repeat(out: &mut Vec<u8>, from: usize, len: usize) {
    let period = out.len() - from;
    let mut left = len;
    while left > 0 {
        let piece = left.min(period);
        out.extend_from_within(from..from + piece);
        left -= piece;
    }
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn next(&mut self) -> Result<u8, Problem> {
        let (&first, rest) = self.0.split_first().ok_or(Problem::Truncated)?;
        self.0 = rest;
        Ok(first)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Problem> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Problem::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    /// How many bytes to copy, and how far back they begin.
    fn reference(&mut self, control: u8, level: Level) -> Result<(usize, usize), Problem> {
        let mut len = usize::from(control >> 5) - 1;
        if len == 6 {
            loop {
                let more = self.next()?;
                len += usize::from(more);
                if level == Level::One || more != 255 {
                    break;
                }
            }
        }
        let (high, low) = (usize::from(control & 31) << 8, usize::from(self.next()?));
        let mut back = high + low;
        if level == Level::Two && back == FAR {
            back += usize::from(self.next()?) << 8;
            back += usize::from(self.next()?);
        }
        Ok((len + 3, back + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflated(block: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
        let mut sized = u32::try_from(limit).unwrap().to_le_bytes().to_vec();
        sized.extend_from_slice(block);
        let (block, room) = Room::sized(&sized, limit).unwrap();
        inflate(block, room)
    }

    #[test]
    fn literals_and_references_are_read_at_both_levels() {
        // Three bytes, then nine from three back.
        assert_eq!(inflated(b"\x02abc\xe0\x00\x02", 12).unwrap(), b"abcabcabcabc");
        assert_eq!(inflated(b"\x22abc\xe0\x00\x02", 12).unwrap(), b"abcabcabcabc");
        // Level 2 says a long length in several bytes, level 1 in one.
        assert_eq!(inflated(b"\x20a\xe0\xff\x01\x00", 1000).unwrap(), [b'a'; 1 + 9 + 256]);
        assert_eq!(inflated(b"\x00a\xe0\xff\x00", 1000).unwrap(), [b'a'; 1 + 9 + 255]);
    }

    #[test]
    fn level_two_reaches_further_back_than_level_one() {
        let literal = |byte: u8| [&[31][..], &[byte; 32]].concat();
        let mut block: Vec<u8> = (0..=255).flat_map(literal).collect();
        block[0] |= 32;
        // 8192 bytes so far; one more, then three from 8193 back: the longer form with nothing added to it but one.
        block.extend_from_slice(b"\x00!\x3f\xff\x00\x01");
        let out = inflated(&block, 10_000).unwrap();
        assert_eq!(out[8192..], *b"!\x00\x00\x00");
        // The short form still says 8191.
        let end = block.len() - 4;
        block.splice(end.., *b"\x3f\xfe");
        assert_eq!(inflated(&block, 10_000).unwrap()[8193..], out[2..5]);
    }

    #[test]
    fn what_is_damaged_is_an_error_and_no_partial_value() {
        let rows: [(&[u8], Problem); 7] = [
            (b"", Problem::Truncated),
            (b"\x02ab", Problem::Truncated),
            (b"\x00a\x20", Problem::Truncated),
            (b"\x00a\xe0\x00", Problem::Truncated),
            (b"\x00a\x20\x01", DAMAGED),
            (b"\x40a", DAMAGED),
            (b"\x0aabcdefghijk", Problem::WrongSize { said: 10, found: 11 }),
        ];
        for (block, problem) in rows {
            assert_eq!(inflated(block, 10), Err(problem), "{block:?}");
        }
    }
}
