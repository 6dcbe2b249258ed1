//! A get of one key in little code, for firmware.

use crate::{
    exchange::ProtocolError,
    key::Key,
    limits::Limits,
    number::split_u64,
    reply::{DecodeError, Event, ItemHead, Step},
};

/// A `get` of one key, with its request and its reply.
///
/// It gives the events of an [`Exchange`](crate::Exchange) that waits for that key, by a tenth of the code: it knows no
/// other reply. Whatever is neither the item nor `END` is [`ProtocolError::Unexpected`], refusals by the
/// server too, and the connection must be closed. So it must behind a value that is larger than the limit: none is skipped.
///
/// ```
/// use memring_text::{Key, exchange::{ProtocolError, SmallGet}, reply::{Event, Step}};
///
/// let mut get = SmallGet::new(Key::new(b"greeting").unwrap());
/// assert_eq!(get.request().concat(), b"get greeting\r\n");
///
/// let mut rest = &b"VALUE greeting 0 5\r\nhello\r\nEND\r\n"[..];
/// let mut value = Vec::new();
/// while let Step::Event { consumed, event } = get.decode(rest)? {
///     match event {
///         Event::Data(piece) => value.extend_from_slice(piece),
///         Event::End => break,
///         _ => {}
///     }
///     rest = &rest[consumed..];
/// }
/// assert_eq!(value, b"hello");
/// # Ok::<(), ProtocolError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SmallGet<'k> {
    key: Key<'k>,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Line,
    /// Inside the value, this many bytes before its line end.
    Value(usize),
    /// Behind the item, before `END`.
    End,
    Failed(ProtocolError),
}

impl<'k> SmallGet<'k> {
    /// A get of `key`, with [`Limits::DEFAULT`].
    #[must_use]
    pub const fn new(key: Key<'k>) -> Self {
        Self { key, state: State::Line }
    }

    /// The request, in three pieces: nothing is copied.
    #[must_use]
    pub const fn request(&self) -> [&'k [u8]; 3] {
        [b"get ", self.key.as_bytes(), b"\r\n"]
    }

    /// Reads the next event from the front of `buf`, which is used as by
    /// [`ReplyDecoder::decode`](crate::reply::ReplyDecoder::decode); but a line that is not whole yet is looked at again. After
    /// [`Event::End`] the same may be asked again.
    ///
    /// # Errors
    /// Any error is final: the connection must be closed, and every later call returns the same error.
    pub fn decode<'b>(&mut self, buf: &'b [u8]) -> Result<Step<Event<'b>>, ProtocolError> {
        let step = self.step(buf);
        if let Err(error) = step {
            self.state = State::Failed(error);
        }
        step
    }

    fn step<'b>(&mut self, buf: &'b [u8]) -> Result<Step<Event<'b>>, ProtocolError> {
        let (state, consumed, event) = match self.state {
            State::Failed(error) => return Err(error),
            State::Value(left @ 1..) => {
                let piece = buf.get(..left).unwrap_or(buf);
                if piece.is_empty() {
                    return Ok(Step::NeedMore);
                }
                (State::Value(left.saturating_sub(piece.len())), piece.len(), Event::Data(piece))
            }
            State::Value(_) => {
                if !has(buf, b"\r\n")? {
                    return Ok(Step::NeedMore);
                }
                (State::End, 2, Event::ValueEnd)
            }
            State::Line if buf.first() == Some(&b'V') => {
                let window = buf.get(..Limits::DEFAULT.line).unwrap_or(buf);
                let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
                    if window.len() < Limits::DEFAULT.line {
                        return Ok(Step::NeedMore);
                    }
                    let limit = Limits::DEFAULT.line;
                    return Err(ProtocolError::Decode(DecodeError::LineTooLong { limit }));
                };
                let head = window
                    .get(..end)
                    .and_then(|line| head(line, self.key))
                    .ok_or(ProtocolError::Unexpected)?;
                if head.len > Limits::DEFAULT.value {
                    let (len, limit) = (head.len as u64, Limits::DEFAULT.value);
                    return Err(ProtocolError::Decode(DecodeError::ValueTooLarge { len, limit }));
                }
                (State::Value(head.len), end.saturating_add(1), Event::Value(head))
            }
            State::Line | State::End => {
                if !has(buf, b"END\r\n")? {
                    return Ok(Step::NeedMore);
                }
                (State::Line, 5, Event::End)
            }
        };
        self.state = state;
        Ok(Step::Event { consumed, event })
    }
}

/// Whether `buf` begins with `word`, or may yet.
fn has(buf: &[u8], word: &[u8]) -> Result<bool, ProtocolError> {
    let same = buf.iter().zip(word).filter(|(byte, wanted)| byte == wanted).count();
    match same {
        same if same == word.len() => Ok(true),
        same if same == buf.len() => Ok(false),
        _ => Err(ProtocolError::Unexpected),
    }
}

/// Reads an item's head, all of a line without its line feed.
fn head<'b>(line: &'b [u8], key: Key<'_>) -> Option<ItemHead<'b>> {
    let rest = line.strip_prefix(b"VALUE ")?;
    let (name, rest) = rest.split_at_checked(key.as_bytes().len())?;
    if name != key.as_bytes() {
        return None;
    }
    let rest = rest.strip_prefix(b" ")?;
    // Old servers send flags with the highest bit as negative numbers. Read here with what reads the others: the general
    // way would be 350 bytes of flash.
    let (is_negative, rest) = rest.strip_prefix(b"-").map_or((false, rest), |digits| (true, digits));
    let (flags, rest) = split_u64(rest)?;
    let flags = match u32::try_from(flags).ok()? {
        flags if !is_negative => flags,
        flags if flags <= 1 << 31 => flags.wrapping_neg(),
        _ => return None,
    };
    let (len, rest) = split_u64(rest.strip_prefix(b" ")?)?;
    if rest != b"\r" {
        return None;
    }
    Some(ItemHead { key: name, flags, len: usize::try_from(len).unwrap_or(usize::MAX), cas: None })
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::{string::String, vec, vec::Vec};

    use super::*;
    use crate::{
        exchange::{Exchange, Progress},
        request::{Get, Request},
    };

    const KEY: &[u8] = b"greeting";

    #[test]
    fn a_value_beyond_the_limit_is_not_skipped() {
        let mut get = SmallGet::new(Key::new(KEY).unwrap());
        let too_large = DecodeError::ValueTooLarge { len: 1_048_577, limit: 1_048_576 };
        let step = get.decode(b"VALUE greeting 0 1048577\r\n");
        assert_eq!(step, Err(ProtocolError::Decode(too_large)));
    }

    /// The events with the pieces of a value in one, and whether that was all right.
    fn small(reply: &[u8], step: usize) -> (Vec<String>, bool) {
        let mut get = SmallGet::new(Key::new(KEY).unwrap());
        tell(reply, step, |buf| match get.decode(buf) {
            Ok(Step::Event { consumed, event }) => Ok(Some((consumed, event))),
            Ok(Step::NeedMore) => Ok(None),
            Err(error) => {
                assert_eq!(get.decode(b"END\r\n"), Err(error));
                Err(())
            }
        })
    }

    fn large(reply: &[u8]) -> (Vec<String>, bool) {
        let request = Request::Get(Get::new(Key::new(KEY).unwrap()));
        let mut exchange = Exchange::default();
        exchange.sent();
        tell(reply, reply.len(), |buf| match exchange.decode(buf, &request) {
            Ok(Progress::Event { event: Event::Error(_), .. }) => Err(()),
            Ok(Progress::Event { consumed, event, .. }) => Ok(Some((consumed, event))),
            Ok(Progress::NeedMore) => Ok(None),
            Err(_) => Err(()),
        })
    }

    fn tell<'b>(
        reply: &'b [u8],
        step: usize,
        mut decode: impl FnMut(&'b [u8]) -> Result<Option<(usize, Event<'b>)>, ()>,
    ) -> (Vec<String>, bool) {
        let (mut told, mut from, mut to) = (vec![], 0, 0);
        while to < reply.len() {
            to = reply.len().min(to + step);
            loop {
                match decode(&reply[from..to]) {
                    Ok(Some((consumed, event))) => {
                        from += consumed;
                        match event {
                            Event::Data(piece) => {
                                told.extend(piece.iter().map(|byte| std::format!("{byte}")));
                            }
                            event => told.push(std::format!("{event:?}")),
                        }
                    }
                    Ok(None) => break,
                    Err(()) => return (told, false),
                }
            }
        }
        (told, true)
    }

    #[test]
    fn it_reads_what_an_exchange_reads_however_it_is_cut() {
        let long = [&b"VALUE greeting "[..], &[b'0'; 2048]].concat();
        for reply in [
            &b"END\r\n"[..],
            b"VALUE greeting 0 5\r\nhello\r\nEND\r\n",
            b"VALUE greeting 4294967295 0\r\n\r\nEND\r\n",
            b"VALUE greeting 4294967296 0\r\n\r\nEND\r\n",
            b"VALUE greeting -1 2\r\nhi\r\nEND\r\n",
            b"VALUE greeting -2147483648 0\r\n\r\nEND\r\n",
            b"VALUE greeting -2147483649 0\r\n\r\nEND\r\n",
            b"VALUE greeting - 0\r\n\r\nEND\r\n",
            b"VALUE greeting -1\r\nEND\r\n",
            b"VALUE greeting 0 -1\r\n\r\nEND\r\n",
            b"VALUE greeting 0 5 7\r\nhello\r\nEND\r\n",
            b"VALUE greeting 0 5\r\nhello!\nEND\r\n",
            b"VALUE greeting 0 5\nhello\r\nEND\r\n",
            b"VALUE greeting 0 18446744073709551616\r\n",
            b"VALUE greetings 0 1\r\nx\r\nEND\r\n",
            b"VALUE greetin 0 1\r\nx\r\nEND\r\n",
            b"VALUE greatest 0 1\r\nx\r\nEND\r\n",
            b"VALUE greeting 0 1\r\nx\r\nVALUE greeting 0 1\r\nx\r\nEND\r\n",
            b"ENDING\r\n",
            b"END\n",
            b"STORED\r\n",
            b"SERVER_ERROR out of memory writing get response\r\n",
            b"\r\n",
            b"VALUE greeting 0 5\r\nhel",
            &long,
        ] {
            let expected = large(reply);
            for step in [1, 3, reply.len()] {
                assert_eq!(small(reply, step), expected, "{}", reply.escape_ascii());
            }
        }
    }
}
