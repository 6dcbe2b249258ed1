//! One meta request line, whole: from words to an event, with the checks of memcached 1.6.18 in their order.
//!
//! Source: memcached 1.6.18 `proto_text.c`, `_meta_flag_preparse` and the commands that call it.

use core::fmt;

use super::{
    c_number::{c_i32, c_u32, c_u64},
    request_event::{Refusal, RequestEvent},
    request_line::{MAX_ANNOUNCED, words_len},
};
use crate::{
    base64,
    key::{Key, MAX_KEY_LEN},
    meta::{
        ArithMode, BinaryKey, MAX_BINARY_KEY_LEN, MAX_OPAQUE_LEN, MetaKey, MetaRequest, MetaVerb, Opaque,
        SetMode,
    },
    number::parse_u64,
    value::Value,
};

/// Most words on a line: the server's 20, of which one is an end.
const MAX_WORDS: usize = 19;

/// The flags that 1.6.18 knows, for whichever command.
const KNOWN: &[u8] = b"bcfhklqstuvCDFIJLMNOPRT";

/// A meta request as it stands on its line, its flags checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MetaLine<'b> {
    /// The command.
    pub verb: MetaVerb,
    /// The length of the value that follows an `ms`.
    pub len: usize,
    token: &'b [u8],
    flags: &'b [u8],
}

/// What a line was read as.
pub(super) enum MetaRead<'b> {
    Event(RequestEvent<'b>),
    /// The request is wrong, and so many bytes of a value and its end are passed by.
    Swallow(Refusal, usize),
}

impl<'b> MetaLine<'b> {
    /// Reads a line without its end; `None` when it is of no meta command.
    pub(super) fn read(line: &'b [u8]) -> Option<MetaRead<'b>> {
        let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        let verb = match words.next()? {
            b"mg" => MetaVerb::Get,
            b"ms" => MetaVerb::Set,
            b"md" => MetaVerb::Delete,
            b"ma" => MetaVerb::Arith,
            b"me" => MetaVerb::Debug,
            b"mn" => return Some(MetaRead::Event(RequestEvent::MetaNoop)),
            _ => return None,
        };
        let refused = |refusal| Some(MetaRead::Event(RequestEvent::Refused { refusal, noreply: false }));
        let Some(token) = words.next() else {
            return refused(if verb == MetaVerb::Debug {
                Refusal::BadFormat
            } else {
                Refusal::UnknownCommand
            });
        };
        let len_word = if verb == MetaVerb::Set { words.next() } else { None };
        if token.len() > MAX_KEY_LEN || (verb == MetaVerb::Set && len_word.is_none()) {
            return refused(Refusal::BadFormat);
        }
        if verb == MetaVerb::Debug {
            // Nothing else on the line is looked at.
            let flags = words.next().filter(|word| *word == b"b").unwrap_or(&[]);
            let read = Self { verb, len: 0, token, flags };
            return match read.check_flags() {
                Ok(()) => Some(MetaRead::Event(RequestEvent::Meta(read))),
                Err(_) => refused(Refusal::BadFormat),
            };
        }
        let before_flags = 2_usize.saturating_add(usize::from(len_word.is_some()));
        if words.clone().count().saturating_add(before_flags) > MAX_WORDS {
            return refused(if verb == MetaVerb::Get {
                Refusal::TooManyFlags
            } else {
                Refusal::FlagsTooLong
            });
        }
        let len = match len_word {
            None => 0,
            Some(word) => match c_i32(word).filter(|len| *len <= MAX_ANNOUNCED).map(usize::try_from) {
                Some(Ok(len)) => len,
                _ => return refused(Refusal::BadFormat),
            },
        };
        let flags = line.get(words_len(line, before_flags)..).unwrap_or(&[]);
        let read = Self { verb, len, token, flags };
        Some(match (read.check(), verb) {
            (Ok(()), MetaVerb::Set) => MetaRead::Event(RequestEvent::MetaStore(read)),
            (Ok(()), _) => MetaRead::Event(RequestEvent::Meta(read)),
            (Err(refusal), MetaVerb::Set) => MetaRead::Swallow(refusal, len.saturating_add(2)),
            (Err(refusal), _) => MetaRead::Event(RequestEvent::Refused { refusal, noreply: false }),
        })
    }

    /// Each flag's letter with its token, in their order.
    pub fn flags(&self) -> impl Iterator<Item = (u8, &'b [u8])> + use<'b> {
        self.flags
            .split(|byte| *byte == b' ')
            .filter_map(|flag| flag.split_first())
            .map(|(c, token)| (*c, token))
    }

    /// Whether there is a flag of this letter.
    #[must_use]
    pub fn has(&self, letter: u8) -> bool {
        self.token_of(letter).is_some()
    }

    /// The key's bytes, decoded into `scratch` if they are base64 on the line.
    pub fn key<'r>(&self, scratch: &'r mut [u8; MAX_KEY_LEN]) -> &'r [u8]
    where
        'b: 'r,
    {
        if !self.has(b'b') {
            return self.token;
        }
        let len = base64::decode(self.token, scratch).unwrap_or(0);
        scratch.get(..len).unwrap_or(&[])
    }

    /// Calls `with` with the request as memring's own client would build it, with `value` as its value; `None` where
    /// it cannot build it.
    pub fn with_request<T>(&self, value: Value<'_>, with: impl FnOnce(&MetaRequest<'_>) -> T) -> Option<T> {
        let mut scratch = [0; MAX_BINARY_KEY_LEN];
        let key: MetaKey<'_> = if self.has(b'b') {
            let len = base64::decode(self.token, &mut scratch)?;
            BinaryKey::new(scratch.get(..len)?).ok()?.into()
        } else {
            Key::new(self.token).ok()?.into()
        };
        let mut request = MetaRequest::new(self.verb, key, value);
        for (letter, token) in self.flags() {
            if !self.verb.letters().contains(&letter) {
                return None;
            }
            match letter {
                b'b' if token.is_empty() => {}
                b'T' | b'N' | b'R' => request.put(letter, c_i32(token)?),
                b'C' | b'D' | b'E' | b'J' => request.put(letter, parse_u64(token)?),
                b'F' => request.put(letter, u32::try_from(parse_u64(token)?).ok()?),
                b'O' | b'P' | b'L' => request.put(letter, Opaque::new(token).ok()?),
                b'M' if self.verb == MetaVerb::Set => request.put(letter, set_mode(token)?),
                b'M' => request.put(letter, arith_mode(token)?),
                _ if token.is_empty() => request.put(letter, ()),
                _ => return None,
            }
        }
        Some(with(&request))
    }

    pub(super) fn token_of(&self, letter: u8) -> Option<&'b [u8]> {
        self.flags().find(|(found, _)| *found == letter).map(|(_, token)| token)
    }

    /// The number behind a letter; the check has seen that it is one.
    pub(super) fn number(&self, letter: u8) -> Option<u64> {
        self.token_of(letter).and_then(c_u64)
    }

    pub(super) fn exptime(&self, letter: u8) -> Option<i32> {
        self.token_of(letter).and_then(c_i32)
    }

    pub(super) fn set_mode(&self) -> SetMode {
        self.token_of(b'M').and_then(set_mode).unwrap_or(SetMode::Set)
    }

    pub(super) fn arith_mode(&self) -> ArithMode {
        self.token_of(b'M').and_then(arith_mode).unwrap_or(ArithMode::Incr)
    }

    /// Whether the opaque is too long. `mg` and `ma` find out late, when the item is already dealt with.
    pub(super) fn has_long_opaque(&self) -> bool {
        self.token_of(b'O').is_some_and(|token| token.len() > MAX_OPAQUE_LEN)
    }

    fn check(&self) -> Result<(), Refusal> {
        self.check_flags().map_err(|refusal| match self.verb {
            MetaVerb::Delete | MetaVerb::Arith => Refusal::InvalidOrDuplicateFlag,
            _ => refusal,
        })?;
        match (self.verb, self.token_of(b'M')) {
            (MetaVerb::Set, Some(mode)) if set_mode(mode).is_none() => Err(Refusal::BadSetMode),
            (MetaVerb::Arith, Some(mode)) if arith_mode(mode).is_none() => Err(Refusal::BadArithMode),
            (MetaVerb::Set | MetaVerb::Delete, _) if self.has_long_opaque() => Err(Refusal::OpaqueTooLong),
            _ => Ok(()),
        }
    }

    /// The first flag that is unknown or there twice ends the search; of other faults the last one is told.
    fn check_flags(&self) -> Result<(), Refusal> {
        let mut error = None;
        let mut seen = 0_u128;
        for (letter, token) in self.flags() {
            let bit = 1_u128.checked_shl(u32::from(letter)).filter(|_| letter < 127).unwrap_or(0);
            if bit == 0 || seen & bit != 0 {
                return Err(Refusal::DuplicateFlag);
            }
            seen |= bit;
            if !KNOWN.contains(&letter) {
                return Err(Refusal::InvalidFlag);
            }
            let fault = match letter {
                b'b' if base64::decode(self.token, &mut [0; MAX_KEY_LEN]).is_none() => {
                    Refusal::BadKeyEncoding
                }
                b'N' | b'T' | b'R' if c_i32(token).is_none() => Refusal::BadToken,
                b'C' if c_u64(token).is_none() => Refusal::BadToken,
                b'F' if c_u32(token).is_none() => error.unwrap_or(Refusal::BadFormat),
                b'M' if token.len() != 1 => Refusal::BadModeLength,
                b'J' if c_u64(token).is_none() => Refusal::BadInitial,
                b'D' if c_u64(token).is_none() => Refusal::BadDeltaValue,
                _ => continue,
            };
            error = Some(fault);
        }
        error.map_or(Ok(()), Err)
    }
}

impl fmt::Debug for MetaLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = self.flags.trim_ascii_start().escape_ascii();
        write!(f, "MetaLine({} {} bytes, {} bytes, {flags})", self.verb.word(), self.token.len(), self.len)
    }
}

fn set_mode(token: &[u8]) -> Option<SetMode> {
    let [letter] = token else { return None };
    SetMode::LETTERS.iter().find(|(_, known)| known == letter).map(|(mode, _)| *mode)
}

fn arith_mode(token: &[u8]) -> Option<ArithMode> {
    match token {
        b"I" | b"+" => Some(ArithMode::Incr),
        b"D" | b"-" => Some(ArithMode::Decr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &[u8]) -> Option<(Refusal, usize)> {
        match MetaLine::read(line)? {
            MetaRead::Event(RequestEvent::Refused { refusal, .. }) => Some((refusal, 0)),
            MetaRead::Swallow(refusal, len) => Some((refusal, len)),
            MetaRead::Event(_) => None,
        }
    }

    #[test]
    fn refusals_as_measured_on_1_6_18() {
        for (line, expected) in [
            (&b"mg"[..], Some((Refusal::UnknownCommand, 0))),
            (b"me", Some((Refusal::BadFormat, 0))),
            (b"ms k", Some((Refusal::BadFormat, 0))),
            (b"ms k abc", Some((Refusal::BadFormat, 0))),
            (b"ms k 1 c c q", Some((Refusal::DuplicateFlag, 3))),
            (b"ms k 1 F-1", Some((Refusal::BadFormat, 3))),
            (b"ms k 1 Jx", Some((Refusal::BadInitial, 3))),
            (b"mg k F5 C5 I M J1 D1", Some((Refusal::BadModeLength, 0))),
            (b"mg k F5 C5 I MA J1 D1", None),
            (b"mg k o", Some((Refusal::InvalidFlag, 0))),
            (b"md k v f s", None),
            (b"md k Tx", Some((Refusal::InvalidOrDuplicateFlag, 0))),
            (b"me k b", Some((Refusal::BadFormat, 0))),
            (b"me k foo", None),
            (b"mg  k  v ", None),
        ] {
            assert_eq!(refusal(line), expected, "{}", line.escape_ascii());
        }
    }
}
