//! The connections to one server, each shared by many callers.

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::sync::Arc;

use memring_core::{
    health::HealthPolicy,
    spec::{Address, ServerSpec},
};
use memring_text::failure::{Cause, Observer};
use memring_text::{KnownCapabilities, Limits, Ttl};
use tokio::runtime::Handle;

use self::mux::{Closing, Mux, MuxOptions};
use crate::{
    deadline::Deadline,
    dial::{DialOptions, Dialer},
    socket::Stream,
    watch::{Watch, WatchOptions},
};

mod answer;
mod connection;
mod driver;
mod flight;
pub(crate) mod mux;
mod queue;
pub(crate) mod room;
pub(crate) mod slots;
mod state;
pub(crate) mod waiting;

/// What pools are made with.
#[derive(Clone, Debug)]
pub(crate) struct PoolOptions {
    /// How many connections there may be to each server.
    pub(crate) size: usize,
    pub(crate) dial: DialOptions,
    pub(crate) mux: MuxOptions,
    /// The longest that an item lives on a server that stands in for another.
    pub(crate) stand_in_ttl: Ttl,
    pub(crate) health: Option<HealthPolicy>,
    pub(crate) observer: Observer,
}

/// The connections to one server. Dropping it closes them.
#[derive(Debug)]
pub(crate) struct Pool {
    watch: Arc<Watch>,
    address: Address,
    capabilities: KnownCapabilities,
    stand_in_ttl: Ttl,
    muxes: Box<[Arc<Mux>]>,
    next: AtomicUsize,
}

impl Pool {
    /// A pool without an open connection yet.
    pub(crate) fn new(spec: &ServerSpec, options: &PoolOptions) -> Result<Self, Cause> {
        let dialer = Arc::new(Dialer::new(spec.address(), &options.dial)?);
        let MuxOptions { connect_timeout, timeout, .. } = options.mux;
        let observer = options.observer.clone();
        let watch = WatchOptions { policy: options.health, observer, connect_timeout, timeout };
        let watch = Arc::new(Watch::new(spec.name().into(), spec.address(), watch));
        let mux = |_| Arc::new(Mux::new(Arc::clone(&dialer), Arc::clone(&watch), options.mux.clone()));
        Ok(Self {
            address: spec.address().clone(),
            capabilities: KnownCapabilities::new(),
            stand_in_ttl: options.stand_in_ttl,
            muxes: (0..options.size.max(1)).map(mux).collect(),
            watch,
            next: AtomicUsize::new(0),
        })
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

    /// Whether this is the pool that `spec` needs.
    pub(crate) fn serves(&self, spec: &ServerSpec) -> bool {
        **self.name() == *spec.name() && self.address == *spec.address()
    }

    /// The connection for the next request: one after the other.
    pub(crate) fn mux(&self) -> &Arc<Mux> {
        match &*self.muxes {
            [mux] => mux,
            // There is at least one.
            muxes => &muxes[self.next.fetch_add(1, Ordering::Relaxed) % muxes.len()],
        }
    }

    /// A connection for one caller alone, and what it may bring.
    pub(crate) async fn open(&self, timeout: Duration) -> Result<(Stream, Limits), Cause> {
        if Handle::try_current().is_err() {
            return Err(Cause::NoRuntime);
        }
        // There is at least one.
        let mux = self.mux();
        if mux.is_closing() {
            return Err(Cause::Shut);
        }
        let options = mux.options();
        let deadline = Deadline::after(options.connect_timeout.min(timeout));
        Ok((mux.dialer().dial(deadline.at(), options.timeout).await?, options.limits))
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
