//! Shares: which keys of a batch go to which server.

use memring_core::health::Verdict;
use memring_text::{Key, Operation};

use crate::{
    failure::{Error, Many},
    groups::Groups,
    route::{Fleet, Routes, Watched},
    transition::check_many,
};

/// The wire keys of a batch, server by server; those of one server are in the order of the batch.
#[derive(Debug)]
pub struct Shares<'b, P> {
    fleet: &'b Fleet<P>,
    keys: Vec<Key<'b>>,
    groups: Groups,
    routes: Routes,
}

/// One server's share of a batch.
#[derive(Debug)]
pub struct Share<'s, P, T> {
    /// The server's pool.
    pub pool: &'s P,
    /// Whether the server may be asked.
    pub verdict: Verdict,
    /// The share's positions in the batch, in rising order.
    pub positions: &'s [usize],
    /// The server's items, one for each position.
    pub items: &'s [T],
}

impl<'b, P: Watched> Shares<'b, P> {
    /// Finds the server of each of `keys` for the operation `name`, by the routing key at the same position of
    /// `routing_keys`. Where there is a `prefix`, the wire keys are composed in `scratch`. The observer is told of
    /// servers that stand in for others.
    ///
    /// If a server is due for its trial, this batch is the trial, and no other operation tries the server until the
    /// batch is over: so the batch must be sent now, whatever happens.
    ///
    /// # Errors
    /// [`ErrorKind::Key`](crate::failure::ErrorKind::Key): a key is invalid.
    /// [`ErrorKind::Moving`](crate::failure::ErrorKind::Moving): a key moves to another server.
    pub fn new<'k: 'b>(
        name: &'static str,
        fleet: &'b Fleet<P>,
        prefix: &[u8],
        keys: impl Iterator<Item = &'k [u8]> + Clone,
        routing_keys: &[&[u8]],
        scratch: &'b mut Vec<u8>,
    ) -> Result<Self, Error> {
        let wire_keys = Key::all_prefixed(prefix, keys.map(|key| -> &'b [u8] { key }), scratch)
            .map_err(|(position, error)| Error::at(position, name, error))?;
        check_many(name, fleet, routing_keys)?;
        let routes = fleet.route_many(routing_keys);
        let groups = Groups::new(routes.servers(), fleet.pools().len());
        let keys = groups.gather(wire_keys);
        let shares = Self { fleet, keys, groups, routes };
        if shares.routes.has_stand_ins() {
            fleet.tell_reroutes(name, routing_keys, &shares.routes);
        }
        Ok(shares)
    }

    /// One position for each server of `fleet`, in the servers' order, whether it is up or down.
    #[must_use]
    pub fn each_server(fleet: &'b Fleet<P>) -> Self {
        let routes = Routes::each(fleet.pools().len());
        let groups = Groups::new(routes.servers(), fleet.pools().len());
        Self { fleet, keys: Vec::new(), groups, routes }
    }

    /// The keys, share after share.
    #[must_use]
    pub fn keys(&self) -> &[Key<'b>] {
        &self.keys
    }

    /// The positions in the batch, share after share; they are those of the [`keys`](Self::keys), if there are keys.
    #[must_use]
    pub fn positions(&self) -> &[usize] {
        self.groups.positions()
    }

    /// Shortens the times to live in `operations` that go to servers that stand in for others, to
    /// [`Config::stand_in_ttl`](crate::Config::stand_in_ttl). `operations` has one for each of the
    /// [`positions`](Self::positions).
    pub fn shorten<O: Operation>(&self, operations: &mut [O]) {
        if !self.routes.has_stand_ins() {
            return;
        }
        let stand_ins = operations.iter_mut().zip(self.positions());
        for (operation, _) in stand_ins.filter(|(_, position)| self.routes.is_stand_in(**position)) {
            if let Some(shorter) = self.fleet.short_lived(operation) {
                *operation = shorter;
            }
        }
    }

    /// Keeps only the keys and `operations` for which `keeps` says so: there is one of each for each of the
    /// [`positions`](Self::positions).
    pub(crate) fn retain<T>(&mut self, operations: &mut Vec<T>, keeps: &[bool]) {
        let keep = || {
            let mut keeps = keeps.iter();
            move || keeps.next() == Some(&true)
        };
        let (mut keeps_key, mut keeps_operation) = (keep(), keep());
        self.keys.retain(|_| keeps_key());
        operations.retain(|_| keeps_operation());
        self.groups.retain(keeps);
    }

    /// Counts for each server the items of the batch that were there, and those that were not. `is_hit` says of a result
    /// whether it is one; `None` if nothing was read.
    pub fn found<T>(&self, results: &Many<T>, is_hit: impl Fn(&T) -> Option<bool>) {
        for share in self.divide(self.positions()) {
            let found = share.positions.iter().filter_map(|position| {
                let result = results.results().get(*position)?.as_ref();
                is_hit(result.ok()?)
            });
            let (hits, all) = found.fold((0, 0), |(hits, all), is_hit| (hits + u64::from(is_hit), all + 1));
            share.pool.watch().found(hits, all - hits);
        }
    }

    /// Divides `items`, one for each of the [`positions`](Self::positions), among the servers that have any.
    pub fn divide<'s, T>(&'s self, items: &'s [T]) -> impl Iterator<Item = Share<'s, P, T>> {
        self.groups.divide(items).map(|(server, positions, items)| {
            let (pool, verdict) = (&**self.fleet.pool(server.get()), self.routes.verdict(server.get()));
            Share { pool, verdict, positions, items }
        })
    }
}
