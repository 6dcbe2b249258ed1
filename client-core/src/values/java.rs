//! Java's numbers: two's complement or IEEE 754, the highest byte first.

use core::char;

use super::{Integer, Problem, Value};

/// A type of numbers.
#[derive(Clone, Copy)]
pub(super) enum Number {
    /// `Byte`, in one byte.
    Byte,
    /// `Short`, in four bytes.
    Short,
    /// `Character`, a UTF-16 unit in four bytes.
    Character,
    /// `Integer`.
    Integer,
    /// `Long`.
    Long,
    /// `Date`: a `Long` of milliseconds since 1970.
    Date,
    /// `Float`.
    Float,
    /// `Double`.
    Double,
}

/// How many bytes are stored.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Width {
    /// Those of the type.
    Full,
    /// Without the zeros in front: of a zero, none.
    Packed,
}

impl Number {
    /// In bytes.
    const fn width(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Short | Self::Character | Self::Integer | Self::Float => 4,
            Self::Long | Self::Date | Self::Double => 8,
        }
    }

    /// Reads a number.
    pub(super) fn read(self, width: Width, bytes: &[u8]) -> Result<Value<'static>, Problem> {
        let expected = self.width();
        if bytes.len() > expected || (width == Width::Full && bytes.len() < expected) {
            return Err(Problem::WrongLength { expected, found: bytes.len() });
        }
        let bits = bytes.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        // The type's own bits, and no more, can be set.
        let low = bits as u32;
        Ok(match self {
            Self::Byte => Value::from(i64::from(low as u8 as i8)),
            Self::Short => {
                let int = i64::from(low as i32);
                i16::try_from(int).map_err(|_| Problem::OutOfRange)?;
                Value::from(int)
            }
            Self::Character => {
                let unit = u16::try_from(low).map_err(|_| Problem::OutOfRange)?;
                let letter = char::from_u32(unit.into()).ok_or(Problem::NotCharacter)?;
                Value::Text(letter.to_string().into())
            }
            Self::Integer => Value::from(i64::from(low as i32)),
            Self::Long => Value::from(bits as i64),
            Self::Date => Value::Date(bits as i64),
            Self::Float => Value::Float(f32::from_bits(low).into()),
            Self::Double => Value::Float(f64::from_bits(bits)),
        })
    }

    /// Writes a number; none if it does not fit into this type.
    pub(super) fn write(self, width: Width, value: &Value<'_>) -> Option<Vec<u8>> {
        let full = self.bits(value)?.to_be_bytes();
        let full = &full[full.len() - self.width()..];
        let zeros = full.iter().take_while(|byte| **byte == 0).count();
        // A `Byte` is always there, if only to be zero.
        let is_packed = width == Width::Packed && !matches!(self, Self::Byte);
        Some(full[if is_packed { zeros } else { 0 }..].to_vec())
    }

    /// The bits of a value, at the lower end.
    fn bits(self, value: &Value<'_>) -> Option<u64> {
        let of = |int: &Integer| int.to_i64();
        Some(match (self, value) {
            (Self::Byte, Value::Int(int)) => u64::from(i8::try_from(of(int)?).ok()? as u8),
            (Self::Short, Value::Int(int)) => u64::from(i32::from(i16::try_from(of(int)?).ok()?) as u32),
            (Self::Integer, Value::Int(int)) => u64::from(i32::try_from(of(int)?).ok()? as u32),
            (Self::Long, Value::Int(int)) => of(int)? as u64,
            (Self::Date, Value::Date(date)) => *date as u64,
            (Self::Character, Value::Text(text)) => {
                let mut units = text.encode_utf16();
                let unit = units.next()?;
                if units.next().is_some() {
                    return None;
                }
                unit.into()
            }
            (Self::Float, Value::Float(float)) => {
                let short = *float as f32;
                if !float.is_nan() && f64::from(short) != *float {
                    return None;
                }
                short.to_bits().into()
            }
            (Self::Double, Value::Float(float)) => float.to_bits(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_number_is_unsigned_and_a_long_one_an_error() {
        let packed = |bytes| Number::Integer.read(Width::Packed, bytes);
        assert_eq!(packed(b""), Ok(Value::from(0)));
        assert_eq!(packed(b"\xff"), Ok(Value::from(255)));
        assert_eq!(packed(b"\xff\xff\xff\xff"), Ok(Value::from(-1)));
        assert_eq!(packed(b"12345"), Err(Problem::WrongLength { expected: 4, found: 5 }));
        let full = Number::Integer.read(Width::Full, b"\xff");
        assert_eq!(full, Err(Problem::WrongLength { expected: 4, found: 1 }));
        assert_eq!(Number::Short.read(Width::Full, b"\0\x01\0\0"), Err(Problem::OutOfRange));
        assert_eq!(Number::Character.read(Width::Full, b"\0\0\xd8\0"), Err(Problem::NotCharacter));
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let write = |number: Number, value: Value<'_>| number.write(Width::Full, &value);
        assert_eq!(write(Number::Byte, Value::from(128)), None);
        assert_eq!(write(Number::Integer, Value::from(1 << 31)), None);
        assert_eq!(write(Number::Float, Value::from(0.1)), None);
        assert_eq!(write(Number::Float, Value::from(0.5)), Some(b"\x3f\0\0\0".to_vec()));
        assert_eq!(write(Number::Character, Value::from("🌍")), None);
        assert_eq!(write(Number::Character, Value::from("ab")), None);
    }
}
