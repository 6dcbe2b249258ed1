//! Our ketama against other libraries that place keys.
//!
//! ```text
//! cargo run --release --manifest-path ring-core/benches/peers/Cargo.toml
//! ```
//!
//! The `ketama` crate and libmemcached build the same ring as we do and find the same servers. `hashring` and `jumphash`
//! place keys where no memcached client does and are here because they hash with less: SipHash in place of MD5.

#[path = "../../contest.rs"]
mod contest;
#[cfg(libmemcached)]
mod libmemcached;
mod thread_time;

use std::hash::{Hash, Hasher};

use contest::{Contestant, GOALS_MD5, Goal, MD5, OURS, OURS_MANY, Placer, goal};
use hashring::HashRing;
use jumphash::JumpHasher;
use memring_core::ServerIndex;
use thread_time::thread_time;

fn main() {
    let mut contestants = vec![MD5, OURS, OURS_MANY, KETAMA, HASHRING, JUMPHASH];
    #[cfg(libmemcached)]
    contestants.push(libmemcached::LIBMEMCACHED);
    #[cfg(not(libmemcached))]
    println!("libmemcached is not installed with its headers and is left out\n");
    contest::run(thread_time, &contestants, &[GOALS_MD5, GOALS], true);
}

const GOALS: &[Goal] = &[
    goal(OURS, KETAMA, 0.55, &[100, 1000], 32),
    Goal { ours: OURS.name, theirs: KETAMA.name, most: 0.70, servers: &[3, 8, 100, 1000], key_len: None },
    goal(OURS, Contestant { name: LIBMEMCACHED, ..MD5 }, 0.55, &[100], 32),
    // 3.5 times as many lookups a second.
    goal(OURS_MANY, Contestant { name: LIBMEMCACHED, ..MD5 }, 1.0 / 3.5, &[3, 8, 100], 32),
];

/// What libmemcached is called, also where it is not installed.
const LIBMEMCACHED: &str = "libmemcached";

const KETAMA: Contestant = Contestant {
    name: "ketama 0.0.2",
    build: |names| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Some(Box::new(Ketama(ketama::Ring::build(&names))))
    },
};

struct Ketama(ketama::Ring);

impl Placer for Ketama {
    fn place(&self, keys: &[&[u8]], out: &mut [ServerIndex]) {
        for (server, key) in out.iter_mut().zip(keys) {
            *server = ServerIndex::new(self.0.route(key) as u16);
        }
    }

    fn points(&self) -> Option<usize> {
        Some(self.0.point_count())
    }

    fn bytes(&self) -> Option<usize> {
        Some(self.0.point_count() * size_of::<(u32, u16)>())
    }
}

const HASHRING: Contestant = Contestant {
    name: "hashring 0.3, SipHash",
    build: |names| {
        let mut ring = HashRing::new();
        let points = names.iter().zip(0..).flat_map(|(name, server)| {
            (0..160).map(move |number| Point { name, number, server: ServerIndex::new(server) })
        });
        ring.batch_add(points.collect());
        Some(Box::new(Hashring(ring)))
    },
};

struct Hashring<'n>(HashRing<Point<'n>>);

#[derive(Clone, Copy)]
struct Point<'n> {
    name: &'n str,
    number: u16,
    server: ServerIndex,
}

impl Hash for Point<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.name, self.number).hash(state);
    }
}

impl Placer for Hashring<'_> {
    fn place(&self, keys: &[&[u8]], out: &mut [ServerIndex]) {
        for (server, key) in out.iter_mut().zip(keys) {
            *server = self.0.get(key).map_or(ServerIndex::default(), |point| point.server);
        }
    }

    fn points(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

const JUMPHASH: Contestant = Contestant {
    name: "jumphash 0.1, SipHash",
    build: |names| {
        Some(Box::new(Jumphash { hasher: JumpHasher::new_with_keys(1, 2), servers: names.len() as u32 }))
    },
};

struct Jumphash {
    hasher: JumpHasher,
    servers: u32,
}

impl Placer for Jumphash {
    fn place(&self, keys: &[&[u8]], out: &mut [ServerIndex]) {
        for (server, key) in out.iter_mut().zip(keys) {
            *server = ServerIndex::new(self.hasher.slot(key, self.servers) as u16);
        }
    }
}
