//! `memring touch`.

use core::time::Duration;

use super::{KeyArgs, ttl};
use crate::{
    duration::duration,
    failure::{Failure, Outcome},
};

/// Says anew how long a key lives, from now on. The exit code is 1 if it is not there.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    key: KeyArgs,

    /// How long it lives, `90s`, `15m`, `30d`; for ever unless said.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    ttl: Option<Duration>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let ttl = ttl(args.ttl)?;
    let (client, key) = args.key.read()?;
    Ok(if client.touch(key, ttl)? { Outcome::Fine } else { Outcome::No("not found") })
}
