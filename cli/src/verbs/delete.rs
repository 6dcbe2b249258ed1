//! `memring delete`.

use core::ops::ControlFlow;

use super::{key_args::KeysArgs, tally::Tally};
use crate::failure::{Failure, Outcome};

/// Deletes keys. The exit code is 1 if any is not there.
///
/// Examples: memring delete --server 127.0.0.1:11211 greeting farewell;
/// memring delete --servers eight.txt --keys keys.txt
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    keys: KeysArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let (client, keys) = args.keys.read()?;
    let mut tally = Tally::new("delete", &client);
    keys.in_parts(super::AT_ONCE, |keys| {
        for (key, found) in keys.iter().zip(client.delete_many(keys)?.into_results()) {
            tally.count(*key, found.map(|found| found.then_some(())));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    tally.outcome()
}
