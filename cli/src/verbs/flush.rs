//! `memring flush`.

use core::time::Duration;

use memring_std::FlushDelay;
use memring_text::ttl::MAX_RELATIVE_SECONDS;

use super::{ClientArgs, all_fine};
use crate::{
    duration::duration,
    failure::{Failure, Outcome},
};

/// Drops all items of all servers.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,

    /// Not before this time has passed, `30s`, at most 30 days; at once unless said.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    delay: Option<Duration>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let delay = args.delay.map(delay).transpose()?;
    let answers = args.client.client()?.flush_all(delay);
    all_fine(answers.into_iter().filter_map(|answer| answer.result.err()))?;
    Ok(Outcome::Fine)
}

/// The wire reads more than 30 days as a date, which is not what was meant.
fn delay(time: Duration) -> Result<FlushDelay, Failure> {
    u32::try_from(time.as_millis().div_ceil(1000))
        .ok()
        .filter(|&seconds| seconds <= MAX_RELATIVE_SECONDS)
        .and_then(FlushDelay::new)
        .ok_or_else(|| Failure::usage("a flush can be delayed by 30 days at most"))
}
