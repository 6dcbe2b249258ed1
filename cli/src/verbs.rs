//! The commands that talk to servers, and what they have in common.

use core::{fmt::Display, mem, time::Duration};

use memring_core::peers::libmemcached;
use memring_std::{Config, ErrorKind, Limits, Ttl};
use memring_text::value::MAX_VALUE_LEN;

use self::secure::SecureArgs;
use crate::{
    duration::duration,
    failure::Failure,
    scheme_args::{Choice, assignment, options},
    servers::ServerArgs,
};

pub(crate) mod client;
pub(crate) mod count;
pub(crate) mod delete;
pub(crate) mod flush;
pub(crate) mod get;
mod key_args;
pub(crate) mod meta;
pub(crate) mod ping;
pub(crate) mod secure;
pub(crate) mod stats;
pub(crate) mod store;
mod tally;
pub(crate) mod touch;
pub(crate) mod version;

use client::{Client, Kind};

/// Which servers, and how to find a key's among them.
#[derive(Debug, clap::Args)]
pub(crate) struct ClientArgs {
    #[command(flatten)]
    servers: ServerArgs,

    /// Whose placement to use; `memring schemes` lists them all.
    #[arg(long, value_name = "NAME", default_value = libmemcached::KETAMA_WEIGHTED.name)]
    scheme: String,

    /// An option of the scheme, such as `hash=md5`; may be given several times.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = assignment)]
    options: Vec<String>,

    /// How long it may take, connecting included: `250ms`, `2s`.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    timeout: Duration,

    /// Which of the two clients to use; they do the same.
    #[arg(long = "client", value_enum, value_name = "CLIENT", default_value_t = Kind::Std)]
    which: Kind,

    #[command(flatten)]
    secure: SecureArgs,
}

impl ClientArgs {
    /// The client. Nothing is connected yet.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.client_of(self.config()?)
    }

    /// What the client is told.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let servers = self.servers.specs()?;
        let choice = Choice { name: &self.scheme, options: options(&self.options) };
        // Checked here for the list of known schemes in the error.
        choice.scheme()?;
        let builder = memring_std::Client::builder()
            .servers(servers)
            .scheme_named(choice.name, choice.options)
            .connect_timeout(self.timeout)
            .timeout(self.timeout)
            .limits(Limits { value: MAX_VALUE_LEN, ..Limits::DEFAULT });
        Ok(self.secure.secured(builder)?.config()?)
    }

    /// What a client of each server alone is told.
    pub(crate) fn alone(&self) -> Result<Vec<Config>, Failure> {
        let mut config = self.config()?;
        // Any scheme finds the only server, but some have options that only fit the whole list.
        config.scheme = libmemcached::MODULA.into();
        let servers = mem::take(&mut config.servers);
        let alone = |server| {
            let mut config = config.clone();
            config.servers = vec![server];
            config
        };
        Ok(servers.into_iter().map(alone).collect())
    }

    /// The client that `config` describes. Nothing is connected yet.
    pub(crate) fn client_of(&self, config: Config) -> Result<Client, Failure> {
        Client::new(self.which, config)
    }

    /// Whether the servers come from standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.servers.is_stdin()
    }
}

/// How many keys are sent at once.
const AT_ONCE: usize = 4096;

impl From<memring_std::Error> for Failure {
    fn from(error: memring_std::Error) -> Self {
        match error.kind() {
            ErrorKind::Config | ErrorKind::Key | ErrorKind::Ttl => Self::usage(error),
            _ => Self::failed(error),
        }
    }
}

/// One failure for all that went wrong, a line each; none if nothing did.
pub(crate) fn all_fine<E: Display>(errors: impl IntoIterator<Item = E>) -> Result<(), Failure> {
    let lines: Vec<_> = errors.into_iter().map(|error| error.to_string()).collect();
    if lines.is_empty() { Ok(()) } else { Err(Failure::failed(lines.join("\n"))) }
}

/// How long an item lives; for ever unless said.
pub(crate) fn ttl(argument: Option<Duration>) -> Result<Ttl, Failure> {
    match argument {
        None => Ok(Ttl::NEVER),
        // Other tools say "for ever" so.
        Some(Duration::ZERO) => Err(Failure::usage("time to live is zero; without --ttl it is for ever")),
        Some(time) => Ok(Ttl::after(time)),
    }
}
