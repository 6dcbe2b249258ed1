//! The grammar of an item's head.

use crate::{
    line::split_word,
    number::{parse_negative, split_u64},
};

/// An item's head as it stands on the line, its length not yet held against the limit.
pub(crate) struct RawHead<'b> {
    pub(crate) key: &'b [u8],
    pub(crate) flags: u32,
    pub(crate) len: u64,
    pub(crate) cas: Option<u64>,
}

impl<'b> RawHead<'b> {
    /// Reads `<key> <flags> <bytes> [<cas unique>]`, all of `line`.
    pub(crate) fn parse(line: &'b [u8]) -> Option<Self> {
        let (key, rest) = split_word(line);
        let (head, end) = match rest {
            [b'-', ..] => Self::negative(key, rest)?,
            _ => Self::numbers(key, rest)?,
        };
        if end.is_empty() && !key.is_empty() { Some(head) } else { None }
    }

    /// Reads what follows the key where the highest bit of the flags makes them a negative number, as in memcached
    /// 1.4.5: the same 32 bits.
    #[cold]
    fn negative(key: &'b [u8], rest: &'b [u8]) -> Option<(Self, &'b [u8])> {
        let (flags, numbers) = split_word(rest);
        let flags = parse_negative(flags)?;
        Self::lengths(key, flags, numbers)
    }

    /// Reads what follows the key, and gives the rest.
    #[inline(always)]
    pub(crate) fn numbers(key: &'b [u8], rest: &'b [u8]) -> Option<(Self, &'b [u8])> {
        let (flags, rest) = match rest {
            // Of most items.
            [b'0', rest @ ..] if rest.first() == Some(&b' ') => (0, rest),
            _ => {
                let (flags, rest) = split_u64(rest)?;
                (u32::try_from(flags).ok()?, rest)
            }
        };
        Self::lengths(key, flags, rest.strip_prefix(b" ")?)
    }

    /// Reads what follows the flags, and gives the rest.
    #[inline(always)]
    fn lengths(key: &'b [u8], flags: u32, rest: &'b [u8]) -> Option<(Self, &'b [u8])> {
        let (len, rest) = split_u64(rest)?;
        let (cas, rest) = match rest {
            [b' ', rest @ ..] => split_u64(rest).map(|(cas, rest)| (Some(cas), rest))?,
            rest => (None, rest),
        };
        Some((Self { key, flags, len, cas }, rest))
    }
}
