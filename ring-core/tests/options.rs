//! Options as the vector files write them.

mod common;

use std::{collections::BTreeSet, fs};

use common::vector::Vector;
use memring_core::{
    Placement, Scheme, Server, ServerIndex, peers,
    scheme::{BuildError, OptionError},
};

/// Where the first keys of a file are when its options are set in this order.
fn placed<'t>(
    vector: &Vector<'t>,
    options: impl Iterator<Item = &'t (&'t str, &'t str)>,
) -> Result<Vec<ServerIndex>, BuildError> {
    let scheme: Scheme<'t> = Scheme::from_name(vector.scheme).unwrap();
    let scheme = options.fold(scheme, |scheme, (name, value)| scheme.with_option(name, value).unwrap());
    let placement = Placement::owned(scheme, &*vector.servers)?;
    let mut out = vec![ServerIndex::default(); vector.servers.len()];
    let keys = vector.rows.iter().take(20);
    Ok(keys.flat_map(|row| placement.order(&row.key, &mut out).to_vec()).collect())
}

#[test]
fn the_order_in_which_options_are_set_does_not_matter() {
    let mut seen = BTreeSet::new();
    for path in common::vector::files() {
        let text = fs::read_to_string(&path).unwrap();
        let vector = Vector::parse(&text);
        // One list of servers for each set of options is enough, if it is a short one.
        let options: Vec<String> = vector.options.iter().map(|option| format!("{option:?}")).collect();
        if vector.servers.len() > 12 || !seen.insert((vector.scheme.to_owned(), options)) {
            continue;
        }
        let expected = placed(&vector, vector.options.iter());
        for turn in 0..vector.options.len() {
            let (front, back) = vector.options.split_at(turn);
            assert_eq!(placed(&vector, back.iter().chain(front)), expected, "{}", path.display());
            assert_eq!(
                placed(&vector, front.iter().rev().chain(back.iter().rev())),
                expected,
                "{}",
                path.display()
            );
        }
    }
    assert!(seen.len() > 100);
}

#[test]
fn no_option_takes_what_means_nothing() {
    let free_text = [
        "prefix",
        "salt",
        "namespace",
        "namespace_separator",
        "hash_tag",
        "username",
        "password",
        "seed",
        "filter_conf",
    ];
    for peer in peers::all() {
        for name in peer.options.iter().filter(|name| !free_text.contains(name)) {
            for value in ["nonsense", "", "\u{1F600}", "-1", "99999999999999999999"] {
                assert!(
                    matches!(peer.scheme.with_option(name, value), Err(OptionError::Value { .. })),
                    "{} takes {name}={value}",
                    peer.scheme.name
                );
            }
        }
        assert!(matches!(
            peer.scheme.with_option("no such option", "1"),
            Err(OptionError::Unknown { known }) if known == peer.options
        ));
    }
}

#[test]
fn a_scheme_is_what_its_peer_does_by_default() {
    // For each option that has one, its default changes nothing.
    for (scheme, option, default) in [
        ("libmemcached-ketama", "hash", "default"),
        ("libmemcached-ketama", "configured", "behavior-then-servers"),
        ("libmemcached-ketama-weighted", "hash", "md5"),
        ("libmemcached-vbucket", "buckets", "none"),
        ("libmemcached-modula", "hash_with_prefix_key", "0"),
        ("libmemcached-modula", "sort_hosts", "0"),
        ("php-memcached", "distribution", "modula"),
        ("php-memcached", "options-set", "before-addServers"),
        ("php-memcached", "php-options", "none"),
        ("pylibmc-ketama", "hash", "default"),
        ("twemproxy-ketama", "hash", "fnv1a_64"),
        ("twemproxy-ketama", "name-rule", "host, :port unless 11211"),
        ("twemproxy-modula", "auto_eject_hosts", "false"),
        ("spymemcached-ketama", "hash", "KETAMA_HASH"),
        ("spymemcached-ketama", "weighted", "0"),
        ("spymemcached-ketama", "name-format", "SPYMEMCACHED"),
        ("spymemcached-modulo", "hash", "NATIVE_HASH"),
        ("pecl-memcache-standard", "hash", "crc32"),
        ("pecl-memcache-consistent", "hash", "crc32"),
        ("pecl-memcache-consistent", "max_failover_attempts", "20"),
        ("pecl-memcache-consistent", "allow_failover", "1"),
        ("mcrouter-ch3", "salt", ""),
        ("mcrouter-weighted-ch3", "weights", "0.5"),
        ("dalli", "digest_class", "md5"),
        ("dalli", "namespace_separator", ":"),
        ("memcached-proxy", "dist", "jump_hash"),
        ("memcached-proxy", "hash", "xxhash"),
        ("memcached-proxy", "omode", "default"),
        ("memcached-proxy", "obuckets", "160"),
        ("enyim", "locator", "default"),
        ("xmemcached-array", "hash", "NATIVE_HASH"),
        ("xmemcached-phpmemcache", "hash", "NATIVE_HASH"),
        ("xmemcached-ketama", "hash", "KETAMA_HASH"),
        ("xmemcached-ketama-nginx", "hash", "KETAMA_HASH"),
        ("xmemcached-election", "hash", "ELECTION_HASH"),
        ("xmemcached-libmemcached", "hash", "ONE_AT_A_TIME"),
        ("xmemcached-libmemcached", "numReps", "100"),
    ] {
        let plain: Scheme<'static> = Scheme::from_name(scheme).unwrap();
        let set = plain.with_option(option, default).unwrap();
        let servers = ["b:11211", "a:11212", "c:11211", "ab:11211"].map(|name| Server::new(name).weighing(2));
        let [plain, set] = [plain, set].map(|scheme| Placement::owned(scheme, servers).unwrap());
        for key in 0..=255_u8 {
            let mut outs = [[ServerIndex::default(); 4]; 2];
            let [one, other] = &mut outs;
            assert_eq!(plain.order(&[key], one), set.order(&[key], other), "{scheme} {option}");
        }
    }
}
