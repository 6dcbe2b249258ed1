//! How a hash becomes a server: the few ways that all peers share.
//!
//! A scheme without storage is a function of the servers and the key, [`Scheme::choose`]. What a placement stores only
//! makes that function fast, so `choose` is also the meaning that everything else is tested against.

use core::fmt;

use crate::{scheme::Scheme, server::Servers, storage::Entries};

mod continuum;
pub mod ketama;
mod rendezvous;
mod slots;
mod sort;
mod table;
mod way;

pub use continuum::{Continuum, Label, Search, Tie};
pub use rendezvous::Rendezvous;
pub use slots::Slots;
pub use table::Table;
pub(crate) use way::{Division, Way};

pub use crate::{
    error::MAX_POINTS,
    live::{Live, Member},
};

/// How a hash becomes a server: [`Continuum`], [`Rendezvous`], [`Slots`] or [`Table`], each of them data.
///
/// A rule that is none of the four is a [`Slots`] with a function of its own, or a [`Table`].
pub trait Mechanism: Way {}

impl<W: Way> Mechanism for W {}

/// Keys that are hashed side by side when many are placed.
const BATCH: usize = 32;

/// A built placement, as mechanisms and fallbacks see it.
#[derive(Clone, Copy)]
pub struct View<'v> {
    /// The rule.
    pub(crate) scheme: &'v Scheme<'v>,
    /// The configured list.
    pub(crate) servers: &'v dyn Servers,
    /// What was built.
    pub(crate) entries: Entries<'v>,
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("scheme", self.scheme).finish_non_exhaustive()
    }
}
