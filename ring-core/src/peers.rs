//! The schemes, one file per family of peers, and the table that finds them by name.
//!
//! A scheme's placement never changes in a release: what a name means is what its peer did when its vectors were made.
//! [`versions`] says which version that was and where others differ, [`traps`] what is easily got wrong, [`manual`] what
//! each option means, and [`aliases`] which clients place keys as the scheme of another one does.
//!
//! # Which clients agree
//!
//! One placement under several names, for any servers of equal weight:
//!
//! | scheme | the same as |
//! |---|---|
//! | `libmemcached-modula` | `pylibmc-modula`, `php-memcached` |
//! | `libmemcached-ketama` | `libmemcached-consistent`, `pylibmc-ketama` |
//! | `libmemcached-ketama-weighted` | `pylibmc-ketama-weighted`; `twemproxy-ketama` with `hash=md5`, for servers without a name of their own |
//! | `libmemcached-vbucket` with `hash=crc` and a map | `couchbase-vbucket` |
//! | `nginx-hash` | `cache-memcached`, `cache-memcached-fast`; `python-memcached` until a server is dead |
//! | `nginx-hash-consistent` | `cache-memcached-fast-ketama` with `ketama_points=160` |
//! | `uhashring` | `meta-memcache` |
//! | `couchbase-ketama` | `memcached-proxy` with `dist=ring_hash omode=ketama hash=ring_hash` |
//! | `libmemcached-ketama` | `xmemcached-libmemcached`, for keys of ASCII, until a server is dead |
//! | `spymemcached-modulo` | `xmemcached-array`, for servers of weight 1 |
//! | `crc32-modulo` | `gomemcache`, `meta-memcache-crc32`; `python-memcached-crc32` until a server is dead |
//!
//! Nearly one, and the difference is a trap. Keys on the same server, of 20,000:
//!
//! | scheme | and | equal servers | agree |
//! |---|---|---|---|
//! | `libketama` | `libmemcached-ketama-weighted` | 3 on port 11211, which libmemcached drops | 32 % |
//! | | | 8 on port 11212 | 100 % |
//! | | | 25 on port 11212: 160 points against 156 | 97 % |
//! | `libketama` | `spymemcached-ketama` | 8 on any port | 100 % |
//! | | | 61 on any port: 156 points against 160 | 98 % |
//! | `libmemcached-ketama-weighted` | `twemproxy-ketama` as it comes: other key hash | 8 | 12 % |
//! | `libmemcached-ketama-weighted` | `libmemcached-ketama`, which is not ketama | 8 | 13 % |
//! | `libmemcached-ketama-weighted` | `libmemcached-spy`: a slash in the name | 8 | 14 % |
//! | `spymemcached-ketama` | `xmemcached-ketama`: a slash in the name | 8 | 13 % |
//! | `couchbase-ketama` | `memcached-proxy` with `dist=ring_hash omode=ketama`, but without `hash=ring_hash` | 8 | 13 % |
//! | `libmemcached-ketama-weighted` | `memcached-proxy` with `dist=ring_hash omode=twemproxy hash=ring_hash` | 25 on port 11212: 160 points against 156 | 97 % |
//! | `jump` | `memcached-proxy`: other key hash, other order | 8 | 13 % |
//! | `libmemcached-ketama-weighted` | `node-hashring-ketama`, `uhashring-ketama` (port 11212) | 8 | 100 % but for hashes that meet a point |
//!
//! `memring plan --scheme A --new-scheme B` measures any other pair on the servers in question.

use self::aliases::Alias;
#[cfg(feature = "alloc")]
pub use self::named::SchemeError;
use crate::{
    key::KeyText,
    scheme::{OptionError, Scheme},
};

pub mod aliases;
pub mod cache_memcached;
pub mod cache_memcached_fast;
pub mod couchbase;
pub mod crc32;
pub mod dalli;
pub mod emcache;
pub mod enyim;
pub mod folsom;
pub mod hash_ring;
pub mod jump;
pub mod libketama;
pub mod libmemcached;
pub mod manual;
pub mod mcrouter;
pub mod memcached_proxy;
pub mod memjs;
pub mod nginx;
pub mod node_hashring;
pub mod pecl_memcache;
pub mod php_memcached;
pub mod pylibmc;
pub mod pymemcache;
pub mod python_memcached;
pub mod remcached;
pub mod rust_memcache;
pub mod snippets;
pub mod spymemcached;
pub mod traps;
pub mod twemproxy;
pub mod uhashring;
pub mod versions;
pub mod xmemcached;

mod crc_chain;
#[cfg(feature = "alloc")]
mod named;
mod numbered;
pub(crate) mod options;
mod python;
mod ruby;

/// A scheme that can be named, and how its options are read.
#[derive(Clone, Copy)]
pub struct Peer {
    /// The scheme with every option at its default.
    pub scheme: Scheme<'static>,
    /// The names of its options.
    pub options: &'static [&'static str],
    /// Applies one option; `None` when its value is not one that it takes.
    set: Set,
}

/// Applies the option `name` (one of the peer's) with `value`, or says what it takes instead.
type Set = for<'a> fn(Scheme<'a>, name: &str, value: &'a str) -> Result<Scheme<'a>, &'static str>;

/// Every scheme that can be named, family by family.
pub const FAMILIES: &[&[Peer]] = &[
    libketama::PEERS,
    libmemcached::PEERS,
    php_memcached::PEERS,
    pylibmc::PEERS,
    twemproxy::PEERS,
    memcached_proxy::PEERS,
    spymemcached::PEERS,
    xmemcached::PEERS,
    enyim::PEERS,
    folsom::PEERS,
    pecl_memcache::PEERS,
    nginx::PEERS,
    mcrouter::PEERS,
    jump::PEERS,
    couchbase::PEERS,
    python_memcached::PEERS,
    pymemcache::PEERS,
    uhashring::PEERS,
    hash_ring::PEERS,
    emcache::PEERS,
    snippets::PEERS,
    cache_memcached::PEERS,
    cache_memcached_fast::PEERS,
    dalli::PEERS,
    remcached::PEERS,
    node_hashring::PEERS,
    memjs::PEERS,
    crc32::PEERS,
    rust_memcache::PEERS,
];

/// Every scheme that can be named, in the order of [`FAMILIES`].
pub fn all() -> impl Iterator<Item = &'static Peer> {
    FAMILIES.iter().copied().flatten()
}

impl Peer {
    /// The peer of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        all().find(|peer| peer.scheme.name == name)
    }
}

impl<'a> Scheme<'a> {
    /// The scheme of this name, with every option at its default; [`all`] lists them.
    ///
    /// A client that has no scheme of its own is found by its [alias](aliases::ALIASES), as the scheme and the options that
    /// it stands for.
    ///
    /// ```
    /// use memring_core::Scheme;
    ///
    /// let libmc = Scheme::from_name("libmc").unwrap();
    /// assert_eq!((libmc.name, libmc.hash.name()), ("libmemcached-ketama", "md5"));
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Scheme<'static>> {
        match Peer::named(name) {
            Some(peer) => Some(peer.scheme),
            None => Alias::named(name)?.scheme().ok(),
        }
    }

    /// The scheme with one of its options set, by the names and values of the vector files.
    ///
    /// An option that only describes what a peer does anyway (`points-per-server`) is accepted if it describes it
    /// rightly. The order in which options are set does not matter.
    ///
    /// # Errors
    /// [`OptionError`] when the scheme has no such option or the option does not take the value.
    pub fn with_option(self, name: &str, value: &'a str) -> Result<Self, OptionError> {
        let Some(peer) = Peer::named(self.name).filter(|peer| peer.options.contains(&name)) else {
            return Err(OptionError::Unknown {
                known: Peer::named(self.name).map_or(&[], |peer| peer.options),
            });
        };
        (peer.set)(self, name, value).map_err(|expected| OptionError::Value { expected })
    }
}

/// The scheme unchanged, if `value` describes what it does anyway.
fn informs<'a>(scheme: Scheme<'a>, value: &str, expected: &'static str) -> Result<Scheme<'a>, &'static str> {
    if value == expected { Ok(scheme) } else { Err(expected) }
}

/// The scheme unchanged, if `value` describes what it does with some servers or options.
fn informs_one_of<'a>(
    scheme: Scheme<'a>,
    value: &str,
    values: &[&str],
    expected: &'static str,
) -> Result<Scheme<'a>, &'static str> {
    if values.contains(&value) { Ok(scheme) } else { Err(expected) }
}

/// The scheme with `prefix` before every key, hashed with it or not as the scheme has it.
fn namespace<'a>(scheme: Scheme<'a>, prefix: &'a str) -> Scheme<'a> {
    Scheme { key: KeyText { prefix: prefix.as_bytes(), ..scheme.key }, ..scheme }
}

/// The scheme with `prefix` before every key, and hashed with it.
fn hashed_namespace<'a>(scheme: Scheme<'a>, prefix: &'a str) -> Scheme<'a> {
    let key = KeyText { prefix: prefix.as_bytes(), hash_prefix: true, ..scheme.key };
    Scheme { key, ..scheme }
}

/// Reads a switch.
fn switch(value: &str) -> Result<bool, &'static str> {
    match value {
        "1" | "true" | "True" => Ok(true),
        "0" | "false" | "False" => Ok(false),
        _ => Err("0 or 1"),
    }
}

/// `text` before and behind the first `byte`, which is ASCII.
///
/// The standard library's own can panic as far as a linker sees.
fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let (before, behind) = text.split_at_checked(text.bytes().position(|other| other == byte)?)?;
    behind.get(1..).map(|behind| (before, behind))
}

/// Reads a whole number from 1 up.
fn count(value: &str) -> Result<u32, &'static str> {
    value.parse().ok().filter(|&count| count > 0).ok_or("a whole number above zero")
}
