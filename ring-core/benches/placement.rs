//! Our ketama against the bare md-5 crate: lookups, many at once, ring build, memory.
//!
//! ```text
//! cargo bench -p memring-core --bench placement
//! ```
//!
//! The same against other libraries that place keys is a package of its own, so that tests need none of them:
//!
//! ```text
//! cargo run --release --manifest-path ring-core/benches/peers/Cargo.toml
//! ```
//!
//! Given `--passes N`, the program only places 1000 keys of 32 bytes N times, one by one: `.ci/instructions` counts what
//! one pass more takes.

mod contest;

use core::hint::black_box;
use std::{env, sync::LazyLock, time::Instant};

use contest::{GOALS_MD5, Keys, MD5, OURS, OURS_MANY};
use memring_core::ServerIndex;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--passes") {
        let passes = arguments.get(at + 1).and_then(|passes| passes.parse().ok());
        return place(passes.expect("a number of passes"));
    }
    // Run as a test, each contestant only shows that it works.
    let thorough = arguments.iter().any(|argument| argument == "--bench");
    contest::run(clock, &[MD5, OURS, OURS_MANY], &[GOALS_MD5], thorough);
}

fn clock() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as u64
}

/// Passes over 1000 keys of 32 bytes and 8 servers.
fn place(passes: usize) {
    let names = contest::names(8);
    let placer = (OURS.build)(&names).expect("we place on eight servers");
    let keys = Keys::new(1000, 32);
    let keys = keys.slices();
    let mut out = vec![ServerIndex::default(); keys.len()];
    for _ in 0..passes {
        placer.place(black_box(&keys), black_box(&mut out));
    }
    println!("{passes} passes over {} keys", keys.len());
}
