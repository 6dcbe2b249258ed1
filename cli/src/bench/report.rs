//! What a benchmark has shown.

use core::{fmt, time::Duration};

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::{Args, board::Seen};
use crate::{
    table::{Align, Table},
    visible::Visible,
};

/// What was seen of all servers.
pub(super) struct Report<'a> {
    args: &'a Args,
    elapsed: Duration,
    servers: Vec<Seen>,
    all: Seen,
}

impl<'a> Report<'a> {
    pub(super) fn new(args: &'a Args, elapsed: Duration, servers: Vec<Seen>) -> Self {
        let mut all = Seen::new("all");
        servers.iter().for_each(|server| all.add(server));
        Self { args, elapsed, servers, all }
    }

    fn per_second(&self, seen: &Seen) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { (seen.reads + seen.writes) as f64 / seconds } else { 0.0 }
    }

    pub(super) fn object(&self) -> Value {
        let mut object = self.figures(&self.all);
        object["client"] = if self.args.client.is_std() { "std" } else { "tokio" }.into();
        object["workers"] = self.args.workers.into();
        object["rate"] = self.args.rate.into();
        object["seconds"] = rounded(self.elapsed.as_secs_f64()).into();
        let servers = self.servers.iter().map(|server| {
            let mut object = self.figures(server);
            object["server"] = server.name.as_str().into();
            object
        });
        object["servers"] = servers.collect();
        object
    }

    fn figures(&self, seen: &Seen) -> Value {
        let mut object = json!({
            "operations": seen.reads + seen.writes,
            "per_second": rounded(self.per_second(seen)),
            "reads": seen.reads,
            "writes": seen.writes,
            "misses": seen.misses,
            "errors": seen.errors,
        });
        let latency = LATENCIES.map(|(name, of)| {
            let millis = (!seen.latency.is_empty()).then(|| rounded(of(&seen.latency) as f64 / 1e6));
            (name, json!(millis))
        });
        object["latency_ms"] = latency.into_iter().map(|(name, millis)| (name.to_owned(), millis)).collect();
        object
    }
}

type Latency = (&'static str, fn(&Histogram<u64>) -> u64);

/// The latencies that are told, by their names.
const LATENCIES: [Latency; 4] = [
    ("p50", |latency| latency.value_at_quantile(0.5)),
    ("p99", |latency| latency.value_at_quantile(0.99)),
    ("p999", |latency| latency.value_at_quantile(0.999)),
    ("max", |latency| latency.max()),
];

/// Three places are enough: more would be noise.
fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { args, elapsed, servers, all } = self;
        let workers = if args.client.is_std() { "threads" } else { "tasks" };
        let pace = match args.rate {
            Some(rate) => {
                format!("{rate} operations/s wanted, latency from the time at which each was to begin")
            }
            None => "flat out".to_owned(),
        };
        writeln!(f, "{} {workers} for {:.1} s, {pace}\n", args.workers, elapsed.as_secs_f64())?;
        let mut table = Table::new([Align::Left]);
        table.row(["server", "ops/s", "reads", "misses", "writes", "errors", "p50", "p99", "p99.9", "max"]);
        let together = (servers.len() > 1).then_some(all);
        for seen in servers.iter().chain(together) {
            let mut cells =
                vec![Visible::line(&seen.name).to_string(), format!("{:.0}", self.per_second(seen))];
            let counts = [seen.reads, seen.misses, seen.writes, seen.errors];
            cells.extend(counts.map(|count| count.to_string()));
            cells.extend(LATENCIES.map(|(_, of)| match seen.latency.is_empty() {
                true => "–".to_owned(),
                false => format!("{:.3} ms", of(&seen.latency) as f64 / 1e6),
            }));
            table.row(cells);
        }
        table.fmt(f)
    }
}
