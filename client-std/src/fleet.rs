//! The servers at one point of time: who holds which key, and the connections to each.

use std::sync::Arc;

use memring_core::spec::ServerSpec;
use memring_core::{Placement, Scheme, ServerIndex, storage::Boxed};
use memring_text::failure::Cause;

use crate::pool::{Pool, PoolOptions};

/// A placement and the pools of its servers. It never changes: other servers make another fleet.
#[derive(Debug)]
pub(crate) struct Fleet {
    placement: Placement<'static, Vec<ServerSpec>, Boxed>,
    pools: Box<[Arc<Pool>]>,
}

impl Fleet {
    /// Places `servers` by `scheme`. Pools of the fleet `before` that fit are kept, with their connections.
    pub(crate) fn build(
        scheme: Scheme<'static>,
        servers: Vec<ServerSpec>,
        options: &PoolOptions,
        before: Option<&Self>,
    ) -> Result<Self, Cause> {
        let placement = Placement::build(scheme, servers, Boxed::default()).map_err(Cause::config)?;
        let kept = before.map_or(&[][..], |before| &before.pools);
        let mut pools = Vec::<Arc<Pool>>::with_capacity(placement.servers().len());
        for spec in placement.servers() {
            // A server that is listed twice has two pools: a batch takes a part of each.
            let is_free = |pool: &&Arc<Pool>| !pools.iter().any(|taken| Arc::ptr_eq(taken, pool));
            pools.push(match kept.iter().filter(|pool| pool.serves(spec)).find(is_free) {
                Some(pool) => Arc::clone(pool),
                None => Arc::new(Pool::new(spec, options.clone())?),
            });
        }
        let pools = pools.into_boxed_slice();
        Ok(Self { placement, pools })
    }

    /// The scheme by which keys are placed.
    pub(crate) const fn scheme(&self) -> &Scheme<'static> {
        self.placement.scheme()
    }

    /// The servers, in the configured order.
    pub(crate) fn servers(&self) -> &[ServerSpec] {
        self.placement.servers()
    }

    /// The servers' pools, in the same order.
    pub(crate) fn pools(&self) -> &[Arc<Pool>] {
        &self.pools
    }

    /// The servers that hold `keys`, one for each.
    pub(crate) fn place_many(&self, keys: &[&[u8]]) -> Vec<ServerIndex> {
        let mut places = vec![ServerIndex::default(); keys.len()];
        if !self.is_single() {
            self.placement.place_many(keys, &mut places);
        }
        places
    }

    /// The pool of the server that holds `key`.
    pub(crate) fn pool(&self, key: &[u8]) -> &Pool {
        let place = if self.is_single() { 0 } else { self.placement.primary(key).get() };
        // A placement names servers of its list only, and each has its pool.
        &self.pools[place]
    }

    /// With one server there is nothing to choose, and to hash a key is a fifth of what it costs to get it.
    fn is_single(&self) -> bool {
        self.pools.len() == 1
    }
}
