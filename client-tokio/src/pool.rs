//! The connections to one server, each shared by many callers.

use core::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::sync::Arc;

use memring_client::{
    Config, KnownCapabilities,
    failure::{Cause, Event, Evidence},
    spec::ServerSpec,
    watch::Watch,
};
use memring_text::{Limits, Ttl};

use self::{
    mux::{Closing, Mux},
    streams::Streams,
};
use crate::{deadline::Deadline, dial::Dialer, fleet::CLOCK, socket::Stream};

mod answer;
mod connection;
mod driver;
mod flight;
mod link;
pub(crate) mod mux;
mod queue;
pub(crate) mod room;
pub(crate) mod slots;
mod state;
mod streams;
pub(crate) mod vigil;
pub(crate) mod waiting;
/// The connections to one server. Dropping it closes them.
#[derive(Debug)]
pub(crate) struct Pool {
    watch: Arc<Watch>,
    capabilities: KnownCapabilities,
    stand_in_ttl: Ttl,
    muxes: Box<[Arc<Mux>]>,
    next: AtomicUsize,
    streams: Streams,
}

impl Pool {
    /// A pool without an open connection yet.
    pub(crate) fn new(spec: &ServerSpec, options: &Arc<Config>) -> Result<Self, Cause> {
        Ok(Self::over(Dialer::new(spec, options)?, spec, options))
    }

    /// The same over the connections that `dialer` opens.
    pub(crate) fn over(dialer: Dialer, spec: &ServerSpec, options: &Arc<Config>) -> Self {
        let dialer = Arc::new(dialer);
        let watch = Arc::new(Watch::new(spec, Arc::clone(options), CLOCK));
        let mux = |_| Arc::new(Mux::new(Arc::clone(&dialer), Arc::clone(&watch), Arc::clone(options)));
        Self {
            capabilities: KnownCapabilities::new(spec.name(), &options.corrections),
            stand_in_ttl: options.stand_in_ttl,
            muxes: (0..options.pool_size.map_or(1, NonZeroUsize::get)).map(mux).collect(),
            watch,
            next: AtomicUsize::new(0),
            streams: Streams::new(),
        }
    }

    /// The server's name.
    pub(crate) fn name(&self) -> &Arc<str> {
        self.watch.name()
    }

    /// What is known of the server's health.
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// What is known of what the server can do.
    pub(crate) const fn capabilities(&self) -> &KnownCapabilities {
        &self.capabilities
    }

    /// The longest that an item lives here while the server stands in for another.
    pub(crate) const fn stand_in_ttl(&self) -> Ttl {
        self.stand_in_ttl
    }

    /// The connection for the next request: one after the other.
    pub(crate) fn mux(&self) -> &Arc<Mux> {
        match &*self.muxes {
            [mux] => mux,
            // There is at least one.
            muxes => &muxes[self.next.fetch_add(1, Ordering::Relaxed) % muxes.len()],
        }
    }

    /// Opens a connection for one caller alone, and does `work` with it: there are a few at a time, of all callers.
    /// `timeout` is how long it takes at most to have one.
    pub(crate) async fn alone<T>(
        &self,
        timeout: Duration,
        work: impl AsyncFnOnce(Stream, Limits) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        // There is at least one.
        let mux = self.mux();
        let options = mux.options();
        let work = async {
            if mux.is_closing() {
                return Err(Cause::Shut);
            }
            let deadline = Deadline::after(options.connect_timeout.min(timeout));
            let dialled = mux.dialer().dial(deadline.at(), options.timeout).await;
            let stream = dialled.inspect_err(|cause| self.tell_end(cause))?;
            self.watch.tell(Event::connected(self.name(), deadline.begin().elapsed()));
            let done = work(stream, options.limits).await;
            // What is refused was answered: the connection ends because it is not needed any more.
            done.inspect_err(|cause| {
                if cause.evidence() != Evidence::Up {
                    self.tell_end(cause);
                }
            })
        };
        if mux.is_closing() { Err(Cause::Shut) } else { self.streams.run(timeout, work).await }
    }

    fn tell_end(&self, cause: &Cause) {
        self.watch.tell(Event::disconnected(self.name(), cause.kind()));
    }

    /// The connections that have one caller each.
    pub(crate) const fn streams(&self) -> &Streams {
        &self.streams
    }

    /// All connections.
    pub(crate) fn muxes(&self) -> &[Arc<Mux>] {
        &self.muxes
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.muxes.iter().for_each(|mux| mux.close(Closing::Now));
    }
}
