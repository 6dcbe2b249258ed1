//! The hash functions that a family of peers lets its users choose from, spelled as the peer spells them.
//!
//! Every family has a table of its own, because the same word means different functions: `crc32` is 15 bits in
//! twemproxy and 32 in PECL memcache. A program that names a single [`struct@Hash`] links none of the tables.

use super::{
    CRC15, CRC15_OR_1, CRC16, CRC32, FNV1_32, FNV1_32_UTF16, FNV1_64, FNV1_64_UTF16, FNV1A_15_OR_1, FNV1A_32,
    FNV1A_32_UTF16, FNV1A_64, FNV1A_64_UTF16, HSIEH, Hash, JAVA, JENKINS, MD5, MURMUR, MURMUR3,
    ONE_AT_A_TIME, ONE_AT_A_TIME_UNSIGNED, md5::Md5Word,
};

/// Hash functions under a peer's names for them.
///
/// ```
/// use memring_core::hash::names;
///
/// let crc32 = names::TWEMPROXY.hash("crc32").expect("twemproxy has it");
/// assert_eq!(crc32.of(b"tokyo"), 0x4e47);
/// assert!(names::LIBMEMCACHED.hash("crc32").is_none());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Names(&'static [(&'static str, Hash)]);

impl Names {
    /// The function that the peer calls `name`; upper and lower case differ.
    #[must_use]
    pub fn hash(&self, name: &str) -> Option<Hash> {
        self.0.iter().find(|(known, _)| *known == name).map(|&(_, hash)| hash)
    }

    /// Every name with its function, the peer's default first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, Hash)> + use<> {
        self.0.iter().copied()
    }
}

/// libmemcached's `MEMCACHED_HASH_*` and libhashkit's names; php-memcached and pylibmc take them over.
///
/// `hsieh` is a name too, but the library is usually built without the function and then refuses it.
pub const LIBMEMCACHED: Names = Names(&[
    ("default", ONE_AT_A_TIME),
    ("one_at_a_time", ONE_AT_A_TIME),
    ("md5", MD5),
    ("crc", CRC15),
    ("fnv1_64", FNV1_64),
    ("fnv1a_64", FNV1A_64),
    ("fnv1_32", FNV1_32),
    ("fnv1a_32", FNV1A_32),
    ("hsieh", HSIEH),
    ("murmur", MURMUR),
    ("jenkins", JENKINS),
    ("murmur3", MURMUR3),
]);

/// The values of `hash:` in twemproxy's configuration.
pub const TWEMPROXY: Names = Names(&[
    ("fnv1a_64", FNV1A_64),
    ("one_at_a_time", ONE_AT_A_TIME),
    ("md5", MD5),
    ("crc16", CRC16),
    ("crc32", CRC15),
    ("crc32a", CRC32),
    ("fnv1_64", FNV1_64),
    ("fnv1_32", FNV1_32),
    ("fnv1a_32", FNV1A_32),
    ("hsieh", HSIEH),
    ("murmur", MURMUR),
    ("jenkins", JENKINS),
]);

/// spymemcached's `DefaultHashAlgorithm`.
pub const SPYMEMCACHED: Names = Names(&[
    ("NATIVE_HASH", JAVA),
    ("CRC_HASH", CRC15),
    ("FNV1_64_HASH", FNV1_64_UTF16),
    ("FNV1A_64_HASH", FNV1A_64_UTF16),
    ("FNV1_32_HASH", FNV1_32_UTF16),
    ("FNV1A_32_HASH", FNV1A_32_UTF16),
    ("KETAMA_HASH", MD5),
]);

/// MD5 under another name: a ring takes one point of it where it takes four of [`MD5`].
const ELECTION: Hash = Hash::new::<Md5Word>("election");

/// xmemcached's `HashAlgorithm`, but its `MYSQL_HASH`, `ELF_HASH`, `RS_HASH` and `LUA_HASH`.
pub const XMEMCACHED: Names = Names(&[
    ("NATIVE_HASH", JAVA),
    ("CRC32_HASH", CRC15),
    ("FNV1_64_HASH", FNV1_64_UTF16),
    ("FNV1A_64_HASH", FNV1A_64_UTF16),
    ("FNV1_32_HASH", FNV1_32_UTF16),
    ("FNV1A_32_HASH", FNV1A_32_UTF16),
    ("KETAMA_HASH", MD5),
    ("ELECTION_HASH", ELECTION),
    ("ONE_AT_A_TIME", ONE_AT_A_TIME_UNSIGNED),
]);

/// PECL memcache's `memcache.hash_function` where `memcache.hash_strategy` is `consistent`.
pub const PECL_MEMCACHE_CONSISTENT: Names = Names(&[("crc32", CRC32), ("fnv", FNV1A_32)]);

/// PECL memcache's `memcache.hash_function` where `memcache.hash_strategy` is `standard`: 15 bits, never 0.
pub const PECL_MEMCACHE_STANDARD: Names = Names(&[("crc32", CRC15_OR_1), ("fnv", FNV1A_15_OR_1)]);
