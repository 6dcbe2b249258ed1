//! Spans and figures of operations and connections, for `tracing` and `metrics`, under OpenTelemetry's names for
//! databases. Without these features, the types here are empty.

#[cfg(feature = "metrics")]
mod figures;
#[cfg(not(all(feature = "metrics", feature = "tracing")))]
mod off;
#[cfg(feature = "tracing")]
mod traces;

use std::sync::Arc;

#[cfg(not(feature = "metrics"))]
use self::off as figures;
#[cfg(not(feature = "tracing"))]
use self::off as traces;
use crate::{
    failure::{ErrorKind, Observer},
    spec::Address,
};

/// Where a server is, as spans and figures name it.
#[derive(Debug)]
#[cfg_attr(not(any(feature = "metrics", feature = "tracing")), expect(dead_code, reason = "nobody looks on"))]
struct Peer {
    address: Arc<str>,
    port: Option<u16>,
}

/// What all spans and figures of one server have in common.
#[derive(Debug)]
pub(crate) struct Scene(Peer);

impl Scene {
    /// The scene of the server at `address`.
    pub(crate) fn new(address: &Address) -> Self {
        Self(match address {
            Address::Tcp { host, port } => Peer { address: host.as_str().into(), port: Some(*port) },
            Address::Unix(path) => Peer { address: path.as_str().into(), port: None },
        })
    }
}

/// How an operation ended, for its span and its figures.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(any(feature = "metrics", feature = "tracing")), expect(dead_code, reason = "nobody looks on"))]
enum Ended {
    Well,
    Failed(ErrorKind),
    /// The caller no longer waited for the end.
    Dropped,
}

impl Ended {
    /// The value of `error.type`.
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    fn error_type(self) -> Option<String> {
        match self {
            Self::Well => None,
            Self::Failed(kind) => Some(format!("{kind:?}")),
            Self::Dropped => Some("Dropped".to_owned()),
        }
    }
}

/// One operation on one server, from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Sight {
    is_over: bool,
    span: traces::Part,
    measured: figures::Part,
}

impl Sight {
    /// Begins the span of `operation`.
    #[inline(always)]
    pub(crate) fn new(Scene(peer): &Scene, operation: &'static str) -> Self {
        Self {
            is_over: false,
            span: traces::Part::new(peer, operation),
            measured: figures::Part::new(peer, operation),
        }
    }

    /// Notes the result of the operation: `Err` has the kind of its error. Only the first end counts.
    #[inline(always)]
    pub(crate) fn ended(&mut self, result: Result<(), ErrorKind>) {
        self.over(match result {
            Ok(()) => Ended::Well,
            Err(kind) => Ended::Failed(kind),
        });
    }

    /// Notes that the caller no longer waits for the operation.
    #[inline(always)]
    pub(crate) fn dropped(&mut self) {
        self.over(Ended::Dropped);
    }

    #[inline(always)]
    fn over(&mut self, ended: Ended) {
        if !core::mem::replace(&mut self.is_over, true) {
            self.span.ended(ended);
            self.measured.ended(ended);
        }
    }
}

/// The observer that reports to `tracing` and `metrics` as well, where these features are on.
#[must_use]
pub fn observer(observer: Observer) -> Observer {
    if cfg!(any(feature = "metrics", feature = "tracing")) {
        Observer::new(move |event| {
            observer.tell(|| *event);
            traces::event(event);
            figures::event(event);
        })
    } else {
        observer
    }
}
