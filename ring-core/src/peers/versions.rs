//! Which version of each peer its scheme is proved with, and where other versions place keys elsewhere.

/// What is known about the peer of one or several schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Versions {
    /// The name of the scheme; with a `*` at the end, of all whose names begin so.
    pub schemes: &'static str,
    /// The version that made the vectors; [`READ`] where no peer made any.
    pub proved: &'static str,
    /// Where other versions, or other machines, differ, as far as that is known.
    pub others: &'static str,
}

/// What [`Versions::proved`] says where the rule is the peer's source alone.
pub const READ: &str = "read, not run";

impl Versions {
    /// What is known of the scheme `name`.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        VERSIONS.iter().find(|row| match row.schemes.strip_suffix('*') {
            Some(begin) => name.starts_with(begin),
            None => name == row.schemes,
        })
    }

    /// Whether the peer itself made vectors that the scheme is tested with.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.proved != READ
    }
}

/// Makes the table and its documentation of one text.
macro_rules! versions {
    ($($schemes:literal, $proved:literal, $others:literal;)*) => {
        /// Every scheme's versions, the first row that fits a name.
        ///
        #[doc = concat!(
            "| scheme | proved with | other versions and machines |\n|---|---|---|\n",
            $("| `", $schemes, "` | ", $proved, " | ", $others, " |\n",)*
        )]
        pub const VERSIONS: &[Versions] =
            &[$(Versions { schemes: $schemes, proved: $proved, others: $others },)*];
    };
}

versions! {
    "libketama", "RJ/ketama at 18cf9a7", "";
    "libmemcached-*", "libmemcached 1.1.4", "1.0.18: the same, by its source; before 1.1 two servers on one point depend on the C library's qsort. Where C's char has no sign, keys with bytes from 0x80 on are elsewhere";
    "php-memcached", "php-memcached 3.2.0 on libmemcached 1.1.4", "as libmemcached";
    "pylibmc-*", "pylibmc 1.6.3 on libmemcached 1.1.4", "as libmemcached";
    "twemproxy-*", "twemproxy 0.5.0", "where C's char has no sign, keys with bytes from 0x80 on are elsewhere";
    "memcached-proxy", "memcached at 2d51e3647 (July 2026)", "some older ones do not count the points of omode=default up, so that such a ring is of no use: by their source";
    "spymemcached-*", "spymemcached 2.12.3 on Java 17", "Java up to 13 prints IPv6 addresses and names without an address otherwise, and those are hashed";
    "xmemcached-*", "xmemcached at 5d09c5d1 (2.4.10-SNAPSHOT)", "the oldest, by their source: the last server on a point of a ring has it, and rings know no weights";
    "enyim", "EnyimMemcachedCore at e383c4c (March 2026)", "a DefaultNodeLocator with 1000 points of 64 bits, by MurmurHash3, has been in the repository for a time: an upgrade across it moves keys. EnyimMemcached for the .NET Framework: see the module";
    "folsom", "read, not run", "";
    "pecl-memcache-*", "pecl memcache 4.0.5.2", "";
    "nginx-*", "nginx 1.22.1", "";
    "mcrouter-*", "mcrouter at 9d7f4342", "";
    "jump", "dskit at 06829887", "";
    "couchbase-*", "libvbucket at 5590fff6", "";
    "python-memcached-or1", "python-memcached 1.59", "from 1.60 on it is python-memcached";
    "python-memcached*", "python-memcached 1.62", "up to 1.59 it is python-memcached-or1";
    "pymemcache-rendezvous", "pymemcache 4.0.0", "";
    "uhashring*", "uhashring 2.5", "";
    "bmemcached", "python-binary-memcached 0.33.0 on uhashring 2.5", "";
    "meta-memcache*", "meta-memcache 4.3.0 on uhashring 2.5", "";
    "hash-ring", "hash_ring 1.3.1, ported to Python 3", "";
    "emcache", "emcache 1.3.3", "";
    "consistent-hashing-py", "the published snippet, ported to Python 3", "";
    "python-ketama", "the published snippet with weights, ported to Python 3", "";
    "cache-memcached", "Cache::Memcached 1.30", "";
    "cache-memcached-fast*", "Cache::Memcached::Fast 0.28", "";
    "dalli", "Dalli 3.0.6 on Ruby 3.1", "namespace_separator is of newer versions, and read, not run. Equal points rest on a stable sort, as glibc has";
    "remcached", "remcached 0.4.1", "";
    "node-hashring*", "hashring 3.2.0, memcached 2.2.2 (npm)", "";
    "memjs", "memjs 1.3.2", "";
    "crc32-modulo", "String::CRC32 2.100 in the published loop", "";
    "gomemcache", "gomemcache of November 2014 on Go 1.19", "";
    "rust-memcache", "memcache 0.21.0", "the standard library may change its hash, and has not. On 32-bit machines the lower half of the hash counts: by its source";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers;

    #[test]
    fn every_scheme_has_a_row_and_every_row_a_scheme() {
        for peer in peers::all() {
            assert!(Versions::of(peer.scheme.name).is_some(), "{}", peer.scheme.name);
        }
        for row in VERSIONS {
            let used = peers::all().any(|peer| Versions::of(peer.scheme.name) == Some(row));
            assert!(used && !row.proved.is_empty(), "{row:?}");
        }
    }

    #[test]
    fn the_first_row_that_fits_counts() {
        let proved = |name| Versions::of(name).map(|row| row.proved);
        assert_eq!(proved("python-memcached-or1"), Some("python-memcached 1.59"));
        assert_eq!(proved("python-memcached-crc32"), Some("python-memcached 1.62"));
        assert_eq!(proved("nonesuch"), None);
    }
}
