//! The commands that talk to servers, and what they have in common.

use core::{fmt::Display, mem, time::Duration};
use std::time::SystemTime;

use memring_core::peers::libmemcached;
use memring_std::{Builder, Config, ErrorKind, Ttl};
use memring_text::{ttl::MAX_RELATIVE_SECONDS, value::MAX_VALUE_LEN};

use self::secure::SecureArgs;
use crate::{
    duration::duration,
    failure::{self, Failure},
    scheme_args::SchemeArgs,
    servers::{ServerArgs, found_out, specs_of_environment},
    settings::Settings,
    warnings,
};

pub(crate) mod client;
pub(crate) mod count;
pub(crate) mod delete;
pub(crate) mod flush;
pub(crate) mod get;
mod key_args;
pub(crate) mod keys;
pub(crate) mod meta;
pub(crate) mod ping;
pub(crate) mod secure;
pub(crate) mod slabs;
pub(crate) mod stats;
pub(crate) mod store;
mod tally;
pub(crate) mod touch;
mod typed;
pub(crate) mod version;
pub(crate) mod watch;

use client::{Client, Kind};

/// Which servers, and how to find a key's among them.
#[derive(Debug, clap::Args)]
pub(crate) struct ClientArgs {
    #[command(flatten)]
    servers: ServerArgs,

    #[command(flatten)]
    scheme: SchemeArgs,

    /// How long an operation may take, connecting included: `250ms`, `2s`. Unless the configuration file has
    /// another: 1 s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,

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

    /// The client of a command about keys: it is said by which scheme they are placed, if nobody has named one and it
    /// matters.
    pub(crate) fn client_for_keys(&self) -> Result<Client, Failure> {
        self.client_of(self.config_for_keys()?)
    }

    /// All that such a client is told.
    pub(crate) fn config_for_keys(&self) -> Result<Config, Failure> {
        let settings = self.scheme.settings.read(self.servers.are_given())?;
        let config = self.config_by(&settings)?;
        if self.scheme.chosen(&settings)?.is_none() && config.servers.len() > 1 {
            failure::say(format_args!(
                "keys are placed by {ASSUMED}, as no scheme is named; --scheme NAME names one{}",
                settings.advice()
            ));
        }
        Ok(config)
    }

    /// All that the client is told.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        self.config_by(&self.scheme.settings.read(self.servers.are_given())?)
    }

    fn config_by(&self, settings: &Settings) -> Result<Config, Failure> {
        let choice = self.scheme.chosen_or(settings, ASSUMED)?;
        // Checked here for the list of known schemes in the error.
        let scheme = choice.scheme()?;
        let mut config = settings.config()?;
        if let Some(servers) = self.servers.specs()? {
            (config.servers, config.discovery) = (servers, None);
        } else if config.discovery.is_some() {
            // A command is over before the servers change.
            config.servers = found_out(config.clone())?;
            config.discovery = None;
        } else if config.servers.is_empty() {
            config.servers = specs_of_environment(settings)?;
        }
        if let Some(timeout) = self.timeout {
            (config.connect_timeout, config.timeout) = (timeout, timeout);
        }
        // Who looks at a server wants to see what is there: any value, and any error.
        config.limits.value = MAX_VALUE_LEN;
        config.errors_as_misses = false;
        warnings::tell(&[(scheme, &config.servers)]);
        let builder = Builder::new(config).scheme_named(choice.name, choice.options);
        Ok(self.secure.secured(builder)?.config()?)
    }

    /// What a client of each server alone is told.
    pub(crate) fn alone(&self) -> Result<Vec<Config>, Failure> {
        let mut config = self.config()?;
        // Any scheme finds the only server, but some have options that only fit the whole list.
        config.scheme = libmemcached::MODULA.into();
        // No other server answers for it.
        config.gutter.clear();
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

    /// Which of the two clients is asked for.
    pub(crate) const fn kind(&self) -> Kind {
        self.which
    }

    /// Whether it is the blocking one.
    pub(crate) const fn is_std(&self) -> bool {
        matches!(self.which, Kind::Std)
    }

    /// Whether the servers come from standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.servers.is_stdin() || self.scheme.settings.is_stdin()
    }
}

/// The scheme where none is named.
pub(crate) const ASSUMED: &str = libmemcached::KETAMA_WEIGHTED.name;

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

/// Whether an item that lives for `time` from now ends behind the last moment that memcached can be told, 2³¹ − 1 seconds
/// after 1970. The client would end it then.
fn is_beyond_the_last(time: Duration) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let is_relative = time.as_secs() <= MAX_RELATIVE_SECONDS.into();
    !is_relative && now.checked_add(time).is_none_or(|end| end.as_secs() > i32::MAX as u64)
}

/// How long an item lives; for ever unless said. `for_ever` is what to write for that.
pub(crate) fn ttl(argument: Option<Duration>, for_ever: &str) -> Result<Ttl, Failure> {
    match argument {
        None => Ok(Ttl::NEVER),
        // Other tools say "for ever" so.
        Some(Duration::ZERO) => Err(Failure::usage(format_args!("time to live is zero; {for_ever}"))),
        Some(time) if is_beyond_the_last(time) => Err(Failure::usage(format_args!(
            "time to live ends after January 2038, when memcached's time ends; {for_ever}"
        ))),
        Some(time) => Ok(Ttl::after(time)),
    }
}
