//! The most usual replies, read in one step when they are there whole.

use super::Exchange;
use crate::reply::WholeGet;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
use crate::{reply::ItemHead, request::Request};

/// A whole reply.
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Usual<'b> {
    /// The one item that was asked for, its value, and `END`.
    Hit(ItemHead<'b>, &'b [u8]),
    /// `END`.
    Miss,
    /// `STORED`.
    Stored,
}

impl Exchange {
    /// The reply to `oldest`, and how many bytes it has, if it lies whole at the front of `buf` and is one of the most
    /// usual. Of anything else nothing is taken: [`decode`](Self::decode) would find the same, in more steps.
    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    #[inline(always)]
    pub(crate) fn usual<'b>(&mut self, buf: &'b [u8], oldest: &Request<'_>) -> Option<(Usual<'b>, usize)> {
        let (reply, rest) = match oldest {
            Request::Get(get) => {
                let WholeGet { item, rest } = self.usual_get(buf, get.key.as_bytes(), get.verb.has_cas())?;
                (item.map_or(Usual::Miss, |(head, value)| Usual::Hit(head, value)), rest)
            }
            Request::Store(store) if !store.noreply && self.is_at_reply() => {
                let rest = self.decoder.stored(buf)?;
                self.owed = self.owed.saturating_sub(1);
                (Usual::Stored, rest)
            }
            _ => return None,
        };
        Some((reply, buf.len().saturating_sub(rest.len())))
    }

    /// The same for a get of this one key.
    #[inline(always)]
    pub(super) fn usual_get<'b>(&mut self, buf: &'b [u8], key: &[u8], cas: bool) -> Option<WholeGet<'b>> {
        if !self.is_at_reply() {
            return None;
        }
        let whole = self.decoder.whole_get(buf, key)?;
        if whole.item.is_some_and(|(head, _)| head.cas.is_some() != cas) {
            return None;
        }
        self.owed = self.owed.saturating_sub(1);
        Some(whole)
    }

    /// Would the next byte begin the oldest reply?
    #[inline(always)]
    const fn is_at_reply(&self) -> bool {
        self.needs_bytes() && !self.begun && self.decoder.is_between_lines()
    }
}
