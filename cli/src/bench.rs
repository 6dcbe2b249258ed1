//! `memring bench`: how fast servers answer, under a load of one's own choice.

use core::{num::NonZeroUsize, time::Duration};
use std::{sync::Arc, thread, time::Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    duration::duration,
    failure::{Failure, Outcome},
    interrupt::Interrupt,
    output,
    verbs::{ClientArgs, all_fine},
};

mod board;
mod load;
mod report;
mod workers;

use board::Board;
use load::{Load, Sizes};
use report::Report;
use workers::Workers;

/// Reads and writes random keys, and says how fast and how evenly the servers answer: operations a second, misses, and
/// below which time half, 99 % and 99.9 % of the answers came.
///
/// Without --rate, each worker asks again as soon as it has its answer. With --rate, each operation has a time at which it
/// should begin, and its latency is counted from that time, even if no worker was free then. So while a server stalls, all
/// operations that should have begun meanwhile count as slow. Keys are `memring:bench:` and a number, and expire by
/// themselves. The exit code is 3 if any operation failed.
///
/// Examples: memring bench --servers eight.txt --duration 30s --workers 32;
/// memring bench --server 127.0.0.1:11211 --load --keys 1000000 --zipf 0.99 --rate 20000 --client tokio
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,

    /// How long to measure.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    duration: Duration,

    /// How many threads, or tasks of the tokio client, ask at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    workers: u16,

    /// How many operations a second all workers together begin. Without it, as many as they can.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,

    /// How many of a hundred operations are reads; the others are writes.
    #[arg(long, value_name = "PERCENT", default_value_t = 90, value_parser = clap::value_parser!(u8).range(..=100))]
    reads: u8,

    /// How many different keys there are.
    #[arg(long, value_name = "COUNT", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    keys: u64,

    /// Asks for key number n in proportion to 1/n^EXPONENT, instead of for all keys equally often; 0.99 is usual.
    #[arg(long, value_name = "EXPONENT")]
    zipf: Option<f64>,

    /// The length of values in bytes; or the shortest and the longest, `100-2000`.
    #[arg(long, value_name = "BYTES", default_value = "100")]
    size: Sizes,

    /// How long values live.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    ttl: Duration,

    /// Stores all keys before the measurement begins.
    #[arg(long)]
    load: bool,

    /// Chooses the same keys and sizes as another run with this seed.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// Prints JSON: an object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut config = args.client.config()?;
    // Threads beyond the usual 16 connections would wait for each other, and not for the server.
    if args.client.is_std() {
        config.pool_size = NonZeroUsize::new(args.workers.max(16).into());
    }
    let load = Arc::new(Load::new(args)?);
    let names: Vec<_> = config.servers.iter().map(|server| server.name().to_owned()).collect();
    let workers = Workers::new(args.client.kind(), config, args.workers)?;
    let interrupt = Interrupt::take()?;
    if args.load {
        workers.fill(&load)?;
    }
    let board = Arc::new(Board::new(&names));
    let begin = Instant::now();
    let watched = thread::scope(|scope| {
        let working = scope.spawn(|| {
            workers.work(&load, &board, begin);
            board.stop();
        });
        let watched = watch(args.duration, &board, &interrupt, begin);
        working.join().map(|()| watched)
    });
    let elapsed = begin.elapsed().min(args.duration);
    let interrupted = watched.map_err(|_| Failure::failed("a worker ended in a panic"))?;
    let report = Report::new(args, elapsed, board.seen());
    if args.json {
        output::print_json(&report.object())?;
    } else {
        output::print(&report.to_string())?;
    }
    interrupted?;
    all_fine(board.errors())?;
    Ok(Outcome::Fine)
}

/// Shows on a terminal how it goes, and stops the workers when time is up or somebody wants it.
fn watch(time: Duration, board: &Board, interrupt: &Interrupt, begin: Instant) -> Result<(), Failure> {
    let bar = ProgressBar::new(time.as_secs().max(1));
    if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos} s of {len}  {msg}") {
        bar.set_style(style);
    }
    let mut last = (begin, 0);
    let interrupted = loop {
        if let Err(interrupted) = interrupt.check() {
            break Err(interrupted);
        }
        let now = Instant::now();
        if now.duration_since(begin) >= time || board.is_stopped() {
            break Ok(());
        }
        if now.duration_since(last.0) >= SHOWN_EVERY {
            let done = board.done();
            let rate = (done - last.1) as f64 / now.duration_since(last.0).as_secs_f64();
            bar.set_message(format!("{rate:.0} operations/s"));
            bar.set_position(now.duration_since(begin).as_secs());
            last = (now, done);
        }
        thread::sleep(LOOK_AGAIN.min(time));
    };
    board.stop();
    bar.finish_and_clear();
    interrupted
}

const SHOWN_EVERY: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Whether an operation reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
}
