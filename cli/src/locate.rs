//! `memring where`: on which server a key lives.

use core::ops::ControlFlow;
use std::{borrow::Cow, ffi::OsString};

use clap::ValueEnum;
use listing::{AT_ONCE, Listing};
use memring_core::ServerIndex;

use crate::{
    failure::{Failure, Outcome},
    key_file::{Key, KeyFile},
    output::{self, Printer},
    scheme_args::{Placed, SchemeArgs, build},
    schemes,
    servers::{NameArgs, ServerArgs},
    warnings,
};

mod counts;
mod listing;

/// Says on which server each key lives.
///
/// A keys file has one key a line, escaped: `\xNN` is a byte, everything else is itself; blank lines are no keys. It may have
/// any number of keys, which are answered in their order as they are read. A bad line is an error; the lines before it are
/// answered then, and none behind it. KEY arguments are taken as they are.
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

    /// Prints how many of the keys each server has, in place of the keys. Nothing is printed unless all keys are right.
    #[arg(long, conflicts_with = "order")]
    counts: bool,

    /// `tsv`: key, tab, indexes; `tsv-names`: key and names, a tab before each, escaped as keys are; `text`: key and server names; `json`: an array of objects.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// The same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    json: bool,

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
    TsvNames,
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
    if args.keys.is_none() && args.key.is_empty() {
        return Err(Failure::usage("no keys: give some, or --keys FILE"));
    }
    let settings = args.scheme.settings.read(args.servers.are_given())?;
    let servers = args.servers.named(args.names, &settings)?;
    let scheme = args.scheme.choice(&settings)?.scheme()?;
    let placement = build(scheme, &servers)?;
    warnings::tell(&[(scheme, &servers)]);
    let keys = match &args.keys {
        Some(path) => KeySource::File(KeyFile::open(path)?),
        None => KeySource::Arguments(&args.key),
    };
    let as_placed: AsPlaced<'_> = &|key| settings.placed(key);
    let format = if args.json { Format::Json } else { args.format };
    if args.counts {
        return counts::print(&placement, &count(&placement, keys, as_placed)?, format);
    }
    print(&placement, keys, format, if args.order { servers.len() } else { 1 }, as_placed)
}

/// What a client makes of a key before it places it.
pub(crate) type AsPlaced<'f> = &'f (dyn Fn(&[u8]) -> Cow<'_, [u8]> + Sync);

/// Where keys come from.
pub(crate) enum KeySource<'k> {
    File(KeyFile),
    /// Keys as they are.
    Arguments(&'k [OsString]),
}

impl KeySource<'_> {
    /// Makes results of the keys by `work`, and hands them on in order, as [`KeyFile::in_order`] does.
    fn in_order<R: Default>(
        self,
        work: impl Fn(&mut dyn Iterator<Item = Result<Key<'_>, Failure>>, &mut R) -> Result<(), Failure> + Sync,
        mut hand_on: impl FnMut(&mut R) -> Result<ControlFlow<()>, Failure> + Send,
    ) -> Result<(), Failure> {
        match self {
            Self::File(file) => file.in_order(|keys, result| work(keys, result), hand_on),
            Self::Arguments(arguments) => {
                let mut result = R::default();
                let keys = arguments.iter().map(|key| Key::raw(key.as_encoded_bytes()));
                work(&mut keys.map(Ok), &mut result)?;
                hand_on(&mut result).map(drop)
            }
        }
    }
}

/// Prints for each key the servers to ask first, `count` at most; `as_placed` says what the client makes of a key before it
/// places it.
///
/// # Errors
/// A bad key's, when the keys before it are printed.
pub(crate) fn print(
    placement: &Placed<'_>,
    keys: KeySource<'_>,
    format: Format,
    count: usize,
    as_placed: AsPlaced<'_>,
) -> Result<(), Failure> {
    let listing = Listing::new(placement, format, count);
    let (mut printer, mut is_first) = (Printer::new(), true);
    keys.in_order(
        |keys, lines| listing.write(keys, as_placed, lines),
        |lines: &mut Vec<u8>| {
            if let (true, Format::Json, Some(first)) = (is_first, format, lines.first_mut()) {
                // What parts the objects becomes what opens the array.
                (*first, is_first) = (b'[', false);
            }
            printer.bytes(lines)?;
            printer.flush()?;
            lines.clear();
            Ok(if printer.has_reader() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        },
    )?;
    if let Format::Json = format {
        printer.show(if is_first { "[]\n" } else { "\n]\n" })?;
    }
    printer.finish()
}

/// How many of the keys each server has.
fn count(placement: &Placed<'_>, keys: KeySource<'_>, as_placed: AsPlaced<'_>) -> Result<Vec<u64>, Failure> {
    let mut counts = vec![0_u64; placement.servers().len()];
    keys.in_order(
        |keys, placed: &mut Vec<ServerIndex>| {
            let mut group = Vec::with_capacity(AT_ONCE);
            loop {
                listing::take(keys, &mut group)?;
                let keys: Vec<_> = group.iter().map(|key| as_placed(key.bytes())).collect();
                let names: Vec<_> = keys.iter().map(|key| &**key).collect();
                let before = placed.len();
                placed.resize(before + names.len(), ServerIndex::default());
                placement.place_many(&names, placed.get_mut(before..).unwrap_or_default());
                if group.len() < AT_ONCE {
                    return Ok(());
                }
            }
        },
        |placed| {
            for server in placed.drain(..) {
                if let Some(count) = counts.get_mut(server.get()) {
                    *count += 1;
                }
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(counts)
}
