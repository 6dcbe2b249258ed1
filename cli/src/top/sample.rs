//! What servers count, and what follows from two looks at it.

use std::{collections::HashMap, time::Instant};

use serde_json::{Value, json};

use crate::{
    table::{Align, Table},
    visible::Visible,
};

/// What a server has counted up to a moment.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) server: String,
    pub(super) error: Option<String>,
    at: Instant,
    figures: HashMap<&'static str, u64>,
}

/// The statistics that are looked at.
const NAMES: [&str; 17] = [
    "uptime",
    "cmd_get",
    "cmd_set",
    "cmd_touch",
    "get_hits",
    "delete_hits",
    "delete_misses",
    "incr_hits",
    "incr_misses",
    "decr_hits",
    "decr_misses",
    "evictions",
    "curr_items",
    "bytes",
    "limit_maxbytes",
    "curr_connections",
    "bytes_read",
];

/// The commands that are counted as operations.
const OPERATIONS: [&str; 9] = [
    "cmd_get",
    "cmd_set",
    "cmd_touch",
    "delete_hits",
    "delete_misses",
    "incr_hits",
    "incr_misses",
    "decr_hits",
    "decr_misses",
];

impl Sample {
    pub(super) fn new(server: &str, at: Instant) -> Self {
        Self { server: server.to_owned(), error: None, at, figures: HashMap::new() }
    }

    /// Notes a statistic, if it is one that matters here.
    pub(super) fn note(&mut self, name: &[u8], value: &[u8]) {
        let name = NAMES.iter().chain(&["bytes_written"]).find(|known| known.as_bytes() == name);
        let value = str::from_utf8(value).ok().and_then(|value| value.parse().ok());
        if let (Some(name), Some(value)) = (name, value) {
            self.figures.insert(name, value);
        }
    }

    fn figure(&self, name: &str) -> Option<u64> {
        self.figures.get(name).copied()
    }

    fn operations(&self) -> u64 {
        OPERATIONS.iter().filter_map(|name| self.figure(name)).fold(0, u64::saturating_add)
    }
}

/// What a server does, by two looks at it.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    pub(super) server: String,
    pub(super) error: Option<String>,
    operations: Option<f64>,
    /// Which part of the reads found something; `None` if there were none.
    hit_rate: Option<f64>,
    evictions: Option<f64>,
    received: Option<f64>,
    sent: Option<f64>,
    items: Option<u64>,
    bytes: Option<u64>,
    limit: Option<u64>,
    connections: Option<u64>,
}

impl Rates {
    /// What each server of `second` has done since `first`, which has the same servers.
    pub(super) fn between(first: &[Sample], second: &[Sample]) -> Vec<Self> {
        second.iter().enumerate().map(|(at, now)| Self::of(first.get(at), now)).collect()
    }

    fn of(before: Option<&Sample>, now: &Sample) -> Self {
        // One that was started anew meanwhile counts from zero again.
        let before = before.filter(|before| before.figure("uptime") <= now.figure("uptime"));
        let before =
            before.filter(|before| before.server == now.server && before.operations() <= now.operations());
        let seconds = before.map_or(0.0, |before| now.at.duration_since(before.at).as_secs_f64());
        let since = |name: &str| now.figure(name)?.checked_sub(before?.figure(name)?);
        let per_second = |count: u64| (seconds > 0.0).then(|| count as f64 / seconds);
        let gets = since("cmd_get").filter(|gets| *gets > 0);
        let is_there = !now.figures.is_empty();
        let operations = before.filter(|_| is_there).map(|before| now.operations() - before.operations());
        Self {
            server: now.server.clone(),
            error: now.error.clone(),
            operations: operations.and_then(per_second),
            hit_rate: gets.and_then(|gets| Some(since("get_hits")? as f64 / gets as f64)),
            evictions: since("evictions").and_then(per_second),
            received: since("bytes_read").and_then(per_second),
            sent: since("bytes_written").and_then(per_second),
            items: now.figure("curr_items"),
            bytes: now.figure("bytes"),
            limit: now.figure("limit_maxbytes"),
            connections: now.figure("curr_connections"),
        }
    }

    pub(super) fn object(&self) -> Value {
        let rounded = |number: Option<f64>| number.map(|number| (number * 1e3).round() / 1e3);
        let mut object = json!({
            "server": self.server,
            "operations_per_second": rounded(self.operations),
            "hit_rate": rounded(self.hit_rate),
            "evictions_per_second": rounded(self.evictions),
            "received_per_second": rounded(self.received),
            "sent_per_second": rounded(self.sent),
            "items": self.items,
            "bytes": self.bytes,
            "limit": self.limit,
            "connections": self.connections,
        });
        if let Some(error) = &self.error {
            object["error"] = error.as_str().into();
        }
        object
    }

    /// The cells of a line, as [`HEADING`] has them.
    pub(super) fn cells(&self) -> [String; 9] {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let percent = |share: Option<f64>| or_dash(share.map(|share| format!("{:.1} %", share * 100.0)));
        let whole = |number: Option<f64>| or_dash(number.map(|number| format!("{number:.0}")));
        let full = self.bytes.zip(self.limit).filter(|(_, limit)| *limit > 0);
        [
            Visible::line(&self.server).to_string(),
            whole(self.operations),
            percent(self.hit_rate),
            or_dash(self.evictions.map(|evictions| format!("{evictions:.1}"))),
            or_dash(self.received.map(size)),
            or_dash(self.sent.map(size)),
            or_dash(self.items.map(|items| items.to_string())),
            percent(full.map(|(bytes, limit)| bytes as f64 / limit as f64)),
            or_dash(self.connections.map(|connections| connections.to_string())),
        ]
    }
}

/// What the cells of a line are.
pub(super) const HEADING: [&str; 9] =
    ["server", "ops/s", "hits", "evictions/s", "in/s", "out/s", "items", "memory", "connections"];

/// A number of bytes as people read it.
fn size(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut units = UNITS.iter();
    let (mut number, mut unit) = (bytes, units.next());
    while number >= 1024.0 {
        let Some(next) = units.next() else { break };
        (number, unit) = (number / 1024.0, Some(next));
    }
    let unit = unit.unwrap_or(&"B");
    if *unit == "B" { format!("{number:.0} B") } else { format!("{number:.1} {unit}") }
}

pub(super) fn table(rates: &[Rates]) -> Table {
    let mut table = Table::new([Align::Left]);
    table.row(HEADING);
    for server in rates {
        table.row(server.cells());
    }
    table
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn sample(at: Instant, figures: &[(&str, u64)]) -> Sample {
        let mut sample = Sample::new("one", at);
        for (name, value) in figures {
            sample.note(name.as_bytes(), value.to_string().as_bytes());
        }
        sample
    }

    #[test]
    fn figures_are_those_between_two_looks() {
        let begin = Instant::now();
        let counted = |at, gets, hits| {
            sample(
                at,
                &[
                    ("uptime", 9),
                    ("cmd_get", gets),
                    ("get_hits", hits),
                    ("cmd_set", 7),
                    ("evictions", 3),
                    ("bytes", 50),
                    ("limit_maxbytes", 200),
                ],
            )
        };
        let (first, second) = (counted(begin, 100, 90), counted(begin + Duration::from_secs(2), 120, 95));
        let rates = Rates::of(Some(&first), &second);
        let cells = rates.cells();
        assert_eq!(cells, ["one", "10", "25.0 %", "0.0", "–", "–", "–", "25.0 %", "–"]);
        // Nobody has read anything since; the server was started anew.
        assert_eq!(Rates::of(Some(&second), &second).cells()[2], "–");
        let anew = sample(begin + Duration::from_secs(2), &[("uptime", 1), ("cmd_get", 1), ("get_hits", 1)]);
        assert_eq!(Rates::of(Some(&first), &anew).cells()[1..3], ["–", "–"]);
    }

    #[test]
    fn sizes_are_readable() {
        assert_eq!(
            [0.0, 1023.0, 1024.0, 1536.0 * 1024.0, 5e15].map(size),
            ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "4547.5 TiB"]
        );
    }
}
