//! Two configurations: on which share of keys they disagree, and why.

use std::collections::BTreeMap;

use memring::configs::{ReadServer, Reading};
use memring_client::spec::Address;
use memring_core::vector::Escaped;
use serde_json::{Value, json};

use super::{as_placed, named, placed};
use crate::{
    failure::{Failure, Outcome},
    input::{Input, Longest},
    output,
    visible::Visible,
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

pub(super) fn compare(
    one: &Reading,
    other: &Reading,
    keys: Option<&str>,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let sides = [one, other];
    let servers = sides.map(named);
    let placements = [placed(one, &servers[0])?, placed(other, &servers[1])?];
    let file = keys.map(|path| Input::read(path, Longest::KEY)).transpose()?;
    let (mut count, mut apart, mut examples) = (0_usize, 0_usize, Vec::new());
    let drawn = file.is_none().then(draw);
    for key in file.iter().flat_map(Input::keys).chain(drawn.into_iter().flatten().map(Ok)) {
        let key = key?;
        let found = [0, 1].map(|side| {
            let index = placements[side].primary(&as_placed(sides[side], &key)).get();
            &sides[side].servers[index.min(sides[side].servers.len() - 1)]
        });
        count += 1;
        if place(found[0]) != place(found[1]) {
            apart += 1;
            if examples.len() < EXAMPLES {
                let key = Escaped(&key).to_string();
                examples.push(Example { key, names: found.map(|server| server.name.clone()) });
            }
        }
    }
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
    match &server.address {
        Address::Tcp { host, port } if host == "localhost" => Address::tcp("127.0.0.1", *port),
        address => address.clone(),
    }
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
