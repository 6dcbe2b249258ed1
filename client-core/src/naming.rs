//! The prefix of a client's keys, and the keys by which they are placed.

use core::fmt;

use memring_text::{
    Key,
    buffer::ArrayBuffer,
    key::{KeyError, MAX_KEY_LEN},
    meta::{MetaKey, MetaKeyError},
};

/// How the keys of one client are written, and by which routing keys they are placed.
#[derive(Clone, Default)]
pub(crate) struct Naming {
    /// The scheme's prefix and the namespace.
    prefix: Box<[u8]>,
    /// The namespace, where it is placed with the key.
    placed: Box<[u8]>,
}

/// Scratch for a key and a routing key that are composed of several parts.
#[derive(Clone, Debug, Default)]
pub struct KeyScratch {
    key: Option<ArrayBuffer<MAX_KEY_LEN>>,
    routing_key: Vec<u8>,
}

impl Naming {
    /// Puts `namespace` before every key, behind the `prefix` of the scheme. With `is_placed`, keys are placed with
    /// their namespace; the scheme itself decides whether they are placed with its prefix.
    ///
    /// # Errors
    /// The two leave no space for a key, or have a byte that no key may have.
    pub(crate) fn new(prefix: &[u8], namespace: &[u8], is_placed: bool) -> Result<Self, KeyError> {
        let shortest = [prefix, namespace, b"-"].concat();
        Key::new(&shortest)?;
        let placed = if is_placed { namespace.into() } else { Box::default() };
        Ok(Self { prefix: [prefix, namespace].concat().into(), placed })
    }

    /// The key on the wire for the caller's `key`, and its routing key, which is made of `route` if there is one, else
    /// of `key`.
    ///
    /// # Errors
    /// As of [`Key::prefixed`].
    #[inline]
    pub(crate) fn key<'k>(
        &self,
        key: &'k [u8],
        route: Option<&'k [u8]>,
        scratch: &'k mut KeyScratch,
    ) -> Result<(Key<'k>, &'k [u8]), KeyError> {
        let routing_key = self.routing_key(route.unwrap_or(key), &mut scratch.routing_key);
        Ok((Key::prefixed(&self.prefix, key, &mut scratch.key)?, routing_key))
    }

    /// The key of a meta command, which may be any bytes, and its routing key: see [`key`](Self::key).
    ///
    /// # Errors
    /// As of [`MetaKey::prefixed`].
    pub(crate) fn meta_key<'k>(
        &self,
        key: &'k [u8],
        route: Option<&'k [u8]>,
        scratch: &'k mut KeyScratch,
    ) -> Result<(MetaKey<'k>, &'k [u8]), MetaKeyError> {
        let routing_key = self.routing_key(route.unwrap_or(key), &mut scratch.routing_key);
        Ok((MetaKey::prefixed(&self.prefix, key, &mut scratch.key)?, routing_key))
    }

    /// The routing key for `key`, which may be any bytes.
    #[inline]
    pub(crate) fn routing_key<'k>(&self, key: &'k [u8], scratch: &'k mut Vec<u8>) -> &'k [u8] {
        if self.placed.is_empty() {
            return key;
        }
        scratch.clear();
        scratch.extend_from_slice(&self.placed);
        scratch.extend_from_slice(key);
        scratch
    }

    /// The routing keys for many keys: see [`routing_key`](Self::routing_key). With `route`, all of them are the one
    /// for `route`.
    pub(crate) fn routing_keys<'p, 'k: 'p>(
        &self,
        keys: impl Iterator<Item = &'k [u8]>,
        route: Option<&'p [u8]>,
        scratch: &'p mut Vec<u8>,
    ) -> Vec<&'p [u8]> {
        if let Some(route) = route {
            let routing_key = self.routing_key(route, scratch);
            return vec![routing_key; keys.count()];
        }
        if self.placed.is_empty() {
            return keys.map(|key| -> &'p [u8] { key }).collect();
        }
        scratch.clear();
        let mut lens = Vec::new();
        for key in keys {
            scratch.extend_from_slice(&self.placed);
            scratch.extend_from_slice(key);
            lens.push(self.placed.len().saturating_add(key.len()));
        }
        let mut rest = &**scratch;
        let next = |len| {
            let (routing_key, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            rest = behind;
            routing_key
        };
        lens.into_iter().map(next).collect()
    }

    /// The prefix of every key on the wire.
    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix
    }
}

impl fmt::Debug for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Naming({} bytes before every key)", self.prefix.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&[u8]; 3] = [b"a", b"", b"bcd"];

    #[test]
    fn a_bad_byte_is_counted_in_the_callers_own_part_of_the_key() {
        let naming = Naming::new(b"p:", b"app:", false).unwrap();
        let bad = KeyError::BadByte { at: 1 };
        assert_eq!(naming.key(b"a b", None, &mut KeyScratch::default()).err(), Some(bad));
        let mut scratch = Vec::new();
        let keys = [&b"ok"[..], b"a b"].into_iter();
        assert_eq!(Key::all_prefixed(naming.prefix(), keys, &mut scratch).err(), Some((1, bad)));
    }

    #[test]
    fn keys_are_placed_by_themselves_or_by_a_route_with_their_namespace_or_without() {
        for (is_placed, itself, routed) in [(true, "app1:k", "app1:user:7"), (false, "k", "user:7")] {
            let naming = Naming::new(b"p:", b"app1:", is_placed).unwrap();
            let mut scratch = KeyScratch::default();
            for (route, expected) in [(None, itself), (Some(&b"user:7"[..]), routed)] {
                let (key, routing_key) = naming.key(b"k", route, &mut scratch).unwrap();
                assert_eq!((key.as_bytes(), routing_key), (&b"p:app1:k"[..], expected.as_bytes()));
            }
        }
    }

    #[test]
    fn many_keys_are_placed_as_one() {
        for (namespace, is_placed) in [("", true), ("n:", true), ("n:", false)] {
            for route in [None, Some(&b"user"[..])] {
                let naming = Naming::new(b"p:", namespace.as_bytes(), is_placed).unwrap();
                let (mut many, mut one) = (Vec::new(), Vec::new());
                let routing_keys = naming.routing_keys(KEYS.into_iter(), route, &mut many);
                assert_eq!(routing_keys.len(), KEYS.len());
                for (key, routing_key) in KEYS.into_iter().zip(routing_keys) {
                    assert_eq!(naming.routing_key(route.unwrap_or(key), &mut one), routing_key);
                }
            }
        }
    }

    #[test]
    fn there_must_be_space_for_a_key() {
        assert!(Naming::new(b"", &[b'n'; 249], false).is_ok());
        assert_eq!(Naming::new(b"p", &[b'n'; 249], false).unwrap_err(), KeyError::TooLong { len: 251 });
        assert!(Naming::new(b"", b"two words", false).is_err());
    }
}
