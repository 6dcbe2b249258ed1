//! Keys. A [`Key`] is always valid, and there is no other way to put a key on the wire.

use core::fmt;

mod prefixed;

pub(crate) use prefixed::compose;

/// Longest key the text protocol accepts, in bytes.
///
/// Source: memcached `doc/protocol.txt`, section "Keys".
pub const MAX_KEY_LEN: usize = 250;

/// A key that may stand on a request line: 1 to [`MAX_KEY_LEN`] bytes, none of them 0x00–0x20 or 0x7f.
///
/// The check is a matter of security. A server takes a line feed in a key as the end of the request, and memcached
/// 1.6.18 answers a `set` whose key has 251 bytes by *running the value as commands*. There is no way around the check,
/// and no way to switch it off.
///
/// `Debug` prints the length only: keys stay out of logs.
///
/// ```
/// use memring_text::{Key, key::KeyError};
///
/// assert_eq!(Key::new(b"user:7")?.as_bytes(), b"user:7");
/// assert_eq!(Key::new(b"user 7"), Err(KeyError::BadByte { at: 4 }));
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a>(&'a [u8]);

impl<'a> Key<'a> {
    /// Checks `bytes`, the whole key as it goes on the wire (a client's prefix included).
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong with the key, without showing it.
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Result<Self, KeyError> {
        if bytes.is_empty() {
            return Err(KeyError::Empty);
        }
        if bytes.len() > MAX_KEY_LEN {
            return Err(KeyError::TooLong { len: bytes.len() });
        }
        if let Some(at) = bad_byte(bytes) {
            return Err(KeyError::BadByte { at });
        }
        Ok(Self(bytes))
    }

    /// The key's bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl AsRef<[u8]> for Key<'_> {
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

impl<'a> TryFrom<&'a [u8]> for Key<'a> {
    type Error = KeyError;

    fn try_from(bytes: &'a [u8]) -> Result<Self, KeyError> {
        Self::new(bytes)
    }
}

impl<'a> TryFrom<&'a str> for Key<'a> {
    type Error = KeyError;

    fn try_from(text: &'a str) -> Result<Self, KeyError> {
        Self::new(text.as_bytes())
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} bytes)", self.0.len())
    }
}

/// Why bytes are not a [`Key`]. The error holds nothing of the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The key has no bytes.
    Empty,
    /// The key has more than [`MAX_KEY_LEN`] bytes.
    TooLong {
        /// Its length in bytes, as it goes on the wire: with a client's prefix.
        len: usize,
    },
    /// The key holds a control character or a space (0x00–0x20, 0x7f).
    BadByte {
        /// Position of the first such byte, counted from 0.
        at: usize,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("key is empty"),
            Self::TooLong { len } => write!(f, "key has {len} bytes, the limit is {MAX_KEY_LEN}"),
            Self::BadByte { at } => write!(f, "key has a control character or a space at byte {at}"),
        }
    }
}

impl core::error::Error for KeyError {}

/// The position of the first byte that may not be in a key. Two words at a time are checked for such a byte.
#[inline]
const fn bad_byte(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while let Some((words, behind)) = rest.split_first_chunk::<{ 2 * size_of::<usize>() }>() {
        if !are_fine(words) {
            return first_bad_byte(bytes);
        }
        rest = behind;
    }
    if rest.is_empty() {
        return None;
    }
    // To check some of the last bytes twice is faster than to check the rest one by one.
    match bytes.last_chunk::<{ 2 * size_of::<usize>() }>() {
        Some(words) if are_fine(words) => None,
        None if bytes.len() >= size_of::<usize>() && are_fine(bytes) => None,
        _ => first_bad_byte(bytes),
    }
}

/// Whether the bytes of the first and of the last word may stand in a key.
#[inline]
const fn are_fine(bytes: &[u8]) -> bool {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            let (first, last) = (usize::from_ne_bytes(*first), usize::from_ne_bytes(*last));
            fine_bytes(first) & fine_bytes(last) & FINE == FINE
        }
        _ => false,
    }
}

#[inline(never)]
const fn first_bad_byte(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        if !is_key_byte(*first) {
            return Some(bytes.len().wrapping_sub(rest.len()));
        }
        rest = tail;
    }
    None
}

/// The top bit of each byte.
const FINE: usize = usize::MAX / 0xff * 0x80;

/// Sets the top bit of each byte that may stand in a key, and other bits as it happens.
#[inline]
const fn fine_bytes(word: usize) -> usize {
    const ONES: usize = usize::MAX / 0xff;
    let low = word & !FINE;
    // No sum is carried from one byte to the next. The first is 128 or more from 0x21 on, the second at 0x7f.
    let (printed, deleted) = (low.wrapping_add(ONES * (0x80 - 0x21)), low.wrapping_add(ONES));
    (printed & !deleted) | word
}

/// Whether this byte may stand in a key.
pub(crate) const fn is_key_byte(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_stated_bytes_are_refused_at_every_position() {
        for byte in 0..=u8::MAX {
            for (len, at) in (1..=26).flat_map(|len| (0..len).map(move |at| (len, at))) {
                // The bytes beside it are as high and as low as may be.
                for beside in [0x21, 0x7e, 0x80, 0xff] {
                    let mut bytes = [beside; 26];
                    bytes[at] = byte;
                    let bytes = &bytes[..len];
                    let bad = byte <= 0x20 || byte == 0x7f;
                    let expected = if bad { Err(KeyError::BadByte { at }) } else { Ok(Key(bytes)) };
                    assert_eq!(Key::new(bytes), expected, "byte {byte:#04x} at {at} of {len}");
                }
            }
        }
    }

    #[test]
    fn length_is_1_to_250() {
        let bytes = [b'k'; 252];
        assert_eq!(Key::new(&bytes[..0]), Err(KeyError::Empty));
        assert!(Key::new(&bytes[..1]).is_ok());
        assert!(Key::new(&bytes[..250]).is_ok());
        assert_eq!(Key::new(&bytes[..251]), Err(KeyError::TooLong { len: 251 }));
    }

    #[test]
    fn debug_does_not_show_the_key() {
        extern crate std;
        assert_eq!(std::format!("{:?}", Key(b"secret")), "Key(6 bytes)");
    }
}
