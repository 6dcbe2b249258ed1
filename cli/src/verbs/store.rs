//! `memring set`, `add`, `replace`, `append` and `prepend`.

use core::time::Duration;
use std::ffi::OsString;

use memring_std::{Attributes, CasOutcome, Error};
use memring_text::Key;

use super::{client::Client, key_args::KeyArgs, tally::no};
use crate::{
    duration::duration,
    failure::{Failure, Outcome},
    input::read_value,
};

#[derive(Debug, clap::Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    item: ItemArgs,

    /// A number kept beside the value, for the clients that read it.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    flags: u32,

    /// How long the item lives, `90s`, `15m`, `30d`; for ever unless said.
    #[arg(long, value_name = "TIME", value_parser = duration, allow_negative_numbers = true)]
    ttl: Option<Duration>,
}

/// Stores a value if the key's has not changed since its cas unique was read, with `get --json` or `meta`.
///
/// The exit code is 1 if it has, or is not there any more.
///
/// Example: memring cas --server 127.0.0.1:11211 --cas 17 greeting 'good evening'
#[derive(Debug, clap::Args)]
pub(crate) struct CasArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// The cas unique that the item must still have.
    #[arg(long, value_name = "UNIQUE")]
    cas: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ItemArgs {
    #[command(flatten)]
    key: KeyArgs,

    /// The value, taken as it is; without it, or for `-`, standard input to its end.
    #[arg(value_name = "VALUE")]
    value: Option<OsString>,
}

pub(crate) fn set(args: &StoreArgs) -> Result<Outcome, Failure> {
    args.run(|client, key, value, attributes| client.set(key, value, attributes).map(|()| true))
}

pub(crate) fn add(args: &StoreArgs) -> Result<Outcome, Failure> {
    args.run(|client, key, value, attributes| client.add(key, value, attributes))
}

pub(crate) fn replace(args: &StoreArgs) -> Result<Outcome, Failure> {
    args.run(|client, key, value, attributes| client.replace(key, value, attributes))
}

pub(crate) fn append(args: &ItemArgs) -> Result<Outcome, Failure> {
    args.run(|client, key, value| client.append(key, value))
}

pub(crate) fn prepend(args: &ItemArgs) -> Result<Outcome, Failure> {
    args.run(|client, key, value| client.prepend(key, value))
}

pub(crate) fn cas(args: &CasArgs) -> Result<Outcome, Failure> {
    let attributes = args.store.attributes()?;
    args.store.item.store(|client, key, value| {
        Ok(match client.cas(key, value, attributes, args.cas)? {
            CasOutcome::Stored => Outcome::Fine,
            CasOutcome::Exists => no("not stored, changed meanwhile", client, key),
            CasOutcome::NotFound => no("not stored, not found", client, key),
        })
    })
}

impl StoreArgs {
    fn attributes(&self) -> Result<Attributes, Failure> {
        Ok(Attributes { flags: self.flags, ttl: super::ttl(self.ttl, "leave --ttl out for no end")? })
    }

    fn run(
        &self,
        store: impl FnOnce(&Client, Key<'_>, &[u8], Attributes) -> Result<bool, Error>,
    ) -> Result<Outcome, Failure> {
        let attributes = self.attributes()?;
        self.item.run(|client, key, value| store(client, key, value, attributes))
    }
}

impl ItemArgs {
    fn run(
        &self,
        store: impl FnOnce(&Client, Key<'_>, &[u8]) -> Result<bool, Error>,
    ) -> Result<Outcome, Failure> {
        self.store(|client, key, value| {
            Ok(if store(client, key, value)? { Outcome::Fine } else { no("not stored", client, key) })
        })
    }

    fn store(
        &self,
        store: impl FnOnce(&Client, Key<'_>, &[u8]) -> Result<Outcome, Error>,
    ) -> Result<Outcome, Failure> {
        let argument = self.value.as_deref().filter(|value| *value != "-");
        if argument.is_none() && self.key.is_stdin() {
            return Err(Failure::usage("only one of --servers and the value can be standard input"));
        }
        let (client, key) = self.key.read()?;
        let value = match argument {
            Some(value) => value.as_encoded_bytes().to_vec(),
            None => read_value()?,
        };
        Ok(store(&client, key, &value)?)
    }
}
