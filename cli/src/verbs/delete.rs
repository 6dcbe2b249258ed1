//! `memring delete`.

use super::KeyArgs;
use crate::failure::{Failure, Outcome};

/// Deletes a key. The exit code is 1 if it is not there.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    key: KeyArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let (client, key) = args.key.read()?;
    Ok(if client.delete(key)? { Outcome::Fine } else { Outcome::No("not found") })
}
