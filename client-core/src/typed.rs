//! Typed values: how a value becomes the bytes and flags of an item, and again a value.
//!
//! The flags say the encoding and the compression, so that what was written in another way is an error, and no garbage:
//!
//! ```
//! use memring_client::typed::{Encoding, EncodingId, BoxError, Layer, Problem};
//!
//! /// Temperatures, as text.
//! struct Celsius;
//!
//! impl Encoding<f32> for Celsius {
//!     const ID: EncodingId = EncodingId::own(1);
//!
//!     fn encode(&self, value: &f32) -> Result<Vec<u8>, BoxError> {
//!         Ok(format!("{value} °C").into_bytes())
//!     }
//!
//!     fn decode(&self, bytes: &[u8]) -> Result<f32, BoxError> {
//!         let text = str::from_utf8(bytes)?.strip_suffix(" °C").ok_or("no temperature")?;
//!         Ok(text.parse()?)
//!     }
//! }
//!
//! let layer = Layer::new(Celsius);
//! let (flags, bytes) = layer.encode(&-3.5)?;
//! assert_eq!(bytes, "-3.5 °C".as_bytes());
//! assert_eq!(layer.decode(flags, &bytes)?, -3.5);
//! assert!(matches!(layer.decode(0, &bytes), Err(Problem::Untyped { flags: 0 })));
//! # Ok::<(), Problem>(())
//! ```
//!
//! # What is in the flags
//! The upper half is [`MARK`], which says that the item has such a value. Of the lower half, the upper byte is the
//! compression (0: none, 1: zstd, 2: LZ4) and the lower one the [`EncodingId`]. A compressed value is a zstd frame, or
//! the length of the value in four bytes, the lowest first, and a block of LZ4.

use core::fmt;

mod codecs;
mod layer;
mod problem;
mod second;

#[cfg(feature = "json")]
pub use codecs::Json;
#[cfg(feature = "postcard")]
pub use codecs::Postcard;
pub use layer::Layer;
pub use problem::Problem;
pub use second::{Change, Unloaded};

/// How values become bytes.
///
/// Two programs share values if they have the same encoding; whoever changes what the bytes mean takes another
/// [`ID`](Self::ID).
pub trait Encoding<T> {
    /// What stands in the flags of each item, so that no other encoding reads it.
    const ID: EncodingId;

    /// The bytes of a value.
    ///
    /// # Errors
    /// The value has no bytes in this encoding.
    fn encode(&self, value: &T) -> Result<Vec<u8>, BoxError>;

    /// The value of bytes. They may come from anyone: they can say anything, and be damaged.
    ///
    /// # Errors
    /// The bytes are no value of this type.
    fn decode(&self, bytes: &[u8]) -> Result<T, BoxError>;
}

/// Why an encoding failed.
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;

/// The number of an encoding in the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EncodingId(u8);

impl EncodingId {
    /// [`Json`]
    pub const JSON: Self = Self(1);
    /// [`Postcard`]
    pub const POSTCARD: Self = Self(2);

    /// An encoding of the caller's own, by a number from 0 to 127: none of those is one of the encodings here. (Of
    /// higher numbers, the lower seven bits count.)
    #[must_use]
    pub const fn own(number: u8) -> Self {
        Self(number | 0x80)
    }
}

impl fmt::Display for EncodingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::JSON => f.write_str("json"),
            Self::POSTCARD => f.write_str("postcard"),
            Self(number) if number & 0x80 != 0 => write!(f, "own encoding {}", number & 0x7f),
            Self(number) => write!(f, "encoding {number}, of a later version"),
        }
    }
}

/// What values are compressed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Zstandard: smaller.
    #[cfg(feature = "zstd")]
    Zstd,
    /// LZ4: faster.
    #[cfg(feature = "lz4")]
    Lz4,
}

/// The upper half of the flags of a typed value.
pub const MARK: u32 = 0x6d74_0000;
