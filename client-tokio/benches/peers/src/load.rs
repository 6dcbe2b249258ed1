//! One load on one client: tasks that ask as fast as they are answered.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use cpu_time::ProcessTime;
use hdrhistogram::Histogram;
use tokio::runtime::{Builder, Runtime};

use crate::{
    ALLOCATIONS,
    clients::{Caller, Kind, Shared},
    memcached::Memcached,
};

/// Items there are, each with a key of 32 bytes and a value of 100.
const ITEMS: usize = 10_000;
const VALUE: [u8; 100] = [b'v'; 100];

/// Operations of a task between two whose time is taken.
const UNTIMED: usize = 16;

pub(crate) struct Load {
    pub(crate) tasks: usize,
    pub(crate) servers: usize,
    pub(crate) threads: Threads,
    /// How many of a hundred operations are sets; the others are gets.
    pub(crate) sets: u32,
}

/// The runtime's threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The caller's own.
    Current,
    /// Two of the runtime's.
    Two,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.sets {
            0 => "gets".to_owned(),
            100 => "sets".to_owned(),
            sets => format!("{sets} % sets"),
        };
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let threads = if self.threads == Threads::Two { ", 2 threads" } else { "" };
        let Self { tasks, servers, .. } = *self;
        write!(f, "{what}, {tasks} task{}, {servers} server{}{threads}", plural(tasks), plural(servers))
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Operations a second.
    pub(crate) rate: f64,
    /// Time of the process's threads, in µs an operation.
    pub(crate) cpu: f64,
    /// Half of the operations, and 99 of a hundred, took no longer, in µs.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Allocations an operation.
    pub(crate) allocations: f64,
}

impl Load {
    /// Runs it for `time`, on servers of its own.
    pub(crate) fn run(&self, kind: Kind, time: Duration) -> Run {
        let servers: Vec<_> = (0..self.servers).map(|_| Memcached::start()).collect();
        let addresses: Vec<_> = servers.iter().map(|server| server.address.clone()).collect();
        self.threads.runtime().block_on(self.measure(kind, &addresses, time))
    }

    async fn measure(&self, kind: Kind, servers: &[String], time: Duration) -> Run {
        let shared = Shared::new(kind, servers).await;
        let mut filler = shared.clone().for_task().await;
        for number in 0..ITEMS {
            filler.fill(&key(number), &VALUE).await;
        }
        let (done, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let mut tasks = Vec::new();
        for number in 0..self.tasks {
            let task =
                Task { number, sets: self.sets, done: Arc::clone(&done), is_over: Arc::clone(&is_over) };
            tasks.push(tokio::spawn(task.run(shared.clone().for_task().await)));
        }
        // Until connections are open and buffers have grown.
        tokio::time::sleep(time / 4).await;
        let (before, allocated) = (done.load(Relaxed), ALLOCATIONS.stats());
        let (clock, cpu) = (Instant::now(), ProcessTime::now());
        tokio::time::sleep(time).await;
        let (seconds, cpu) = (clock.elapsed().as_secs_f64(), cpu.elapsed().as_secs_f64());
        let count = (done.load(Relaxed) - before) as f64;
        let allocated = ALLOCATIONS.stats() - allocated;
        is_over.store(true, Relaxed);
        let mut times = times();
        for task in tasks {
            times.add(task.await.expect("no task fails")).expect("the same bounds");
        }
        let quantile = |part| times.value_at_quantile(part) as f64 / 1e3;
        Run {
            rate: count / seconds,
            cpu: cpu * 1e6 / count,
            p50: quantile(0.5),
            p99: quantile(0.99),
            allocations: (allocated.allocations + allocated.reallocations) as f64 / count,
        }
    }
}

impl Threads {
    fn runtime(self) -> Runtime {
        let mut builder = match self {
            Self::Current => Builder::new_current_thread(),
            Self::Two => Builder::new_multi_thread(),
        };
        builder.worker_threads(2).enable_all().build().expect("a runtime")
    }
}

struct Task {
    number: usize,
    sets: u32,
    done: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Task {
    /// Asks until it is over, and returns how long it took, in ns.
    async fn run(self, mut caller: Caller) -> Histogram<u64> {
        let mut random = fastrand::Rng::with_seed(self.number as u64);
        let keys: Vec<_> = (0..512).map(|_| key(random.usize(..ITEMS))).collect();
        let mut times = times();
        for (count, key) in keys.iter().cycle().enumerate() {
            if self.is_over.load(Relaxed) {
                break;
            }
            let begun = (count % UNTIMED == 0).then(Instant::now);
            if random.u32(..100) < self.sets {
                caller.set(key, &VALUE).await;
            } else {
                assert_eq!(caller.get(key).await, VALUE.len());
            }
            self.done.fetch_add(1, Relaxed);
            if let Some(begun) = begun {
                times.saturating_record(begun.elapsed().as_nanos() as u64);
            }
        }
        times
    }
}

fn times() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("bounds")
}

fn key(number: usize) -> String {
    format!("key:{number:028}")
}
