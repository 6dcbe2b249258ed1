//! The encodings of serde types.

#[cfg(any(feature = "json", feature = "postcard"))]
use serde::{Serialize, de::DeserializeOwned};

#[cfg(any(feature = "json", feature = "postcard"))]
use super::{BoxError, Encoding, EncodingId};

/// JSON, which other languages read, too. A field that is added with a default does not break what is stored.
#[cfg(feature = "json")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

#[cfg(feature = "json")]
impl<T: Serialize + DeserializeOwned> Encoding<T> for Json {
    const ID: EncodingId = EncodingId::JSON;

    fn encode(&self, value: &T) -> Result<Vec<u8>, BoxError> {
        Ok(serde_json::to_vec(value)?)
    }

    fn decode(&self, bytes: &[u8]) -> Result<T, BoxError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// postcard: small and fast, without names. Bytes of another type, or of the same one before a field was added, may be
/// read as a wrong value, so give a type that changes another key.
#[cfg(feature = "postcard")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Postcard;

#[cfg(feature = "postcard")]
impl<T: Serialize + DeserializeOwned> Encoding<T> for Postcard {
    const ID: EncodingId = EncodingId::POSTCARD;

    fn encode(&self, value: &T) -> Result<Vec<u8>, BoxError> {
        Ok(postcard::to_allocvec(value)?)
    }

    fn decode(&self, bytes: &[u8]) -> Result<T, BoxError> {
        match postcard::take_from_bytes(bytes)? {
            (value, []) => Ok(value),
            // They are of a longer type.
            _ => Err(postcard::Error::SerdeDeCustom.into()),
        }
    }
}
