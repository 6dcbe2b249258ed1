//! `memring incr` and `memring decr`.

use memring_std::Error;
use memring_text::Key;

use super::{client::Client, key_args::KeyArgs, tally::no};
use crate::{
    failure::{Failure, Outcome},
    output,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    key: KeyArgs,

    /// By how much.
    #[arg(value_name = "DELTA", default_value_t = 1)]
    delta: u64,
}

pub(crate) fn incr(args: &Args) -> Result<Outcome, Failure> {
    args.run(|client, key| client.incr(key, args.delta))
}

pub(crate) fn decr(args: &Args) -> Result<Outcome, Failure> {
    args.run(|client, key| client.decr(key, args.delta))
}

impl Args {
    fn run(
        &self,
        count: impl FnOnce(&Client, Key<'_>) -> Result<Option<u64>, Error>,
    ) -> Result<Outcome, Failure> {
        let (client, key) = self.key.read()?;
        match count(&client, key)? {
            Some(number) => output::print(&format!("{number}\n")).map(|()| Outcome::Fine),
            None => Ok(no("not found", &client, key)),
        }
    }
}
