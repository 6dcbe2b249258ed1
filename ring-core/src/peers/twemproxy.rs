//! twemproxy (nutcracker), the proxy: the pool's `distribution`.
//!
//! | scheme | distribution |
//! |---|---|
//! | [`KETAMA`] | `ketama`: MD5 points by weight, as libmemcached's `KETAMA_WEIGHTED` |
//! | [`MODULA`] | `modula`: as many slots as the weights add up to |
//!
//! `random` places nothing.
//!
//! - twemproxy *sorts* the servers of a pool by name, shorter names first and names of one length by bytes: `s9` comes
//!   before `s10`. The order in the file means nothing, also to [`MODULA`]. Of two servers on one point, the first in
//!   that order has it. Indexes remain those of the list given here.
//! - Weights are whole numbers above zero.
//! - The key hash is fnv1a_64 unless the pool says otherwise, though points are MD5. An empty key has the hash 0.
//!
//! | option | means |
//! |---|---|
//! | `hash` | the pool's `hash`. `crc32` keeps 15 bits, `crc32a` all 32; `crc16` is a number of 32 bits |
//! | `hash_tag` | two characters: of a key that has the first and, later, the second, only the bytes between are hashed, if there are any. Both may be the same. |
//! | `name-rule` | `verbatim` for servers with a name of their own in the pool (`10.0.1.1:11211:1 alpha`), whatever it looks like; `host, :port unless 11211`, the default, for those without, which twemproxy then names so; a socket is `/path:` with a final colon, and an IPv6 address has no brackets, for it could not be dialled with them |
//! | `auto_eject_hosts` | dead servers are taken out and the rest is placed anew; without it there is no fallback |
//! | `server-order`, `points-hash` | checked |
//!
//! Source: twemproxy 0.5.0 `nc_server.c`, `nc_ketama.c`, `nc_modula.c`, `nc_conf.c`.

use core::cmp::Ordering;

use super::{Peer, informs, switch};
use crate::{
    hash::{self, names},
    key::KeyText,
    mechanism::{Continuum, Label, Slots, ketama},
    scheme::{Extra, Scheme, Weights, fallback},
};

/// The distribution `ketama`.
pub const KETAMA: Scheme<'static> = Scheme {
    name: "twemproxy-ketama",
    used_by: "twemproxy (nutcracker) with distribution: ketama, its default",
    key: KeyText { shortest: 1, ..KeyText::WHOLE },
    hash: hash::FNV1A_64,
    weights: Weights::Positive,
    roster: Some(UNNAMED.roster),
    mechanism: UNNAMED.ring,
    ..Scheme::BASE
};

/// The distribution `modula`.
pub const MODULA: Scheme<'static> = Scheme {
    name: "twemproxy-modula",
    used_by: "twemproxy (nutcracker) with distribution: modula",
    mechanism: &Slots::BY_HASH,
    ..KETAMA
};

/// How the servers of a pool are called.
struct Naming {
    /// Their order.
    roster: fn(&str, &str) -> Ordering,
    /// A ring of their names.
    ring: &'static Continuum<u32>,
}

/// Servers without a name of their own.
const UNNAMED: Naming = Naming {
    roster: |left, right| by_length_then_bytes(&address(left), &address(right)),
    ring: &const { ketama::ring(address) },
};

/// Servers with a name of their own.
const NAMED: Naming = Naming {
    roster: |left, right| by_length_then_bytes(&Label::verbatim(left), &Label::verbatim(right)),
    ring: &const { ketama::ring(Label::verbatim) },
};

/// What twemproxy calls a server that has no name.
fn address(name: &str) -> Label<'_> {
    if name.starts_with('/') {
        return Label { tail: ":", ..Label::verbatim(name) };
    }
    Label::without_default_port_and_brackets(name)
}

fn by_length_then_bytes(left: &Label<'_>, right: &Label<'_>) -> Ordering {
    bytes(left).count().cmp(&bytes(right).count()).then_with(|| bytes(left).cmp(bytes(right)))
}

fn bytes<'n>(label: &Label<'n>) -> impl Iterator<Item = u8> + use<'n> {
    label.name.bytes().chain(label.tail.bytes())
}

/// The part of the key between the two bytes of the tag, or the key.
fn tagged(rule: &KeyText<'_>, key: &[u8], sink: &mut dyn FnMut(&[u8])) {
    let Extra::Tag(tag) = rule.extra else { return sink(key) };
    sink(between(tag, key).filter(|part| !part.is_empty()).unwrap_or(key));
}

/// What stands between the first opening byte and the first closing byte after it.
pub(super) fn between([open, close]: [u8; 2], key: &[u8]) -> Option<&[u8]> {
    let (_, from) = key.split_at_checked(key.iter().position(|&byte| byte == open)?)?;
    let (_, behind) = from.split_first()?;
    behind.get(..behind.iter().position(|&byte| byte == close)?)
}

pub(super) const PEERS: &[Peer] = &[
    Peer {
        scheme: KETAMA,
        options: &["hash", "hash_tag", "name-rule", "auto_eject_hosts", "server-order", "points-hash"],
        set: |scheme, name, value| match name {
            "name-rule" => Ok(Scheme { mechanism: naming(value)?.ring, ..set(scheme, name, value)? }),
            "points-hash" => informs(scheme, value, "md5"),
            _ => set(scheme, name, value),
        },
    },
    Peer {
        scheme: MODULA,
        options: &["hash", "hash_tag", "name-rule", "auto_eject_hosts", "server-order"],
        set,
    },
];

fn set<'a>(scheme: Scheme<'a>, name: &str, value: &'a str) -> Result<Scheme<'a>, &'static str> {
    Ok(match name {
        "hash" => {
            let hash = names::TWEMPROXY.hash(value).ok_or("a hash of twemproxy: fnv1a_64, md5, crc32a …")?;
            Scheme { hash, ..scheme }
        }
        "hash_tag" => {
            let tag = value.as_bytes().try_into().map_err(|_| "two characters of ASCII")?;
            Scheme { key: KeyText { extra: Extra::Tag(tag), form: Some(tagged), ..scheme.key }, ..scheme }
        }
        "name-rule" => Scheme { roster: Some(naming(value)?.roster), ..scheme },
        "auto_eject_hosts" if switch(value)? => Scheme { fallback: fallback::rebuild, ..scheme },
        "auto_eject_hosts" => Scheme { fallback: fallback::none, ..scheme },
        _ => informs(scheme, value, "sorted by name: length first, then bytes")?,
    })
}

fn naming(rule: &str) -> Result<Naming, &'static str> {
    match rule {
        "verbatim" => Ok(NAMED),
        "host, :port unless 11211" => Ok(UNNAMED),
        _ => Err("verbatim or `host, :port unless 11211`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Server;

    #[test]
    fn only_the_first_pair_around_something_is_a_tag() {
        for (tag, key, expected) in [
            (b"{}", "a{b}c", Some("b")),
            (b"{}", "a{b}{c}", Some("b")),
            (b"{}", "}a{b}", Some("b")),
            (b"{}", "{{a}}", Some("{a")),
            (b"{}", "a{}{b}", Some("")),
            (b"{}", "a{b", None),
            (b"{}", "}{", None),
            (b"{}", "", None),
            (b"$$", "$a$b$", Some("a")),
            (b"$$", "$$a$", Some("")),
            (b"$$", "a$", None),
        ] {
            assert_eq!(between(*tag, key.as_bytes()), expected.map(str::as_bytes), "{key}");
            let scheme = KETAMA.with_option("hash_tag", str::from_utf8(tag).unwrap()).unwrap();
            let hashed = expected.filter(|part| !part.is_empty()).unwrap_or(key);
            assert_eq!(scheme.hash_key(key.as_bytes()), KETAMA.hash_key(hashed.as_bytes()), "{key}");
        }
    }

    #[test]
    fn shorter_names_come_first() {
        let mut names = ["s10", "s9", "b", "/a.sock", "aa:11211", "a:11212", "ab:11211"];
        names.sort_by(|left, right| (UNNAMED.roster)(left, right));
        assert_eq!(names, ["b", "aa:11211", "ab:11211", "s9", "s10", "a:11212", "/a.sock"]);
        names.sort_by(|left, right| (NAMED.roster)(left, right));
        assert_eq!(names, ["b", "s9", "s10", "/a.sock", "a:11212", "aa:11211", "ab:11211"]);
        // Only the colon makes the socket the longer name.
        assert_eq!((UNNAMED.roster)("/a", "s10"), Ordering::Less);
        assert_eq!((UNNAMED.roster)("/a", "s9"), Ordering::Greater);
    }

    #[test]
    fn the_servers_may_be_listed_in_any_order() {
        let names = ["cache-10", "cache-9", "alpha", "b:11211"];
        let list = names.map(Server::new);
        let turned = [2, 0, 3, 1].map(|place: usize| list[place].weighing(1 + place as u32));
        let list = [0, 1, 2, 3].map(|place: usize| list[place].weighing(1 + place as u32));
        for scheme in [KETAMA, MODULA] {
            for number in 0..100_u8 {
                let one = scheme.choose(&list, &[number]).unwrap();
                let other = scheme.choose(&turned, &[number]).unwrap();
                assert_eq!(list[one.get()].name, turned[other.get()].name);
            }
        }
    }

    #[test]
    fn an_empty_key_has_the_hash_zero() {
        assert_eq!(KETAMA.hash_key(b""), 0);
        let tagged = KETAMA.with_option("hash_tag", "{}").unwrap();
        assert_eq!(tagged.hash_key(b""), 0);
        assert_eq!(tagged.hash_key(b"{}"), KETAMA.hash_key(b"{}"));
        assert_eq!(tagged.hash_key(b"a{b}"), KETAMA.hash_key(b"b"));
        assert!(KETAMA.with_option("hash_tag", "{").is_err());
    }
}
