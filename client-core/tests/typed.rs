//! Typed values: what is written is read again, and nothing else is.

use core::error::Error as _;
use std::collections::BTreeMap;

use memring_client::{
    typed::{Algorithm, BoxError, Encoding, EncodingId, Json, Layer, MARK, Postcard, Problem},
    values,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Session {
    user: u64,
    name: String,
    cart: BTreeMap<String, u32>,
}

fn session(count: u32) -> Session {
    let cart = (0..count).map(|number| (format!("article {number}"), number)).collect();
    Session { user: 7, name: "größer".to_owned(), cart }
}

/// The flags and the length of `value`, which is read as itself.
fn round_trip<E: Encoding<Session>>(layer: &Layer<E>, value: &Session) -> (u32, usize) {
    let (flags, bytes) = layer.encode(value).unwrap();
    assert_eq!(layer.decode(flags, &bytes).unwrap(), *value);
    (flags, bytes.len())
}

#[test]
fn what_is_written_is_read_again() {
    for count in [0, 1, 200, 5000] {
        let value = session(count);
        let (json, len) = round_trip(&Layer::new(Json), &value);
        let (postcard, _) = round_trip(&Layer::new(Postcard), &value);
        assert_eq!((json, postcard), (MARK | 1, MARK | 2));
        for (algorithm, bits) in [(Algorithm::Zstd, 0x100), (Algorithm::Lz4, 0x200)] {
            let layer = Layer::new(Json).compressed(algorithm, 1000);
            let (flags, compressed) = round_trip(&layer, &value);
            assert_eq!(flags, if len > 1000 { json | bits } else { json });
            assert!(compressed < len || flags == json);
            round_trip(&Layer::new(Postcard).compressed(algorithm, 0), &value);
        }
    }
}

#[test]
fn what_does_not_get_smaller_is_left_as_it_is() {
    for algorithm in [Algorithm::Zstd, Algorithm::Lz4] {
        let (flags, _) = Layer::new(Postcard).compressed(algorithm, 0).encode(&7_u8).unwrap();
        assert_eq!(flags, MARK | 2);
    }
}

#[test]
fn what_was_written_otherwise_is_an_error() {
    let layer = Layer::new(Json);
    let read = |flags, bytes: &[u8]| layer.decode::<u32>(flags, bytes).unwrap_err();
    let text = |flags, bytes: &[u8]| read(flags, bytes).to_string();
    assert_eq!(text(0, b"7"), "not a typed value: its flags are 0x0");
    assert_eq!(text(0x6d72_0001, b"7"), "not a typed value: its flags are 0x6d720001");
    assert_eq!(text(MARK | 2, b"7"), "value was stored as postcard, not as json");
    assert_eq!(text(MARK | 0x85, b"7"), "value was stored as own encoding 5, not as json");
    assert_eq!(text(MARK | 9, b"7"), "value was stored as encoding 9, of a later version, not as json");
    assert_eq!(
        text(MARK | 0x301, b"7"),
        "value is compressed in a way unknown here: its flags are 0x6d740301"
    );
    let secret = read(MARK | 1, b"\"s3cret\"");
    assert_eq!(secret.to_string(), "stored bytes are not of this encoding and type");
    assert!(secret.source().unwrap().to_string().contains("expected u32"));
    let postcard = Layer::new(Postcard);
    assert!(matches!(postcard.decode::<u8>(MARK | 2, &[7, 8]), Err(Problem::Decode(_))), "bytes are left");
}

#[test]
fn damaged_and_large_values_are_errors() {
    let value = session(300);
    for algorithm in [Algorithm::Zstd, Algorithm::Lz4] {
        let layer = Layer::new(Json).compressed(algorithm, 0);
        let (flags, bytes) = layer.encode(&value).unwrap();
        let read = |bytes: &[u8]| layer.decode::<Session>(flags, bytes);
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "{algorithm:?} cut at {end}");
        }
        assert!(read(&[&bytes[..], &[0]].concat()).is_err(), "{algorithm:?} with a byte behind it");
        let (_, plain) = Layer::new(Json).encode(&value).unwrap();
        assert_eq!(layer.limit(plain.len()).decode::<Session>(flags, &bytes).unwrap(), value);
        let refused = layer.limit(plain.len() - 1).decode::<Session>(flags, &bytes);
        assert!(matches!(refused, Err(Problem::Compressed(values::Problem::TooLarge { .. }))), "{refused:?}");
    }
}

/// An encoding that refuses everything.
struct Never;

impl Encoding<u8> for Never {
    const ID: EncodingId = EncodingId::own(3);

    fn encode(&self, _: &u8) -> Result<Vec<u8>, BoxError> {
        Err("never".into())
    }

    fn decode(&self, _: &[u8]) -> Result<u8, BoxError> {
        Err("never".into())
    }
}

#[test]
fn an_own_encoding_says_why_it_refuses() {
    let error = Layer::new(Never).encode(&1).unwrap_err();
    assert_eq!(
        (error.to_string(), error.source().unwrap().to_string()),
        ("value cannot be encoded".into(), "never".into())
    );
    assert!(matches!(Layer::new(Never).decode(MARK | 0x83, b""), Err(Problem::Decode(_))));
}
