//! One request line, whole: from words to an event, with the counts and checks of memcached 1.6.18.
//!
//! Source: memcached 1.6.18 `proto_text.c`, `process_command_ascii` and what it calls.

use core::ops::RangeInclusive;

use super::{
    c_number::{c_i32, c_u32, c_u64},
    request_event::{Refusal, RequestEvent, StoreHead},
};
use crate::{
    key::MAX_KEY_LEN,
    request::{ArithVerb, GetVerb, StoreVerb},
};

/// Most words of a line that are looked at one by one.
const MAX_WORDS: usize = 8;

/// memcached takes this many words of a line at a time.
const MAX_COUNTED: usize = 23;

/// Longest value that a line can announce, in bytes: two less than C's `INT_MAX`.
pub(super) const MAX_ANNOUNCED: i32 = i32::MAX - 2;

/// Reads a line without its end. Of a get, the keys are left unread: the second value counts the bytes before them.
pub(super) fn read_line(line: &[u8]) -> (RequestEvent<'_>, usize) {
    let words = Words::of(line);
    let event = words
        .read()
        .unwrap_or_else(|Refused { refusal, noreply }| RequestEvent::Refused { refusal, noreply });
    match event {
        RequestEvent::Get(verb) => (event, words_len(line, if verb.exptime().is_some() { 2 } else { 1 })),
        RequestEvent::Stats(_) => {
            let args = line.get(words_len(line, 1)..).unwrap_or(&[]);
            (RequestEvent::Stats(trim_spaces(args)), line.len())
        }
        event => (event, line.len()),
    }
}

fn trim_spaces(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [b' ', inner @ ..] | [inner @ .., b' '] = rest {
        rest = inner;
    }
    rest
}

/// Where the first `count` words end.
pub(super) fn words_len(line: &[u8], count: usize) -> usize {
    let mut left = count;
    let mut in_word = false;
    let end = line.iter().position(|byte| {
        let ends = in_word && *byte == b' ';
        in_word = *byte != b' ';
        left = left.saturating_sub(usize::from(ends));
        left == 0
    });
    end.unwrap_or(line.len())
}

struct Refused {
    refusal: Refusal,
    noreply: bool,
}

type Read<'b> = Result<RequestEvent<'b>, Refused>;

/// The words of a line. Spaces separate them, however many.
struct Words<'b> {
    list: [&'b [u8]; MAX_WORDS],
    count: usize,
    last: &'b [u8],
    /// Does the line end in `noreply`? In upper case it is a word like any other.
    noreply: bool,
}

impl<'b> Words<'b> {
    fn of(line: &'b [u8]) -> Self {
        let mut words = Self { list: [&[]; MAX_WORDS], count: 0, last: &[], noreply: false };
        for word in line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
            if let Some(place) = words.list.get_mut(words.count) {
                *place = word;
            }
            words.count = words.count.saturating_add(1);
            if words.count <= MAX_COUNTED {
                words.last = word;
            }
            words.noreply = word == b"noreply";
        }
        words
    }

    fn read(&self) -> Read<'b> {
        let [verb, ..] = self.list;
        match verb {
            // The one is the other, from long ago.
            b"get" | b"bget" => self.get(GetVerb::Get),
            b"gets" => self.get(GetVerb::Gets),
            b"gat" => self.get_and_touch(GetVerb::Gat),
            b"gats" => self.get_and_touch(GetVerb::Gats),
            b"set" => self.store(StoreVerb::Set),
            b"add" => self.store(StoreVerb::Add),
            b"replace" => self.store(StoreVerb::Replace),
            b"append" => self.store(StoreVerb::Append),
            b"prepend" => self.store(StoreVerb::Prepend),
            b"cas" => self.cas(),
            b"incr" => self.arith(ArithVerb::Incr),
            b"decr" => self.arith(ArithVerb::Decr),
            b"delete" => self.delete(),
            b"touch" => self.touch(),
            b"flush_all" => self.flush_all(),
            b"verbosity" => self.verbosity(),
            b"version" => Ok(RequestEvent::Version),
            b"stats" => Ok(RequestEvent::Stats(&[])),
            b"quit" => Ok(RequestEvent::Quit),
            b"config" if self.count == 3 && self.list.starts_with(&[b"config", b"get", b"cluster"]) => {
                Ok(RequestEvent::ClusterConfig)
            }
            [b'a' | b'c' | b'd' | b'g' | b'i' | b's' | b't', ..] => self.unknown(),
            // A browser, or something that wants this server to talk to one.
            [_, _, ..] if self.last.starts_with(b"HTTP/") => Ok(RequestEvent::Close),
            _ => self.unknown(),
        }
    }

    fn get(&self, verb: GetVerb) -> Read<'b> {
        self.want(2..=usize::MAX)?;
        Ok(RequestEvent::Get(verb))
    }

    fn get_and_touch(&self, verb: impl Fn(i32) -> GetVerb) -> Read<'b> {
        self.want(2..=usize::MAX)?;
        let [_, exptime, ..] = self.list;
        match c_i32(exptime) {
            Some(exptime) => Ok(RequestEvent::Get(verb(exptime))),
            None => Err(Refused { refusal: Refusal::BadExptime, noreply: false }),
        }
    }

    fn store(&self, verb: StoreVerb) -> Read<'b> {
        self.want(5..=6)?;
        self.store_head(verb).ok_or_else(|| self.refuse(Refusal::BadFormat))
    }

    fn cas(&self) -> Read<'b> {
        self.want(6..=7)?;
        let [_, _, _, _, _, unique, ..] = self.list;
        let read = c_u64(unique).and_then(|unique| self.store_head(StoreVerb::Cas(unique)));
        read.ok_or_else(|| self.refuse(Refusal::BadFormat))
    }

    fn store_head(&self, verb: StoreVerb) -> Option<RequestEvent<'b>> {
        let [_, key, flags, exptime, len, ..] = self.list;
        if key.len() > MAX_KEY_LEN {
            return None;
        }
        let len = c_i32(len).filter(|len| *len <= MAX_ANNOUNCED)?;
        Some(RequestEvent::Store(StoreHead {
            verb,
            key,
            flags: c_u32(flags)?,
            exptime: c_i32(exptime)?,
            len: usize::try_from(len).ok()?,
            noreply: self.noreply,
        }))
    }

    fn arith(&self, verb: ArithVerb) -> Read<'b> {
        self.want(3..=4)?;
        let key = self.key()?;
        let [_, _, delta, ..] = self.list;
        match c_u64(delta) {
            Some(delta) => Ok(RequestEvent::Arith { verb, key, delta, noreply: self.noreply }),
            None => Err(self.refuse(Refusal::BadDelta)),
        }
    }

    fn delete(&self) -> Read<'b> {
        self.want(2..=4)?;
        let [_, _, zero, ..] = self.list;
        let noreply = self.count > 2 && self.noreply;
        let valid = match self.count {
            2 => true,
            3 => zero == b"0" || noreply,
            _ => zero == b"0" && noreply,
        };
        if !valid {
            return Err(Refused { refusal: Refusal::DeleteUsage, noreply });
        }
        let key = self.key().map_err(|refused| Refused { noreply, ..refused })?;
        Ok(RequestEvent::Delete { key, noreply })
    }

    fn touch(&self) -> Read<'b> {
        self.want(3..=4)?;
        let key = self.key()?;
        let [_, _, exptime, ..] = self.list;
        match c_i32(exptime) {
            Some(exptime) => Ok(RequestEvent::Touch { key, exptime, noreply: self.noreply }),
            None => Err(self.refuse(Refusal::BadExptime)),
        }
    }

    fn flush_all(&self) -> Read<'b> {
        self.want(1..=3)?;
        let noreply = self.noreply;
        if self.count == if noreply { 2 } else { 1 } {
            return Ok(RequestEvent::FlushAll { delay: None, noreply });
        }
        let [_, delay, ..] = self.list;
        match c_i32(delay) {
            Some(delay) => Ok(RequestEvent::FlushAll { delay: Some(delay), noreply }),
            None => Err(self.refuse(Refusal::BadExptime)),
        }
    }

    fn verbosity(&self) -> Read<'b> {
        self.want(2..=3)?;
        let [_, level, ..] = self.list;
        match c_u32(level) {
            Some(level) => Ok(RequestEvent::Verbosity { level, noreply: self.noreply }),
            None => Err(self.refuse(Refusal::BadFormat)),
        }
    }

    /// A wrong number of words is answered, whatever the last word says.
    fn want(&self, counts: RangeInclusive<usize>) -> Result<(), Refused> {
        if counts.contains(&self.count) {
            return Ok(());
        }
        Err(Refused { refusal: Refusal::UnknownCommand, noreply: false })
    }

    fn unknown(&self) -> Read<'b> {
        Err(Refused { refusal: Refusal::UnknownCommand, noreply: false })
    }

    fn refuse(&self, refusal: Refusal) -> Refused {
        Refused { refusal, noreply: self.noreply }
    }

    fn key(&self) -> Result<&'b [u8], Refused> {
        let [_, key, ..] = self.list;
        if key.len() > MAX_KEY_LEN { Err(self.refuse(Refusal::BadFormat)) } else { Ok(key) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &[u8]) -> Option<(Refusal, bool)> {
        match read_line(line).0 {
            RequestEvent::Refused { refusal, noreply } => Some((refusal, noreply)),
            _ => None,
        }
    }

    #[test]
    fn noreply_silences_bad_arguments_but_not_a_wrong_count() {
        assert_eq!(refusal(b"set k x 0 1 noreply"), Some((Refusal::BadFormat, true)));
        assert_eq!(refusal(b"set k 0 0 1 noreply extra"), Some((Refusal::UnknownCommand, false)));
        assert_eq!(refusal(b"incr k noreply"), Some((Refusal::BadDelta, true)));
        assert_eq!(refusal(b"delete k noreply 0"), Some((Refusal::DeleteUsage, false)));
        assert_eq!(refusal(b"verbosity noreply"), Some((Refusal::BadFormat, true)));
    }

    #[test]
    fn the_keys_of_a_get_begin_behind_its_words() {
        assert_eq!(read_line(b"gat 10 a b"), (RequestEvent::Get(GetVerb::Gat(10)), 6));
        assert_eq!(read_line(b"  gets   a b"), (RequestEvent::Get(GetVerb::Gets), 6));
        assert_eq!(read_line(b"gat 10"), (RequestEvent::Get(GetVerb::Gat(10)), 6));
    }

    #[test]
    fn a_key_called_noreply_is_deleted_with_a_reply() {
        let event = RequestEvent::Delete { key: b"noreply", noreply: false };
        assert_eq!(read_line(b"delete noreply").0, event);
        assert_eq!(read_line(b"delete noreply 0").0, event);
    }
}
