//! Meta requests of the files in the crate's types.

use memring_text::{
    Key, Operation as _, Request, Value as Block,
    meta::{
        ArithMode, BinaryKey, MetaArith, MetaDebug, MetaDelete, MetaGet, MetaKey, MetaSet, Opaque, SetMode,
    },
};
use serde_json::Value;

use crate::model::{string, strings};

/// As [`model::with_request`](crate::model::with_request).
pub fn with_request<T>(value: &Value, data: &[u8], with: impl FnOnce(&Request<'_>) -> T) -> Option<T> {
    let token = string(&value["key"]);
    let flags = strings(&value["flags"]);
    let is_binary = flags.iter().any(|flag| flag == b"b");
    let bytes = if is_binary { base64(&token)? } else { token };
    let key: MetaKey<'_> =
        if is_binary { BinaryKey::new(&bytes).ok()?.into() } else { Key::new(&bytes).ok()?.into() };
    let mut get = MetaGet::new(key);
    let mut set = MetaSet::new(key, Block::new(data).unwrap());
    let mut delete = MetaDelete::new(key);
    let mut arith = MetaArith::new(key);
    let debug = MetaDebug::new(key);
    let verb = value["q"].as_str().unwrap();
    for flag in &flags {
        let (letter, token) = (char::from(flag[0]), &flag[1..]);
        match (verb, letter, token) {
            (_, 'b', b"") => {}
            ("mg", 'c', b"") => get = get.cas(),
            ("mg", 'f', b"") => get = get.flags(),
            ("mg", 'h', b"") => get = get.hit(),
            ("mg", 'k', b"") => get = get.key(),
            ("mg", 'l', b"") => get = get.last_access(),
            ("mg", 'q', b"") => get = get.quiet(),
            ("mg", 's', b"") => get = get.size(),
            ("mg", 't', b"") => get = get.ttl(),
            ("mg", 'u', b"") => get = get.no_bump(),
            ("mg", 'v', b"") => get = get.value(),
            ("mg", 'C', _) => get = get.unless_cas(number(token)?),
            ("mg", 'E', _) => get = get.new_cas(number(token)?),
            ("mg", 'N', _) => get = get.vivify(number(token)?),
            ("mg", 'O', _) => get = get.opaque(Opaque::new(token).ok()?),
            ("mg", 'P', _) => get = get.proxy(Opaque::new(token).ok()?),
            ("mg", 'L', _) => get = get.path(Opaque::new(token).ok()?),
            ("mg", 'R', _) => get = get.recache(number(token)?),
            ("mg", 'T', _) => get = get.touch(number(token)?),
            ("ms", 'c', b"") => set = set.cas(),
            ("ms", 'k', b"") => set = set.key(),
            ("ms", 'q', b"") => set = set.quiet(),
            ("ms", 's', b"") => set = set.size(),
            ("ms", 'C', _) => set = set.if_cas(number(token)?),
            ("ms", 'E', _) => set = set.new_cas(number(token)?),
            ("ms", 'F', _) => set = set.flags(number(token)?),
            ("ms", 'I', b"") => set = set.invalidate(),
            ("ms", 'M', _) => set = set.mode(set_mode(token)?),
            ("ms", 'N', _) => set = set.vivify(number(token)?),
            ("ms", 'O', _) => set = set.opaque(Opaque::new(token).ok()?),
            ("ms", 'P', _) => set = set.proxy(Opaque::new(token).ok()?),
            ("ms", 'L', _) => set = set.path(Opaque::new(token).ok()?),
            ("ms", 'T', _) => set = set.exptime(number(token)?),
            ("md", 'k', b"") => delete = delete.key(),
            ("md", 'q', b"") => delete = delete.quiet(),
            ("md", 'x', b"") => delete = delete.value_only(),
            ("md", 'C', _) => delete = delete.if_cas(number(token)?),
            ("md", 'E', _) => delete = delete.new_cas(number(token)?),
            ("md", 'I', b"") => delete = delete.mark_stale(),
            ("md", 'O', _) => delete = delete.opaque(Opaque::new(token).ok()?),
            ("md", 'P', _) => delete = delete.proxy(Opaque::new(token).ok()?),
            ("md", 'L', _) => delete = delete.path(Opaque::new(token).ok()?),
            ("md", 'T', _) => delete = delete.exptime(number(token)?),
            ("ma", 'c', b"") => arith = arith.cas(),
            ("ma", 'k', b"") => arith = arith.key(),
            ("ma", 'q', b"") => arith = arith.quiet(),
            ("ma", 't', b"") => arith = arith.ttl(),
            ("ma", 'v', b"") => arith = arith.value(),
            ("ma", 'C', _) => arith = arith.if_cas(number(token)?),
            ("ma", 'D', _) => arith = arith.delta(number(token)?),
            ("ma", 'E', _) => arith = arith.new_cas(number(token)?),
            ("ma", 'J', _) => arith = arith.initial(number(token)?),
            ("ma", 'M', b"I") => arith = arith.mode(ArithMode::Incr),
            ("ma", 'M', b"D") => arith = arith.mode(ArithMode::Decr),
            ("ma", 'N', _) => arith = arith.vivify(number(token)?),
            ("ma", 'O', _) => arith = arith.opaque(Opaque::new(token).ok()?),
            ("ma", 'P', _) => arith = arith.proxy(Opaque::new(token).ok()?),
            ("ma", 'L', _) => arith = arith.path(Opaque::new(token).ok()?),
            ("ma", 'T', _) => arith = arith.exptime(number(token)?),
            _ => return None,
        }
    }
    Some(with(&match verb {
        "mg" => get.request(),
        "ms" => set.request(),
        "md" => delete.request(),
        "ma" => arith.request(),
        _ => debug.request(),
    }))
}

fn set_mode(token: &[u8]) -> Option<SetMode> {
    Some(match token {
        b"S" => SetMode::Set,
        b"E" => SetMode::Add,
        b"R" => SetMode::Replace,
        b"A" => SetMode::Append,
        b"P" => SetMode::Prepend,
        _ => return None,
    })
}

/// A number in the one form that our side writes.
fn number<N: std::str::FromStr + ToString>(token: &[u8]) -> Option<N> {
    let text = std::str::from_utf8(token).ok()?;
    text.parse().ok().filter(|number: &N| number.to_string() == text)
}

/// A twin of the crate's decoder that takes the canonical form only.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let trimmed = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let mut bits = Vec::new();
    for character in trimmed {
        let value = ALPHABET.iter().position(|known| known == character)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    let whole = bits.len() / 8 * 8;
    let canonical = text.len().is_multiple_of(4) && bits[whole..].iter().all(|bit| *bit == 0);
    canonical.then(|| {
        bits[..whole].chunks(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | *bit as u8)).collect()
    })
}
