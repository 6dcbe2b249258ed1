//! `memring top`: what the servers are doing now.

use core::time::Duration;
use std::{
    io::{self, IsTerminal as _},
    thread,
    time::Instant,
};

use memring_std::StatsKind;

use crate::{
    duration::duration,
    failure::{Failure, Outcome},
    output,
    verbs::{ClientArgs, all_fine, client::Client},
};

mod sample;
mod screen;

use sample::{Rates, Sample, table};

/// Shows what each server is doing: operations and bytes a second, how many reads find something, evictions, items, memory
/// and connections, anew every two seconds, until `q` is typed.
///
/// Rates are those between two looks at the servers' statistics. Where standard output is not a terminal, or with --once, it
/// looks twice, prints a table and ends; the exit code is then 3 if a server does not answer.
///
/// Examples: memring top --servers eight.txt; memring top --servers eight.txt --once --json
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,

    /// The time from one look to the next.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    interval: Duration,

    /// Prints a table and ends.
    #[arg(long)]
    once: bool,

    /// Prints JSON, an array of servers, and ends.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    if args.interval.is_zero() {
        return Err(Failure::usage("--interval is zero"));
    }
    let client = args.client.client()?;
    if args.once || args.json || !io::stdout().is_terminal() {
        return once(args, &client);
    }
    screen::show(args.interval, || look(&client))?;
    Ok(Outcome::Fine)
}

fn once(args: &Args, client: &Client) -> Result<Outcome, Failure> {
    let first = look(client);
    thread::sleep(args.interval);
    let second = look(client);
    let rates = Rates::between(&first, &second);
    if args.json {
        output::print_json(&rates.iter().map(Rates::object).collect())?;
    } else {
        output::print(&table(&rates).to_string())?;
    }
    all_fine(rates.iter().filter_map(|server| server.error.as_ref()))?;
    Ok(Outcome::Fine)
}

/// Asks every server for its statistics.
fn look(client: &Client) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    let answers = client.stats_with(StatsKind::General, |server, name, value| {
        if let Some(sample) = samples.iter_mut().find(|sample| sample.server == server) {
            sample.note(name, value);
        } else {
            let mut sample = Sample::new(server, Instant::now());
            sample.note(name, value);
            samples.push(sample);
        }
    });
    // In the order of the servers, those that fail too.
    let sample = |answer: memring_std::FromServer<()>| {
        let known = samples.iter().position(|sample| *sample.server == *answer.server);
        let fresh = || Sample::new(&answer.server, Instant::now());
        let mut sample = known.map_or_else(fresh, |at| samples[at].clone());
        sample.error = answer.result.err().map(|error| error.to_string());
        sample
    };
    answers.into_iter().map(sample).collect()
}
