//! `memring touch`.

use core::time::Duration;
use std::ffi::OsString;

use super::{ClientArgs, key, ttl};
use crate::{
    duration::duration,
    failure::{Failure, Outcome},
};

/// Says anew how long a key lives, from now on. The exit code is 1 if it is not there.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,

    /// The key, taken as it is.
    #[arg(value_name = "KEY")]
    key: OsString,

    /// How long it lives, `90s`, `15m`, `30d`; for ever unless said.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    ttl: Option<Duration>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let (key, ttl) = (key(&args.key)?, ttl(args.ttl)?);
    let is_there = args.client.client()?.touch(key, ttl)?;
    Ok(if is_there { Outcome::Fine } else { Outcome::No("not found") })
}
