//! Our client against the other tokio clients, over real memcached servers.
//!
//! ```text
//! cargo run --release --manifest-path client-tokio/benches/peers/Cargo.toml [-- SECONDS [ROUNDS [WORDS OF A LOAD]]]
//! ```
//!
//! Every load is run with every client, one after the other and that several times over, so that what else the machine
//! does hits all of them alike; a figure is the median of its rounds, and what counts are the ratios. It prints a table
//! and which of the goals are met.

mod clients;
mod load;
mod memcached;
mod table;

use std::{env, process::ExitCode, time::Duration};

use clients::Kind;
use load::{Load, Threads};

#[global_allocator]
static ALLOCATIONS: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

/// What is asked, by how many, of how many servers.
const LOADS: &[Load] = &[
    Load { tasks: 1, servers: 1, threads: Threads::Current, sets: 0 },
    Load { tasks: 16, servers: 1, threads: Threads::Current, sets: 0 },
    Load { tasks: 256, servers: 1, threads: Threads::Current, sets: 0 },
    Load { tasks: 256, servers: 3, threads: Threads::Current, sets: 0 },
    Load { tasks: 256, servers: 1, threads: Threads::Two, sets: 0 },
    Load { tasks: 1, servers: 1, threads: Threads::Current, sets: 100 },
    Load { tasks: 256, servers: 1, threads: Threads::Current, sets: 100 },
    Load { tasks: 256, servers: 1, threads: Threads::Current, sets: 10 },
];

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let seconds = arguments.next().map_or(Ok(2.0), |text| text.parse());
    let rounds = arguments.next().map_or(Ok(3), |text| text.parse());
    let (Ok(seconds), Ok(rounds)) = (seconds, rounds) else {
        eprintln!("expected: [SECONDS [ROUNDS [WORDS OF A LOAD]]]");
        return ExitCode::from(2);
    };
    let words = arguments.next().unwrap_or_default();
    println!("{}\n", memcached::version());
    println!("{}", table::HEAD);
    for load in LOADS.iter().filter(|load| load.to_string().contains(&words)) {
        let kinds = Kind::ALL.into_iter().filter(|kind| load.sets < 100 || !kind.is_about_gets());
        let once = || kinds.clone().map(|kind| (kind, load.run(kind, Duration::from_secs_f64(seconds))));
        let runs: Vec<_> = (0..rounds).flat_map(|_| once()).collect();
        table::print(load, &runs);
    }
    ExitCode::SUCCESS
}
