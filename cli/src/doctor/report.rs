//! What is told of a configuration, for people and for programs.

use memring::configs::Reading;
use memring_core::Weight;
use serde_json::{Map, Value, json};

use super::{ping::Answer, where_line, written};
use crate::table::{Align, Table};

/// For people: what is read, what to mind, and how to go on.
pub(super) fn text(reading: &Reading) -> String {
    let pool = reading.pool.as_ref().map_or(String::new(), |pool| format!(" {pool}"));
    let mut facts = Table::new([Align::Left, Align::Left, Align::Left]);
    facts.row(["", "scheme", reading.scheme.as_deref().unwrap_or("none")]);
    for (number, (name, value)) in reading.options.iter().enumerate() {
        facts.row(["", if number == 0 { "options" } else { "" }, &*format!("{name}={value}")]);
    }
    if !reading.prepend.is_empty() {
        facts.row([
            "",
            "prefix",
            &*format!("{:?} is put before each key and hashed with it", reading.prepend),
        ]);
    }
    if !reading.append.is_empty() {
        facts.row([
            "",
            "suffix",
            &*format!("{:?} is put behind each key and hashed with it", reading.append),
        ]);
    }
    let mut text = format!("{}{pool}\n{facts}", reading.kind);
    if !reading.servers.is_empty() {
        let mut servers = Table::new([Align::Left, Align::Left, Align::Right, Align::Left]);
        servers.row(["", "server", "weight", "reached at"]);
        for server in &reading.servers {
            servers.row(["", &server.name, &weight(server.weight).to_string(), &server.address.to_string()]);
        }
        text += &format!("\n{servers}");
    }
    if !reading.warnings.is_empty() {
        text += "\nMind:\n";
        for warning in &reading.warnings {
            text += &format!("  {}: {}\n", warning.trap, warning.says);
        }
    }
    match where_line::line(reading).filter(|_| !reading.servers.is_empty()) {
        Some(line) => text += &format!("\nThe same with `memring where`:\n  {line}\n"),
        None if reading.scheme.is_some() && !reading.servers.is_empty() => {
            text +=
                "\nNo line of `memring where` says the same: a name has a blank, a comma or a `#` in it.\n";
        }
        None => {}
    }
    if let Some(written) = written(reading) {
        let lines: String = written.alone().lines().map(|line| format!("  {line}\n")).collect();
        text += &format!(
            "\nThe same as memring.toml, which `memring init` writes with every key explained:\n{lines}"
        );
    }
    text
}

/// For programs.
pub(super) fn json(reading: &Reading, answers: Option<&[Answer]>) -> Value {
    let options: Map<_, _> =
        reading.options.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let servers: Vec<_> = reading
        .servers
        .iter()
        .map(|server| {
            let mut told = json!({
                "name": server.name,
                "weight": weight(server.weight),
                "address": server.address.to_string(),
            });
            let answer =
                answers.into_iter().flatten().find(|answer| answer.address == server.address.to_string());
            match answer.map(|answer| &answer.version) {
                Some(Ok(version)) => told["version"] = json!(version),
                Some(Err(error)) => told["error"] = json!(error),
                None => {}
            }
            told
        })
        .collect();
    let warnings =
        reading.warnings.iter().map(|warning| json!({ "trap": warning.trap, "says": warning.says }));
    let mut told = json!({
        "kind": reading.kind,
        "scheme": reading.scheme,
        "options": options,
        "servers": servers,
        "prefix": reading.prepend,
        "suffix": reading.append,
        "warnings": warnings.collect::<Vec<_>>(),
    });
    if let Some(pool) = &reading.pool {
        told["pool"] = json!(pool);
    }
    if let Some(words) = where_line::words(reading).filter(|_| !reading.servers.is_empty()) {
        told["where"] = json!(words);
    }
    if let Some(written) = written(reading) {
        told["config"] = json!(written.alone());
    }
    told
}

fn weight(weight: Weight) -> Value {
    match weight {
        Weight::Whole(weight) => json!(weight),
        Weight::Real(weight) => json!(weight),
    }
}
