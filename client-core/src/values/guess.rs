//! Items of which nobody knows the client: only what checks itself is said about them.

use core::fmt;
use std::borrow::Cow;

use super::{
    Compression, Format, Problem,
    inflate::{GZIP_MAGIC, Way, inflate},
};

/// What an item says about itself, whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess<'a> {
    /// How it was compressed: a bit of the flags that some client sets on compressed values, and a whole stream with
    /// the right checksum.
    pub compression: Option<Compression>,
    /// What serialised it: a bit of the flags that some client sets on objects, and how such objects begin. `None`:
    /// unknown. It may be bytes, text or a number.
    pub format: Option<Format>,
    /// The bytes, decompressed.
    pub bytes: Cow<'a, [u8]>,
}

/// Says what is safe to say about an item without knowing its client: whether it is compressed, and whether it is a
/// serialised object. Whether other bytes are text or a number is never guessed, because clients disagree about it.
///
/// It is for looking: what it returns is nothing to be written back.
///
/// ```
/// use memring_client::values::{DEFAULT_LIMIT, Format, guess};
///
/// assert_eq!(guess(1, b"\x80\x04N.", DEFAULT_LIMIT)?.format, Some(Format::PythonPickle));
/// // This is a number to two clients, but not the same.
/// assert_eq!(guess(0x300, b"42", DEFAULT_LIMIT)?.format, None);
/// # Ok::<(), memring_client::values::Problem>(())
/// ```
///
/// # Errors
/// [`Problem::TooLarge`]: the value is compressed, and inflates to more than `limit` bytes. [`Problem::Unavailable`]: it
/// may be compressed, in a way that this build does not know.
pub fn guess(flags: u32, bytes: &[u8], limit: usize) -> Result<Guess<'_>, Problem> {
    let (compression, bytes) = match way(flags, bytes) {
        None => (None, Cow::Borrowed(bytes)),
        Some(way) => match inflate(way, bytes, limit) {
            Ok(inflated) => (Some(way.compression(bytes)), Cow::Owned(inflated)),
            // It begins like a compressed value and has its flag, so these are no mere bytes.
            Err(problem @ (Problem::TooLarge { .. } | Problem::Unavailable(_))) => return Err(problem),
            Err(_) => (None, Cow::Borrowed(bytes)),
        },
    };
    Ok(Guess { compression, format: format(flags, &bytes), bytes })
}

/// How an item may be compressed. Each of these ways has a checksum, or says its length twice.
///
/// Flags of 16 alone are not taken for compressed: they are bytes to two clients, and a caller may compress its own.
fn way(flags: u32, bytes: &[u8]) -> Option<Way> {
    let is_php = flags & 0xff00 == 0 && matches!(flags & 15, 0 | 4..=7);
    let stream = bytes.get(4..).unwrap_or_default();
    match flags & 0xf0 {
        0x30 if is_php && is_zlib(stream) => Some(Way::Sized(Compression::Zlib)),
        0x90 if is_php && stream.starts_with(&ZSTD_MAGIC) => Some(Way::Sized(Compression::Zstd)),
        _ if flags & 2 != 0 && bytes.starts_with(&GZIP_MAGIC) => Some(Way::Plain(Compression::Gzip)),
        _ if flags & (2 | 8) != 0 && is_zlib(bytes) => Some(Way::Plain(Compression::Zlib)),
        _ => None,
    }
}

/// Whether a stream has a header of zlib: RFC 1950, section 2.2.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [method, flags, ..]
        if method & 15 == 8 && method >> 4 <= 7 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31))
}

/// RFC 8878, section 3.1.1.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What serialised an object.
fn format(flags: u32, bytes: &[u8]) -> Option<Format> {
    match bytes {
        [0x80, 2..=5, .., b'.'] if flags & 1 != 0 => Some(Format::PythonPickle),
        [4, 8, ..] if flags & 1 != 0 => Some(Format::RubyMarshal),
        [4 | 5, 11, ..] if flags & 1 != 0 => Some(Format::PerlStorable),
        [0xac, 0xed, 0, 5, ..] if flags & (1 | 8) != 0 => Some(Format::Java),
        [0, 0, 0, 1 | 2, ..] if flags & 15 == 5 => Some(Format::Igbinary),
        _ => None,
    }
}

impl fmt::Display for Guess<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(compression) = self.compression {
            write!(f, "{compression}, by its flags and a whole stream; ")?;
        }
        match self.format {
            Some(format) => write!(f, "{format}, by its flags and how it begins"),
            None => f.write_str("type unknown"),
        }
    }
}
