//! Operations: requests with typed results, and the reply from which a result is read.

use crate::{
    buffer::Buffer,
    request::{Encode, Request},
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
/// A driver sends [`request`](Self::request), gives every event of the reply to a [`Reply`], and calls
/// [`output`](Self::output). The driver chooses the buffer that takes the value when it makes the `Reply`: a vector, a
/// slice or an array.
pub trait Operation {
    /// The result. `V` is the type that holds a value.
    type Output<V>;

    /// The request to send.
    fn request(&self) -> Request<'_>;

    /// What to send, for a connection: [`request`](Self::request), or one that [stands alone](Encode), which says the same.
    #[inline]
    fn encoded(&self) -> impl Encode + '_ {
        self.request()
    }

    /// Reads the result from the complete reply.
    ///
    /// # Errors
    /// The server refused, or the value did not fit.
    fn output<V: Buffer>(&self, reply: Reply<V>) -> Result<Self::Output<V>, ReplyError>;

    /// The operation with every time to live cut to `cap`, if it is sent at `now`; `None` when it gives no item a time
    /// to live. It is for servers that stand in for another one for a while.
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
