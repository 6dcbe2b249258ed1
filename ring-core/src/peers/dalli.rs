//! Dalli, Ruby on Rails' client: a SHA-1 ring searched downwards.
//!
//! - A server is named `host:port`, the port always there, an IPv6 address without its brackets; a Unix socket is its
//!   path. Its points are the first four bytes, big-endian, of the SHA-1 of `name:0`, `name:1` ….
//! - Weights are whole numbers; a server of weight zero, or too light for a point, gets no key. A single server has every
//!   key, whatever its weight.
//! - The key's CRC-32 belongs to the last point at or *below* it. Two servers on one point: the last of the list has it.
//! - When a server is dead, the CRC-32 of the number of the try and the key is taken instead: `0key`, `1key` …, 20 tries
//!   in all. Servers repeat, and a chain need not reach all of them. Option `failover=false`: only the first try.
//! - Option `namespace` is hashed, with a colon behind it; an empty one is a namespace, too.
//! - Of a key of more than 250 *characters*, namespace included, only the first are sent and hashed, then `:md5:` and the
//!   MD5 of the whole in hexadecimal digits: 212 characters, 213 with a namespace.
//!
//! The rule about equal points rests on Ruby's sort being stable, as it is with glibc.
//!
//! Source: Dalli 3.0.6 `lib/dalli/ring.rb` and `lib/dalli/key_manager.rb`.

use super::{Peer, hashed_namespace, ruby, switch};
use crate::{
    fallback,
    hash::{self, md5},
    ketama,
    key::KeyText,
    mechanism::{Continuum, Label, Search, Tie, View},
    order::Order,
    scheme::{Scheme, Weights},
    text::{Concat, Decimal, Hex, Text},
};

/// Dalli.
pub const DALLI: Scheme<'static> = Scheme {
    name: "dalli",
    used_by: "Ruby's Dalli, the mem_cache_store of Rails",
    key: KeyText { form: Some(shortened), ..KeyText::WHOLE },
    hash: hash::CRC32,
    weights: Weights::Whole,
    mechanism: &RING,
    fallback: rehash,
    replicas: 160,
    tries: TRIES,
    ..Scheme::BASE
};

const RING: Continuum<u32> = Continuum {
    label: Label::host_and_port,
    count: |scheme, live, member| match live.count() {
        1 => 1,
        servers => ketama::whole_share(scheme.replicas, member.weight, live.total(), servers),
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

/// Characters that a long key keeps: what 249 leave of `:md5:` and 32 digits.
const KEPT: usize = 212;

fn shortened(rule: &KeyText<'_>, key: &[u8], sink: &mut dyn FnMut(&[u8])) {
    let (pieces, kept) = match rule.hash_prefix {
        true => ([rule.prefix, b":", key], KEPT + 1),
        false => ([b"", b"", key], KEPT),
    };
    let [prefix, colon, key] = &pieces;
    let whole = Concat([prefix, colon, key]);
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
    sink(b":md5:");
    Hex(md5::digest_text(&whole).map(u32::to_le_bytes).as_flattened()).feed(sink);
}

pub(super) const PEERS: &[Peer] = &[Peer {
    scheme: DALLI,
    options: &["namespace", "failover"],
    set: |scheme, name, value| match name {
        "failover" => Ok(Scheme { tries: if switch(value)? { TRIES } else { 1 }, ..scheme }),
        _ => Ok(hashed_namespace(scheme, value)),
    },
}];

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
        let mut room = [ServerIndex::default(); 3];
        for (scheme, tried) in [(DALLI, 3), (scheme, 1)] {
            let placement = Placement::build(scheme, servers, Fixed::<480>::new()).unwrap();
            assert_eq!(placement.order(b"tokyo", &mut room).len(), tried);
        }
    }

    #[test]
    fn three_servers_have_480_points() {
        let servers = ["10.0.1.1", "10.0.1.2", "10.0.1.3"].map(Server::new);
        assert_eq!(DALLI.needs(&servers).unwrap().entries, 480);
    }
}
