//! The connections to one server, each shared by many callers.
//!
//! ```text
//!  callers                                  Mux (one connection)                      the runtime of a caller
//!  -------                    ----------------------------------------------        -------------------------
//!  Admission -- a request -->  Shared  { State { Queue, Slots, Quota }, ... }  <---  Driver, a task; holds a seat
//!  ReplyWait  <- its outcome -  Seat    { Link { Connection { Flight } } }      <---  and drives the link in it
//!  Vigil: calls the driver; seats another one if that does not answer
//!
//!  Growth: which connections are tried beside those that work       Streams: connections with one caller each
//! ```
//!
//! - [`Mux`]: a connection as callers see it, open or not. Its `Shared` is behind the lock that both sides take.
//! - `State`: what both sides share. `Queue`: requests that have not been taken by the driver. `Slots`: where callers wait
//!   for outcomes. `Quota`: how many requests and bytes may be under way, and the callers that wait for some.
//! - `Driver`: the task that drives. `Seat`: where it finds the `Link`, so that another driver may take that away. `Link`:
//!   the way to a connection, or the connection. `Flight`: what was sent over it and is not answered.
//! - `Admission`, `ReplyWait`: what a caller holds until its request is queued, and until it is answered. Dropping it is how
//!   the caller goes away. `Vigil`: how a caller watches its own time, and the driver.
//!
//! Code that locks both, the seat and `Shared`, locks the seat first; code that holds `Shared` runs and drops no waker, and
//! awaits nothing. Code that changes `State` wakes, when it has let go of the lock: the driver for what is queued, a caller for its
//! outcome, and the first of those that wait for quota.

use core::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::sync::Arc;

use memring_client::{
    Config, Connections,
    failure::{Cause, Evidence},
    route,
    spec::ServerSpec,
    watch::Watch,
};
use memring_text::Limits;
use tokio::time::{Instant, sleep_until, timeout_at};

use self::{
    growth::{Growth, TurnedAway},
    mux::{Closing, Mux},
    slots::Failure,
    streams::Streams,
};
use crate::{
    deadline::Deadline,
    dial::{Dialer, try_out},
    socket::Stream,
};

mod answer;
mod connection;
mod driver;
mod flight;
pub(crate) mod growth;
mod link;
pub(crate) mod mux;
mod queue;
pub(crate) mod quota;
pub(crate) mod slots;
mod state;
mod streams;
pub(crate) mod vigil;
pub(crate) mod waiting;

/// The connections to one server. Dropping it closes them.
#[derive(Debug)]
pub(crate) struct Pool {
    watch: Arc<Watch>,
    muxes: Box<[Arc<Mux>]>,
    next: AtomicUsize,
    growth: Arc<Growth>,
    streams: Streams,
}

impl Pool {
    /// A pool without an open connection yet.
    pub(crate) fn new(spec: &ServerSpec, watch: Watch, options: &Arc<Config>) -> Result<Self, Cause> {
        Ok(Self::over(Dialer::new(spec, watch.is_vacant(), options)?, watch, options))
    }

    /// A pool of the connections that `dialer` opens.
    pub(crate) fn over(dialer: Dialer, watch: Watch, options: &Arc<Config>) -> Self {
        let (dialer, watch) = (Arc::new(dialer), Arc::new(watch));
        let growth = Arc::new(Growth::new());
        let mux = |_| {
            let (dialer, watch) = (Arc::clone(&dialer), Arc::clone(&watch));
            Arc::new(Mux::new(dialer, watch, Arc::clone(options), Arc::clone(&growth)))
        };
        Self {
            muxes: (0..options.pool_size.map_or(1, NonZeroUsize::get)).map(mux).collect(),
            watch,
            next: AtomicUsize::new(0),
            growth,
            streams: Streams::new(),
        }
    }

    /// The server's name.
    pub(crate) fn name(&self) -> &Arc<str> {
        self.watch.name()
    }

    /// The watch over the server's health.
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The connection for the next request: those that work, in turn. A connection that is not open is opened in
    /// addition, unless the server has just turned one away. As long as none works, all requests wait for the first.
    pub(crate) fn mux(&self) -> &Arc<Mux> {
        // There is at least one.
        let first = &self.muxes[0];
        if self.muxes.len() == 1 {
            return first;
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.muxes.len();
        let mut in_turn = self.muxes.iter().cycle().skip(turn).take(self.muxes.len());
        let Some(next) = in_turn.next().filter(|next| !next.is_proven()) else { return &self.muxes[turn] };
        let Some(proven) = in_turn.find(|mux| mux.is_proven()) else { return first };
        if self.growth.may_grow() {
            next.open();
        }
        proven
    }

    /// Whether a request that has failed is to be sent over another connection, as the server turned this one away.
    #[cold]
    pub(crate) fn turned_away(&self, failure: &Failure) -> TurnedAway {
        // Such a refusal is no answer.
        let is_crowd = failure.cause.is_crowd() && self.growth.is_turned_away(&failure.cause);
        if is_crowd { TurnedAway::Again } else { failure.turned_away }
    }

    /// Opens a connection for one caller alone, and does `work` with it. There are a few of these at a time for all
    /// callers; waiting for one takes at most `timeout`.
    pub(crate) async fn alone<T>(
        &self,
        timeout: Duration,
        work: impl AsyncFnOnce(Stream, Limits) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        // Any of them will do, and there is at least one: it only tells how connections are made, and whether the
        // client is closing.
        let mux = &self.muxes[0];
        let options = mux.options();
        let work = async {
            if mux.is_closing() {
                return Err(Cause::Shut);
            }
            let stream = self.open_alone(mux, timeout).await?;
            let done = work(stream, options.limits).await;
            // After a refusal, which is an answer, the connection ends only because it is not needed any more.
            done.inspect_err(|cause| {
                if cause.evidence() != Evidence::Up {
                    self.watch.disconnected(cause);
                }
            })
        };
        if mux.is_closing() { Err(Cause::Shut) } else { self.streams.run(timeout, work).await }
    }

    /// Opens a connection for one caller. If the server turns it away while the shared ones work, tries again after a
    /// pause.
    async fn open_alone(&self, mux: &Mux, timeout: Duration) -> Result<Stream, Cause> {
        let (options, end) = (mux.options(), Deadline::after(timeout));
        loop {
            let deadline = Deadline::after(options.connect_timeout.min(timeout));
            let mut opened = mux.dialer().dial(deadline.at()).await;
            if self.growth.has_proven() {
                // The caller's stream cannot be wound back, so the connection is tried with another request first.
                if let Ok(mut stream) = opened {
                    let tried = timeout_at(deadline.at(), try_out(&mut stream)).await;
                    opened = tried.unwrap_or(Err(Cause::Timeout)).map(|()| stream);
                }
            }
            let cause = match opened {
                Ok(stream) => {
                    self.watch.connected(deadline.began().elapsed());
                    return Ok(stream);
                }
                Err(cause) => cause,
            };
            self.watch.disconnected(&cause);
            if !self.growth.is_turned_away(&cause) {
                return Err(cause);
            }
            let next = Instant::now() + PAUSE;
            if end.at() <= next {
                return Err(Cause::PoolBusy);
            }
            sleep_until(next).await;
        }
    }

    /// The connections with one caller each.
    pub(crate) const fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Counts the connections. One that streams a value does nothing else.
    pub(crate) fn connections(&self) -> Connections {
        let count = self.streams.count();
        let mut connections = Connections { count, ..Connections::default() };
        for (is_open, requests) in self.muxes.iter().map(|mux| mux.usage()) {
            connections.count += usize::from(is_open);
            connections.idle += usize::from(is_open && requests == 0);
            connections.waiting += requests;
        }
        connections
    }

    /// All connections.
    pub(crate) fn muxes(&self) -> &[Arc<Mux>] {
        &self.muxes
    }
}

impl route::Watched for Pool {
    fn watch(&self) -> &Watch {
        &self.watch
    }
}

/// How long a connection of one caller that was turned away waits before it is tried again.
const PAUSE: Duration = Duration::from_millis(50);

impl Drop for Pool {
    fn drop(&mut self) {
        self.muxes.iter().for_each(|mux| mux.close(Closing::Now));
    }
}
