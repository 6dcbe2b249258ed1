//! Routes: which server to ask for a key, when servers may be down.

use std::{collections::BTreeSet, sync::Arc};

use memring_core::{
    BuildError, ServerIndex,
    health::{self, Down, Instant, Verdict},
};
use memring_text::{Operation, Ttl};

use crate::{
    clock::Clock,
    config::Config,
    failure::Cause,
    owned::{OwnedPlacement, OwnedScheme},
    spec::ServerSpec,
    transition::Motion,
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
    /// The transition to another fleet, if one is under way.
    motion: Option<Arc<Motion<P>>>,
}

/// A server to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The server's index.
    pub(crate) index: usize,
    /// Whether this is the one trial of a server that was down; its end must be reported, whatever it is.
    pub(crate) is_probe: bool,
    /// How many servers come before this one for the key.
    rank: usize,
}

impl Route {
    /// The same server, whose trial is not this.
    pub(crate) const fn without_probe(self) -> Self {
        Self { is_probe: false, ..self }
    }
}

impl<P> Fleet<P> {
    /// The transition that is under way.
    #[inline]
    pub(crate) fn motion(&self) -> Option<&Motion<P>> {
        self.motion.as_deref()
    }

    /// The same with the servers of the transition's new list behind, for what is said to all of them.
    pub(crate) fn everyone(fleet: Arc<Self>) -> Arc<Self> {
        let Some(motion) = fleet.motion() else { return fleet };
        let mut pools = fleet.pools.to_vec();
        for pool in &motion.new_fleet().pools {
            if !pools.iter().any(|other| Arc::ptr_eq(other, pool)) {
                pools.push(Arc::clone(pool));
            }
        }
        Arc::new(Self { pools: pools.into_boxed_slice(), ..fleet.with_motion(None) })
    }

    /// The same servers in another transition, or in none.
    pub(crate) fn with_motion(&self, motion: Option<Arc<Motion<P>>>) -> Self {
        Self {
            placement: Arc::clone(&self.placement),
            gutter: self.gutter.clone(),
            pools: self.pools.clone(),
            config: Arc::clone(&self.config),
            clock: self.clock,
            motion,
        }
    }
}

impl<P: Watched> Fleet<P> {
    /// Places the servers of `config` by its scheme, and those of its gutter if there are any. `open` makes the pool of
    /// a server, with the watch over it. `clock` tells the time.
    ///
    /// # Errors
    /// [`Cause::Config`] when one of the lists does not fit the scheme; or the error of `open`.
    pub(crate) fn build(
        config: &Arc<Config>,
        clock: Clock,
        open: impl FnMut(&ServerSpec, Watch) -> Result<P, Cause>,
    ) -> Result<Self, Cause> {
        let place = |servers: &[ServerSpec]| {
            OwnedPlacement::build(config.scheme.clone(), servers.to_vec())
                .map(Arc::new)
                .map_err(Cause::config)
        };
        let gutter = if config.gutter.is_empty() { None } else { Some(place(&config.gutter)?) };
        Self::of(place(&config.servers)?, gutter, config, clock, (&[], &[]), open)
    }

    /// A fleet with other `servers`, of which those at the positions `vacant` are away. Servers that stay keep their pools, and
    /// what is known of their health.
    ///
    /// # Errors
    /// [`Cause::Config`] when the list does not fit the scheme; or the error of `open`.
    pub(crate) fn with_servers(
        &self,
        servers: Vec<ServerSpec>,
        vacant: &[usize],
        open: impl FnMut(&ServerSpec, Watch) -> Result<P, Cause>,
    ) -> Result<Self, Cause> {
        let placement = OwnedPlacement::build(self.scheme().clone(), servers).map_err(Cause::config)?;
        let gutter = self.gutter.clone();
        Self::of(Arc::new(placement), gutter, &self.config, self.clock, (&self.pools, vacant), open)
    }

    fn of(
        placement: Arc<OwnedPlacement>,
        gutter: Option<Arc<OwnedPlacement>>,
        config: &Arc<Config>,
        clock: Clock,
        (kept, vacant): (&[Arc<P>], &[usize]),
        mut open: impl FnMut(&ServerSpec, Watch) -> Result<P, Cause>,
    ) -> Result<Self, Cause> {
        let spare = gutter.as_ref().map_or(&[][..], |gutter| gutter.servers());
        let given = placement.servers().len().saturating_add(spare.len());
        if given > ServerIndex::MAX_SERVERS {
            return Err(Cause::config(BuildError::TooManyServers { given }));
        }
        let mut pools = Vec::<Arc<P>>::with_capacity(given);
        for (index, spec) in placement.servers().iter().chain(spare).enumerate() {
            let is_vacant = vacant.contains(&index);
            // A server that is listed twice has two pools: a batch takes a part of each.
            let is_free = |pool: &&Arc<P>| !pools.iter().any(|taken| Arc::ptr_eq(taken, pool));
            pools.push(match kept.iter().filter(|pool| pool.watch().serves(spec, is_vacant)).find(is_free) {
                Some(pool) => Arc::clone(pool),
                None => {
                    let watch = Watch::new(spec, Arc::clone(config), clock).vacant(is_vacant);
                    Arc::new(open(spec, watch)?)
                }
            });
        }
        let pools = pools.into_boxed_slice();
        Ok(Self { placement, gutter, pools, config: Arc::clone(config), clock, motion: None })
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
    pub(crate) fn is_spare(&self, index: usize) -> bool {
        index >= self.placement.servers().len()
    }

    /// The servers' pools, by index.
    #[must_use]
    pub const fn pools(&self) -> &[Arc<P>] {
        &self.pools
    }

    /// The pool of the server at `index`, which must be one of this fleet's.
    pub(crate) fn pool(&self, index: usize) -> &Arc<P> {
        &self.pools[index]
    }

    /// The index of the server that holds `key` when all servers are up.
    #[inline]
    pub(crate) fn primary(&self, key: &[u8]) -> usize {
        // One server needs no hash of the key, which would be a fifth of what a `get` costs.
        if self.placement.servers().len() == 1 { 0 } else { self.placement.primary(key).get() }
    }

    /// The server to ask for `key`. While no failure is noted of the server that holds it, this takes neither clock nor
    /// lock.
    ///
    /// # Errors
    /// [`Down`] when no server may be asked now.
    #[inline]
    pub(crate) fn route(&self, key: &[u8]) -> Result<Route, Down> {
        let index = self.primary(key);
        match self.pools.get(index) {
            Some(pool) if pool.watch().is_noted() => self.route_from(key, 0),
            _ => Ok(Route { index, is_probe: false, rank: 0 }),
        }
    }

    /// The server that holds `key` when all servers are up, and no other.
    ///
    /// # Errors
    /// [`Down`] when it may not be asked now.
    pub(crate) fn route_own(&self, key: &[u8]) -> Result<Route, Down> {
        let now = self.clock.moment();
        let chosen = health::choose(core::iter::once(self.primary(key)), |&index| self.ask(index, now))?;
        Ok(Route { index: chosen.server, is_probe: chosen.is_probe, rank: 0 })
    }

    /// Whether `key` has another server after the transition that is under way. A server is known by its address: it may change
    /// its name.
    #[inline]
    pub(crate) fn moves(&self, key: &[u8]) -> bool {
        self.motion.as_ref().is_some_and(|motion| self.moves_to(motion.new_fleet(), key))
    }

    #[cold]
    fn moves_to(&self, new: &Self, key: &[u8]) -> bool {
        let address = |fleet: &Self| {
            let servers = fleet.placement.servers();
            servers.get(fleet.primary(key)).map(|spec| spec.address().clone())
        };
        address(self) != address(new)
    }

    /// Whether `route` leads to another server than the one that holds the key when all servers are up.
    pub(crate) const fn is_stand_in(&self, route: Route) -> bool {
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
        let pair = |&position: &usize| {
            Some((self.primary(keys.get(position)?), routes.servers.get(position)?.get()))
        };
        routes.stand_ins.iter().filter_map(pair).collect()
    }

    /// The operation to send in place of `operation` to a server that stands in for another, so that no item lives
    /// there for longer than [`Config::stand_in_ttl`]. `None`: send `operation` itself.
    #[cold]
    pub(crate) fn short_lived<O: Operation>(&self, operation: &O) -> Option<O> {
        operation.with_ttl_cap(self.config.stand_in_ttl, self.clock.unix_time())
    }

    /// The longest time to live of an item on a server that stands in for another.
    pub(crate) fn stand_in_ttl(&self) -> Ttl {
        self.config.stand_in_ttl
    }

    /// The next server to ask, after nothing has reached that of `route`; `None` when there is no other.
    pub(crate) fn route_on(&self, key: &[u8], route: Route) -> Option<Route> {
        let has_others = self.gutter.is_some() || self.config.failure_policy != FailurePolicy::Fail;
        if has_others { self.route_from(key, route.rank.saturating_add(1)).ok() } else { None }
    }

    #[cold]
    fn route_from(&self, key: &[u8], from: usize) -> Result<Route, Down> {
        let now = self.clock.moment();
        let mut order = Vec::new();
        self.candidates(key, &mut order);
        let ranked = order.into_iter().enumerate().skip(from);
        let chosen = health::choose(ranked, |&(_, index)| self.ask(index, now))?;
        let (rank, index) = chosen.server;
        Ok(Route { index, is_probe: chosen.is_probe, rank })
    }

    /// The servers of `keys`, and whether they may be asked. Health is asked once for each server: if a server is due
    /// for its trial, all of its keys in the batch are the trial.
    pub(crate) fn route_many(&self, keys: &[&[u8]]) -> Routes {
        let mut servers = vec![ServerIndex::default(); keys.len()];
        if self.placement.servers().len() > 1 {
            self.placement.placement().place_many(keys, &mut servers);
        }
        let (mut verdicts, mut stand_ins) = (Vec::new(), Vec::new());
        if self.pools.iter().any(|pool| pool.watch().is_noted()) {
            let now = self.clock.moment();
            verdicts.resize(self.pools.len(), None);
            let mut order = Vec::new();
            for (position, (key, at)) in keys.iter().zip(&mut servers).enumerate() {
                let mut is_up = |index: usize| {
                    let known = verdicts.get_mut(index);
                    let verdict = known.map(|known| *known.get_or_insert_with(|| self.ask(index, now)));
                    !matches!(verdict, Some(Verdict::Down { .. }))
                };
                if is_up(at.get()) {
                    continue;
                }
                self.candidates(key, &mut order);
                let other = order.iter().copied().skip(1).find(|&index| is_up(index));
                if let Some(other) = other.and_then(|index| u16::try_from(index).ok()) {
                    *at = ServerIndex::new(other);
                    stand_ins.push(position);
                }
            }
        }
        Routes { servers, verdicts, stand_ins }
    }

    /// Whether the server at `index` may be asked.
    fn ask(&self, index: usize, now: Instant) -> Verdict {
        match (self.pools.get(index), &self.config.health_policy) {
            // When it is tried depends on no time.
            (Some(pool), _) if pool.watch().is_vacant() => Verdict::Down { retry_at: now },
            (Some(pool), Some(policy)) if pool.watch().is_noted() => {
                pool.watch().with_health(|health| health.ask(now, policy))
            }
            _ => Verdict::Up,
        }
    }

    /// Puts the servers that may have `key` into `order`, the first to ask first.
    fn candidates(&self, key: &[u8], order: &mut Vec<usize>) {
        order.clear();
        match self.config.failure_policy {
            FailurePolicy::Fail => order.push(self.primary(key)),
            FailurePolicy::Fallback => {
                let mut scratch = vec![ServerIndex::default(); self.placement.servers().len()];
                order.extend(
                    self.placement.placement().order(key, &mut scratch).iter().map(|server| server.get()),
                );
            }
        }
        if let Some(gutter) = &self.gutter {
            order.push(self.placement.servers().len().saturating_add(gutter.primary(key).get()));
        }
    }
}

/// The servers of a batch's keys.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    servers: Vec<ServerIndex>,
    /// By the server's index; empty while no failure is noted of any server.
    verdicts: Vec<Option<Verdict>>,
    /// The positions of the keys that go to a stand-in, in rising order.
    stand_ins: Vec<usize>,
}

impl Routes {
    /// The server of each key, in the batch's order.
    pub(crate) fn servers(&self) -> &[ServerIndex] {
        &self.servers
    }

    /// Whether the server at `index` may be asked for this batch's keys.
    pub(crate) fn verdict(&self, index: usize) -> Verdict {
        self.verdicts.get(index).copied().flatten().unwrap_or(Verdict::Up)
    }

    /// Whether any key goes to a stand-in.
    pub(crate) const fn has_stand_ins(&self) -> bool {
        !self.stand_ins.is_empty()
    }

    /// Whether the key at `position` of the batch goes to a stand-in.
    pub(crate) fn is_stand_in(&self, position: usize) -> bool {
        self.stand_ins.binary_search(&position).is_ok()
    }

    /// One position for each of `count` servers, whether they are up or down.
    pub(crate) fn each(count: usize) -> Self {
        let servers = (0..count).map_while(|index| u16::try_from(index).ok().map(ServerIndex::new));
        Self { servers: servers.collect(), verdicts: Vec::new(), stand_ins: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use core::{cell::Cell, time::Duration};
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

    fn open(_: &ServerSpec, watch: Watch) -> Result<Pool, Cause> {
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

    fn fail(fleet: &Fleet<Pool>, index: usize) {
        fleet.pool(index).watch().with_health(|health| health.failed(CLOCK.moment(), 0, &POLICY));
    }

    fn asked(fleet: &Fleet<Pool>, key: &str) -> Result<usize, Instant> {
        fleet.route(key.as_bytes()).map(|route| route.index).map_err(|down| down.retry_at)
    }

    const NAMES: [&str; 3] = ["a:1", "b:1", "c:1"];

    #[test]
    fn the_clock_is_asked_only_when_something_is_noted() {
        let never = Clock { monotonic: || unreachable!("nothing is noted"), ..Clock::SYSTEM };
        let fleet = with_clock(never, &NAMES, &[], FailurePolicy::Fail);
        assert_eq!(fleet.route(b"k").unwrap().index, fleet.primary(b"k"));
        assert_eq!(fleet.route_many(&[b"k"]).servers()[0].get(), fleet.primary(b"k"));
    }

    #[test]
    fn no_key_moves_unless_told_so() {
        let fleet = fleet(&NAMES, &[], FailurePolicy::Fail);
        fail(&fleet, fleet.primary(b"k"));
        assert_eq!(asked(&fleet, "k"), Err(CLOCK.moment().plus(WAIT)));
        PASSED.set(WAIT);
        let route = fleet.route(b"k").unwrap();
        assert!(route.is_probe && route.index == fleet.primary(b"k"));
        assert!(fleet.route_on(b"k", route).is_none());
    }

    #[test]
    fn the_scheme_has_its_own_order() {
        let fleet = fleet(&NAMES, &[], FailurePolicy::Fallback);
        let mut scratch = [ServerIndex::default(); 3];
        let order: Vec<_> =
            fleet.placement().placement().order(b"k", &mut scratch).iter().map(|at| at.get()).collect();
        for &down in &order {
            assert_eq!(asked(&fleet, "k"), Ok(down));
            fail(&fleet, down);
        }
        assert!(asked(&fleet, "k").is_err());
        fleet.pool(order[2]).watch().with_health(ServerHealth::succeeded);
        assert_eq!(asked(&fleet, "k"), Ok(order[2]));
    }

    #[test]
    fn who_was_not_reached_is_passed_within_the_call() {
        let fleet = fleet(&NAMES, &["spare:1"], FailurePolicy::Fallback);
        let mut route = fleet.route(b"k").unwrap();
        let mut seen = vec![route.index];
        assert!(!fleet.is_stand_in(route));
        while let Some(next) = fleet.route_on(b"k", route) {
            route = next;
            assert!(fleet.is_stand_in(route));
            seen.push(route.index);
        }
        assert_eq!((seen.len(), seen[0], seen[3]), (4, fleet.primary(b"k"), 3));
    }

    #[test]
    fn the_gutter_is_asked_last() {
        let fleet = fleet(&NAMES, &["spare:1", "spare:2"], FailurePolicy::Fail);
        fail(&fleet, fleet.primary(b"k"));
        let spare = asked(&fleet, "k").unwrap();
        assert!(fleet.is_spare(spare) && !fleet.is_spare(2));
        fail(&fleet, spare);
        assert!(asked(&fleet, "k").is_err());
    }

    #[test]
    fn one_server_alone_can_be_down_too() {
        let fleet = fleet(&["a:1"], &[], FailurePolicy::Fallback);
        fail(&fleet, 0);
        assert!(asked(&fleet, "k").is_err());
    }

    #[test]
    fn a_batch_asks_once_for_all_keys_of_a_server() {
        let keys: Vec<_> = (0..60).map(|number| format!("key:{number}")).collect();
        let keys: Vec<_> = keys.iter().map(|key| key.as_bytes()).collect();
        for failure in [FailurePolicy::Fail, FailurePolicy::Fallback] {
            let fleet = fleet(&NAMES, &[], failure);
            fail(&fleet, 1);
            let routes = fleet.route_many(&keys);
            for (position, (key, at)) in keys.iter().zip(routes.servers()).enumerate() {
                let is_down = matches!(routes.verdict(at.get()), Verdict::Down { .. });
                let moves = failure == FailurePolicy::Fallback && fleet.primary(key) == 1;
                assert_eq!(is_down, failure == FailurePolicy::Fail && at.get() == 1);
                assert_eq!(at.get() == fleet.primary(key), !moves);
                assert_eq!(routes.is_stand_in(position), moves);
            }
            assert_eq!(routes.has_stand_ins(), failure == FailurePolicy::Fallback);
            let moved = keys.iter().zip(routes.servers()).map(|(key, to)| (fleet.primary(key), to.get()));
            let pairs: BTreeSet<_> = moved.filter(|(own, to)| own != to).collect();
            assert_eq!(fleet.reroutes(&keys, &routes), pairs);
            let is_down = fleet.primary(keys[0]) == 1 && failure == FailurePolicy::Fail;
            assert_eq!(fleet.route(keys[0]).is_err(), is_down);
            PASSED.set(PASSED.get() + WAIT);
            let routes = fleet.route_many(&keys);
            assert_eq!(routes.verdict(1), Verdict::Probe);
            assert!(keys.iter().zip(routes.servers()).all(|(key, at)| at.get() == fleet.primary(key)));
        }
    }

    #[test]
    fn what_stays_is_kept_with_what_is_known_of_it() {
        let fleet = fleet(&NAMES, &["spare:1"], FailurePolicy::Fail);
        fail(&fleet, 1);
        fail(&fleet, 3);
        let other = fleet.with_servers(specs(&["d:1", "b:1 5"]), &[], open).unwrap();
        assert!(Arc::ptr_eq(fleet.pool(1), other.pool(1)) && Arc::ptr_eq(fleet.pool(3), other.pool(2)));
        assert!(other.pool(1).watch().is_noted() && !other.pool(0).watch().is_noted());
        assert_eq!(other.specs().map(ServerSpec::name).collect::<Vec<_>>(), ["d:1", "b:1", "spare:1"]);
    }

    #[test]
    fn a_server_listed_twice_has_two_pools() {
        let fleet = fleet(&["a:1", "a:1"], &[], FailurePolicy::Fail);
        assert!(!Arc::ptr_eq(fleet.pool(0), fleet.pool(1)));
        let same = fleet.with_servers(specs(&["a:1", "a:1"]), &[], open).unwrap();
        assert!(Arc::ptr_eq(fleet.pool(0), same.pool(0)) && Arc::ptr_eq(fleet.pool(1), same.pool(1)));
    }
}
