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

    /// Prints what servers say as it is; a terminal obeys what they may say. Otherwise bytes that are no text are `\xNN`.
    #[arg(long)]
    raw: bool,
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
    let text = table.to_string();
    if args.raw {
        output::print_bytes(text.as_bytes())?;
    } else {
        output::print(&text)?;
    }
    all_fine(errors)?;
    Ok(Outcome::Fine)
}
