//! The most usual replies, read in one step when they are there whole.

use super::Exchange;
use crate::{reply::ItemHead, request::Request};

/// A whole reply.
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
    #[inline(always)]
    pub(crate) fn usual<'b>(&mut self, buf: &'b [u8], oldest: &Request<'_>) -> Option<(Usual<'b>, usize)> {
        if !self.needs_bytes() || self.begun || !self.decoder.is_between_lines() {
            return None;
        }
        let (reply, rest) = match oldest {
            Request::Get(get) => match self.decoder.whole_get(buf, get.key.as_bytes())? {
                (Some((head, _)), _) if head.cas.is_some() != get.verb.has_cas() => return None,
                (Some((head, value)), rest) => (Usual::Hit(head, value), rest),
                (None, rest) => (Usual::Miss, rest),
            },
            Request::Store(store) if !store.noreply => (Usual::Stored, self.decoder.stored(buf)?),
            _ => return None,
        };
        self.owed = self.owed.saturating_sub(1);
        Some((reply, buf.len().saturating_sub(rest.len())))
    }
}
