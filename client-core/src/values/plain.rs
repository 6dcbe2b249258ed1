//! What is in the simplest objects: those whose form leaves no doubt.

use super::{Format, Integer, Object, Type, Value};

impl<'a> Object<'a> {
    /// The value inside, if it is a string, a number, a truth value or nothing, in one of the forms that are safe to
    /// read without the language that wrote it; [`None`] for all others.
    ///
    /// Read are strings, small numbers, `true`, `false` and `nil` of Ruby's `Marshal`; text and `None` of Python's `marshal`;
    /// the null of PHP's serialisers; `true`, `false` and `null` of JSON. No pickle is.
    ///
    /// ```
    /// use memring_client::values::{DEFAULT_LIMIT, Value, peers};
    ///
    /// let reading = peers::DALLI.read(1, b"\x04\x08I\"\x0ahello\x06:\x06ET", DEFAULT_LIMIT)?;
    /// let Value::Object(object) = reading.value else { panic!("Dalli serialises all that it is given") };
    /// assert_eq!(object.plain(), Some(Value::from("hello")));
    /// # Ok::<(), memring_client::values::ReadError>(())
    /// ```
    #[must_use]
    pub fn plain(&'a self) -> Option<Value<'a>> {
        let bytes = &*self.bytes;
        match self.format {
            Format::RubyMarshal => ruby(bytes.strip_prefix(&[4, 8])?),
            Format::PythonMarshal => python(bytes),
            Format::Php => (bytes == b"N;").then_some(Value::Null),
            Format::Igbinary => matches!(bytes, [0, 0, 0, 1 | 2, 0]).then_some(Value::Null),
            Format::Msgpack => (bytes == [0xc0]).then_some(Value::Null),
            Format::Json => match bytes {
                b"null" => Some(Value::Null),
                b"true" => Some(Value::Bool(true)),
                b"false" => Some(Value::Bool(false)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What is behind the version of Ruby's `Marshal`.
fn ruby(bytes: &[u8]) -> Option<Value<'_>> {
    let (kind, rest) = bytes.split_first()?;
    match (kind, rest) {
        (b'0', []) => Some(Value::Null),
        (b'T', []) => Some(Value::Bool(true)),
        (b'F', []) => Some(Value::Bool(false)),
        (b'i', rest) => {
            let (int, rest) = ruby_int(rest)?;
            rest.is_empty().then(|| Value::Int(Integer::from(int)))
        }
        (b'"', rest) => match ruby_string(rest)? {
            (bytes, []) => Some(Value::Bytes(bytes.into())),
            _ => None,
        },
        // A string with one attribute, its encoding: UTF-8, or ASCII, which is.
        (b'I', [b'"', rest @ ..]) => match ruby_string(rest)? {
            (bytes, [6, b':', 6, b'E', b'T']) => str::from_utf8(bytes).ok().map(Value::from),
            (bytes, [6, b':', 6, b'E', b'F']) if bytes.is_ascii() => {
                str::from_utf8(bytes).ok().map(Value::from)
            }
            _ => None,
        },
        _ => None,
    }
}

fn ruby_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = ruby_int(bytes)?;
    rest.split_at_checked(usize::try_from(len).ok()?)
}

/// A number in Ruby's `Marshal`: one byte, off by five; or how many bytes follow, the lowest first, negative if all the
/// bits above them are set.
fn ruby_int(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let count = match i64::from(first as i8) {
        0 => return Some((0, rest)),
        short @ 5..=127 => return Some((short - 5, rest)),
        short @ -128..=-5 => return Some((short + 5, rest)),
        count => count,
    };
    let (digits, rest) = rest.split_at_checked(usize::try_from(count.unsigned_abs()).ok()?)?;
    let bits = digits.iter().rev().fold(0, |int, digit| int << 8 | i64::from(*digit));
    Some((if count < 0 { bits - (1 << (8 * digits.len())) } else { bits }, rest))
}

/// Python's `marshal`.
fn python(bytes: &[u8]) -> Option<Value<'_>> {
    let (kind, rest) = bytes.split_first()?;
    match kind {
        b'N' => rest.is_empty().then_some(Value::Null),
        b'g' => Some(Value::Float(f64::from_le_bytes(rest.try_into().ok()?))),
        b'u' => {
            let (len, text) = rest.split_first_chunk()?;
            let is_whole = usize::try_from(u32::from_le_bytes(*len)).ok()? == text.len();
            is_whole.then(|| str::from_utf8(text).ok().map(Value::from))?
        }
        _ => None,
    }
}

impl Value<'_> {
    /// The kind of value that a person would say it is: that [within](Object::plain) a simple object.
    #[must_use]
    pub fn plain_kind(&self) -> Type {
        match self {
            Self::Object(object) => object.plain().map_or(Type::Object, |value| value.kind()),
            value => value.kind(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(format: Format, bytes: &[u8]) -> Option<Value<'static>> {
        Object { format, bytes: bytes.into() }.plain().map(Value::into_owned)
    }

    #[test]
    fn simple_values_of_ruby_are_read_and_others_left() {
        // Made with `Marshal.dump` of Ruby 3.1.
        let rows: [(&[u8], Value<'_>); 10] = [
            (b"0", Value::Null),
            (b"T", Value::Bool(true)),
            (b"i\x00", Value::from(0)),
            (b"i\x7f", Value::from(122)),
            (b"i\x01\xff", Value::from(255)),
            (b"i\xfa", Value::from(-1)),
            (b"i\xff\x00", Value::from(-256)),
            (b"i\x04\xff\xff\xff\x3f", Value::from((1 << 30) - 1)),
            (b"\"\x07\xff\xfe", Value::from(&b"\xff\xfe"[..])),
            (b"I\"\x08G\xc3\xbc\x06:\x06ET", Value::from("Gü")),
        ];
        for (bytes, value) in rows {
            assert_eq!(plain(Format::RubyMarshal, &[b"\x04\x08", bytes].concat()), Some(value), "{bytes:?}");
        }
        for bytes in [
            &b"[\x06i\x06"[..],
            b"0 ",
            b"\"\x09a",
            b"I\"\x06a\x07:\x06ET:\x06",
            b"i",
            b"I\"\x06\xff\x06:\x06ET",
        ] {
            assert_eq!(plain(Format::RubyMarshal, &[b"\x04\x08", bytes].concat()), None, "{bytes:?}");
        }
    }

    #[test]
    fn simple_values_of_others_are_read() {
        assert_eq!(plain(Format::PythonMarshal, b"u\x02\0\0\0\xc3\xbc"), Some(Value::from("ü")));
        assert_eq!(plain(Format::PythonMarshal, b"u\x03\0\0\0\xc3\xbc"), None);
        assert_eq!(plain(Format::PythonMarshal, b"g\0\0\0\0\0\0\xe0\x3f"), Some(Value::from(0.5)));
        assert_eq!(plain(Format::Php, b"N;"), Some(Value::Null));
        assert_eq!(plain(Format::Json, b"false"), Some(Value::Bool(false)));
        assert_eq!(plain(Format::PythonPickle, b"N."), None, "a pickle is a program");
    }
}
