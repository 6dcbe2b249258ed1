//! The connections to one server, each shared by many callers.

use std::sync::Arc;

use crate::{
    dial::Dialer,
    mux::{Mux, MuxOptions},
    server_spec::{Address, ServerSpec},
};

/// The connections to one server. Dropping it closes them.
#[derive(Debug)]
pub(crate) struct Pool {
    name: Arc<str>,
    address: Address,
    mux: Arc<Mux>,
}

impl Pool {
    /// A pool without an open connection yet.
    pub(crate) fn new(spec: &ServerSpec, options: MuxOptions) -> Self {
        let dialer = Arc::new(Dialer::new(spec.address()));
        Self {
            name: spec.name().into(),
            address: spec.address().clone(),
            mux: Arc::new(Mux::new(dialer, options)),
        }
    }

    /// The server's name.
    pub(crate) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether this is the pool that `spec` needs.
    pub(crate) fn serves(&self, spec: &ServerSpec) -> bool {
        *self.name == *spec.name() && self.address == *spec.address()
    }

    /// The connection for the next request.
    pub(crate) const fn mux(&self) -> &Arc<Mux> {
        &self.mux
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.mux.close();
    }
}
