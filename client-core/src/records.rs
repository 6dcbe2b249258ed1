//! What of a stream of requests shares a record of TLS.

use std::collections::VecDeque;

/// Says how much of what is gathered to be sent may be written at once, so that a record holds whole requests, or part of
/// a single one.
///
/// memcached reads a long value straight from the connection, then waits for the network to tell of more. What else was in
/// the record with the end of that value is decrypted by then, and not answered before another record comes (seen of
/// 1.6.18).
#[derive(Debug, Default)]
pub struct Records {
    /// Where requests end, as offsets in what is gathered; those that are not written yet.
    ends: VecDeque<usize>,
    /// Where the last one ends that is written, or the first one begins; 0 is where what is gathered begins.
    whole: Option<usize>,
}

impl Records {
    /// Before the first request.
    #[must_use]
    pub const fn new() -> Self {
        Self { ends: VecDeque::new(), whole: Some(0) }
    }

    /// A request ends where what is gathered does, `len` bytes from its beginning.
    pub fn request_ends(&mut self, len: usize) {
        self.ends.push_back(len);
    }

    /// Up to where it may be written at once; it is `len` bytes long, and `written` of them have left.
    pub fn writable(&mut self, written: usize, len: usize) -> usize {
        while let Some(&end) = self.ends.front().filter(|end| **end <= written) {
            self.ends.pop_front();
            self.whole = Some(end);
        }
        let first = self.ends.front().map_or(len, |end| *end);
        if self.whole != Some(written) {
            return first;
        }
        let fits = |end: &&usize| end.saturating_sub(written) <= RECORD;
        self.ends.iter().take_while(fits).last().map_or(first, |end| *end)
    }

    /// All `len` bytes of it have left: what is gathered begins anew.
    pub fn all_written(&mut self, len: usize) {
        let _ = self.writable(len, len);
        self.whole = (self.whole == Some(len)).then_some(0);
    }

    /// Part of a request was written beside what is gathered, of which there is nothing.
    pub fn written_beside(&mut self) {
        self.whole = None;
    }
}

/// How much a record of TLS holds, in bytes.
///
/// Source: RFC 8446, section 5.1.
const RECORD: usize = 1 << 14;

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written at once of requests of these lengths, of which each write takes `most` bytes at most.
    fn writes(lens: &[usize], most: usize) -> Vec<usize> {
        let (mut records, mut len) = (Records::new(), 0);
        for request in lens {
            len += request;
            records.request_ends(len);
        }
        let (mut writes, mut written) = (Vec::new(), 0);
        while written < len {
            let part = (records.writable(written, len) - written).min(most);
            writes.push(part);
            written += part;
        }
        records.all_written(len);
        assert_eq!((records.whole, records.ends.len()), (Some(0), 0));
        writes
    }

    #[test]
    fn small_requests_share_records_and_none_is_in_two() {
        assert_eq!(writes(&[10, 10, 10], usize::MAX), [30]);
        assert_eq!(writes(&[10_000, 6384, 1, 16_384, 5], usize::MAX), [16_384, 1, 16_384, 5]);
        assert_eq!(writes(&[6000; 5], usize::MAX), [12_000, 12_000, 6000]);
    }

    #[test]
    fn a_request_of_several_records_shares_none() {
        assert_eq!(writes(&[10, 50_000, 10, 10], usize::MAX), [10, 50_000, 20]);
        assert_eq!(writes(&[10, 50_000, 10, 10], 20_000), [10, 20_000, 20_000, 10_000, 20]);
    }

    #[test]
    fn the_end_of_what_was_written_beside_stands_alone() {
        let mut records = Records::new();
        records.written_beside();
        records.request_ends(2);
        records.request_ends(20);
        assert_eq!(records.writable(0, 20), 2);
        assert_eq!(records.writable(2, 20), 20);
    }

    #[test]
    fn without_ends_there_is_nothing_to_keep_apart() {
        assert_eq!(Records::new().writable(7, 100_000), 100_000);
    }
}
