//! Base64 as memcached writes it: the standard alphabet, with padding, in one form only.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The four characters of up to three bytes.
pub(crate) fn encode_chunk(chunk: &[u8]) -> [u8; 4] {
    let (bits, count) = match chunk {
        [] => (0, 0),
        [a] => (u32::from(*a) << 16, 1),
        [a, b] => (u32::from(*a) << 16 | u32::from(*b) << 8, 2),
        [a, b, c, ..] => (u32::from(*a) << 16 | u32::from(*b) << 8 | u32::from(*c), 3),
    };
    let mut out = [b'='; 4];
    for (place, (slot, shift)) in out.iter_mut().zip([18, 12, 6, 0]).enumerate() {
        if place <= count && count > 0 {
            *slot = ALPHABET.get((bits >> shift & 63) as usize).copied().unwrap_or(b'=');
        }
    }
    out
}

/// Up to three bytes of four characters, and how many; `None` if they are not base64.
///
/// Bits that the padding leaves over are not looked at, as memcached does not.
pub(crate) fn decode_chunk(chunk: &[u8]) -> Option<([u8; 3], usize)> {
    let [a, b, c, d] = chunk else { return None };
    let (third, fourth, len) = match (c, d) {
        (b'=', b'=') => (0, 0, 1),
        (c, b'=') => (sextet(*c)?, 0, 2),
        (c, d) => (sextet(*c)?, sextet(*d)?, 3),
    };
    let bits = sextet(*a)? << 18 | sextet(*b)? << 12 | third << 6 | fourth;
    let [_, bytes @ ..] = bits.to_be_bytes();
    Some((bytes, len))
}

/// Is `text` base64, and of `bytes`? Any form is taken that memcached takes.
pub(crate) fn is_of(text: &[u8], bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut last = false;
    for chunk in text.chunks(4) {
        let Some((decoded, len)) = decode_chunk(chunk).filter(|_| !last) else { return false };
        match decoded.get(..len).and_then(|piece| rest.strip_prefix(piece)) {
            Some(tail) => rest = tail,
            None => return false,
        }
        last = len < 3;
    }
    rest.is_empty() && !text.is_empty()
}

/// Decodes `text` to the front of `out`; gives the length, or `None` if it is not base64 or does not fit.
pub(crate) fn decode(text: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut len = 0_usize;
    let mut last = false;
    for chunk in text.chunks(4) {
        let (decoded, count) = decode_chunk(chunk).filter(|_| !last)?;
        let end = len.checked_add(count)?;
        out.get_mut(len..end)?.copy_from_slice(decoded.get(..count)?);
        len = end;
        last = count < 3;
    }
    Some(len).filter(|len| *len > 0)
}

const fn sextet(character: u8) -> Option<u32> {
    let value = match character {
        b'A'..=b'Z' => character.wrapping_sub(b'A'),
        b'a'..=b'z' => character.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => character.wrapping_sub(b'0').wrapping_add(52),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value as u32)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    fn encode(bytes: &[u8]) -> Vec<u8> {
        bytes.chunks(3).flat_map(encode_chunk).collect()
    }

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (bytes, text) in [
            (&b"f"[..], &b"Zg=="[..]),
            (b"fo", b"Zm8="),
            (b"foo", b"Zm9v"),
            (b"foob", b"Zm9vYg=="),
            (b"fooba", b"Zm9vYmE="),
            (b"foobar", b"Zm9vYmFy"),
            (b"\x00\x01\x02\xff", b"AAEC/w=="),
        ] {
            assert_eq!(encode(bytes), text);
            let mut out = [0; 8];
            assert_eq!(decode(text, &mut out), Some(bytes.len()));
            assert_eq!(&out[..bytes.len()], bytes);
            assert!(is_of(text, bytes));
            assert!(!is_of(text, b"other"));
        }
    }

    #[test]
    fn what_memcached_refuses_and_what_it_lets_pass() {
        for bad in [&b""[..], b"Zm9", b"!!!!", b"Zg==Zg==", b"=m9v", b"Z===", b"Zm=v"] {
            assert_eq!(decode(bad, &mut [0; 8]), None, "{}", bad.escape_ascii());
            assert!(!is_of(bad, b"f"));
        }
        assert!(is_of(b"Zm9=", b"fo"), "bits left over are not looked at");
        assert_eq!(decode(b"Zm9v", &mut [0; 2]), None, "does not fit");
    }
}
