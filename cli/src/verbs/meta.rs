//! `memring meta`.

use core::fmt::Write as _;

use memring_core::vector::Escaped;
use memring_std::{Error, MetaGetOptions, MetaInfo};
use serde_json::{Map, Value, json};

use super::{KeysArgs, all_fine};
use crate::{
    failure::{Failure, Outcome},
    output,
};

/// Prints what the server knows of each key, without a look at the value: that this was asked is not noted there.
///
/// `size` in bytes; the client's `flags`; `cas` unique; `ttl`, the seconds left, -1 for ever; `last_access`, the seconds
/// since it was last used; `hit`, whether it was read since it was stored; and `stale` where it was marked so. Servers tell
/// since memcached 1.6.10. The exit code is 1 if a key is missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    keys: KeysArgs,

    /// Prints JSON: an array of objects.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let keys = args.keys.keys()?;
    let client = args.keys.client()?;
    let options = MetaGetOptions::new().size().flags().cas().ttl().last_access().hit().no_bump();
    let (mut text, mut objects) = (String::new(), Vec::new());
    let mut errors: Vec<Error> = Vec::new();
    for key in &keys {
        let info = match client.meta_info(*key, options) {
            Ok(Some(info)) => facts(&info),
            Ok(None) => continue,
            Err(error) => {
                // A server that is away is told of once.
                if !errors.iter().any(|known| error.says_what(known)) {
                    errors.push(error);
                }
                continue;
            }
        };
        let (server, key) = (client.server_of(*key), Escaped(key.as_bytes()));
        let _ = write!(text, "{key}  {server} ");
        for (name, value) in &info {
            let _ = write!(text, " {name}={value}");
        }
        text.push('\n');
        let mut object =
            Map::from_iter([("key", key.to_string()), ("server", server.to_string())].map(named));
        object.extend(info.into_iter().map(named));
        objects.push(Value::from(object));
    }
    let found = objects.len();
    if args.json {
        output::print_json(&Value::from(objects))?;
    } else {
        output::print(&text)?;
    }
    all_fine(errors)?;
    Ok(match found {
        found if found == keys.len() => Outcome::Fine,
        0 => Outcome::No("not found"),
        _ => Outcome::No("not all found"),
    })
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
