//! What is printed: a row for each load and client, and which goals are met.

use crate::{
    clients::Kind,
    load::{Load, Run, Threads},
};

pub(crate) const HEAD: &str = "\
| load | client | operations/s | ratio | CPU µs/op | p50 µs | p99 µs | allocations/op |
|---|---|---|---|---|---|---|---|";

/// Prints the rows of `load`: the median of each figure, over the rounds. Ratios are to the first client.
pub(crate) fn print(load: &Load, runs: &[(Kind, Run)]) {
    let of = |kind: Kind, figure: fn(&Run) -> f64| {
        let mut figures: Vec<_> =
            runs.iter().filter(|(whose, _)| *whose == kind).map(|(_, run)| figure(run)).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let first = Kind::ALL[0];
    for kind in Kind::ALL.into_iter().filter(|kind| runs.iter().any(|(whose, _)| whose == kind)) {
        println!(
            "| {load} | {} | {:.0} | {:.2} | {:.2} | {:.0} | {:.0} | {:.2} |",
            kind.name(),
            of(kind, |run| run.rate),
            of(kind, |run| run.rate) / of(first, |run| run.rate),
            of(kind, |run| run.cpu),
            of(kind, |run| run.p50),
            of(kind, |run| run.p99),
            of(kind, |run| run.allocations),
        );
    }
    for goal in GOALS.iter().filter(|goal| goal.is_of(load)) {
        let ratio = of(goal.client, goal.figure) / of(first, goal.figure);
        let is_met = if goal.at_least { ratio >= goal.bound } else { ratio <= goal.bound };
        let (word, sign) = (if is_met { "met" } else { "MISSED" }, if goal.at_least { "≥" } else { "≤" });
        let (client, what, bound) = (goal.client.name(), goal.what, goal.bound);
        eprintln!("{word}: {load}: {client}: {what} {ratio:.2}, goal {sign} {bound}");
    }
}

/// A bound on a ratio to the first client.
struct Goal {
    tasks: usize,
    servers: usize,
    threads: Threads,
    client: Kind,
    what: &'static str,
    figure: fn(&Run) -> f64,
    at_least: bool,
    bound: f64,
}

impl Goal {
    const fn rate(tasks: usize, servers: usize, threads: Threads, client: Kind, bound: f64) -> Self {
        Self { tasks, servers, threads, client, what: "rate", figure: |run| run.rate, at_least: true, bound }
    }

    fn is_of(&self, load: &Load) -> bool {
        (self.tasks, self.servers, self.threads, 0) == (load.tasks, load.servers, load.threads, load.sets)
    }
}

const GOALS: &[Goal] = &[
    Goal::rate(1, 1, Threads::Current, Kind::Memring, 0.95),
    Goal::rate(16, 1, Threads::Current, Kind::Memring, 1.6),
    Goal::rate(256, 1, Threads::Current, Kind::Memring, 5.0),
    Goal::rate(256, 1, Threads::Current, Kind::MemringUnmerged, 1.8),
    Goal::rate(256, 3, Threads::Current, Kind::Memring, 2.5),
    Goal::rate(256, 1, Threads::Two, Kind::Memring, 2.0),
    Goal {
        what: "p99",
        figure: |run| run.p99,
        at_least: false,
        ..Goal::rate(256, 1, Threads::Current, Kind::Memring, 0.5)
    },
    Goal {
        what: "CPU",
        figure: |run| run.cpu,
        at_least: false,
        ..Goal::rate(256, 1, Threads::Current, Kind::Memring, 0.25)
    },
];
