//! `--as`: values as the clients of a peer read them.

use std::borrow::Cow;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use memring_client::values::{DEFAULT_LIMIT, Object, Peer, Type, Value, guess, peers};
use memring_std::Item;
use serde_json::{Map, Value as Json, json};

use crate::near;

/// Whose values they are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Convention {
    /// Nobody knows.
    Auto,
    /// Those of this peer's clients.
    Of(&'static Peer),
}

impl Convention {
    /// Reads the argument of `--as`.
    pub(crate) fn read(name: &str) -> Result<Self, String> {
        if name == AUTO {
            return Ok(Self::Auto);
        }
        peers::named(name).map(Self::Of).ok_or_else(|| {
            let known: Vec<_> = [AUTO].into_iter().chain(peers::ALL.iter().map(|peer| peer.name())).collect();
            format!("no such client; {}", near::offer(name, &known))
        })
    }

    /// What an item holds.
    pub(crate) fn typed(self, item: &Item) -> Typed<'_> {
        match self {
            Self::Of(peer) => match peer.read(item.flags, &item.value, DEFAULT_LIMIT) {
                Ok(reading) => Typed {
                    compression: reading.compression.map(|compression| compression.name()),
                    peers_type: Some(reading.type_name),
                    ..Typed::known(reading.value)
                },
                Err(error) => Typed { error: Some(error.to_string()), ..Typed::unknown(&item.value) },
            },
            Self::Auto => match guess(item.flags, &item.value, DEFAULT_LIMIT) {
                Ok(guess) => Typed {
                    compression: guess.compression.map(|compression| compression.name()),
                    ..match guess.format {
                        Some(format) => Typed::known(Value::Object(Object { format, bytes: guess.bytes })),
                        None => Typed { is_known: false, ..Typed::known(Value::Bytes(guess.bytes)) },
                    }
                },
                Err(error) => Typed { error: Some(error.to_string()), ..Typed::unknown(&item.value) },
            },
        }
    }
}

/// The word for [`Convention::Auto`].
const AUTO: &str = "auto";

/// What an item holds.
pub(crate) struct Typed<'a> {
    value: Value<'a>,
    /// Whether the value is of the type that it has here; else it is only bytes.
    is_known: bool,
    peers_type: Option<&'static str>,
    compression: Option<&'static str>,
    /// Why it is not known.
    pub(crate) error: Option<String>,
}

impl<'a> Typed<'a> {
    fn known(value: Value<'a>) -> Self {
        Self { value, is_known: true, peers_type: None, compression: None, error: None }
    }

    fn unknown(bytes: &'a [u8]) -> Self {
        Self { is_known: false, ..Self::known(Value::from(bytes)) }
    }

    /// The type in a few words: `int`, `text of marshal, zlib`.
    pub(crate) fn kind(&self) -> String {
        let mut text = self.type_name().to_owned();
        if let Value::Object(object) = &self.value {
            text += &format!(" of {}", object.format);
        }
        if let Some(compression) = self.compression {
            text += &format!(", {compression}");
        }
        text
    }

    fn type_name(&self) -> &'static str {
        if self.is_known { self.value.plain_kind().name() } else { "unknown" }
    }

    /// The value as bytes; of an object, what is in it if that is plain, else all of it.
    pub(crate) fn bytes(&self) -> Cow<'_, [u8]> {
        match &self.value {
            Value::Object(object) => match object.plain() {
                Some(value) => Cow::Owned(bytes(&value).into_owned()),
                None => Cow::Borrowed(&object.bytes),
            },
            value => bytes(value),
        }
    }

    /// Adds what is known to an item's JSON.
    pub(crate) fn put_into(&self, object: &mut Map<String, Json>) {
        let mut put = |name: &str, value: Json| object.insert(name.to_owned(), value);
        put("type", self.type_name().into());
        if let Some(name) = self.peers_type {
            put("peers_type", name.into());
        }
        if let Value::Object(object) = &self.value {
            put("format", object.format.name().into());
        }
        if let Some(compression) = self.compression {
            put("compression", compression.into());
        }
        if let Some(error) = &self.error {
            put("error", error.as_str().into());
        }
        let value = match &self.value {
            Value::Object(object) => object.plain().as_ref().map_or_else(|| json_of(&self.value), json_of),
            value => json_of(value),
        };
        match value {
            Some(value) => put("value", value),
            None => put("base64", BASE64_STANDARD.encode(self.bytes()).into()),
        };
    }
}

/// A value as the bytes of its text.
fn bytes<'v>(value: &'v Value<'_>) -> Cow<'v, [u8]> {
    match value {
        Value::Bytes(bytes) => Cow::Borrowed(bytes),
        Value::Text(text) => Cow::Borrowed(text.as_bytes()),
        Value::Int(int) => Cow::Borrowed(int.as_str().as_bytes()),
        Value::Float(float) => Cow::Owned(format!("{float:?}").into_bytes()),
        Value::Bool(yes) => Cow::Owned(yes.to_string().into_bytes()),
        Value::Date(date) => Cow::Owned(date.to_string().into_bytes()),
        Value::Object(object) => Cow::Borrowed(&object.bytes),
        _ => Cow::Borrowed(b"null"),
    }
}

/// A value as JSON, none if it is bytes that are no text. What JSON has no number for is a text.
fn json_of(value: &Value<'_>) -> Option<Json> {
    Some(match value {
        Value::Int(int) => int.to_i64().map_or_else(|| json!(int.as_str()), Json::from),
        Value::Float(float) if float.is_finite() => json!(float),
        Value::Bool(yes) => json!(yes),
        Value::Date(date) => json!(date),
        value if value.kind() == Type::Null => Json::Null,
        value => json!(str::from_utf8(&bytes(value)).ok()?),
    })
}
