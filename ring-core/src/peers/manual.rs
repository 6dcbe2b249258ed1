//! What each option of a scheme means, in a line, and its default; the schemes' own files say more.
//!
//! [`Peer::takes`] says which values an option takes, in the words in which it refuses others.

use super::{Peer, traps::is_about};

/// An option of one or several schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manual {
    /// The name of the scheme; with a `*` at the end, of all whose names begin so; `*` alone is any.
    pub schemes: &'static str,
    /// The option's name.
    pub option: &'static str,
    /// The value that changes nothing; empty if there is none to write.
    pub default: &'static str,
    /// What it says.
    pub means: &'static str,
}

impl Manual {
    /// The option `option` of the scheme `scheme`.
    #[must_use]
    pub fn of(scheme: &str, option: &str) -> Option<&'static Self> {
        MANUALS.iter().find(|manual| manual.option == option && is_about(manual.schemes, scheme))
    }
}

impl Peer {
    /// Which values the option `option` takes.
    #[must_use]
    pub fn takes(&self, option: &str) -> &'static str {
        // Only an option that takes any text takes this one.
        match (self.set)(self.scheme, option, "\u{1}?\u{1}?\u{1}?") {
            Err(expected) => expected,
            Ok(_) => "any text",
        }
    }
}

/// Makes the table and its documentation of one text.
macro_rules! manuals {
    ($($schemes:literal $option:literal $default:literal $means:literal)*) => {
        /// Every option. The first line that fits a scheme counts.
        ///
        /// | option | of | default | means |
        /// |---|---|---|---|
        $(#[doc = concat!("| `", $option, "` | `", $schemes, "` | ", $default, " | ", $means, " |")])*
        pub const MANUALS: &[Manual] =
            &[$(Manual { schemes: $schemes, option: $option, default: $default, means: $means }),*];
    };
}

manuals! {
    "libmemcached-ketama-weighted" "hash" "md5"
        "the hash of keys; points are MD5 all the same"
    "libmemcached-*" "hash" "default"
        "the hash of keys and, on a ring without weights, of points"
    "php-memcached" "hash" "default"
        "OPT_HASH: the hash of keys and, on a ring without weights, of points"
    "pylibmc-ketama-weighted" "hash" ""
        "has no effect: ketama_weighted sets md5 after it"
    "pylibmc-*" "hash" "default"
        "the behavior hash: of keys and, on a ring without weights, of points"
    "twemproxy-*" "hash" "fnv1a_64"
        "the pool's hash, of keys; crc32 keeps 15 bits of 32"
    "memcached-proxy" "hash" "xxhash"
        "of keys: ring_hash is mcp.dist_ring_hash.hash, which is ketama's MD5"
    "spymemcached-ketama" "hash" "KETAMA_HASH"
        "setHashAlg; without it a ConnectionFactoryBuilder has NATIVE_HASH"
    "spymemcached-modulo" "hash" "NATIVE_HASH"
        "setHashAlg"
    "xmemcached-ketama*" "hash" "KETAMA_HASH"
        "the locator's HashAlgorithm, of keys and points"
    "xmemcached-libmemcached" "hash" "ONE_AT_A_TIME"
        "the locator's HashAlgorithm, of keys and points"
    "xmemcached-election" "hash" "ELECTION_HASH"
        "the locator's HashAlgorithm"
    "xmemcached-*" "hash" "NATIVE_HASH"
        "the locator's HashAlgorithm, of keys"
    "pecl-memcache-*" "hash" "crc32"
        "memcache.hash_function"
    "pecl-memcache-*" "hash_strategy" ""
        "checked: the strategy that the scheme has"
    "pecl-memcache-*" "allow_failover" "1"
        "whether a dead server's keys move"
    "pecl-memcache-*" "max_failover_attempts" "20"
        "how many servers are tried"
    "python-memcached*" "hash" ""
        "checked: the hash that the scheme has"
    "*" "hash" ""
        "checked: the hash that the scheme has"
    "libmemcached-*" "points-hash" ""
        "the hash of points, where HASH was set after the servers: what it was before"
    "php-memcached" "points-hash" ""
        "the hash of points, where OPT_HASH was set after the servers: what it was before"
    "spymemcached-ketama" "points-hash" ""
        "what points are made with unless there are weights; md5 is four to a digest"
    "twemproxy-ketama" "points-hash" "md5"
        "checked"
    "libmemcached-*" "configured" "behavior-then-servers"
        "what the program did first; servers-then-behavior ignores weights"
    "php-memcached" "options-set" "before-addServers"
        "whether setOption came before addServer; after-addServers ignores the weights of a ring that is consistent"
    "libmemcached-spy" "weighted" ""
        "whether KETAMA_WEIGHTED was set before; unless said, a weight above 1 decides"
    "spymemcached-ketama" "weighted" "0"
        "whether the locator was given weights"
    "php-memcached" "distribution" "modula"
        "OPT_DISTRIBUTION; consistent-weighted is OPT_LIBKETAMA_COMPATIBLE"
    "pylibmc-*" "distribution" ""
        "checked: the distribution that the scheme has"
    "php-memcached" "php-options" "none"
        "the calls of setOption in their order: OPT_HASH=HASH_MD5 …"
    "libmemcached-vbucket" "buckets" "none"
        "the server of each bucket, by its number"
    "couchbase-vbucket" "buckets" ""
        "the active server of each vbucket, by its number; must be given"
    "php-memcached" "buckets" "none"
        "setBucket: the server of each bucket, by its number"
    "libmemcached-*" "prefix" ""
        "PREFIX_KEY: sent before each key, not hashed unless hash_with_prefix_key=1"
    "php-memcached" "prefix" ""
        "OPT_PREFIX_KEY: sent before each key, not hashed"
    "pecl-memcache-*" "prefix" ""
        "memcache.prefix_static_key: sent before each key, and hashed"
    "libmemcached-*" "hash_with_prefix_key" "0"
        "HASH_WITH_PREFIX_KEY: whether prefix is hashed with the key"
    "*" "sort_hosts" "0"
        "SORT_HOSTS: whether the list is sorted by host, then port"
    "*" "auto_eject_hosts" "0"
        "whether a dead server is taken out and its keys move to the others"
    "libmemcached-*" "points-per-server" ""
        "checked"
    "*" "points-per-server" ""
        "checked: the points that the scheme has"
    "*" "server-order" ""
        "checked: the order that the scheme has"
    "twemproxy-*" "hash_tag" ""
        "two characters; only what stands between them in a key is hashed, if there is any"
    "twemproxy-*" "name-rule" "host, :port unless 11211"
        "how a server is named: verbatim where the pool gives it a name of its own"
    "spymemcached-ketama" "name-format" "SPYMEMCACHED"
        "KetamaNodeKeyFormatter: how a server is named"
    "memcached-proxy" "dist" "jump_hash"
        "ring_hash is mcp.dist_ring_hash"
    "memcached-proxy" "seed" ""
        "the pool's seed; hash=ring_hash ignores it"
    "memcached-proxy" "filter" ""
        "which part of a key is hashed; goes with filter_conf"
    "memcached-proxy" "filter_conf" ""
        "where that part ends (stop), or the two bytes around it (tags)"
    "memcached-proxy" "omode" "default"
        "how the points of a ring are made; not how keys are hashed"
    "memcached-proxy" "obuckets" "160"
        "points of every server"
    "xmemcached-libmemcached" "numReps" "100"
        "points of every server"
    "enyim" "locator" "default"
        "legacy is UseLegacyNodeLocator"
    "mcrouter-*" "hash_func" ""
        "checked: the hash_func that the scheme has"
    "mcrouter-*" "salt" ""
        "hashed behind the key"
    "mcrouter-weighted-ch3" "weights" ""
        "which part of its keys a server keeps; 0.5 for servers without one"
    "libketama" "points-in-ring" ""
        "checked: how many points the finished ring must have"
    "cache-memcached-fast*" "namespace" ""
        "sent before each key; hashed only with hash_namespace=1"
    "cache-memcached" "namespace" ""
        "sent before each key, not hashed"
    "dalli" "namespace" ""
        "sent before each key, with a colon behind it, and hashed"
    "node-hashring-ketama" "namespace" ""
        "sent before each key, with nothing behind it, and hashed"
    "cache-memcached-fast*" "hash_namespace" "0"
        "whether namespace is hashed"
    "cache-memcached" "no_rehash" "0"
        "whether a dead server's keys stay where they are"
    "cache-memcached-fast-ketama" "ketama_points" ""
        "points of a server of weight 1; must be given as the program has it"
    "*" "key-form" ""
        "the caller passes a number of its own with each key: NUMBER:key"
    "*" "key-type" "str"
        "what the program passes for a key; bytes are hashed as Python prints them"
    "dalli" "namespace_separator" ":"
        "what stands behind namespace (newer versions)"
    "dalli" "digest_class" "md5"
        "the digest at the end of a shortened key"
    "dalli" "failover" "1"
        "whether a dead server's keys move"
    "node-hashring*" "compatibility" ""
        "checked: the compatibility that the scheme has"
    "node-hashring*" "algorithm" "md5"
        "the digest of points and keys"
    "node-hashring*" "vnodes" "40"
        "digests of a server of average weight, four points each, three with hash_ring"
    "uhashring*" "vnodes" ""
        "points, or digests in mode ketama, of a server of weight 1"
    "uhashring-ketama" "replicas" "4"
        "points of a digest"
    "*" "replicas" ""
        "points of a server"
    "bmemcached" "username" ""
        "the name to log in with, which is part of every server's name"
    "bmemcached" "password" ""
        "the password to log in with, which is part of every server's name"
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::{Placement, Server, peers, scheme::Scheme};

    const SERVERS: [Server<'static>; 4] = [
        Server::new("10.0.1.1:11211"),
        Server::new("10.0.1.2:11212"),
        Server::new("10.0.1.3:11211"),
        Server::new("10.0.1.4:11213"),
    ];

    #[test]
    fn every_option_has_one_line_and_every_line_is_some_option_s() {
        let told = peers::all().flat_map(|peer| peer.options.iter().map(move |option| (peer, *option)));
        let (mut used, mut missing) = (Vec::new(), Vec::new());
        for (peer, option) in told {
            match Manual::of(peer.scheme.name, option) {
                Some(manual) => used.push(manual),
                None => missing.push((peer.scheme.name, option)),
            }
            assert!(!peer.takes(option).is_empty());
        }
        assert_eq!(missing, []);
        for manual in MANUALS {
            assert!(used.contains(&manual), "{manual:?}: nobody's");
        }
    }

    #[test]
    fn a_default_changes_nothing() {
        let mut wrong = Vec::new();
        for (peer, option) in
            peers::all().flat_map(|peer| peer.options.iter().map(move |option| (peer, *option)))
        {
            let default = Manual::of(peer.scheme.name, option).map_or("", |manual| manual.default);
            let same = |scheme| orders(scheme) == orders(peer.scheme);
            if !default.is_empty() && !peer.scheme.with_option(option, default).is_ok_and(same) {
                wrong.push((peer.scheme.name, option, default));
            }
        }
        assert_eq!(wrong, []);
    }

    /// The servers of a thousand keys, in order, or nothing if the scheme wants more options.
    fn orders(scheme: Scheme<'_>) -> Option<Vec<Vec<usize>>> {
        let placement = Placement::owned(scheme, SERVERS).ok()?;
        let order = |number: usize| {
            let key = std::format!("key:{number}");
            let mut order = [crate::ServerIndex::default(); 4];
            placement.order(key.as_bytes(), &mut order).iter().map(|server| server.get()).collect()
        };
        Some((0..1000).map(order).collect())
    }
}
