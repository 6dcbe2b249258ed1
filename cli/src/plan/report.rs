//! The report of a change, for people and for machines.

use core::fmt;
use std::collections::BTreeSet;

use memring_core::Server;
use serde_json::{Value, json};

use super::{Change, Side};
use crate::{
    scheme_args::indexes,
    share::{self, percent, signed_percent},
    table::{Align, Table},
};

impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (old, new) = (self.old.servers().len(), self.new.servers().len());
        let common = self.old.names().intersection(&self.new.names()).count();
        write!(f, "{}", self.old.title)?;
        if self.old.title != self.new.title {
            write!(f, " → {}", self.new.title)?;
        }
        writeln!(f, ", {old} → {new} servers, {common} of them the same")?;
        writeln!(f, "all shares are {}\n", share::precision(&self.known, self.plan.moved()))?;
        writeln!(f, "{}\n{}", self.summary(), self.servers())?;
        if new <= MATRIX_COLUMNS {
            writeln!(
                f,
                "Percent of all keys that go from each server to each; [n] is number n of the new list, from 0:"
            )?;
            write!(f, "{}", self.matrix())
        } else {
            writeln!(f, "The largest moves (--json has all of them):")?;
            write!(f, "{}", self.largest_moves())
        }
    }
}

impl Change<'_> {
    /// Everything, for machines.
    pub(super) fn json(&self) -> Value {
        let matrix: Value = indexes(self.old.placed)
            .map(|from| {
                indexes(self.new.placed).map(|to| share::number(self.plan.share(from, to))).collect::<Value>()
            })
            .collect();
        json!({
            "kept": share::number(self.plan.kept()),
            "moved": share::number(self.plan.moved()),
            "ideal": share::number(self.ideal()),
            "precision": share::precision_object(&self.known, self.plan.moved()),
            "old": self.old.json(),
            "new": self.new.json(),
            "matrix": matrix,
        })
    }

    /// What happens, in a few lines.
    fn summary(&self) -> Table {
        let mut table = Table::new([Align::Left, Align::Right, Align::Left]);
        table.row([
            "keys that stay",
            &percent(self.plan.kept()),
            "the hit rate to expect, of what was hit before",
        ]);
        table.row(["ideal", &percent(self.ideal()), "with shares exactly by weight, and no needless move"]);
        table.row(["keys that move", &percent(self.plan.moved()), ""]);
        table
    }

    /// Each server before and after.
    fn servers(&self) -> Table {
        let mut table = Table::new([Align::Left]);
        table.row(["server", "weight", "before", "after", "change"]);
        self.server_rows().into_iter().for_each(|row| table.row(row));
        table
    }

    /// Each server of either list: its name, its weight, its shares before and after, and their difference.
    pub(super) fn server_rows(&self) -> Vec<[String; 5]> {
        let (old_names, new_names) = (self.old.names(), self.new.names());
        let gone = self.old.servers().iter().filter(|server| !new_names.contains(server.name));
        let row = |server: &Server<'_>| {
            let before = self.old.share_of(server.name);
            let after = self.new.share_of(server.name);
            let known = |side: &BTreeSet<&str>, share| match side.contains(server.name) {
                true => percent(share),
                false => "–".to_owned(),
            };
            [
                server.name.to_owned(),
                server.weight.real().to_string(),
                known(&old_names, before),
                known(&new_names, after),
                signed_percent(after - before),
            ]
        };
        self.new.servers().iter().chain(gone).map(row).collect()
    }

    /// From each server to each, in percent of all keys.
    fn matrix(&self) -> Table {
        let mut table = Table::new([Align::Left]);
        let numbers = indexes(self.new.placed).map(|to| format!("[{to}]"));
        table.row(["from \\ to".to_owned()].into_iter().chain(numbers));
        for (from, server) in indexes(self.old.placed).zip(self.old.servers()) {
            let cells = indexes(self.new.placed).map(|to| match self.plan.share(from, to) * 100.0 {
                0.0 => "·".to_owned(),
                share => format!("{share:.2}"),
            });
            table.row([server.name.to_owned()].into_iter().chain(cells));
        }
        table
    }

    /// The largest moves, where a matrix would be too wide to read.
    fn largest_moves(&self) -> Table {
        let mut table = Table::new([Align::Right, Align::Left, Align::Left, Align::Left]);
        for (from, to, share) in self.moves().into_iter().take(MOVES_SHOWN) {
            table.row([&percent(share), self.old.name(from), "→", self.new.name(to)]);
        }
        table
    }
}

impl Side<'_> {
    fn json(&self) -> Value {
        let servers: Value = self
            .servers()
            .iter()
            .zip(self.shares.iter().zip(&self.fair))
            .map(|(server, (&is, &fair))| {
                json!({
                    "name": server.name,
                    "weight": share::weight(server.weight),
                    "share": share::number(is),
                    "fair_share": share::number(fair),
                })
            })
            .collect();
        json!({ "scheme": self.title, "servers": servers })
    }
}

/// Most servers of the new list that the matrix is printed for.
const MATRIX_COLUMNS: usize = 20;

/// Moves printed instead of a matrix.
const MOVES_SHOWN: usize = 20;
