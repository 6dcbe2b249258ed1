//! The names that callers of every client need. Each client re-exports them as its own.

#[doc(inline)]
pub use crate::{
    batch::{Batch, Handle, kind},
    change::{Change, Moves},
    config::{Config, UnderWay},
    discovery,
    failure::{Error, ErrorKind, Event, FromServer, Many, ServerCounts},
    fetch::{
        Content, FetchCounts, FetchError, FetchOutcome, Freshness, LeaseEvent, Lifetime, Loaded, Updated,
    },
    outcome::CasOutcome,
    roster,
    route::FailurePolicy,
    spec::{Address, DEFAULT_PORT, ServerList, ServerSpec, ServerSpecError, ServerSpecProblem},
    status::ServerStatus,
    transition::{Phase, Transition, TransitionCounts, TransitionError, TransitionStatus},
    typed, values,
};
pub use memring_core::{
    Scheme, ServerIndex, Weight,
    health::{HealthPolicy, HealthStatus},
    peers,
    plan::Precision,
};
pub use memring_text::{
    Limits, StoreOutcome, Ttl,
    buffer::{ArrayBuffer, Buffer, Full, SliceBuffer},
    capabilities::Feature,
    meta::{
        ArithMode, MetaArithOptions, MetaDeleteOptions, MetaGetOptions, MetaInfo, MetaSetOptions, Opaque,
        SetMode,
    },
    operation::{MetaArithOutcome, MetaStoreOutcome, Stats},
    reply::{DumpLine, LogLine, ServerError, ServerErrorKind},
    request::{Attributes, FlushDelay, StatsKind, WatchKinds},
    ttl::UnixTime,
};

#[cfg(feature = "tls")]
pub use crate::{Tls, rustls};

#[cfg(feature = "file")]
#[doc(inline)]
pub use crate::file::{self, FileError};
