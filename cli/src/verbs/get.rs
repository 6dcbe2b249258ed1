//! `memring get` and `memring gat`.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use memring_core::vector::Escaped;
use memring_std::{Item, Ttl};
use memring_text::Key;
use serde_json::{Map, Value, json};

use super::{
    all_fine,
    client::{Client, Reading},
    key_args::KeysArgs,
    tally::{Tally, no},
    touch::Lifetime,
    typed::{Convention, Typed},
};
use crate::{
    failure::{Failure, Outcome},
    output::{self, Lines},
};

/// Prints the value of a key as it is, without a newline added; on a terminal, bytes that are no text as `\xNN`.
///
/// Of several keys, and of those of a file, each that is found gets a line: key, tab, value, both escaped as `\xNN` where
/// they are not printable ASCII. The exit code is 1 if any is missing.
///
/// Examples: memring get --server 127.0.0.1:11211 greeting;
/// memring get --servers eight.txt --keys keys.txt --json
#[derive(Debug, clap::Args)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    args: Args,
}

/// Prints the values of keys as `get` does, and sets how long the keys live from now on.
///
/// Example: memring gat --server 127.0.0.1:11211 --ttl 15m greeting
#[derive(Debug, clap::Args)]
pub(crate) struct GatArgs {
    #[command(flatten)]
    args: Args,

    #[command(flatten)]
    lifetime: Lifetime,
}

#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    keys: KeysArgs,

    /// Prints the value as it is on a terminal, too, where control characters in it take effect.
    #[arg(long)]
    raw: bool,

    /// Prints what the value is to the clients of another language, which put its type and compression into the flags: a
    /// line for each key, with key, type and value. The clients disagree, so the one must be named; `auto` says only
    /// what is sure.
    #[arg(long = "as", value_name = "CLIENT", value_parser = Convention::read)]
    convention: Option<Convention>,

    /// Prints JSON: an array of objects, with flags and cas unique; a value that is no UTF-8 in base64.
    #[arg(long, conflicts_with = "raw")]
    json: bool,
}

pub(crate) fn get(args: &GetArgs) -> Result<Outcome, Failure> {
    args.args.run("get", None)
}

pub(crate) fn gat(args: &GatArgs) -> Result<Outcome, Failure> {
    args.args.run("gat", Some(args.lifetime.ttl()?))
}

impl Args {
    fn run(&self, verb: &'static str, ttl: Option<Ttl>) -> Result<Outcome, Failure> {
        let (client, keys) = self.keys.read()?;
        // Servers older than 1.2.4, and some proxies, do not know of cas uniques.
        let reading = Reading { cas: self.json, ttl };
        match keys.only() {
            Some(key) if self.raw || !(self.json || self.convention.is_some()) => {
                return match client.read_one(key, reading)? {
                    Some(item) => self.print_one(key, &item).map(|()| Outcome::Fine),
                    None => Ok(no("not found", &client, key)),
                };
            }
            _ if self.raw => return Err(Failure::usage("--raw prints the value of one key")),
            _ => {}
        }
        let (mut tally, mut lines) = (Tally::new(verb, &client), Lines::new(self.json));
        let mut unreadable = Vec::new();
        keys.in_parts(AT_ONCE, |keys| {
            let found = client.read(keys, reading)?;
            for (key, item) in keys.iter().zip(found) {
                if let Some(item) = tally.count(*key, item) {
                    unreadable.extend(print(&mut lines, &client, *key, &item, self.convention)?);
                }
            }
            Ok(lines.goes_on())
        })?;
        lines.finish()?;
        all_fine(unreadable)?;
        tally.outcome()
    }

    /// Prints nothing but a value.
    fn print_one(&self, key: Key<'_>, item: &Item) -> Result<(), Failure> {
        let Some(convention) = self.convention else {
            return output::print_value(&item.value, self.raw);
        };
        let typed = convention.typed(item);
        match &typed.error {
            Some(error) => Err(Failure::failed(format_args!("{}: {error}", Escaped(key.as_bytes())))),
            None => output::print_value(&typed.bytes(), self.raw),
        }
    }
}

/// How many keys are asked for at once: each may have a value of a megabyte.
const AT_ONCE: usize = 256;

/// Prints an item. Returns why it is not what its flags say, if somebody wants to know.
fn print(
    lines: &mut Lines,
    client: &Client,
    key: Key<'_>,
    item: &Item,
    convention: Option<Convention>,
) -> Result<Option<String>, Failure> {
    let typed = convention.map(|convention| convention.typed(item));
    let key_text = Escaped(key.as_bytes());
    match (lines, &typed) {
        (Lines::Text(printer), None) => {
            printer.show(format_args!("{key_text}\t{}\n", Escaped(&item.value)))?;
        }
        (Lines::Text(printer), Some(typed)) => {
            let (kind, value) = (typed.kind(), typed.bytes());
            printer.show(format_args!("{key_text}\t{kind}\t{}\n", Escaped(&value)))?;
        }
        (Lines::Json(array), typed) => {
            array.item(&object(&client.server_of(key), key, item, typed.as_ref()))?;
        }
    }
    Ok(typed.and_then(|typed| typed.error).map(|error| format!("{key_text}: {error}")))
}

/// An item as JSON. Its value is a text where it is UTF-8.
fn object(server: &str, key: Key<'_>, item: &Item, typed: Option<&Typed<'_>>) -> Value {
    let mut object = Map::from_iter([
        ("key".to_owned(), json!(Escaped(key.as_bytes()).to_string())),
        ("server".to_owned(), json!(server)),
        ("flags".to_owned(), json!(item.flags)),
        ("cas".to_owned(), json!(item.cas)),
        ("size".to_owned(), json!(item.value.len())),
    ]);
    if let Some(typed) = typed {
        typed.put_into(&mut object);
        return Value::Object(object);
    }
    let (name, value) = match str::from_utf8(&item.value) {
        Ok(text) => ("value", text.to_owned()),
        Err(_) => ("base64", BASE64_STANDARD.encode(&item.value)),
    };
    object.insert(name.to_owned(), value.into());
    Value::Object(object)
}
