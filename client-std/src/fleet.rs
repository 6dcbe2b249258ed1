//! The servers at one point of time: who holds which key, and the connections to each. The rules are
//! [`memring_client::route`]'s; the clock is this client's.

use memring_client::{
    route,
    watch::{self, Watch},
};
use memring_core::health::Instant;

use crate::pool::Pool;

/// A placement and the pools of its servers.
pub(crate) type Fleet = route::Fleet<Pool>;

impl route::Watched for Pool {
    fn watch(&self) -> &Watch {
        Self::watch(self)
    }
}

/// The present, as the health of servers counts time.
pub(crate) fn now() -> Instant {
    watch::moment(CLOCK())
}

/// What time it is for this client.
pub(crate) const CLOCK: watch::Clock = std::time::Instant::now;
