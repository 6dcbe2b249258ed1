//! What a reply to a meta request may have in it.

use core::fmt;

use super::{Flags, MetaVerb};

/// What a complete reply to a meta request looks like.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MetaShape {
    pub(crate) verb: MetaVerb,
    /// Bits of the letters that come back, see [`bit`].
    pub(crate) returns: u64,
    pub(crate) value: bool,
    /// The value may be left out: `mg` with `C`.
    pub(crate) or_done: bool,
    /// `ma` with `N`, of which memcached 1.6.18 tells although it is quiet.
    pub(crate) vivifies: bool,
    pub(crate) quiet: bool,
}

impl fmt::Debug for MetaShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetaShape")
            .field("verb", &self.verb)
            .field("value", &self.value)
            .field("quiet", &self.quiet)
            .finish_non_exhaustive()
    }
}

impl MetaShape {
    /// The reply to `mn`.
    pub const NOOP: Self = Self {
        verb: MetaVerb::Noop,
        returns: 0,
        value: false,
        or_done: false,
        vivifies: false,
        quiet: false,
    };

    pub(crate) fn of(verb: MetaVerb, flags: &Flags) -> Self {
        let answered: &[u8] = match verb {
            MetaVerb::Get => b"cfhklstO",
            MetaVerb::Set => b"cksO",
            MetaVerb::Delete => b"kO",
            MetaVerb::Arith => b"cktO",
            MetaVerb::Debug | MetaVerb::Noop => b"",
        };
        let mut shape = Self { verb, ..Self::NOOP };
        for (letter, _) in flags.iter() {
            match letter {
                b'v' => shape.value = true,
                b'q' => shape.quiet = true,
                b'C' if verb == MetaVerb::Get => shape.or_done = true,
                b'N' if verb == MetaVerb::Arith => shape.vivifies = true,
                letter if answered.contains(&letter) => shape.returns |= bit(letter),
                _ => {}
            }
        }
        shape
    }

    /// The command.
    #[must_use]
    pub const fn verb(self) -> MetaVerb {
        self.verb
    }

    /// Whether the usual answer is left out.
    #[must_use]
    pub const fn is_quiet(self) -> bool {
        self.quiet
    }

    pub(crate) const fn asks(self, letter: u8) -> bool {
        self.returns & bit(letter) != 0
    }
}

/// A bit of its own for each letter that comes back: see the test `letters_have_bits_of_their_own`.
pub(crate) const fn bit(letter: u8) -> u64 {
    1 << (letter & 63)
}
