//! The laws of values: those of other clients, and typed ones.

use arbitrary::Arbitrary;
use memring_client::{
    typed::{Algorithm, Layer, Postcard},
    values::{Problem, Value, guess, peers},
};

/// An item, or what one holds, by anyone.
#[derive(Arbitrary, Debug)]
pub struct Item<'a> {
    /// Which peer, by the remainder.
    pub peer: u8,
    /// The flags.
    pub flags: u32,
    /// How long a decompressed value may be.
    pub limit: u16,
    /// A value to be written.
    pub written: Written<'a>,
    /// The bytes that are stored.
    pub bytes: &'a [u8],
}

/// A value to be written.
#[derive(Arbitrary, Debug)]
pub enum Written<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text.
    Text(&'a str),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A date.
    Date(i64),
}

/// Any flags and bytes are read or refused by every peer, within the limit; what is written is read as the same value.
pub fn values_are_read_within_bounds(item: &Item<'_>) {
    let peer = peers::ALL[usize::from(item.peer) % peers::ALL.len()];
    let limit = usize::from(item.limit);
    match peer.read(item.flags, item.bytes, limit) {
        Ok(reading) => {
            let most = if reading.compression.is_some() { limit } else { item.bytes.len() };
            assert!(len(&reading.value) <= most.max(LONGEST_NUMBER), "{reading:?}");
            // A type of the peer's is written as it was read, unless only its language can.
            if let Ok(stored) = peer.write_as(reading.type_name, &reading.value) {
                let again = peer.read(stored.flags, &stored.bytes, 0).expect("it was written so");
                assert!(is_same(&again.value, &reading.value), "{again:?} {reading:?}");
            }
        }
        Err(error) => assert!(!matches!(error.problem, Problem::Unavailable(_)), "{error}"),
    }
    if let Ok(guess) = guess(item.flags, item.bytes, limit) {
        assert!(guess.compression.is_none() || guess.bytes.len() <= limit);
    }

    let value = match item.written {
        Written::Bytes(bytes) => Value::from(bytes),
        Written::Text(text) => Value::from(text),
        Written::Int(int) => Value::from(int),
        Written::Float(float) => Value::from(float),
        Written::Bool(yes) => Value::from(yes),
        Written::Date(date) => Value::Date(date),
    };
    if let Ok(stored) = peer.write(&value) {
        let again = peer.read(stored.flags, &stored.bytes, 0).expect("it was written");
        assert!(is_same(&again.value, &value) || is_text_of(&again.value, &value), "{again:?} {value:?}");
    }
}

/// The longest text of a number of 64 bits, in bytes, in any language.
const LONGEST_NUMBER: usize = 32;

fn len(value: &Value<'_>) -> usize {
    match value {
        Value::Bytes(bytes) => bytes.len(),
        Value::Text(text) => text.len(),
        Value::Int(int) => int.as_str().len(),
        Value::Object(object) => object.bytes.len(),
        _ => 0,
    }
}

/// Whether they are one value: not-a-number is itself, and a number is one in either type.
fn is_same(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => one == other || (one.is_nan() && other.is_nan()),
        (Value::Int(int), Value::Float(float)) | (Value::Float(float), Value::Int(int)) => {
            int.as_str().parse() == Ok(*float)
        }
        // Older Python reads a truth value as a number.
        (Value::Int(int), Value::Bool(yes)) => int.to_i64() == Some(i64::from(*yes)),
        _ => one == other,
    }
}

/// Whether the reader takes for bytes, text or JSON what was written as another type: it knows no better.
fn is_text_of(read: &Value<'_>, written: &Value<'_>) -> bool {
    match (read, written) {
        (Value::Bytes(read), Value::Text(text)) => **read == *text.as_bytes(),
        (Value::Text(read), Value::Bytes(bytes)) => *read.as_bytes() == **bytes,
        (Value::Bytes(read), Value::Int(int)) => **read == *int.as_str().as_bytes(),
        (Value::Bytes(read), Value::Float(float)) => {
            let text = str::from_utf8(read).expect("a number is ASCII");
            text.parse().is_ok_and(|again: f64| is_same(&Value::Float(again), &Value::Float(*float)))
        }
        (Value::Object(object), value) => object.plain().is_some_and(|plain| plain == *value),
        _ => false,
    }
}

/// Any flags and bytes are typed values or errors, within the limit; what is written, compressed or not, is read again.
pub fn typed_values_round_trip(item: &Item<'_>) {
    let limit = usize::from(item.limit);
    let layer = Layer::new(Postcard).limit(limit);
    // The mark, so that not all are refused for it.
    for flags in [item.flags, 0x6d74_0002 | item.flags & 0x300] {
        if let Ok(value) = layer.decode::<Vec<u8>>(flags, item.bytes) {
            assert!(value.len() <= limit.max(item.bytes.len()));
        }
    }
    let value = item.bytes.to_vec();
    for layer in [
        Layer::new(Postcard),
        Layer::new(Postcard).compressed(Algorithm::Zstd, limit),
        Layer::new(Postcard).compressed(Algorithm::Lz4, limit),
    ] {
        let (flags, bytes) = layer.encode(&value).expect("bytes can be encoded");
        assert_eq!(layer.decode::<Vec<u8>>(flags, &bytes).expect("it was written so"), value);
    }
}
