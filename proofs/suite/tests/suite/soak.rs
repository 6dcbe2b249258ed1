//! Many callers without patience, servers that are killed and stopped: no caller ever gets another key's value.
//!
//! The long form, a million operations: `cargo test --release -p memring-suite soak -- --ignored --nocapture`.

use core::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};
use std::{sync::Arc, time::Instant};

use memring_std::{Error, ErrorKind, HealthPolicy, Ttl};
use memring_suite::Memcached;

use crate::{
    client::Client,
    run::{join_all, promises_on_threads},
};

promises_on_threads! {
    no_value_ever_reaches_another_key
    #[ignore = "takes some minutes"] soak_of_a_million_operations
}

const CALLERS: u64 = 64;

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

/// What all callers share.
struct Soak<C> {
    client: C,
    seed: u64,
    is_over: AtomicBool,
    operations: AtomicUsize,
    hits: AtomicUsize,
    foreign: AtomicUsize,
    errors: AtomicUsize,
    cancelled: AtomicUsize,
}

impl<C: Client> Soak<C> {
    /// A server that dies may break off, one that is away refuses, one that is stopped is late. What would be a reply
    /// to someone else is a protocol error, and there is none.
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

    async fn operation(&self, client: &C, random: &mut fastrand::Rng, count: u64) {
        let keys: Vec<_> = (0..10).map(|_| format!("key:{}", random.u32(..500))).collect();
        let key = &keys[0];
        let done = match random.u32(..10) {
            0..3 => client.set(key, value(key, count), Ttl::NEVER).await,
            3..8 => client.get(key).await.map(|item| {
                if let Some(item) = item {
                    self.hit(key, &item.value);
                }
            }),
            8 => client.delete(key).await.map(drop),
            _ => client.get_many(&keys).await.map(|found| {
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

    async fn caller(&self, number: u64) {
        let mut random = fastrand::Rng::with_seed(self.seed ^ number);
        let mut count = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            count += 1;
            self.operations.fetch_add(1, Ordering::Relaxed);
            let short = Duration::from_micros(random.u64(100..5000));
            match random.u32(..10) {
                0 => {
                    let turns = random.u32(..4);
                    if !C::cut_short(turns, self.operation(&self.client, &mut random, count)).await {
                        self.cancelled.fetch_add(1, Ordering::Relaxed);
                    }
                }
                1..9 => self.operation(&self.client.with_timeout(short), &mut random, count).await,
                _ => self.operation(&self.client, &mut random, count).await,
            }
        }
    }
}

/// Runs until as many `operations` were made, and for as long as `at_least`. At every `pause`, a server is killed; in
/// between, servers are stopped for a while.
async fn soak<C: Client>(
    health: Option<HealthPolicy>,
    operations: usize,
    at_least: Duration,
    pause: Duration,
) {
    let mut servers: Vec<_> = (0..4).map(|_| Memcached::start()).collect();
    let names: Vec<_> = servers.iter().map(Memcached::name).collect();
    let timeout = Duration::from_millis(500);
    let builder = C::builder().servers(&names).timeout(timeout).health_policy(health);
    // Callers take turns at few connections, or share one.
    let builder = if C::MODULE == "on_std" { builder.pool_size(4) } else { builder };
    let client = builder.build().unwrap();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let soak = Arc::new(Soak {
        client,
        seed,
        is_over: AtomicBool::new(false),
        operations: AtomicUsize::new(0),
        hits: AtomicUsize::new(0),
        foreign: AtomicUsize::new(0),
        errors: AtomicUsize::new(0),
        cancelled: AtomicUsize::new(0),
    });
    let callers = (0..CALLERS).map(|number| {
        let soak = Arc::clone(&soak);
        C::spawn(async move || soak.caller(number).await)
    });
    let callers: Vec<_> = callers.collect();
    let begin = Instant::now();
    let (mut kills, mut stops) = (0, 0);
    while begin.elapsed() < at_least || soak.operations.load(Ordering::Relaxed) < operations {
        let period = Instant::now();
        while period.elapsed() < pause {
            let server = fastrand::choice(&servers).unwrap();
            server.signal("STOP");
            // Sometimes longer than anybody waits.
            let longest = if fastrand::u32(..4) == 0 { 700 } else { 50 };
            C::sleep(Duration::from_millis(fastrand::u64(5..longest))).await;
            server.signal("CONT");
            stops += 1;
            C::sleep(Duration::from_millis(fastrand::u64(5..100))).await;
        }
        let server = fastrand::choice(&mut servers).unwrap();
        server.kill();
        kills += 1;
        C::sleep(pause / 8).await;
        *server = Memcached::start_on(server.port());
    }
    soak.is_over.store(true, Ordering::Relaxed);
    join_all(callers).await;
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    println!(
        "{} operations in {:?}, {} hits, {} errors, {} cancelled, {kills} kills, {stops} stops, {} foreign values",
        count(&soak.operations),
        begin.elapsed(),
        count(&soak.hits),
        count(&soak.errors),
        count(&soak.cancelled),
        count(&soak.foreign)
    );
    assert_eq!(count(&soak.foreign), 0);
    assert!(count(&soak.hits) > 1000 && count(&soak.errors) > 0);
    assert!(count(&soak.cancelled) > 0 || C::MODULE == "on_std", "what blocks is not broken off");
}

async fn no_value_ever_reaches_another_key<C: Client>() {
    soak::<C>(Some(HealthPolicy::default()), 0, Duration::from_secs(3), Duration::from_millis(50)).await;
}

async fn soak_of_a_million_operations<C: Client>() {
    // Every operation is sent, however often its server has failed.
    soak::<C>(None, 1_000_000, Duration::ZERO, Duration::from_secs(2)).await;
}
