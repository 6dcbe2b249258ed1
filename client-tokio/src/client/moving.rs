//! Operations on keys that move to other servers in a transition.

use memring_client::{
    AnyOperation, AnyOutcome, KeyScratch,
    change::Change,
    failure::{Cause, Error, ErrorKind, Many},
    fetch::{Answer, Dialect, Errand, NoAnswer},
    spec::{ServerList, ServerSpecError},
    transition::{Crossed, Crossing, Next, Phase, Side, Transition, TransitionStatus, Verb, read_token},
};
use memring_text::{
    Get, Item as TextItem, Key, Operation as _, Store, StoreOutcome, Ttl, Value,
    exchange::ProtocolError,
    operation::Version,
    request::{Arith, ArithVerb, Delete, GetVerb, StoreVerb},
};

use tokio::time::sleep_until;

use super::{Client, Item};
use crate::{
    call::{Target, call},
    deadline::Deadline,
    pool::Pool,
};

impl Client {
    /// Replaces the servers as [`set_servers`](Self::set_servers) does, but key by key, for all clones at once: what the new server
    /// of a key does not have yet is brought over from the old one when it is asked for, and no read returns an older value
    /// than it would have without. It goes on by the times of `transition`, and ends by itself.
    ///
    /// All servers must have the meta commands (memcached 1.6.10) and count their items, as they do without `-C`. While a key
    /// moves, it has `get`, `gets`, `set`, `add`, `replace`, `cas`, `delete`, `incr`, `decr` and `get_many`; other verbs fail
    /// with [`ErrorKind::Moving`](crate::ErrorKind::Moving), and nothing stands in for its servers. Keys that do not move are
    /// not touched.
    ///
    /// Programs that use the same servers must all be in the transition before any of them moves: see
    /// [`Transition::guard_for`] and the guide on resizing.
    ///
    /// ```
    /// # use memring_tokio::{Client, Transition, Ttl, testing::Server};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let servers = [Server::start().await?, Server::start().await?, Server::start().await?];
    /// # let [a, b, c] = servers.each_ref().map(|server| server.addr().to_string());
    /// let client = Client::connect([&*a, &*b])?;
    /// client.set("greeting", "hello", Ttl::NEVER).await?;
    /// client.transition([&*a, &*b, &*c], Transition::new("2026-03-three-servers"))?;
    /// assert_eq!(client.get("greeting").await?.unwrap().value, b"hello"[..]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): the list or the transition is invalid, another one is under way, or the
    /// servers are [found out](Self::discover).
    pub fn transition<S: TryInto<ServerList>>(
        &self,
        servers: impl IntoIterator<Item = S>,
        transition: Transition,
    ) -> Result<Change, Error>
    where
        ServerSpecError: From<S::Error>,
    {
        self.common.transition(servers, transition, Pool::new)
    }

    /// How far the transition is, and how reads of keys that move have ended; `None` if none is under way.
    #[must_use]
    pub fn transition_status(&self) -> Option<TransitionStatus> {
        self.common.transition_status()
    }

    /// Leads the transition on to its next phase before its time.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), from a [`TransitionError`](crate::TransitionError): none is under way; or
    /// others may still be in a phase that does not fit the next.
    pub fn advance_transition(&self) -> Result<Phase, Error> {
        self.common.advance_transition()
    }

    /// Takes the transition back, which takes as long as the way there did. What was moved, or written while items were moved, is
    /// a miss afterwards. Another transition needs another id.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), from a [`TransitionError`](crate::TransitionError): none is under way, or
    /// it is too late.
    pub fn cancel_transition(&self) -> Result<Phase, Error> {
        self.common.cancel_transition()
    }

    #[cold]
    pub(super) async fn retrieve_moving(
        &self,
        verb: GetVerb,
        key: &[u8],
    ) -> Result<Option<TextItem<Vec<u8>>>, Error> {
        let name = verb.word();
        let rule = match verb {
            GetVerb::Get => Verb::Get,
            GetVerb::Gets => Verb::Gets,
            _ => return Err(Error::new(name, Cause::Moving)),
        };
        let mut scratch = KeyScratch::default();
        let (key, routing_key) = self.common.key(name, key, &mut scratch)?;
        let get = AnyOperation::Get(Get { verb, key });
        let crossed = self.cross(name, (key, routing_key), rule, &get).await?;
        let item = crossed.into_item(rule == Verb::Gets);
        Ok(item.map(|item| TextItem { flags: item.flags, cas: item.cas, value: item.value.into() }))
    }

    #[cold]
    pub(super) async fn store_moving<T>(
        &self,
        verb: StoreVerb,
        key: &[u8],
        value: Value<'_>,
        (flags, exptime): (u32, i32),
        read: fn(StoreOutcome) -> Result<T, Cause>,
    ) -> Result<T, Error> {
        let name = verb.word();
        let rule = match verb {
            StoreVerb::Set => Verb::Set,
            StoreVerb::Add => Verb::Add,
            StoreVerb::Replace => Verb::Replace,
            StoreVerb::Cas(cas) => read_token(cas),
            _ => return Err(Error::new(name, Cause::Moving)),
        };
        let mut scratch = KeyScratch::default();
        let (key, routing_key) = self.common.key(name, key, &mut scratch)?;
        let store = AnyOperation::Store(Store { verb, key, flags, exptime, value, noreply: false });
        let crossed = self.cross(name, (key, routing_key), rule, &store).await?;
        read(crossed.changed(name)?).map_err(|cause| Error::new(name, cause))
    }

    #[cold]
    pub(super) async fn delete_moving(&self, key: &[u8]) -> Result<bool, Error> {
        let mut scratch = KeyScratch::default();
        let (key, routing_key) = self.common.key("delete", key, &mut scratch)?;
        let delete = AnyOperation::Delete(Delete { key, noreply: false });
        let crossed = self.cross("delete", (key, routing_key), Verb::Delete, &delete).await?;
        Ok(crossed.changed("delete")? == StoreOutcome::Stored)
    }

    #[cold]
    pub(super) async fn count_moving(
        &self,
        verb: ArithVerb,
        key: &[u8],
        delta: u64,
    ) -> Result<Option<u64>, Error> {
        let mut scratch = KeyScratch::default();
        let (key, routing_key) = self.common.key(verb.word(), key, &mut scratch)?;
        let count = AnyOperation::Arith(Arith { verb, key, delta, noreply: false });
        let crossed = self.cross(verb.word(), (key, routing_key), Verb::Count, &count).await?;
        let is_counted = crossed.changed(verb.word())? == StoreOutcome::Stored;
        Ok(crossed.number.filter(|_| is_counted))
    }

    /// Reads keys of which some move: those one after the other, within the time that one batch has.
    #[cold]
    pub(super) async fn get_many_moving<K: AsRef<[u8]>>(
        &self,
        keys: &[K],
    ) -> Result<Many<Option<Item>>, Error> {
        let end = now() + self.common.timeout();
        let (moving, staying) = self.common.moving(keys.iter().map(AsRef::as_ref));
        let at = |position: &usize| keys.get(*position).map_or(&[][..], AsRef::as_ref);
        let others: Vec<_> = staying.iter().map(at).collect();
        let others = self.get_many(&others).await?;
        let mut found = Vec::with_capacity(moving.len());
        for position in moving {
            let left = end.saturating_duration_since(now());
            let item = if left.is_zero() {
                self.common.or_miss(Err(Error::new("get_many", Cause::Timeout)))
            } else {
                self.with_timeout(left).get(at(&position)).await
            };
            found.push((position, item));
        }
        Ok(memring_client::Common::<Pool>::gathered(keys.len(), (others, &staying), found))
    }

    /// Carries an operation on a key that moves to its end.
    async fn cross<'k>(
        &'k self,
        name: &'static str,
        (key, routing_key): (Key<'k>, &'k [u8]),
        verb: Verb,
        operation: &AnyOperation<'k>,
    ) -> Result<Crossed, Error> {
        let _changing = self.common.changing(key.as_bytes(), routing_key);
        let deadline = self.deadline();
        let Some(crossing) = self.common.crossing(routing_key, verb) else {
            // The transition has just ended.
            let mut target = Target::new(self.common.fleet(), routing_key, name, deadline)?;
            return call(&mut target, operation).await.map(Crossed::from);
        };
        let mut trip = Trip { client: self, name, key, routing_key, crossing, deadline };
        let floor = if trip.crossing.needs_floor() { trip.floor().await? } else { 0 };
        let timeout = self.common.timeout();
        let mut machine = trip.crossing.machine(floor, timeout, now() + timeout);
        let (mut last, mut number) = (None, None);
        loop {
            let told = match machine.next(now()) {
                Next::Send(side, errand) => trip.send(side, &errand).await,
                Next::Do(side, over) => trip.perform(side, over, operation).await.map(|outcome| {
                    if let AnyOutcome::Number(counted) = outcome {
                        number = counted;
                    }
                    outcome.answer()
                }),
                Next::Wait(until) => {
                    sleep_until(until.into()).await;
                    continue;
                }
                Next::Done(outcome) => {
                    trip.crossing.ended(&machine, &outcome);
                    return Ok(Crossed { outcome, number });
                }
                Next::Failed(cause) => {
                    let error = cause.map(|cause| Error::new(name, cause)).or(last);
                    let error = error.unwrap_or_else(|| Error::new(name, UNEXPECTED));
                    return Err(if machine.has_changed() { error.after_a_change() } else { error });
                }
            };
            machine.answered(told.as_ref().map_err(NoAnswer::from).cloned(), now());
            last = told.err().or(last);
        }
    }
}

/// Whether an operation has failed because its key moves.
pub(super) fn is_moving(error: &Error) -> bool {
    error.kind() == ErrorKind::Moving
}

/// An answer that was not asked for.
const UNEXPECTED: Cause = Cause::Protocol(ProtocolError::Unexpected);

/// The way to a key's two servers.
struct Trip<'k> {
    client: &'k Client,
    name: &'static str,
    key: Key<'k>,
    routing_key: &'k [u8],
    crossing: Crossing<Pool>,
    /// One for all that is sent.
    deadline: Deadline,
}

impl<'k> Trip<'k> {
    fn target(&self, side: Side) -> Result<Target<'k>, Error> {
        self.crossing.target(side, self.routing_key, self.name, self.deadline)
    }

    async fn send(&mut self, side: Side, errand: &Errand) -> Result<Answer, Error> {
        let (common, name) = (&self.client.common, self.name);
        self.crossing.check(side, self.routing_key, errand).map_err(|cause| Error::new(name, cause))?;
        let operation = errand.operation(Dialect::Meta, self.key, common.unix_time(), common.number());
        let operation = operation.map_err(|cause| Error::new(name, cause))?;
        let mut target = self.target(side)?;
        if !errand.is_bound() {
            self.crossing.note_place(side, target.place());
        }
        while !target.pool().watch().capabilities().allow(&operation.request()) {
            let version = call(&mut target, &Version).await?;
            let learnt = target.pool().watch().capabilities().learn(&version, &operation.request());
            learnt.map_err(|error| target.error(Cause::Unsupported(error)))?;
        }
        call(&mut target, &operation).await.map(Answer::from)
    }

    async fn perform(
        &self,
        side: Side,
        over: Option<u64>,
        operation: &AnyOperation<'k>,
    ) -> Result<AnyOutcome<Vec<u8>>, Error> {
        if over.is_some() {
            let checked = self.crossing.check_life(side, self.routing_key);
            checked.map_err(|cause| Error::new(self.name, cause))?;
        }
        call(&mut self.target(side)?, &operation.over(over)).await
    }

    /// The mark in time of the new server, which is made if there is none.
    async fn floor(&self) -> Result<u64, Error> {
        if let Some(floor) = self.crossing.floor(self.routing_key) {
            return Ok(floor);
        }
        match self.learn_floor().await {
            // Whatever that server has is then taken for old.
            Err(_) if self.crossing.may_lack_floor() => Ok(u64::MAX),
            floor => floor,
        }
    }

    async fn learn_floor(&self) -> Result<u64, Error> {
        let (common, name) = (&self.client.common, self.name);
        let mut scratch = KeyScratch::default();
        let (key, _) = common.key(name, self.crossing.floor_key(), &mut scratch)?;
        let exptime = common.exptime(name, FLOOR_TTL)?;
        let mut target = self.target(Side::New)?;
        call(&mut target, &Store { exptime, ..Store::new(StoreVerb::Add, key, Value::EMPTY) }).await?;
        let mut target = target.pinned(self.deadline);
        let place = target.place();
        let found = call(&mut target, &Get::gets(key)).await?;
        let floor = self.crossing.note_floor(place, found.and_then(|item| item.cas));
        floor.map_err(|cause| target.error(cause))
    }
}

/// How long a mark in time is kept: longer than a transition lasts.
const FLOOR_TTL: Ttl = Ttl::after(core::time::Duration::from_secs(30 * 24 * 60 * 60));

/// The time, by the runtime's clock.
fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}
