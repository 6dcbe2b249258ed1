//! `memring slabs`.

use std::collections::BTreeMap;

use memring_std::{Error, StatsKind};
use serde_json::{Value, json};

use super::{ClientArgs, all_fine};
use crate::{
    failure::{Failure, Outcome},
    output,
    table::{Align, Table},
    visible::Visible,
};

/// Prints how each server's memory is divided: a line for each class of items of similar size that has memory.
///
/// The columns: `chunk`, the bytes that each item of the class takes; `pages`, how many pages of memory the class has;
/// `used` and `chunks`, how many of the chunks in them are in use; `waste`, the share of the used chunks' bytes that holds
/// nothing; `age`, the seconds since the item that would be dropped next was used; `evicted`, how many items were dropped
/// before their time to make room for others.
///
/// Example: memring slabs --servers eight.txt
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,

    /// Prints JSON: an array of objects, a class of a server each.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let client = args.client.client()?;
    let mut classes = BTreeMap::new();
    let mut note = |server: &str, name: &[u8], value: &[u8]| {
        let (Some((class, name)), Some(value)) = (class_of(name), number(value)) else { return };
        let class: &mut BTreeMap<_, _> = classes.entry((server.to_owned(), class)).or_default();
        class.insert(name.to_owned(), value);
    };
    let mut answers = client.stats_with(StatsKind::Slabs, &mut note);
    answers.extend(client.stats_with(StatsKind::Items, &mut note));
    let names: Vec<_> = answers.iter().map(|answer| answer.server.to_string()).collect();
    // In the order of the servers.
    let place = |server: &String| names.iter().position(|name| name == server);
    let mut rows: Vec<_> =
        classes.into_iter().map(|((server, class), figures)| Class { server, class, figures }).collect();
    rows.sort_by_key(|row| (place(&row.server), row.class));
    if args.json {
        output::print_json(&rows.iter().map(Class::object).collect())?;
    } else {
        output::print(&table(&rows).to_string())?;
    }
    let mut told: Vec<Error> = Vec::new();
    for error in answers.into_iter().filter_map(|answer| answer.result.err()) {
        // Each server was asked twice.
        if !told.iter().any(|known| known.says_what(&error)) {
            told.push(error);
        }
    }
    all_fine(told)?;
    Ok(Outcome::Fine)
}

/// The class and the figure that a statistic is of: `5:chunk_size`, or `items:5:number`.
fn class_of(name: &[u8]) -> Option<(u32, &str)> {
    let name = str::from_utf8(name).ok()?;
    let (class, name) = name.strip_prefix("items:").unwrap_or(name).split_once(':')?;
    Some((class.parse().ok()?, name))
}

fn number(value: &[u8]) -> Option<u64> {
    str::from_utf8(value).ok()?.parse().ok()
}

/// A class of items of one server.
struct Class {
    server: String,
    class: u32,
    figures: BTreeMap<String, u64>,
}

impl Class {
    fn figure(&self, name: &str) -> Option<u64> {
        self.figures.get(name).copied()
    }

    /// Which part of the used chunks no item fills. Old servers do not tell.
    fn waste(&self) -> Option<f64> {
        let taken = self.figure("used_chunks")?.checked_mul(self.figure("chunk_size")?)?;
        let filled = self.figure("mem_requested")?;
        (taken > 0).then(|| taken.saturating_sub(filled) as f64 / taken as f64)
    }

    fn object(&self) -> Value {
        json!({
            "server": self.server,
            "class": self.class,
            "chunk_size": self.figure("chunk_size"),
            "pages": self.figure("total_pages"),
            "chunks": self.figure("total_chunks"),
            "used_chunks": self.figure("used_chunks"),
            "requested": self.figure("mem_requested"),
            "items": self.figure("number").unwrap_or(0),
            "age": self.figure("age"),
            "evicted": self.figure("evicted").unwrap_or(0),
            "out_of_memory": self.figure("outofmemory").unwrap_or(0),
        })
    }
}

fn table(rows: &[Class]) -> Table {
    let mut table = Table::new([Align::Left]);
    table.row(["server", "class", "chunk", "pages", "chunks", "used", "waste", "items", "age", "evicted"]);
    for row in rows {
        let figure = |name| row.figure(name).map_or_else(|| "–".to_owned(), |figure| figure.to_string());
        table.row([
            Visible::line(&row.server).to_string(),
            row.class.to_string(),
            figure("chunk_size"),
            figure("total_pages"),
            figure("total_chunks"),
            figure("used_chunks"),
            row.waste().map_or_else(|| "–".to_owned(), |waste| format!("{:.0} %", waste * 100.0)),
            row.figure("number").unwrap_or(0).to_string(),
            figure("age"),
            row.figure("evicted").unwrap_or(0).to_string(),
        ]);
    }
    table
}
