//! Two configurations: on which share of keys they disagree, and why.

use core::ops::ControlFlow;
use std::collections::BTreeMap;

use memring::configs::{ReadServer, Reading};
use memring_client::spec::Address;
use memring_core::vector::Escaped;
use serde_json::{Value, json};

use super::{as_placed, named, placed};
use crate::{
    failure::{Failure, Outcome},
    key_file::KeyFile,
    output,
    scheme_args::Placed,
    visible::Visible,
    warnings,
};

/// How many keys are drawn where none are given.
const DRAWN: usize = 1_000_000;

/// How many keys are shown.
const EXAMPLES: usize = 3;

/// A key that the two place differently.
struct Example {
    key: String,
    names: [String; 2],
}

/// What was found of some keys.
#[derive(Default)]
struct Found {
    count: usize,
    apart: usize,
    /// The first of those that are placed differently.
    examples: Vec<Example>,
}

impl Found {
    /// Adds what was found of the keys behind these.
    fn append(&mut self, more: &mut Self) {
        let Self { count, apart, examples } = core::mem::take(more);
        self.count += count;
        self.apart += apart;
        self.examples.extend(examples);
        self.examples.truncate(EXAMPLES);
    }
}

/// Two configurations, each with its placement.
struct Compared<'c> {
    sides: [&'c Reading; 2],
    placements: [Placed<'c>; 2],
}

impl Compared<'_> {
    /// Places a key with both.
    fn add(&self, key: &[u8], found: &mut Found) {
        let servers = [0, 1].map(|side| {
            let (reading, placement): (&Reading, &Placed<'_>) = (self.sides[side], &self.placements[side]);
            let index = placement.primary(&as_placed(reading, key)).get();
            &reading.servers[index.min(reading.servers.len() - 1)]
        });
        found.count += 1;
        if place(servers[0]) != place(servers[1]) {
            found.apart += 1;
            if found.examples.len() < EXAMPLES {
                let key = Escaped(key).to_string();
                found.examples.push(Example { key, names: servers.map(|server| server.name.clone()) });
            }
        }
    }
}

pub(super) fn compare(
    one: &Reading,
    other: &Reading,
    keys: Option<&str>,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let sides = [one, other];
    let servers = sides.map(named);
    let placements = [placed(one, &servers[0])?, placed(other, &servers[1])?];
    let compared = Compared { sides, placements };
    let mut found = Found::default();
    match keys {
        Some(path) => KeyFile::open(path)?.in_order(
            |keys, found| keys.try_for_each(|key| key.map(|key| compared.add(key.bytes(), found))),
            |more| {
                found.append(more);
                Ok(ControlFlow::Continue(()))
            },
        )?,
        None => draw().for_each(|key| compared.add(&key, &mut found)),
    }
    let Found { count, apart, examples } = found;
    if count == 0 {
        return Err(Failure::usage("no keys to compare"));
    }
    let reasons = reasons(one, other);
    if as_json {
        let examples: Vec<_> = examples
            .iter()
            .map(|Example { key, names: [one, other] }| json!({ "key": key, "one": one, "other": other }))
            .collect();
        let told: Value = json!({
            "keys": count,
            "disagree": apart,
            "share": apart as f64 / count as f64,
            "reasons": reasons,
            "examples": examples,
        });
        output::print_json(&told)?;
    } else {
        output::print(&text(count, apart, &reasons, &examples))?;
    }
    Ok(if apart == 0 { Outcome::Fine } else { Outcome::No("they disagree") })
}

fn text(count: usize, apart: usize, reasons: &[String], examples: &[Example]) -> String {
    let percent = 100.0 * apart as f64 / count as f64;
    let mut text = match apart {
        0 if reasons.is_empty() => format!("agree on all of {count} keys\n"),
        0 => format!("agree on all of {count} keys, though they are not the same:\n"),
        _ => format!("disagree on {apart} of {count} keys, {percent:.2} %\n"),
    };
    for reason in reasons {
        text += &format!("  {reason}\n");
    }
    if apart > 0 {
        text += "\nFor example:\n";
    }
    for Example { key, names: [one, other] } in examples {
        text += &format!("  {key}  {} here, {} there\n", Visible::line(one), Visible::line(other));
    }
    text
}

/// Keys as programs have them, the same each time.
fn draw() -> impl Iterator<Item = Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(11211);
    let kinds = ["user", "session", "page", "item"];
    (0..DRAWN).map(move |_| {
        let kind = kinds[random.usize(..kinds.len())];
        format!("{kind}:{:x}", random.u64(..) >> random.u32(..48)).into_bytes()
    })
}

/// Where a server is, however it is named.
fn place(server: &ReadServer) -> Address {
    warnings::place(&server.address)
}

/// In what the two differ.
fn reasons(one: &Reading, other: &Reading) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut differ = |what: &str, left: &str, right: &str| {
        if left != right {
            reasons.push(format!("{what}: {left} here, {right} there"));
        }
    };
    let scheme = |reading: &Reading| reading.scheme.clone().unwrap_or_default();
    differ("scheme", &scheme(one), &scheme(other));
    let options = |reading: &Reading| reading.options.iter().cloned().collect::<BTreeMap<_, _>>();
    let (left, right) = (options(one), options(other));
    let names: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    for name in names {
        let value = |options: &BTreeMap<String, String>| {
            options.get(name).map_or_else(|| "its default".to_owned(), |value| format!("{value:?}"))
        };
        differ(&format!("option {name}"), &value(&left), &value(&right));
    }
    differ("prefix", &format!("{:?}", one.prepend), &format!("{:?}", other.prepend));
    differ("suffix", &format!("{:?}", one.append), &format!("{:?}", other.append));
    for server in &one.servers {
        match other.servers.iter().find(|twin| place(twin) == place(server)) {
            None => reasons.push(format!("server: {} is here alone", server.name)),
            Some(twin) => {
                if twin.name != server.name {
                    reasons.push(format!("name: {} here, {} there", server.name, twin.name));
                }
                if twin.weight != server.weight {
                    let [here, there] = [server, twin].map(|server| server.weight.real());
                    reasons.push(format!("weight: {} has {here} here, {there} there", server.name));
                }
            }
        }
    }
    for server in &other.servers {
        if !one.servers.iter().any(|twin| place(twin) == place(server)) {
            reasons.push(format!("server: {} is there alone", server.name));
        }
    }
    let order = |reading: &Reading| reading.servers.iter().map(place).collect::<Vec<_>>();
    let (left, right) = (order(one), order(other));
    let is_sorted_same = |left: &[Address], right: &[Address]| {
        let sorted = |list: &[Address]| {
            let mut names: Vec<_> = list.iter().map(Address::to_string).collect();
            names.sort();
            names
        };
        sorted(left) == sorted(right)
    };
    if left != right && is_sorted_same(&left, &right) {
        reasons.push("order: the same servers stand in another order".to_owned());
    }
    reasons
}
