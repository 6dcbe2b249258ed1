//! Our decoder, alone: against the line ends that nobody can do without, and a large value in pieces.
//!
//! ```text
//! cargo bench -p memring-text --bench decode
//! ```
//!
//! The same against other libraries is a package of its own, so that tests need none of them:
//!
//! ```text
//! cargo run --release --manifest-path proto-text/benches/peers/Cargo.toml
//! ```
//!
//! Instructions per value, which need no quiet machine, are the difference of two runs divided by 1000 (by 100 000 for
//! `many`):
//!
//! ```text
//! valgrind --tool=callgrind target/release/deps/decode-… --only one --passes 1000
//! valgrind --tool=callgrind target/release/deps/decode-… --only one --passes 2000
//! ```

mod contest;

use core::hint::black_box;
use std::{env, sync::LazyLock, time::Instant};

use contest::{GOALS_LIMIT, LIMIT, OURS, Reply, quartile, verdict};
use memring_text::{Exchange, reply::Event, request::Keys};

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let value = |option: &str| {
        let at = arguments.iter().position(|argument| argument == option)?;
        arguments.get(at + 1)
    };
    if let Some(which) = value("--only") {
        let passes = value("--passes").and_then(|passes| passes.parse().ok()).unwrap_or(1);
        return only(which, passes);
    }
    // Run as a test, each contestant only shows that it works.
    let thorough = arguments.iter().any(|argument| argument == "--bench");
    contest::run(clock, &[LIMIT, OURS], &[GOALS_LIMIT], thorough);
    pieces(if thorough { 201 } else { 1 });
}

fn clock() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as u64
}

/// So many passes over one reply, of one value or of `many`.
fn only(which: &str, passes: usize) {
    let values = if which == "many" { 100 } else { 1 };
    let reply = Reply::new(values, 100, false);
    let sum = (OURS.new)(&reply).decode_often(black_box(passes));
    println!("{which}: {sum} bytes in {passes} passes");
}

const LARGE: usize = 1 << 20;
const PIECE: usize = 16 << 10;

/// Most that reading a large value in pieces may take, as a share of reading it in one. The copies are those of the same
/// pieces without reading: 64 short copies take a tenth longer than a long one, whoever makes them.
const GOAL_PIECES: f64 = 1.1;

/// A value of 1 MiB, put together by its reader, that is there at once or comes in pieces of 16 KiB.
fn pieces(rounds: usize) {
    let reply = Reply::new(1, LARGE, false);
    let mut value = Vec::with_capacity(2 * LARGE);
    let ways: [(usize, Way); 4] =
        [(reply.bytes.len(), receive), (reply.bytes.len(), copy), (PIECE, receive), (PIECE, copy)];
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        for ((piece, way), times) in ways.into_iter().zip(&mut times) {
            value.clear();
            let start = clock();
            way(black_box(&reply.bytes), piece, &mut value);
            times.push((clock() - start) as f64);
            assert!(black_box(&value).len() >= LARGE);
        }
    }
    let [whole, whole_copy, pieces, pieces_copy] = times.map(quartile);
    println!("1 MiB, collected; behind it only copied");
    println!("  whole                  {whole:8.0} ns {whole_copy:8.0} ns");
    println!("  in pieces of 16 KiB    {pieces:8.0} ns {pieces_copy:8.0} ns");
    verdict("pieces to whole", pieces / pieces_copy / (whole / whole_copy), GOAL_PIECES);
}

/// Puts a value together.
type Way = fn(&[u8], usize, &mut Vec<u8>);

fn copy(bytes: &[u8], piece: usize, value: &mut Vec<u8>) {
    bytes.chunks(piece).for_each(|piece| value.extend_from_slice(piece));
}

/// Reads a reply of which `piece` more bytes are there each time.
fn receive(bytes: &[u8], piece: usize, value: &mut Vec<u8>) {
    let mut exchange = Exchange::default();
    exchange.sent();
    let key = bytes.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let keys = Keys { keys: &[key], cas: false };
    let (mut from, mut to) = (0, 0);
    while to < bytes.len() {
        to = bytes.len().min(to + piece);
        let read = exchange.decode_each(&bytes[from..to], &keys, |event, _| {
            if let Event::Data(piece) = event {
                value.extend_from_slice(piece);
            }
        });
        from += read.expect("a right reply").consumed;
    }
    assert_eq!(from, bytes.len());
}
