//! The reply decoder: reads a server's bytes event by event, however they are cut.

use crate::{
    limits::Limits,
    line::{LineSearch, Searched, split_word},
    meta::{DebugLine, MetaCode, MetaHead, ReturnFlags, value_head},
    number::parse_u64,
    reply::{CacheItem, DumpKey, DumpLine, ErrorLine, Event, ItemHead, LogLine, Notice, Status},
    value::{MAX_VALUE_LEN, ValueTooLarge},
};

mod error;
mod head;

pub use error::{DecodeError, Malformed};
pub(crate) use head::RawHead;

/// What a decoder found at the front of the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<E> {
    /// An event. Take the first `consumed` bytes off the buffer before the next call.
    Event {
        /// How many bytes the event took from the front of the buffer, at least one.
        consumed: usize,
        /// The event.
        event: E,
    },
    /// The next event is not complete yet. Call again with the same bytes and more behind them.
    NeedMore,
}

/// Reads replies, classic and meta, without knowing which request they answer.
///
/// The decoder holds no bytes, only a few words of state: the caller owns the buffer, and a buffer of
/// [`Limits::line`] bytes passes values of any length, in pieces.
///
/// ```
/// use memring_text::reply::{Event, ReplyDecoder, Step};
///
/// let mut decoder = ReplyDecoder::default();
/// let mut rest = &b"VALUE greeting 0 5\r\nhello\r\nEND\r\n"[..];
/// let mut value = Vec::new();
/// while let Step::Event { consumed, event } = decoder.decode(rest)? {
///     if let Event::Data(piece) = event {
///         value.extend_from_slice(piece);
///     }
///     rest = &rest[consumed..];
/// }
/// assert_eq!(value, b"hello");
/// # Ok::<(), memring_text::reply::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReplyDecoder {
    // The exchange's fast paths change the state and the count as this decoder would.
    pub(crate) state: State,
    search: LineSearch,
    /// Items, or lines of statistics, since the last reply ended.
    pub(crate) count: u32,
    pub(crate) limits: Limits,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum State {
    Line,
    /// Inside a value, this many bytes before its line end.
    Value(usize),
    /// Inside a value of `len` bytes, which is longer than the limit, `left` bytes before its line end; never none.
    Skipped {
        left: usize,
        len: usize,
    },
    Failed(DecodeError),
}

impl Default for ReplyDecoder {
    fn default() -> Self {
        Self::new(Limits::DEFAULT)
    }
}

impl ReplyDecoder {
    /// A decoder at the start of a reply.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self { state: State::Line, search: LineSearch::START, count: 0, limits }
    }

    /// Reads the next event from the front of `buf`.
    ///
    /// `buf` holds every byte received and not yet consumed; on [`Step::NeedMore`] call again with the same bytes
    /// and more behind them. Each byte is looked at once, however the input is cut.
    ///
    /// # Errors
    /// Any error is final: the position in the stream is lost, and every later call returns the same error.
    pub fn decode<'b>(&mut self, buf: &'b [u8]) -> Result<Step<Event<'b>>, DecodeError> {
        let step = self.step(buf, Self::event);
        if let Err(error) = step {
            self.state = State::Failed(error);
        }
        step
    }

    /// As [`decode`](Self::decode), for a reply of items, or of one word, number or refusal: any other line is `unknown`. An
    /// error is not remembered.
    pub(crate) fn decode_plain<'b, E: From<DecodeError>>(
        &mut self,
        buf: &'b [u8],
        unknown: E,
    ) -> Result<Step<Event<'b>>, E> {
        self.step(buf, |decoder, line| decoder.plain_event(line)?.ok_or(unknown))
    }

    /// The next event, that of a line by `event`.
    #[inline]
    fn step<'b, E: From<DecodeError>>(
        &mut self,
        buf: &'b [u8],
        event: impl FnOnce(&mut Self, &'b [u8]) -> Result<Event<'b>, E>,
    ) -> Result<Step<Event<'b>>, E> {
        match self.state {
            State::Line => match self.line(buf)? {
                Step::Event { consumed, event: line } => {
                    Ok(Step::Event { consumed, event: event(self, line)? })
                }
                Step::NeedMore => Ok(Step::NeedMore),
            },
            State::Value(left) => Ok(self.value(buf, left)?),
            State::Skipped { left, len } => Ok(self.skip(buf, left, len)),
            State::Failed(error) => Err(error.into()),
        }
    }

    /// Whether the next byte begins a reply or another line of one, and does not lie within a value or a line.
    #[must_use]
    pub const fn is_between_lines(&self) -> bool {
        matches!(self.state, State::Line) && self.search.is_fresh()
    }

    /// The next line, without its end.
    fn line<'b>(&mut self, buf: &'b [u8]) -> Result<Step<&'b [u8]>, DecodeError> {
        match buf.first() {
            None => return Ok(Step::NeedMore),
            // No line begins with a bracket but one of a log.
            Some(first) if first.is_ascii_alphanumeric() || *first == b'[' => {}
            // An alert, or a handshake.
            Some(0x15 | 0x16) => return Err(DecodeError::Malformed(Malformed::Tls)),
            Some(_) => return Err(DecodeError::Malformed(Malformed::FirstByte)),
        }
        let at = match self.search.find(buf, self.limits.line) {
            Searched::At(at) => at,
            Searched::NotYet => return Ok(Step::NeedMore),
            Searched::TooLong => return Err(DecodeError::LineTooLong { limit: self.limits.line }),
        };
        let whole = buf.get(..at).unwrap_or(&[]);
        let line = match whole.strip_suffix(b"\r") {
            Some(line) => line,
            // The two kinds of lines that memcached ends without a carriage return.
            None if whole.starts_with(b"key=") || LogLine::is_one(whole) => whole,
            None => return Err(DecodeError::Malformed(Malformed::LineEnd)),
        };
        Ok(Step::Event { consumed: at.saturating_add(1), event: line })
    }

    fn event<'b>(&mut self, line: &'b [u8]) -> Result<Event<'b>, DecodeError> {
        let malformed = |what| Err(DecodeError::Malformed(what));
        if let Some(rest) = line.strip_prefix(b"STAT ") {
            let (name, value) = split_word(rest);
            if name.is_empty() {
                return malformed(Malformed::Stat);
            }
            self.count(self.limits.stats, DecodeError::TooManyLines { limit: self.limits.stats })?;
            return Ok(Event::Stat { name, value });
        }
        if let Some(text @ [_, ..]) = line.strip_prefix(b"VERSION ") {
            self.count = 0;
            return Ok(Event::Version(text));
        }
        match line {
            // Two letters and a space or nothing; but not `OK`, and not the `mg` of a dump.
            [first, second] | [first, second, b' ', ..] if *first != b'O' && *first != b'm' => {
                self.count = 0;
                self.meta([*first, *second], line)
            }
            _ => self.plain_event(line)?.map_or_else(|| Self::admin_line(line), Ok),
        }
    }

    /// The event of a line that is an item's, `END`, a word, a number or a refusal.
    fn plain_event<'b>(&mut self, line: &'b [u8]) -> Result<Option<Event<'b>>, DecodeError> {
        if let Some(rest) = line.strip_prefix(b"VALUE ") {
            return match RawHead::parse(rest) {
                Some(head) => self.item(head).map(Some),
                None => Err(DecodeError::Malformed(Malformed::Item)),
            };
        }
        self.count = 0;
        Ok(match line {
            b"END" => Some(Event::End),
            [b'0'..=b'9', ..] => match parse_u64(line) {
                Some(number) => Some(Event::Number(number)),
                None => return Err(DecodeError::Malformed(Malformed::Number)),
            },
            _ => match Status::from_word(line) {
                Some(status) => Some(Event::Status(status)),
                None => ErrorLine::parse(line).map(Event::Error),
            },
        })
    }

    /// A line that begins with two letters: a meta reply, or nothing known.
    fn meta<'b>(&mut self, word: [u8; 2], line: &'b [u8]) -> Result<Event<'b>, DecodeError> {
        if word.iter().all(u8::is_ascii_digit) {
            return parse_u64(line).map(Event::Number).ok_or(DecodeError::Malformed(Malformed::Number));
        }
        let rest = line.get(word.len()..).unwrap_or(&[]);
        let malformed = DecodeError::Malformed(Malformed::Meta);
        if word == *b"ME" {
            let (key, text) = split_word(rest.strip_prefix(b" ").ok_or(malformed)?);
            return if key.is_empty() { Err(malformed) } else { Ok(Event::Debug(DebugLine { key, text })) };
        }
        let code = MetaCode::ALL.into_iter().find(|code| code.word().as_bytes() == word);
        let code = code.ok_or(DecodeError::Malformed(Malformed::Word))?;
        if code != MetaCode::Value {
            let flags = ReturnFlags::parse(rest).ok_or(malformed)?;
            return Ok(Event::Meta(MetaHead { code, len: 0, flags }));
        }
        let (len, flags) = rest.strip_prefix(b" ").and_then(value_head).ok_or(malformed)?;
        let len = self.begin_value(len)?;
        Ok(Event::Meta(MetaHead { code, len, flags }))
    }

    #[cold]
    fn admin_line(line: &[u8]) -> Result<Event<'_>, DecodeError> {
        let malformed = |what| move || DecodeError::Malformed(what);
        if let Some(rest) = line.strip_prefix(b"key=") {
            return DumpLine::parse(rest).map(Event::Dump).ok_or_else(malformed(Malformed::Item));
        }
        if let Some(rest) = line.strip_prefix(b"mg ") {
            return DumpKey::parse(rest).map(Event::DumpKey).ok_or_else(malformed(Malformed::Item));
        }
        if let Some(rest) = line.strip_prefix(b"ITEM ") {
            return CacheItem::parse(rest).map(Event::CacheItem).ok_or_else(malformed(Malformed::Item));
        }
        if let Some(rest) = line.strip_prefix(b"PREFIX ") {
            let (name, value) = split_word(rest);
            return Ok(Event::Prefix { name, value });
        }
        let log = || LogLine::parse(line).map(Event::Log);
        Notice::parse(line).map(Event::Notice).or_else(log).ok_or_else(malformed(Malformed::Word))
    }

    /// Holds an announced length against the limits: what lies between ours and that of any server is skipped.
    #[inline]
    fn begin_value(&mut self, len: u64) -> Result<usize, DecodeError> {
        let limit = self.limits.value;
        let (len, state) = match usize::try_from(len) {
            Ok(len) if len <= limit => (len, State::Value(len)),
            Ok(len) if len <= MAX_VALUE_LEN => (len, State::Skipped { left: len, len }),
            _ => return Err(DecodeError::ValueTooLarge { len, limit: limit.max(MAX_VALUE_LEN) }),
        };
        self.state = state;
        Ok(len)
    }

    #[inline]
    fn item<'b>(&mut self, head: RawHead<'b>) -> Result<Event<'b>, DecodeError> {
        let len = self.begin_value(head.len)?;
        self.count(self.limits.items, DecodeError::TooManyItems { limit: self.limits.items })?;
        Ok(Event::Value(ItemHead { key: head.key, flags: head.flags, len, cas: head.cas }))
    }

    #[inline]
    fn count(&mut self, limit: u32, error: DecodeError) -> Result<(), DecodeError> {
        if self.count >= limit {
            return Err(error);
        }
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// The next piece of a value that is skipped.
    #[cold]
    fn skip<'b>(&mut self, buf: &'b [u8], left: usize, len: usize) -> Step<Event<'b>> {
        let piece = buf.get(..left).unwrap_or(buf);
        if piece.is_empty() {
            return Step::NeedMore;
        }
        self.state = match left.saturating_sub(piece.len()) {
            0 => State::Value(0),
            left => State::Skipped { left, len },
        };
        let value = ValueTooLarge { len, limit: self.limits.value };
        Step::Event { consumed: piece.len(), event: Event::Skipped { piece, value } }
    }

    #[inline]
    fn value<'b>(&mut self, buf: &'b [u8], left: usize) -> Result<Step<Event<'b>>, DecodeError> {
        if left > 0 {
            let piece = buf.get(..left).unwrap_or(buf);
            if piece.is_empty() {
                return Ok(Step::NeedMore);
            }
            self.state = State::Value(left.saturating_sub(piece.len()));
            return Ok(Step::Event { consumed: piece.len(), event: Event::Data(piece) });
        }
        match buf {
            [b'\r', b'\n', ..] => {
                self.state = State::Line;
                Ok(Step::Event { consumed: 2, event: Event::ValueEnd })
            }
            [] | [b'\r'] => Ok(Step::NeedMore),
            _ => Err(DecodeError::Malformed(Malformed::ValueEnd)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_an_error_every_call_gives_the_same_error() {
        let mut decoder = ReplyDecoder::default();
        let error = decoder.decode(b"BOGUS\r\n").unwrap_err();
        assert_eq!(error, DecodeError::Malformed(Malformed::Word));
        assert_eq!(decoder.decode(b"END\r\n"), Err(error));
        assert_eq!(decoder.decode(b""), Err(error));
    }

    #[test]
    fn a_line_of_exactly_the_limit_passes() {
        let limits = Limits { line: 12, ..Limits::DEFAULT };
        let mut decoder = ReplyDecoder::new(limits);
        assert!(decoder.decode(b"NOT_STORED\r\n").is_ok());
        let mut decoder = ReplyDecoder::new(Limits { line: 11, ..limits });
        assert_eq!(decoder.decode(b"NOT_STORED\r"), Err(DecodeError::LineTooLong { limit: 11 }));
    }

    #[test]
    fn limits_hold_per_reply() {
        let limits = Limits { items: 1, stats: 1, ..Limits::DEFAULT };
        let mut decoder = ReplyDecoder::new(limits);
        for _ in 0..3 {
            assert!(decoder.decode(b"STAT a b\r\n").is_ok());
            assert!(decoder.decode(b"END\r\n").is_ok());
        }
        assert!(decoder.decode(b"STAT a b\r\n").is_ok());
        assert_eq!(decoder.decode(b"STAT a b\r\n"), Err(DecodeError::TooManyLines { limit: 1 }));
    }
}
