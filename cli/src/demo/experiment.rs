//! The experiment: store, ask, add servers, ask, take one away, ask.

use core::{iter, time::Duration};

use fastrand::Rng;
use indicatif::ProgressBar;
use memring_core::{Placement, Scheme, Server, plan::Plan};
use memring_std::{Client, Ttl};

use super::fleet::Fleet;
use crate::{failure::Failure, interrupt::Interrupt, scheme_args::Choice};

/// Which servers and which keys.
pub(super) struct Experiment<'a> {
    /// The servers of the beginning.
    before: Vec<&'a str>,
    /// All of them.
    more: Vec<&'a str>,
    /// Those of the beginning without the one in their middle.
    fewer: Vec<&'a str>,
    keys: u32,
    seed: u64,
    interrupt: &'a Interrupt,
}

/// What came of asking for all keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// How many servers were asked.
    pub(super) servers: usize,
    /// How many keys they had.
    pub(super) found: u32,
    /// The share that they ought to have, as the placements have it.
    pub(super) predicted: f64,
    /// The share that any placement with equal shares could at best let them have.
    pub(super) ideal: f64,
}

impl<'a> Experiment<'a> {
    /// An experiment with `servers` of the fleet to begin with, and `keys` keys.
    pub(super) fn new(
        fleet: &'a Fleet,
        servers: usize,
        keys: u32,
        seed: u64,
        interrupt: &'a Interrupt,
    ) -> Self {
        let more: Vec<_> = fleet.names().iter().map(String::as_str).collect();
        let before: Vec<_> = more.iter().copied().take(servers).collect();
        let mut fewer = before.clone();
        fewer.remove(servers / 2);
        Self { before, more, fewer, keys, seed, interrupt }
    }

    /// How much there is to do for one scheme, in keys stored or asked for.
    pub(super) fn len(&self) -> u64 {
        4 * u64::from(self.keys)
    }

    /// Does it, on servers that are emptied first.
    pub(super) fn run(&self, choice: &Choice<'_>, progress: &ProgressBar) -> Result<[Step; 3], Failure> {
        let scheme = choice.scheme()?;
        let client = Client::builder()
            .servers(self.more.iter().copied())
            .scheme_named(choice.name, choice.options.iter().copied())
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| Failure::usage(format_args!("{choice}: {error}")))?;
        for answer in client.flush_all(None) {
            answer.result?;
        }
        client.set_servers(self.before.iter().copied())?;
        self.store(&client, scheme, progress)?;
        let step = |servers: &[&str]| -> Result<Step, Failure> {
            client.set_servers(servers.iter().copied())?;
            let found = self.ask(&client, scheme, progress)?;
            let predicted = kept(scheme, &self.before, servers)?;
            let (before, now) = (self.before.len() as f64, servers.len() as f64);
            Ok(Step { servers: servers.len(), found, predicted, ideal: before.min(now) / before.max(now) })
        };
        Ok([step(&self.before)?, step(&self.more)?, step(&self.fewer)?])
    }

    /// All keys, some at a time; the same each time, so that they need not be kept.
    fn batches(&self) -> impl Iterator<Item = Vec<String>> {
        let mut rng = Rng::with_seed(self.seed);
        let mut left = self.keys as usize;
        iter::from_fn(move || {
            let len = left.min(BATCH);
            left -= len;
            let mut key = || iter::repeat_with(|| rng.alphanumeric()).take(KEY_LEN).collect();
            (len > 0).then(|| (0..len).map(|_| key()).collect())
        })
    }

    fn store(&self, client: &Client, scheme: Scheme<'_>, progress: &ProgressBar) -> Result<(), Failure> {
        for keys in self.batches() {
            self.interrupt.check()?;
            let items: Vec<_> = keys.iter().map(|key| (key, value(scheme, key))).collect();
            client.set_many(&items, Ttl::NEVER)?.all()?;
            progress.inc(keys.len() as u64);
        }
        Ok(())
    }

    /// How many keys are found. A value that is not the one stored is an error, and so is a server that does not answer.
    fn ask(&self, client: &Client, scheme: Scheme<'_>, progress: &ProgressBar) -> Result<u32, Failure> {
        let mut found = 0;
        for keys in self.batches() {
            self.interrupt.check()?;
            for (key, item) in keys.iter().zip(client.get_many(&keys)?.all()?) {
                let Some(item) = item else { continue };
                if item.value != value(scheme, key).as_bytes() {
                    let server = client.server_of(key);
                    return Err(Failure::failed(format_args!("wrong value for {key} on {server}")));
                }
                found += 1;
            }
            progress.inc(keys.len() as u64);
        }
        Ok(found)
    }
}

/// What is stored for a key: no other key has the same, and no other scheme.
fn value(scheme: Scheme<'_>, key: &str) -> String {
    format!("{} of {key}", scheme.name)
}

/// The share of all keys that stays where it is when `before` becomes `now`.
fn kept(scheme: Scheme<'_>, before: &[&str], now: &[&str]) -> Result<f64, Failure> {
    let placed = |servers| Placement::owned(scheme, servers).map_err(Failure::usage);
    let before = placed(before.iter().copied().map(Server::new).collect::<Vec<_>>())?;
    let now = placed(now.iter().copied().map(Server::new).collect())?;
    Ok(Plan::owned(&before, &now).kept())
}

/// How long keys are, in bytes.
const KEY_LEN: usize = 100;

/// How many keys are sent at once.
const BATCH: usize = 100;

/// How long a busy machine may take for that many.
const TIMEOUT: Duration = Duration::from_secs(3);
