//! What an operation costs: each verb, over and over, against memcached.
//!
//! ```text
//! cargo bench -p memring-std --bench operations
//! ```
//!
//! Given `--passes N`, the program only passes N times over 1000 keys of 32 bytes, with the `--operation` that is named
//! and as many `--servers`: `.ci/instructions` counts what one pass more takes.
//!
//! The same beside other clients is a package of its own, so that tests need none of them:
//!
//! ```text
//! cargo run --release --manifest-path client-std/benches/peers/Cargo.toml
//! ```

mod memcached;

use core::hint::black_box;
use std::{env, time::Instant};

use memcached::Memcached;
use memring_std::{Client, Ttl};

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let given = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)
    };
    if let Some(passes) = given("--passes") {
        let servers = given("--servers").map_or(1, |count| count.parse().expect("a number of servers"));
        let name = given("--operation").expect("an operation");
        let (_, pass) =
            OPERATIONS.iter().find(|(known, _)| known == name).expect("an operation that is known");
        let fleet = Fleet::start(servers);
        for _ in 0..passes.parse().expect("a number of passes") {
            pass(&fleet);
        }
        return;
    }
    // Run as a test, each operation only shows that it works.
    let passes = if arguments.iter().any(|argument| argument == "--bench") { 20 } else { 1 };
    for servers in [1, 8] {
        let fleet = Fleet::start(servers);
        for (name, pass) in OPERATIONS {
            let start = Instant::now();
            (0..passes).for_each(|_| pass(&fleet));
            let keys = (passes * fleet.keys.len()) as u32;
            println!("{name}, {servers} servers: {:?} a key", start.elapsed() / keys);
        }
    }
}

/// One pass of an operation over all keys.
type Pass = fn(&Fleet);

const OPERATIONS: [(&str, Pass); 7] = [
    ("get_into", |fleet| {
        let mut room = Vec::with_capacity(VALUE.len());
        for key in &fleet.keys {
            room.clear();
            let item = fleet.client.get_into(black_box(key), &mut room);
            assert!(item.is_ok_and(|item| item.is_some_and(|item| item.value.len() == VALUE.len())));
        }
    }),
    ("get", |fleet| {
        for key in &fleet.keys {
            let item = fleet.client.get(black_box(key));
            assert!(item.is_ok_and(|item| item.is_some_and(|item| item.value.len() == VALUE.len())));
        }
    }),
    ("fetch", |fleet| {
        for key in &fleet.keys {
            let load = || -> Result<Vec<u8>, ()> { unreachable!("every key is there") };
            let value = fleet.client.fetch(black_box(key), Ttl::NEVER, load);
            assert!(value.is_ok_and(|value| value.len() == VALUE.len()));
        }
    }),
    ("set", |fleet| {
        for key in &fleet.keys {
            assert!(fleet.client.set(black_box(key), VALUE, Ttl::NEVER).is_ok());
        }
    }),
    ("get_many", |fleet| {
        for keys in fleet.keys.chunks(100) {
            let found = fleet.client.get_many(black_box(keys)).expect("keys are keys");
            assert_eq!(found.hits().count(), keys.len());
        }
    }),
    ("get_many_with", |fleet| {
        for keys in fleet.keys.chunks(100) {
            let mut bytes = 0;
            let found = fleet.client.get_many_with(black_box(keys), |_, item| bytes += item.value.len());
            assert!(found.is_ok_and(|found| found.errors().is_empty()));
            assert_eq!(bytes, keys.len() * VALUE.len());
        }
    }),
    ("set_many", |fleet| {
        let items: Vec<_> = fleet.keys.iter().map(|key| (key, VALUE)).collect();
        for items in items.chunks(100) {
            let stored = fleet.client.set_many(black_box(items), Ttl::NEVER).expect("keys are keys");
            assert!(stored.errors().is_empty());
        }
    }),
];

/// Servers that hold every key, and a client of them.
struct Fleet {
    client: Client,
    keys: Vec<String>,
    _servers: Vec<Memcached>,
}

impl Fleet {
    fn start(count: usize) -> Self {
        let servers: Vec<_> = (0..count).map(Memcached::start).collect();
        let client = Client::connect(servers.iter().map(Memcached::name)).expect("names of servers");
        let keys: Vec<_> = (0..1000).map(|number| format!("{:x<32}", format!("key:{number:05}:"))).collect();
        for key in &keys {
            client.set(key, VALUE, Ttl::NEVER).expect("memcached stores");
        }
        Self { client, keys, _servers: servers }
    }
}

/// What every key holds.
const VALUE: &[u8] = &[b'v'; 100];
