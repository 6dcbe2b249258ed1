//! Routes: which server to ask for a key, when servers may be down.

use std::{collections::BTreeSet, sync::Arc};

use memring_core::{
    BuildError, ServerIndex,
    health::{self, Down, Instant, Verdict},
};
use memring_text::Operation;

use crate::{
    clock::Clock,
    config::Config,
    owned::{OwnedPlacement, OwnedScheme},
    spec::ServerSpec,
    watch::Watch,
};

/// What happens to operations on the keys of a server that is down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailurePolicy {
    /// They fail at once, and no key moves. So no two clients disagree about a key's server, and no stale item is read
    /// when the server is back.
    #[default]
    Fail,
    /// They go to the servers that the scheme's own client asks next, in its [order](memring_core::Placement::order).
    /// Where the scheme's client asks no other server, or only with an option, the order has one server. While the
    /// server is down, its keys miss once and are stored elsewhere; later those copies are no longer read, and stay
    /// until they expire: give them a short time to live.
    Fallback,
}

/// The pool of connections to one server, with the watch over the server's health.
pub trait Watched {
    /// The watch over the server.
    fn watch(&self) -> &Watch;
}

/// The servers of a client at one point of time: which of them holds a key, their pools, and which of them stand in for
/// others.
///
/// A fleet never changes: other servers make another fleet. The *index* of a server counts those of the list first,
/// then those of the gutter: spare servers that are placed by the same scheme and asked when no other is left.
#[derive(Debug)]
pub struct Fleet<P> {
    placement: Arc<OwnedPlacement>,
    gutter: Option<Arc<OwnedPlacement>>,
    pools: Box<[Arc<P>]>,
    config: Arc<Config>,
    clock: Clock,
}

/// A server to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The server's index.
    pub place: usize,
    /// Whether this is the one trial of a server that was down; its end must be reported, whatever it is.
    pub is_probe: bool,
    /// How many servers come before this one for the key.
    rank: usize,
}

/// Why there is no fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FleetError<E> {
    /// The servers and the scheme do not fit together.
    Build(BuildError),
    /// What is to reach a server could not be made.
    Open(E),
}

impl<E> From<BuildError> for FleetError<E> {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl<P: Watched> Fleet<P> {
    /// Places the servers of `config` by its scheme, and those of its gutter if there are any. `open` makes the pool of
    /// a server, with the watch over it. `clock` tells the time.
    ///
    /// # Errors
    /// [`FleetError`] when one of the lists does not fit the scheme, or `open` fails.
    pub fn build<E>(
        config: &Arc<Config>,
        clock: Clock,
        open: impl FnMut(&ServerSpec, Watch) -> Result<P, E>,
    ) -> Result<Self, FleetError<E>> {
        let place = |servers: &[ServerSpec]| {
            OwnedPlacement::build(config.scheme.clone(), servers.to_vec()).map(Arc::new)
        };
        let gutter = if config.gutter.is_empty() { None } else { Some(place(&config.gutter)?) };
        Self::of(place(&config.servers)?, gutter, config, clock, &[], open)
    }

    /// A fleet with other `servers`. Servers that stay keep their pools, and what is known of their health.
    ///
    /// # Errors
    /// [`FleetError`] when the list does not fit the scheme, or `open` fails.
    pub fn with_servers<E>(
        &self,
        servers: Vec<ServerSpec>,
        open: impl FnMut(&ServerSpec, Watch) -> Result<P, E>,
    ) -> Result<Self, FleetError<E>> {
        let placement = OwnedPlacement::build(self.scheme().clone(), servers)?;
        Self::of(Arc::new(placement), self.gutter.clone(), &self.config, self.clock, &self.pools, open)
    }

    fn of<E>(
        placement: Arc<OwnedPlacement>,
        gutter: Option<Arc<OwnedPlacement>>,
        config: &Arc<Config>,
        clock: Clock,
        kept: &[Arc<P>],
        mut open: impl FnMut(&ServerSpec, Watch) -> Result<P, E>,
    ) -> Result<Self, FleetError<E>> {
        let spare = gutter.as_ref().map_or(&[][..], |gutter| gutter.servers());
        let given = placement.servers().len().saturating_add(spare.len());
        if given > ServerIndex::MAX_SERVERS {
            return Err(BuildError::TooManyServers { given }.into());
        }
        let mut pools = Vec::<Arc<P>>::with_capacity(given);
        for spec in placement.servers().iter().chain(spare) {
            // A server that is listed twice has two pools: a batch takes a part of each.
            let is_free = |pool: &&Arc<P>| !pools.iter().any(|taken| Arc::ptr_eq(taken, pool));
            pools.push(match kept.iter().filter(|pool| pool.watch().serves(spec)).find(is_free) {
                Some(pool) => Arc::clone(pool),
                None => {
                    let watch = Watch::new(spec, Arc::clone(config), clock);
                    Arc::new(open(spec, watch).map_err(FleetError::Open)?)
                }
            });
        }
        let pools = pools.into_boxed_slice();
        Ok(Self { placement, gutter, pools, config: Arc::clone(config), clock })
    }

    /// The scheme by which keys are placed.
    pub fn scheme(&self) -> &OwnedScheme {
        self.placement.scheme()
    }

    /// The placement of keys when all servers are up.
    pub const fn placement(&self) -> &Arc<OwnedPlacement> {
        &self.placement
    }

    /// All servers by index, those of the gutter last.
    pub fn specs(&self) -> impl Iterator<Item = &ServerSpec> {
        let spare = self.gutter.as_ref().map_or(&[][..], |gutter| gutter.servers());
        self.placement.servers().iter().chain(spare)
    }

    /// Whether the server at `index` belongs to the gutter.
    #[must_use]
    pub fn is_spare(&self, place: usize) -> bool {
        place >= self.placement.servers().len()
    }

    /// The servers' pools, by index.
    #[must_use]
    pub const fn pools(&self) -> &[Arc<P>] {
        &self.pools
    }

    /// The pool of the server at `index`, which must be one of this fleet's.
    #[must_use]
    pub fn pool(&self, place: usize) -> &Arc<P> {
        &self.pools[place]
    }

    /// The index of the server that holds `key` when all servers are up.
    #[inline]
    #[must_use]
    pub fn place(&self, key: &[u8]) -> usize {
        // One server needs no hash of the key, which would be a fifth of what a `get` costs.
        if self.placement.servers().len() == 1 { 0 } else { self.placement.primary(key).get() }
    }

    /// The server to ask for `key`. While no failure is noted of the server that holds it, this takes neither clock nor
    /// lock.
    ///
    /// # Errors
    /// [`Down`] when no server may be asked now.
    #[inline]
    pub fn route(&self, key: &[u8]) -> Result<Route, Down> {
        let place = self.place(key);
        match self.pools.get(place) {
            Some(pool) if pool.watch().is_noted() => self.route_from(key, 0),
            _ => Ok(Route { place, is_probe: false, rank: 0 }),
        }
    }

    /// Whether `route` leads to another server than the one that holds the key when all servers are up.
    #[must_use]
    pub const fn is_stand_in(&self, route: Route) -> bool {
        route.rank > 0
    }

    /// Tells the observer which servers stand in for which others in the batch `name`, each pair once, however many
    /// keys it has. `routes` is that of `keys`.
    #[cold]
    pub(crate) fn tell_reroutes(&self, name: &'static str, keys: &[&[u8]], routes: &Routes) {
        for (from, to) in self.reroutes(keys, routes) {
            self.pool(from).watch().rerouted(self.pool(to).watch(), name);
        }
    }

    fn reroutes(&self, keys: &[&[u8]], routes: &Routes) -> BTreeSet<(usize, usize)> {
        let pair =
            |&position: &usize| Some((self.place(keys.get(position)?), routes.places.get(position)?.get()));
        routes.stand_ins.iter().filter_map(pair).collect()
    }

    /// The operation to send in place of `operation` to a server that stands in for another, so that no item lives
    /// there for longer than [`Config::stand_in_ttl`]. `None`: send `operation` itself.
    #[cold]
    pub fn short_lived<O: Operation>(&self, operation: &O) -> Option<O> {
        operation.with_ttl_cap(self.config.stand_in_ttl, self.clock.unix_time())
    }

    /// The next server to ask, after nothing has reached that of `route`; `None` when there is no other.
    pub fn route_on(&self, key: &[u8], route: Route) -> Option<Route> {
        let has_others = self.gutter.is_some() || self.config.failure_policy != FailurePolicy::Fail;
        if has_others { self.route_from(key, route.rank.saturating_add(1)).ok() } else { None }
    }

    #[cold]
    fn route_from(&self, key: &[u8], from: usize) -> Result<Route, Down> {
        let now = self.clock.moment();
        let mut order = Vec::new();
        self.candidates(key, &mut order);
        let ranked = order.into_iter().enumerate().skip(from);
        let chosen = health::choose(ranked, |&(_, place)| self.ask(place, now))?;
        let (rank, place) = chosen.server;
        Ok(Route { place, is_probe: chosen.is_probe, rank })
    }

    /// The servers of `keys`, and whether they may be asked. Health is asked once for each server: if a server is due
    /// for its trial, all of its keys in the batch are the trial.
    pub fn route_many(&self, keys: &[&[u8]]) -> Routes {
        let mut places = vec![ServerIndex::default(); keys.len()];
        if self.placement.servers().len() > 1 {
            self.placement.placement().place_many(keys, &mut places);
        }
        let (mut verdicts, mut stand_ins) = (Vec::new(), Vec::new());
        if self.pools.iter().any(|pool| pool.watch().is_noted()) {
            let now = self.clock.moment();
            verdicts.resize(self.pools.len(), None);
            let mut order = Vec::new();
            for (position, (key, at)) in keys.iter().zip(&mut places).enumerate() {
                let mut is_up = |place: usize| {
                    let known = verdicts.get_mut(place);
                    let verdict = known.map(|known| *known.get_or_insert_with(|| self.ask(place, now)));
                    !matches!(verdict, Some(Verdict::Down { .. }))
                };
                if is_up(at.get()) {
                    continue;
                }
                self.candidates(key, &mut order);
                let other = order.iter().copied().skip(1).find(|&place| is_up(place));
                if let Some(other) = other.and_then(|place| u16::try_from(place).ok()) {
                    *at = ServerIndex::new(other);
                    stand_ins.push(position);
                }
            }
        }
        Routes { places, verdicts, stand_ins }
    }

    /// Whether the server at `place` may be asked.
    fn ask(&self, place: usize, now: Instant) -> Verdict {
        match (self.pools.get(place), &self.config.health_policy) {
            (Some(pool), Some(policy)) if pool.watch().is_noted() => {
                pool.watch().with_health(|health| health.ask(now, policy))
            }
            _ => Verdict::Up,
        }
    }

    /// Puts the servers that may have `key` into `order`, the first to ask first.
    fn candidates(&self, key: &[u8], places: &mut Vec<usize>) {
        places.clear();
        match self.config.failure_policy {
            FailurePolicy::Fail => places.push(self.place(key)),
            FailurePolicy::Fallback => {
                let mut room = vec![ServerIndex::default(); self.placement.servers().len()];
                places.extend(
                    self.placement.placement().order(key, &mut room).iter().map(|server| server.get()),
                );
            }
        }
        if let Some(gutter) = &self.gutter {
            places.push(self.placement.servers().len().saturating_add(gutter.primary(key).get()));
        }
    }
}

/// Where the keys of a batch go.
#[derive(Clone, Debug)]
pub struct Routes {
    places: Vec<ServerIndex>,
    /// By the server's index; empty while no failure is noted of any server.
    verdicts: Vec<Option<Verdict>>,
    /// The positions of the keys that go to a stand-in, in rising order.
    stand_ins: Vec<usize>,
}

impl Routes {
    /// The server of each key, in the batch's order.
    #[must_use]
    pub fn places(&self) -> &[ServerIndex] {
        &self.places
    }

    /// Whether the server at `index` may be asked for this batch's keys.
    #[must_use]
    pub fn verdict(&self, place: usize) -> Verdict {
        self.verdicts.get(place).copied().flatten().unwrap_or(Verdict::Up)
    }

    /// Whether any key goes to a stand-in.
    #[must_use]
    pub const fn has_stand_ins(&self) -> bool {
        !self.stand_ins.is_empty()
    }

    /// Whether the key at `position` of the batch goes to a stand-in.
    #[must_use]
    pub fn is_stand_in(&self, position: usize) -> bool {
        self.stand_ins.binary_search(&position).is_ok()
    }

    /// One position for each of `count` servers, whether they are up or down.
    #[must_use]
    pub fn each(places: usize) -> Self {
        let places = (0..places).map_while(|place| u16::try_from(place).ok().map(ServerIndex::new));
        Self { places: places.collect(), verdicts: Vec::new(), stand_ins: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use core::{cell::Cell, convert::Infallible, time::Duration};
    use std::time;

    use memring_core::{
        health::{HealthPolicy, ServerHealth},
        peers::libmemcached,
    };

    use super::*;

    #[derive(Debug)]
    struct Pool(Watch);

    impl Watched for Pool {
        fn watch(&self) -> &Watch {
            &self.0
        }
    }

    const POLICY: HealthPolicy = HealthPolicy {
        failures: 1,
        window: Duration::from_secs(10),
        min_wait: WAIT,
        max_wait: Duration::from_secs(30),
    };

    const WAIT: Duration = Duration::from_millis(100);

    thread_local! {
        /// How long ago the test began: no time passes by itself.
        static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
        static BEGIN: time::Instant = time::Instant::now();
    }

    const CLOCK: Clock = Clock { monotonic: || BEGIN.with(|begin| *begin) + PASSED.get(), ..Clock::SYSTEM };

    fn open(_: &ServerSpec, watch: Watch) -> Result<Pool, Infallible> {
        Ok(Pool(watch))
    }

    fn specs(names: &[&str]) -> Vec<ServerSpec> {
        ServerSpec::read_all(names).unwrap()
    }

    fn fleet(names: &[&str], gutter: &[&str], failure: FailurePolicy) -> Fleet<Pool> {
        with_clock(CLOCK, names, gutter, failure)
    }

    fn with_clock(clock: Clock, names: &[&str], gutter: &[&str], failure: FailurePolicy) -> Fleet<Pool> {
        let scheme = libmemcached::KETAMA_WEIGHTED.with_option("auto_eject_hosts", "1").unwrap();
        let config = Arc::new(Config {
            scheme: scheme.into(),
            servers: specs(names),
            gutter: specs(gutter),
            failure_policy: failure,
            health_policy: Some(POLICY),
            ..Config::default()
        });
        Fleet::build(&config, clock, open).unwrap()
    }

    fn fail(fleet: &Fleet<Pool>, place: usize) {
        fleet.pool(place).watch().with_health(|health| health.failed(CLOCK.moment(), 0, &POLICY));
    }

    fn place(fleet: &Fleet<Pool>, key: &str) -> Result<usize, Instant> {
        fleet.route(key.as_bytes()).map(|route| route.place).map_err(|down| down.retry_at)
    }

    const NAMES: [&str; 3] = ["a:1", "b:1", "c:1"];

    #[test]
    fn the_clock_is_asked_only_when_something_is_noted() {
        let never = Clock { monotonic: || unreachable!("nothing is noted"), ..Clock::SYSTEM };
        let fleet = with_clock(never, &NAMES, &[], FailurePolicy::Fail);
        assert_eq!(fleet.route(b"k").unwrap().place, fleet.place(b"k"));
        assert_eq!(fleet.route_many(&[b"k"]).places()[0].get(), fleet.place(b"k"));
    }

    #[test]
    fn no_key_moves_unless_told_so() {
        let fleet = fleet(&NAMES, &[], FailurePolicy::Fail);
        fail(&fleet, fleet.place(b"k"));
        assert_eq!(place(&fleet, "k"), Err(CLOCK.moment().plus(WAIT)));
        PASSED.set(WAIT);
        let route = fleet.route(b"k").unwrap();
        assert!(route.is_probe && route.place == fleet.place(b"k"));
        assert!(fleet.route_on(b"k", route).is_none());
    }

    #[test]
    fn the_scheme_has_its_own_order() {
        let fleet = fleet(&NAMES, &[], FailurePolicy::Fallback);
        let mut room = [ServerIndex::default(); 3];
        let order: Vec<_> =
            fleet.placement().placement().order(b"k", &mut room).iter().map(|at| at.get()).collect();
        for &down in &order {
            assert_eq!(place(&fleet, "k"), Ok(down));
            fail(&fleet, down);
        }
        assert!(place(&fleet, "k").is_err());
        fleet.pool(order[2]).watch().with_health(ServerHealth::succeeded);
        assert_eq!(place(&fleet, "k"), Ok(order[2]));
    }

    #[test]
    fn who_was_not_reached_is_passed_within_the_call() {
        let fleet = fleet(&NAMES, &["spare:1"], FailurePolicy::Fallback);
        let mut route = fleet.route(b"k").unwrap();
        let mut seen = vec![route.place];
        while let Some(next) = fleet.route_on(b"k", route) {
            route = next;
            seen.push(route.place);
        }
        assert_eq!((seen.len(), seen[0], seen[3]), (4, fleet.place(b"k"), 3));
    }

    #[test]
    fn the_gutter_is_asked_last() {
        let fleet = fleet(&NAMES, &["spare:1", "spare:2"], FailurePolicy::Fail);
        fail(&fleet, fleet.place(b"k"));
        let spare = place(&fleet, "k").unwrap();
        assert!(fleet.is_spare(spare) && !fleet.is_spare(2));
        fail(&fleet, spare);
        assert!(place(&fleet, "k").is_err());
    }

    #[test]
    fn one_server_alone_can_be_down_too() {
        let fleet = fleet(&["a:1"], &[], FailurePolicy::Fallback);
        fail(&fleet, 0);
        assert!(place(&fleet, "k").is_err());
    }

    #[test]
    fn a_batch_asks_once_for_all_keys_of_a_server() {
        let keys: Vec<_> = (0..60).map(|number| format!("key:{number}")).collect();
        let keys: Vec<_> = keys.iter().map(|key| key.as_bytes()).collect();
        for failure in [FailurePolicy::Fail, FailurePolicy::Fallback] {
            let fleet = fleet(&NAMES, &[], failure);
            fail(&fleet, 1);
            let routes = fleet.route_many(&keys);
            for (position, (key, at)) in keys.iter().zip(routes.places()).enumerate() {
                let is_down = matches!(routes.verdict(at.get()), Verdict::Down { .. });
                let moves = failure == FailurePolicy::Fallback && fleet.place(key) == 1;
                assert_eq!(is_down, failure == FailurePolicy::Fail && at.get() == 1);
                assert_eq!(at.get() == fleet.place(key), !moves);
                assert_eq!(routes.is_stand_in(position), moves);
            }
            assert_eq!(routes.has_stand_ins(), failure == FailurePolicy::Fallback);
            let moved = keys.iter().zip(routes.places()).map(|(key, to)| (fleet.place(key), to.get()));
            let pairs: BTreeSet<_> = moved.filter(|(own, to)| own != to).collect();
            assert_eq!(fleet.reroutes(&keys, &routes), pairs);
            let is_down = fleet.place(keys[0]) == 1 && failure == FailurePolicy::Fail;
            assert_eq!(fleet.route(keys[0]).is_err(), is_down);
            PASSED.set(PASSED.get() + WAIT);
            let routes = fleet.route_many(&keys);
            assert_eq!(routes.verdict(1), Verdict::Probe);
            assert!(keys.iter().zip(routes.places()).all(|(key, at)| at.get() == fleet.place(key)));
        }
    }

    #[test]
    fn what_stays_is_kept_with_what_is_known_of_it() {
        let fleet = fleet(&NAMES, &["spare:1"], FailurePolicy::Fail);
        fail(&fleet, 1);
        fail(&fleet, 3);
        let other = fleet.with_servers(specs(&["d:1", "b:1 5"]), open).unwrap();
        assert!(Arc::ptr_eq(fleet.pool(1), other.pool(1)) && Arc::ptr_eq(fleet.pool(3), other.pool(2)));
        assert!(other.pool(1).watch().is_noted() && !other.pool(0).watch().is_noted());
        assert_eq!(other.specs().map(ServerSpec::name).collect::<Vec<_>>(), ["d:1", "b:1", "spare:1"]);
    }

    #[test]
    fn a_server_listed_twice_has_two_pools() {
        let fleet = fleet(&["a:1", "a:1"], &[], FailurePolicy::Fail);
        assert!(!Arc::ptr_eq(fleet.pool(0), fleet.pool(1)));
        let same = fleet.with_servers(specs(&["a:1", "a:1"]), open).unwrap();
        assert!(Arc::ptr_eq(fleet.pool(0), same.pool(0)) && Arc::ptr_eq(fleet.pool(1), same.pool(1)));
    }
}
