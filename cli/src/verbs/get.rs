//! `memring get`.

use core::fmt::Write as _;

use memring_core::vector::Escaped;

use super::{KeysArgs, all_fine};
use crate::{
    failure::{Failure, Outcome},
    output,
};

/// Prints the value of a key as it is, without a newline added; on a terminal, bytes that are no text as `\xNN`.
///
/// Of several keys, each that is found gets a line: key, tab, value, both escaped as `\xNN` where they are not printable
/// ASCII. The exit code is 1 if any is missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    keys: KeysArgs,

    /// Prints the value as it is on a terminal, too, which obeys what it may hold.
    #[arg(long)]
    raw: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let keys = args.keys.keys()?;
    if args.raw && keys.len() > 1 {
        return Err(Failure::usage("--raw prints the value of one key"));
    }
    let client = args.keys.client()?;
    if let [key] = *keys {
        return match client.get(key)? {
            Some(item) => output::print_value(&item.value, args.raw).map(|()| Outcome::Fine),
            None => Ok(Outcome::No("not found")),
        };
    }
    let found = client.get_many(&keys)?;
    let mut text = String::new();
    let mut missing = keys.len();
    for (position, item) in found.hits() {
        let key = keys.get(position).map_or(&[][..], |key| key.as_bytes());
        let _ = writeln!(text, "{}\t{}", Escaped(key), Escaped(&item.value));
        missing -= 1;
    }
    output::print(&text)?;
    all_fine(found.errors())?;
    Ok(if missing == 0 { Outcome::Fine } else { Outcome::No("not all found") })
}
