//! `memring version`.

use super::{ClientArgs, all_fine};
use crate::{
    failure::{Failure, Outcome},
    output,
    table::{Align, Table},
};

/// Prints what each server says of its version.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut table = Table::new([Align::Left, Align::Left]);
    let mut errors = Vec::new();
    for answer in args.client.client()?.version() {
        match answer.result {
            Ok(version) => table.row([&*answer.server, &version]),
            Err(error) => errors.push(error),
        }
    }
    output::print(&table.to_string())?;
    all_fine(errors)?;
    Ok(Outcome::Fine)
}
