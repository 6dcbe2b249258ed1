//! The hash functions of the field, each with its peers' quirks.
//!
//! One file per algorithm. An algorithm is a [`Hasher`]; a [`Hash`] is the same as data: a name and what to call, so
//! that a scheme can hold one and a firmware links only those that its scheme names.
//!
//! Peers written in C hash `char`, which is signed on x86: where that shows, bytes from 0x80 on are sign-extended, as
//! the peers do on x86-64. Placement on a machine where `char` is unsigned differs for such keys.

use core::fmt;

use crate::text::Text;

pub mod crc32;
pub mod md5;
pub mod one_at_a_time;

/// One hash algorithm, fed in pieces.
pub trait Hasher {
    /// Begins a hash. `len` is the number of bytes to come if [`NEEDS_LEN`](Self::NEEDS_LEN), else it means nothing.
    fn start(len: usize) -> Self;

    /// Takes the next bytes. Cutting the input differently changes nothing.
    fn write(&mut self, bytes: &[u8]);

    /// The hash of everything written.
    fn finish(self) -> u32;

    /// Whether the length of the whole input must be known at the start.
    const NEEDS_LEN: bool = false;

    /// The hash of one slice; an algorithm with a faster way for that overrides this.
    fn of(bytes: &[u8]) -> u32
    where
        Self: Sized,
    {
        let mut hasher = Self::start(bytes.len());
        hasher.write(bytes);
        hasher.finish()
    }

    /// The hash of a text that comes in pieces.
    fn of_text(text: &dyn Text) -> u32
    where
        Self: Sized,
    {
        let mut hasher = Self::start(if Self::NEEDS_LEN { text.len() } else { 0 });
        text.feed(&mut |piece| hasher.write(piece));
        hasher.finish()
    }

    /// The hashes of many slices, into `out`; the shorter of the two decides how many.
    fn of_many(keys: &[&[u8]], out: &mut [u32])
    where
        Self: Sized,
    {
        for (hash, key) in out.iter_mut().zip(keys) {
            *hash = Self::of(key);
        }
    }
}

/// A hash function as data.
///
/// ```
/// use memring_core::hash;
///
/// assert_eq!(hash::MD5.of(b"tokyo"), 0x0fc1_0cef);
/// assert_eq!(hash::CRC32.of(b"tokyo"), 0xce47_ccf0);
/// ```
#[derive(Clone, Copy)]
pub struct Hash {
    name: &'static str,
    of: fn(&[u8]) -> u32,
    of_text: fn(&dyn Text) -> u32,
    of_many: fn(&[&[u8]], &mut [u32]),
}

impl Hash {
    /// The algorithm `H` under `name`.
    pub const fn new<H: Hasher>(name: &'static str) -> Self {
        Self { name, of: H::of, of_text: H::of_text, of_many: H::of_many }
    }

    /// The name, as libmemcached and twemproxy spell it where they have the function.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The hash of `bytes`.
    pub fn of(&self, bytes: &[u8]) -> u32 {
        (self.of)(bytes)
    }

    /// The hash of `text`, which comes in pieces.
    pub fn of_text(&self, text: &dyn Text) -> u32 {
        (self.of_text)(text)
    }

    /// The hashes of `keys` into `out`, several at a time where the algorithm allows.
    pub fn of_many(&self, keys: &[&[u8]], out: &mut [u32]) {
        (self.of_many)(keys, out);
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({})", self.name)
    }
}

/// Jenkins' one-at-a-time: the default of libmemcached and php-memcached.
pub const ONE_AT_A_TIME: Hash = Hash::new::<one_at_a_time::OneAtATime>("one_at_a_time");

/// The first four bytes of MD5, little-endian: the key hash of ketama.
pub const MD5: Hash = Hash::new::<md5::Md5Word>("md5");

/// All 32 bits of CRC-32: python-memcached's old function, gomemcache, nginx, Dalli.
pub const CRC32: Hash = Hash::new::<crc32::Crc32>("crc32");

/// 15 bits of CRC-32, `(crc >> 16) & 0x7fff`: libmemcached's `crc`, twemproxy's `crc32`, Cache::Memcached.
pub const CRC15: Hash = Hash::new::<crc32::Crc15>("crc");

/// [`CRC15`] with 1 in place of 0: python-memcached up to 1.59, PECL memcache.
pub const CRC15_OR_1: Hash = Hash::new::<crc32::Crc15Or1>("crc15or1");

/// A byte as C's `char` on x86: sign-extended.
pub(crate) const fn signed(byte: u8) -> u32 {
    byte as i8 as i32 as u32
}
