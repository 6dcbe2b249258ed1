//! Which bytes of a key a peer hashes.

use crate::{hash::Hash, peers::options::Extra, text::Text};

/// How a peer turns a key into the text that it hashes.
#[derive(Clone, Copy, Debug)]
pub struct KeyText<'a> {
    /// The prefix of every key on the wire; it is hashed only if [`hash_prefix`](Self::hash_prefix) is set.
    pub prefix: &'a [u8],
    /// Whether the prefix is hashed with the key.
    pub hash_prefix: bool,
    /// Composes the whole text; `None` = prefix and key.
    pub form: Option<Form>,
    /// Further data for the form.
    pub extra: Extra<'a>,
    /// A shorter text has the hash 0.
    pub shortest: usize,
    /// A longer text has the hash 0.
    pub longest: usize,
}

/// Hands the text to hash for a key to a sink, in pieces.
pub type Form = fn(&KeyText<'_>, &[u8], &mut dyn FnMut(&[u8]));

impl KeyText<'static> {
    /// The whole key and nothing else.
    pub const WHOLE: Self = Self {
        prefix: b"",
        hash_prefix: false,
        form: None,
        extra: Extra::None,
        shortest: 0,
        longest: usize::MAX,
    };
}

impl<'a> KeyText<'a> {
    /// The text of `key`.
    #[must_use]
    pub const fn of<'k>(&'k self, key: &'k [u8]) -> impl Text + Copy + use<'a, 'k> {
        Keyed { rule: self, key }
    }

    /// The hash of the text of `key`.
    #[must_use]
    #[inline]
    pub fn hash(&self, hash: &Hash, key: &[u8]) -> u32 {
        if self.is_whole() && self.counts(key.len()) { hash.of(key) } else { self.hash_composed(hash, key) }
    }

    /// The hashes of the texts of many keys.
    pub(crate) fn hash_many(&self, hash: &Hash, keys: &[&[u8]], out: &mut [u32]) {
        if self.is_whole() && self.counts_all() {
            return hash.of_many(keys, out);
        }
        for (out, key) in out.iter_mut().zip(keys) {
            *out = self.hash(hash, key);
        }
    }

    #[inline(never)]
    fn hash_composed(&self, hash: &Hash, key: &[u8]) -> u32 {
        let text = self.of(key);
        if self.counts_all() || self.counts(text.len()) { hash.of_text(&text) } else { 0 }
    }

    /// Whether a text of `len` bytes is hashed at all.
    const fn counts(&self, len: usize) -> bool {
        self.shortest <= len && len <= self.longest
    }

    /// Whether texts of any length are hashed.
    const fn counts_all(&self) -> bool {
        self.shortest == 0 && self.longest == usize::MAX
    }

    /// Whether every key has the same text under `other`.
    pub(crate) fn reads_as(&self, other: &KeyText<'_>) -> bool {
        let form = |rule: &KeyText<'_>| rule.form.map(|form| form as usize);
        let lens = |rule: &KeyText<'_>| (rule.shortest, rule.longest);
        // Without a form, the extra is not read.
        let same_extra = self.form.is_none() || self.extra == other.extra;
        (self.hashed_prefix(), form(self), lens(self)) == (other.hashed_prefix(), form(other), lens(other))
            && same_extra
    }

    /// The prefix, if it is hashed and shows; a form may make something of an empty one.
    fn hashed_prefix(&self) -> Option<&[u8]> {
        (self.hash_prefix && (self.form.is_some() || !self.prefix.is_empty())).then_some(self.prefix)
    }

    /// Whether the text of a key is the key.
    const fn is_whole(&self) -> bool {
        self.form.is_none() && !self.hash_prefix
    }
}

/// The text of one key.
#[derive(Clone, Copy)]
struct Keyed<'k> {
    rule: &'k KeyText<'k>,
    key: &'k [u8],
}

impl Text for Keyed<'_> {
    fn feed(&self, sink: &mut dyn FnMut(&[u8])) {
        if let Some(form) = self.rule.form {
            return form(self.rule, self.key, sink);
        }
        if self.rule.hash_prefix {
            sink(self.rule.prefix);
        }
        sink(self.key);
    }
}
