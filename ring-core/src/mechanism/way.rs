//! What a mechanism can do. A scheme without storage is a function of the servers and the key, [`Way::choose`]; what a
//! placement stores only makes that function fast, so `choose` is also the meaning that everything else is tested against.

use super::{Search, View};
use crate::{
    live::Live,
    order::Order,
    scheme::{BuildError, Scheme},
    server::ServerIndex,
    storage::{EntriesMut, Needs},
};

/// One way from keys to servers.
pub trait Way: Sync {
    /// What a placement over `live` has to store.
    ///
    /// # Errors
    /// [`BuildError`] when the weights leave nothing to place on.
    fn needs(&self, scheme: &Scheme<'_>, live: &Live<'_>) -> Result<Needs, BuildError>;

    /// Fills `entries`, which are as many as [`needs`](Self::needs) said, and returns how many are in use.
    fn build(&self, scheme: &Scheme<'_>, live: &Live<'_>, entries: EntriesMut<'_>) -> usize;

    /// The primary of `key`, from what was built.
    ///
    /// The common ones are inlined whole: a placement in a `static` is then looked up without its scheme, and neither
    /// that nor the rest of its mechanism is linked.
    fn primary(&self, view: &View<'_>, key: &[u8]) -> ServerIndex;

    /// The primaries of many keys, into `out`; the shorter of the two decides how many.
    fn place_many(&self, view: &View<'_>, keys: &[&[u8]], out: &mut [ServerIndex]) {
        for (server, key) in out.iter_mut().zip(keys) {
            *server = self.primary(view, key);
        }
    }

    /// The server of a hash that is already known, for peers that hash something else to find a stand-in.
    fn at(&self, view: &View<'_>, hash: u32) -> ServerIndex;

    /// The server that `key` has among those in play, computed from the names alone.
    ///
    /// `None` when no server in play has weight enough to get a key.
    fn choose(&self, scheme: &Scheme<'_>, live: &Live<'_>, key: &[u8]) -> Option<ServerIndex>;

    /// How all hashes are divided among the servers at once, where a key's hash alone decides.
    fn division(&self, view: &View<'_>) -> Division {
        let _ = view;
        Division::Unknown
    }

    /// Notes the servers that come behind that of `key`, for mechanisms in which one comes behind another.
    fn walk(&self, view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
        let _ = (view, key, order);
    }
}

/// How hashes are divided among servers, for the mechanisms that have a rule for all of them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division {
    /// Into arcs between points, found by this search.
    Arcs(Search),
    /// Over and over: a hash and the hash this much above it have one server.
    Repeats(u64),
    /// In no way that could be followed.
    Unknown,
}
