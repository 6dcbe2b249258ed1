//! The flags of a meta request, in the order in which they were asked for: the order of the server's answer.

use core::fmt;

use super::bit;
use crate::number::Digits;

/// Capacity for all flags that one command can have, each with a space before it. See the test
/// `all_flags_of_a_command_fit`.
const CAPACITY: usize = 242;

/// Flags as they stand on the line: ` v t Oabc`.
#[derive(Clone, Copy)]
pub(crate) struct Flags {
    text: [u8; CAPACITY],
    len: usize,
    /// The bits of the letters that are there, see [`bit`].
    letters: u64,
}

impl Flags {
    pub(crate) const NONE: Self = Self { text: [0; CAPACITY], len: 0, letters: 0 };

    /// The flags as they are written, with a space before each.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or(&[])
    }

    /// Each letter with its token.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.as_bytes().split(|byte| *byte == b' ').filter_map(|flag| match flag {
            [letter, token @ ..] => Some((*letter, token)),
            [] => None,
        })
    }

    pub(crate) fn token(&self, letter: u8) -> Option<&[u8]> {
        self.iter().find(|(found, _)| *found == letter).map(|(_, token)| token)
    }

    /// The bits of the letters that are there, see [`bit`].
    pub(crate) const fn letters(&self) -> u64 {
        self.letters
    }

    pub(crate) const fn has(&self, letter: u8) -> bool {
        self.letters & bit(letter) != 0
    }

    /// Puts a flag behind the others; asked for again, it takes the place of the one before.
    pub(crate) fn put(&mut self, letter: u8, token: &[u8]) {
        if self.has(letter) {
            let before = *self;
            (self.len, self.letters) = (0, 0);
            before
                .iter()
                .filter(|(other, _)| *other != letter)
                .for_each(|(other, token)| self.add(other, token));
        }
        self.add(letter, token);
    }

    fn add(&mut self, letter: u8, token: &[u8]) {
        let end = self.len.saturating_add(2).saturating_add(token.len());
        let place = self.text.get_mut(self.len..end);
        debug_assert!(place.is_some(), "flags longer than their capacity");
        if let Some([space, first, rest @ ..]) = place {
            (*space, *first) = (b' ', letter);
            rest.iter_mut().zip(token).for_each(|(place, byte)| *place = *byte);
            (self.len, self.letters) = (end, self.letters | bit(letter));
        }
    }
}

impl PartialEq for Flags {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Flags {}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().trim_ascii_start().escape_ascii())
    }
}

/// What may follow a flag's letter.
pub(crate) trait Flag {
    /// Puts the letter and itself on the line.
    fn put(self, letter: u8, flags: &mut Flags);
}

impl Flag for () {
    fn put(self, letter: u8, flags: &mut Flags) {
        flags.put(letter, &[]);
    }
}

impl Flag for u64 {
    fn put(self, letter: u8, flags: &mut Flags) {
        flags.put(letter, Digits::of(self).as_bytes());
    }
}

impl Flag for u32 {
    fn put(self, letter: u8, flags: &mut Flags) {
        u64::from(self).put(letter, flags);
    }
}

impl Flag for i32 {
    fn put(self, letter: u8, flags: &mut Flags) {
        let digits = Digits::of(u64::from(self.unsigned_abs()));
        let mut token = [b'-'; 11];
        let start = usize::from(self < 0);
        let end = start.saturating_add(digits.as_bytes().len());
        if let Some(place) = token.get_mut(start..end) {
            place.copy_from_slice(digits.as_bytes());
        }
        flags.put(letter, token.get(..end).unwrap_or(&[]));
    }
}

impl Flag for super::Opaque {
    fn put(self, letter: u8, flags: &mut Flags) {
        flags.put(letter, self.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_asked_for_again_takes_the_place_of_the_one_before() {
        let mut flags = Flags::NONE;
        ().put(b'v', &mut flags);
        (-30_i32).put(b'T', &mut flags);
        5_u64.put(b'C', &mut flags);
        i32::MIN.put(b'T', &mut flags);
        assert_eq!(flags.as_bytes(), b" v C5 T-2147483648");
        assert_eq!((flags.token(b'C'), flags.has(b'v'), flags.has(b'c')), (Some(&b"5"[..]), true, false));
    }
}
