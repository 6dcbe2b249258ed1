//! `memring flush`.

use core::time::Duration;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use memring_std::FlushDelay;
use memring_text::ttl::MAX_RELATIVE_SECONDS;

use super::{ClientArgs, all_fine};
use crate::{
    duration::duration,
    failure::{Failure, Outcome},
    visible::Visible,
};

/// Drops all items of all servers.
///
/// On a terminal, it asks first; the exit code is 1 if the answer is no.
///
/// Example: memring flush --servers eight.txt --stagger 10m --yes
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,

    /// Not before this time has passed, `30s`, at most 30 days; at once unless said.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    delay: Option<Duration>,

    /// One server after the other, in the order of the list, with this time between them, so that the cache is not cold as a
    /// whole. All are told at once, and keep the time themselves.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    stagger: Option<Duration>,

    /// Does not ask.
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let servers = args.client.alone()?;
    let delays = args.delays(servers.len())?;
    let names: Vec<_> =
        servers.iter().flat_map(|config| &config.servers).map(|server| server.name().to_owned()).collect();
    if !args.yes && io::stdin().is_terminal() && !is_sure(&names)? {
        return Ok(Outcome::No("nothing is dropped"));
    }
    let mut errors = Vec::new();
    if args.stagger.is_none() {
        let delay = delays.into_iter().next().flatten();
        let answers = args.client.client()?.flush_all(delay);
        errors.extend(answers.into_iter().filter_map(|answer| answer.result.err()));
    } else {
        for (config, delay) in servers.into_iter().zip(delays) {
            let answers = args.client.client_of(config)?.flush_all(delay);
            errors.extend(answers.into_iter().filter_map(|answer| answer.result.err()));
        }
    }
    all_fine(errors)?;
    Ok(Outcome::Fine)
}

impl Args {
    /// When each of `count` servers drops its items; `None` is at once.
    fn delays(&self, count: usize) -> Result<Vec<Option<FlushDelay>>, Failure> {
        let (first, step) = (self.delay.unwrap_or_default(), self.stagger.unwrap_or_default());
        let at = |number: usize| {
            let steps = u32::try_from(number).ok().and_then(|number| step.checked_mul(number));
            let time = steps.and_then(|steps| first.checked_add(steps)).unwrap_or(Duration::MAX);
            if time.is_zero() { Ok(None) } else { delay(time).map(Some) }
        };
        // A delay of zero was asked for.
        if self.delay == Some(Duration::ZERO) {
            delay(Duration::ZERO)?;
        }
        (0..count).map(at).collect()
    }
}

/// Asks on the terminal.
fn is_sure(servers: &[String]) -> Result<bool, Failure> {
    let which = match servers {
        [one] => format!("of {}", Visible::line(one)),
        servers => format!(
            "of {} servers, {} first",
            servers.len(),
            Visible::line(servers.first().map_or("", |name| name))
        ),
    };
    // In one piece: what is typed early is echoed by the terminal, in between pieces too.
    io::stderr().write_all(format!("drop all items {which}? [y/N] ").as_bytes())?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The wire reads more than 30 days as a date, which is not what was meant.
fn delay(time: Duration) -> Result<FlushDelay, Failure> {
    u32::try_from(time.as_millis().div_ceil(1000))
        .ok()
        .filter(|&seconds| seconds <= MAX_RELATIVE_SECONDS)
        .and_then(FlushDelay::new)
        .ok_or_else(|| Failure::usage("a flush can be delayed by 30 days at most"))
}
