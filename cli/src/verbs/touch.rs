//! `memring touch`.

use core::{ops::ControlFlow, time::Duration};

use memring_std::Ttl;

use super::{key_args::KeysArgs, tally::Tally, ttl};
use crate::{
    duration::duration,
    failure::{Failure, Outcome},
};

/// Sets how long keys live from now on. The exit code is 1 if any is not there.
///
/// Example: memring touch --server 127.0.0.1:11211 --ttl 15m greeting
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    keys: KeysArgs,

    #[command(flatten)]
    lifetime: Lifetime,
}

/// One of the two must be said: a key that lives for ever by accident is found by nobody.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Lifetime {
    /// How long the key lives: `90s`, `15m`, `30d`.
    #[arg(long, value_name = "TIME", value_parser = duration, allow_negative_numbers = true)]
    ttl: Option<Duration>,

    /// The key lives until it is deleted or dropped.
    #[arg(long)]
    for_ever: bool,
}

impl Lifetime {
    pub(crate) fn ttl(&self) -> Result<Ttl, Failure> {
        ttl(self.ttl, "write --for-ever in place of --ttl for no end")
    }
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let ttl = args.lifetime.ttl()?;
    let (client, keys) = args.keys.read()?;
    let mut tally = Tally::new("touch", &client);
    keys.in_parts(super::AT_ONCE, |keys| {
        for (key, found) in keys.iter().zip(client.touch_many(keys, ttl)?) {
            tally.count(*key, found.map(|found| found.then_some(())));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    tally.outcome()
}
