//! Many tasks without patience, servers that are killed and stopped: no caller ever gets another key's value.
//!
//! The long form, a million operations: `cargo test --release -p memring-tokio --test suite soak -- --ignored --nocapture`.

use core::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};
use std::{sync::Arc, time::Instant};

use memring_tokio::{Client, Error, ErrorKind, HealthPolicy, Ttl};
use tokio::task::JoinSet;

use crate::support::Memcached;

const TASKS: u64 = 64;

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

/// What all tasks share.
struct Soak {
    client: Client,
    seed: u64,
    is_over: AtomicBool,
    operations: AtomicUsize,
    hits: AtomicUsize,
    foreign: AtomicUsize,
    errors: AtomicUsize,
    cancelled: AtomicUsize,
}

impl Soak {
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

    async fn operation(&self, client: &Client, random: &mut fastrand::Rng, count: u64) {
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

    async fn task(self: Arc<Self>, number: u64) {
        let mut random = fastrand::Rng::with_seed(self.seed ^ number);
        let mut count = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            count += 1;
            self.operations.fetch_add(1, Ordering::Relaxed);
            let short = Duration::from_micros(random.u64(100..5000));
            match random.u32(..10) {
                // A few turns of the other tasks are mostly too short for a reply.
                0 => {
                    let turns = random.u32(..4);
                    tokio::select! {
                        biased;
                        () = self.operation(&self.client, &mut random, count) => {}
                        () = yield_turns(turns) => {
                            self.cancelled.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
                1..9 => self.operation(&self.client.with_timeout(short), &mut random, count).await,
                _ => self.operation(&self.client, &mut random, count).await,
            }
        }
    }
}

async fn yield_turns(turns: u32) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

/// Runs until as many `operations` were made, and for as long as `at_least`. At every `pause`, a server is killed; in
/// between, servers are stopped for a while.
async fn soak(health: Option<HealthPolicy>, operations: usize, at_least: Duration, pause: Duration) {
    let mut servers: Vec<_> = (0..4).map(|_| Memcached::start()).collect();
    let names: Vec<_> = servers.iter().map(Memcached::name).collect();
    let timeout = Duration::from_millis(500);
    let client = Client::builder().servers(&names).timeout(timeout).health_policy(health).build().unwrap();
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
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        tasks.spawn(Arc::clone(&soak).task(number));
    }
    let begin = Instant::now();
    let (mut kills, mut stops) = (0, 0);
    while begin.elapsed() < at_least || soak.operations.load(Ordering::Relaxed) < operations {
        let period = Instant::now();
        while period.elapsed() < pause {
            let server = fastrand::choice(&servers).unwrap();
            server.signal("STOP");
            // Sometimes longer than anybody waits.
            let longest = if fastrand::u32(..4) == 0 { 700 } else { 50 };
            tokio::time::sleep(Duration::from_millis(fastrand::u64(5..longest))).await;
            server.signal("CONT");
            stops += 1;
            tokio::time::sleep(Duration::from_millis(fastrand::u64(5..100))).await;
        }
        let server = fastrand::choice(&mut servers).unwrap();
        server.kill();
        kills += 1;
        tokio::time::sleep(pause / 8).await;
        *server = tokio::task::block_in_place(|| Memcached::start_on(server.port()));
    }
    soak.is_over.store(true, Ordering::Relaxed);
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
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
    assert!(count(&soak.hits) > 1000 && count(&soak.errors) > 0 && count(&soak.cancelled) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_value_ever_reaches_another_key() {
    soak(Some(HealthPolicy::default()), 0, Duration::from_secs(3), Duration::from_millis(50)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute"]
async fn soak_of_a_million_operations() {
    // Every operation is sent, however often its server has failed.
    soak(None, 1_000_000, Duration::ZERO, Duration::from_secs(2)).await;
}
