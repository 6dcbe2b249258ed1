//! What one hung server of five costs the others' keys: of both clients, in every verb for many keys.
//!
//! `cargo bench -p memring-suite --bench hung [--keys N] [--value BYTES] [--rounds N] [--errors]`. Of each row, in turns: the keys of
//! four servers while all is well, and the keys of all while the fifth stands still. Time is until the last of the four has
//! answered everything; medians are shown. `lost` are keys of the four without their result, in all rounds: where there are
//! any, this ends as an error. The last column is the time of a call for the keys of all five while all is well, with the
//! default timeout, and how many were not there by then: on a busy machine, a second is not enough for the largest.
//!
//! The call that meets the server that stands still places and encodes a quarter more keys than the one it is held against,
//! which alone is some percent where values are small; to be read beside the last column, of a call for as many.

use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{env, process::ExitCode, sync::Arc, thread, time::Instant};

use memring_std::{Batch, Builder, Config, Ttl};
use memring_suite::{Memcached, until};
use tokio::runtime::Runtime;

const VERBS: [Verb; 4] = [Verb::GetMany, Verb::SetMany, Verb::DeleteMany, Verb::Batch];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    GetMany,
    SetMany,
    DeleteMany,
    /// Of each two keys, one is stored and one is read.
    Batch,
}

/// A client under test.
enum Client {
    Std(memring_std::Client),
    Tokio(memring_tokio::Client, Arc<Runtime>),
}

/// Runs a verb's call and says of each key whether it went well.
macro_rules! call {
    ($client:expr, $verb:expr, $keys:expr, $value:expr, $await:ident) => {{
        let (client, keys, value) = ($client, $keys, $value);
        let items = || keys.iter().map(|key| (key, value)).collect::<Vec<_>>();
        match $verb {
            Verb::GetMany => {
                let found = $await!(client.get_many(keys)).unwrap();
                tell(found.errors());
                found.results().iter().map(|result| matches!(result, Ok(Some(_)))).collect()
            }
            Verb::SetMany => {
                let stored = $await!(client.set_many(&items(), Ttl::NEVER)).unwrap();
                tell(stored.errors());
                stored.results().iter().map(Result::is_ok).collect()
            }
            Verb::DeleteMany => {
                let deleted = $await!(client.delete_many(keys)).unwrap();
                tell(deleted.errors());
                deleted.results().iter().map(Result::is_ok).collect()
            }
            Verb::Batch => {
                let mut batch = Batch::new();
                let pairs: Vec<_> = keys
                    .chunks(2)
                    .map(|pair| {
                        (batch.set(&pair[0], value, Ttl::NEVER), pair.get(1).map(|key| batch.get(key)))
                    })
                    .collect();
                let mut outcomes = $await!(client.run(batch)).unwrap();
                tell(outcomes.errors());
                let mut results = Vec::with_capacity(keys.len());
                for (stored, found) in pairs {
                    results.push(outcomes.take(stored).is_ok());
                    results.extend(found.map(|found| outcomes.take(found).is_ok()));
                }
                results
            }
        }
    }};
}

/// Tells of errors, if that is wanted.
fn tell(errors: &[memring_std::Error]) {
    if env::args().any(|option| option == "--errors") {
        errors.iter().for_each(|error| eprintln!("{error}"));
    }
}

macro_rules! at_once {
    ($call:expr) => {
        $call
    };
}

macro_rules! awaited {
    ($call:expr) => {
        $call.await
    };
}

impl Client {
    fn call(&self, verb: Verb, keys: &[String], value: &[u8]) -> Vec<bool> {
        match self {
            Self::Std(client) => call!(client, verb, keys, value, at_once),
            Self::Tokio(client, runtime) => {
                runtime.block_on(async { call!(client, verb, keys, value, awaited) })
            }
        }
    }

    fn with_timeout(&self, timeout: Duration) -> Self {
        match self {
            Self::Std(client) => Self::Std(client.with_timeout(timeout)),
            Self::Tokio(client, runtime) => Self::Tokio(client.with_timeout(timeout), Arc::clone(runtime)),
        }
    }

    /// Tells whether any of the servers but the one called `hung` owes an answer.
    fn watch(&self, hung: &str) -> Box<dyn Fn() -> bool + Send> {
        let hung = hung.to_owned();
        match self {
            Self::Std(client) => {
                let client = client.clone();
                Box::new(move || {
                    client.servers().iter().any(|server| server.spec.name() != hung && server.waiting > 0)
                })
            }
            Self::Tokio(client, _) => {
                let client = client.clone();
                Box::new(move || {
                    client.servers().iter().any(|server| server.spec.name() != hung && server.waiting > 0)
                })
            }
        }
    }
}

/// A fleet whose last server is going to stand still, and what is asked of it.
struct Fleet {
    servers: Vec<Memcached>,
    hung: String,
    keys: Vec<String>,
    /// Those of the keys that are not the last server's.
    others: Vec<String>,
    value: Vec<u8>,
}

impl Fleet {
    fn new(count: usize, len: usize) -> Self {
        let servers: Vec<_> = (0..5).map(|_| Memcached::start_with(&["-m", "2048"])).collect();
        let hung = servers[4].name();
        let keys: Vec<_> = (0..count).map(|number| format!("key:{number}")).collect();
        let placing = memring_std::Client::connect(servers.iter().map(Memcached::name)).unwrap();
        let others = keys.iter().filter(|key| *placing.server_of(key) != *hung).cloned().collect();
        Self { servers, hung, keys, others, value: vec![b'v'; len] }
    }

    /// None of the servers is ever left alone, so that each call meets the one that stands still.
    fn clients(&self) -> [(&'static str, Client); 2] {
        let names: Vec<_> = self.servers.iter().map(Memcached::name).collect();
        let config = Builder::new(Config::default()).servers(&names).health_policy(None);
        let config = config.config().unwrap();
        let (std, tokio) = (
            memring_std::Client::with_config(config.clone()).unwrap(),
            memring_tokio::Client::with_config(config).unwrap(),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        [("std", Client::Std(std)), ("tokio", Client::Tokio(tokio, Arc::new(runtime)))]
    }

    /// How long it takes until all but the one that stands still have answered, and how many of their keys are lost.
    fn measure(&self, client: &Client, verb: Verb, keys: &[String]) -> (Duration, usize) {
        let (is_busy, is_over) = (client.watch(&self.hung), Arc::new(AtomicBool::new(false)));
        let (begun, over) = (Instant::now(), Arc::clone(&is_over));
        let watcher = thread::spawn(move || {
            let mut last = Duration::ZERO;
            while !over.load(Ordering::Relaxed) {
                if is_busy() {
                    last = begun.elapsed();
                }
                thread::sleep(Duration::from_micros(50));
            }
            last
        });
        let results = client.call(verb, keys, &self.value);
        is_over.store(true, Ordering::Relaxed);
        let took = watcher.join().unwrap();
        let placing = self.others.iter().map(String::as_str).collect::<std::collections::HashSet<_>>();
        let lost =
            keys.iter().zip(results).filter(|(key, is_well)| !is_well && placing.contains(key.as_str()));
        (took, lost.count())
    }

    /// Stores every key, with all servers well.
    fn fill(&self, client: &Client) {
        let stored = client.with_timeout(LONG).call(Verb::SetMany, &self.keys, &self.value);
        assert!(stored.iter().all(|is_stored| *is_stored), "all servers are well");
    }
}

/// Nothing takes this long.
const LONG: Duration = Duration::from_secs(60);

/// As much of values as is held by servers at a time.
const MOST: usize = 640 << 20;

/// As much as takes no time.
const A_LITTLE: usize = 100_000;

fn main() -> ExitCode {
    let options: Vec<_> = env::args().collect();
    let option = |name: &str| {
        let at = options.iter().position(|option| option == name)?;
        options.get(at + 1)?.parse::<usize>().ok()
    };
    // As one of the tests, it only shows that it runs.
    let is_thorough = options.iter().any(|option| option == "--bench");
    let rounds = option("--rounds").unwrap_or(if is_thorough { 7 } else { 1 });
    let mut is_lost = false;
    println!(
        "| client | keys | value | verb | well, ms | one hung, ms | ratio | lost | all five, default timeout, ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for len in [30, 1000, 100_000, 500_000] {
        for count in [400, 2000, 6000, 20_000, 100_000] {
            let is_chosen = option("--keys").is_none_or(|keys| keys == count)
                && option("--value").is_none_or(|value| value == len);
            if !is_chosen || count * len > MOST || !(is_thorough || count * len < A_LITTLE) {
                continue;
            }
            let fleet = Fleet::new(count, len);
            for (name, client) in fleet.clients() {
                for verb in VERBS {
                    is_lost |= row(&fleet, name, &client, verb, rounds) > 0;
                }
            }
        }
    }
    if is_lost { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Measures a verb and prints what has come out. Gives the number of keys that are lost.
fn row(fleet: &Fleet, name: &str, client: &Client, verb: Verb, rounds: usize) -> usize {
    fleet.fill(client);
    let mut late = 0;
    let all = median((0..3).map(|_| {
        let begun = Instant::now();
        late += client.call(verb, &fleet.keys, &fleet.value).iter().filter(|is_well| !**is_well).count();
        begun.elapsed()
    }));
    let patient = client.with_timeout(LONG);
    fleet.fill(client);
    let (mut well, mut hung, mut lost) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        let (took, none) = fleet.measure(&patient, verb, &fleet.others);
        assert_eq!(none, 0, "all servers are well");
        well.push(took);
        if verb == Verb::DeleteMany {
            fleet.fill(client);
        }
        let timeout = Duration::from_secs(1).max(took * 4);
        fleet.servers[4].signal("STOP");
        let (took, missing) = fleet.measure(&client.with_timeout(timeout), verb, &fleet.keys);
        fleet.servers[4].signal("CONT");
        hung.push(took);
        lost += missing;
        until("it is back", || {
            let found = client.with_timeout(LONG).call(Verb::DeleteMany, &fleet.keys[..50], b"");
            found.iter().all(|is_well| *is_well).then_some(())
        });
        fleet.fill(client);
    }
    let (well, hung) = (median(well), median(hung));
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "| {name} | {} | {} | {verb:?} | {:.1} | {:.1} | {:.2} | {lost} | {:.1}{} |",
        fleet.keys.len(),
        fleet.value.len(),
        ms(well),
        ms(hung),
        hung.as_secs_f64() / well.as_secs_f64(),
        ms(all),
        if late > 0 { format!(", {late} late") } else { String::new() },
    );
    lost
}

fn median(times: impl IntoIterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.into_iter().collect();
    times.sort_unstable();
    times[times.len() / 2]
}
