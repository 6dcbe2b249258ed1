//! What a server sends back as it was given, so that a reply can be told from another.

use core::fmt;

use crate::{key::is_key_byte, number::Digits};

/// Longest opaque token, in bytes.
///
/// memcached's `doc/protocol.txt` says 32, but 1.6.18 counts the letter `O` before it.
pub const MAX_OPAQUE_LEN: usize = 31;

/// A token that a server echoes on every reply to its request but an error: 0 to [`MAX_OPAQUE_LEN`] bytes, none of
/// them 0x00–0x20 or 0x7f.
///
/// With one on each request, a reply that slipped into another's place is an error before anything of it is used.
///
/// ```
/// use memring_text::meta::{Opaque, OpaqueError};
///
/// assert_eq!(Opaque::number(17).as_bytes(), b"17");
/// assert_eq!(Opaque::new(b"a b"), Err(OpaqueError::BadByte { at: 1 }));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opaque {
    bytes: [u8; MAX_OPAQUE_LEN],
    len: u8,
}

impl Opaque {
    /// Takes `bytes` as a token.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub fn new(bytes: &[u8]) -> Result<Self, OpaqueError> {
        if let Some(at) = bytes.iter().position(|byte| !is_key_byte(*byte)) {
            return Err(OpaqueError::BadByte { at });
        }
        let mut opaque = Self { bytes: [0; MAX_OPAQUE_LEN], len: 0 };
        let (Some(place), Ok(len)) = (opaque.bytes.get_mut(..bytes.len()), u8::try_from(bytes.len())) else {
            return Err(OpaqueError::TooLong { len: bytes.len() });
        };
        place.copy_from_slice(bytes);
        opaque.len = len;
        Ok(opaque)
    }

    /// The first 31 of `bytes`, whatever they are: what a server is to send back.
    pub(crate) fn echo(bytes: &[u8]) -> Self {
        let mut opaque = Self { bytes: [0; MAX_OPAQUE_LEN], len: 0 };
        let len = bytes.len().min(MAX_OPAQUE_LEN);
        if let (Some(place), Some(bytes)) = (opaque.bytes.get_mut(..len), bytes.get(..len)) {
            place.copy_from_slice(bytes);
            opaque.len = u8::try_from(len).unwrap_or(0);
        }
        opaque
    }

    /// The token that is this number: made for counting requests.
    #[must_use]
    pub fn number(number: u64) -> Self {
        Self::echo(Digits::of(number).as_bytes())
    }

    /// The token's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

impl AsRef<[u8]> for Opaque {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque({})", self.as_bytes().escape_ascii())
    }
}

/// Why bytes are not an [`Opaque`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpaqueError {
    /// There are more than [`MAX_OPAQUE_LEN`] bytes.
    TooLong {
        /// Their number.
        len: usize,
    },
    /// There is a control character or a space (0x00–0x20, 0x7f).
    BadByte {
        /// Position of the first such byte, counted from 0.
        at: usize,
    },
}

impl fmt::Display for OpaqueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len } => write!(f, "opaque has {len} bytes, the limit is {MAX_OPAQUE_LEN}"),
            Self::BadByte { at } => write!(f, "opaque has a control character or a space at byte {at}"),
        }
    }
}

impl core::error::Error for OpaqueError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_stated_bytes_are_refused_at_every_position() {
        for byte in 0..=u8::MAX {
            for at in [0, 15, 30] {
                let mut bytes = [b'o'; MAX_OPAQUE_LEN];
                bytes[at] = byte;
                let bad = byte <= 0x20 || byte == 0x7f;
                assert_eq!(Opaque::new(&bytes).err(), bad.then_some(OpaqueError::BadByte { at }));
            }
        }
    }

    #[test]
    fn length_is_0_to_31() {
        assert_eq!(Opaque::new(b"").unwrap().as_bytes(), b"");
        assert_eq!(Opaque::new(&[b'o'; 31]).unwrap().as_bytes(), [b'o'; 31]);
        assert_eq!(Opaque::new(&[b'o'; 32]), Err(OpaqueError::TooLong { len: 32 }));
        assert_eq!(Opaque::number(u64::MAX).as_bytes(), b"18446744073709551615");
    }
}
