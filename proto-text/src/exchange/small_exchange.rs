//! A change of one item and its reply of one line, and nothing else: for where every byte of flash counts.

use crate::{
    exchange::ProtocolError,
    limits::Limits,
    number::parse_u64,
    reply::{DecodeError, ErrorLine, Event, Step},
    request::{Arith, Delete, Encode, ReplyShape, Store, Touch},
};

/// A [`Store`], a [`Delete`], a [`Touch`] or an [`Arith`]: what is answered by one line.
pub trait OneLine: Encode {}

impl OneLine for Store<'_> {}
impl OneLine for Delete<'_> {}
impl OneLine for Touch<'_> {}
impl OneLine for Arith<'_> {}

/// A request that is answered by one line, and that line. With [`SmallGet`](super::SmallGet), what a small device needs.
///
/// [`request`](Self::request) says what to send: see [`Encode::encode`]. The reply is the one event of an
/// [`Exchange`](crate::Exchange) that waits for the same: an [`Event::Status`], an [`Event::Number`] or an [`Event::Error`].
/// The differences make it small:
/// - Behind a refusal the connection must be closed: which of them leave it in step is not known here.
/// - One request is under way at a time: a byte behind the reply is [`ProtocolError::Unasked`].
///
/// ```
/// use memring_text::{
///     Key, Store, Value,
///     buffer::{ArrayBuffer, Buffer},
///     exchange::SmallExchange,
///     reply::{Event, Status, Step},
///     request::Encode,
/// };
///
/// let store = Store::set(Key::new(b"greeting")?, Value::new(b"hello")?).exptime(60);
/// let mut exchange = SmallExchange::new(store);
/// let mut out = ArrayBuffer::<64>::new();
/// exchange.request().encode(&mut out)?;
/// assert_eq!(out.as_slice(), b"set greeting 0 60 5\r\nhello\r\n");
///
/// assert_eq!(exchange.decode(b"STOR")?, Step::NeedMore);
/// let stored = Step::Event { consumed: 8, event: Event::Status(Status::Stored) };
/// assert_eq!(exchange.decode(b"STORED\r\n")?, stored);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SmallExchange<R> {
    request: R,
    /// Why the connection must be closed.
    ended: Option<ProtocolError>,
}

impl<R: OneLine> SmallExchange<R> {
    /// With [`Limits::DEFAULT`].
    #[must_use]
    pub const fn new(request: R) -> Self {
        Self { request, ended: None }
    }

    /// What to send.
    #[must_use]
    pub const fn request(&self) -> &R {
        &self.request
    }

    /// Reads the reply from the front of `buf`, which is used as by
    /// [`ReplyDecoder::decode`](crate::reply::ReplyDecoder::decode); but a line that is not whole yet is looked at again. After
    /// the reply the same may be asked again, unless that was a refusal.
    ///
    /// # Errors
    /// Any error is final: the connection must be closed, and every later call returns the same error.
    pub fn decode<'b>(&mut self, buf: &'b [u8]) -> Result<Step<Event<'b>>, ProtocolError> {
        if let Some(error) = self.ended {
            return Err(error);
        }
        let step = read(buf, self.request.shape());
        self.ended = match step {
            Err(error) => Some(error),
            Ok(Step::Event { event: Event::Error(_), .. }) => Some(ProtocolError::OutOfStep),
            Ok(_) => None,
        };
        step
    }
}

fn read(buf: &[u8], shape: ReplyShape) -> Result<Step<Event<'_>>, ProtocolError> {
    let limit = Limits::DEFAULT.line;
    let window = buf.get(..limit).unwrap_or(buf);
    let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
        return if window.len() < limit {
            Ok(Step::NeedMore)
        } else {
            Err(ProtocolError::Decode(DecodeError::LineTooLong { limit }))
        };
    };
    let line =
        window.get(..end).and_then(|line| line.strip_suffix(b"\r")).ok_or(ProtocolError::Unexpected)?;
    let consumed = end.saturating_add(1);
    let event = match shape.statuses().iter().find(|status| status.word().as_bytes() == line) {
        Some(status) => Event::Status(*status),
        None => match ErrorLine::parse(line) {
            Some(line) => return Ok(Step::Event { consumed, event: Event::Error(line) }),
            None if shape == ReplyShape::Arith => {
                Event::Number(parse_u64(line).ok_or(ProtocolError::Unexpected)?)
            }
            None => return Err(ProtocolError::Unexpected),
        },
    };
    if buf.len() > consumed {
        return Err(ProtocolError::Unasked);
    }
    Ok(Step::Event { consumed, event })
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::{format, string::String, vec};

    use super::*;
    use crate::{
        exchange::{Exchange, Progress},
        key::Key,
        operation::Operation,
        value::Value,
    };

    /// What the reply is, read so many bytes at a time.
    fn small(request: impl OneLine, reply: &[u8], step: usize) -> String {
        let mut exchange = SmallExchange::new(request);
        for to in (0..reply.len()).step_by(step).chain([reply.len()]) {
            match exchange.decode(&reply[..to]) {
                Ok(Step::NeedMore) => {}
                Ok(Step::Event { consumed, event }) => {
                    assert_eq!(consumed, to);
                    if matches!(event, Event::Error(_)) {
                        assert_eq!(exchange.decode(b"STORED\r\n"), Err(ProtocolError::OutOfStep));
                    }
                    return format!("{event:?}");
                }
                Err(error) => {
                    assert_eq!(exchange.decode(b"STORED\r\n"), Err(error));
                    return String::from("wrong");
                }
            }
        }
        String::from("begun")
    }

    fn large(request: &impl Operation, reply: &[u8]) -> String {
        let mut exchange = Exchange::default();
        exchange.sent();
        match exchange.decode(reply, &request.request()) {
            Ok(Progress::NeedMore) => String::from("begun"),
            Ok(Progress::Event { consumed, event, complete: true, .. }) if consumed == reply.len() => {
                format!("{event:?}")
            }
            Ok(_) | Err(_) => String::from("wrong"),
        }
    }

    #[test]
    fn it_reads_what_an_exchange_reads_however_it_is_cut() {
        let (key, value) = (Key::new(b"STORED").unwrap(), Value::new(b"v").unwrap());
        let long = [b'E'; 2048];
        let mut replies = vec![
            &b"STORED\r\n"[..],
            b"NOT_STORED\r\n",
            b"EXISTS\r\n",
            b"NOT_FOUND\r\n",
            b"DELETED\r\n",
            b"TOUCHED\r\n",
            b"OK\r\n",
            b"STORED\n",
            b"STORED \r\n",
            b"stored\r\n",
            b"STORED\r",
            b"5\r\n",
            b"18446744073709551615\r\n",
            b"18446744073709551616\r\n",
            b"-1\r\n",
            b"5 \r\n",
            b"END\r\n",
            b"VALUE STORED 0 1\r\nx\r\nEND\r\n",
            b"HD\r\n",
            b"ERROR\r\n",
            b"ERRORS\r\n",
            b"SERVER_ERROR out of memory storing object\r\n",
            b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n",
            b"\r\n",
        ];
        replies.push(&long);
        for reply in replies {
            for step in [1, 3, reply.len()] {
                let text = reply.escape_ascii();
                for store in
                    [Store::set(key, value), Store::cas(key, value, 1), Store::add(key, value).noreply()]
                {
                    assert_eq!(small(store, reply, step), large(&store, reply), "{text} {store:?}");
                }
                assert_eq!(small(Delete::new(key), reply, step), large(&Delete::new(key), reply), "{text}");
                assert_eq!(
                    small(Touch::new(key, 1), reply, step),
                    large(&Touch::new(key, 1), reply),
                    "{text}"
                );
                assert_eq!(
                    small(Arith::incr(key, 1), reply, step),
                    large(&Arith::incr(key, 1), reply),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn a_byte_behind_the_reply_was_not_asked_for() {
        let mut exchange = SmallExchange::new(Delete::new(Key::new(b"k").unwrap()));
        assert_eq!(exchange.decode(b"DELETED\r\nN"), Err(ProtocolError::Unasked));
        assert_eq!(exchange.decode(b"DELETED\r\n"), Err(ProtocolError::Unasked));
    }
}
