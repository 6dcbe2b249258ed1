//! One request and its result: from the events of a reply to a typed value.

use crate::{
    buffer::Buffer,
    request::Request,
    ttl::{Ttl, UnixTime},
};

mod admin;
mod assembly;
mod classic;
mod error;
mod item;
mod meta;
mod reply;
mod stats;

pub use admin::AdminOutcome;
pub use assembly::Assembly;
pub use classic::{StoreOutcome, Version};
pub use error::{ReplyError, ValueError};
pub use item::Item;
pub use meta::{MetaArithOutcome, MetaItem, MetaStoreOutcome};
pub(crate) use reply::Outcome;
pub use reply::Reply;
pub use stats::Stats;

/// A request with a typed result.
///
/// A driver sends [`request`](Self::request), gives every event of the reply to a [`Reply`], and asks for the
/// [`output`](Self::output). Whoever makes the `Reply` chooses what values are collected in, a vector, a slice, an array:
/// the operation does not mind.
pub trait Operation {
    /// The result, with values in `V`.
    type Output<V>;

    /// What to send.
    fn request(&self) -> Request<'_>;

    /// Reads the result off the complete reply.
    ///
    /// # Errors
    /// The server's refusal; or the value did not fit.
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<Self::Output<V>, ReplyError>;

    /// The operation with every time to live cut to `cap`, when it is sent at `now`; `None` when it gives no item a time to
    /// live. For servers that stand in for another one for a while.
    ///
    /// ```
    /// use memring_text::{Key, Operation, Ttl, request::Touch, ttl::UnixTime};
    ///
    /// let touch = Touch::new(Key::new(b"k")?, 0);
    /// let (cap, now) = (Ttl::seconds(60), UnixTime::from_secs(1_700_000_000));
    /// let short = touch.with_ttl_cap(cap, now);
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
