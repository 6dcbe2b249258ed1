//! One request and what it comes to: from the events of a reply to a typed result.

use crate::{
    request::Request,
    ttl::{Ttl, UnixTime},
};

mod admin;
mod classic;
mod error;
mod item;
mod meta;
mod reply;
mod stats;

pub use admin::AdminOutcome;
pub use classic::{StoreOutcome, Version};
pub use error::{ReplyError, ValueError};
pub use item::{Item, ItemCollector};
pub use meta::{MetaArithOutcome, MetaItem, MetaStoreOutcome};
pub(crate) use reply::Outcome;
pub use reply::Reply;
pub use stats::Stats;

/// A request with a typed result.
///
/// A driver sends [`request`](Self::request), gives every event of the reply to a [`Reply`], and asks for the
/// [`output`](Self::output). `V` is what values are collected in: a vector, a caller's slice, an array.
pub trait Operation<V> {
    /// What the operation comes to.
    type Output;

    /// What to send.
    fn request(&self) -> Request<'_>;

    /// Reads the result off the complete reply.
    ///
    /// # Errors
    /// The server's refusal; or the value did not fit.
    fn output(&self, reply: Reply<V>) -> Result<Self::Output, ReplyError>;

    /// The same operation, sent at `now`, but no item lives longer for it than by `cap`; `None` when it gives none a
    /// time to live. For servers that hold a key for a while only, in another's place.
    ///
    /// ```
    /// use memring_text::{Key, Operation, Ttl, request::Touch, ttl::UnixTime};
    ///
    /// let touch = Touch { key: Key::new(b"k")?, exptime: 0, noreply: false };
    /// let (cap, now) = (Ttl::seconds(60), UnixTime::from_secs(1_700_000_000));
    /// let short = Operation::<Vec<u8>>::with_ttl_cap(&touch, cap, now);
    /// assert_eq!(short, Some(Touch { exptime: 60, ..touch }));
    /// # Ok::<(), memring_text::key::KeyError>(())
    /// ```
    fn with_ttl_cap(&self, cap: Ttl, now: UnixTime) -> Option<Self>
    where
        Self: Sized,
    {
        let _ = (cap, now);
        None
    }
}
