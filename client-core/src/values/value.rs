//! What an item can hold.

use core::fmt;
use std::borrow::Cow;

use super::Integer;

/// A value of an item, as its client sees it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Bytes; so is each string of a language that does not tell text from bytes.
    Bytes(Cow<'a, [u8]>),
    /// Text.
    Text(Cow<'a, str>),
    /// A whole number of any size.
    Int(Integer),
    /// A floating-point number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A date, in milliseconds since 1970.
    Date(i64),
    /// Nothing. It is for writing: a stored null is read as an [`Object`], because it is one to its client.
    Null,
    /// What only the peer's language reads.
    Object(Object<'a>),
}

/// What kind of value a [`Value`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Type {
    /// [`Value::Bytes`]
    Bytes,
    /// [`Value::Text`]
    Text,
    /// [`Value::Int`]
    Int,
    /// [`Value::Float`]
    Float,
    /// [`Value::Bool`]
    Bool,
    /// [`Value::Date`]
    Date,
    /// [`Value::Null`]
    Null,
    /// [`Value::Object`]
    Object,
}

/// A serialised value: what wrote it, and its bytes, decompressed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Object<'a> {
    /// How it is serialised.
    pub format: Format,
    /// The serialised bytes.
    pub bytes: Cow<'a, [u8]>,
}

/// How an object is serialised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Python's `pickle`.
    PythonPickle,
    /// Python's `marshal`.
    PythonMarshal,
    /// Ruby's `Marshal`.
    RubyMarshal,
    /// PHP's `serialize()`.
    Php,
    /// PHP's igbinary.
    Igbinary,
    /// JSON.
    Json,
    /// MessagePack.
    Msgpack,
    /// Perl's `Storable`.
    PerlStorable,
    /// Java's serialisation.
    Java,
    /// A zstd frame without its magic number, as meta-memcache's `ZstdSerializer` writes; it may need a dictionary that
    /// only its writer has.
    MetaMemcacheZstd,
    /// Something that the client was told to use; the item does not say what.
    Unknown,
}

impl Value<'_> {
    /// What kind of value this is.
    #[must_use]
    pub const fn kind(&self) -> Type {
        match self {
            Self::Bytes(_) => Type::Bytes,
            Self::Text(_) => Type::Text,
            Self::Int(_) => Type::Int,
            Self::Float(_) => Type::Float,
            Self::Bool(_) => Type::Bool,
            Self::Date(_) => Type::Date,
            Self::Null => Type::Null,
            Self::Object(_) => Type::Object,
        }
    }

    /// The same value, with bytes of its own.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Bytes(bytes) => Value::Bytes(bytes.into_owned().into()),
            Self::Text(text) => Value::Text(text.into_owned().into()),
            Self::Int(int) => Value::Int(int),
            Self::Float(float) => Value::Float(float),
            Self::Bool(bool) => Value::Bool(bool),
            Self::Date(date) => Value::Date(date),
            Self::Null => Value::Null,
            Self::Object(Object { format, bytes }) => {
                Value::Object(Object { format, bytes: bytes.into_owned().into() })
            }
        }
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl From<i64> for Value<'_> {
    fn from(int: i64) -> Self {
        Self::Int(int.into())
    }
}

impl From<f64> for Value<'_> {
    fn from(float: f64) -> Self {
        Self::Float(float)
    }
}

impl From<bool> for Value<'_> {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl Type {
    /// Its name: `bytes`, `text`, `int`, `float`, `bool`, `date`, `null` or `object`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Text => "text",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Null => "null",
            Self::Object => "object",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Format {
    /// Its name, such as `python-pickle`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PythonPickle => "python-pickle",
            Self::PythonMarshal => "python-marshal",
            Self::RubyMarshal => "marshal",
            Self::Php => "php",
            Self::Igbinary => "igbinary",
            Self::Json => "json",
            Self::Msgpack => "msgpack",
            Self::PerlStorable => "perl-storable",
            Self::Java => "java",
            Self::MetaMemcacheZstd => "meta-memcache-zstd",
            Self::Unknown => "unknown",
        }
    }

    /// The format of Ruby's objects, whose flag does not say which one the client was told to use: `Marshal` begins
    /// with its version, and JSON with what a JSON text can begin with. Ruby's JSON has words for what is no number.
    pub(super) fn of_ruby(bytes: &[u8]) -> Self {
        match bytes {
            [4, 8, ..] => Self::RubyMarshal,
            [b'{' | b'[' | b'"' | b'-' | b'0'..=b'9', ..] => Self::Json,
            b"true" | b"false" | b"null" | b"NaN" | b"Infinity" => Self::Json,
            _ => Self::Unknown,
        }
    }

    /// The format of Perl's objects: `Storable` in network order, or in that of the machine.
    pub(super) fn of_perl(bytes: &[u8]) -> Self {
        match bytes {
            [5 | 4, 11, ..] => Self::PerlStorable,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
