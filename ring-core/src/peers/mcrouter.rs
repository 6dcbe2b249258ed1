//! mcrouter: the `hash_func` of a route.
//!
//! | scheme | `hash_func` |
//! |---|---|
//! | [`CH3`] | `Ch3`, the default |
//! | [`WEIGHTED_CH3`] | `WeightedCh3` |
//! | [`CRC32`] | `Crc32` |
//!
//! - Only the positions of the servers in the pool count, not their names.
//! - Of a key, a route in front (`/region/cluster/`) and everything from `|#|` on are not hashed.
//! - Option `salt` is hashed behind the key. `hash_func` is checked.
//! - Option `weights` of [`WEIGHTED_CH3`]: a number from 0 to 1 for each server, `1.0,0.5`; servers without one have 0.5.
//!   They are shares of what the server would have under [`CH3`], not weights beside each other, and not the weights of
//!   the list of servers. When all are 0, every key still has a server.
//! - No fallback here: mcrouter's failover is a matter of its routes.
//!
//! Source: mcrouter at 9d7f4342, `lib/fbi/hash.c`, `lib/WeightedCh3HashFunc.cpp`, `lib/HashSelector.h`,
//! `lib/carbon/Keys.cpp`.

use super::{Peer, informs};
use crate::{
    hash::{self, Hasher, Murmur64a},
    key::KeyText,
    list::List,
    live::Live,
    mechanism::{Slots, View, Way},
    scheme::{BuildError, Extra, Options, Scheme},
    server::ServerIndex,
    storage::{EntriesMut, Needs},
    text::{Concat, Text},
};

/// Consistent hashing by the bits of murmur hashes ("furc hash").
pub const CH3: Scheme<'static> = Scheme {
    name: "mcrouter-ch3",
    used_by: "mcrouter by default, hash_func Ch3",
    key: KeyText { form: Some(routing_key), ..KeyText::WHOLE },
    mechanism: &Slots { slot: Some(|scheme, key, total| ch3(&scheme.key.of(key), total)) },
    ..Scheme::BASE
};

/// [`CH3`], where a server passes some of its keys on.
pub const WEIGHTED_CH3: Scheme<'static> = Scheme {
    name: "mcrouter-weighted-ch3",
    used_by: "mcrouter with hash_func WeightedCh3",
    hash: hash::SPOOKY32,
    mechanism: &WeightedCh3,
    ..CH3
};

/// CRC-32 modulo the number of servers.
pub const CRC32: Scheme<'static> = Scheme {
    name: "mcrouter-crc32",
    used_by: "mcrouter with hash_func Crc32",
    hash: hash::CRC31,
    mechanism: &Slots::BY_HASH,
    ..CH3
};

/// The key without its route and without what follows `|#|`, and the salt.
fn routing_key(rule: &KeyText<'_>, key: &[u8], sink: &mut dyn FnMut(&[u8])) {
    let key = behind_route(key).unwrap_or(key);
    let end = key.windows(3).position(|part| part == b"|#|");
    sink(end.and_then(|end| key.get(..end)).unwrap_or(key));
    if let Extra::Salt(salt) = rule.extra {
        sink(salt);
    }
}

/// What follows the third slash of a key that begins with one.
fn behind_route(key: &[u8]) -> Option<&[u8]> {
    let mut parts = key.splitn(4, |&byte| byte == b'/');
    parts.next().filter(|before| before.is_empty())?;
    parts.nth(2)
}

/// How often [`ch3`] looks for a number that is small enough.
const CH3_TRIES: u32 = 32;

/// How far apart the bits of one number are.
const CH3_STEP: u32 = 23;

/// Which of `count` servers a text has.
///
/// Reads numbers of as many bits as `count` needs, or fewer with falling chance, until one is below `count`.
fn ch3(text: &dyn Text, count: u32) -> u32 {
    let mut bits = Bits::of(text);
    let mut len = u32::BITS - count.saturating_sub(1).leading_zeros();
    let mut at = len;
    for _ in 0..CH3_TRIES {
        while !bits.bit(at) {
            len = len.saturating_sub(1);
            if len == 0 {
                return 0;
            }
            at = len;
        }
        at += CH3_STEP;
        let mut number = 1;
        for _ in 1..len {
            number = number << 1 | u32::from(bits.bit(at));
            at += CH3_STEP;
        }
        if number < count {
            return number;
        }
    }
    0
}

/// The bits of a text's hash, of the hash of that hash, and so on: as many as one asks for.
struct Bits {
    first: u64,
    word: u64,
    ordinal: u32,
}

impl Bits {
    fn of(text: &dyn Text) -> Self {
        let first = Murmur64a::of_text(text);
        Self { first, word: first, ordinal: 0 }
    }

    fn bit(&mut self, index: u32) -> bool {
        let ordinal = index / u64::BITS;
        if ordinal < self.ordinal {
            (self.word, self.ordinal) = (self.first, 0);
        }
        while self.ordinal < ordinal {
            self.word = Murmur64a::of_word(self.word);
            self.ordinal += 1;
        }
        self.word >> (index % u64::BITS) & 1 == 1
    }
}

/// How often the weighted function asks [`ch3`].
const WEIGHTED_TRIES: u32 = 32;

/// The share of a server that has none in the configuration.
const SHARE: f64 = 0.5;

/// [`ch3`] until the server found keeps the key: when the scheme's hash is below its share of all hashes.
struct WeightedCh3;

impl WeightedCh3 {
    /// The server, by number, of `key` among `count`, each of which keeps what hashes below its `limit`.
    fn pick(scheme: &Scheme<'_>, key: &[u8], count: u32, limit: impl Fn(u32) -> u32) -> u32 {
        let text = scheme.key.of(key);
        let mut found = 0;
        for number in 0..WEIGHTED_TRIES {
            let retry = Retry(number);
            let text = Concat([&text, &retry]);
            found = ch3(&text, count);
            if scheme.hash.of_text(&text) < limit(found) {
                break;
            }
        }
        found
    }

    /// Hashes below this are kept by a server of this share; all but the last for a share of 1.
    const fn limit(share: f64) -> u32 {
        (share * u32::MAX as f64) as u32
    }

    fn shares(scheme: &Scheme<'_>) -> impl Iterator<Item = f64> {
        let shares = match scheme.options {
            Options::Shares(shares) => shares,
            _ => List::Items(&[]),
        };
        shares.iter().chain(core::iter::repeat(SHARE))
    }
}

impl Way for WeightedCh3 {
    fn needs(&self, _scheme: &Scheme<'_>, live: &Live<'_>) -> Result<Needs, BuildError> {
        Ok(Needs { entries: live.count(), wide: false })
    }

    fn build(&self, scheme: &Scheme<'_>, live: &Live<'_>, entries: EntriesMut<'_>) -> usize {
        let limits = entries.points.iter_mut().zip(entries.owners);
        for ((member, share), (limit, owner)) in live.members().zip(Self::shares(scheme)).zip(limits) {
            (*limit, *owner) = (Self::limit(share), member.index.raw());
        }
        live.count()
    }

    fn primary(&self, view: &View<'_>, key: &[u8]) -> ServerIndex {
        let limits = view.entries.points;
        let limit = |number| limits.get(number as usize).copied().unwrap_or(0);
        view.entries.owner(Self::pick(view.scheme, key, limits.len() as u32, limit) as usize)
    }

    fn at(&self, view: &View<'_>, hash: u32) -> ServerIndex {
        view.entries.owner((hash as usize).checked_rem(view.entries.owners.len()).unwrap_or(0))
    }

    fn choose(&self, scheme: &Scheme<'_>, live: &Live<'_>, key: &[u8]) -> Option<ServerIndex> {
        let limit = |number| Self::shares(scheme).nth(number as usize).map_or(0, Self::limit);
        live.ranked(Self::pick(scheme, key, live.count() as u32, limit) as usize)
    }
}

/// What is put behind the key at a try: nothing at the first, then `0`, `1`, … with the last digit in front.
struct Retry(u32);

impl Text for Retry {
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        let Some(mut rest) = self.0.checked_sub(1) else { return };
        loop {
            sink(&[b'0' + (rest % 10) as u8]);
            rest /= 10;
            if rest == 0 {
                return;
            }
        }
    }
}

pub(super) const PEERS: &[Peer] = &[
    Peer {
        scheme: CH3,
        options: &["hash_func", "salt"],
        set: |scheme, name, value| match name {
            "salt" => salt(scheme, value),
            _ => informs(scheme, value, "Ch3"),
        },
    },
    Peer {
        scheme: WEIGHTED_CH3,
        options: &["hash_func", "salt", "weights"],
        set: |scheme, name, value| match name {
            "salt" => salt(scheme, value),
            "weights" => Ok(Scheme { options: Options::Shares(shares(value)?), ..scheme }),
            _ => informs(scheme, value, "WeightedCh3"),
        },
    },
    Peer {
        scheme: CRC32,
        options: &["hash_func", "salt"],
        set: |scheme, name, value| match name {
            "salt" => salt(scheme, value),
            _ => informs(scheme, value, "Crc32"),
        },
    },
];

fn salt<'a>(scheme: Scheme<'a>, value: &'a str) -> Result<Scheme<'a>, &'static str> {
    Ok(Scheme { key: KeyText { extra: Extra::Salt(value.as_bytes()), ..scheme.key }, ..scheme })
}

fn shares(value: &str) -> Result<List<'_, f64>, &'static str> {
    List::parse(value)
        .filter(|shares| shares.iter().all(|share| (0.0..=1.0).contains(&share)))
        .ok_or("a number from 0 to 1 for each server: 1.0,0.5 …")
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::server::Server;

    fn bytes(text: &dyn Text) -> Vec<u8> {
        let mut bytes = Vec::new();
        text.feed(&mut |piece| bytes.extend_from_slice(piece));
        bytes
    }

    #[test]
    fn worked_examples() {
        for (key, of_three, of_ten, weighted) in [("tokyo", 2, 7, 2), ("foo", 1, 1, 0), ("test", 0, 0, 0)] {
            assert_eq!(ch3(&key, 3), of_three, "{key}");
            assert_eq!(ch3(&key, 10), of_ten, "{key}");
            let servers = ["a", "b", "c"].map(Server::new);
            let scheme = Scheme { options: Options::Shares(List::Items(&[1.0, 0.5, 0.25])), ..WEIGHTED_CH3 };
            assert_eq!(scheme.choose(&servers, key.as_bytes()), Ok(ServerIndex::new(weighted)), "{key}");
        }
    }

    #[test]
    fn any_count_has_an_answer() {
        for count in [0, 1] {
            assert_eq!(ch3(&"tokyo", count), 0);
        }
        for count in (2..100).chain([127, 128, 129, 65534, 65535]) {
            for key in ["", "tokyo", "foo"] {
                assert!(ch3(&key, count) < count);
            }
        }
    }

    #[test]
    fn routes_and_what_follows_the_mark_are_not_hashed() {
        let salted = CH3.with_option("salt", "S").unwrap();
        for (key, expected) in [
            ("key", "key"),
            ("/region/cluster/key", "key"),
            ("/region/cluster/a/b", "a/b"),
            ("/region/cluster/", ""),
            ("///key", "key"),
            ("/region/key", "/region/key"),
            ("/", "/"),
            ("", ""),
            ("key|#|rest", "key"),
            ("key|#", "key|#"),
            ("|#|", ""),
            ("a|#|b|#|c", "a"),
            ("a||#|b", "a|"),
            ("/r/c/a|#|/b", "a"),
            ("/r/c|#|a/b", "b"),
            ("a/b/c/d", "a/b/c/d"),
        ] {
            assert_eq!(bytes(&CH3.key.of(key.as_bytes())), expected.as_bytes(), "{key}");
            assert_eq!(bytes(&salted.key.of(key.as_bytes())), [expected.as_bytes(), b"S"].concat(), "{key}");
        }
    }

    #[test]
    fn retries_are_numbered_backwards() {
        let numbers: Vec<_> = [0, 1, 2, 10, 11, 12, 21, 22, 31].map(|number| bytes(&Retry(number))).into();
        assert_eq!(numbers, ["", "0", "1", "9", "01", "11", "02", "12", "03"].map(str::as_bytes));
    }

    #[test]
    fn a_share_of_one_keeps_all_hashes_but_the_last() {
        assert_eq!(WeightedCh3::limit(1.0), u32::MAX);
        assert_eq!(WeightedCh3::limit(0.5), 0x7fff_ffff);
        assert_eq!(WeightedCh3::limit(0.0), 0);
        assert_eq!(WeightedCh3::limit(f64::NAN), 0);
    }

    #[test]
    fn servers_without_a_share_have_half() {
        let servers = ["a", "b", "c"].map(Server::new);
        let with = |weights| WEIGHTED_CH3.with_option("weights", weights).unwrap();
        let (some, all) = (with("1,0.5"), with(" 1.0 ,.5,0.50,0.7"));
        for number in 0..200_u8 {
            assert_eq!(some.choose(&servers, &[number]), all.choose(&servers, &[number]));
            assert_eq!(
                WEIGHTED_CH3.choose(&servers, &[number]),
                with("0.5,0.5,0.5").choose(&servers, &[number])
            );
        }
        for bad in ["", "1,", "1.1", "-0.1", "NaN", "inf", "a"] {
            assert!(WEIGHTED_CH3.with_option("weights", bad).is_err(), "{bad}");
        }
    }
}
