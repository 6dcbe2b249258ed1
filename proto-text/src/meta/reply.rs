//! What a server answers to meta commands.

use core::fmt;

use super::{bit, key::ReturnedKey};
use crate::{
    line::behind_spaces,
    number::{parse_u64, split_u64},
};

/// The two letters that a meta reply begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetaCode {
    /// `HD`: done; or there is such an item, whose value was not asked for.
    Done,
    /// `VA`: a value follows.
    Value,
    /// `EN`: there is no such item.
    Miss,
    /// `NS`: not stored, because the mode's condition did not hold.
    NotStored,
    /// `EX`: the item has another cas unique.
    Exists,
    /// `NF`: there is no such item to change.
    NotFound,
    /// `MN`: the answer to `mn`.
    Noop,
}

impl MetaCode {
    /// Every code.
    pub const ALL: [Self; 7] =
        [Self::Done, Self::Value, Self::Miss, Self::NotStored, Self::Exists, Self::NotFound, Self::Noop];

    /// The letters on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "HD",
            Self::Value => "VA",
            Self::Miss => "EN",
            Self::NotStored => "NS",
            Self::Exists => "EX",
            Self::NotFound => "NF",
            Self::Noop => "MN",
        }
    }
}

/// A line of a meta reply: its code and flags. After [`MetaCode::Value`] the value follows.
///
/// Every flag has been looked at: its letter is known and its token a number where one belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MetaHead<'b> {
    /// What the line says.
    pub code: MetaCode,
    /// Length of the value in bytes; 0 when none follows.
    pub len: usize,
    pub(crate) flags: ReturnFlags<'b>,
}

impl<'b> MetaHead<'b> {
    /// The flags in the server's order.
    pub fn flags(&self) -> impl Iterator<Item = ReturnFlag<'b>> + use<'b> {
        self.flags.iter()
    }

    /// The opaque token.
    #[must_use]
    pub fn opaque(&self) -> Option<&'b [u8]> {
        self.flags().find_map(|flag| match flag {
            ReturnFlag::Opaque(token) => Some(token),
            _ => None,
        })
    }

    /// Whether this is a miss that tells nothing else, also not what was asked for. memcached 1.6.10 to 1.6.17 answers an
    /// `mg` so, whatever its flags.
    pub(crate) fn is_bare_miss(&self) -> bool {
        self.code == MetaCode::Miss && self.flags.is_empty()
    }

    /// Is the key among the flags, and is it this one? Compares what base64 stands for.
    #[must_use]
    pub fn has_key(&self, key: &[u8]) -> bool {
        self.key().is_some_and(|returned| returned.is(key))
    }

    pub(crate) fn key(&self) -> Option<ReturnedKey<'b>> {
        let token = self.flags().find_map(|flag| match flag {
            ReturnFlag::Key(token) => Some(token),
            _ => None,
        })?;
        let is_base64 = self.flags().any(|flag| flag == ReturnFlag::Base64);
        Some(ReturnedKey { token, is_base64 })
    }
}

impl fmt::Debug for MetaHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MetaHead({}", self.code.word())?;
        if self.code == MetaCode::Value {
            write!(f, " {} bytes", self.len)?;
        }
        self.flags().try_for_each(|flag| write!(f, " {flag:?}"))?;
        f.write_str(")")
    }
}

/// A flag of a reply.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReturnFlag<'b> {
    /// `b`: the key before it is base64.
    Base64,
    /// `c`: the cas unique; 0 where there is none to tell.
    Cas(u64),
    /// `f`: the client's flags.
    Flags(u32),
    /// `h`: whether the item was fetched before.
    Hit(bool),
    /// `k`: the key, in the form in which the item was stored.
    Key(&'b [u8]),
    /// `l`: seconds since the item was last used.
    LastAccess(u32),
    /// `O`: the opaque token.
    Opaque(&'b [u8]),
    /// `s`: the value's length.
    Size(u64),
    /// `t`: seconds that the item has left; -1 is for ever. Of an item that has just been expired memcached 1.6.18
    /// says nearly 2³².
    Ttl(i64),
    /// `W`: this reader has won and is to make the value anew.
    Win,
    /// `X`: the item is stale.
    Stale,
    /// `Z`: another reader has won already.
    WonByOther,
}

impl<'b> ReturnFlag<'b> {
    fn parse(flag: &'b [u8]) -> Option<Self> {
        let (letter, token) = flag.split_first()?;
        let small = || u32::try_from(parse_u64(token)?).ok();
        let alone = |flag| token.is_empty().then_some(flag);
        match letter {
            b'b' => alone(Self::Base64),
            b'c' => parse_u64(token).map(Self::Cas),
            b'f' => small().map(Self::Flags),
            b'h' => match token {
                b"0" => Some(Self::Hit(false)),
                b"1" => Some(Self::Hit(true)),
                _ => None,
            },
            b'k' if !token.is_empty() => Some(Self::Key(token)),
            b'l' => small().map(Self::LastAccess),
            b'O' => Some(Self::Opaque(token)),
            b's' => parse_u64(token).map(Self::Size),
            b't' => match token {
                b"-1" => Some(Self::Ttl(-1)),
                token => i64::try_from(parse_u64(token)?).ok().map(Self::Ttl),
            },
            b'W' => alone(Self::Win),
            b'X' => alone(Self::Stale),
            b'Z' => alone(Self::WonByOther),
            _ => None,
        }
    }

    /// The flag's letter.
    #[must_use]
    pub const fn letter(&self) -> u8 {
        match self {
            Self::Base64 => b'b',
            Self::Cas(_) => b'c',
            Self::Flags(_) => b'f',
            Self::Hit(_) => b'h',
            Self::Key(_) => b'k',
            Self::LastAccess(_) => b'l',
            Self::Opaque(_) => b'O',
            Self::Size(_) => b's',
            Self::Ttl(_) => b't',
            Self::Win => b'W',
            Self::Stale => b'X',
            Self::WonByOther => b'Z',
        }
    }
}

impl fmt::Debug for ReturnFlag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(token) => write!(f, "k({} bytes)", token.len()),
            Self::Opaque(token) => write!(f, "O{}", token.escape_ascii()),
            Self::Cas(number) | Self::Size(number) => write!(f, "{}{number}", char::from(self.letter())),
            Self::Flags(number) | Self::LastAccess(number) => {
                write!(f, "{}{number}", char::from(self.letter()))
            }
            Self::Ttl(number) => write!(f, "t{number}"),
            Self::Hit(hit) => write!(f, "h{}", u8::from(*hit)),
            _ => write!(f, "{}", char::from(self.letter())),
        }
    }
}

/// Flags as they stand on a line, spaces between them, each known to be right.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ReturnFlags<'b>(&'b [u8]);

impl<'b> ReturnFlags<'b> {
    /// Takes what follows the code, or the length, on a line: nothing, or a space and the flags. More spaces than one count
    /// as one, also at the end: memcached 1.6.10 to 1.6.17 answers `md` and `ma` with `HD  O5` and `NF `.
    ///
    /// A flag that comes twice is refused with those that are malformed, and so are `W` and `Z` together: nobody
    /// wins twice.
    pub(crate) fn parse(rest: &'b [u8]) -> Option<Self> {
        if rest.is_empty() {
            return Some(Self(rest));
        }
        let text = rest.strip_prefix(b" ")?;
        let mut seen = 0_u64;
        for flag in text.split(|byte| *byte == b' ').filter(|flag| !flag.is_empty()) {
            let bit = bit(ReturnFlag::parse(flag)?.letter());
            if seen & bit != 0 {
                return None;
            }
            seen |= bit;
        }
        let both = bit(b'W') | bit(b'Z');
        if seen & both == both { None } else { Some(Self(text)) }
    }

    /// Takes flags that our own server has composed.
    pub(crate) const fn composed(text: &'b [u8]) -> Self {
        Self(text)
    }

    pub(crate) const fn as_bytes(&self) -> &'b [u8] {
        self.0
    }

    /// Whether there are no flags.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|byte| *byte == b' ')
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = ReturnFlag<'b>> + use<'b> {
        self.0.split(|byte| *byte == b' ').filter_map(ReturnFlag::parse)
    }
}

/// Reads the length and the flags behind `VA `.
pub(crate) fn value_head(rest: &[u8]) -> Option<(u64, ReturnFlags<'_>)> {
    let (len, rest) = split_u64(behind_spaces(rest))?;
    Some((len, ReturnFlags::parse(rest)?))
}

/// The answer to `me`: a line for people to read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DebugLine<'b> {
    /// The key as the server wrote it; as base64 where the item was stored so, which it does not say.
    pub key: &'b [u8],
    /// What the server knows, as `name=value` with spaces between. Which names there are depends on the server.
    pub text: &'b [u8],
}

impl<'b> DebugLine<'b> {
    /// Every name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> + use<'b> {
        pairs(self.text)
    }
}

pub(crate) fn pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b' ').filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        Some((pair.get(..at)?, pair.get(at.checked_add(1)?..)?))
    })
}

impl fmt::Debug for DebugLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DebugLine({} bytes {})", self.key.len(), self.text.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_bits_of_their_own() {
        let letters = b"bcfhkqlstvxEXWZCDFIJLMNOPRST";
        for (at, one) in letters.iter().enumerate() {
            assert!(letters[..at].iter().all(|other| other & 63 != one & 63));
        }
    }

    #[test]
    fn numbers_and_words_are_held_to_their_form() {
        for right in [
            &b""[..],
            b" c0 k\xff O t-1",
            b" t4294967235 h1 f4294967295 X Z",
            b" kZm9v b",
            b" ",
            b"  kk O5",
            b" c1 ",
            b" c1  t1  ",
        ] {
            assert!(ReturnFlags::parse(right).is_some(), "{}", right.escape_ascii());
        }
        for wrong in [
            &b"c1"[..],
            b" cabc",
            b" c-1",
            b" t-2",
            b" t1x",
            b" h2",
            b" f4294967296",
            b" k",
            b" Wx",
            b" q",
            b" c1 c1",
            b" W Z",
        ] {
            assert!(ReturnFlags::parse(wrong).is_none(), "{}", wrong.escape_ascii());
        }
    }
}
