//! `memring touch`.

use core::time::Duration;

use super::{KeyArgs, ttl};
use crate::{
    duration::duration,
    failure::{Failure, Outcome},
};

/// Says anew how long a key lives, from now on. The exit code is 1 if it is not there.
///
/// Example: memring touch --server 127.0.0.1:11211 --ttl 15m greeting
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    lifetime: Lifetime,
}

/// One of the two must be said: a key that lives for ever by accident is found by nobody.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Lifetime {
    /// How long the key lives: `90s`, `15m`, `30d`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    ttl: Option<Duration>,

    /// The key lives until it is deleted or dropped.
    #[arg(long)]
    for_ever: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let ttl = ttl(args.lifetime.ttl)?;
    let (client, key) = args.key.read()?;
    Ok(if client.touch(key, ttl)? { Outcome::Fine } else { Outcome::No("not found") })
}
