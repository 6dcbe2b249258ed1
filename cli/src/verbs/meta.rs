//! `memring meta`.

use memring_core::vector::Escaped;
use memring_std::{MetaGetOptions, MetaInfo};
use memring_text::Key;
use serde_json::{Map, Value, json};

use super::{key_args::KeysArgs, tally::Tally};
use crate::{
    failure::{Failure, Outcome},
    output::Lines,
    visible::Visible,
};

/// Prints what the server knows of each key, and leaves no trace there of having asked.
///
/// `size` in bytes; the client's `flags`; `cas` unique; `ttl`, the seconds left, -1 for ever; `last_access`, the seconds
/// since it was last used; `hit`, whether it was read since it was stored; and `stale` where it was marked so. Servers tell
/// since memcached 1.6.10. The exit code is 1 if a key is missing.
///
/// Example: memring meta --server 127.0.0.1:11211 greeting
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    keys: KeysArgs,

    /// Prints JSON: an array of objects.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let (client, keys) = args.keys.read()?;
    let options = MetaGetOptions::new().size().flags().cas().ttl().last_access().hit().no_bump();
    let (mut tally, mut lines) = (Tally::new("meta", &client), Lines::new(args.json));
    keys.in_parts(super::AT_ONCE, |keys| {
        for key in keys {
            if let Some(info) = tally.count(*key, client.meta_info(*key, options)) {
                print(&mut lines, &client.server_of(*key), *key, &info)?;
            }
        }
        Ok(lines.goes_on())
    })?;
    lines.finish()?;
    tally.outcome()
}

/// Prints what was told of a key.
fn print(lines: &mut Lines, server: &str, key: Key<'_>, info: &MetaInfo) -> Result<(), Failure> {
    let key = Escaped(key.as_bytes());
    match lines {
        Lines::Text(printer) => {
            printer.show(format_args!("{key}  {} ", Visible::line(server)))?;
            for (name, value) in facts(info) {
                printer.show(format_args!(" {name}={value}"))?;
            }
            printer.show("\n")
        }
        Lines::Json(array) => {
            let mut object =
                Map::from_iter([("key", key.to_string()), ("server", server.to_owned())].map(named));
            object.extend(facts(info).into_iter().map(named));
            array.item(&object.into())
        }
    }
}

/// What was told, by the names of its fields.
fn facts(info: &MetaInfo) -> Vec<(&'static str, Value)> {
    let facts = [
        ("size", json!(info.size)),
        ("flags", json!(info.flags)),
        ("cas", json!(info.cas)),
        ("ttl", json!(info.ttl)),
        ("last_access", json!(info.last_access)),
        ("hit", json!(info.hit)),
        ("stale", json!(info.stale.then_some(true))),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

fn named(pair: (&str, impl Into<Value>)) -> (String, Value) {
    (pair.0.to_owned(), pair.1.into())
}
