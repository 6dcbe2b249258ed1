//! The loop over a byte stream, in buffers of the caller: blocking, and its asynchronous twin.
//!
//! The two differ in their reads and writes only; everything else is in `dialog`.

#[cfg(feature = "embedded-io-async")]
mod asynchronous;
#[cfg(feature = "embedded-io")]
mod blocking;
mod dialog;
mod items;

#[cfg(feature = "embedded-io-async")]
pub use asynchronous::AsyncConnection;
#[cfg(feature = "embedded-io")]
pub use blocking::Connection;
pub use dialog::ConnectionError;
pub use items::{Lent, Pieces};
