//! A meta request, whichever it is.

use core::fmt;

use super::{Flag, Flags, MetaKey, MetaShape, MetaVerb};
use crate::{
    number::parse_u64,
    ttl::{Ttl, UnixTime},
    value::Value,
};

/// A meta request with its flags, however it was built: what [`Request::Meta`](crate::Request::Meta) refers to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MetaRequest<'a> {
    verb: MetaVerb,
    key: MetaKey<'a>,
    flags: Flags,
    value: Value<'a>,
}

impl<'a> MetaRequest<'a> {
    pub(crate) fn new(verb: MetaVerb, key: MetaKey<'a>, value: Value<'a>) -> Self {
        let mut request = Self { verb, key, flags: Flags::NONE, value };
        if key.is_binary() {
            request.put(b'b', ());
        }
        request
    }

    pub(crate) fn put(&mut self, letter: u8, token: impl Flag) {
        token.put(letter, &mut self.flags);
    }

    /// The command.
    #[must_use]
    pub const fn verb(&self) -> MetaVerb {
        self.verb
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> MetaKey<'a> {
        self.key
    }

    /// The value, of an `ms`.
    #[must_use]
    pub const fn value(&self) -> Option<Value<'a>> {
        match self.verb {
            MetaVerb::Set => Some(self.value),
            _ => None,
        }
    }

    /// The opaque token.
    #[must_use]
    pub fn opaque(&self) -> Option<&[u8]> {
        self.flags.token(b'O')
    }

    /// Whether the usual answer is left out.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.flags.has(b'q')
    }

    /// What a complete reply looks like.
    #[must_use]
    pub fn shape(&self) -> MetaShape {
        MetaShape::of(self.verb, &self.flags)
    }

    pub(crate) const fn flags(&self) -> &Flags {
        &self.flags
    }

    /// The request with every time to live cut to `cap`, when it is sent at `now`; `None` when it gives no item a time
    /// to live. Its flags keep their order.
    pub(crate) fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self> {
        let (mut capped, mut is_other) = (Self { flags: Flags::NONE, ..*self }, false);
        for (letter, token) in self.flags.iter() {
            let exptime = if matches!(letter, b'N' | b'T') { parse_u64(token) } else { None };
            match exptime.and_then(|exptime| i32::try_from(exptime).ok()) {
                Some(exptime) => {
                    capped.put(letter, cap.cap(exptime, now));
                    is_other = true;
                }
                // What is negative has ended already.
                None => capped.flags.put(letter, token),
            }
        }
        if self.verb == MetaVerb::Set && !self.flags.has(b'T') {
            capped.put(b'T', cap.cap(0, now));
            is_other = true;
        }
        is_other.then_some(capped)
    }

    /// Whether it changes nothing, or the same thing again, however often it arrives. A win is given once.
    pub(crate) fn is_idempotent(&self) -> bool {
        match self.verb {
            MetaVerb::Get => !self.flags.has(b'N') && !self.flags.has(b'R'),
            MetaVerb::Debug | MetaVerb::Noop => true,
            MetaVerb::Set | MetaVerb::Delete | MetaVerb::Arith => false,
        }
    }
}

impl fmt::Debug for MetaRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MetaRequest({} {:?}", self.verb.word(), self.key)?;
        if let Some(value) = self.value() {
            write!(f, " {value:?}")?;
        }
        write!(f, " {:?})", self.flags)
    }
}
