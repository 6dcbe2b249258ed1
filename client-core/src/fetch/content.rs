//! What a loader may return, and how it is stored.

use bytes::Bytes;

/// A value with the client's flags.
///
/// A loader that returns one stores its flags, too. Three numbers are not to be had, [`NOTHING`], [`EMPTY`] and
/// [`PLACEHOLDER`]: what has them is handed out, and not stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The flags: a number of the caller's own.
    pub flags: u32,
    /// The value.
    pub value: Bytes,
}

/// The flags of an item that says "there is nothing", which is what `None` from a loader is stored as. Its value is
/// empty.
pub const NOTHING: u32 = 0x6D72_0002;

/// The flags of an empty value whose own flags are 0. On the wire that would look like a placeholder.
pub const EMPTY: u32 = 0x6D72_0001;

/// The flags of a placeholder that `fetch` leaves on servers without meta commands. Its value is a random number.
pub const PLACEHOLDER: u32 = 0x6D72_0003;

/// What a call of `fetch` comes to: a value, or that there is none.
pub type Fetched = Option<Content>;

/// What a loader may return: bytes of any kind, a [`Content`] with flags, or an `Option` of these.
pub trait Loaded {
    /// What `fetch` returns in its place.
    type Found: 'static;

    /// What is to be stored; `None` says that there is nothing.
    fn into_content(self) -> Fetched;

    /// What is to be returned; `None` if there is nothing, and this type has no word for that.
    fn found(content: Fetched) -> Option<Self::Found>;
}

macro_rules! loaded_bytes {
    ($($kind:ty: $into:expr;)*) => {
        $(impl Loaded for $kind {
            type Found = Bytes;

            fn into_content(self) -> Fetched {
                let into: fn($kind) -> Bytes = $into;
                Some(Content { flags: 0, value: into(self) })
            }

            fn found(content: Fetched) -> Option<Bytes> {
                content.map(|content| content.value)
            }
        })*
    };
}

loaded_bytes! {
    Bytes: |value| value;
    Vec<u8>: Bytes::from;
    String: Bytes::from;
    Box<[u8]>: Bytes::from;
    &[u8]: Bytes::copy_from_slice;
    &str: |text| Bytes::copy_from_slice(text.as_bytes());
}

impl Loaded for Content {
    type Found = Self;

    fn into_content(self) -> Fetched {
        Some(self)
    }

    fn found(content: Fetched) -> Option<Self> {
        content
    }
}

impl<L: Loaded> Loaded for Option<L> {
    type Found = Option<L::Found>;

    fn into_content(self) -> Fetched {
        self.and_then(L::into_content)
    }

    fn found(content: Fetched) -> Option<Option<L::Found>> {
        Some(content.and_then(|content| L::found(Some(content))))
    }
}

/// What is stored for `fetched`: flags and value. `None` if the flags are not to be had.
pub(super) fn stored(fetched: &Fetched) -> Option<(u32, Bytes)> {
    match fetched {
        None => Some((NOTHING, Bytes::new())),
        Some(Content { flags: 0, value }) if value.is_empty() => Some((EMPTY, Bytes::new())),
        Some(Content { flags: NOTHING | EMPTY | PLACEHOLDER, .. }) => None,
        Some(Content { flags, value }) => Some((*flags, value.clone())),
    }
}

/// Whether an item of these flags, and a value of `len` bytes, has a value: it is no placeholder, and does not say that
/// there is nothing. An empty value of flags 0 looks like a placeholder.
pub(crate) const fn has_value(flags: u32, len: usize) -> bool {
    match flags {
        0 | NOTHING => len > 0,
        PLACEHOLDER => false,
        _ => true,
    }
}

/// What was stored as `flags` and `value`.
pub(super) fn read(flags: u32, value: Bytes) -> Fetched {
    match flags {
        NOTHING if value.is_empty() => None,
        EMPTY if value.is_empty() => Some(Content { flags: 0, value }),
        _ => Some(Content { flags, value }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read() {
        let content = |flags, value: &'static [u8]| Some(Content { flags, value: Bytes::from_static(value) });
        for fetched in [None, content(0, b""), content(0, b"v"), content(7, b""), content(7, b"v")] {
            let (flags, value) = stored(&fetched).unwrap();
            assert!(flags != 0 || !value.is_empty(), "this would be a placeholder");
            assert_eq!(read(flags, value), fetched);
        }
        assert_eq!(stored(&content(PLACEHOLDER, b"v")), None);
    }

    #[test]
    fn what_a_loader_returns_says_what_fetch_returns() {
        assert_eq!(Vec::<u8>::found(None), None);
        assert_eq!(Option::<String>::found(None), Some(None));
        assert_eq!(Option::<&str>::found(Some("v").into_content()), Some(Some(Bytes::from("v"))));
    }
}
