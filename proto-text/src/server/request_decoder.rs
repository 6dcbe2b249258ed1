//! Reads a client's bytes event by event, however they are cut.

use super::{
    admin_line::read_admin,
    meta_line::{MetaLine, MetaRead},
    request_event::{Refusal, RequestEvent, StoreHead},
    request_line::read_line,
};
use crate::{
    key::{Key, MAX_KEY_LEN},
    line::{LineSearch, Searched},
    meta::MetaVerb,
    reply::{DecodeError, Malformed, Step},
    request::{Get, GetVerb, MAX_REQUEST_LINE, Request, Store, meta_line, store_line},
    value::{MAX_VALUE_LEN, Value},
};

/// How strictly requests are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reading {
    /// Forgives what memcached 1.6.18 forgives: spaces, bare line feeds, numbers that wrap, control characters in
    /// keys. A wrong request is an event, [`RequestEvent::Refused`], and the next one is read where memcached reads
    /// it.
    #[default]
    AsMemcached,
    /// Forgives nothing: what [`Request::encode`] would not write, byte for byte, is an error, and the error is
    /// final. (One exception: `delete noreply`, which that writes as `delete noreply 0`.)
    Strict,
}

/// Reads requests.
///
/// The decoder holds no bytes, only a few words of state: the caller owns the buffer. A buffer of
/// [`RequestDecoder::MIN_BUFFER`] bytes is enough for gets of any number of keys and for values of any length, which
/// come in pieces.
///
/// ```
/// use memring_text::{reply::Step, request::GetVerb, server::{RequestDecoder, RequestEvent}};
///
/// let mut decoder = RequestDecoder::default();
/// let mut rest = &b"get a b\r\n"[..];
/// let mut events = Vec::new();
/// while let Step::Event { consumed, event } = decoder.decode(rest)? {
///     events.push(event);
///     rest = &rest[consumed..];
/// }
/// let expected = [
///     RequestEvent::Get(GetVerb::Get),
///     RequestEvent::Key(b"a"),
///     RequestEvent::Key(b"b"),
///     RequestEvent::GetEnd,
/// ];
/// assert_eq!(events, expected);
/// # Ok::<(), memring_text::reply::DecodeError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RequestDecoder {
    reading: Reading,
    state: State,
    search: LineSearch,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Line,
    /// Behind the verb of a get, or a key; `any`: a key has come.
    Keys {
        any: bool,
    },
    /// Behind the last key: what is left of the line goes unread, and its end is this.
    KeysEnd(RequestEvent<'static>),
    /// In a value and its end, this many bytes before the next line; then it is refused.
    Swallow {
        left: usize,
        refusal: Refusal,
    },
    /// Inside a value, this many bytes before its line end.
    Value {
        left: usize,
        noreply: bool,
    },
    Closed,
    Failed(DecodeError),
}

impl RequestDecoder {
    /// The smallest buffer that is enough for every request, in bytes. (At a longer line memcached closes the
    /// connection, unless the line is a get or has come whole.)
    pub const MIN_BUFFER: usize = MAX_REQUEST_LINE + 1;

    /// A decoder at the start of a connection.
    #[must_use]
    pub const fn new(reading: Reading) -> Self {
        Self { reading, state: State::Line, search: LineSearch::START }
    }

    /// Reads the next event from the front of `buf`.
    ///
    /// `buf` holds every byte received and not yet consumed; on [`Step::NeedMore`] call again with the same bytes
    /// and more behind them. After [`RequestEvent::Quit`] and [`RequestEvent::Close`] there are no more events: the
    /// rest of the stream is skipped.
    ///
    /// # Errors
    /// Only when reading [strictly](Reading::Strict). Any error is final, and every later call returns the same.
    pub fn decode<'b>(&mut self, buf: &'b [u8]) -> Result<Step<RequestEvent<'b>>, DecodeError> {
        let step = match self.state {
            State::Line => self.line(buf),
            State::Keys { any } => self.keys(buf, any),
            State::KeysEnd(event) => self.skip(buf, event),
            State::Swallow { left, refusal } => self.swallow(buf, left, refusal),
            State::Value { left, noreply } => self.value(buf, left, noreply),
            State::Closed if buf.is_empty() => Step::NeedMore,
            State::Closed => Step::Event { consumed: buf.len(), event: RequestEvent::Skipped },
            State::Failed(error) => return Err(error),
        };
        let refused = match step {
            _ if matches!(self.state, State::Swallow { .. }) => true,
            Step::Event { event: RequestEvent::Refused { .. } | RequestEvent::Close, .. } => true,
            Step::Event { consumed, event } => !self.is_strict(buf.get(..consumed).unwrap_or(&[]), &event),
            Step::NeedMore => false,
        };
        if refused && self.reading == Reading::Strict {
            let error = DecodeError::Malformed(Malformed::Request);
            self.state = State::Failed(error);
            return Err(error);
        }
        Ok(step)
    }

    /// Whether the next byte is one of a value, or of its end.
    pub(super) const fn is_in_value(&self) -> bool {
        matches!(self.state, State::Value { .. } | State::Swallow { .. })
    }

    fn line<'b>(&mut self, buf: &'b [u8]) -> Step<RequestEvent<'b>> {
        // Only these two may be longer than the limit, so they are not waited for.
        for (word, verb) in [(&b"get "[..], GetVerb::Get), (b"gets ", GetVerb::Gets)] {
            if self.search.is_fresh() && buf.starts_with(word) {
                self.state = State::Keys { any: false };
                return Step::Event { consumed: verb.word().len(), event: RequestEvent::Get(verb) };
            }
        }
        // A longer line is taken too, where it has come whole.
        let at = match self.search.find(buf, buf.len().max(Self::MIN_BUFFER)) {
            Searched::At(at) => at,
            Searched::NotYet => {
                // While the verb may still become one of the two, the line must stay unsearched.
                if b"gets ".starts_with(buf) {
                    self.search = LineSearch::START;
                }
                return Step::NeedMore;
            }
            Searched::TooLong => {
                self.search = LineSearch::START;
                if let Some((consumed, verb)) = spaced_get(buf) {
                    self.state = State::Keys { any: false };
                    return Step::Event { consumed, event: RequestEvent::Get(verb) };
                }
                self.state = State::Closed;
                return Step::Event { consumed: buf.len(), event: RequestEvent::Close };
            }
        };
        let whole = at.saturating_add(1);
        let line = trim_line(buf.get(..at).unwrap_or(&[]));
        let (event, before_keys) = match MetaLine::read(line) {
            Some(MetaRead::Event(event)) => (event, whole),
            Some(MetaRead::Swallow(refusal, left)) => {
                self.state = State::Swallow { left, refusal };
                return Step::Event { consumed: whole, event: RequestEvent::Skipped };
            }
            None => match read_admin(line) {
                Some(admin) => (RequestEvent::Admin(admin), whole),
                None => read_line(line),
            },
        };
        let consumed = match event {
            RequestEvent::Get(verb) => {
                // memcached 1.6.18 answers a `gat` of no keys with `END`.
                self.state = State::Keys { any: verb.exptime().is_some() };
                before_keys
            }
            RequestEvent::Store(StoreHead { len, noreply, .. }) => {
                self.state = State::Value { left: len, noreply };
                whole
            }
            RequestEvent::MetaStore(MetaLine { len, .. }) => {
                self.state = State::Value { left: len, noreply: false };
                whole
            }
            RequestEvent::Quit | RequestEvent::Close => {
                self.state = State::Closed;
                whole
            }
            _ => whole,
        };
        Step::Event { consumed, event }
    }

    fn keys<'b>(&mut self, buf: &'b [u8], any: bool) -> Step<RequestEvent<'b>> {
        let spaces = buf.iter().position(|byte| *byte != b' ').unwrap_or(buf.len());
        let rest = buf.get(spaces..).unwrap_or(&[]);
        // Spaces go with what follows them; so many that they would fill the buffer go alone.
        if rest.is_empty() && spaces > MAX_KEY_LEN {
            return Step::Event { consumed: spaces, event: RequestEvent::Skipped };
        }
        // A key, a carriage return, and what shows that it ends there.
        let window = rest.get(..MAX_KEY_LEN.saturating_add(2)).unwrap_or(rest);
        let end = window.iter().position(|byte| matches!(byte, b' ' | b'\n' | 0));
        let name = match end.and_then(|end| window.split_at_checked(end)) {
            Some((name, [b'\n', ..])) => name.strip_suffix(b"\r").unwrap_or(name),
            Some((name, _)) => name,
            None if window.len() > MAX_KEY_LEN.saturating_add(1) => window,
            None => return Step::NeedMore,
        };
        let consumed = spaces.saturating_add(name.len());
        if name.is_empty() {
            // The line ends here, or is cut by a NUL, behind which memcached 1.6.18 reads nothing.
            let refused = RequestEvent::Refused { refusal: Refusal::UnknownCommand, noreply: false };
            let event = if any { RequestEvent::GetEnd } else { refused };
            self.state = State::KeysEnd(event);
            return self.skip(buf, event);
        }
        if name.len() > MAX_KEY_LEN {
            let event = RequestEvent::Refused { refusal: Refusal::BadFormat, noreply: false };
            self.state = State::KeysEnd(event);
            return self.skip(buf, event);
        }
        self.state = State::Keys { any: true };
        Step::Event { consumed, event: RequestEvent::Key(name) }
    }

    /// Passes by the rest of a line; its end is `event`.
    fn skip<'b>(&mut self, buf: &'b [u8], event: RequestEvent<'b>) -> Step<RequestEvent<'b>> {
        match memchr::memchr(b'\n', buf) {
            Some(at) => {
                self.state = State::Line;
                Step::Event { consumed: at.saturating_add(1), event }
            }
            None if buf.is_empty() => Step::NeedMore,
            None => Step::Event { consumed: buf.len(), event: RequestEvent::Skipped },
        }
    }

    /// Passes by a value; only behind it memcached says why.
    fn swallow<'b>(&mut self, buf: &'b [u8], left: usize, refusal: Refusal) -> Step<RequestEvent<'b>> {
        let consumed = left.min(buf.len());
        if consumed == 0 {
            return Step::NeedMore;
        }
        let left = left.saturating_sub(consumed);
        if left > 0 {
            self.state = State::Swallow { left, refusal };
            return Step::Event { consumed, event: RequestEvent::Skipped };
        }
        self.state = State::Line;
        Step::Event { consumed, event: RequestEvent::Refused { refusal, noreply: false } }
    }

    fn value<'b>(&mut self, buf: &'b [u8], left: usize, noreply: bool) -> Step<RequestEvent<'b>> {
        if left > 0 {
            let piece = buf.get(..left).unwrap_or(buf);
            if piece.is_empty() {
                return Step::NeedMore;
            }
            self.state = State::Value { left: left.saturating_sub(piece.len()), noreply };
            return Step::Event { consumed: piece.len(), event: RequestEvent::Data(piece) };
        }
        let event = match buf {
            [b'\r', b'\n', ..] => RequestEvent::StoreEnd,
            [_, _, ..] => RequestEvent::Refused { refusal: Refusal::BadDataChunk, noreply },
            _ => return Step::NeedMore,
        };
        self.state = State::Line;
        Step::Event { consumed: 2, event }
    }

    /// Whether these are the bytes that our own side would have sent for the event.
    fn is_strict(&self, bytes: &[u8], event: &RequestEvent<'_>) -> bool {
        if self.reading != Reading::Strict {
            return true;
        }
        match *event {
            RequestEvent::Get(verb) => {
                let Ok(key) = Key::new(b"k") else { return false };
                let ours = Request::Get(Get { verb, key }).parts();
                ours.head.as_bytes().strip_suffix(b" k\r\n") == Some(bytes)
            }
            RequestEvent::Key(key) => bytes.strip_prefix(b" ") == Some(key) && Key::new(key).is_ok(),
            RequestEvent::GetEnd => bytes == b"\r\n",
            RequestEvent::Store(head) => is_strict_store(bytes, &head),
            RequestEvent::Data(_) | RequestEvent::StoreEnd => true,
            RequestEvent::Meta(line) | RequestEvent::MetaStore(line) => {
                let len = (line.verb == MetaVerb::Set).then_some(line.len);
                let same = line.with_request(Value::EMPTY, |ours| meta_line(ours, len).as_bytes() == bytes);
                line.len <= MAX_VALUE_LEN && same == Some(true)
            }
            RequestEvent::Delete { key: b"noreply", noreply: false } if bytes == b"delete noreply\r\n" => {
                true
            }
            _ => event.request().is_some_and(|request| request.parts().head.as_bytes() == bytes),
        }
    }
}

/// The value is not there yet, so its length is held against the line by itself.
fn is_strict_store(bytes: &[u8], head: &StoreHead<'_>) -> bool {
    let Ok(key) = Key::new(head.key) else { return false };
    let StoreHead { verb, flags, exptime, len, noreply, .. } = *head;
    let ours = store_line(&Store { verb, key, flags, exptime, value: Value::EMPTY, noreply }, len);
    len <= MAX_VALUE_LEN && ours.as_bytes() == bytes
}

/// A `get` or `gets` behind up to a hundred spaces, and where its keys begin.
fn spaced_get(buf: &[u8]) -> Option<(usize, GetVerb)> {
    let spaces = buf.iter().position(|byte| *byte != b' ').filter(|spaces| *spaces <= 100)?;
    let rest = buf.get(spaces..)?;
    let verb = if rest.starts_with(b"get ") {
        GetVerb::Get
    } else if rest.starts_with(b"gets ") {
        GetVerb::Gets
    } else {
        return None;
    };
    Some((spaces.saturating_add(verb.word().len()), verb))
}

/// A line without its end, which is a line feed with or without a carriage return before it, and without what lies
/// behind a NUL.
fn trim_line(line: &[u8]) -> &[u8] {
    let line = match line {
        [_, .., b'\r'] => line.strip_suffix(b"\r").unwrap_or(line),
        line => line,
    };
    let cut = memchr::memchr(0, line).and_then(|nul| line.get(..nul));
    cut.unwrap_or(line)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    fn events<'b>(reading: Reading, bytes: &'b [u8]) -> Vec<Result<RequestEvent<'b>, DecodeError>> {
        let mut decoder = RequestDecoder::new(reading);
        let mut rest = bytes;
        let mut events = Vec::new();
        loop {
            match decoder.decode(rest) {
                Ok(Step::Event { consumed, event }) => {
                    events.push(Ok(event));
                    rest = &rest[consumed..];
                }
                Ok(Step::NeedMore) => return events,
                Err(error) => {
                    events.push(Err(error));
                    return events;
                }
            }
        }
    }

    #[test]
    fn a_long_key_voids_the_get_and_the_next_line_is_read() {
        let mut bytes = Vec::from(*b"get a ");
        bytes.resize(bytes.len() + 251, b'k');
        bytes.extend_from_slice(b" more keys\r\nversion\r\n");
        let refused = RequestEvent::Refused { refusal: Refusal::BadFormat, noreply: false };
        let expected =
            [RequestEvent::Get(GetVerb::Get), RequestEvent::Key(b"a"), refused, RequestEvent::Version];
        assert_eq!(events(Reading::AsMemcached, &bytes), expected.map(Ok));
    }

    #[test]
    fn a_key_of_250_bytes_is_known_by_what_follows_it() {
        for end in [&b"\r\n"[..], b" b\r\n", b"\n"] {
            let mut bytes = Vec::from(*b"get ");
            bytes.resize(bytes.len() + 250, b'k');
            bytes.extend_from_slice(end);
            assert_eq!(events(Reading::AsMemcached, &bytes)[1], Ok(RequestEvent::Key(&[b'k'; 250])));
        }
    }

    #[test]
    fn strictly_read_only_one_form_is_right() {
        let strict = |bytes| events(Reading::Strict, bytes).iter().all(Result::is_ok);
        for right in [
            &b"get a\r\n"[..],
            b"gats -1 a b\r\n",
            b"set a 0 0 1\r\nx\r\n",
            b"delete noreply\r\n",
            b"quit\r\n",
        ] {
            assert!(strict(right), "{}", right.escape_ascii());
        }
        for wrong in [
            &b"get  a\r\n"[..],
            b"get a \r\n",
            b"get a\n",
            b" get a\r\n",
            b"get a\tb\r\n",
            b"gat +1 a\r\n",
            b"set a 00 0 1\r\n",
            b"set a 0 0 1 NOREPLY\r\n",
            b"set a 0 0 1\r\nx\n\n",
            b"delete a 0\r\n",
            b"version x\r\n",
            b"flush_all -1\r\n",
            b"\r\n",
        ] {
            assert!(!strict(wrong), "{}", wrong.escape_ascii());
        }
    }

    #[test]
    fn a_line_that_does_not_end_closes() {
        let bytes = [b'x'; RequestDecoder::MIN_BUFFER];
        assert_eq!(events(Reading::AsMemcached, &bytes), [Ok(RequestEvent::Close)]);
        assert_eq!(events(Reading::AsMemcached, &bytes[1..]), []);
    }
}
