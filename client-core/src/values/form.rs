//! Forms: how bytes hold a value.

use std::borrow::Cow;

use super::{
    Format, Integer, Object, Problem, Value,
    float::FloatText,
    java::{Number, Width},
    node,
};

/// How bytes hold a value.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// Bytes as they are. Text is written so, too, and numbers as decimal text, where a peer does not tell them apart.
    Bytes(&'static FloatText),
    /// UTF-8.
    Text,
    /// UTF-8, or other bytes.
    TextOrBytes,
    /// npm's memcached: UTF-8 with escaped line ends.
    EscapedText,
    /// npm's memcached: characters that are bytes, in UTF-8, with escaped line ends.
    EscapedBytes,
    /// ASCII digits, of any number.
    Decimal,
    /// ASCII digits, of a number of 64 bits with a sign.
    Decimal64,
    /// ASCII.
    Float(&'static FloatText),
    /// JavaScript's only kind of number.
    JavascriptNumber,
    /// Java's.
    Java(Number, Width),
    /// `1` or `0`.
    AsciiBool,
    /// `1` or `0`, of which the reader makes a number.
    DecimalBool,
    /// PHP's Memcached class: `1` and whatever follows, or anything else; false is written as nothing.
    PhpBool,
    /// One byte, 1 or 0.
    ByteBool,
    /// A serialised value; a null is written as this text, if there is one.
    Object(Format, Option<&'static str>),
    /// JSON with escaped line ends, of which `true`, `false` and `null` are written.
    EscapedJson,
    /// A serialised value whose format only its bytes say.
    ObjectOf(fn(&[u8]) -> Format),
}

impl Form {
    /// Reads a value.
    pub(super) fn read(self, bytes: Cow<'_, [u8]>) -> Result<Value<'_>, Problem> {
        Ok(match self {
            Self::Bytes(_) => Value::Bytes(bytes),
            Self::Text => Value::Text(text(bytes).map_err(|(_, at)| Problem::NotUtf8 { at })?),
            Self::TextOrBytes => match text(bytes) {
                Ok(text) => Value::Text(text),
                Err((bytes, _)) => Value::Bytes(bytes),
            },
            Self::EscapedText => {
                let text = text(unescaped(bytes)).map_err(|(_, at)| Problem::NotUtf8 { at })?;
                Value::Text(text)
            }
            Self::EscapedBytes => {
                let text = text(unescaped(bytes)).map_err(|(_, at)| Problem::NotUtf8 { at })?;
                Value::Bytes(node::text_to_latin1(&text)?.into())
            }
            Self::Decimal | Self::DecimalBool => Value::Int(Integer::read(&bytes)?),
            Self::Decimal64 => {
                let int = Integer::read(&bytes)?;
                Value::from(int.to_i64().ok_or(Problem::OutOfRange)?)
            }
            Self::Float(text) => Value::Float(text.read(&bytes)?),
            Self::JavascriptNumber => match Integer::read(&bytes) {
                Ok(int) => Value::Int(int),
                Err(_) => Value::Float(FloatText::JAVASCRIPT.read(&bytes)?),
            },
            Self::Java(number, width) => number.read(width, &bytes)?,
            Self::AsciiBool => Value::Bool(bool_of(&bytes, b"1", b"0")?),
            Self::PhpBool => Value::Bool(bytes.first() == Some(&b'1')),
            Self::ByteBool => Value::Bool(bool_of(&bytes, &[1], &[0])?),
            Self::Object(format, _) => Value::Object(Object { format, bytes }),
            Self::EscapedJson => Value::Object(Object { format: Format::Json, bytes: unescaped(bytes) }),
            Self::ObjectOf(format) => Value::Object(Object { format: format(&bytes), bytes }),
        })
    }

    /// Writes a value; none if it does not fit.
    pub(super) fn write<'v>(self, value: &'v Value<'_>) -> Option<Cow<'v, [u8]>> {
        Some(match (self, value) {
            (Self::Bytes(_) | Self::TextOrBytes, Value::Text(text)) | (Self::Text, Value::Text(text)) => {
                Cow::Borrowed(text.as_bytes())
            }
            (Self::Bytes(_), Value::Bytes(bytes)) => Cow::Borrowed(&**bytes),
            (Self::TextOrBytes, Value::Bytes(bytes)) => {
                str::from_utf8(bytes).ok()?;
                Cow::Borrowed(&**bytes)
            }
            (Self::EscapedText, Value::Text(text)) => node::escape(text.as_bytes()),
            (Self::EscapedBytes, Value::Bytes(bytes)) => {
                node::escape(node::latin1_to_text(bytes).as_bytes()).into_owned().into()
            }
            (Self::Bytes(_) | Self::Decimal | Self::DecimalBool, Value::Int(int)) => {
                Cow::Borrowed(int.as_str().as_bytes())
            }
            (Self::Decimal64, Value::Int(int)) => {
                int.to_i64()?;
                Cow::Borrowed(int.as_str().as_bytes())
            }
            (Self::JavascriptNumber, Value::Int(int)) => {
                // All whole numbers to 2⁵³ - 1, and of those above the ones that JavaScript would write so itself.
                let text = FloatText::JAVASCRIPT.write(int.to()?)?;
                (text == int.as_str()).then(|| text.into_bytes())?.into()
            }
            (Self::Bytes(text) | Self::Float(text), Value::Float(float)) => {
                text.write(*float)?.into_bytes().into()
            }
            (Self::JavascriptNumber, Value::Float(float)) => {
                FloatText::JAVASCRIPT.write(*float)?.into_bytes().into()
            }
            (Self::Java(number, width), value) => number.write(width, value)?.into(),
            (Self::AsciiBool | Self::DecimalBool, Value::Bool(yes)) => {
                Cow::Borrowed(if *yes { b"1" } else { b"0" })
            }
            (Self::PhpBool, Value::Bool(yes)) => Cow::Borrowed(if *yes { &b"1"[..] } else { b"" }),
            (Self::ByteBool, Value::Bool(yes)) => Cow::Borrowed(if *yes { &[1] } else { &[0] }),
            (Self::EscapedJson, Value::Bool(yes)) => {
                Cow::Borrowed(if *yes { &b"true"[..] } else { b"false" })
            }
            (Self::EscapedJson, Value::Null) => Cow::Borrowed(b"null"),
            (Self::Object(_, Some(null)), Value::Null) => Cow::Borrowed(null.as_bytes()),
            _ => return None,
        })
    }
}

/// The text; or the bytes again, and where they are no text.
fn text(bytes: Cow<'_, [u8]>) -> Result<Cow<'_, str>, (Cow<'_, [u8]>, usize)> {
    match bytes {
        Cow::Borrowed(bytes) => match str::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(error) => Err((Cow::Borrowed(bytes), error.valid_up_to())),
        },
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                Err((Cow::Owned(error.into_bytes()), at))
            }
        },
    }
}

fn unescaped(bytes: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match bytes {
        Cow::Borrowed(bytes) => node::unescape(bytes),
        Cow::Owned(bytes) => Cow::Owned(node::unescape(&bytes).into_owned()),
    }
}

fn bool_of(bytes: &[u8], yes: &[u8], no: &[u8]) -> Result<bool, Problem> {
    if bytes == yes {
        Ok(true)
    } else if bytes == no {
        Ok(false)
    } else {
        Err(Problem::NotBool)
    }
}
