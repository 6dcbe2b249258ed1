//! Three keys on two lists of servers, as each peer of the scripting languages orders them: the table to look things up in.

use memring_core::{Placement, Scheme, Server, ServerIndex};

const KEYS: [&str; 3] = ["tokyo", "some_key", "user:123:profile"];

/// Three servers that weigh the same.
const EQUAL: [(&str, u32); 3] = [("10.0.1.1:11211", 1), ("10.0.1.2:11211", 1), ("10.0.1.3:11211", 1)];

/// Three that weigh one, two and three, the last on another port.
const WEIGHTED: [(&str, u32); 3] = [("10.0.1.1:11211", 1), ("10.0.1.2:11211", 2), ("10.0.1.3:11212", 3)];

/// A scheme, its options, a list, and for each key the order of its servers; of a scheme without fallback the primary.
type Example =
    (&'static str, &'static [(&'static str, &'static str)], [(&'static str, u32); 3], [&'static str; 3]);

const EXAMPLES: &[Example] = &[
    ("python-memcached", &[], EQUAL, ["210", "102", "120"]),
    ("python-memcached", &[], WEIGHTED, ["210", "21", "12"]),
    ("python-memcached-crc32", &[], EQUAL, ["120", "021", "210"]),
    ("cache-memcached", &[], EQUAL, ["201", "102", "102"]),
    ("cache-memcached", &[], WEIGHTED, ["201", "210", "120"]),
    ("cache-memcached", &[("no_rehash", "1")], WEIGHTED, ["2", "2", "1"]),
    ("crc32-modulo", &[], EQUAL, ["1", "0", "2"]),
    ("gomemcache", &[], EQUAL, ["1", "0", "2"]),
    ("meta-memcache-crc32", &[], EQUAL, ["1", "0", "2"]),
    ("memjs", &[], EQUAL, ["201", "120", "012"]),
    ("remcached", &[], EQUAL, ["210", "210", "210"]),
    ("cache-memcached-fast", &[], EQUAL, ["2", "1", "1"]),
    ("cache-memcached-fast", &[], WEIGHTED, ["2", "2", "1"]),
    ("cache-memcached-fast-ketama", &[("ketama_points", "150")], EQUAL, ["1", "1", "2"]),
    ("cache-memcached-fast-ketama", &[("ketama_points", "150")], WEIGHTED, ["2", "1", "1"]),
    ("dalli", &[], EQUAL, ["012", "201", "102"]),
    ("dalli", &[], WEIGHTED, ["201", "201", "120"]),
    ("node-hashring", &[], EQUAL, ["210", "201", "102"]),
    ("node-hashring", &[], WEIGHTED, ["120", "201", "102"]),
    ("node-hashring-ketama", &[], EQUAL, ["012", "210", "201"]),
    ("node-hashring-ketama", &[], WEIGHTED, ["012", "210", "021"]),
    ("node-hashring-hash-ring", &[], EQUAL, ["210", "201", "102"]),
    ("hash-ring", &[], EQUAL, ["210", "201", "102"]),
    ("hash-ring", &[], WEIGHTED, ["120", "201", "102"]),
    ("uhashring", &[], EQUAL, ["102", "120", "201"]),
    ("uhashring", &[], WEIGHTED, ["102", "210", "201"]),
    ("uhashring-ketama", &[], EQUAL, ["210", "201", "102"]),
    ("uhashring-ketama", &[], WEIGHTED, ["120", "201", "102"]),
    ("bmemcached", &[], EQUAL, ["0", "0", "1"]),
    ("meta-memcache", &[], EQUAL, ["1", "1", "2"]),
    ("pymemcache-rendezvous", &[], EQUAL, ["021", "120", "012"]),
    ("emcache", &[], EQUAL, ["201", "102", "102"]),
    ("consistent-hashing-py", &[("replicas", "100")], EQUAL, ["2", "1", "1"]),
    ("python-ketama", &[], EQUAL, ["012", "012", "012"]),
    ("python-ketama", &[], WEIGHTED, ["102", "012", "012"]),
];

#[test]
fn every_example_comes_out() {
    for (name, options, servers, expected) in EXAMPLES {
        let scheme = options.iter().fold(Scheme::from_name(name).unwrap(), |scheme, (option, value)| {
            scheme.with_option(option, value).unwrap()
        });
        let servers = servers.map(|(name, weight)| Server::new(name).weighing(weight));
        let placement = Placement::owned(scheme, servers).unwrap();
        for (key, expected) in KEYS.iter().zip(expected) {
            let mut out = [ServerIndex::default(); 3];
            let order: String =
                placement.order(key.as_bytes(), &mut out).iter().map(ToString::to_string).collect();
            assert_eq!(order, *expected, "{name}, {key}");
        }
    }
}
