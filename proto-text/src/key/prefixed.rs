//! Keys with a prefix that all keys of a client have.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use super::{Key, KeyError, MAX_KEY_LEN};
use crate::buffer::{ArrayBuffer, Buffer as _};

impl<'k> Key<'k> {
    /// Puts `prefix` before `key`, in `scratch`, and checks the result. Without a prefix, `scratch` is not used.
    ///
    /// # Errors
    /// As of [`new`](Self::new), but a [`BadByte`](KeyError::BadByte) is counted from the beginning of `key`. An empty
    /// `key` is [`KeyError::Empty`], although the prefix alone would be a valid key.
    #[inline]
    pub fn prefixed(
        prefix: &[u8],
        key: &'k [u8],
        scratch: &'k mut Option<ArrayBuffer<MAX_KEY_LEN>>,
    ) -> Result<Self, KeyError> {
        if prefix.is_empty() || key.is_empty() {
            return Self::new(key);
        }
        Self::composed(prefix, key, scratch)
    }

    #[inline(never)]
    fn composed(
        prefix: &[u8],
        key: &'k [u8],
        scratch: &'k mut Option<ArrayBuffer<MAX_KEY_LEN>>,
    ) -> Result<Self, KeyError> {
        Self::new(compose(prefix, key, scratch)?).map_err(|error| error.behind(prefix))
    }

    /// Puts `prefix` before many keys, in `scratch`, and checks them.
    ///
    /// # Errors
    /// The error of the first invalid key, with its position.
    #[cfg(feature = "alloc")]
    pub fn all_prefixed(
        prefix: &[u8],
        keys: impl Iterator<Item = &'k [u8]> + Clone,
        scratch: &'k mut Vec<u8>,
    ) -> Result<Vec<Self>, (usize, KeyError)> {
        if prefix.is_empty() {
            return Self::all_valid(keys);
        }
        scratch.clear();
        // An empty key stays empty, so that it is an error: the caller did not ask for the prefix as a key.
        for key in keys.clone().filter(|key| !key.is_empty()) {
            scratch.extend_from_slice(prefix);
            scratch.extend_from_slice(key);
        }
        let mut rest = &**scratch;
        let composed = keys.map(|key| {
            let len = if key.is_empty() { 0 } else { prefix.len().saturating_add(key.len()) };
            let (key, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            rest = behind;
            key
        });
        Self::all_valid(composed).map_err(|(position, error)| (position, error.behind(prefix)))
    }

    #[cfg(feature = "alloc")]
    fn all_valid(keys: impl Iterator<Item = &'k [u8]>) -> Result<Vec<Self>, (usize, KeyError)> {
        // What collects results does not know how many there will be.
        let mut valid = Vec::with_capacity(keys.size_hint().0);
        for (position, key) in keys.enumerate() {
            valid.push(Self::new(key).map_err(|error| (position, error))?);
        }
        Ok(valid)
    }
}

/// `key` behind `prefix`, in `scratch`.
pub(crate) fn compose<'s>(
    prefix: &[u8],
    key: &[u8],
    scratch: &'s mut Option<ArrayBuffer<MAX_KEY_LEN>>,
) -> Result<&'s [u8], KeyError> {
    let scratch = scratch.insert(ArrayBuffer::new());
    scratch.put_all(&[prefix, key]).map_err(|full| KeyError::TooLong { len: full.needed })?;
    let scratch: &'s _ = scratch;
    Ok(scratch.as_slice())
}

impl KeyError {
    /// The error for a caller that sees the key without its `prefix`; every byte of the prefix may stand in a key.
    const fn behind(self, prefix: &[u8]) -> Self {
        match self {
            Self::BadByte { at } => Self::BadByte { at: at.saturating_sub(prefix.len()) },
            error => error,
        }
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;

    #[test]
    fn the_first_invalid_key_is_told_with_or_without_a_prefix() {
        let lists: [(&[&[u8]], _); 4] = [
            (&[b"a", b"a b", b""], (1, KeyError::BadByte { at: 1 })),
            (&[b"a", b"", b"a b"], (1, KeyError::Empty)),
            (&[b"", b"a"], (0, KeyError::Empty)),
            (&[b"a", b"b", b"\n"], (2, KeyError::BadByte { at: 0 })),
        ];
        for (keys, expected) in lists {
            for prefix in [&b""[..], b"p:"] {
                let mut scratch = Vec::new();
                let found = Key::all_prefixed(prefix, keys.iter().copied(), &mut scratch);
                assert_eq!(found, Err(expected), "{} keys behind {}", keys.len(), prefix.escape_ascii());
            }
        }
    }
}
