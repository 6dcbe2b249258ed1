//! `memring`: where does a key live, what will a resize cost, and is the server there at all.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod blocks;
mod completions;
mod demo;
mod doctor;
mod duration;
mod failure;
mod init;
mod input;
mod interrupt;
mod key_file;
mod locate;
mod near;
mod output;
mod plan;
mod sample;
mod scheme_args;
mod schemes;
mod serve;
mod servers;
mod settings;
mod share;
mod spread;
mod svg;
mod table;
mod top;
mod verbs;
mod verify;
mod visible;
mod warnings;
mod watch_servers;
mod written;

use verbs::{count, delete, flush, get, keys, meta, ping, slabs, stats, store, touch, version, watch};

/// Finds memcached keys where libmemcached, twemproxy, python-memcached and the others put them.
///
/// Exit codes: 0 done; 1 the answer is no (a miss, not stored, a mismatch); 2 wrong usage; 3 it did not work;
/// 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "memring", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(
        after_help = "Example: memring where --scheme libmemcached-ketama-weighted --servers servers.txt user:7 user:8"
    )]
    Where(locate::Args),
    Schemes(schemes::Args),
    Doctor(doctor::Args),
    Init(init::Args),
    #[command(
        after_help = "Examples:\n  memring plan --old eight.txt --new thirteen.txt --scheme libmemcached-ketama-weighted --svg plan.svg\n  memring plan --old eight.txt --add 10.0.0.9:11211 --scheme libmemcached-ketama-weighted --steps --rate 20000 --hit-ratio 0.95 --ttl 1h --max-misses 2000"
    )]
    Plan(plan::Args),
    #[command(after_help = "Example: memring spread --scheme twemproxy-ketama --servers weighted.txt")]
    Spread(spread::Args),
    #[command(after_help = "Example: memring verify ring-core/tests/vectors/*.tsv")]
    Verify(verify::Args),
    #[command(after_help = "Example: memring demo --scheme libmemcached-modula --scheme jump --seed 7")]
    Demo(demo::Args),
    #[command(after_help = "Example: memring serve --listen 127.0.0.1:11311")]
    Serve(serve::Args),
    Get(get::GetArgs),
    Gat(get::GatArgs),
    /// Stores a value, whatever was there before.
    #[command(after_help = "Example: memring set --server 127.0.0.1:11211 --ttl 1h greeting hello")]
    Set(store::StoreArgs),
    /// Stores a value if there is none yet. The exit code is 1 if there is.
    #[command(after_help = "Example: memring add --server 127.0.0.1:11211 --ttl 10s lock:report taken")]
    Add(store::StoreArgs),
    /// Stores a value if there is one already. The exit code is 1 if there is none.
    #[command(after_help = "Example: memring replace --server 127.0.0.1:11211 --ttl 1h greeting hello")]
    Replace(store::StoreArgs),
    /// Puts bytes behind a value that is there. The exit code is 1 if it is not.
    #[command(after_help = "Example: memring append --server 127.0.0.1:11211 greeting ', world'")]
    Append(store::ItemArgs),
    /// Puts bytes before a value that is there. The exit code is 1 if it is not.
    #[command(after_help = "Example: memring prepend --server 127.0.0.1:11211 greeting 'oh, '")]
    Prepend(store::ItemArgs),
    Cas(store::CasArgs),
    Delete(delete::Args),
    /// Adds to a counter and prints its new value. The exit code is 1 if it is not there.
    #[command(after_help = "Example: memring incr --server 127.0.0.1:11211 visits 1")]
    Incr(count::Args),
    /// Subtracts from a counter, down to 0, and prints its new value. The exit code is 1 if it is not there.
    #[command(after_help = "Example: memring decr --server 127.0.0.1:11211 stock 1")]
    Decr(count::Args),
    Touch(touch::Args),
    Meta(meta::Args),
    Keys(keys::Args),
    Ping(ping::Args),
    #[command(after_help = "Example: memring version --servers servers.txt")]
    Version(version::Args),
    #[command(after_help = "Example: memring stats --server 127.0.0.1:11211 settings")]
    Stats(stats::Args),
    Slabs(slabs::Args),
    Top(top::Args),
    Bench(bench::Args),
    Watch(watch::Args),
    WatchServers(watch_servers::Args),
    Flush(flush::Args),
    #[command(
        after_help = "Example: memring completions bash > ~/.local/share/bash-completion/completions/memring"
    )]
    Completions(completions::Args),
}

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return told(&error),
    };
    let done = match command {
        Command::Where(args) => locate::run(&args),
        Command::Schemes(args) => schemes::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Spread(args) => spread::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Get(args) => get::get(&args),
        Command::Gat(args) => get::gat(&args),
        Command::Set(args) => store::set(&args),
        Command::Add(args) => store::add(&args),
        Command::Replace(args) => store::replace(&args),
        Command::Append(args) => store::append(&args),
        Command::Prepend(args) => store::prepend(&args),
        Command::Cas(args) => store::cas(&args),
        Command::Delete(args) => delete::run(&args),
        Command::Incr(args) => count::incr(&args),
        Command::Decr(args) => count::decr(&args),
        Command::Touch(args) => touch::run(&args),
        Command::Meta(args) => meta::run(&args),
        Command::Keys(args) => keys::run(&args),
        Command::Ping(args) => ping::run(&args),
        Command::Version(args) => version::run(&args),
        Command::Stats(args) => stats::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Slabs(args) => slabs::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::WatchServers(args) => watch_servers::run(&args),
        Command::Flush(args) => flush::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    match done {
        Ok(outcome) => outcome.report(),
        Err(failure) => failure.report(),
    }
}

/// Prints what clap has to say: help and version, or what is wrong with the arguments.
fn told(error: &clap::Error) -> ExitCode {
    match error.print() {
        // A reader that has seen enough is no failure.
        Err(wrong) if wrong.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(wrong) if !error.use_stderr() => {
            failure::Failure::failed(format_args!("standard output: {}", failure::system(&wrong))).report()
        }
        _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Cli::command().debug_assert();
    }
}
