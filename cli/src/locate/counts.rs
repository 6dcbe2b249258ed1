//! How many of the keys each server has.

use core::fmt::Write as _;

use memring_core::vector::Escaped;
use serde_json::{Value, json};

use super::Format;
use crate::failure::Failure;
use crate::{
    output,
    scheme_args::Placed,
    share::{self, percent},
    table::{Align, Table},
    visible::Visible,
};

/// Prints `counts`, which has the number of keys of each server.
pub(super) fn print(placement: &Placed<'_>, counts: &[u64], format: Format) -> Result<(), Failure> {
    let all: u64 = counts.iter().sum();
    let share = |keys: u64| if all == 0 { 0.0 } else { keys as f64 / all as f64 };
    let servers = placement.servers().iter().zip(counts);
    match format {
        Format::Tsv => {
            let mut text = String::new();
            for (index, (_, keys)) in servers.enumerate() {
                let _ = writeln!(text, "{index}\t{keys}");
            }
            output::print(&text)
        }
        Format::TsvNames => {
            let lines =
                servers.map(|(server, keys)| format!("{}\t{keys}\n", Escaped(server.name.as_bytes())));
            output::print(&lines.collect::<String>())
        }
        Format::Text => {
            let mut table = Table::new([Align::Left]);
            table.row(["server", "keys", "share"]);
            for (server, &keys) in servers {
                let name = Visible::line(server.name).to_string();
                table.row([name, keys.to_string(), percent(share(keys))]);
            }
            table.row(["all".to_owned(), all.to_string(), percent(share(all))]);
            output::print(&table.to_string())
        }
        Format::Json => {
            let servers: Value = servers
                .enumerate()
                .map(|(index, (server, &keys))| {
                    json!({ "index": index, "name": server.name, "keys": keys, "share": share::number(share(keys)) })
                })
                .collect();
            output::print_json(&json!({ "keys": all, "servers": servers }))
        }
    }
}
