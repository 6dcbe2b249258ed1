//! Replies to gets and sets that are there whole and as they should be, which most are, read in few steps.
//!
//! None of this has to be here: of what it does not know it takes nothing, and [`Exchange::decode`] then reads the same
//! events in more steps. The fuzz law `exchange_cuts_agree` holds both against each other.
//!
//! What each saves, in instructions as callgrind counts them (x86-64, a key of 32 bytes, a value of 100 bytes; of a
//! connection, with composing and sending the request):
//!
//! | way | what is read | without | with |
//! |---|---|---|---|
//! | `whole_get` | the reply to a get of one key, by `Exchange::decode_each` | 291 | 171 |
//! | | the same over a `Connection` | 873 | 592 |
//! | `whole_reply` | `STORED` over a `Connection` | 1135 | 589 |
//! | `whole_items` | a value of a multi-get, by `Exchange::decode_each` | 887 | 180 |
//! | | the same over a `Connection` | 819 | 364 |
//! | `item_event` | the reply to a get of one key, by `Exchange::decode`, as memring-tokio reads | 1129 | 343 |
//! | | a value of a multi-get, likewise | 843 | 269 |

use super::{Exchange, InStep, Progress, ProtocolError, Reading};
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
use crate::{
    number::split_u64,
    request::{Encode, Usual},
};
use crate::{
    reply::{Event, ItemHead, RawHead, ReplyDecoder, State},
    request::Expected,
};

/// A whole reply.
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
#[derive(Clone, Copy, Debug)]
pub(crate) enum WholeReply<'b> {
    /// The one item that was asked for, its value, and `END`.
    Hit(ItemHead<'b>, &'b [u8]),
    /// `END`.
    Miss,
    /// `STORED`.
    Stored,
    /// The value of a [`MetaLease`](crate::meta::MetaLease) that has won nothing.
    Leased(Leased, &'b [u8]),
}

/// What is told of an item that is as it should be.
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leased {
    pub(crate) cas: u64,
    pub(crate) ttl: i64,
    pub(crate) flags: u32,
}

/// The whole reply to a get of one key.
#[derive(Clone, Copy)]
pub(super) struct WholeGet<'b> {
    /// The item with its value, if there is one.
    pub(super) item: Option<(ItemHead<'b>, &'b [u8])>,
    /// What lies behind the reply.
    pub(super) rest: &'b [u8],
}

/// An item with its value.
pub(crate) struct WholeItem<'b> {
    pub(crate) head: ItemHead<'b>,
    pub(crate) value: &'b [u8],
    /// What lies behind it.
    rest: &'b [u8],
    /// Whether it has the key that was expected.
    expected: bool,
}

impl<'b> WholeItem<'b> {
    /// Gives `take` the events that it stands for.
    #[inline(always)]
    pub(super) fn events(&self, mut take: impl FnMut(&Event<'b>)) {
        take(&Event::Value(self.head));
        if !self.value.is_empty() {
            take(&Event::Data(self.value));
        }
        take(&Event::ValueEnd);
    }
}

impl Exchange {
    /// The reply to `oldest`, and how many bytes it has, if it lies whole at the front of `buf` and is a hit, a miss or
    /// `STORED`.
    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    #[inline(always)]
    pub(crate) fn whole_reply<'b>(
        &mut self,
        buf: &'b [u8],
        oldest: &(impl Encode + ?Sized),
    ) -> Option<(WholeReply<'b>, usize)> {
        let (reply, rest) = match oldest.usual() {
            Usual::Item { key, cas } => {
                let WholeGet { item, rest } = self.whole_get(buf, key, cas)?;
                (item.map_or(WholeReply::Miss, |(head, value)| WholeReply::Hit(head, value)), rest)
            }
            Usual::Stored if self.is_at_reply() => {
                let rest = self.decoder.behind(buf, b"STORED\r\n")?;
                self.owed = self.owed.saturating_sub(1);
                (WholeReply::Stored, rest)
            }
            Usual::Leased { opaque } => {
                let (leased, value, rest) = self.whole_leased(buf, opaque)?;
                (WholeReply::Leased(leased, value), rest)
            }
            _ => return None,
        };
        Some((reply, buf.len().saturating_sub(rest.len())))
    }

    /// The whole reply to a [`MetaLease`](crate::meta::MetaLease) that has won nothing.
    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    #[inline(always)]
    fn whole_leased<'b>(&mut self, buf: &'b [u8], opaque: &[u8; 8]) -> Option<(Leased, &'b [u8], &'b [u8])> {
        if !self.is_at_reply() {
            return None;
        }
        let (len, rest) = split_u64(buf.strip_prefix(b"VA ")?)?;
        let (cas, rest) = split_u64(rest.strip_prefix(b" c")?)?;
        let (ttl, rest) = match rest.strip_prefix(b" t")? {
            [b'-', b'1', rest @ ..] => (-1, rest),
            rest => {
                let (seconds, rest) = split_u64(rest)?;
                (i64::try_from(seconds).ok()?, rest)
            }
        };
        let (flags, rest) = match rest.strip_prefix(b" f")? {
            // Most are 0.
            [b'0', rest @ ..] => (0, rest),
            rest => split_u64(rest)?,
        };
        let (returned, rest) = rest.strip_prefix(b" O")?.split_first_chunk()?;
        let rest = behind_line(rest)?;
        let (line, len) = (buf.len().wrapping_sub(rest.len()), usize::try_from(len).ok()?);
        let leased = Leased { cas, ttl, flags: u32::try_from(flags).ok()? };
        let within = line <= self.decoder.limits.line && len <= self.decoder.limits.value;
        let (value, rest) = rest.split_at_checked(len)?;
        let rest = behind_line(rest)?;
        if returned != opaque || !within {
            return None;
        }
        self.owed = self.owed.saturating_sub(1);
        Some((leased, value, rest))
    }

    /// The whole reply to a get of this one key.
    #[inline(always)]
    pub(super) fn whole_get<'b>(&mut self, buf: &'b [u8], key: &[u8], cas: bool) -> Option<WholeGet<'b>> {
        if !self.is_at_reply() {
            return None;
        }
        let whole = match self.decoder.expected_head(buf, key) {
            Some((head, rest)) => {
                let (value, rest) = rest.split_at_checked(head.len)?;
                WholeGet { item: Some((head, value)), rest: self.decoder.behind(rest, b"\r\nEND\r\n")? }
            }
            None => WholeGet { item: None, rest: self.decoder.behind(buf, END)? },
        };
        if whole.item.is_some_and(|(head, _)| head.cas.is_some() != cas) {
            return None;
        }
        self.owed = self.owed.saturating_sub(1);
        Some(whole)
    }

    /// Gives `take` the items of the reply to a get that are there whole, each with the index of its key, and takes the end
    /// of the reply with them. Gives what is left, and, if the end was there, the index that goes with it.
    #[inline(always)]
    pub(crate) fn whole_items<'b>(
        &mut self,
        buf: &'b [u8],
        cas: bool,
        oldest: &(impl Expected + ?Sized),
        mut take: impl FnMut(&WholeItem<'b>, usize),
    ) -> (&'b [u8], Option<usize>) {
        let mut rest = buf;
        if !self.needs_bytes() || !self.decoder.is_between_lines() {
            return (rest, None);
        }
        while let Some(item) = self.decoder.whole_item(rest, oldest.key(self.next_key)) {
            if self.admit(&item.head, cas, item.expected, oldest).is_none() {
                return (rest, None);
            }
            let index = self.next_key.saturating_sub(1);
            self.reading = Reading::Begun;
            take(&item, index);
            rest = item.rest;
        }
        let Some(behind) = self.decoder.items_end(rest) else { return (rest, None) };
        (behind, Some(self.took(true)))
    }

    /// The next event of the reply to a get.
    #[inline(always)]
    pub(super) fn item_event<'b>(
        &mut self,
        buf: &'b [u8],
        cas: bool,
        oldest: &(impl Expected + ?Sized),
    ) -> Option<Progress<'b>> {
        if !self.needs_bytes() {
            return None;
        }
        let (consumed, event) = match self.decoder.state {
            State::Value(0) => {
                behind_line(buf)?;
                self.decoder.state = State::Line;
                (2, Event::ValueEnd)
            }
            State::Value(left) => {
                let piece = buf.get(..left).unwrap_or(buf);
                if piece.is_empty() {
                    return None;
                }
                self.decoder.state = State::Value(left.saturating_sub(piece.len()));
                (piece.len(), Event::Data(piece))
            }
            _ if !self.decoder.is_between_lines() => return None,
            _ => match self.decoder.item_head(buf, oldest.key(self.next_key)) {
                Some((head, expected, rest)) => {
                    self.admit(&head, cas, expected, oldest)?;
                    self.decoder.count = self.decoder.count.saturating_add(1);
                    self.decoder.state = State::Value(head.len);
                    (buf.len().saturating_sub(rest.len()), Event::Value(head))
                }
                None => {
                    self.decoder.items_end(buf)?;
                    let index = self.took(true);
                    return Some(Progress::Event {
                        consumed: END.len(),
                        event: Event::End,
                        index,
                        complete: true,
                    });
                }
            },
        };
        let index = self.took(false);
        Some(Progress::Event { consumed, event, index, complete: false })
    }

    /// Whether the next byte would begin the oldest reply.
    #[inline(always)]
    const fn is_at_reply(&self) -> bool {
        self.needs_bytes() && matches!(self.reading, Reading::Fresh) && self.decoder.is_between_lines()
    }

    /// Notes an event of an item, or the end of the items, and gives the index that goes with it.
    #[inline(always)]
    fn took(&mut self, complete: bool) -> usize {
        let index = self.next_key.saturating_sub(1);
        self.reading = Reading::Begun;
        if complete {
            self.complete();
        }
        index
    }

    /// Holds an item's head against what was asked. What does not fit ends the connection.
    #[inline(always)]
    fn admit(
        &mut self,
        head: &ItemHead<'_>,
        cas: bool,
        expected: bool,
        oldest: &(impl Expected + ?Sized),
    ) -> Option<()> {
        if head.cas.is_some() != cas {
            let error = if cas { ProtocolError::MissingCas } else { ProtocolError::Unexpected };
            self.in_step = InStep::Ended(error);
            return None;
        }
        if expected {
            self.next_key = self.next_key.saturating_add(1);
            return Some(());
        }
        self.find_key(head.key, oldest).map_err(|error| self.in_step = InStep::Ended(error)).ok()
    }
}

impl ReplyDecoder {
    /// What lies behind the end of the items, if that is next. To be asked between lines.
    #[inline(always)]
    fn items_end<'b>(&mut self, buf: &'b [u8]) -> Option<&'b [u8]> {
        let (end, rest) = buf.split_first_chunk()?;
        if end != END || self.limits.line < END.len() {
            return None;
        }
        self.count = 0;
        Some(rest)
    }

    /// The next item, if it is there whole. To be asked between lines.
    #[inline(always)]
    fn whole_item<'b>(&mut self, buf: &'b [u8], key: Option<&[u8]>) -> Option<WholeItem<'b>> {
        let (head, expected, rest) = self.item_head(buf, key)?;
        let (value, rest) = rest.split_at_checked(head.len)?;
        let rest = behind_line(rest)?;
        self.count = self.count.saturating_add(1);
        Some(WholeItem { head, value, rest, expected })
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

    /// The head of an item with this key, and what lies behind its line. The key is compared instead of searched for its
    /// end.
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

/// What lies behind a line end, if one is next.
#[inline(always)]
fn behind_line(buf: &[u8]) -> Option<&[u8]> {
    let (end, rest) = buf.split_first_chunk()?;
    if end == b"\r\n" { Some(rest) } else { None }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::{string::String, vec::Vec};

    use super::*;
    use crate::{limits::Limits, request::Keys};

    #[test]
    fn all_at_once_gives_the_same_events_as_one_by_one_and_byte_by_byte() {
        for reply in [
            &b"VALUE a 1 2\r\nxy\r\nVALUE b 0 0\r\n\r\nEND\r\n"[..],
            b"VALUE b 1 2\r\nxy\r\nEND\r\n",
            b"VALUE a 1 2\r\nxy\r\nVALUE b 0 4\r\nxy",
            b"VALUE b 0 0\r\n\r\nVALUE a 0 0\r\n\r\nEND\r\n",
            b"VALUE a 1 2 9\r\nxy\r\nEND\r\n",
            b"VALUE a -1 2\r\nxy\r\nEND\r\n",
            b"VALUE a 1 2\r\nxyz\nEND\r\n",
            b"VALUE a\nb 1 2\r\n",
            b"VALUE aa 1 2\r\nxy\r\n",
            b"VALUE  1 2\r\nxy\r\n",
            b"VALUE a 4294967296 2\r\nxy\r\n",
            b"VALUE a 0 65\r\n",
            b"VALUE a 0 1073741825\r\n",
            b"END\r\n",
            b"END\r",
            b"ENDS\r\n",
        ] {
            let keys = Keys { keys: &["a", "b"], cas: false };
            let limits = Limits { value: 64, ..Limits::DEFAULT };
            let read = |piece: usize, at_once: bool| {
                let (mut exchange, mut told) = (Exchange::new(limits), (String::new(), Vec::new(), 0));
                exchange.sent();
                let (mut from, mut to) = (0, 0);
                while to < reply.len() && exchange.owed() > 0 {
                    to = reply.len().min(to + piece);
                    let mut tell = |event: &Event<'_>, index: usize| match event {
                        Event::Data(piece) | Event::Skipped { piece, .. } => told.1.extend_from_slice(piece),
                        event => told.0 += &std::format!("{index} {event:?} "),
                    };
                    let result = loop {
                        if at_once {
                            break exchange.decode_each(&reply[from..to], &keys, &mut tell).map(|taken| {
                                from += taken.consumed;
                            });
                        }
                        match exchange.decode(&reply[from..to], &keys) {
                            Ok(Progress::Event { consumed, event, index, complete }) => {
                                from += consumed;
                                tell(&event, index);
                                if complete {
                                    break Ok(());
                                }
                            }
                            Ok(Progress::NeedMore) => break Ok(()),
                            Err(error) => break Err(error),
                        }
                    };
                    if let Err(error) = result {
                        told.0 += &std::format!("{error:?}");
                        break;
                    }
                }
                told.2 = if exchange.owed() == 0 { from } else { 0 };
                told
            };
            let whole = read(reply.len(), true);
            for (piece, at_once) in [(reply.len(), false), (1, true), (1, false), (7, true)] {
                assert_eq!(read(piece, at_once), whole, "{} by {piece}", reply.escape_ascii());
            }
        }
    }
}
