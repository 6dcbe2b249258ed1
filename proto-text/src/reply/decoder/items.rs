//! Items that are there whole and as they should be, which most are: read in few steps.

use super::{ReplyDecoder, State};
use crate::{
    line::split_word,
    number::{parse_negative, split_u64},
    reply::{Event, ItemHead},
};

impl ReplyDecoder {
    /// The next event, if it is of an item or the end of the items, whole, and right. All the rest is left to
    /// [`decode_any`](Self::decode_any), which would find the same events, in more steps.
    #[inline(always)]
    pub(crate) fn decode_item<'b>(&mut self, buf: &'b [u8], key: Option<&[u8]>) -> Option<Found<'b>> {
        match self.state {
            State::Value(0) => {
                behind_line(buf)?;
                self.state = State::Line;
                Some(Found { consumed: 2, event: Event::ValueEnd, expected: false })
            }
            State::Value(left) => {
                let piece = buf.get(..left).unwrap_or(buf);
                if piece.is_empty() {
                    return None;
                }
                self.state = State::Value(left.saturating_sub(piece.len()));
                Some(Found { consumed: piece.len(), event: Event::Data(piece), expected: false })
            }
            State::Line if self.search.is_fresh() => self.item_or_end(buf, key),
            _ => None,
        }
    }

    #[inline(always)]
    fn item_or_end<'b>(&mut self, buf: &'b [u8], key: Option<&[u8]>) -> Option<Found<'b>> {
        if let Some((head, expected, rest)) = self.item_head(buf, key) {
            self.count = self.count.saturating_add(1);
            self.state = State::Value(head.len);
            let consumed = buf.len().saturating_sub(rest.len());
            return Some(Found { consumed, event: Event::Value(head), expected });
        }
        self.items_end(buf)?;
        Some(Found { consumed: END.len(), event: Event::End, expected: false })
    }

    /// What lies behind the end of the items, if that is next. To be asked between lines.
    #[inline(always)]
    pub(crate) fn items_end<'b>(&mut self, buf: &'b [u8]) -> Option<&'b [u8]> {
        let (end, rest) = buf.split_first_chunk()?;
        if end != END || self.limits.line < END.len() {
            return None;
        }
        self.count = 0;
        Some(rest)
    }

    /// The next item, if it is there whole, and right; of anything else nothing is taken. To be asked between lines.
    #[inline(always)]
    pub(crate) fn whole_item<'b>(&mut self, buf: &'b [u8], key: Option<&[u8]>) -> Option<WholeItem<'b>> {
        let (head, expected, rest) = self.item_head(buf, key)?;
        let (value, rest) = rest.split_at_checked(head.len)?;
        let rest = behind_line(rest)?;
        self.count = self.count.saturating_add(1);
        Some(WholeItem { head, value, rest, expected })
    }

    /// The whole reply to a get of `key`. Anything else is left alone. To be asked between replies.
    #[inline(always)]
    pub(crate) fn whole_get<'b>(&self, buf: &'b [u8], key: &[u8]) -> Option<WholeGet<'b>> {
        if let Some((head, rest)) = self.expected_head(buf, key) {
            let (value, rest) = rest.split_at_checked(head.len)?;
            return Some(WholeGet { item: Some((head, value)), rest: self.behind(rest, b"\r\nEND\r\n")? });
        }
        Some(WholeGet { item: None, rest: self.behind(buf, END)? })
    }

    /// What lies behind `STORED`, if that is next. To be asked between replies.
    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    #[inline(always)]
    pub(crate) fn stored<'b>(&self, buf: &'b [u8]) -> Option<&'b [u8]> {
        self.behind(buf, b"STORED\r\n")
    }

    /// What lies behind these bytes, the last of which are a line, if they are next.
    #[inline(always)]
    fn behind<'b, const N: usize>(&self, buf: &'b [u8], line: &[u8; N]) -> Option<&'b [u8]> {
        // Two words that overlap are fewer steps than what `==` makes of an odd length.
        const { assert!(4 <= N && N <= 8) };
        let (next, rest) = buf.split_first_chunk::<N>()?;
        let same =
            next.first_chunk::<4>() == line.first_chunk() && next.last_chunk::<4>() == line.last_chunk();
        if same && self.limits.line >= N { Some(rest) } else { None }
    }

    /// The head of an item, whether it has the expected key, and what lies behind its line.
    #[inline(always)]
    fn item_head<'b>(&self, buf: &'b [u8], key: Option<&[u8]>) -> Option<(ItemHead<'b>, bool, &'b [u8])> {
        if let Some((head, rest)) = key.and_then(|key| self.expected_head(buf, key)) {
            return Some((head, true, rest));
        }
        let rest = buf.strip_prefix(b"VALUE ")?;
        match rest.split_at_checked(memchr::memchr2(b' ', b'\n', rest)?)? {
            (key, [b' ', numbers @ ..]) if !key.is_empty() => {
                let (head, rest) = self.item_numbers(buf, key, numbers)?;
                Some((head, false, rest))
            }
            _ => None,
        }
    }

    /// The head of an item with this key, and what lies behind its line.
    #[inline(always)]
    fn expected_head<'b>(&self, buf: &'b [u8], key: &[u8]) -> Option<(ItemHead<'b>, &'b [u8])> {
        match buf.strip_prefix(b"VALUE ")?.split_at_checked(key.len())? {
            (name, [b' ', numbers @ ..]) if name == key && !key.is_empty() => {
                self.item_numbers(buf, name, numbers)
            }
            _ => None,
        }
    }

    /// The head of an item whose line begins with `buf` and goes on with `numbers`.
    #[inline(always)]
    fn item_numbers<'b>(
        &self,
        buf: &'b [u8],
        key: &'b [u8],
        numbers: &'b [u8],
    ) -> Option<(ItemHead<'b>, &'b [u8])> {
        let (head, rest) = RawHead::numbers(key, numbers)?;
        let rest = behind_line(rest)?;
        let line = buf.len().wrapping_sub(rest.len());
        let len = usize::try_from(head.len).ok()?;
        let within = line <= self.limits.line && len <= self.limits.value && self.count < self.limits.items;
        if !within {
            return None;
        }
        Some((ItemHead { key, flags: head.flags, len, cas: head.cas }, rest))
    }
}

const END: &[u8; 5] = b"END\r\n";

/// The whole reply to a get of one key.
#[derive(Clone, Copy)]
pub(crate) struct WholeGet<'b> {
    /// The item with its value, if there is one.
    pub(crate) item: Option<(ItemHead<'b>, &'b [u8])>,
    /// What lies behind the reply.
    pub(crate) rest: &'b [u8],
}

/// What lies behind a line end, if one is next.
#[inline(always)]
fn behind_line(buf: &[u8]) -> Option<&[u8]> {
    let (end, rest) = buf.split_first_chunk()?;
    if end == b"\r\n" { Some(rest) } else { None }
}

/// An item with its value.
pub(crate) struct WholeItem<'b> {
    pub(crate) head: ItemHead<'b>,
    pub(crate) value: &'b [u8],
    /// What lies behind it.
    pub(crate) rest: &'b [u8],
    /// It has the key that was expected.
    pub(crate) expected: bool,
}

impl<'b> WholeItem<'b> {
    /// Gives `take` the events that it stands for.
    #[inline(always)]
    pub(crate) fn events(&self, mut take: impl FnMut(&Event<'b>)) {
        take(&Event::Value(self.head));
        if !self.value.is_empty() {
            take(&Event::Data(self.value));
        }
        take(&Event::ValueEnd);
    }
}

/// An event of an item, or the end of the items.
pub(crate) struct Found<'b> {
    pub(crate) consumed: usize,
    pub(crate) event: Event<'b>,
    /// An item with the key that was expected.
    pub(crate) expected: bool,
}

/// An item's head as it stands on the line, its length not yet held against the limit.
pub(super) struct RawHead<'b> {
    pub(super) key: &'b [u8],
    pub(super) flags: u32,
    pub(super) len: u64,
    pub(super) cas: Option<u64>,
}

impl<'b> RawHead<'b> {
    /// Reads `<key> <flags> <bytes> [<cas unique>]`, all of `line`.
    pub(super) fn parse(line: &'b [u8]) -> Option<Self> {
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
        let (len, rest) = split_u64(numbers)?;
        let (cas, rest) = match rest {
            [b' ', rest @ ..] => split_u64(rest).map(|(cas, rest)| (Some(cas), rest))?,
            rest => (None, rest),
        };
        Some((Self { key, flags, len, cas }, rest))
    }

    /// Reads what follows the key, and gives the rest.
    #[inline(always)]
    fn numbers(key: &'b [u8], rest: &'b [u8]) -> Option<(Self, &'b [u8])> {
        let (flags, rest) = match rest {
            // Of most items.
            [b'0', rest @ ..] if rest.first() == Some(&b' ') => (0, rest),
            _ => {
                let (flags, rest) = split_u64(rest)?;
                (u32::try_from(flags).ok()?, rest)
            }
        };
        let (len, rest) = split_u64(rest.strip_prefix(b" ")?)?;
        let (cas, rest) = match rest {
            [b' ', rest @ ..] => {
                let (cas, rest) = split_u64(rest)?;
                (Some(cas), rest)
            }
            rest => (None, rest),
        };
        Some((Self { key, flags, len, cas }, rest))
    }
}
