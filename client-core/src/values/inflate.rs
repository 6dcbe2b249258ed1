//! Decompression within a limit: no partial value, and nothing in memory beyond the limit.

use core::fmt;

use super::{Problem, fastlz};

/// How a value is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// zlib, RFC 1950.
    Zlib,
    /// gzip, RFC 1952.
    Gzip,
    /// FastLZ, as php-memcached bundles it.
    FastLz,
    /// Zstandard, RFC 8878.
    Zstd,
    /// LZ4, its block format.
    Lz4,
}

impl Compression {
    /// Its name, such as `zlib`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zlib => "zlib",
            Self::Gzip => "gzip",
            Self::FastLz => "fastlz",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }

    /// The feature without which it cannot be undone.
    pub(super) const fn feature(self) -> &'static str {
        match self {
            Self::Zlib | Self::Gzip => "zlib",
            Self::FastLz => "default",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the bytes of a compressed value begin.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// With the compressed stream.
    Plain(Compression),
    /// With a stream that is gzip if it begins so, else zlib.
    ZlibOrGzip,
    /// With the length after decompression, in four bytes, the lowest first.
    Sized(Compression),
}

impl Way {
    /// How `bytes` are compressed.
    pub(super) fn compression(self, bytes: &[u8]) -> Compression {
        match self {
            Self::Plain(compression) | Self::Sized(compression) => compression,
            Self::ZlibOrGzip if bytes.starts_with(&GZIP_MAGIC) => Compression::Gzip,
            Self::ZlibOrGzip => Compression::Zlib,
        }
    }
}

/// How a gzip member begins.
pub(super) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Undoes `way`. The result is at most `limit` bytes long.
pub(crate) fn inflate(way: Way, bytes: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let (bytes, room) = match way {
        Way::Sized(_) => Room::sized(bytes, limit)?,
        Way::Plain(_) | Way::ZlibOrGzip => (bytes, Room { limit, said: None }),
    };
    let inflated = match way.compression(bytes) {
        Compression::FastLz => fastlz::inflate(bytes, room),
        #[cfg(feature = "zlib")]
        Compression::Zlib => super::gzip::inflate_zlib(bytes, room),
        #[cfg(feature = "zlib")]
        Compression::Gzip => super::gzip::inflate_gzip(bytes, room),
        #[cfg(feature = "zstd")]
        Compression::Zstd => super::zstd::inflate(bytes, room),
        #[cfg(feature = "lz4")]
        Compression::Lz4 => super::lz4::inflate(bytes, room),
        #[allow(unreachable_patterns, reason = "with all features, all are here")]
        compression => Err(Problem::Unavailable(compression)),
    }?;
    room.complete(inflated)
}

/// How long a result may be, and how long it says that it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    limit: usize,
    said: Option<usize>,
}

impl Room {
    /// Reads the length in the first four bytes; returns what is behind them.
    pub(crate) fn sized(bytes: &[u8], limit: usize) -> Result<(&[u8], Self), Problem> {
        let (said, rest) = bytes.split_first_chunk().ok_or(Problem::Truncated)?;
        // What does not fit into a `usize` is beyond any limit.
        let said = usize::try_from(u32::from_le_bytes(*said)).unwrap_or(usize::MAX);
        if said > limit {
            return Err(Problem::TooLarge { limit, said: Some(said) });
        }
        Ok((rest, Self { limit, said: Some(said) }))
    }

    /// The longest result.
    pub(crate) fn most(self) -> usize {
        self.said.unwrap_or(self.limit)
    }

    /// The result is longer.
    pub(crate) fn exceeded(self) -> Problem {
        match self.said {
            Some(said) => Problem::WrongSize { said, found: said.saturating_add(1) },
            None => Problem::TooLarge { limit: self.limit, said: None },
        }
    }

    /// Checks the length of a whole result.
    pub(crate) fn complete(self, inflated: Vec<u8>) -> Result<Vec<u8>, Problem> {
        match self.said {
            Some(said) if said != inflated.len() => Err(Problem::WrongSize { said, found: inflated.len() }),
            _ => Ok(inflated),
        }
    }

    /// Makes room in `out`, which is full: twice as much as before, but no more than the result may have and one byte,
    /// by which it is known that the result is longer.
    #[cfg(feature = "zlib")]
    pub(crate) fn grow(self, out: &mut Vec<u8>) -> Result<(), Problem> {
        if out.len() > self.most() {
            return Err(self.exceeded());
        }
        let wanted = out.len().saturating_mul(2).clamp(FIRST_ROOM, self.most().max(FIRST_ROOM));
        out.reserve_exact(wanted.min(self.most()).saturating_add(1).saturating_sub(out.len()));
        Ok(())
    }
}

/// The room that every result begins with, in bytes.
#[cfg(feature = "zlib")]
const FIRST_ROOM: usize = 256;
