//! One face of both clients.

use core::{
    fmt::Debug,
    ops::{ControlFlow, Deref},
    time::Duration,
};
use std::{io, sync::Arc};

use memring_client::{FromConfig, outcome::CasItem};
use memring_std::{
    Attributes, Batch, Buffer, CasOutcome, Change, Config, Content, DumpLine, Error, FetchCounts, FetchError,
    FlushDelay, Freshness, FromServer, ItemRef, Lifetime, Loaded, LogLine, Many, MetaArithOptions,
    MetaArithOutcome, MetaDeleteOptions, MetaGetOptions, MetaSetOptions, MetaStoreOutcome, Phase, ServerList,
    ServerSpecError, ServerStatus, Stats, StatsKind, StoreOutcome, Transition, TransitionStatus, Ttl,
    Updated, WatchKinds, roster::Roster,
};
use memring_suite::Scripted;
use memring_text::{Item, operation::MetaItem};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::run::{Run, at_once};

/// What makes a client, call by call.
pub(crate) type Builder<C> = memring_client::Builder<C>;

/// The results of a batch.
pub(crate) type Outcomes<C> = memring_client::batch::Outcomes<<C as Client>::Value>;

/// Bytes, as either client hands them out.
pub(crate) trait Value:
    Deref<Target = [u8]>
    + AsRef<[u8]>
    + Clone
    + Debug
    + Eq
    + PartialEq<[u8]>
    + PartialEq<Vec<u8>>
    + for<'a> PartialEq<&'a [u8]>
    + Send
    + Sync
{
}

impl Value for Vec<u8> {}

impl Value for bytes::Bytes {}

/// What is read piece by piece, by either client.
pub(crate) trait Source: io::Read + AsyncRead + Unpin {}

impl<S: io::Read + AsyncRead + Unpin> Source for S {}

/// What is written piece by piece, by either client.
pub(crate) trait Sink: io::Write + AsyncWrite + Unpin {}

impl<S: io::Write + AsyncWrite + Unpin> Sink for S {}

/// Declares the verbs, and carries each to the method of the same name and arguments that either client has.
macro_rules! verbs {
    (
        $(async fn $verb:ident [$($generics:tt)*] ($($argument:ident: $kind:ty),*) -> $output:ty;)*
        meta: $(async fn $meta:ident($($meta_argument:ident: $meta_kind:ty),*) -> $meta_output:ty;)*
    ) => {
        /// A client of either kind.
        pub(crate) trait Client: FromConfig + Run + Clone + Debug + Send + Sync + 'static {
            /// What a value comes in.
            type Value: Value;

            /// Its meta commands.
            type Meta<'a>: Meta<Value = Self::Value>;

            fn builder() -> Builder<Self> {
                Builder::new(Config::default())
            }

            /// A client of `servers`, with the defaults.
            fn connect<S: TryInto<ServerList>>(servers: impl IntoIterator<Item = S>) -> Result<Self, Error>
            where
                ServerSpecError: From<S::Error>;

            /// A client of this one server.
            fn of(server: &Scripted, timeout: Duration) -> Self {
                Self::builder().servers([server.name()]).timeout(timeout).build().unwrap()
            }

            /// A client whose servers are found out.
            async fn discover(config: Config) -> Result<Self, Error>;
            fn roster(&self) -> Option<Roster>;
            fn accept_change(&self) -> bool;

            fn with_timeout(&self, timeout: Duration) -> Self;
            fn with_errors_as_misses(&self, yes: bool) -> Self;
            fn routed_by(&self, key: impl AsRef<[u8]>) -> Self;
            fn server_of(&self, key: impl AsRef<[u8]>) -> Arc<str>;
            fn servers(&self) -> Vec<ServerStatus>;
            fn meta(&self) -> Self::Meta<'_>;

            fn set_servers<S: TryInto<ServerList>>(
                &self,
                servers: impl IntoIterator<Item = S>,
            ) -> Result<Change, Error>
            where
                ServerSpecError: From<S::Error>;

            fn transition<S: TryInto<ServerList>>(
                &self,
                servers: impl IntoIterator<Item = S>,
                transition: Transition,
            ) -> Result<Change, Error>
            where
                ServerSpecError: From<S::Error>;
            fn transition_status(&self) -> Option<TransitionStatus>;
            fn advance_transition(&self) -> Result<Phase, Error>;
            fn cancel_transition(&self) -> Result<Phase, Error>;

            fn fetch_counts(&self) -> FetchCounts;

            async fn fetch<L: Loaded, E: Send + Sync + 'static>(
                &self,
                key: impl AsRef<[u8]>,
                freshness: impl Into<Freshness>,
                loader: impl Future<Output = Result<L, E>>,
            ) -> Result<L::Found, FetchError<E>>;

            $(async fn $verb<$($generics)*>(&self $(, $argument: $kind)*) -> $output;)*
        }

        /// The meta commands of either.
        pub(crate) trait Meta {
            type Value;

            $(async fn $meta(&self $(, $meta_argument: $meta_kind)*) -> $meta_output;)*
        }

        impl Client for memring_std::Client {
            type Value = Vec<u8>;
            type Meta<'a> = memring_std::Meta<'a>;

            carried!();

            async fn discover(config: Config) -> Result<Self, Error> {
                Self::discover(config)
            }

            async fn fetch<L: Loaded, E: Send + Sync + 'static>(
                &self,
                key: impl AsRef<[u8]>,
                freshness: impl Into<Freshness>,
                loader: impl Future<Output = Result<L, E>>,
            ) -> Result<L::Found, FetchError<E>> {
                self.fetch(key, freshness, || at_once(loader))
            }

            $(async fn $verb<$($generics)*>(&self $(, $argument: $kind)*) -> $output {
                self.$verb($($argument),*)
            })*
        }

        impl Meta for memring_std::Meta<'_> {
            type Value = Vec<u8>;

            $(async fn $meta(&self $(, $meta_argument: $meta_kind)*) -> $meta_output {
                self.$meta($($meta_argument),*)
            })*
        }

        impl Client for memring_tokio::Client {
            type Value = bytes::Bytes;
            type Meta<'a> = memring_tokio::Meta<'a>;

            carried!();

            async fn discover(config: Config) -> Result<Self, Error> {
                Self::discover(config).await
            }

            async fn fetch<L: Loaded, E: Send + Sync + 'static>(
                &self,
                key: impl AsRef<[u8]>,
                freshness: impl Into<Freshness>,
                loader: impl Future<Output = Result<L, E>>,
            ) -> Result<L::Found, FetchError<E>> {
                self.fetch(key, freshness, loader).await
            }

            $(async fn $verb<$($generics)*>(&self $(, $argument: $kind)*) -> $output {
                self.$verb($($argument),*).await
            })*
        }

        impl Meta for memring_tokio::Meta<'_> {
            type Value = bytes::Bytes;

            $(async fn $meta(&self $(, $meta_argument: $meta_kind)*) -> $meta_output {
                self.$meta($($meta_argument),*).await
            })*
        }
    };
}

/// What needs no waiting.
macro_rules! carried {
    () => {
        fn connect<S: TryInto<ServerList>>(servers: impl IntoIterator<Item = S>) -> Result<Self, Error>
        where
            ServerSpecError: From<S::Error>,
        {
            Self::connect(servers)
        }

        fn roster(&self) -> Option<Roster> {
            self.roster()
        }

        fn accept_change(&self) -> bool {
            self.accept_change()
        }

        fn with_timeout(&self, timeout: Duration) -> Self {
            self.with_timeout(timeout)
        }

        fn with_errors_as_misses(&self, yes: bool) -> Self {
            self.with_errors_as_misses(yes)
        }

        fn routed_by(&self, key: impl AsRef<[u8]>) -> Self {
            self.routed_by(key)
        }

        fn server_of(&self, key: impl AsRef<[u8]>) -> Arc<str> {
            self.server_of(key)
        }

        fn servers(&self) -> Vec<ServerStatus> {
            self.servers()
        }

        fn fetch_counts(&self) -> FetchCounts {
            self.fetch_counts()
        }

        fn meta(&self) -> Self::Meta<'_> {
            self.meta()
        }

        fn set_servers<S: TryInto<ServerList>>(
            &self,
            servers: impl IntoIterator<Item = S>,
        ) -> Result<Change, Error>
        where
            ServerSpecError: From<S::Error>,
        {
            self.set_servers(servers)
        }

        fn transition<S: TryInto<ServerList>>(
            &self,
            servers: impl IntoIterator<Item = S>,
            transition: Transition,
        ) -> Result<Change, Error>
        where
            ServerSpecError: From<S::Error>,
        {
            self.transition(servers, transition)
        }

        fn transition_status(&self) -> Option<TransitionStatus> {
            self.transition_status()
        }

        fn advance_transition(&self) -> Result<Phase, Error> {
            self.advance_transition()
        }

        fn cancel_transition(&self) -> Result<Phase, Error> {
            self.cancel_transition()
        }
    };
}

verbs! {
    async fn get[](key: impl AsRef<[u8]>) -> Result<Option<Item<Self::Value>>, Error>;
    async fn gets[](key: impl AsRef<[u8]>) -> Result<Option<CasItem<Self::Value>>, Error>;
    async fn gat[](key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Result<Option<Item<Self::Value>>, Error>;
    async fn gats[](key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Result<Option<CasItem<Self::Value>>, Error>;
    async fn get_into[B: Buffer](key: impl AsRef<[u8]>, value: B) -> Result<Option<Item<B>>, Error>;
    async fn get_to[](key: impl AsRef<[u8]>, sink: impl Sink) -> Result<Option<Item<usize>>, Error>;

    async fn set[](
        key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, attributes: impl Into<Attributes>
    ) -> Result<(), Error>;
    async fn add[](
        key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, attributes: impl Into<Attributes>
    ) -> Result<bool, Error>;
    async fn replace[](
        key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, attributes: impl Into<Attributes>
    ) -> Result<bool, Error>;
    async fn append[](key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<bool, Error>;
    async fn prepend[](key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<bool, Error>;
    async fn cas[](
        key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, attributes: impl Into<Attributes>, cas: u64
    ) -> Result<CasOutcome, Error>;
    async fn set_from[](
        key: impl AsRef<[u8]>, len: usize, source: impl Source, attributes: impl Into<Attributes>
    ) -> Result<(), Error>;

    async fn delete[](key: impl AsRef<[u8]>) -> Result<bool, Error>;
    async fn touch[](key: impl AsRef<[u8]>, ttl: impl Into<Ttl>) -> Result<bool, Error>;
    async fn incr[](key: impl AsRef<[u8]>, delta: u64) -> Result<Option<u64>, Error>;
    async fn decr[](key: impl AsRef<[u8]>, delta: u64) -> Result<Option<u64>, Error>;

    async fn update[L: Loaded](
        key: impl AsRef<[u8]>, lifetime: impl Into<Lifetime>, change: impl FnMut(Option<&Content>) -> Option<L>
    ) -> Result<Updated, Error>;
    async fn invalidate[](key: impl AsRef<[u8]>, freshness: &Freshness) -> Result<bool, Error>;
    async fn incr_or[](
        key: impl AsRef<[u8]>, delta: u64, initial: u64, ttl: impl Into<Ttl>
    ) -> Result<u64, Error>;
    async fn put[](key: impl AsRef<[u8]>, value: impl Loaded, freshness: &Freshness) -> Result<(), Error>;
    async fn peek[](key: impl AsRef<[u8]>) -> Result<Option<Option<Content>>, Error>;

    async fn get_many[](keys: &[impl AsRef<[u8]>]) -> Result<Many<Option<Item<Self::Value>>>, Error>;
    async fn get_many_with[](
        keys: &[impl AsRef<[u8]>], visit: impl FnMut(usize, ItemRef<'_>) + Send
    ) -> Result<Many<bool>, Error>;
    async fn set_many[](
        items: &[(impl AsRef<[u8]>, impl AsRef<[u8]>)], attributes: impl Into<Attributes>
    ) -> Result<Many<()>, Error>;
    async fn delete_many[](keys: &[impl AsRef<[u8]>]) -> Result<Many<bool>, Error>;
    async fn run[](batch: Batch) -> Result<Outcomes<Self>, Error>;

    async fn version[]() -> Vec<FromServer<String>>;
    async fn stats[](kind: StatsKind) -> Vec<FromServer<Stats<Vec<u8>>>>;
    async fn stats_with[](kind: StatsKind, take: impl FnMut(&str, &[u8], &[u8])) -> Vec<FromServer<()>>;
    async fn metadump_with[](take: impl FnMut(&str, &DumpLine<'_>) -> ControlFlow<()>) -> Vec<FromServer<()>>;
    async fn watch_with[](
        kinds: WatchKinds, take: impl FnMut(&str, &LogLine<'_>) -> ControlFlow<()>
    ) -> Vec<FromServer<()>>;
    async fn flush_all[](delay: Option<FlushDelay>) -> Vec<FromServer<()>>;
    async fn verbosity[](level: u32) -> Vec<FromServer<()>>;

    meta:
    async fn get(key: impl AsRef<[u8]>, options: MetaGetOptions) -> Result<Option<MetaItem<Self::Value>>, Error>;
    async fn set(
        key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, options: MetaSetOptions
    ) -> Result<MetaStoreOutcome, Error>;
    async fn delete(key: impl AsRef<[u8]>, options: MetaDeleteOptions) -> Result<StoreOutcome, Error>;
    async fn arith(key: impl AsRef<[u8]>, options: MetaArithOptions) -> Result<MetaArithOutcome, Error>;
    async fn debug(key: impl AsRef<[u8]>) -> Result<Option<String>, Error>;
    async fn noop() -> Vec<FromServer<()>>;
}
