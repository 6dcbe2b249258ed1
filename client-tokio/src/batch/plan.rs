//! Which keys of a batch go to which server.

use memring_client::{
    failure::{Error, Event},
    groups::Groups,
    route::Routes,
};
use memring_text::{Key, Operation};

use super::Share;
use crate::{
    call::short_lived,
    fleet::{self, Fleet},
};

/// The keys of a batch as they go on the wire, server by server; those of one server in the order of the batch.
pub(crate) struct Plan<'b> {
    fleet: &'b Fleet,
    keys: Vec<Key<'b>>,
    groups: Groups,
    routes: Routes,
}

impl<'b> Plan<'b> {
    /// Finds for the operation `name` the server of each key, which is that of what it is placed by: one of `places`.
    /// Where there is a `prefix`, `room` is where keys are composed. Who watches is told of servers that stand in for
    /// others.
    ///
    /// A server that is to be tried is tried by this batch, and by nobody else until it is over: nothing may keep it from
    /// being sent now.
    pub(crate) fn new<'k: 'b>(
        name: &'static str,
        fleet: &'b Fleet,
        prefix: &[u8],
        keys: impl Iterator<Item = &'k [u8]> + Clone,
        places: &[&[u8]],
        room: &'b mut Vec<u8>,
    ) -> Result<Self, Error> {
        let wire_keys = Key::all_prefixed(prefix, keys.map(|key| -> &'b [u8] { key }), room)
            .map_err(|(position, error)| Error::at(position, name, error))?;
        let routes = fleet.route_many(places, fleet::now);
        let groups = Groups::new(routes.places(), fleet.pools().len());
        let keys = groups.gather(&wire_keys);
        let plan = Self { fleet, keys, groups, routes };
        if plan.routes.has_stand_ins() {
            plan.tell_reroutes(name, places);
        }
        Ok(plan)
    }

    /// Tells of each pair of servers once, however many keys it has.
    #[cold]
    fn tell_reroutes(&self, name: &'static str, places: &[&[u8]]) {
        for (from, to) in self.fleet.reroutes(places, &self.routes) {
            let (from, to) = (self.fleet.pool(from).watch(), self.fleet.pool(to).watch());
            from.tell(Event::rerouted(from.name(), to.name(), name));
        }
    }

    /// One position for each server, in the servers' order.
    pub(crate) fn each_server(fleet: &'b Fleet) -> Self {
        let places = fleet.pools().len();
        Self { fleet, keys: Vec::new(), groups: Groups::each(places), routes: Routes::each(places) }
    }

    /// The keys in the plan's order.
    pub(crate) fn keys(&self) -> &[Key<'b>] {
        &self.keys
    }

    /// For each key of [`keys`](Self::keys), its position in the batch.
    pub(crate) fn positions(&self) -> &[usize] {
        self.groups.positions()
    }

    /// Sees to it that none of `operations`, which are one for each of the [`keys`](Self::keys), leaves an item for long
    /// where it does not belong.
    pub(crate) fn shorten<O: Operation>(&self, operations: &mut [O]) {
        if !self.routes.has_stand_ins() {
            return;
        }
        for (operation, &position) in operations.iter_mut().zip(self.positions()) {
            let place = self.routes.places().get(position).filter(|_| self.routes.is_stand_in(position));
            let shorter = place.and_then(|place| short_lived(self.fleet.pool(place.get()), operation));
            if let Some(shorter) = shorter {
                *operation = shorter;
            }
        }
    }

    /// Divides `operations`, which are one for each of the [`positions`](Self::positions), among the servers that have
    /// any.
    pub(crate) fn divide<'p: 'b, O>(&'p self, operations: &'p [O]) -> impl Iterator<Item = Share<'b, O>> {
        let groups = self.groups.divide(operations);
        groups.map(|(place, positions, operations)| Share {
            pool: self.fleet.pool(place.get()),
            verdict: self.routes.verdict(place.get()),
            positions,
            operations,
        })
    }
}
