//! Lines of a server's log, as `watch` has them.

use core::fmt;

use super::DumpLine;
use crate::{meta::pairs, number::split_u64};

/// A line of a server's log: `ts=<seconds>.<microseconds> gid=<number> type=<kind> …`, or `[skipped: <count>]` for lines
/// that the server has dropped because the watcher was too slow.
///
/// Source: memcached `logger.c`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LogLine<'b> {
    /// The whole line: `name=value` with spaces between, or what else it is.
    pub text: &'b [u8],
}

impl<'b> LogLine<'b> {
    /// Reads a line, if it is one. It may end with a line feed alone, so a carriage return within it would be read as
    /// part of its end when it is written again.
    pub(crate) fn parse(line: &'b [u8]) -> Option<Self> {
        (Self::is_one(line) && !line.contains(&b'\r')).then_some(Self { text: line })
    }

    /// Whether a line is one, by how it begins.
    pub(crate) fn is_one(line: &[u8]) -> bool {
        line.starts_with(b"ts=") || line.starts_with(SKIPPED)
    }

    /// Every name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> + use<'b> {
        pairs(self.text)
    }

    /// What the line tells of, such as `item_get`, `item_store` or `eviction`.
    #[must_use]
    pub fn kind(&self) -> Option<&'b [u8]> {
        self.value(b"type")
    }

    /// When it happened: Unix seconds, and microseconds, which servers write without leading zeros.
    #[must_use]
    pub fn time(&self) -> Option<(u64, u32)> {
        let (seconds, rest) = split_u64(self.value(b"ts")?)?;
        let (micros, rest) = split_u64(rest.strip_prefix(b".")?)?;
        let micros = u32::try_from(micros).ok().filter(|micros| *micros < 1_000_000)?;
        rest.is_empty().then_some((seconds, micros))
    }

    /// The key that the line tells of, with `%` escapes.
    #[must_use]
    pub fn key(&self) -> Option<&'b [u8]> {
        self.value(b"key")
    }

    /// The key's bytes, its escapes resolved; none if the line tells of no key.
    pub fn unescape(&self) -> impl Iterator<Item = u8> + use<'b> {
        DumpLine { key: self.key().unwrap_or_default(), text: b"" }.unescape()
    }

    /// How many lines the server has dropped here; `None` for a line that is one itself.
    #[must_use]
    pub fn skipped(&self) -> Option<u64> {
        let (count, rest) = split_u64(self.text.strip_prefix(SKIPPED)?)?;
        (rest == b"]").then_some(count)
    }

    fn value(&self, name: &[u8]) -> Option<&'b [u8]> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

const SKIPPED: &[u8] = b"[skipped: ";

impl fmt::Debug for LogLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind().unwrap_or_default();
        write!(f, "LogLine({} bytes, {})", self.text.len(), kind.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::{format, vec::Vec};

    use super::*;

    /// As memcached 1.6.18 wrote them.
    const GET: &[u8] = b"ts=1796068207.5758 gid=5 type=item_get key=a%25b status=found clsid=1 cfd=25 size=3";
    const CLOSE: &[u8] =
        b"ts=1796068207.334902 gid=13 type=conn_close rip=127.0.0.1 rport=39676 transport=tcp reason=error cfd=25";

    #[test]
    fn a_line_tells_when_what_happened_to_which_key() {
        let line = LogLine::parse(GET).unwrap();
        assert_eq!(line.time(), Some((1_796_068_207, 5758)), "not .5758 of a second");
        assert_eq!((line.kind(), line.key()), (Some(&b"item_get"[..]), Some(&b"a%25b"[..])));
        assert_eq!(line.unescape().collect::<Vec<_>>(), b"a%b");
        assert_eq!(line.iter().last(), Some((&b"size"[..], &b"3"[..])));
        assert_eq!(line.skipped(), None);
        let line = LogLine::parse(CLOSE).unwrap();
        assert_eq!((line.time(), line.key()), (Some((1_796_068_207, 334_902)), None));
        assert_eq!(line.unescape().count(), 0);
        let skipped = LogLine::parse(b"[skipped: 17]").unwrap();
        assert_eq!((skipped.skipped(), skipped.kind(), skipped.time()), (Some(17), None, None));
    }

    #[test]
    fn what_no_server_writes_is_no_time_and_no_line() {
        for wrong in [&b"type=item_get"[..], b"", b"OK", b"ts=1.2\rx", b"[skipped"] {
            assert_eq!(LogLine::parse(wrong), None, "{}", wrong.escape_ascii());
        }
        for wrong in [&b"ts="[..], b"ts=1", b"ts=1.", b"ts=.1", b"ts=1.1000000", b"ts=1.2x", b"ts=-1.2"] {
            assert_eq!(LogLine::parse(wrong).unwrap().time(), None, "{}", wrong.escape_ascii());
        }
        assert_eq!(LogLine::parse(b"[skipped: x]").unwrap().skipped(), None);
    }

    #[test]
    fn no_key_is_in_the_log_of_a_program() {
        let shown = format!("{:?}", LogLine::parse(b"ts=1.2 type=item_get key=secret").unwrap());
        assert_eq!(shown, "LogLine(31 bytes, item_get)");
    }
}
