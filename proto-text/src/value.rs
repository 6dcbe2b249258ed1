//! A value that is about to be stored: bytes whose length the wire can say.

use core::fmt;

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
    /// The value of no bytes.
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
    /// The limit is the one the servers were started with (`-I`, 1 MiB if nothing was said): what is refused here
    /// does not cross the network only to be refused there.
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
}

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
    fn the_limit_itself_is_allowed() {
        assert!(Value::within(&[0; 8], 8).is_ok());
        assert_eq!(Value::within(&[0; 9], 8), Err(ValueTooLarge { len: 9, limit: 8 }));
    }
}
