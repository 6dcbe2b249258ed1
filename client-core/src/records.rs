//! TLS records: which requests of a stream share one.

use std::collections::VecDeque;

/// Says how many of the gathered bytes may be written at once, so that each TLS record holds whole requests, or part of
/// a single one.
///
/// memcached reads a long value straight from the connection, then waits for the network to report more. Requests in
/// the same record behind the end of that value are decrypted by then, but are not answered before another record comes
/// (seen with 1.6.18).
#[derive(Debug, Default)]
pub struct Records {
    /// Where the requests end that are not written yet, as offsets in the gathered bytes.
    ends: VecDeque<usize>,
    /// The end of the last request that is written, or the beginning of the first one, as an offset in the gathered
    /// bytes.
    whole: Option<usize>,
}

impl Records {
    /// The state before the first request.
    #[must_use]
    pub const fn new() -> Self {
        Self { ends: VecDeque::new(), whole: Some(0) }
    }

    /// Notes that a request ends with the gathered bytes, which are `len`.
    pub fn request_ends(&mut self, len: usize) {
        self.ends.push_back(len);
    }

    /// The offset up to which the gathered bytes may be written at once. They are `len` in number, and `written` of
    /// them have left.
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

    /// Notes that all `len` gathered bytes have left, and gathering begins anew.
    pub fn all_written(&mut self, len: usize) {
        let _ = self.writable(len, len);
        self.whole = (self.whole == Some(len)).then_some(0);
    }

    /// Notes that part of a request was written directly, while no bytes were gathered.
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
