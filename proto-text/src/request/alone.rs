//! Requests that can be sent: any, or one that stands alone.

use super::{
    Arith, Delete, Expected, Get, ReplyShape, Request, Store, Touch,
    line::{Compose, LINE_END, Line},
};
use crate::{
    buffer::{Buffer, Full},
    value::Value,
};

/// A request that can be sent.
///
/// That is a [`Request`], which may be any; or one of the five that most programs need, by itself: [`Get`], [`Store`],
/// [`Delete`], [`Arith`] or [`Touch`]. A program that names those alone links neither the lines of the others nor what
/// reads their replies, which on a microcontroller is most of this crate. Nothing else can be one.
pub trait Encode: Expected + Compose {
    /// The value that follows the line, for those that have one.
    #[inline]
    fn value(&self) -> Option<Value<'_>> {
        None
    }

    /// Whether the server will answer.
    #[inline]
    fn has_reply(&self) -> bool {
        !matches!(self.shape(), ReplyShape::Nothing)
    }

    /// Whether the request may be sent again on another connection: see [`Request::may_retry`].
    #[inline]
    fn may_retry(&self, sent: usize) -> bool {
        sent == 0
    }

    /// Puts the whole request behind what `out` holds, or nothing of it.
    ///
    /// ```
    /// use memring_text::{Key, Store, Value, buffer::{ArrayBuffer, Buffer}, request::Encode};
    ///
    /// let store = Store::set(Key::new(b"greeting")?, Value::new(b"hello")?);
    /// let mut out = ArrayBuffer::<64>::new();
    /// store.encode(&mut out)?;
    /// assert_eq!(out.as_slice(), b"set greeting 0 0 5\r\nhello\r\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Full`] when it does not fit; `needed` is the length of the request.
    fn encode(&self, out: &mut (impl Buffer + ?Sized)) -> Result<(), Full> {
        let before = out.as_slice().len();
        let missing = encode_head(self, out);
        let (value, end) = match self.value() {
            Some(value) => (value.as_bytes(), &LINE_END[..]),
            None => (&[][..], &[][..]),
        };
        if missing == 0 && out.put_all(&[value, end]).is_ok() {
            return Ok(());
        }
        let line = out.as_slice().len().saturating_sub(before).saturating_add(missing);
        out.truncate(before);
        Err(Full { needed: line.saturating_add(value.len()).saturating_add(end.len()), given: out.free() })
    }
}

/// Puts the first line behind what `out` holds, and says how many bytes of it do not fit.
#[inline]
pub(crate) fn encode_head(request: &(impl Compose + ?Sized), out: &mut (impl Buffer + ?Sized)) -> usize {
    let mut line = Line::new(out);
    request.compose(&mut line);
    line.missing()
}

impl Encode for Request<'_> {
    #[inline]
    fn value(&self) -> Option<Value<'_>> {
        Request::value(self)
    }

    fn may_retry(&self, sent: usize) -> bool {
        Request::may_retry(self, sent)
    }
}

impl Encode for Get<'_> {
    #[inline]
    fn may_retry(&self, _: usize) -> bool {
        true
    }
}

impl Encode for Store<'_> {
    #[inline]
    fn value(&self) -> Option<Value<'_>> {
        Some(self.value)
    }
}

impl Encode for Delete<'_> {}

impl Encode for Arith<'_> {}

impl Encode for Touch<'_> {
    #[inline]
    fn may_retry(&self, _: usize) -> bool {
        true
    }
}

/// The shape of a reply that may have been asked not to come.
#[inline]
const fn unless(noreply: bool, shape: ReplyShape) -> ReplyShape {
    if noreply { ReplyShape::Nothing } else { shape }
}

impl Expected for Get<'_> {
    #[inline]
    fn shape(&self) -> ReplyShape {
        self.verb.reply_shape()
    }

    #[inline]
    fn key(&self, index: usize) -> Option<&[u8]> {
        if index == 0 { Some(self.key.as_bytes()) } else { None }
    }

    #[inline]
    fn is_plain(&self) -> bool {
        true
    }
}

impl Expected for Store<'_> {
    #[inline]
    fn shape(&self) -> ReplyShape {
        unless(self.noreply, self.verb.reply_shape())
    }

    #[inline]
    fn key(&self, _: usize) -> Option<&[u8]> {
        None
    }

    fn value_may_be_request(&self) -> bool {
        self.value.may_be_request()
    }

    #[inline]
    fn is_plain(&self) -> bool {
        true
    }
}

impl Expected for Delete<'_> {
    #[inline]
    fn shape(&self) -> ReplyShape {
        unless(self.noreply, ReplyShape::Delete)
    }

    #[inline]
    fn key(&self, _: usize) -> Option<&[u8]> {
        None
    }

    #[inline]
    fn is_plain(&self) -> bool {
        true
    }
}

impl Expected for Arith<'_> {
    #[inline]
    fn shape(&self) -> ReplyShape {
        unless(self.noreply, ReplyShape::Arith)
    }

    #[inline]
    fn key(&self, _: usize) -> Option<&[u8]> {
        None
    }

    #[inline]
    fn is_plain(&self) -> bool {
        true
    }
}

impl Expected for Touch<'_> {
    #[inline]
    fn shape(&self) -> ReplyShape {
        unless(self.noreply, ReplyShape::Touch)
    }

    #[inline]
    fn key(&self, _: usize) -> Option<&[u8]> {
        None
    }

    #[inline]
    fn is_plain(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;
    use crate::{key::Key, operation::Operation, request::GetVerb};

    /// That a request by itself is what it is as one of all.
    fn is_the_same<E: Encode + Operation>(alone: &E) {
        let request = alone.request();
        let (mut by_itself, mut as_one) = (Vec::new(), Vec::new());
        alone.encode(&mut by_itself).unwrap();
        request.encode(&mut as_one).unwrap();
        let text = by_itself.escape_ascii();
        assert_eq!(by_itself, as_one);
        assert_eq!(alone.shape(), request.shape(), "{text}");
        assert_eq!(alone.has_reply(), request.has_reply(), "{text}");
        assert_eq!([alone.key(0), alone.key(1)], [request.key(0), request.key(1)], "{text}");
        assert_eq!(alone.opaque(), request.opaque(), "{text}");
        assert_eq!(Encode::value(alone), request.value(), "{text}");
        assert_eq!(Expected::has_value(alone), Expected::has_value(&request), "{text}");
        for sent in [0, 1] {
            assert_eq!(Encode::may_retry(alone, sent), request.may_retry(sent), "{text}");
        }
        if request.value().is_some() {
            assert_eq!(alone.value_may_be_request(), request.value_may_be_request(), "{text}");
        }
        for free in 0..as_one.len() {
            let mut place = std::vec![0; free];
            let mut out = crate::buffer::SliceBuffer::new(&mut place);
            let full = Full { needed: as_one.len(), given: free };
            assert_eq!((alone.encode(&mut out), out.as_slice()), (Err(full), &b""[..]), "{text}");
        }
    }

    #[test]
    fn alone_or_one_of_all_a_request_is_the_same() {
        for key in ["k", "noreply"] {
            let key = Key::new(key.as_bytes()).unwrap();
            for verb in [GetVerb::Get, GetVerb::Gets, GetVerb::Gat(5), GetVerb::Gats(-1)] {
                is_the_same(&Get { verb, key });
            }
            for value in [&b""[..], b"hello", b"get k"] {
                let value = Value::new(value).unwrap();
                let set = Store::set(key, value).flags(7).exptime(-60);
                for store in [set, Store::cas(key, value, 9), Store::append(key, value)] {
                    is_the_same(&store);
                    is_the_same(&store.noreply());
                }
            }
            is_the_same(&Delete::new(key));
            is_the_same(&Delete::new(key).noreply());
            for arith in [Arith::incr(key, u64::MAX), Arith::decr(key, 0)] {
                is_the_same(&arith);
                is_the_same(&arith.noreply());
            }
            is_the_same(&Touch::new(key, -1));
            is_the_same(&Touch::new(key, 5).noreply());
        }
    }
}
