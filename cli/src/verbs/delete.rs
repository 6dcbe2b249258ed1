//! `memring delete`.

use std::ffi::OsString;

use super::{ClientArgs, key};
use crate::failure::{Failure, Outcome};

/// Deletes a key. The exit code is 1 if it is not there.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,

    /// The key, taken as it is.
    #[arg(value_name = "KEY")]
    key: OsString,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let key = key(&args.key)?;
    let was_there = args.client.client()?.delete(key)?;
    Ok(if was_there { Outcome::Fine } else { Outcome::No("not found") })
}
