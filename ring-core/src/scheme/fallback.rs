//! Fallbacks: which servers are asked when the primary is down. Here are the ways that several peers share.
//!
//! Peers with a way of their own have it in their file under [`peers`](crate::peers).

pub use crate::order::Order;
use crate::{live::Live, mechanism::View, server::ServerIndex};

/// Adds the servers that a peer asks after the primary, in its order.
///
/// The primary is in the order already. A peer that gives up after some tries gives a short list.
pub type Fallback = fn(&View<'_>, key: &[u8], &mut Order<'_>);

/// No server: the operation fails.
pub fn none(_view: &View<'_>, _key: &[u8], _order: &mut Order<'_>) {}

/// The owners of the next points on the ring.
pub fn walk(view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
    view.scheme.mechanism.walk(view, key, order);
}

/// The next servers of the list, which begins again at its end.
pub fn next_index(view: &View<'_>, _key: &[u8], order: &mut Order<'_>) {
    let Some(&primary) = order.as_slice().first() else { return };
    let count = view.servers.count();
    for index in (primary.get()..count).chain(0..primary.get()) {
        if !order.push(ServerIndex::new(index as u16)) {
            return;
        }
    }
}

/// The servers of other hashes: `next` gives the hash of try 1, of try 2 … after the first one, which was the primary's.
///
/// There are as many as the scheme has [`tries`](crate::Scheme::tries). Servers repeat, and a chain need not reach all.
pub fn chain(view: &View<'_>, order: &mut Order<'_>, mut next: impl FnMut(u64) -> u32) {
    for number in 1..view.scheme.tries {
        if !order.push(view.scheme.mechanism.at(view, next(number.into()))) {
            return;
        }
    }
}

/// The server that gets the key when the tried servers are removed and the rest is placed anew.
///
/// This is the way of peers that eject a dead server and rebuild. It is computed from the names, without storage.
pub fn rebuild(view: &View<'_>, key: &[u8], order: &mut Order<'_>) {
    while !order.is_full() {
        let live = Live::new(view.scheme, view.servers, order.as_slice());
        let Some(next) = view.scheme.mechanism.choose(view.scheme, &live, key) else { return };
        order.push(next);
    }
}
