//! What a popular key costs that ends again and again: 256 tasks that read it, and make it anew when it is missing, each for itself
//! or by `fetch`.
//!
//! `cargo bench -p memring-suite --bench stampede [--tasks N] [--seconds N] [--load MS]`. Each row has a memcached of its own. Every task
//! reads the key some twenty times a second; the value lives for two seconds, and takes a while to make. `loads` is how often it was
//! made, `at once` how many were being made at the same moment at most, `requests` what the server was asked, by its own count, and
//! times are those of a call, with its load. As one of the tests, it only shows that it runs, and that `fetch` loads once.

use core::{
    convert::Infallible,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use std::{env, sync::Arc, time::Instant};

use memring_suite::Memcached;
use memring_tokio::{Client, Freshness, StatsKind};
use tokio::{
    task::JoinSet,
    time::{sleep, sleep_until},
};

/// How long a value is fresh.
const TTL: Duration = Duration::from_secs(2);

/// How often a task reads.
const PAUSE: Duration = Duration::from_millis(50);

/// A way to read the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `get`, and on a miss load and `set`.
    GetThenSet,
    /// `fetch` that hands out nothing beyond its time.
    NothingStale,
    Fetch,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::GetThenSet => "`get`, then `set`",
            Self::NothingStale => "`fetch`, nothing stale",
            Self::Fetch => "`fetch`",
        }
    }

    async fn read(self, client: &Client, source: &Source) {
        let freshness = Freshness::new(TTL);
        let load = async { Ok::<_, Infallible>(source.load().await) };
        let value = match self {
            Self::GetThenSet => match client.get("k").await.unwrap() {
                Some(item) => item.value,
                None => {
                    let value = source.load().await;
                    client.set("k", value, TTL).await.unwrap();
                    value.into()
                }
            },
            Self::NothingStale => client.fetch("k", freshness.stale_for(Duration::ZERO), load).await.unwrap(),
            Self::Fetch => client.fetch("k", freshness, load).await.unwrap(),
        };
        assert_eq!(value, VALUE);
    }
}

const VALUE: &str = "what took so long";

/// Where values come from.
#[derive(Debug, Default)]
struct Source {
    takes: Duration,
    loads: AtomicU32,
    under_way: AtomicU32,
    most: AtomicU32,
}

impl Source {
    async fn load(&self) -> &'static str {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(under_way, Ordering::Relaxed);
        sleep(self.takes).await;
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        VALUE
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
struct Load {
    tasks: usize,
    time: Duration,
    /// How long a value takes to make.
    takes: Duration,
}

fn main() {
    let options: Vec<_> = env::args().collect();
    let option = |name: &str| {
        let at = options.iter().position(|option| option == name)?;
        options.get(at + 1)?.parse::<u64>().ok()
    };
    let is_thorough = options.iter().any(|option| option == "--bench");
    let tasks = usize::try_from(option("--tasks").unwrap_or(256)).unwrap_or(256);
    let time = option("--seconds")
        .map_or(if is_thorough { Duration::from_secs(20) } else { PAUSE }, Duration::from_secs);
    let load = Load { tasks, time, takes: Duration::from_millis(option("--load").unwrap_or(100)) };
    println!(
        "| {tasks} tasks, a load takes {:?} | calls | loads | at once | requests | p50, ms | p99, ms | longest, ms |",
        load.takes
    );
    println!("|---|---|---|---|---|---|---|---|");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for way in [Way::GetThenSet, Way::NothingStale, Way::Fetch] {
        runtime.block_on(row(way, load, is_thorough));
    }
}

/// Measures a way, and prints what has come out.
async fn row(way: Way, load: Load, is_thorough: bool) {
    let server = Memcached::start();
    let client = Client::connect([server.name()]).unwrap().with_timeout(Duration::from_secs(5));
    let source = Arc::new(Source { takes: load.takes, ..Source::default() });
    let before = requests(&client).await;
    let (begun, mut tasks) = (Instant::now(), JoinSet::new());
    for number in 0..load.tasks {
        let (client, source) = (client.clone(), Arc::clone(&source));
        tasks.spawn(async move {
            // Not all at the same moment, but the same ones in each row.
            let mut next = begun + PAUSE * u32::try_from(number).unwrap_or(0) / 256;
            let mut times = Vec::new();
            while next < begun + load.time {
                sleep_until(next.into()).await;
                let begun = Instant::now();
                way.read(&client, &source).await;
                times.push(begun.elapsed());
                next = Instant::now().max(next + PAUSE);
            }
            times
        });
    }
    let mut times: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    times.sort_unstable();
    // The statistics are no meta command, and no request for an item.
    let (requests, loads) = (requests(&client).await - before, source.loads.load(Ordering::Relaxed));
    let ms = |part: usize| {
        times
            .get((times.len() * part / 1000).min(times.len() - 1))
            .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    println!(
        "| {} | {} | {loads} | {} | {requests} | {:.1} | {:.1} | {:.1} |",
        way.name(),
        times.len(),
        source.most.load(Ordering::Relaxed),
        ms(500),
        ms(990),
        ms(1000),
    );
    assert!(is_thorough || way == Way::GetThenSet || loads == 1, "{loads} loads");
}

/// How many items the server was asked for, or given.
async fn requests(client: &Client) -> u64 {
    let mut count = 0;
    let told = client.stats_with(StatsKind::General, |_, name, value| {
        if [&b"cmd_get"[..], b"cmd_set", b"cmd_delete", b"cmd_touch"].contains(&name) {
            count += str::from_utf8(value).unwrap().parse::<u64>().unwrap();
        }
    });
    told.await.remove(0).result.unwrap();
    count
}
