//! Keys of meta commands: as they are, or any bytes at all as base64.

use core::fmt;

use crate::{
    base64,
    buffer::ArrayBuffer,
    key::{Key, KeyError, MAX_KEY_LEN, compose},
};

/// Longest key that may hold any byte, in bytes: as base64 it has 248 characters, and the next longer one 252, where
/// 250 are the limit.
///
/// Measured on memcached 1.6.18, which holds the limit against what stands on the line.
pub const MAX_BINARY_KEY_LEN: usize = 186;

/// The key of a meta command.
///
/// The two forms name the same items: a server keeps the bytes that base64 stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetaKey<'a> {
    /// A key as it is.
    Text(Key<'a>),
    /// Any bytes, sent as base64 with the flag `b`.
    Binary(BinaryKey<'a>),
}

impl<'a> MetaKey<'a> {
    /// `bytes` as they are if they are a valid key, else as base64.
    ///
    /// # Errors
    /// Neither will do.
    pub fn new(bytes: &'a [u8]) -> Result<Self, MetaKeyError> {
        match Key::new(bytes) {
            Ok(key) => Ok(Self::Text(key)),
            Err(KeyError::BadByte { .. }) => {
                BinaryKey::new(bytes).map(Self::Binary).map_err(MetaKeyError::Binary)
            }
            Err(error) => Err(MetaKeyError::Text(error)),
        }
    }

    /// The key as it goes on the wire, as [`Key::prefixed`] has it: `key` behind `prefix`, composed in `scratch`.
    ///
    /// # Errors
    /// As [`new`](Self::new), of the whole; but an empty key is invalid, whatever its prefix.
    pub fn prefixed(
        prefix: &[u8],
        key: &'a [u8],
        scratch: &'a mut Option<ArrayBuffer<MAX_KEY_LEN>>,
    ) -> Result<Self, MetaKeyError> {
        if prefix.is_empty() || key.is_empty() {
            return Self::new(key);
        }
        Self::new(compose(prefix, key, scratch).map_err(MetaKeyError::Text)?)
    }

    /// The key's bytes, as the server keeps them.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Text(key) => key.as_bytes(),
            Self::Binary(key) => key.as_bytes(),
        }
    }

    /// Whether it is sent as base64.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Binary(_))
    }
}

impl<'a> From<Key<'a>> for MetaKey<'a> {
    fn from(key: Key<'a>) -> Self {
        Self::Text(key)
    }
}

impl<'a> From<BinaryKey<'a>> for MetaKey<'a> {
    fn from(key: BinaryKey<'a>) -> Self {
        Self::Binary(key)
    }
}

/// A key of 1 to [`MAX_BINARY_KEY_LEN`] bytes, whatever they are. Servers know it since memcached 1.6.10.
///
/// `Debug` prints the length only.
///
/// ```
/// use memring_text::{
///     Operation,
///     meta::{BinaryKey, BinaryKeyError, MetaGet},
/// };
///
/// let key = BinaryKey::new(b"\x00 \r\n")?;
/// assert_eq!(MetaGet::new(key).value().request().parts().as_slices()[0], b"mg ACANCg== b v\r\n");
/// # Ok::<(), BinaryKeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BinaryKey<'a>(&'a [u8]);

impl<'a> BinaryKey<'a> {
    /// Takes `bytes` as a key.
    ///
    /// # Errors
    /// Says what is wrong with its length.
    pub const fn new(bytes: &'a [u8]) -> Result<Self, BinaryKeyError> {
        match bytes.len() {
            0 => Err(BinaryKeyError::Empty),
            len if len > MAX_BINARY_KEY_LEN => Err(BinaryKeyError::TooLong { len }),
            _ => Ok(Self(bytes)),
        }
    }

    /// The key's bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for BinaryKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BinaryKey({} bytes)", self.0.len())
    }
}

/// Why bytes are not a [`BinaryKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BinaryKeyError {
    /// The key has no bytes.
    Empty,
    /// The key has more than [`MAX_BINARY_KEY_LEN`] bytes.
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
}

impl fmt::Display for BinaryKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("key is empty"),
            Self::TooLong { len } => write!(f, "key has {len} bytes, the limit is {MAX_BINARY_KEY_LEN}"),
        }
    }
}

impl core::error::Error for BinaryKeyError {}

/// Why bytes are not a [`MetaKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetaKeyError {
    /// They are no key as they are, nor would they be as base64.
    Text(KeyError),
    /// They must be sent as base64, and then are no key.
    Binary(BinaryKeyError),
}

impl fmt::Display for MetaKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(error) => error.fmt(f),
            Self::Binary(error) => write!(f, "as base64, {error}"),
        }
    }
}

impl core::error::Error for MetaKeyError {}

/// A key as a server wrote it. Which of the two forms it has depends on how the item was stored, not on how it was
/// asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReturnedKey<'b> {
    pub(crate) token: &'b [u8],
    pub(crate) is_base64: bool,
}

impl ReturnedKey<'_> {
    /// Whether it is the key of these bytes.
    pub(crate) fn is(&self, bytes: &[u8]) -> bool {
        if self.is_base64 { base64::is_of(self.token, bytes) } else { self.token == bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_1_to_186() {
        let bytes = [0; 187];
        assert_eq!(BinaryKey::new(&[]), Err(BinaryKeyError::Empty));
        assert!(BinaryKey::new(&bytes[..186]).is_ok());
        assert_eq!(BinaryKey::new(&bytes), Err(BinaryKeyError::TooLong { len: 187 }));
    }

    #[test]
    fn what_is_no_key_as_it_is_goes_as_base64() {
        assert!(!MetaKey::new(b"k").unwrap().is_binary());
        assert!(MetaKey::new(b"a b").unwrap().is_binary());
        assert!(MetaKey::new(&[b'k'; 250]).is_ok());
        assert_eq!(MetaKey::new(&[b'k'; 251]), Err(MetaKeyError::Text(KeyError::TooLong { len: 251 })));
        assert_eq!(
            MetaKey::new(&[b' '; 187]),
            Err(MetaKeyError::Binary(BinaryKeyError::TooLong { len: 187 }))
        );
        let mut scratch = None;
        assert!(MetaKey::prefixed(b"a b", b"k", &mut scratch).unwrap().is_binary());
        assert_eq!(MetaKey::prefixed(b"p", b"", &mut None), Err(MetaKeyError::Text(KeyError::Empty)));
    }

    #[test]
    fn a_key_comes_back_in_either_form() {
        assert!(ReturnedKey { token: b"foo", is_base64: false }.is(b"foo"));
        assert!(ReturnedKey { token: b"Zm9v", is_base64: true }.is(b"foo"));
        assert!(!ReturnedKey { token: b"Zm9v", is_base64: false }.is(b"foo"));
        assert!(!ReturnedKey { token: b"!!!", is_base64: true }.is(b"foo"));
    }
}
