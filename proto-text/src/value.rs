//! Values to be stored, with a length that is valid on the wire.

use core::fmt;

use crate::line::behind_spaces;

/// The largest value any server can be made to take (`-I 1g`), in bytes.
///
/// Above 2³¹ − 3 memcached 1.6.18 misreads the length and runs the rest of the value as commands, so the limit is a
/// matter of security too.
pub const MAX_VALUE_LEN: usize = 1 << 30;

/// Bytes to be stored, at most [`MAX_VALUE_LEN`] of them. Anything may be in them.
///
/// `Debug` prints the length only: values stay out of logs.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// The empty value.
    pub const EMPTY: Self = Self(&[]);

    /// Takes `bytes` as a value.
    ///
    /// # Errors
    /// Refuses more than [`MAX_VALUE_LEN`] bytes.
    pub const fn new(bytes: &'a [u8]) -> Result<Self, ValueTooLarge> {
        Self::within(bytes, MAX_VALUE_LEN)
    }

    /// Takes `bytes` as a value, at most `limit` of them.
    ///
    /// `limit` should be that of the servers (`-I`, 1 MiB by default), so that a value which they would refuse is not
    /// sent.
    ///
    /// # Errors
    /// Refuses more than `limit` or [`MAX_VALUE_LEN`] bytes.
    pub const fn within(bytes: &'a [u8], limit: usize) -> Result<Self, ValueTooLarge> {
        let limit = if limit < MAX_VALUE_LEN { limit } else { MAX_VALUE_LEN };
        if bytes.len() > limit {
            return Err(ValueTooLarge { len: bytes.len(), limit });
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether a server that took the value for requests might find one at its beginning. For any other value, such a
    /// server's first answer would be that it does not know the command.
    #[must_use]
    pub fn may_be_request(self) -> bool {
        let text = behind_spaces(self.0);
        VERBS.iter().any(|verb| {
            let behind = text.strip_prefix(verb.as_bytes());
            behind.is_some_and(|rest| rest.first().is_none_or(|byte| !byte.is_ascii_lowercase()))
        })
    }
}

/// The first words of requests, of memcached 1.2 to 1.6 and its proxies. Some of these are only the beginning of a
/// word.
const VERBS: &[&str] = &[
    "add",
    "append",
    "bget",
    "cache",
    "cas",
    "debugtime",
    "decr",
    "delete",
    "extstore",
    "flush",
    "gat",
    "gats",
    "get",
    "gets",
    "incr",
    "lease",
    "lru",
    "ma",
    "md",
    "me",
    "metaget",
    "mg",
    "misbehave",
    "mn",
    "ms",
    "own",
    "prepend",
    "quit",
    "refresh",
    "replace",
    "set",
    "shutdown",
    "slabs",
    "stats",
    "sync",
    "touch",
    "verbosity",
    "version",
    "watch",
];

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.0.len())
    }
}

/// The bytes are more than a value may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueTooLarge {
    /// Length given, in bytes.
    pub len: usize,
    /// Length allowed, in bytes.
    pub limit: usize,
}

impl fmt::Display for ValueTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "value has {} bytes, the limit is {}", self.len, self.limit)
    }
}

impl core::error::Error for ValueTooLarge {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_begins_as_a_request_does_may_be_one() {
        let may_be = |bytes| Value::new(bytes).unwrap().may_be_request();
        for request in
            [&b"set k 0 0 1"[..], b"get k", b" mn", b"quit", b"flush_all noreply", b"mg k v\r\n", b"stats\n"]
        {
            assert!(may_be(request), "{}", request.escape_ascii());
        }
        for value in
            [&b""[..], b"1", b"v", b"setting", b"{\"get\": 1}", b"Get k", b"x\r\nset k 0 0 1", b"\r\nquit"]
        {
            assert!(!may_be(value), "{}", value.escape_ascii());
        }
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        assert!(Value::within(&[0; 8], 8).is_ok());
        assert_eq!(Value::within(&[0; 9], 8), Err(ValueTooLarge { len: 9, limit: 8 }));
    }
}
