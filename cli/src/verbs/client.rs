//! Either of the two clients, behind the same verbs: what a command prints does not depend on which it is.

use std::{io, sync::Arc};

use memring_std::{
    Attributes, Error, FlushDelay, FromServer, Item, Limits, Many, MetaGetOptions, MetaInfo, ServerSpec,
    StatsKind, Ttl,
};
use memring_text::{Key, value::MAX_VALUE_LEN};
use tokio::runtime::{Builder, Runtime};

use super::ClientArgs;
use crate::{failure::Failure, scheme_args::Choice};

/// Which of the two.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Kind {
    /// The blocking client.
    Std,
    /// The tokio client.
    Tokio,
}

/// A client of either kind.
pub(crate) enum Client {
    Std(memring_std::Client),
    Tokio { client: memring_tokio::Client, runtime: Runtime },
}

/// Declares verbs that have the same arguments and results in both clients.
macro_rules! verbs {
    ($(fn $verb:ident($($argument:ident: $kind:ty),*) -> $output:ty;)*) => {
        impl Client {
            $(
                pub(crate) fn $verb(&self $(, $argument: $kind)*) -> $output {
                    match self {
                        Self::Std(client) => client.$verb($($argument),*),
                        Self::Tokio { client, runtime } => runtime.block_on(client.$verb($($argument),*)),
                    }
                }
            )*
        }
    };
}

verbs! {
    fn set(key: Key<'_>, value: &[u8], attributes: Attributes) -> Result<(), Error>;
    fn add(key: Key<'_>, value: &[u8], attributes: Attributes) -> Result<bool, Error>;
    fn replace(key: Key<'_>, value: &[u8], attributes: Attributes) -> Result<bool, Error>;
    fn append(key: Key<'_>, value: &[u8]) -> Result<bool, Error>;
    fn prepend(key: Key<'_>, value: &[u8]) -> Result<bool, Error>;
    fn delete(key: Key<'_>) -> Result<bool, Error>;
    fn touch(key: Key<'_>, ttl: Ttl) -> Result<bool, Error>;
    fn incr(key: Key<'_>, delta: u64) -> Result<Option<u64>, Error>;
    fn decr(key: Key<'_>, delta: u64) -> Result<Option<u64>, Error>;
    fn version() -> Vec<FromServer<String>>;
    fn flush_all(delay: Option<FlushDelay>) -> Vec<FromServer<()>>;
}

/// Those whose results differ in what values are in.
impl Client {
    pub(crate) fn get(&self, key: Key<'_>) -> Result<Option<Item>, Error> {
        match self {
            Self::Std(client) => client.get(key),
            Self::Tokio { client, runtime } => Ok(runtime.block_on(client.get(key))?.map(owned)),
        }
    }

    /// What the server knows of an item.
    pub(crate) fn meta_info(&self, key: Key<'_>, options: MetaGetOptions) -> Result<Option<MetaInfo>, Error> {
        match self {
            Self::Std(client) => Ok(client.meta().get(key, options)?.map(|item| item.info)),
            Self::Tokio { client, runtime } => {
                Ok(runtime.block_on(client.meta().get(key, options))?.map(|item| item.info))
            }
        }
    }

    /// The name of the server that is listed first.
    pub(crate) fn first_server(&self) -> Option<String> {
        let servers = match self {
            Self::Std(client) => client.servers(),
            Self::Tokio { client, .. } => client.servers(),
        };
        servers.first().map(|server| server.spec.name().to_owned())
    }

    /// The statistics of each server, line by line.
    pub(crate) fn stats_with(
        &self,
        kind: StatsKind,
        take: impl FnMut(&str, &[u8], &[u8]),
    ) -> Vec<FromServer<()>> {
        match self {
            Self::Std(client) => client.stats_with(kind, take),
            Self::Tokio { client, runtime } => runtime.block_on(client.stats_with(kind, take)),
        }
    }

    /// The name of the server that holds the key.
    pub(crate) fn server_of(&self, key: Key<'_>) -> Arc<str> {
        match self {
            Self::Std(client) => client.server_of(key),
            Self::Tokio { client, .. } => client.server_of(key),
        }
    }

    pub(crate) fn get_many(&self, keys: &[Key<'_>]) -> Result<Many<Option<Item>>, Error> {
        match self {
            Self::Std(client) => client.get_many(keys),
            Self::Tokio { client, runtime } => {
                let found = runtime.block_on(client.get_many(keys))?;
                let errors = found.errors().to_vec();
                let results = found.into_results().into_iter();
                Ok(Many::new(results.map(|result| Ok(result?.map(owned))).collect(), errors))
            }
        }
    }
}

impl Client {
    /// The client that `args` ask for. Nothing is connected yet.
    pub(super) fn build(
        args: &ClientArgs,
        servers: Vec<ServerSpec>,
        choice: Choice<'_>,
    ) -> Result<Self, Failure> {
        let builder = memring_std::Client::builder()
            .servers(servers)
            .scheme_named(choice.name, choice.options)
            .connect_timeout(args.timeout)
            .timeout(args.timeout)
            .limits(Limits { value: MAX_VALUE_LEN, ..Limits::DEFAULT });
        let config = args.secure.secured(builder)?.config()?;
        Ok(match args.which {
            Kind::Std => Self::Std(memring_std::Client::with_config(config)?),
            Kind::Tokio => {
                Self::Tokio { client: memring_tokio::Client::with_config(config)?, runtime: runtime()? }
            }
        })
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn owned(item: memring_tokio::Item) -> Item {
    Item { flags: item.flags, cas: item.cas, value: item.value.into() }
}
