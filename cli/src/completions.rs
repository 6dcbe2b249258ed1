//! `memring completions`.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::{
    Cli,
    failure::{Failure, Outcome},
    output,
};

/// Prints what a shell needs to complete commands and options.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "memring", &mut script);
    output::print_bytes(&script)?;
    Ok(Outcome::Fine)
}
