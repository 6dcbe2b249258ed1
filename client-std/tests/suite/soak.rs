//! Many threads, servers that are killed at random: no caller ever gets another key's value.
//!
//! The long form, a million operations: `cargo test --release -p memring-std --test suite soak -- --ignored --nocapture`.

use core::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};
use std::{thread, time::Instant};

use memring_std::{Client, Error, ErrorKind, HealthPolicy, Ttl};

use crate::support::Memcached;

/// A value tells whose it is, which one it is, and whether it is whole.
fn value(key: &str, count: u64) -> Vec<u8> {
    let mut text = format!("{key}/{count}/");
    let filler = text.bytes().map(u64::from).sum::<u64>();
    text.extend(core::iter::repeat_n('x', usize::try_from(filler % 3000).unwrap()));
    format!("{text}/{}", text.len()).into_bytes()
}

fn belongs_to(key: &str, bytes: &[u8]) -> bool {
    let text = str::from_utf8(bytes).unwrap();
    let mut parts = text.split('/');
    let (owner, count) = (parts.next().unwrap(), parts.next().unwrap().parse().unwrap());
    owner == key && value(key, count) == bytes
}

/// What all threads share.
struct Soak {
    client: Client,
    seed: u64,
    is_over: AtomicBool,
    operations: AtomicUsize,
    hits: AtomicUsize,
    foreign: AtomicUsize,
    errors: AtomicUsize,
}

impl Soak {
    /// A server that dies may break off, and one that is away refuses. What would be a reply to someone else is a
    /// protocol error, and there is none.
    fn note(&self, error: &Error) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        use ErrorKind::{Closed, Connect, Down, Io, Timeout};
        let passing = [Connect, Closed, Down, Io, Timeout];
        assert!(passing.contains(&error.kind()), "{error:?}");
    }

    fn hit(&self, key: &str, bytes: &[u8]) {
        self.hits.fetch_add(1, Ordering::Relaxed);
        if !belongs_to(key, bytes) {
            self.foreign.fetch_add(1, Ordering::Relaxed);
            println!("{key}: {}", bytes.escape_ascii());
        }
    }

    fn operation(&self, random: &mut fastrand::Rng, count: u64) {
        let keys: Vec<_> = (0..10).map(|_| format!("key:{}", random.u32(..500))).collect();
        let key = &keys[0];
        let done = match random.u32(..10) {
            0..4 => self.client.set(key, value(key, count), Ttl::NEVER),
            4..8 => self.client.get(key).map(|item| {
                if let Some(item) = item {
                    self.hit(key, &item.value);
                }
            }),
            8 => self.client.delete(key).map(drop),
            _ => self.client.get_many(&keys).map(|found| {
                for (position, item) in found.hits() {
                    self.hit(&keys[position], &item.value);
                }
                found.errors().iter().for_each(|error| self.note(error));
            }),
        };
        if let Err(error) = done {
            self.note(&error);
        }
    }

    fn thread(&self, number: u64) {
        let mut random = fastrand::Rng::with_seed(self.seed ^ number);
        let mut count = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            count += 1;
            self.operations.fetch_add(1, Ordering::Relaxed);
            self.operation(&mut random, count);
        }
    }
}

/// Runs until as many `operations` were made, and for as long as `at_least`; a server is killed about every `pause`.
fn soak(threads: u64, health: Option<HealthPolicy>, operations: usize, at_least: Duration, pause: Duration) {
    let mut servers: Vec<_> = (0..4).map(|_| Memcached::start()).collect();
    let names: Vec<_> = servers.iter().map(Memcached::name).collect();
    let timeout = Duration::from_millis(500);
    let builder = Client::builder().servers(&names).pool_size(4).timeout(timeout).health_policy(health);
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let soak = Soak {
        client: builder.build().unwrap(),
        seed,
        is_over: AtomicBool::new(false),
        operations: AtomicUsize::new(0),
        hits: AtomicUsize::new(0),
        foreign: AtomicUsize::new(0),
        errors: AtomicUsize::new(0),
    };
    let begin = Instant::now();
    let mut kills = 0;
    thread::scope(|scope| {
        let shared = &soak;
        let threads: Vec<_> = (0..threads).map(|number| scope.spawn(move || shared.thread(number))).collect();
        while begin.elapsed() < at_least || soak.operations.load(Ordering::Relaxed) < operations {
            let server = fastrand::choice(&mut servers).unwrap();
            server.kill();
            kills += 1;
            thread::sleep(Duration::from_millis(20));
            *server = Memcached::start_on(server.port());
            thread::sleep(pause.mul_f64(fastrand::f64() + 0.5));
        }
        soak.is_over.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().unwrap();
        }
    });
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    println!(
        "{} operations in {:?}, {} hits, {} errors, {kills} kills, {} foreign values",
        count(&soak.operations),
        begin.elapsed(),
        count(&soak.hits),
        count(&soak.errors),
        count(&soak.foreign)
    );
    assert_eq!(count(&soak.foreign), 0);
    assert!(count(&soak.hits) > 1000);
}

#[test]
fn no_value_ever_reaches_another_key() {
    soak(16, Some(HealthPolicy::default()), 0, Duration::from_secs(3), Duration::from_millis(50));
}

#[test]
#[ignore = "takes some minutes"]
fn soak_of_a_million_operations() {
    // Every operation is sent, however often its server has failed.
    soak(64, None, 1_000_000, Duration::ZERO, Duration::from_millis(500));
}
