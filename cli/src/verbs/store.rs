//! `memring set`, `add`, `replace`, `append` and `prepend`.

use core::time::Duration;
use std::ffi::OsString;

use memring_std::{Attributes, Error};
use memring_text::Key;

use super::{KeyArgs, client::Client};
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
    #[arg(long, value_name = "TIME", value_parser = duration)]
    ttl: Option<Duration>,
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

impl StoreArgs {
    fn run(
        &self,
        store: impl FnOnce(&Client, Key<'_>, &[u8], Attributes) -> Result<bool, Error>,
    ) -> Result<Outcome, Failure> {
        let ttl = super::ttl(self.ttl)?;
        let attributes = Attributes { flags: self.flags, ttl };
        self.item.run(|client, key, value| store(client, key, value, attributes))
    }
}

impl ItemArgs {
    fn run(
        &self,
        store: impl FnOnce(&Client, Key<'_>, &[u8]) -> Result<bool, Error>,
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
        Ok(if store(&client, key, &value)? { Outcome::Fine } else { Outcome::No("not stored") })
    }
}
