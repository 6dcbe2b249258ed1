//! The hash functions of the field, each with its peers' quirks.
//!
//! One file per algorithm. An algorithm is a [`Hasher`]. A [`struct@Hash`] is an algorithm as data, a name and the
//! functions to call: a scheme can hold one, and firmware links only the algorithms that its scheme names.
//!
//! Peers written in C hash `char`, which is signed on x86: where that shows, bytes from 0x80 on are sign-extended, as
//! the peers do on x86-64. Placement on a machine where `char` is unsigned differs for such keys.

use core::fmt;

pub use self::{
    murmur64a::Murmur64a,
    xxh3::{Xxh3, Xxh3Seeded},
    xxh64::Xxh64,
};
pub use crate::text::{Concat, Decimal, Hex, Text};

pub(crate) mod crc16;
pub(crate) mod crc32;
pub(crate) mod fnv;
pub(crate) mod folded;
pub(crate) mod hsieh;
pub(crate) mod java;
pub(crate) mod jenkins;
pub mod md5;
pub(crate) mod murmur2;
pub(crate) mod murmur3;
pub(crate) mod murmur3_x64;
pub(crate) mod murmur64a;
pub mod names;
pub(crate) mod one_at_a_time;
pub(crate) mod sha1;
pub(crate) mod sha256;
pub(crate) mod siphash13;
pub(crate) mod spooky;
pub(crate) mod stepped;
pub(crate) mod xxh3;
pub(crate) mod xxh64;

mod blocks;
mod utf8;

/// One hash algorithm, fed in pieces.
pub trait Hasher {
    /// What a hash is: 32 bits for a [`struct@Hash`], more for a few that their schemes use directly.
    type Output;

    /// Begins a hash. `len` is the number of bytes to come if [`NEEDS_LEN`](Self::NEEDS_LEN); other algorithms ignore it.
    fn start(len: usize) -> Self;

    /// Takes the next bytes. How the input is cut into pieces makes no difference.
    fn write(&mut self, bytes: &[u8]);

    /// The hash of everything written.
    fn finish(self) -> Self::Output;

    /// Whether the length of the whole input must be known at the start.
    const NEEDS_LEN: bool = false;

    /// The number of values, if they count up from 0 and are equally likely; else 0.
    const VALUES: u64 = 1 << 32;

    /// The hash of one slice; an algorithm with a faster way for that overrides this.
    fn of(bytes: &[u8]) -> Self::Output
    where
        Self: Sized,
    {
        let mut hasher = Self::start(bytes.len());
        hasher.write(bytes);
        hasher.finish()
    }

    /// The hash of a text in pieces.
    fn of_text(text: &dyn Text) -> Self::Output
    where
        Self: Sized,
    {
        let mut hasher = Self::start(if Self::NEEDS_LEN { text.len() } else { 0 });
        text.feed(&mut |piece| hasher.write(piece));
        hasher.finish()
    }

    /// The hashes of many slices, into `out`; the shorter of the two decides how many.
    fn of_many(keys: &[&[u8]], out: &mut [Self::Output])
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
    values: u64,
    of: fn(&[u8]) -> u32,
    of_text: fn(&dyn Text) -> u32,
    of_many: fn(&[&[u8]], &mut [u32]),
}

impl Hash {
    /// The algorithm `H` under `name`.
    pub const fn new<H: Hasher<Output = u32>>(name: &'static str) -> Self {
        Self { name, values: H::VALUES, of: H::of, of_text: H::of_text, of_many: H::of_many }
    }

    /// The name, as libmemcached and twemproxy spell it where they have the function.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The number of values that the hash takes, if they count up from 0 and are equally likely; else 0.
    pub const fn values(&self) -> u64 {
        self.values
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

/// The last six decimal digits of MD5: the snippet `consistent_hashing.py`.
pub const MD5_SIX_DIGITS: Hash = Hash::new::<md5::Md5SixDigits>("md5_six_digits");

/// The first four bytes of SHA-1, little-endian: node-hashring with `algorithm: 'sha1'`.
pub const SHA1: Hash = Hash::new::<sha1::Sha1Word>("sha1");

/// The first four bytes of SHA-1, big-endian: Dalli's points.
pub const SHA1_BIG_ENDIAN: Hash = Hash::new::<sha1::Sha1BigEndian>("sha1be");

/// All 32 bits of CRC-32: python-memcached's old function, gomemcache, nginx, Dalli, twemproxy's `crc32a`.
pub const CRC32: Hash = Hash::new::<crc32::Crc32>("crc32");

/// 31 bits of CRC-32: mcrouter's `Crc32`.
pub const CRC31: Hash = Hash::new::<crc32::Crc31>("crc31");

/// 15 bits of CRC-32, `(crc >> 16) & 0x7fff`: libmemcached's `crc`, twemproxy's `crc32`, Cache::Memcached.
pub const CRC15: Hash = Hash::new::<crc32::Crc15>("crc");

/// [`CRC15`] with 1 in place of 0: python-memcached up to 1.59, PECL memcache.
pub const CRC15_OR_1: Hash = Hash::new::<crc32::Crc15Or1>("crc15or1");

/// twemproxy's `crc16`, a number of 32 bits.
pub const CRC16: Hash = Hash::new::<crc16::Crc16>("crc16");

/// FNV-1, 32 bits.
pub const FNV1_32: Hash = Hash::new::<fnv::Fnv1_32>("fnv1_32");

/// FNV-1a, 32 bits: also PECL memcache's `fnv`.
pub const FNV1A_32: Hash = Hash::new::<fnv::Fnv1a32>("fnv1a_32");

/// The lower half of FNV-1 with 64 bits.
pub const FNV1_64: Hash = Hash::new::<fnv::Fnv1_64>("fnv1_64");

/// The lower half of FNV-1a with 64 bits: twemproxy's default.
pub const FNV1A_64: Hash = Hash::new::<fnv::Fnv1a64>("fnv1a_64");

/// 15 bits of [`FNV1A_32`], 1 in place of 0: PECL memcache's `fnv` in its standard strategy.
pub const FNV1A_15_OR_1: Hash = Hash::new::<fnv::Fnv1a15Or1>("fnv1a_15or1");

/// [`FNV1_32`] over UTF-16: spymemcached's `FNV1_32_HASH`.
pub const FNV1_32_UTF16: Hash = Hash::new::<fnv::Fnv1_32Utf16>("fnv1_32_utf16");

/// [`FNV1A_32`] over UTF-16: spymemcached's `FNV1A_32_HASH`.
pub const FNV1A_32_UTF16: Hash = Hash::new::<fnv::Fnv1a32Utf16>("fnv1a_32_utf16");

/// [`FNV1_64`] over UTF-16: spymemcached's `FNV1_64_HASH`.
pub const FNV1_64_UTF16: Hash = Hash::new::<fnv::Fnv1_64Utf16>("fnv1_64_utf16");

/// [`FNV1A_64`] over UTF-16: spymemcached's `FNV1A_64_HASH`.
pub const FNV1A_64_UTF16: Hash = Hash::new::<fnv::Fnv1a64Utf16>("fnv1a_64_utf16");

/// Java's `String.hashCode`: spymemcached's `NATIVE_HASH`, its default.
pub const JAVA: Hash = Hash::new::<java::Java>("java");

/// The absolute value of [`JAVA`]: memjs.
pub const MEMJS: Hash = Hash::new::<java::Memjs>("memjs");

/// Paul Hsieh's SuperFastHash as twemproxy has it.
pub const HSIEH: Hash = Hash::new::<hsieh::Hsieh>("hsieh");

/// MurmurHash2, seeded with the length.
pub const MURMUR: Hash = Hash::new::<murmur2::Murmur2>("murmur");

/// MurmurHash3, seeded with the length: libmemcached's.
pub const MURMUR3: Hash = Hash::new::<murmur3::Murmur3SeededByLen>("murmur3");

/// MurmurHash3 with the seed 0 over the lowest byte of each character: pymemcache's scores.
pub const MURMUR3_CHARS: Hash = Hash::new::<murmur3::Murmur3Chars>("murmur3_chars");

/// Jenkins' lookup3.
pub const JENKINS: Hash = Hash::new::<jenkins::Jenkins>("jenkins");

/// What emcache takes of MurmurHash3 x64: one byte and three signs.
pub const EMCACHE: Hash = Hash::new::<murmur3_x64::Emcache>("emcache");

/// SpookyHash V2 cut to 32 bits: mcrouter's weighted ch3 weighs keys with it.
pub const SPOOKY32: Hash = Hash::new::<spooky::Spooky32>("spooky32");

/// Jenkins' one-at-a-time over bytes as they are: xmemcached's `ONE_AT_A_TIME`.
pub const ONE_AT_A_TIME_UNSIGNED: Hash =
    Hash::new::<one_at_a_time::OneAtATimeUnsigned>("one_at_a_time_unsigned");

/// [`FNV1A_32`] over bytes as they are: EnyimMemcachedCore.
pub const FNV1A_32_UNSIGNED: Hash = Hash::new::<fnv::Fnv1a32Unsigned>("fnv1a_32_unsigned");

/// [`FNV1A_32_UNSIGNED`] from 0 on: EnyimMemcachedCore's legacy locator, which forgets the number that FNV begins with.
pub const FNV1A_32_FROM_ZERO: Hash = Hash::new::<fnv::Fnv1a32FromZero>("fnv1a_32_from_zero");

/// MurmurHash3 with the seed 0 and its highest bit flipped: folsom, which compares hashes as signed numbers.
pub const MURMUR3_SIGNED: Hash = Hash::new::<murmur3::Murmur3Signed>("murmur3_signed");

/// The lower half of XXH3 with 64 bits: memcached's proxy.
pub const XXH3: Hash = Hash::new::<xxh3::LowerHalf<Xxh3>>("xxh3");

/// [`XXH3`] with the first eight bytes of the text as the seed: memcached's proxy where a pool has one.
pub const XXH3_SEEDED: Hash = Hash::new::<xxh3::LowerHalf<Xxh3Seeded>>("xxh3_seeded");

/// A byte as C's `char` on x86: sign-extended.
const fn signed(byte: u8) -> u32 {
    byte as i8 as i32 as u32
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::{murmur3_x64::Murmur3X64, siphash13::SipHash13, *};

    proptest! {
        // Those that have a door are cut by `tests/hashes.rs`.
        #[test]
        fn cutting_the_input_changes_no_digest(bytes in vec(any::<u8>(), 0..300), cut in 0_usize..300) {
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            let cut = Concat([&left as &dyn Text, &"", &right]);
            prop_assert_eq!(Murmur3X64::of_text(&cut), Murmur3X64::of(&bytes));
            prop_assert_eq!(SipHash13::of_text(&cut), SipHash13::of(&bytes));
            prop_assert_eq!(sha1::digest_text(&cut), sha1::digest_text(&bytes.as_slice()));
        }
    }
}
