//! `memring stats`.

use std::collections::HashMap;

use clap::ValueEnum;
use memring_std::{FromServer, StatsKind};
use serde_json::{Map, Value};

use super::{ClientArgs, all_fine, client::Client};
use crate::{
    failure::{Failure, Outcome},
    output::{self, Printer},
    visible::Visible,
};

/// Prints the statistics of each server, a line each: server, name, value.
///
/// All servers are asked at once. There may be any number of lines; --timeout is for each piece of a reply.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,

    /// Which statistics.
    #[arg(value_enum, default_value_t = Kind::General)]
    kind: Kind,

    /// Prints JSON: an object of servers, each an object of names and values.
    #[arg(long)]
    json: bool,

    /// Prints what servers say as it is; a terminal obeys what they may say. Otherwise bytes that are no text are `\xNN`.
    #[arg(long, conflicts_with = "json")]
    raw: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    General,
    Settings,
    Items,
    Slabs,
    Sizes,
    Conns,
}

impl From<Kind> for StatsKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::General => Self::General,
            Kind::Settings => Self::Settings,
            Kind::Items => Self::Items,
            Kind::Slabs => Self::Slabs,
            Kind::Sizes => Self::Sizes,
            Kind::Conns => Self::Conns,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let client = args.client.client()?;
    let answers = if args.json { objects(&client, args.kind)? } else { lines(&client, args)? };
    all_fine(answers.into_iter().filter_map(|answer| answer.result.err()))?;
    Ok(Outcome::Fine)
}

/// Prints the servers' lines in the order of the servers. The first one's are printed as they come, because there may be
/// very many; what the others say meanwhile is kept until then.
fn lines(client: &Client, args: &Args) -> Result<Vec<FromServer<()>>, Failure> {
    let first = client.first_server();
    let (mut printer, mut printed) = (Printer::new(), Ok(()));
    let mut kept: HashMap<String, Vec<u8>> = HashMap::new();
    let answers = client.stats_with(args.kind.into(), |server, name, value| {
        if printed.is_err() || !printer.has_reader() {
            return;
        }
        let line = line(server, name, value, args.raw);
        if first.as_deref() == Some(server) {
            printed = printer.bytes(&line);
        } else if let Some(lines) = kept.get_mut(server) {
            lines.extend(line);
        } else {
            kept.insert(server.to_owned(), line);
        }
    });
    printed?;
    for answer in &answers {
        if let Some(lines) = kept.remove(&*answer.server) {
            printer.bytes(&lines)?;
        }
    }
    printer.finish()?;
    Ok(answers)
}

/// One statistic of a server; `raw` as it is, else so that no terminal obeys it.
fn line(server: &str, name: &[u8], value: &[u8], raw: bool) -> Vec<u8> {
    if raw {
        return [server.as_bytes(), b"  ", name, b"  ", value, b"\n"].concat();
    }
    let (server, name, value) =
        (Visible::line(server), Visible::line(name).to_string(), Visible::line(value));
    format!("{server}  {name:NAME$}  {value}\n").into_bytes()
}

/// Prints an object of objects.
fn objects(client: &Client, kind: Kind) -> Result<Vec<FromServer<()>>, Failure> {
    let mut servers = Map::new();
    let answers = client.stats_with(kind.into(), |server, name, value| {
        if let Value::Object(object) = servers.entry(server).or_insert_with(|| Map::new().into()) {
            object.insert(text(name), text(value).into());
        }
    });
    output::print_json(&servers.into())?;
    Ok(answers)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The width of the column of names: that of the longest of the usual ones.
const NAME: usize = 27;
