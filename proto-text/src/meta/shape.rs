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

    pub(crate) const fn of(verb: MetaVerb, flags: &Flags) -> Self {
        Self {
            verb,
            returns: flags.letters() & answered(verb),
            value: flags.has(b'v'),
            or_done: flags.has(b'C') && matches!(verb, MetaVerb::Get),
            vivifies: flags.has(b'N') && matches!(verb, MetaVerb::Arith),
            quiet: flags.has(b'q'),
        }
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

/// The bits of the flags that a server answers.
const fn answered(verb: MetaVerb) -> u64 {
    match verb {
        MetaVerb::Get => bits(b"cfhklstO"),
        MetaVerb::Set => bits(b"cksO"),
        MetaVerb::Delete => bits(b"kO"),
        MetaVerb::Arith => bits(b"cktO"),
        MetaVerb::Debug | MetaVerb::Noop => 0,
    }
}

pub(super) const fn bits(letters: &[u8]) -> u64 {
    match letters {
        [letter, rest @ ..] => bit(*letter) | bits(rest),
        [] => 0,
    }
}

/// A bit of its own for each letter: see the test `letters_have_bits_of_their_own`.
pub(crate) const fn bit(letter: u8) -> u64 {
    1 << (letter & 63)
}
