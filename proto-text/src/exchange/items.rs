//! The items of a get's reply, in the most usual ways first.

use super::{Exchange, Progress, ProtocolError};
use crate::{
    reply::{Event, Found, ItemHead, WholeItem},
    request::Expected,
};

impl Exchange {
    /// Takes the items of the reply to a get that are there whole and as they should be, and its end, and gives each item
    /// to `take`. Gives what is left, and, if the end was there, the index that goes with it.
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
            self.begun = true;
            take(&item, index);
            rest = item.rest;
        }
        let Some(behind) = self.decoder.items_end(rest) else { return (rest, None) };
        (behind, Some(self.took(true)))
    }

    /// Notes an event of the oldest request's reply, the last one if it is `complete`, and gives the index that goes with it.
    #[inline(always)]
    pub(super) fn took(&mut self, complete: bool) -> usize {
        let index = self.next_key.saturating_sub(1);
        self.begun = true;
        if complete {
            self.complete();
        }
        index
    }

    /// The oldest request is answered.
    #[inline(always)]
    pub(super) fn complete(&mut self) {
        self.owed = self.owed.saturating_sub(1);
        self.next_key = 0;
        self.begun = false;
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
            self.end = Some(if cas { ProtocolError::MissingCas } else { ProtocolError::Unexpected });
            return None;
        }
        if expected {
            self.next_key = self.next_key.saturating_add(1);
            return Some(());
        }
        self.find_key(head.key, oldest).map_err(|error| self.end = Some(error)).ok()
    }

    /// The next event of the reply to a get, if all is as it should be.
    #[inline(always)]
    pub(super) fn decode_item<'b>(
        &mut self,
        buf: &'b [u8],
        cas: bool,
        oldest: &(impl Expected + ?Sized),
    ) -> Option<Progress<'b>> {
        if !self.needs_bytes() {
            return None;
        }
        let Found { consumed, event, expected } = self.decoder.decode_item(buf, oldest.key(self.next_key))?;
        let complete = match event {
            Event::Value(head) => {
                self.admit(&head, cas, expected, oldest)?;
                false
            }
            Event::End => true,
            _ => false,
        };
        let index = self.took(complete);
        Some(Progress::Event { consumed, event, index, complete })
    }

    /// Looks for the key of an item among those not yet passed by: a server answers in the order of the request.
    #[inline]
    pub(super) fn find_key(
        &mut self,
        key: &[u8],
        oldest: &(impl Expected + ?Sized),
    ) -> Result<(), ProtocolError> {
        while let Some(asked) = oldest.key(self.next_key) {
            self.next_key = self.next_key.saturating_add(1);
            if asked == key {
                return Ok(());
            }
        }
        Err(ProtocolError::WrongKey)
    }
}
