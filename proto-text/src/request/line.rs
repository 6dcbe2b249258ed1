//! The lines of the classic requests, each composed by itself: who sends one links no other.

use super::{Arith, Delete, Get, GetVerb, Store, StoreVerb, Touch};
use crate::{buffer::Buffer, number::Digits};

pub(crate) const LINE_END: &[u8; 2] = b"\r\n";

/// A request that has a line.
pub trait Compose {
    /// Puts it, with its end, on `line`.
    fn compose<O: Buffer + ?Sized>(&self, line: &mut Line<'_, O>);

    /// What most replies to it are.
    fn usual(&self) -> Usual<'_> {
        Usual::Other
    }
}

/// What most replies to a request are.
#[derive(Clone, Copy, Debug)]
pub enum Usual<'a> {
    /// The item of this key, or a miss.
    Item {
        /// The key.
        key: &'a [u8],
        /// It has its cas unique.
        cas: bool,
    },
    /// `STORED`.
    Stored,
    /// The value of a [`MetaLease`](crate::meta::MetaLease).
    Leased {
        /// What comes back as it was sent.
        opaque: &'a [u8; 8],
    },
    /// Something else.
    Other,
}

impl Compose for Get<'_> {
    #[inline]
    fn compose<O: Buffer + ?Sized>(&self, line: &mut Line<'_, O>) {
        get_verb(self.verb, line);
        line.word(self.key.as_bytes());
        line.end(false);
    }

    #[inline(always)]
    fn usual(&self) -> Usual<'_> {
        Usual::Item { key: self.key.as_bytes(), cas: self.verb.has_cas() }
    }
}

impl Compose for Store<'_> {
    #[inline]
    fn compose<O: Buffer + ?Sized>(&self, line: &mut Line<'_, O>) {
        compose_store(self, self.value.as_bytes().len(), line);
    }

    #[inline(always)]
    fn usual(&self) -> Usual<'_> {
        if self.noreply { Usual::Other } else { Usual::Stored }
    }
}

impl Compose for Delete<'_> {
    fn compose<O: Buffer + ?Sized>(&self, line: &mut Line<'_, O>) {
        line.put(b"delete");
        line.word(self.key.as_bytes());
        if self.key.as_bytes() == b"noreply" {
            line.word(b"0");
        }
        line.end(self.noreply);
    }
}

impl Compose for Arith<'_> {
    fn compose<O: Buffer + ?Sized>(&self, line: &mut Line<'_, O>) {
        line.put(self.verb.word().as_bytes());
        line.word(self.key.as_bytes());
        line.number(self.delta);
        line.end(self.noreply);
    }
}

impl Compose for Touch<'_> {
    fn compose<O: Buffer + ?Sized>(&self, line: &mut Line<'_, O>) {
        line.put(b"touch");
        line.word(self.key.as_bytes());
        line.signed(self.exptime);
        line.end(self.noreply);
    }
}

#[inline]
pub(super) fn get_verb(verb: GetVerb, line: &mut Line<'_, impl Buffer + ?Sized>) {
    match verb {
        GetVerb::Get => line.put(b"get"),
        GetVerb::Gets => line.put(b"gets"),
        GetVerb::Gat(exptime) => {
            line.put(b"gat");
            line.signed(exptime);
        }
        GetVerb::Gats(exptime) => {
            line.put(b"gats");
            line.signed(exptime);
        }
    }
}

#[inline]
pub(super) fn compose_store(store: &Store<'_>, len: usize, line: &mut Line<'_, impl Buffer + ?Sized>) {
    match store.verb {
        StoreVerb::Set => line.put(b"set "),
        verb => {
            line.put(verb.word().as_bytes());
            line.put(b" ");
        }
    }
    line.put(store.key.as_bytes());
    line.number(u64::from(store.flags));
    line.signed(store.exptime);
    line.number(len as u64);
    if let StoreVerb::Cas(cas) = store.verb {
        line.number(cas);
    }
    line.end(store.noreply);
}

/// Where a line is being composed.
pub struct Line<'o, O: ?Sized> {
    out: &'o mut O,
    /// How many bytes did not fit.
    missing: usize,
}

impl<'o, O: ?Sized> Line<'o, O> {
    #[inline]
    pub(super) const fn new(out: &'o mut O) -> Self {
        Self { out, missing: 0 }
    }

    /// How many bytes did not fit.
    #[inline]
    pub(super) const fn missing(&self) -> usize {
        self.missing
    }
}

impl<O: Buffer + ?Sized> Line<'_, O> {
    // Where a word is half as wide, flash is dear: all that is inlined here would be 2 KB for each kind of request.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        if self.out.put(bytes).is_err() {
            self.missing = self.missing.saturating_add(bytes.len());
        }
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) fn word(&mut self, bytes: &[u8]) {
        self.put(b" ");
        self.put(bytes);
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn number(&mut self, number: u64) {
        // Most flags and times to live are 0.
        if number == 0 {
            self.put(b" 0");
        } else {
            self.put(Digits::behind_space(number).as_bytes());
        }
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn signed(&mut self, number: i32) {
        match u64::try_from(number) {
            Ok(number) => self.number(number),
            Err(_) => {
                self.put(b" -");
                self.put(Digits::of(u64::from(number.unsigned_abs())).as_bytes());
            }
        }
    }

    /// As a decimal fraction, with at least one digit behind the point.
    pub(super) fn hundredths(&mut self, number: u16) {
        self.number(u64::from(number / 100));
        self.put(b".");
        self.put(Digits::of(u64::from(number / 10 % 10)).as_bytes());
        if !number.is_multiple_of(10) {
            self.put(Digits::of(u64::from(number % 10)).as_bytes());
        }
    }

    #[inline]
    pub(crate) fn end(&mut self, noreply: bool) {
        if noreply {
            self.put(b" noreply\r\n");
        } else {
            self.put(LINE_END);
        }
    }
}
