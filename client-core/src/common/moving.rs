//! Transitions of a client: its servers are replaced key by key, without lost hits and without old values.

use std::sync::{Arc, PoisonError};

use super::{Common, Shared, discovered};
use crate::{
    change::Change,
    config::Config,
    failure::{Cause, Error, Many},
    naming::KeyScratch,
    route::{Fleet, Watched},
    spec::{ServerList, ServerSpec, ServerSpecError},
    transition::{Course, Crossing, Motion, Phase, Transition, TransitionError, TransitionStatus, Verb},
    watch::Watch,
};

impl<P: Watched> Common<P> {
    /// Begins to replace the servers as `transition` says, for all clones at once. Servers that stay keep their pools.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): the list or the transition is invalid, another is under way, or
    /// the servers are found out. And after [`close`](Self::close).
    pub fn transition<S: TryInto<ServerList>>(
        &self,
        servers: impl IntoIterator<Item = S>,
        transition: Transition,
        mut open: impl FnMut(&ServerSpec, Watch, &Arc<Config>) -> Result<P, Cause>,
    ) -> Result<Change, Error>
    where
        ServerSpecError: From<S::Error>,
    {
        let begin = || {
            if self.shared.discovered.is_some() {
                return Err(discovered::is_discovered());
            }
            let specs = ServerSpec::read_all(servers).map_err(Cause::config)?;
            let old = self.fleet();
            if old.motion().is_some() {
                return Err(Cause::config(TransitionError::Busy));
            }
            // Under an id that was used, what has been stored at the old servers since would pass for older than it is.
            let mut begun = self.shared.transitions.lock().unwrap_or_else(PoisonError::into_inner);
            let id = transition.id.clone();
            if begun.contains(&id) {
                return Err(Cause::config(TransitionError::UsedId));
            }
            let course = Course::begin(transition, self.now()).map_err(Cause::config)?;
            let new = old.with_servers(specs, &[], |spec, watch| open(spec, watch, &self.shared.config))?;
            let change = Change::new(Arc::clone(old.placement()), Arc::clone(new.placement()));
            let motion = Motion::new(Arc::new(new), course);
            self.replace_if(&old, old.with_motion(Some(Arc::new(motion))))?;
            begun.push(id);
            Ok(change)
        };
        begin().map_err(|cause| Error::new("transition", cause))
    }

    /// How far the transition is that is under way.
    pub fn transition_status(&self) -> Option<TransitionStatus> {
        let fleet = self.fleet();
        let motion = fleet.motion()?;
        let mut course = motion.course();
        let phase = course.phase_at(self.now());
        let (id, is_back) = (course.id().to_owned(), course.is_back());
        Some(TransitionStatus { id, phase, is_back, counts: motion.counts() })
    }

    /// Leads the transition on to its next phase now: see [`Course::advance`].
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): [`TransitionError`].
    pub fn advance_transition(&self) -> Result<Phase, Error> {
        self.steer("advance_transition", Course::advance)
    }

    /// Takes the transition back: see [`Course::cancel`].
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::failure::ErrorKind::Config): [`TransitionError`].
    pub fn cancel_transition(&self) -> Result<Phase, Error> {
        self.steer("cancel_transition", Course::cancel)
    }

    fn steer(
        &self,
        name: &'static str,
        steer: impl FnOnce(&mut Course, std::time::Instant) -> Result<Phase, TransitionError>,
    ) -> Result<Phase, Error> {
        let fleet = self.fleet();
        let wrong = |error| Error::new(name, Cause::config(error));
        let motion = fleet.motion().ok_or_else(|| wrong(TransitionError::None))?;
        let phase = steer(&mut motion.course(), self.now()).map_err(wrong)?;
        Ok(phase)
    }

    /// An operation on the key that is placed by `routing_key`, if it moves now.
    pub fn crossing(&self, routing_key: &[u8], verb: Verb) -> Option<Crossing<P>> {
        Crossing::new(self.fleet(), routing_key, verb, self.now())
    }

    /// All servers: those of the old list and those of the new one, if a transition is under way. It is not for keys.
    #[must_use]
    pub fn everyone(&self) -> Arc<Fleet<P>> {
        Fleet::everyone(self.fleet())
    }

    /// The positions of those of `keys` that move now, and of those that do not.
    pub fn moving<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) -> (Vec<usize>, Vec<usize>) {
        let fleet = self.fleet();
        let moves = |key: &[u8]| {
            let mut scratch = KeyScratch::default();
            self.key("", key, &mut scratch).is_ok_and(|(_, routing_key)| fleet.moves(routing_key))
        };
        let (moving, staying): (Vec<_>, Vec<_>) = keys.enumerate().partition(|(_, key)| moves(key));
        let positions = |keys: Vec<(usize, &[u8])>| keys.into_iter().map(|(position, _)| position).collect();
        (positions(moving), positions(staying))
    }

    /// The results of `count` keys, those at `staying` of one batch and the others one by one.
    #[must_use]
    pub fn gathered<T: Default>(
        count: usize,
        staying: (Many<T>, &[usize]),
        moving: Vec<(usize, Result<T, Error>)>,
    ) -> Many<T> {
        let mut results: Vec<_> = core::iter::repeat_with(|| Ok(T::default())).take(count).collect();
        let staying = staying.1.iter().copied().zip(staying.0.into_results());
        for (position, result) in staying.chain(moving) {
            if let Some(slot) = results.get_mut(position) {
                *slot = result;
            }
        }
        Many::of(results)
    }

    /// Puts `fleet` in the place of `current`, if that is still there.
    fn replace_if(&self, current: &Arc<Fleet<P>>, fleet: Fleet<P>) -> Result<(), Cause> {
        self.shared.replace_if(current, Arc::new(fleet))
    }
}

impl<P> Shared<P> {
    /// The fleet after a transition that has ended, else `fleet` itself.
    #[cold]
    pub(super) fn settled(&self, fleet: Arc<Fleet<P>>) -> Arc<Fleet<P>> {
        let Some(motion) = fleet.motion() else { return fleet };
        let phase = motion.course().phase_at(self.clock.now());
        let after = match phase {
            Phase::New => Arc::clone(motion.new_fleet()),
            Phase::Old => Arc::new(fleet.with_motion(None)),
            Phase::Guard | Phase::Prepare | Phase::Move | Phase::Seal => return fleet,
        };
        // Whoever was faster has put the same there.
        match self.replace_if(&fleet, Arc::clone(&after)) {
            Ok(()) => after,
            Err(_) => fleet,
        }
    }

    fn replace_if(&self, current: &Arc<Fleet<P>>, fleet: Arc<Fleet<P>>) -> Result<(), Cause> {
        let mut held = self.fleet.write().unwrap_or_else(PoisonError::into_inner);
        if self.is_closed.load(core::sync::atomic::Ordering::Relaxed) {
            return Err(Cause::Shut);
        }
        if !Arc::ptr_eq(&held, current) {
            return Err(Cause::config(TransitionError::Busy));
        }
        let replaced = core::mem::replace(&mut *held, fleet);
        drop(held);
        // This drop may close connections, so it happens outside the lock.
        drop(replaced);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use core::{cell::Cell, time::Duration};
    use std::time::Instant;

    use super::*;
    use crate::clock::Clock;

    thread_local! {
        /// How long ago the test began: no time passes by itself.
        static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
        static BEGIN: Instant = Instant::now();
    }

    const CLOCK: Clock = Clock { monotonic: || BEGIN.with(|begin| *begin) + PASSED.get(), ..Clock::SYSTEM };

    #[derive(Debug)]
    struct Pool(Watch);

    impl Watched for Pool {
        fn watch(&self) -> &Watch {
            &self.0
        }
    }

    fn open(_: &ServerSpec, watch: Watch, _: &Arc<Config>) -> Result<Pool, Cause> {
        Ok(Pool(watch))
    }

    const OLD: [&str; 2] = ["a:1", "b:1"];
    const NEW: [&str; 3] = ["a:1", "b:1", "c:1"];

    fn client() -> Common<Pool> {
        let config = Config { servers: ServerSpec::read_all(OLD).unwrap(), ..Config::default() };
        Common::build(config, CLOCK, open).unwrap()
    }

    fn names(client: &Common<Pool>) -> usize {
        client.fleet().pools().len()
    }

    #[test]
    fn a_transition_ends_by_itself() {
        let client = client();
        let kept = Arc::clone(client.fleet().pool(0));
        let change = client.transition(NEW, Transition::new("t"), open).unwrap();
        assert_eq!((change.before().len(), change.after().len(), names(&client)), (2, 3, 2));
        assert_eq!(client.everyone().pools().len(), 3);
        PASSED.set(Duration::from_secs(3600));
        assert_eq!(client.transition_status().unwrap().phase, Phase::Seal);
        assert!(client.set_servers(OLD, open).is_err(), "one change at a time");
        PASSED.set(Duration::from_secs(3660));
        assert!(client.transition_status().is_none());
        assert!(names(&client) == 3 && Arc::ptr_eq(&kept, client.fleet().pool(0)));
        assert!(client.set_servers(OLD, open).is_ok());
    }

    #[test]
    fn a_server_that_only_changes_its_name_moves_no_key() {
        let config =
            Config { servers: ServerSpec::read_all(["x=a:1", "y=b:1"]).unwrap(), ..Config::default() };
        let client = Common::build(config, CLOCK, open).unwrap();
        let keys: Vec<_> = (0..100).map(|number| format!("key:{number}")).collect();
        let moving = |client: &Common<Pool>| client.moving(keys.iter().map(String::as_bytes)).0.len();
        assert_eq!(moving(&client), 0, "no transition is under way");
        client.transition(["x=a:1", "y=c:1"], Transition::new("t"), open).unwrap();
        let all = moving(&client);
        assert!((20..80).contains(&all), "those of y: {all}");
        assert_eq!(client.cancel_transition().unwrap(), Phase::Old);
        client.transition(["x=a:1", "y=b:1", "z=a:1"], Transition::new("t2"), open).unwrap();
        let some = moving(&client);
        assert!(some < all, "those from y to z, which is where x is: {some}");
    }

    #[test]
    fn a_client_that_was_closed_begins_none() {
        let client = client();
        let _last = client.close();
        assert!(client.transition(NEW, Transition::new("t"), open).is_err());
    }
}
