//! `memring stats`.

use clap::ValueEnum;
use memring_std::StatsKind;
use serde_json::{Map, Value};

use super::{ClientArgs, all_fine};
use crate::{
    failure::{Failure, Outcome},
    output,
    table::{Align, Table},
};

/// Prints the statistics of each server, a line each: server, name, value.
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
    let mut table = Table::new([Align::Left, Align::Left, Align::Left]);
    let mut servers = Map::new();
    let mut errors = Vec::new();
    for answer in args.client.client()?.stats(args.kind.into()) {
        match answer.result {
            Ok(stats) => {
                let mut object = Map::new();
                for (name, value) in stats.iter() {
                    let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
                    table.row([&answer.server, &*name, &*value]);
                    object.insert(name.into_owned(), value.into());
                }
                servers.insert(answer.server.to_string(), object.into());
            }
            Err(error) => errors.push(error),
        }
    }
    let text = if args.json { format!("{:#}\n", Value::from(servers)) } else { table.to_string() };
    output::print(&text)?;
    all_fine(errors)?;
    Ok(Outcome::Fine)
}
