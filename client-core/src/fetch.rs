//! Get or compute, without a stampede: the decisions of `fetch` and its relatives, as machines.
//!
//! People do with a cache: "have it or compute it, once, and never all at the same time". [`Call`] is one such call. It
//! is told of answers, of the loader's end and of the time, and says what to send, when to wait and when to load. It
//! opens nothing, waits for nothing and reads no clock; both clients carry it, with the same verbs.
//!
//! - One caller at a time loads a key, in all processes of the fleet, by a lease that the server gives: `mg … N R`, and
//!   its flags `W`, `Z` and `X`. What it loads is stored by `ms … C` of the win: a late one cannot replace a newer value.
//! - Callers of one key in one process share one load, and the questions that wait for it: the *flight*. Who finds a fresh
//!   value asks alone, by a *glance*.
//! - A caller that has lost gets the stale value where there is one; else it waits, and then computes for itself.
//! - A loader that fails, panics or is dropped gives its lease back at once. A process that dies keeps it until another
//!   process has seen the lease for longer than it may last.
//! - Servers without meta commands have a placeholder in the key's place, by `add`, `gets` and `cas`. There, nothing is
//!   handed out stale, nothing is loaded early, and to invalidate is to delete.
//!
//! # What differs from the plan for it
//! - A placeholder is taken away by `ms … C T-1` on every server, and not by `md … C`, which never matches on memcached
//!   1.6.10 to 1.6.16: one way for all versions.
//! - "Nothing" is kept for [`refresh_before`](Freshness::refresh_before) longer than its own time. Else a time shorter
//!   than that would be old from the beginning, and every call would load: `R` is sent before it is known what is there.
//! - A server that answers `EN` to `mg … N`, as some proxies do, is spoken to in the classic dialect for that call.
//!   Loading without a lease would store nothing, ever.
//! - Callers that joined have the value as soon as it is loaded, before it is stored.
//! - A lease that another caller holds is known by its number *and* by the server's life. A server that has restarted gives
//!   the same numbers again: without this, a fresh lease was taken over at once (the simulation found it).
//! - `invalidate` takes a [`Freshness`] in place of a time: how long a stale item is kept hangs on the lease, too. `update`
//!   takes a [`Lifetime`], which says whether the key is one of `fetch`: an item of any other verb has no grace, and is a
//!   value to its last second.
//! - Each caller asks for itself, and joins a flight only where there is one, or where its question comes to nothing: a
//!   value that is there needs no flight. Callers of a missing key that come within one round trip ask once each; one of
//!   them wins and loads. Were the first of them to ask for all, each hit would take eight times as many steps.
//! - In a fleet of both dialects, whoever speaks meta takes what the others store for aged, and loads it once more.
//! - A store that is refused because the connection was lost is dropped without a word to the server; the lease ends by
//!   itself.
//!
//! # What is not done yet
//! A proxy that refuses `gets` gets no placeholder: there each call loads for itself. A plain `get` does not know
//! placeholders of the classic dialect. A loader that fetches its own key waits for itself until [`Freshness::wait`] is
//! over.

mod call;
mod content;
mod count;
mod errand;
mod error;
mod flights;
mod freshness;
mod glance;
mod invalidate;
mod lease;
mod put;
mod random;
mod seen;
mod shared;
#[cfg(test)]
mod simulation;
mod talk;
mod times;
mod trip;
mod update;

pub use bytes::Bytes;
pub use call::{Call, Failed, Settling, Step};
pub(crate) use content::has_value;
pub use content::{Content, EMPTY, Fetched, Loaded, NOTHING, PLACEHOLDER};
pub use count::IncrOr;
pub use errand::{Answer, Condition, Count, Dialect, Errand, ErrandOperation, Found, RawAnswer, Write};
pub use error::FetchError;
pub use freshness::Freshness;
pub use glance::{Ask, First, Glance, Missed};
pub use invalidate::Invalidate;
pub use lease::{NoAnswer, give_back_of};
pub use put::{Put, peeked};
#[cfg(test)]
pub(crate) use random::Random;
pub use seen::Place;
pub use shared::{FetchCounts, FetchOutcome, LeaseEvent, Shared};
pub use talk::{Next, Talk};
pub use times::Times;
pub use trip::Trip;
pub(crate) use update::Life;
pub use update::{Lifetime, Update, Updated};
