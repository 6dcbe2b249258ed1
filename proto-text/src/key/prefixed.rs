//! Keys behind a prefix that all keys of a client have.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use super::{Key, KeyError, MAX_KEY_LEN};
use crate::buffer::{ArrayBuffer, Buffer as _};

impl<'k> Key<'k> {
    /// The key as it goes on the wire: `key` behind `prefix`. With a prefix it is composed in `scratch`.
    ///
    /// # Errors
    /// As of [`new`](Self::new), but a [`BadByte`](KeyError::BadByte) is counted from where `key` begins. The prefix alone
    /// is a key, but not one that the caller asked for: [`KeyError::Empty`].
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
        let scratch = scratch.insert(ArrayBuffer::new());
        scratch.put_all(&[prefix, key]).map_err(|full| KeyError::TooLong { len: full.needed })?;
        let scratch: &'k _ = scratch;
        Self::new(scratch.as_slice()).map_err(|error| error.behind(prefix))
    }

    /// Many keys behind one prefix, composed in `scratch`.
    ///
    /// # Errors
    /// The error of the first invalid key, with its position.
    #[cfg(feature = "alloc")]
    pub fn all_prefixed(
        prefix: &[u8],
        keys: impl Iterator<Item = &'k [u8]> + Clone,
        scratch: &'k mut Vec<u8>,
    ) -> Result<Vec<Self>, (usize, KeyError)> {
        let checked = |(position, key)| Self::new(key).map_err(|error| (position, error.behind(prefix)));
        if prefix.is_empty() {
            return keys.enumerate().map(checked).collect();
        }
        scratch.clear();
        for (position, key) in keys.clone().enumerate() {
            if key.is_empty() {
                return Err((position, KeyError::Empty));
            }
            scratch.extend_from_slice(prefix);
            scratch.extend_from_slice(key);
        }
        let mut rest = &**scratch;
        let composed = keys.map(|key| {
            let len = prefix.len().saturating_add(key.len());
            let (key, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            rest = behind;
            key
        });
        composed.enumerate().map(checked).collect()
    }
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
