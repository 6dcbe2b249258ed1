//! `memring`: where does a key live, what will a resize cost, and is the server there at all.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod failure;
mod input;
mod locate;
mod output;
mod plan;
mod scheme_args;
mod share;
mod spread;
mod svg;
mod table;
mod verify;

/// Finds memcached keys where libmemcached, twemproxy, python-memcached and the others put them.
#[derive(Debug, Parser)]
#[command(name = "memring", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Where(locate::Args),
    Plan(plan::Args),
    Spread(spread::Args),
    Verify(verify::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Where(args) => locate::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Spread(args) => spread::run(&args),
        Command::Verify(args) => verify::run(&args),
    };
    match done {
        Ok(outcome) => outcome.into(),
        Err(failure) => failure.report(),
    }
}
