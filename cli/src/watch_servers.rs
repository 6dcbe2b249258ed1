//! `memring watch-servers`: what a client that finds out its servers sees.

use core::time::Duration;
use std::sync::mpsc::{Sender, channel};

use memring_core::Weight;
use memring_std::{
    Builder, Client, Event,
    discovery::{Discovery, Source},
    roster::{Naming, Slot},
};
use serde_json::{Value, json};

use crate::{
    duration::duration,
    failure::{Failure, Outcome},
    output::{self, Printer},
    scheme_args::SchemeArgs,
    verbs::{ASSUMED, secure::SecureArgs},
    visible::Visible,
};

/// Prints the servers that a source tells of, and then each change of them as a client takes it, with the share of keys that it
/// moves, until it is interrupted.
///
/// SOURCE is `file+PATH`, a list of servers that is read again and again, `dns+HOST:PORT`, all addresses of a name, or
/// `cluster+HOST:PORT`, the endpoint of ElastiCache or Memorystore (`cluster+memcacheds://HOST:PORT` with TLS). Without it, the source is that of the configuration file. No server is
/// asked for a key, and nothing is changed.
///
/// Examples: memring watch-servers cluster+my-cache.cfg.example:11211; memring watch-servers file+servers.txt --once --json
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Who knows the servers.
    #[arg(value_name = "SOURCE", value_parser = source)]
    source: Option<Source>,

    #[command(flatten)]
    scheme: SchemeArgs,

    /// How often the source is asked. Unless the configuration file says so: as suits it.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    interval: Option<Duration>,

    /// What slots are called: `first-server`, after their first server, or what stands before the number, as in `cache-{n}`.
    /// Unless the configuration file says so: `s{n}`.
    #[arg(long, value_name = "NAMES", value_parser = naming)]
    names: Option<Naming>,

    /// Prints the servers and ends.
    #[arg(long)]
    once: bool,

    /// Ends after so many changes.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// Prints JSON: an object a line.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    secure: SecureArgs,
}

fn source(text: &str) -> Result<Source, String> {
    text.parse().map_err(|error: memring_std::discovery::SourceError| error.to_string())
}

fn naming(text: &str) -> Result<Naming, &'static str> {
    text.parse().map_err(|()| "write first-server, or what stands before the number, as in cache-{n}")
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let (seen, events) = channel();
    let client = Client::discover(args.builder()?.on_event(move |event| notice(event, &seen)).config()?)?;
    let (mut printer, mut left) = (Printer::new(), args.limit.unwrap_or(u64::MAX));
    let mut print = |seen: &Seen| {
        let slots = client.roster().map(|roster| roster.slots().to_vec()).unwrap_or_default();
        let text = if args.json { output::json(&seen.object(&slots).to_string()) } else { seen.text(&slots) };
        printer.show(format_args!("{text}\n")).and_then(|()| printer.flush())?;
        Ok::<_, Failure>(printer.has_reader())
    };
    print(&Seen::Servers)?;
    while !args.once && left > 0 {
        // The client that tells of events is there.
        let Ok(seen) = events.recv() else { break };
        if !print(&seen)? {
            break;
        }
        left -= 1;
    }
    Ok(Outcome::Fine)
}

impl Args {
    fn builder(&self) -> Result<Builder, Failure> {
        let settings = self.scheme.settings.read(self.source.is_some())?;
        let choice = self.scheme.chosen_or(&settings, ASSUMED)?;
        // Checked here for the list of known schemes in the error.
        choice.scheme()?;
        let mut config = settings.config()?;
        // What was there before is not of interest.
        config.servers.clear();
        if let Some(source) = &self.source {
            config.discovery = Some(Discovery::new(source.clone()));
        }
        let Some(discovery) = &mut config.discovery else {
            return Err(Failure::usage(
                "no source: give one, such as file+servers.txt or cluster+HOST:PORT, or write discovery = \"SOURCE\" into a \
                 configuration file",
            ));
        };
        if let Some(interval) = self.interval {
            discovery.pace.interval = Some(interval);
        }
        if let Some(names) = &self.names {
            discovery.pace.naming = names.clone();
        }
        self.secure.secured(Builder::new(config).scheme_named(choice.name, choice.options))
    }
}

/// What was seen.
#[derive(Debug)]
enum Seen {
    /// The servers at the beginning.
    Servers,
    /// The list is another.
    Changed { before: usize, share: f64 },
    /// A server has another address.
    Address { server: String },
    /// A change is too large.
    Refused { share: f64 },
    /// The source begins to fail.
    Failed { why: String },
    /// It answers again.
    Recovered,
}

/// Sends on what an event says of the servers.
fn notice(event: &Event<'_>, seen: &Sender<Seen>) {
    let noticed = match event {
        Event::ServersChanged { change, share, .. } => {
            Seen::Changed { before: change.before().len(), share: *share }
        }
        Event::AddressChanged { server, .. } => Seen::Address { server: (*server).to_owned() },
        Event::ChangeRefused { share, .. } => Seen::Refused { share: *share },
        Event::SourceFailed { why, .. } => Seen::Failed { why: why.to_string() },
        Event::SourceRecovered { .. } => Seen::Recovered,
        _ => return,
    };
    // Nobody may listen any more.
    let _ = seen.send(noticed);
}

impl Seen {
    fn text(&self, slots: &[Slot]) -> String {
        let list = || slots.iter().map(|slot| format!("\n  {}", line(slot))).collect::<String>();
        match self {
            Self::Servers => format!("{}{}", count(slots.len()), list()),
            Self::Changed { before, share } => format!(
                "{before} → {}: {} of the keys move or have no server now{}",
                count(slots.len()),
                percent(*share),
                list()
            ),
            Self::Address { server } => match slots.iter().find(|slot| slot.spec.name() == server) {
                Some(slot) => format!("another address, no key moves\n  {}", line(slot)),
                None => format!("another address of {}, no key moves", Visible::line(server)),
            },
            Self::Refused { share } => {
                format!(
                    "a change is refused that moves {} of the keys: the servers stay as they are",
                    percent(*share)
                )
            }
            Self::Failed { why } => {
                format!("the source fails, the servers stay as they are: {}", Visible::line(why))
            }
            Self::Recovered => "the source answers again".to_owned(),
        }
    }

    fn object(&self, slots: &[Slot]) -> Value {
        let servers = || slots.iter().map(object).collect::<Vec<_>>();
        match self {
            Self::Servers => json!({ "event": "servers", "servers": servers() }),
            Self::Changed { share, .. } => {
                json!({ "event": "changed", "share": share, "servers": servers() })
            }
            Self::Address { server } => {
                json!({ "event": "address-changed", "server": server, "servers": servers() })
            }
            Self::Refused { share } => json!({ "event": "refused", "share": share }),
            Self::Failed { why } => json!({ "event": "failed", "why": why }),
            Self::Recovered => json!({ "event": "recovered" }),
        }
    }
}

fn count(servers: usize) -> String {
    if servers == 1 { "1 server".to_owned() } else { format!("{servers} servers") }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

fn line(slot: &Slot) -> String {
    let mut line = format!("{}  ", Visible::line(slot.spec.name()));
    match slot.is_free() {
        true => line += "no server",
        false => line += &Visible::line(&slot.spec.address().to_string()).to_string(),
    }
    if let Some(identity) = slot.identity.as_ref().filter(|_| !slot.is_free()) {
        line += &format!("  {}", Visible::line(identity));
    }
    if slot.spec.weight() != Weight::default() {
        line += &format!("  weight {}", weight(slot.spec.weight()));
    }
    line
}

fn object(slot: &Slot) -> Value {
    let is_there = !slot.is_free();
    json!({
        "name": slot.spec.name(),
        "weight": weight(slot.spec.weight()),
        "address": is_there.then(|| slot.spec.address().to_string()),
        "identity": slot.identity.as_ref().filter(|_| is_there),
    })
}

fn weight(weight: Weight) -> Value {
    match weight {
        Weight::Whole(weight) => weight.into(),
        Weight::Real(weight) => weight.into(),
    }
}
