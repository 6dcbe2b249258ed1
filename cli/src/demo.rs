//! `memring demo`: how many keys survive when servers come and go, tried on real ones.

use core::fmt;
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use memring_core::peers::libmemcached;
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Outcome},
    interrupt::Interrupt,
    output,
    scheme_args::Choice,
    share::{self, percent},
    table::{Align, Table},
};

mod experiment;
mod fleet;
mod memcached;

use experiment::{Experiment, Step};
use fleet::Fleet;

/// Stores keys on some servers, adds servers, asks again; then takes one server away, and asks again.
///
/// Starts memcached processes on free ports of the loopback interface, or, where there is no memcached, servers inside
/// this process. Names decide placement, and here names are addresses: other ports are another experiment, so repeating
/// one takes --seed and --port.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many servers there are in the beginning.
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u16).range(2..=100))]
    servers: u16,

    /// How many servers are added.
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    add: u16,

    /// How many keys, random ones of 100 bytes.
    #[arg(long, value_name = "COUNT", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    keys: u32,

    /// Whose placement to try, one experiment for each; options may follow, as in "libmemcached-modula hash=crc".
    /// `memring schemes` lists them all.
    #[arg(
        long = "scheme",
        value_name = "SCHEME",
        default_values = [libmemcached::MODULA.name, libmemcached::KETAMA_WEIGHTED.name]
    )]
    schemes: Vec<String>,

    /// Chooses the keys; another seed each time unless said.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// The port of the first server; the others have those that follow. Free ports unless said.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// Uses servers inside this process, although there may be a memcached.
    #[arg(long)]
    embedded: bool,

    /// The memcached to run; without it, the one in PATH, if any.
    #[arg(long, value_name = "PATH", conflicts_with = "embedded")]
    memcached: Option<PathBuf>,

    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let schemes: Vec<_> = args.schemes.iter().map(|scheme| Choice::parse(scheme)).collect();
    // What is wrong with them is said before any server is started.
    schemes.iter().try_for_each(|choice| choice.scheme().map(drop))?;
    let interrupt = Interrupt::take()?;
    let fleet = Fleet::start(args, &interrupt)?;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let experiment = Experiment::new(&fleet, usize::from(args.servers), args.keys, seed, &interrupt);
    let progress = progress(experiment.len() * schemes.len() as u64);
    let mut results = Vec::new();
    for choice in &schemes {
        progress.set_message(choice.to_string());
        results.push((choice.to_string(), experiment.run(choice, &progress)?));
    }
    progress.finish_and_clear();
    let report = Report { args, seed, ran_on: fleet.version()?, results };
    drop(fleet);
    if args.json {
        output::print_json(&report.json())?;
    } else {
        output::print(&report.to_string())?;
    }
    Ok(Outcome::Fine)
}

/// A bar on standard error. Nothing is drawn if that is not a terminal.
fn progress(len: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}");
    ProgressBar::new(len)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_finish(ProgressFinish::AndClear)
}

/// What came out.
struct Report<'a> {
    args: &'a Args,
    seed: u64,
    /// Which servers it ran on, with their version.
    ran_on: String,
    results: Vec<(String, [Step; 3])>,
}

impl Report<'_> {
    fn json(&self) -> Value {
        let schemes: Value = self
            .results
            .iter()
            .map(|(scheme, steps)| {
                let steps: Value = steps.iter().map(Step::json).collect();
                json!({ "scheme": scheme, "steps": steps })
            })
            .collect();
        json!({
            "keys": self.args.keys,
            "seed": self.seed,
            "ran_on": self.ran_on,
            "schemes": schemes,
        })
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Args { servers, add, keys, .. } = self.args;
        writeln!(f, "{keys} keys of 100 bytes (seed {}) on {}:", self.seed, self.ran_on)?;
        writeln!(f, "stored on {servers} servers, asked for on these, on {add} more, and on one fewer\n")?;
        let mut table = Table::new([Align::Left, Align::Left]);
        table.row(["scheme", "servers", "found", "", "predicted", "", "ideal"]);
        for (scheme, steps) in &self.results {
            for (place, step) in steps.iter().enumerate() {
                let found = f64::from(step.found) / f64::from(*keys);
                table.row([
                    if place == 0 { scheme.clone() } else { String::new() },
                    step.servers(usize::from(*servers)),
                    step.found.to_string(),
                    percent(found),
                    percent(step.predicted),
                    format!("± {:.2}", 200.0 * deviation(step.predicted, *keys)),
                    percent(step.ideal),
                ]);
            }
        }
        write!(f, "{table}")?;
        writeln!(f, "\npredicted: by comparing the placements, ± two standard deviations for {keys} keys")?;
        writeln!(f, "ideal: n / (n + m) when m servers join n, (n - 1) / n when one leaves")
    }
}

impl Step {
    /// What was done to the `before` servers of the beginning.
    fn servers(&self, before: usize) -> String {
        let now = self.servers;
        match now.checked_sub(before) {
            Some(0) => now.to_string(),
            Some(added) => format!("{before} + {added} = {now}"),
            None => format!("{before} - {} = {now}", before - now),
        }
    }

    fn json(&self) -> Value {
        json!({
            "servers": self.servers,
            "found": self.found,
            "predicted": share::number(self.predicted),
            "ideal": share::number(self.ideal),
        })
    }
}

/// The standard deviation of the share that is found, when each of `keys` keys has the chance `share`.
fn deviation(share: f64, keys: u32) -> f64 {
    (share * (1.0 - share) / f64::from(keys)).max(0.0).sqrt()
}
