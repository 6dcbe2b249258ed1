//! Lines that answer only operators' commands.

use core::fmt;

use crate::{
    line::split_word,
    meta::pairs,
    number::{parse_u64, split_u64},
};

/// A refusal that is not an error line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Notice<'b> {
    /// Its first word.
    pub word: NoticeWord,
    /// The text behind the word; may be empty.
    pub text: &'b [u8],
}

impl fmt::Debug for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notice({} {})", self.word.word(), self.text.escape_ascii())
    }
}

/// The first word of a [`Notice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoticeWord {
    /// `BUSY`: the server is already doing it.
    Busy,
    /// `BADCLASS`: there is no such slab class.
    BadClass,
    /// `NOSPARE`: the class has no page to spare.
    NoSpare,
    /// `NOTFULL`: the class needs no page.
    NotFull,
    /// `UNSAFE`: the page cannot be moved now.
    Unsafe,
    /// `SAME`: both classes are the same.
    Same,
    /// `NOTSTARTED`: nothing to crawl.
    NotStarted,
    /// `MEMLIMIT_TOO_SMALL`
    MemlimitTooSmall,
    /// `MEMLIMIT_ADJUST_FAILED`
    MemlimitAdjustFailed,
}

impl NoticeWord {
    /// Every word.
    pub const ALL: [Self; 9] = [
        Self::Busy,
        Self::BadClass,
        Self::NoSpare,
        Self::NotFull,
        Self::Unsafe,
        Self::Same,
        Self::NotStarted,
        Self::MemlimitTooSmall,
        Self::MemlimitAdjustFailed,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Busy => "BUSY",
            Self::BadClass => "BADCLASS",
            Self::NoSpare => "NOSPARE",
            Self::NotFull => "NOTFULL",
            Self::Unsafe => "UNSAFE",
            Self::Same => "SAME",
            Self::NotStarted => "NOTSTARTED",
            Self::MemlimitTooSmall => "MEMLIMIT_TOO_SMALL",
            Self::MemlimitAdjustFailed => "MEMLIMIT_ADJUST_FAILED",
        }
    }
}

impl<'b> Notice<'b> {
    pub(crate) fn parse(line: &'b [u8]) -> Option<Self> {
        let (word, text) = split_word(line);
        let word = NoticeWord::ALL.into_iter().find(|known| known.word().as_bytes() == word)?;
        Some(Self { word, text })
    }
}

/// An item in the answer to `stats cachedump`: `ITEM <key> [<bytes> b; <exptime> s]`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CacheItem<'b> {
    /// The key as it is stored.
    pub key: &'b [u8],
    /// Length of its value, in bytes.
    pub len: u64,
    /// When the item expires, in Unix seconds; 0 is never.
    pub expires: u64,
}

impl<'b> CacheItem<'b> {
    /// Reads what follows the word.
    pub(crate) fn parse(rest: &'b [u8]) -> Option<Self> {
        let (key, rest) = split_word(rest);
        let (len, rest) = split_u64(rest.strip_prefix(b"[")?)?;
        let (expires, rest) = split_u64(rest.strip_prefix(b" b; ")?)?;
        (rest == b" s]" && !key.is_empty()).then_some(Self { key, len, expires })
    }
}

impl fmt::Debug for CacheItem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheItem({} bytes, {} b; {} s)", self.key.len(), self.len, self.expires)
    }
}

/// An item in the answer to `lru_crawler metadump`: `key=<key> exp=<exptime> la=… cas=…`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DumpLine<'b> {
    /// The key, with `%` escapes for all but letters, digits and `-._~`; see [`unescape`](Self::unescape).
    pub key: &'b [u8],
    /// The text behind the key, as `name=value` with spaces between.
    pub text: &'b [u8],
}

impl<'b> DumpLine<'b> {
    /// Reads what follows `key=`. The line may end with a line feed alone, so a carriage return within it would be read
    /// as part of its end when it is written again.
    pub(crate) fn parse(rest: &'b [u8]) -> Option<Self> {
        let (key, text) = split_word(rest);
        (!key.is_empty() && !rest.contains(&b'\r')).then_some(Self { key, text })
    }

    /// Every name with its value, without the key.
    pub fn iter(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> + use<'b> {
        pairs(self.text)
    }

    /// The cas unique.
    #[must_use]
    pub fn cas(&self) -> Option<u64> {
        self.number(b"cas")
    }

    /// How many bytes of memory the item takes, with its key and what the server notes of it.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.number(b"size")
    }

    /// When the item expires, in Unix seconds; `None` is never, which servers write as -1.
    #[must_use]
    pub fn expires(&self) -> Option<u64> {
        self.number(b"exp")
    }

    /// When the item was used last, in Unix seconds; storing it counts.
    #[must_use]
    pub fn last_access(&self) -> Option<u64> {
        self.number(b"la")
    }

    fn number(&self, wanted: &[u8]) -> Option<u64> {
        self.iter().find(|(name, _)| *name == wanted).and_then(|(_, value)| parse_u64(value))
    }

    /// The key's bytes, its escapes resolved.
    pub fn unescape(&self) -> impl Iterator<Item = u8> + use<'b> {
        let mut rest = self.key;
        core::iter::from_fn(move || {
            if let [b'%', high, low, tail @ ..] = rest {
                if let (Some(high), Some(low)) =
                    (char::from(*high).to_digit(16), char::from(*low).to_digit(16))
                {
                    rest = tail;
                    return Some((high << 4 | low) as u8);
                }
            }
            let (first, tail) = rest.split_first()?;
            rest = tail;
            Some(*first)
        })
    }
}

impl fmt::Debug for DumpLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DumpLine({} bytes {})", self.key.len(), self.text.escape_ascii())
    }
}

/// An item in the answer to `lru_crawler mgdump`: `mg <key>[ b]`, a request that would fetch it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DumpKey<'b> {
    /// The key.
    pub key: &'b [u8],
    /// Whether it is base64.
    pub is_base64: bool,
}

impl<'b> DumpKey<'b> {
    /// Reads what follows `mg `.
    pub(crate) fn parse(rest: &'b [u8]) -> Option<Self> {
        let (key, flags) = split_word(rest);
        let known = flags.is_empty() || flags == b"b";
        (!key.is_empty() && known).then_some(Self { key, is_base64: flags == b"b" })
    }
}

impl fmt::Debug for DumpKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DumpKey({} bytes)", self.key.len())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    #[test]
    fn a_dumped_key_is_unescaped() {
        let line = DumpLine::parse(b"a%20b%zz%4 exp=-1 la=5 cas=17 fetch=no").unwrap();
        assert_eq!(line.unescape().collect::<Vec<_>>(), b"a b%zz%4");
        assert_eq!(line.cas(), Some(17));
        assert_eq!((line.expires(), line.last_access(), line.size()), (None, Some(5), None));
        assert_eq!(line.iter().next(), Some((&b"exp"[..], &b"-1"[..])));
        // As memcached 1.6.18 wrote it.
        let line =
            DumpLine::parse(b"a%25b exp=1796068250 la=1796068190 cas=2 fetch=yes cls=1 size=63").unwrap();
        assert_eq!(
            (line.expires(), line.last_access(), line.size()),
            (Some(1_796_068_250), Some(1_796_068_190), Some(63))
        );
    }

    #[test]
    fn a_dump_has_no_carriage_return_but_at_its_end() {
        for wrong in [&b"k exp=-1\r"[..], b"k\r", b"k e\rxp=-1", b" exp=-1"] {
            assert_eq!(DumpLine::parse(wrong), None, "{}", wrong.escape_ascii());
        }
    }

    #[test]
    fn items_are_held_to_their_form() {
        let item = CacheItem { key: b"k", len: 3, expires: 0 };
        assert_eq!(CacheItem::parse(b"k [3 b; 0 s]"), Some(item));
        for wrong in [&b"k"[..], b" [3 b; 0 s]", b"k [3 b; 0 s] ", b"k [x b; 0 s]", b"k [3 b; -1 s]"] {
            assert_eq!(CacheItem::parse(wrong), None, "{}", wrong.escape_ascii());
        }
    }
}
