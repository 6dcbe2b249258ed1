//! `memring where`: on which server a key lives.

use core::fmt::Write as _;
use std::ffi::OsString;

use clap::ValueEnum;
use memring_core::{ServerIndex, peers, vector::Escaped};
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Outcome},
    input::Input,
    output,
    scheme_args::{Placed, SchemeArgs, ServerArgs, build, name},
};

/// Says on which server each key lives.
///
/// A keys file has one key a line, escaped: `\xNN` is a byte, everything else is itself. KEY arguments are taken as they
/// are. Nothing is printed unless everything is right.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Lists the known schemes and who uses them.
    #[arg(long, exclusive = true)]
    list: bool,

    #[command(flatten)]
    scheme: SchemeArgs,

    #[command(flatten)]
    servers: ServerArgs,

    /// Prints all servers to ask, in the order in which the peer tries them, not the first alone.
    #[arg(long)]
    order: bool,

    /// `tsv`: key, tab, indexes; `text`: key and server names; `json`: an array of objects.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// A file of keys; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    keys: Option<String>,

    /// Keys, taken as they are.
    #[arg(value_name = "KEY")]
    key: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Tsv,
    Text,
    Json,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let text = if args.list { schemes() } else { located(args)? };
    output::print(&text)?;
    Ok(Outcome::Fine)
}

/// Every scheme and who uses it.
fn schemes() -> String {
    let width = peers::all().map(|peer| peer.scheme.name.len()).max().unwrap_or(0);
    peers::all().fold(String::new(), |mut text, peer| {
        let _ = writeln!(text, "{:width$}  {}", peer.scheme.name, peer.scheme.used_by);
        text
    })
}

fn located(args: &Args) -> Result<String, Failure> {
    if args.servers.is_stdin() && args.keys.as_deref() == Some("-") {
        return Err(Failure::usage("only one of --servers and --keys can be standard input"));
    }
    let file = args.servers.read()?;
    let servers = args.servers.servers(file.as_ref())?;
    let placement = build(args.scheme.choice()?.scheme()?, &servers)?;
    let keys = match &args.keys {
        Some(path) => Input::read(path)?.keys()?,
        None if args.key.is_empty() => return Err(Failure::usage("no keys: give some, or --keys FILE")),
        None => args.key.iter().map(|key| key.as_encoded_bytes().to_vec()).collect(),
    };
    let mut room = vec![ServerIndex::default(); if args.order { servers.len() } else { 1 }];
    let located = keys.iter().map(|key| (key.as_slice(), placement.order(key, &mut room).to_vec()));
    Ok(match args.format {
        Format::Tsv => located.fold(String::new(), |text, (key, order)| text + &tsv(key, &order)),
        Format::Text => {
            located.fold(String::new(), |text, (key, order)| text + &line(&placement, key, &order))
        }
        Format::Json => {
            // A line each: of a million keys, a tree of values would take more than a gigabyte.
            let objects = located.fold(String::new(), |text, (key, order)| {
                let comma = if text.is_empty() { "" } else { ",\n" };
                text + &format!("{comma}  {}", object(&placement, key, &order))
            });
            if objects.is_empty() { "[]\n".to_owned() } else { format!("[\n{objects}\n]\n") }
        }
    })
}

fn tsv(key: &[u8], order: &[ServerIndex]) -> String {
    let indexes: Vec<_> = order.iter().map(ServerIndex::to_string).collect();
    format!("{}\t{}\n", Escaped(key), indexes.join(","))
}

fn line(placement: &Placed<'_>, key: &[u8], order: &[ServerIndex]) -> String {
    let names: Vec<_> = order.iter().map(|&server| name(placement, server)).collect();
    format!("{}  {}\n", Escaped(key), names.join(", "))
}

fn object(placement: &Placed<'_>, key: &[u8], order: &[ServerIndex]) -> Value {
    let servers: Value = order
        .iter()
        .map(|&server| json!({ "index": server.get(), "name": name(placement, server) }))
        .collect();
    json!({ "key": Escaped(key).to_string(), "servers": servers })
}
