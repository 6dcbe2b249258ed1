//! Spans and figures of operations and connections, for `tracing` and `metrics`, under OpenTelemetry's names for
//! databases. Without these features, the types here are empty.

#[cfg(feature = "metrics")]
mod figures;
#[cfg(not(all(feature = "metrics", feature = "tracing")))]
mod off;
#[cfg(feature = "tracing")]
mod traces;

#[cfg(not(feature = "metrics"))]
use self::off as figures;
#[cfg(not(feature = "tracing"))]
use self::off as traces;
use crate::{
    clock::Clock,
    failure::{ErrorKind, Observer},
    spec::Address,
};

/// What all spans and figures of one server have in common.
#[derive(Debug)]
pub(crate) struct Scene {
    span: traces::Server,
    figures: figures::Server,
}

impl Scene {
    /// The scene of the server at `address`. `clock` tells the time.
    pub(crate) fn new(address: &Address, clock: Clock) -> Self {
        let (name, port) = match address {
            Address::Tcp { host, port } => (host, Some(*port)),
            Address::Unix(path) => (path, None),
        };
        Self {
            span: traces::Server::new(name, port, clock),
            figures: figures::Server::new(name, port, clock),
        }
    }
}

impl Scene {
    /// Counts items that were read, and those that were not there.
    #[inline(always)]
    pub(crate) fn found(&self, hits: u64, misses: u64) {
        self.figures.found(hits, misses);
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
    pub(crate) fn new(scene: &Scene, operation: &'static str) -> Self {
        Self { is_over: false, span: scene.span.begin(operation), measured: scene.figures.begin(operation) }
    }

    /// Notes the result of the operation: `Err` has the kind of its error. Only the first end counts.
    #[inline(always)]
    pub(crate) fn ended(&mut self, scene: &Scene, result: Result<(), ErrorKind>) {
        self.over(
            scene,
            match result {
                Ok(()) => Ended::Well,
                Err(kind) => Ended::Failed(kind),
            },
        );
    }

    /// Notes that the caller no longer waits for the operation.
    #[inline(always)]
    pub(crate) fn dropped(&mut self, scene: &Scene) {
        self.over(scene, Ended::Dropped);
    }

    #[inline(always)]
    fn over(&mut self, scene: &Scene, ended: Ended) {
        if !core::mem::replace(&mut self.is_over, true) {
            scene.span.end(&self.span, ended);
            scene.figures.end(&self.measured, ended);
        }
    }
}

/// The observer that reports to `tracing` and `metrics` as well, where these features are on.
pub(crate) fn observer(observer: Observer) -> Observer {
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

/// Counts a question to the source of servers.
pub(crate) fn asked(is_answered: bool) {
    figures::asked(is_answered);
}

/// Notes how many slots the list has whose servers are found out, and how many of them no server has.
pub(crate) fn discovered(slots: usize, free: usize) {
    figures::discovered(slots, free);
}
