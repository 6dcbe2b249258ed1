//! How `ms` stores and which way `ma` counts.

use super::{Flag, Flags};

/// When `ms` stores a value, and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SetMode {
    /// `S`: in any case.
    Set,
    /// `E`: only where there is none.
    Add,
    /// `R`: only where there is one.
    Replace,
    /// `A`: behind the one that is there.
    Append,
    /// `P`: before the one that is there.
    Prepend,
}

impl SetMode {
    /// Every mode with its letter.
    pub(crate) const LETTERS: [(Self, u8); 5] = [
        (Self::Set, b'S'),
        (Self::Add, b'E'),
        (Self::Replace, b'R'),
        (Self::Append, b'A'),
        (Self::Prepend, b'P'),
    ];
}

impl Flag for SetMode {
    fn put(self, letter: u8, flags: &mut Flags) {
        let mode = Self::LETTERS.iter().find(|(mode, _)| *mode == self).map_or(b'S', |(_, mode)| *mode);
        flags.put(letter, &[mode]);
    }
}

/// Which way `ma` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithMode {
    /// `I`: up; wraps at 2⁶⁴.
    Incr,
    /// `D`: down; stops at 0.
    Decr,
}

impl Flag for ArithMode {
    fn put(self, letter: u8, flags: &mut Flags) {
        flags.put(letter, if self == Self::Incr { b"I" } else { b"D" });
    }
}
