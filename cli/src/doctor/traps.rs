//! Traps that any configuration may have, found by placing keys and not by the name of its client.

use core::net::IpAddr;
use std::collections::HashMap;

use memring::configs::{ReadServer, Reading, Warning};
use memring_client::spec::Address;
use memring_core::Weight;

use super::{as_placed, named, placed};
use crate::warnings::place;

/// Adds to the warnings of a reading what is not said already.
pub(super) fn find(reading: &mut Reading) {
    let mut found = Vec::new();
    of_servers(reading, &mut found);
    if let Some(sample) = Sample::of(reading) {
        of_weights(reading, &sample, &mut found);
        of_balance(reading, &sample, &mut found);
        of_names(reading, &sample, &mut found);
        of_prefix(reading, &sample, &mut found);
    }
    let is_known = |trap: &str, reading: &Reading| {
        // What the weights do is for the kind to say first, where it knows more.
        let same = |warning: &Warning| {
            warning.trap == trap || (trap == "weights-ignored" && warning.trap.starts_with("weights-"))
        };
        reading.warnings.iter().any(same)
    };
    for (trap, says) in found {
        if !is_known(trap, reading) {
            reading.warnings.push(Warning { trap, says });
        }
    }
}

type Found = Vec<(&'static str, String)>;

/// How many keys show what a configuration does.
const KEYS: usize = 20_000;

/// The most servers for which that is tried: more take long, and have few keys each.
const MOST_SERVERS: usize = 1000;

/// Where the keys of a sample go: the index of a server for each.
#[derive(PartialEq, Eq)]
struct Sample(Vec<usize>);

impl Sample {
    /// Nothing where keys cannot be placed.
    fn of(reading: &Reading) -> Option<Self> {
        if reading.servers.len() > MOST_SERVERS {
            return None;
        }
        let servers = named(reading);
        let placement = placed(reading, &servers).ok()?;
        let keys = (0..KEYS).map(|number| format!("key:{number}").into_bytes());
        Some(Self(keys.map(|key| placement.primary(&as_placed(reading, &key)).get()).collect()))
    }

    fn counts(&self, servers: usize) -> Vec<usize> {
        let mut counts = vec![0; servers];
        for &server in &self.0 {
            if let Some(count) = counts.get_mut(server) {
                *count += 1;
            }
        }
        counts
    }

    /// Whether one server has nearly all keys.
    fn is_taken(&self, servers: usize) -> bool {
        self.counts(servers).iter().any(|&count| count > NEARLY_ALL)
    }
}

fn of_servers(reading: &Reading, found: &mut Found) {
    let servers = &*reading.servers;
    // By its name alone a server is one, however often it is listed.
    let counts = match reading.scheme.as_deref() {
        Some("pymemcache-rendezvous") => "it counts once",
        _ => "it counts each time",
    };
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut places: HashMap<Address, &str> = HashMap::new();
    for server in servers {
        let count = names.entry(&server.name).or_default();
        *count += 1;
        if *count == 2 {
            found.push(("duplicate-servers", format!("{} is listed more than once: {counts}", server.name)));
        }
        match places.get(&place(&server.address)) {
            Some(other) if *other != server.name => found.push((
                "one-server-two-names",
                format!(
                    "{other} and {} are the same server and two names, which place differently",
                    server.name
                ),
            )),
            Some(_) => {}
            None => {
                places.insert(place(&server.address), &server.name);
            }
        }
    }
    let has_address = |server: &&ReadServer| server.address.to_string().parse::<Address>().is_ok();
    if let Some(server) = servers.iter().find(|server| !has_address(server)) {
        let says = format!("{:?} can be no host: nobody reaches this server", server.address.to_string());
        found.push(("no-such-host", says));
    }
    let is_name = |server: &&ReadServer| match &server.address {
        Address::Tcp { host, .. } => host.parse::<IpAddr>().is_err() && host != "localhost",
        Address::Unix(_) => false,
    };
    let named = servers.iter().filter(is_name).filter(has_address);
    let named: Vec<_> = named.map(|server| server.address.to_string()).collect();
    if let [first, others @ ..] = &*named {
        let more = match others.len() {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        found.push((
            "names-are-resolved",
            format!("{first}{more}: a name with several addresses is one server to memring, and to some clients one of them by luck"),
        ));
    }
}

fn of_weights(reading: &Reading, sample: &Sample, found: &mut Found) {
    let first = reading.servers.first().map(|server| server.weight);
    // Where one server has everything, weights are not what is wrong.
    if sample.is_taken(reading.servers.len())
        || reading.servers.iter().all(|server| Some(server.weight) == first)
    {
        return;
    }
    let mut equal = reading.clone();
    equal.servers.iter_mut().for_each(|server| server.weight = Weight::default());
    if Sample::of(&equal).is_some_and(|equal| equal == *sample) {
        found.push(("weights-ignored", "the weights count nothing".to_owned()));
    }
}

/// From which share on one server has more than any weight explains.
const NEARLY_ALL: usize = KEYS / 10 * 9;

fn of_balance(reading: &Reading, sample: &Sample, found: &mut Found) {
    let counts = sample.counts(reading.servers.len());
    if counts.len() < 2 {
        return;
    }
    let total: f64 = reading.servers.iter().map(|server| server.weight.real()).sum();
    let is_taken = sample.is_taken(counts.len());
    for (server, &count) in reading.servers.iter().zip(&counts) {
        let share = server.weight.real() / total;
        if count > NEARLY_ALL && share < 0.8 {
            let hashes_crc = |(name, value): &(String, String)| {
                (name == "hash" && value.starts_with("crc")) || value.contains("HASH_CRC")
            };
            let trap =
                if reading.options.iter().any(hashes_crc) { "crc-on-a-ring" } else { "one-server-gets-all" };
            let percent = 100.0 * count as f64 / KEYS as f64;
            found.push((trap, format!("{} gets {percent:.1} % of all keys", server.name)));
        }
        // Where one has all, it is no news that others have none.
        let is_twin = reading.servers.iter().filter(|other| other.name == server.name).count() > 1;
        if count == 0 && share * KEYS as f64 > 20.0 && !is_twin && !is_taken {
            found.push((
                "server-without-keys",
                format!("{} gets no key, whatever its weight says", server.name),
            ));
        }
    }
}

/// Schemes that put the port to a name without one, so that a name without it shows nothing.
const ALWAYS_WITH_PORT: &[&str] = &["dalli", "pymemcache-rendezvous", "pecl-memcache-consistent"];

fn of_names(reading: &Reading, sample: &Sample, found: &mut Found) {
    let mut bare = reading.clone();
    for server in &mut bare.servers {
        if let Some(host) = server.name.strip_suffix(":11211") {
            server.name = host.to_owned();
        }
    }
    if bare.servers == reading.servers {
        return;
    }
    let adds_port = reading.scheme.as_deref().is_some_and(|scheme| ALWAYS_WITH_PORT.contains(&scheme));
    if adds_port || Sample::of(&bare).is_some_and(|bare| bare != *sample) {
        found.push((
            "default-port-in-name",
            ":11211 is part of the names that are hashed; libmemcached and twemproxy leave it out, so that they place otherwise"
                .to_owned(),
        ));
    }
}

fn of_prefix(reading: &Reading, sample: &Sample, found: &mut Found) {
    if !reading.prepend.is_empty() {
        found.push((
            "prefix-hashed",
            format!(
                "keys are placed with {:?} before them: a client without this prefix does not find them",
                reading.prepend
            ),
        ));
        return;
    }
    // A single server has all keys, whatever stands before them.
    if sample.counts(reading.servers.len()).iter().filter(|&&count| count > 0).count() < 2 {
        return;
    }
    let mut without = reading.clone();
    without.options.retain(|(name, _)| name != "prefix" && name != "namespace");
    if without.options.len() == reading.options.len() {
        return;
    }
    match Sample::of(&without) {
        Some(without) if without == *sample => {
            found.push((
                "prefix-not-hashed",
                "the prefix is sent before the key and does not place it".to_owned(),
            ));
        }
        Some(_) => found.push(("prefix-hashed", "keys are placed with the prefix before them".to_owned())),
        None => {}
    }
}
