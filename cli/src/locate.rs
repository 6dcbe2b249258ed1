//! `memring where`: on which server a key lives.

use core::fmt::{self, Write as _};
use std::ffi::OsString;

use clap::ValueEnum;
use memring_core::{ServerIndex, vector::Escaped};
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Outcome},
    input::{Input, Longest},
    output::{self, Printer},
    scheme_args::{Placed, SchemeArgs, build, name},
    schemes,
    servers::{NameArgs, ServerArgs},
    visible::Visible,
};

/// Says on which server each key lives.
///
/// A keys file has one key a line, escaped: `\xNN` is a byte, everything else is itself. KEY arguments are taken as they
/// are. Nothing is printed unless everything is right.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Lists the known schemes and who uses them, as `memring schemes` does.
    #[arg(long, exclusive = true)]
    list: bool,

    #[command(flatten)]
    scheme: SchemeArgs,

    #[command(flatten)]
    servers: ServerArgs,

    #[command(flatten)]
    names: NameArgs,

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

/// How keys and their servers are printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    Tsv,
    Text,
    Json,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    if args.list {
        output::print(&schemes::list())?;
    } else {
        locate(args)?;
    }
    Ok(Outcome::Fine)
}

fn locate(args: &Args) -> Result<(), Failure> {
    let sources =
        [args.servers.is_stdin(), args.scheme.settings.is_stdin(), args.keys.as_deref() == Some("-")];
    if sources.into_iter().filter(|is_stdin| *is_stdin).count() > 1 {
        return Err(Failure::usage("only one of --servers, --config and --keys can be standard input"));
    }
    let settings = args.scheme.settings.read(args.servers.are_given())?;
    let servers = args.servers.named(args.names, &settings)?;
    let placement = build(args.scheme.choice(&settings)?.scheme()?, &servers)?;
    let keys = args.keys.as_deref().map(|path| Input::read(path, Longest::KEY)).transpose()?;
    match &keys {
        // All of them are looked at before the first is printed.
        Some(file) => file.keys().try_for_each(|key| key.map(drop))?,
        None if args.key.is_empty() => return Err(Failure::usage("no keys: give some, or --keys FILE")),
        None => {}
    }
    let arguments = args.key.iter().map(|key| Ok(key.as_encoded_bytes().to_vec()));
    let count = if args.order { servers.len() } else { 1 };
    print(&placement, keys.iter().flat_map(Input::keys).chain(arguments), args.format, count, |key| {
        settings.placed(key).into_owned()
    })
}

/// Prints for each key the servers to ask first, `count` at most; `as_placed` says what the client makes of a key before it
/// places it.
pub(crate) fn print(
    placement: &Placed<'_>,
    keys: impl Iterator<Item = Result<Vec<u8>, Failure>>,
    format: Format,
    count: usize,
    as_placed: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<(), Failure> {
    let mut scratch = vec![ServerIndex::default(); count];
    let (mut printer, mut begin) = (Printer::new(), "[\n");
    for key in keys {
        let key = key?;
        let located =
            Located { placement, key: &key, order: placement.order(&as_placed(&key), &mut scratch) };
        match format {
            Format::Tsv => printer.show(located.tsv())?,
            Format::Text => printer.show(&located)?,
            // A line each: of a million keys, a tree of values would take more than a gigabyte.
            Format::Json => printer.show(format_args!("{begin}  {}", located.json()))?,
        }
        if !printer.has_reader() {
            break;
        }
        begin = ",\n";
    }
    if let Format::Json = format {
        printer.show(if begin == ",\n" { "\n]\n" } else { "[]\n" })?;
    }
    printer.finish()
}

/// A key and its servers.
struct Located<'l> {
    placement: &'l Placed<'l>,
    key: &'l [u8],
    order: &'l [ServerIndex],
}

impl Located<'_> {
    fn tsv(&self) -> String {
        let indexes: Vec<_> = self.order.iter().map(ServerIndex::to_string).collect();
        format!("{}\t{}\n", Escaped(self.key), indexes.join(","))
    }

    fn json(&self) -> String {
        let servers = self.order.iter();
        let servers: Value = servers
            .map(|&server| json!({ "index": server.get(), "name": name(self.placement, server) }))
            .collect();
        output::json(&json!({ "key": Escaped(self.key).to_string(), "servers": servers }).to_string())
    }
}

impl fmt::Display for Located<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", Escaped(self.key))?;
        for (place, &server) in self.order.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma} {}", Visible::line(name(self.placement, server)))?;
        }
        f.write_char('\n')
    }
}
