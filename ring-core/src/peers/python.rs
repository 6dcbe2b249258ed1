//! What Python makes of a `bytes` key where a text was expected: its printed form, quotes and all.

use crate::{
    key::KeyText,
    text::{Hex, Text as _},
};

/// Reads the values of `key-type`: whether the caller passes keys as `bytes` or as `str`.
pub(super) fn key_type<'a>(value: &str, key: KeyText<'a>) -> Result<KeyText<'a>, &'static str> {
    match value {
        "str" => Ok(KeyText { form: None, ..key }),
        "bytes" => Ok(KeyText { form: Some(printed), ..key }),
        _ => Err("str or bytes"),
    }
}

/// The key as Python 3 prints it: `b'key'`, with double quotes for a key that has single quotes and no double ones.
fn printed(_: &KeyText<'_>, key: &[u8], sink: &mut dyn FnMut(&[u8])) {
    let quote = if key.contains(&b'\'') && !key.contains(&b'"') { b'"' } else { b'\'' };
    sink(&[b'b', quote]);
    for &byte in key {
        match byte {
            b'\t' => sink(b"\\t"),
            b'\n' => sink(b"\\n"),
            b'\r' => sink(b"\\r"),
            b'\\' => sink(b"\\\\"),
            _ if byte == quote => sink(&[b'\\', quote]),
            b' '..=b'~' => sink(&[byte]),
            _ => {
                sink(b"\\x");
                Hex(&[byte]).feed(sink);
            }
        }
    }
    sink(&[quote]);
}

#[cfg(test)]
mod tests {
    use std::{string::String, vec::Vec};

    use super::*;

    fn repr(key: &[u8]) -> String {
        let mut text = Vec::new();
        printed(&KeyText::WHOLE, key, &mut |piece| text.extend_from_slice(piece));
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn bytes_are_escaped_as_python_does() {
        // Printed by CPython 3.
        assert_eq!(repr(b""), "b''");
        assert_eq!(repr(b"foo"), "b'foo'");
        assert_eq!(repr(b"it's"), r#"b"it's""#);
        assert_eq!(repr(b"\"it's\""), r#"b'"it\'s"'"#);
        assert_eq!(repr(b"\"quoted\""), r#"b'"quoted"'"#);
        assert_eq!(repr(b"\t\n\r\\\0\x1f ~\x7f\x80\xff"), r"b'\t\n\r\\\x00\x1f ~\x7f\x80\xff'");
    }
}
