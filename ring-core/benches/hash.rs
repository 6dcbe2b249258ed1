//! Our MD5 against the bare md-5 crate.
//!
//! On a shared machine times move by a factor of two from run to run, ratios within a run by a few per cent. So
//! nothing is timed alone: each round times every contestant once, and the medians of the rounds are compared.
//!
//! ```text
//! cargo bench -p memring-core --bench hash
//! ```
//!
//! Instructions per key, which need no quiet machine, are the difference of two runs divided by 1000:
//!
//! ```text
//! valgrind --tool=callgrind target/release/deps/hash-… --only ours --passes 1
//! valgrind --tool=callgrind target/release/deps/hash-… --only ours --passes 2
//! ```

use core::hint::black_box;
use std::{env, time::Instant};

use md5::{Digest as _, Md5};
use memring_core::hash::{self, Concat, Decimal, Text, md5 as own};

/// Something that hashes every key.
struct Contestant {
    name: &'static str,
    hash_all: fn(&[&[u8]], &mut [u32]),
    /// Most it may take for a key of one block, as a share of what the md-5 crate takes.
    goal: f64,
}

const CONTESTANTS: [Contestant; 4] = [
    Contestant { name: "md-5", hash_all: by_crate, goal: 1.0 },
    Contestant { name: "ours", hash_all: ours, goal: 0.66 },
    Contestant { name: "ours, four words", hash_all: ours_four_words, goal: 0.72 },
    Contestant { name: "ours, many", hash_all: ours_many, goal: 0.33 },
];

/// The goal for a longer key hashed alone: it is mostly rounds, and we lead by less.
const GOAL_LONG: f64 = 0.88;

/// Rounds of which the median counts.
const ROUNDS: usize = 301;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let value = |option: &str| {
        let at = arguments.iter().position(|argument| argument == option)?;
        arguments.get(at + 1)
    };
    if let Some(name) = value("--only") {
        let passes = value("--passes").and_then(|count| count.parse().ok()).unwrap_or(1);
        return only(name, passes);
    }
    // Run as a test, each contestant only shows that it works.
    let rounds = if arguments.iter().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    for len in [8, 20, 32, 55, 100, 250] {
        compare(len, rounds);
    }
    points(rounds);
}

/// Passes of one contestant over 1000 keys of 32 bytes.
fn only(name: &str, passes: usize) {
    let contestant =
        CONTESTANTS.iter().find(|contestant| contestant.name == name).expect("a contestant's name");
    let keys = keys(32);
    let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
    let mut out = vec![0; keys.len()];
    for _ in 0..passes {
        (contestant.hash_all)(black_box(&keys), black_box(&mut out));
    }
    println!("{name}: {passes} passes over {} keys", keys.len());
}

/// All contestants on keys of `len` bytes.
fn compare(len: usize, rounds: usize) {
    let keys = keys(len);
    let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
    let mut out = vec![0; keys.len()];
    let mut times = CONTESTANTS.map(|_| Vec::with_capacity(rounds));
    for _ in 0..rounds {
        for (contestant, times) in CONTESTANTS.iter().zip(&mut times) {
            let start = Instant::now();
            (contestant.hash_all)(black_box(&keys), black_box(&mut out));
            times.push(start.elapsed().as_nanos() as f64 / keys.len() as f64);
        }
    }
    println!("keys of {len} bytes");
    let medians = times.map(median);
    for (contestant, time) in CONTESTANTS.iter().zip(medians) {
        let ratio = time / medians[0];
        let goal = if len > 55 { contestant.goal.max(GOAL_LONG) } else { contestant.goal };
        let verdict = if ratio <= goal { "" } else { "  over" };
        println!("  {:18} {time:7.1} ns  x{ratio:.2}  goal x{goal:.2}{verdict}", contestant.name);
    }
}

/// The four points of a name of about 20 bytes that comes in pieces.
fn points(rounds: usize) {
    let names: Vec<String> =
        (0..1000).map(|server| format!("10.0.{}.{}:11211", server / 250, server % 250)).collect();
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let start = Instant::now();
        for name in &names {
            black_box(own::digest_text(&Concat([&name.as_str() as &dyn Text, &"-", &Decimal(37)])));
        }
        times.push(start.elapsed().as_nanos() as f64 / (4 * names.len()) as f64);
    }
    println!("ring points\n  {:18} {:7.1} ns a point", "ours", median(times));
}

fn by_crate(keys: &[&[u8]], out: &mut [u32]) {
    one_by_one(keys, out, |key| {
        Md5::digest(key).as_slice().first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
    });
}

fn ours(keys: &[&[u8]], out: &mut [u32]) {
    one_by_one(keys, out, |key| hash::MD5.of(key));
}

fn ours_four_words(keys: &[&[u8]], out: &mut [u32]) {
    one_by_one(keys, out, |key| own::digest(key).into_iter().fold(0, |all, word| all ^ word));
}

fn ours_many(keys: &[&[u8]], out: &mut [u32]) {
    hash::MD5.of_many(keys, out);
}

/// Calls `hash` as a client does: the compiler does not see which function it is, nor that the keys are alike.
fn one_by_one(keys: &[&[u8]], out: &mut [u32], hash: fn(&[u8]) -> u32) {
    let hash = black_box(hash);
    for (key, out) in keys.iter().zip(out) {
        *out = hash(key);
    }
}

/// A thousand keys of `len` bytes, at least seven.
fn keys(len: usize) -> Vec<String> {
    (0..1000).map(|number| format!("{:x<len$}", format!("{:07}", number * 7919))).collect()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
