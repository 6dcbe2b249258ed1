//! From an address to a connected socket.

use core::time::Duration;
use std::{path::Path, sync::Arc};

use memring_client::{
    Config,
    dial::Terms,
    failure::Cause,
    spec::{Address, ServerSpec},
};
use memring_text::Limits;

pub(crate) use self::opening::Opening;
use crate::{deadline::Deadline, resolve::Resolver};

mod connecting;
mod opening;

/// Opens connections to one server.
#[derive(Debug)]
pub(crate) struct Dialer {
    place: Place,
    terms: Terms,
}

#[derive(Debug)]
enum Place {
    Tcp(Arc<Resolver>),
    Unix(Box<Path>),
    /// No server has the slot: another one may have the address by now.
    Vacant,
}

impl Dialer {
    /// A dialer for the server of `spec`. If its slot `is_vacant`, no connection is opened.
    ///
    /// # Errors
    /// As of [`Terms::new`].
    pub(crate) fn new(spec: &ServerSpec, is_vacant: bool, options: &Config) -> Result<Self, Cause> {
        let place = match spec.address() {
            _ if is_vacant => Place::Vacant,
            Address::Tcp { host, port } => Place::Tcp(Arc::new(Resolver::new(host, *port))),
            Address::Unix(path) => Place::Unix(Path::new(path).into()),
        };
        Ok(Self { place, terms: Terms::new(spec, options)? })
    }

    /// Begins to open a connection. It must be open by `deadline`; its operations will usually have `timeout`.
    pub(crate) fn dial(&self, deadline: Deadline, timeout: Duration, limits: Limits) -> Opening<'_> {
        Opening::new(self, deadline, timeout, limits)
    }
}
