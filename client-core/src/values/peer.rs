//! A peer: the convention of some clients, as a table.

use core::fmt;
use std::borrow::Cow;

use super::{
    Compression, Problem, ReadError, Refusal, Type, Value, WriteError,
    form::Form,
    inflate::{Way, inflate},
};

/// The convention by which some clients store values.
pub struct Peer {
    pub(super) name: &'static str,
    pub(super) clients: &'static str,
    /// The types, the first that fits decides.
    pub(super) rows: &'static [Row],
    pub(super) packing: Packing,
    /// Bits of the flags that say the type. What is neither here nor in `packing` nor the caller's must be zero.
    pub(super) typed: u32,
    /// Bits of the flags that are the caller's.
    pub(super) callers: u32,
}

/// A type of a peer's.
pub(super) struct Row {
    /// Its name, as the peer calls it.
    pub(super) name: &'static str,
    pub(super) flags: u32,
    /// The bits to compare with `flags`.
    pub(super) mask: u32,
    pub(super) form: Form,
    /// The values that are written in this form, where they fit.
    pub(super) takes: &'static [Type],
}

/// How flags say that a value is compressed.
pub(super) struct Packing {
    /// Set on all compressed values; 0 if there are none.
    pub(super) bit: u32,
    /// The bits that say how.
    pub(super) mask: u32,
    pub(super) ways: &'static [(u32, Way)],
}

/// What an item holds, as a peer reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading<'a> {
    /// The value.
    pub value: Value<'a>,
    /// The type, as the peer calls it: there may be several of one kind, such as `Integer` and `Long`.
    pub type_name: &'static str,
    /// How it was compressed.
    pub compression: Option<Compression>,
    /// The bits of the flags that are the caller's, where they are.
    pub callers_flags: u32,
}

/// What to store, for a peer to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<'a> {
    /// The flags.
    pub flags: u32,
    /// The bytes.
    pub bytes: Cow<'a, [u8]>,
}

impl Peer {
    /// The name of the convention, such as `php-memcached`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The clients that have it, as text.
    #[must_use]
    pub const fn clients(&self) -> &'static str {
        self.clients
    }

    /// The types: the name of each, and the flags that say it.
    pub fn types(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.rows.iter().map(|row| (row.name, row.flags))
    }

    /// Reads an item as this peer does. A compressed value is at most `limit` bytes long, after decompression.
    ///
    /// It is stricter than most peers, which take a number with rubbish behind it, or flags that no client of theirs
    /// writes.
    ///
    /// # Errors
    /// The item is not what its flags say; what is wrong with it is in the error.
    pub fn read<'a>(&self, flags: u32, bytes: &'a [u8], limit: usize) -> Result<Reading<'a>, ReadError> {
        self.reading(flags, bytes, limit).map_err(|problem| ReadError { peer: self.name, flags, problem })
    }

    fn reading<'a>(&self, flags: u32, bytes: &'a [u8], limit: usize) -> Result<Reading<'a>, Problem> {
        let known = self.typed | self.packing.mask | self.callers;
        if flags & !known != 0 {
            return Err(Problem::UnknownFlags);
        }
        let row = self.rows.iter().find(|row| flags & row.mask == row.flags).ok_or(Problem::UnknownFlags)?;
        let (bytes, compression) = match self.packing.way(flags)? {
            None => (Cow::Borrowed(bytes), None),
            Some(way) => {
                let compression = way.compression(bytes);
                (Cow::Owned(inflate(way, bytes, limit)?), Some(compression))
            }
        };
        let (value, callers_flags) = (row.form.read(bytes)?, flags & self.callers);
        Ok(Reading { value, type_name: row.name, compression, callers_flags })
    }

    /// What to store so that the clients of this peer read `value`. It is never compressed: they all read that, too.
    ///
    /// # Errors
    /// There is no form for it that does not need the peer's own language. No pickle is made, nor the like of it.
    pub fn write<'v>(&self, value: &'v Value<'_>) -> Result<Stored<'v>, WriteError> {
        let mut refusal = Refusal::NotDefined;
        for row in self.rows.iter().filter(|row| row.takes.contains(&value.kind())) {
            match row.form.write(value) {
                Some(bytes) => return Ok(Stored { flags: row.flags, bytes }),
                None => refusal = Refusal::DoesNotFit,
            }
        }
        Err(WriteError { peer: self.name, kind: value.kind(), refusal })
    }

    /// What to store so that the clients of this peer read `value` as of their type `type_name`: a [`Reading`] has the
    /// name. This is for types that no value comes to by itself, such as the `Short` of Java.
    ///
    /// # Errors
    /// There is no such type, or the value is not of it.
    pub fn write_as<'v>(&self, type_name: &str, value: &'v Value<'_>) -> Result<Stored<'v>, WriteError> {
        let wrong = |refusal| WriteError { peer: self.name, kind: value.kind(), refusal };
        let row = self.rows.iter().find(|row| row.name == type_name);
        let row = row.ok_or_else(|| wrong(Refusal::NoSuchType))?;
        let bytes = row.form.write(value).ok_or_else(|| wrong(Refusal::DoesNotFit))?;
        Ok(Stored { flags: row.flags, bytes })
    }
}

impl Packing {
    /// Nothing is compressed.
    pub(super) const NONE: Self = Self { bit: 0, mask: 0, ways: &[] };

    /// One bit, one way.
    pub(super) const fn bit(bit: u32, ways: &'static [(u32, Way)]) -> Self {
        Self { bit, mask: bit, ways }
    }

    /// The way in which an item with these flags is compressed.
    fn way(&self, flags: u32) -> Result<Option<Way>, Problem> {
        if flags & self.bit == 0 {
            return Ok(None);
        }
        let found = self.ways.iter().find(|(bits, _)| flags & self.mask == *bits);
        found.map(|&(_, way)| Some(way)).ok_or(Problem::UnknownFlags)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A peer is its name: no two have the same.
impl PartialEq for Peer {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Peer {}
