//! Hashes that take one number at a time, over bytes as C peers do or over UTF-16 as Java and JavaScript do.

use core::marker::PhantomData;

use super::{Hasher, utf8::Utf8};

/// A hash that is a start and a step.
pub(crate) trait Step {
    /// The hash of nothing.
    const START: u32;

    /// The hash after one more unit.
    fn step(hash: u32, unit: u32) -> u32;
}

/// `S` over bytes, sign-extended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OverBytes<S>(u32, PhantomData<S>);

impl<S: Step> Hasher for OverBytes<S> {
    type Output = u32;

    fn start(_len: usize) -> Self {
        Self(S::START, PhantomData)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| S::step(hash, super::signed(byte)));
    }

    fn finish(self) -> u32 {
        self.0
    }
}

/// `S` over bytes without a sign, for peers that hash those.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OverUnsigned<S>(u32, PhantomData<S>);

impl<S: Step> Hasher for OverUnsigned<S> {
    type Output = u32;

    fn start(_len: usize) -> Self {
        Self(S::START, PhantomData)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| S::step(hash, byte.into()));
    }

    fn finish(self) -> u32 {
        self.0
    }
}

/// `S` over the UTF-16 code units of UTF-8 text; a character beyond U+FFFF counts as two.
///
/// Bytes that are no UTF-8 count as U+FFFD, once for each longest run that could have begun a character.
#[derive(Clone, Debug)]
pub(crate) struct OverUtf16<S> {
    hash: u32,
    utf8: Utf8,
    step: PhantomData<S>,
}

impl<S: Step> Hasher for OverUtf16<S> {
    type Output = u32;

    fn start(_len: usize) -> Self {
        Self { hash: S::START, utf8: Utf8::new(), step: PhantomData }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.utf8.write(bytes, |character| self.hash = add::<S>(self.hash, character));
    }

    fn finish(self) -> u32 {
        self.utf8.finish().map_or(self.hash, |character| add::<S>(self.hash, character))
    }
}

fn add<S: Step>(hash: u32, character: char) -> u32 {
    character.encode_utf16(&mut [0; 2]).iter().fold(hash, |hash, &unit| S::step(hash, u32::from(unit)))
}
