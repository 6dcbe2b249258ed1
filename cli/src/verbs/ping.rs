//! `memring ping`.

use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{sync::Arc, thread, time::Instant};

use memring_client::failure::Observer;
use memring_std::{Attributes, Config, Error, Event, ServerSpec, Ttl};
use memring_text::Key;
use serde_json::{Value, json};

use super::{
    ClientArgs, all_fine,
    client::{Client, Reading},
    tally::named,
};
use crate::{
    duration::duration,
    failure::{Failure, Outcome},
    output,
    table::{Align, Table},
};

/// Connects to each server, stores a value there, reads it back, and says how long each of the three took.
///
/// Connecting takes in looking the name up, the connection itself, encryption and the password. All servers are asked at once,
/// each over a connection of its own, which is opened anew in each round. The key, `memring:ping:` and a number, is
/// deleted again. The exit code is 3 if a server failed in any round.
///
/// Example: memring ping --servers eight.txt --count 5
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,

    /// How many rounds; of several, the shortest, the median and the longest time are printed.
    #[arg(long, value_name = "ROUNDS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,

    /// The time from the beginning of a round to the next.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    interval: Duration,

    /// Prints JSON: an array of servers, with times in milliseconds.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let servers = args.client.alone()?;
    let mut rows: Vec<_> = servers.iter().flat_map(|config| &config.servers).map(Row::new).collect();
    for round in 0..args.count {
        let begin = Instant::now();
        let targets = servers.iter().map(|config| Target::new(&args.client, config.clone()));
        let targets = targets.collect::<Result<Vec<_>, _>>()?;
        for (row, answer) in rows.iter_mut().zip(ask_all(&targets)?) {
            row.note(answer);
        }
        if round + 1 < args.count {
            thread::sleep(args.interval.saturating_sub(begin.elapsed()));
        }
    }
    if args.json {
        output::print_json(&rows.iter().map(Row::object).collect())?;
    } else {
        output::print(&table(&rows, args.count > 1).to_string())?;
    }
    all_fine(rows.iter().filter_map(|row| row.error.as_ref()))?;
    Ok(Outcome::Fine)
}

/// Asks all servers, [`AT_ONCE`] at a time: more threads at once would measure each other.
fn ask_all(targets: &[Target]) -> Result<Vec<Result<Times, String>>, Failure> {
    let mut answers = Vec::new();
    for some in targets.chunks(AT_ONCE) {
        let asked: Result<Vec<_>, _> = thread::scope(|scope| {
            let asked: Vec<_> = some.iter().map(|target| scope.spawn(|| target.ask())).collect();
            asked.into_iter().map(|asked| asked.join()).collect()
        });
        answers.extend(asked.map_err(|_| Failure::failed("asking a server ended in a panic"))?);
    }
    Ok(answers)
}

/// How many servers are asked at once.
const AT_ONCE: usize = 32;

/// A server to be asked, over a connection that is not opened yet.
struct Target {
    client: Client,
    /// How long the connection took to open, in nanoseconds.
    connect: Arc<AtomicU64>,
}

/// How long the three steps took.
type Times = [Duration; 3];

const STEPS: [&str; 3] = ["connect", "set", "get"];

impl Target {
    fn new(args: &ClientArgs, mut config: Config) -> Result<Self, Failure> {
        let connect = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&connect);
        config.observer = Observer::new(move |event| {
            if let Event::Connected { took, .. } = event {
                told.store(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        });
        Ok(Self { client: args.client_of(config)?, connect })
    }

    fn ask(&self) -> Result<Times, String> {
        let name = format!("memring:ping:{}", fastrand::u64(..));
        let key = Key::new(name.as_bytes()).map_err(|error| error.to_string())?;
        let value = name.as_bytes();
        let failed = |error: Error| named("ping", &error);
        let reading = Reading { cas: false, ttl: None };
        // Opens the connection; nothing can be there.
        self.client.read_one(key, reading).map_err(failed)?;
        let connect = Duration::from_nanos(self.connect.load(Ordering::Relaxed));
        let begin = Instant::now();
        let attributes = Attributes { flags: 0, ttl: Ttl::seconds(60) };
        self.client.set(key, value, attributes).map_err(failed)?;
        let set = begin.elapsed();
        let begin = Instant::now();
        let found = self.client.read_one(key, reading).map_err(failed)?;
        let get = begin.elapsed();
        if found.is_none_or(|item| item.value != value) {
            return Err("ping: what was stored was not found".to_owned());
        }
        self.client.delete_many(&[key]).map_err(failed)?;
        Ok([connect, set, get])
    }
}

/// A server, and what all rounds have shown.
struct Row {
    name: String,
    address: String,
    times: Vec<Times>,
    failed: usize,
    /// The last failure.
    error: Option<String>,
}

impl Row {
    fn new(spec: &ServerSpec) -> Self {
        let (name, address) = (spec.name().to_owned(), spec.address().to_string());
        Self { name, address, times: Vec::new(), failed: 0, error: None }
    }

    fn note(&mut self, answer: Result<Times, String>) {
        match answer {
            Ok(times) => self.times.push(times),
            Err(error) => {
                self.failed += 1;
                self.error = Some(error);
            }
        }
    }

    /// The least, the median and the longest time of a step; `None` if no round came to its end.
    fn summary(&self, step: usize) -> Option<Times> {
        let mut times: Vec<_> = self.times.iter().filter_map(|times| times.get(step).copied()).collect();
        times.sort_unstable();
        Some([*times.first()?, *times.get(times.len() / 2)?, *times.last()?])
    }

    fn object(&self) -> Value {
        let mut object = json!({
            "server": self.name,
            "address": self.address,
            "rounds": self.times.len() + self.failed,
            "failed": self.failed,
        });
        for (step, name) in STEPS.into_iter().enumerate() {
            object[format!("{name}_ms")] = match self.summary(step) {
                Some(times) => {
                    let [min, median, max] = times.map(|time| (time.as_secs_f64() * 1e6).round() / 1e3);
                    json!({ "min": min, "median": median, "max": max })
                }
                None => Value::Null,
            };
        }
        if let Some(error) = &self.error {
            object["error"] = error.as_str().into();
        }
        object
    }
}

/// A line for each server; of several rounds, each step has three times.
fn table(rows: &[Row], several: bool) -> Table {
    let mut table = Table::new([Align::Left]);
    let mut heading = vec!["server".to_owned()];
    if several {
        heading.push("failed".to_owned());
    }
    heading
        .extend(STEPS.map(|step| if several { format!("{step} min/median/max") } else { step.to_owned() }));
    table.row(heading);
    for row in rows {
        let mut cells = vec![row.name.clone()];
        if several {
            cells.push(format!("{} of {}", row.failed, row.times.len() + row.failed));
        }
        cells.extend((0..STEPS.len()).map(|step| match row.summary(step) {
            Some([_, time, _]) if !several => format!("{} ms", millis(time)),
            Some(times) => format!("{} ms", times.map(millis).join(" ")),
            None => "–".to_owned(),
        }));
        table.row(cells);
    }
    table
}

fn millis(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1e3)
}
