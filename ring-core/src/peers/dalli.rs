//! Dalli, Ruby on Rails' client: a SHA-1 ring searched downwards.
//!
//! - A server is named `host:port`, the port always there, an IPv6 address without its brackets; a Unix socket is its
//!   path. Its points are the first four bytes, big-endian, of the SHA-1 of `name:0`, `name:1` ….
//! - Weights are whole numbers; a server of weight zero, or too light for a point, gets no key. A single server has every
//!   key, whatever its weight.
//! - The key's CRC-32 belongs to the last point at or *below* it. Two servers on one point: the last of the list has it.
//! - When a server is dead, the CRC-32 of the number of the try and the key is taken instead: `0key`, `1key` …, 20 tries
//!   in all. Servers repeat, and a chain need not reach all of them. Option `failover=false`: only the first try.
//! - Option `namespace` is hashed, with a colon behind it; an empty one is a namespace, too. Option `namespace_separator`
//!   puts another character there, one that is neither a letter nor a digit (newer versions; read, not run).
//! - Of a key of more than 250 *characters*, namespace included, only the first are sent and hashed, then `:md5:` and the
//!   MD5 of the whole in hexadecimal digits: 212 characters, 213 with a namespace. Option `digest_class`: `md5`, `sha1` or
//!   `sha256`, Ruby's `Digest::MD5` and so on. Longer digests leave less of the key, and it says `:md5:` all the same.
//!
//! The rule about equal points rests on Ruby's sort being stable, as it is with glibc.
//!
//! Source: Dalli 3.0.6 `lib/dalli/ring.rb` and `lib/dalli/key_manager.rb`.

use super::{Peer, hashed_namespace, ruby, switch};
use crate::{
    hash::{self, md5, sha1, sha256},
    key::{Form, KeyText},
    mechanism::{Continuum, Label, Search, Tie, View, ketama},
    order::Order,
    scheme::{Extra, Options, RingOptions, Scheme, Weights, fallback},
    text::{Concat, Decimal, Hex, Text},
};

/// Dalli.
pub const DALLI: Scheme<'static> = Scheme {
    name: "dalli",
    used_by: "Ruby's Dalli, the mem_cache_store of Rails",
    key: KeyText { form: Some(shortened::<Md5>), ..KeyText::WHOLE },
    hash: hash::CRC32,
    weights: Weights::Whole,
    mechanism: &RING,
    fallback: rehash,
    options: Options::Ring(RingOptions::new(160)),
    tries: TRIES,
    ..Scheme::BASE
};

const RING: Continuum<u32> = Continuum {
    label: Label::host_and_port,
    count: |scheme, live, member| match live.count() {
        1 => 1,
        servers => ketama::whole_share(scheme.options.ring().replicas, member.weight, live.total(), servers),
    },
    points: |_, _, label, count, sink| {
        for number in 0..count {
            sink(hash::SHA1_BIG_ENDIAN.of_text(&Concat([label, &":", &Decimal(number.into())])));
        }
    },
    search: Search::AtOrBelow,
    tie: Tie::Stay,
};

fn rehash(view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
    let Scheme { key: text, hash, .. } = view.scheme;
    fallback::chain(view, order, |number| hash.of_text(&Concat([&Decimal(number - 1), &text.of(key)])));
}

/// How often the peer looks for a living server.
const TRIES: u32 = 20;

/// Characters that a key may have.
const LONGEST: usize = 250;

/// Characters that a long key is cut to, digest included, where it has no namespace; one more where it has.
const TARGET: usize = 249;

/// What stands before the digest, whichever it is.
const MARK: &[u8] = b":md5:";

/// What stands between the namespace and the key.
const SEPARATOR: &str = ":";

/// A `digest_class`.
trait Digest {
    /// Hexadecimal digits that it has.
    const DIGITS: usize;

    /// Hands out the digest of `text` in hexadecimal digits.
    fn hex(text: &dyn Text, sink: &mut dyn FnMut(&[u8]));
}

struct Md5;
struct Sha1;
struct Sha256;

impl Digest for Md5 {
    const DIGITS: usize = 32;

    fn hex(text: &dyn Text, sink: &mut dyn FnMut(&[u8])) {
        Hex(md5::digest_text(text).map(u32::to_le_bytes).as_flattened()).feed(sink);
    }
}

impl Digest for Sha1 {
    const DIGITS: usize = 40;

    fn hex(text: &dyn Text, sink: &mut dyn FnMut(&[u8])) {
        Hex(&sha1::whole_digest_text(text)).feed(sink);
    }
}

impl Digest for Sha256 {
    const DIGITS: usize = 64;

    fn hex(text: &dyn Text, sink: &mut dyn FnMut(&[u8])) {
        Hex(&sha256::digest_text(text)).feed(sink);
    }
}

fn shortened<D: Digest>(rule: &KeyText<'_>, key: &[u8], sink: &mut dyn FnMut(&[u8])) {
    let kept = TARGET - MARK.len() - D::DIGITS;
    let separator = match rule.extra {
        Extra::Separator(separator) => separator,
        _ => SEPARATOR,
    };
    let (pieces, kept) = match rule.hash_prefix {
        true => ([rule.prefix, separator.as_bytes(), key], kept + 1),
        false => ([b"", b"", key], kept),
    };
    let [prefix, between, key] = &pieces;
    let whole = Concat([prefix, between, key]);
    // Whatever is short in bytes is short in characters.
    if whole.len() <= LONGEST || pieces.iter().map(|piece| ruby::count(piece)).sum::<usize>() <= LONGEST {
        return whole.feed(sink);
    }
    let mut left = kept;
    for piece in pieces {
        let piece = ruby::first(piece, left);
        left = left.saturating_sub(ruby::count(piece));
        sink(piece);
    }
    sink(MARK);
    D::hex(&whole, sink);
}

pub(super) const PEERS: &[Peer] = &[Peer {
    scheme: DALLI,
    options: &["namespace", "namespace_separator", "digest_class", "failover"],
    set: |scheme, name, value| match name {
        "failover" => Ok(Scheme { tries: if switch(value)? { TRIES } else { 1 }, ..scheme }),
        "namespace_separator" => {
            let key = KeyText { extra: Extra::Separator(separator(value)?), ..scheme.key };
            Ok(Scheme { key, ..scheme })
        }
        "digest_class" => {
            let form: Form = match value {
                "md5" => shortened::<Md5>,
                "sha1" => shortened::<Sha1>,
                "sha256" => shortened::<Sha256>,
                _ => return Err("md5, sha1 or sha256"),
            };
            Ok(Scheme { key: KeyText { form: Some(form), ..scheme.key }, ..scheme })
        }
        _ => Ok(hashed_namespace(scheme, value)),
    },
}];

fn separator(value: &str) -> Result<&str, &'static str> {
    let mut characters = value.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) if !character.is_ascii_alphanumeric() => Ok(value),
        _ => Err("one character that is neither a letter nor a digit"),
    }
}

#[cfg(test)]
mod tests {
    use std::{format, string::String, vec::Vec};

    use super::*;
    use crate::{Placement, Server, ServerIndex, storage::Fixed};

    fn text(scheme: Scheme<'_>, key: &str) -> String {
        let mut text = Vec::new();
        scheme.key.of(key.as_bytes()).feed(&mut |piece| text.extend_from_slice(piece));
        String::from_utf8(text).unwrap()
    }

    fn shortened_to(kept: &str, whole: &str) -> String {
        let digest = md5::number(md5::digest(whole.as_bytes()));
        format!("{kept}:md5:{digest:032x}")
    }

    #[test]
    fn a_key_of_more_than_250_characters_is_cut() {
        let (short, long) = ("ö".repeat(250), "ö".repeat(251));
        assert_eq!(text(DALLI, &short), short);
        assert_eq!(text(DALLI, &long), shortened_to(&"ö".repeat(212), &long));
    }

    #[test]
    fn a_namespace_counts_and_may_be_cut_itself() {
        let scheme = |namespace| DALLI.with_option("namespace", namespace).unwrap();
        assert_eq!(text(scheme("app"), "key"), "app:key");
        assert_eq!(text(scheme(""), "key"), ":key");
        let key = "x".repeat(247);
        assert_eq!(text(scheme("ab"), &key), format!("ab:{key}"));
        assert_eq!(
            text(scheme("abc"), &key),
            shortened_to(&format!("abc:{}", "x".repeat(209)), &format!("abc:{key}"))
        );
        let long = "n".repeat(240);
        assert_eq!(
            text(scheme(&long), "0123456789"),
            shortened_to(&"n".repeat(213), &format!("{long}:0123456789"))
        );
    }

    #[test]
    fn a_longer_digest_leaves_less_of_the_key_and_is_called_md5_too() {
        let long = "ö".repeat(251);
        for (class, kept, digits, end) in [
            ("md5", 212, 32, "f9da1fcc2ea8a9136689ff852cdb89e8"),
            ("sha1", 204, 40, "696a467134bfa1abb555a164ad393000ae5059c3"),
            ("sha256", 180, 64, "0bc43c657897db54d958075cf7770407054cc9e3413aa8c159b879ec2345e402"),
        ] {
            let scheme = DALLI.with_option("digest_class", class).unwrap();
            assert_eq!(text(scheme, &long), format!("{}:md5:{end}", "ö".repeat(kept)));
            assert_eq!((end.len(), kept + 5 + digits), (digits, 249));
            let spaced = scheme.with_option("namespace", "n").unwrap();
            assert_eq!(text(spaced, &long).chars().count(), 250, "{class}");
        }
    }

    #[test]
    fn a_separator_is_one_sign() {
        let separated = |value| DALLI.with_option("namespace_separator", value);
        for (value, expected) in [(":", "app:key"), ("/", "app/key"), ("|", "app|key"), ("é", "appékey")] {
            assert_eq!(
                text(separated(value).unwrap().with_option("namespace", "app").unwrap(), "key"),
                expected
            );
            assert_eq!(text(separated(value).unwrap(), "key"), "key");
        }
        for bad in ["", "::", "a", "7", "Z"] {
            assert!(separated(bad).is_err(), "{bad}");
        }
        let apart = separated("/").unwrap();
        assert!(!apart.hashes_as(&DALLI) && apart.hashes_as(&separated("/").unwrap()));
    }

    #[test]
    fn keys_of_two_namespaces_are_told_apart() {
        let schemes = ["", "a", "b"].map(|namespace| DALLI.with_option("namespace", namespace).unwrap());
        for (place, scheme) in schemes.iter().enumerate() {
            assert!(!scheme.hashes_as(&DALLI) && !DALLI.hashes_as(scheme));
            for (other_place, other) in schemes.iter().enumerate() {
                assert_eq!(scheme.hashes_as(other), place == other_place);
            }
        }
    }

    #[test]
    fn names_are_host_and_port_without_brackets() {
        let name = |name| Label::host_and_port(name).bytes().map(char::from).collect::<String>();
        assert_eq!(name("a:11311"), "a:11311");
        assert_eq!(name("a"), "a:11211");
        assert_eq!(name("[2001:db8::3]:11311"), "2001:db8::3:11311");
        assert_eq!(name("[2001:db8::3]"), "2001:db8::3:11211");
        assert_eq!(name("/run/a.sock"), "/run/a.sock");
        assert_eq!(name(""), ":11211");
    }

    #[test]
    fn a_single_server_needs_no_weight_and_two_need_some() {
        let none = Server::new("a:1").weighing(0);
        assert_eq!(DALLI.choose(&[none], b"tokyo"), Ok(ServerIndex::new(0)));
        assert!(DALLI.choose(&[none, none], b"tokyo").is_err());
        assert_eq!(DALLI.choose(&[none, Server::new("b:1")], b"tokyo"), Ok(ServerIndex::new(1)));
    }

    #[test]
    fn without_failover_there_is_one_try() {
        let servers = ["a:1", "b:1", "c:1"].map(Server::new);
        let scheme = DALLI.with_option("failover", "false").unwrap();
        let mut out = [ServerIndex::default(); 3];
        for (scheme, tried) in [(DALLI, 3), (scheme, 1)] {
            let placement = Placement::build(scheme, servers, Fixed::<480>::new()).unwrap();
            assert_eq!(placement.order(b"tokyo", &mut out).len(), tried);
        }
    }

    #[test]
    fn three_servers_have_480_points() {
        let servers = ["10.0.1.1", "10.0.1.2", "10.0.1.3"].map(Server::new);
        assert_eq!(DALLI.needs(&servers).unwrap().entries, 480);
    }
}
