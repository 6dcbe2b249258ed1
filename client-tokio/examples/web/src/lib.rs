//! Users, kept in a database, and for a minute in memcached.
//!
//! Read `routes.rs` for how the two come together, `cache.rs` for how the client is used.
#![forbid(unsafe_code)]

mod cache;
mod routes;
mod users;

pub use cache::UserCache;
pub use routes::{App, routes};
pub use users::{User, Users};
