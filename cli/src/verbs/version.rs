//! `memring version`.

use serde_json::json;

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
    #[arg(long, conflicts_with = "json")]
    raw: bool,

    /// Prints JSON: an array with an object for each server.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut table = Table::new([Align::Left, Align::Left]);
    let mut errors = Vec::new();
    let mut objects = Vec::new();
    for answer in args.client.client()?.version() {
        let server = &*answer.server;
        match answer.result {
            Ok(version) => {
                objects.push(json!({ "server": server, "version": version }));
                table.row([server, &version]);
            }
            Err(error) => {
                objects.push(json!({ "server": server, "version": null, "error": error.to_string() }));
                errors.push(error);
            }
        }
    }
    if args.json {
        output::print_json(&objects.into())?;
        all_fine(errors)?;
        return Ok(Outcome::Fine);
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
