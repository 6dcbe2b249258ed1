//! The servers at one point of time: who holds which key, and the connections to each. The rules are the core's.

use memring_client::{
    failure::Cause,
    route::{self, FleetError},
    spec::ServerSpec,
};
use memring_core::health::ServerHealth;

use crate::pool::Pool;

/// A placement and the pools of its servers.
pub(crate) type Fleet = route::Fleet<Pool>;

impl route::Watched for Pool {
    fn serves(&self, spec: &ServerSpec) -> bool {
        Self::serves(self, spec)
    }

    fn is_noted(&self) -> bool {
        self.watch().is_noted()
    }

    fn with_health<T>(&self, act: impl FnOnce(&mut ServerHealth) -> T) -> T {
        self.watch().with_health(act)
    }
}

/// Why there is no fleet.
pub(crate) fn cause(error: FleetError<Cause>) -> Cause {
    match error {
        FleetError::Build(error) => Cause::config(error),
        FleetError::Open(cause) => cause,
    }
}
