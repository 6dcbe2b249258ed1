//! Our blocking client against other clients and a bare socket, over a real memcached on the loopback interface.
//!
//! ```text
//! cargo run --release --manifest-path client-std/benches/peers/Cargo.toml
//! ```
//!
//! Keys of 32 bytes, values of 100, one server, all hits. A round trip is some 50 us of the kernel's, of which the
//! client's own code is less than one: what tells good clients apart are instructions (`.ci/instructions`), system calls
//! and allocations. Allocations that a library of C makes are not seen here.

mod contest;
#[cfg(libmemcached)]
mod libmemcached;
mod memcached;
mod raw;
#[path = "../../../../ring-core/benches/peers/src/thread_time.rs"]
mod thread_time;

use std::{alloc::System, net::SocketAddr};

use contest::{Bound, Client, Contestant, Goal, VALUE, Verb, run};
use memcached::Memcached;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATIONS: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const RAW: &str = "raw socket";
const OURS: &str = "memring";
const OURS_LENT: &str = "memring, items lent";
const MEMCACHE: &str = "memcache 0.21";
const LIBMEMCACHED: &str = "libmemcached";

const GOALS: &[Goal] = &[
    Goal { verb: Verb::Get, ours: OURS_LENT, theirs: RAW, bound: Bound::Processor { most: 1.08 } },
    Goal { verb: Verb::Get, ours: OURS_LENT, theirs: RAW, bound: Bound::Speed { least: 0.93 } },
    Goal { verb: Verb::Get, ours: OURS, theirs: MEMCACHE, bound: Bound::Speed { least: 2.0 } },
    Goal { verb: Verb::Set, ours: OURS, theirs: RAW, bound: Bound::Processor { most: 1.08 } },
    Goal { verb: Verb::Set, ours: OURS, theirs: RAW, bound: Bound::Speed { least: 0.93 } },
    Goal { verb: Verb::Set, ours: OURS, theirs: MEMCACHE, bound: Bound::Speed { least: 3.0 } },
    Goal { verb: Verb::GetMany, ours: OURS_LENT, theirs: RAW, bound: Bound::Speed { least: 0.85 } },
    Goal { verb: Verb::GetMany, ours: OURS, theirs: LIBMEMCACHED, bound: Bound::Speed { least: 1.2 } },
    Goal { verb: Verb::GetMany, ours: OURS, theirs: MEMCACHE, bound: Bound::Speed { least: 2.0 } },
];

fn main() {
    println!("{}", Memcached::version());
    match option_env!("LIBMEMCACHED_VERSION") {
        Some(version) => println!("{LIBMEMCACHED} {version}"),
        None => println!("{LIBMEMCACHED} is not installed with its headers and is left out"),
    }
    let server = Memcached::start();
    let mut contestants: Vec<Contestant> = vec![
        (RAW, |server| Box::new(raw::Raw::new(server))),
        (OURS, |server| Box::new(Ours(ours(server)))),
        (OURS_LENT, |server| Box::new(Lent { client: ours(server), room: Vec::new() })),
        (MEMCACHE, |server| {
            let url = format!("memcache://{server}?protocol=ascii");
            Box::new(Memcache(memcache::connect(url).expect("memcached listens")))
        }),
    ];
    #[cfg(libmemcached)]
    contestants.push((LIBMEMCACHED, |server| Box::new(libmemcached::Libmemcached::new(server))));
    run(server.addr, &contestants, GOALS);
}

fn ours(server: SocketAddr) -> memring_std::Client {
    memring_std::Client::connect([server.to_string()]).expect("an address")
}

/// Every value in a vector of its own.
struct Ours(memring_std::Client);

impl Client for Ours {
    fn get(&mut self, key: &str) -> usize {
        self.0.get(key).expect("memcached answers").map_or(0, |item| item.value.len())
    }

    fn set(&mut self, key: &str) {
        self.0.set(key, VALUE, memring_std::Ttl::NEVER).expect("memcached stores");
    }

    fn get_many(&mut self, keys: &[String]) -> usize {
        let found = self.0.get_many(keys).expect("keys are keys");
        found.hits().map(|(_, item)| item.value.len()).sum()
    }
}

/// Values in room that is used again, or as they lie in the connection's.
struct Lent {
    client: memring_std::Client,
    room: Vec<u8>,
}

impl Client for Lent {
    fn get(&mut self, key: &str) -> usize {
        self.room.clear();
        let item = self.client.get_into(key, &mut self.room).expect("memcached answers");
        item.map_or(0, |item| item.value.len())
    }

    fn set(&mut self, key: &str) {
        self.client.set(key, VALUE, memring_std::Ttl::NEVER).expect("memcached stores");
    }

    fn get_many(&mut self, keys: &[String]) -> usize {
        let mut sum = 0;
        self.client.get_many_with(keys, |_, item| sum += item.value.len()).expect("keys are keys");
        sum
    }
}

struct Memcache(memcache::Client);

impl Client for Memcache {
    fn get(&mut self, key: &str) -> usize {
        let value: Option<Vec<u8>> = self.0.get(key).expect("memcached answers");
        value.map_or(0, |value| value.len())
    }

    fn set(&mut self, key: &str) {
        self.0.set(key, VALUE, 0).expect("memcached stores");
    }

    fn get_many(&mut self, keys: &[String]) -> usize {
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let found: std::collections::HashMap<String, Vec<u8>> =
            self.0.gets(&keys).expect("memcached answers");
        found.values().map(Vec::len).sum()
    }
}
