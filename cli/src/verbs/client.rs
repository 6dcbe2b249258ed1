//! Either of the two clients, behind the same verbs: what a command prints does not depend on which it is.

use core::ops::ControlFlow;
use std::{io, sync::Arc};

use memring_client::{batch::Outcomes, outcome::CasItem};
use memring_std::{
    Attributes, Batch, CasOutcome, Config, DumpLine, Error, FlushDelay, FromServer, Handle, Item, LogLine,
    Many, MetaGetOptions, MetaInfo, StatsKind, Ttl, WatchKinds, kind,
};
use memring_text::Key;
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

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
    fn cas(key: Key<'_>, value: &[u8], attributes: Attributes, cas: u64) -> Result<CasOutcome, Error>;
    fn delete_many(keys: &[Key<'_>]) -> Result<Many<bool>, Error>;
    fn incr(key: Key<'_>, delta: u64) -> Result<Option<u64>, Error>;
    fn decr(key: Key<'_>, delta: u64) -> Result<Option<u64>, Error>;
    fn version() -> Vec<FromServer<String>>;
    fn flush_all(delay: Option<FlushDelay>) -> Vec<FromServer<()>>;
}

/// Those whose results differ in what values are in.
impl Client {
    /// The item of a key.
    pub(crate) fn read_one(&self, key: Key<'_>, reading: Reading) -> Result<Option<Item>, Error> {
        match (self, reading.ttl) {
            (Self::Std(client), None) => client.get(key),
            (Self::Std(client), Some(ttl)) => client.gat(key, ttl),
            (Self::Tokio { client, runtime }, None) => Ok(runtime.block_on(client.get(key))?.map(owned)),
            (Self::Tokio { client, runtime }, Some(ttl)) => {
                Ok(runtime.block_on(client.gat(key, ttl))?.map(owned))
            }
        }
    }

    /// The items of keys, in the order of the keys.
    pub(crate) fn read(&self, keys: &[Key<'_>], reading: Reading) -> Result<Answers<Option<Item>>, Error> {
        let (mut batch, mut handles) = (Batch::new(), Handles::default());
        for key in keys {
            match (reading.cas, reading.ttl) {
                (false, None) => handles.items.push(batch.get(key)),
                (false, Some(ttl)) => handles.items.push(batch.gat(key, ttl)),
                (true, None) => handles.cas_items.push(batch.gets(key)),
                (true, Some(ttl)) => handles.cas_items.push(batch.gats(key, ttl)),
            }
        }
        Ok(match self {
            Self::Std(client) => handles.take(client.run(batch)?),
            Self::Tokio { client, runtime } => handles.take(runtime.block_on(client.run(batch))?),
        })
    }

    /// Gives items `ttl` to live. Returns which keys there are.
    pub(crate) fn touch_many(&self, keys: &[Key<'_>], ttl: Ttl) -> Result<Answers<bool>, Error> {
        let mut batch = Batch::new();
        let handles: Vec<_> = keys.iter().map(|key| batch.touch(key, ttl)).collect();
        Ok(match self {
            Self::Std(client) => take_all(handles, client.run(batch)?),
            Self::Tokio { client, runtime } => take_all(handles, runtime.block_on(client.run(batch))?),
        })
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

    /// What each server knows of its items, line by line.
    pub(crate) fn metadump_with(
        &self,
        take: impl FnMut(&str, &DumpLine<'_>) -> ControlFlow<()>,
    ) -> Vec<FromServer<()>> {
        match self {
            Self::Std(client) => client.metadump_with(take),
            Self::Tokio { client, runtime } => runtime.block_on(client.metadump_with(take)),
        }
    }

    /// What happens on each server, line by line, without end.
    pub(crate) fn watch_with(
        &self,
        kinds: WatchKinds,
        take: impl FnMut(&str, &LogLine<'_>) -> ControlFlow<()>,
    ) -> Vec<FromServer<()>> {
        match self {
            Self::Std(client) => client.watch_with(kinds, take),
            Self::Tokio { client, runtime } => runtime.block_on(client.watch_with(kinds, take)),
        }
    }

    /// The name of the server that holds a key, whatever bytes that has.
    pub(crate) fn server_of_bytes(&self, key: &[u8]) -> Arc<str> {
        match self {
            Self::Std(client) => client.server_of(key),
            Self::Tokio { client, .. } => client.server_of(key),
        }
    }

    /// The name of the server that holds the key.
    pub(crate) fn server_of(&self, key: Key<'_>) -> Arc<str> {
        match self {
            Self::Std(client) => client.server_of(key),
            Self::Tokio { client, .. } => client.server_of(key),
        }
    }
}

/// What is to be read of an item, and what happens to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Whether its cas unique is read, too.
    pub(crate) cas: bool,
    /// How long it lives from now on.
    pub(crate) ttl: Option<Ttl>,
}

/// An answer for each key.
pub(crate) type Answers<T> = Vec<Result<T, Error>>;

/// The handles of reads, of one kind or the other.
#[derive(Default)]
struct Handles {
    items: Vec<Handle<kind::Get>>,
    cas_items: Vec<Handle<kind::Gets>>,
}

impl Handles {
    fn take<V: Into<Vec<u8>>>(self, mut outcomes: Outcomes<V>) -> Answers<Option<Item>> {
        let mut answers = Vec::new();
        for handle in self.items {
            answers.push(outcomes.take(handle).map(|item| item.map(owned)));
        }
        for handle in self.cas_items {
            answers.push(outcomes.take(handle).map(|item| {
                let CasItem { flags, cas, value } = item?;
                Some(Item { flags, cas: Some(cas), value: value.into() })
            }));
        }
        answers
    }
}

fn take_all<V>(handles: Vec<Handle<kind::Find>>, mut outcomes: Outcomes<V>) -> Answers<bool> {
    handles.into_iter().map(|handle| outcomes.take(handle)).collect()
}

impl Client {
    /// The client of the kind `which` that `config` describes. Nothing is connected yet.
    pub(super) fn new(which: Kind, config: Config) -> Result<Self, Failure> {
        Ok(match which {
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

fn owned<V: Into<Vec<u8>>>(item: memring_text::Item<V>) -> Item {
    Item { flags: item.flags, cas: item.cas, value: item.value.into() }
}
