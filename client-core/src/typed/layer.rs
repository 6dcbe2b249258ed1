//! The layer between typed values and items.

use super::{Algorithm, Encoding, EncodingId, MARK, Problem};
use crate::{
    failure::{Cause, Error},
    values::{Compression, DEFAULT_LIMIT, Way, inflate},
};

/// An encoding, and whether what it makes is compressed.
#[derive(Clone, Copy, Debug)]
pub struct Layer<E> {
    encoding: E,
    /// With what, and from how many bytes on.
    compression: Option<(Algorithm, usize)>,
    limit: usize,
}

impl<E> Layer<E> {
    /// Compresses nothing, and inflates to [`DEFAULT_LIMIT`] at most.
    pub const fn new(encoding: E) -> Self {
        Self { encoding, compression: None, limit: DEFAULT_LIMIT }
    }

    /// Compresses values of more than `above` bytes that get smaller by it. All compressed values are read, whatever
    /// is said here.
    #[must_use]
    pub fn compressed(self, algorithm: Algorithm, above: usize) -> Self {
        Self { compression: Some((algorithm, above)), ..self }
    }

    /// Refuses values that inflate to more than `limit` bytes.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// The flags and bytes of a value.
    ///
    /// # Errors
    /// [`Problem::Encode`]
    pub fn encode<T>(&self, value: &T) -> Result<(u32, Vec<u8>), Problem>
    where
        E: Encoding<T>,
    {
        let bytes = self.encoding.encode(value).map_err(Problem::Encode)?;
        let EncodingId(id) = E::ID;
        let flags = MARK | u32::from(id);
        if let Some((algorithm, above)) = self.compression {
            if bytes.len() > above {
                if let Some(compressed) = algorithm.compress(&bytes).filter(|small| small.len() < bytes.len())
                {
                    return Ok((flags | algorithm.bits(), compressed));
                }
            }
        }
        Ok((flags, bytes))
    }

    /// The value of flags and bytes.
    ///
    /// # Errors
    /// The item is not of this encoding, or damaged.
    pub fn decode<T>(&self, flags: u32, bytes: &[u8]) -> Result<T, Problem>
    where
        E: Encoding<T>,
    {
        if flags & 0xffff_0000 != MARK {
            return Err(Problem::Untyped { flags });
        }
        let [_, _, compression, id] = flags.to_be_bytes();
        let (expected, found) = (E::ID, EncodingId(id));
        if found != expected {
            return Err(Problem::OtherEncoding { expected, found });
        }
        let way = match compression {
            0 => return self.encoding.decode(bytes).map_err(Problem::Decode),
            ZSTD => Way::Plain(Compression::Zstd),
            LZ4 => Way::Sized(Compression::Lz4),
            _ => return Err(Problem::UnknownCompression { flags }),
        };
        let inflated = inflate(way, bytes, self.limit)?;
        self.encoding.decode(&inflated).map_err(Problem::Decode)
    }

    /// As [`encode`](Self::encode), for the operation `name` of a client.
    ///
    /// # Errors
    /// [`ErrorKind::Encoding`](crate::failure::ErrorKind::Encoding)
    pub fn encode_for<T>(&self, name: &'static str, value: &T) -> Result<(u32, Vec<u8>), Error>
    where
        E: Encoding<T>,
    {
        self.encode(value).map_err(|problem| Error::new(name, Cause::typed(problem)))
    }

    /// As [`decode`](Self::decode), for the operation `name` of a client.
    ///
    /// # Errors
    /// [`ErrorKind::Encoding`](crate::failure::ErrorKind::Encoding)
    pub fn decode_for<T>(&self, name: &'static str, flags: u32, bytes: &[u8]) -> Result<T, Error>
    where
        E: Encoding<T>,
    {
        self.decode(flags, bytes).map_err(|problem| Error::new(name, Cause::typed(problem)))
    }
}

/// The bytes in the flags that say the compression.
const ZSTD: u8 = 1;
const LZ4: u8 = 2;

#[cfg_attr(
    not(any(feature = "zstd", feature = "lz4")),
    expect(unreachable_code, unused_variables, reason = "there is no algorithm then")
)]
impl Algorithm {
    /// What stands in the flags.
    const fn bits(self) -> u32 {
        (match self {
            #[cfg(feature = "zstd")]
            Self::Zstd => ZSTD,
            #[cfg(feature = "lz4")]
            Self::Lz4 => LZ4,
        } as u32)
            << 8
    }

    /// The compressed bytes; none if they are too many.
    fn compress(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            #[cfg(feature = "zstd")]
            Self::Zstd => {
                use ruzstd::encoding::{CompressionLevel, compress_to_vec};
                Some(compress_to_vec(bytes, CompressionLevel::Fastest))
            }
            #[cfg(feature = "lz4")]
            Self::Lz4 => {
                u32::try_from(bytes.len()).ok()?;
                Some(lz4_flex::block::compress_prepend_size(bytes))
            }
        }
    }
}
