//! The watch over one server's health, and the events when that changes. The rules are `memring-core`'s; the lock and
//! the random numbers are here; the clock is the client's.

use core::{
    hash::{BuildHasher as _, Hasher as _},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use std::{
    hash::RandomState,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use memring_core::health::{self, HealthStatus, ServerHealth};
use memring_text::Request;

use crate::{
    capabilities::KnownCapabilities,
    clock::{Clock, moment},
    config::Config,
    failure::{Cause, Counters, Error, Event, Evidence},
    hang_up::HangUps,
    insight::{Scene, Sight},
    spec::ServerSpec,
};

/// The watch over one server.
#[derive(Debug)]
pub struct Watch {
    name: Arc<str>,
    spec: ServerSpec,
    scene: Scene,
    config: Arc<Config>,
    clock: Clock,
    counters: Counters,
    /// A copy of the health's `is_noted`, to be read without the lock; set where no server has the slot.
    is_noted: AtomicBool,
    /// How many connections to the server have ended. As long as there is no other, the server has not restarted.
    ends: AtomicU64,
    health: Mutex<ServerHealth>,
    hang_ups: HangUps,
    /// Whether no server has the slot, so that nothing may be sent.
    is_vacant: bool,
    capabilities: KnownCapabilities,
}

impl Watch {
    /// A watch over the server of `spec`, of which nothing is known yet.
    #[must_use]
    pub fn new(spec: &ServerSpec, config: Arc<Config>, clock: Clock) -> Self {
        Self {
            name: spec.name().into(),
            spec: spec.clone(),
            scene: Scene::new(spec.address(), clock),
            capabilities: KnownCapabilities::new(spec.name(), &config.corrections),
            config,
            clock,
            counters: Counters::default(),
            is_noted: AtomicBool::new(false),
            ends: AtomicU64::new(0),
            health: Mutex::default(),
            hang_ups: HangUps::default(),
            is_vacant: false,
        }
    }

    /// The same watch, over a slot that no server has now: it is down, and never tried.
    #[must_use]
    pub(crate) fn vacant(self, is_vacant: bool) -> Self {
        Self { is_vacant, is_noted: AtomicBool::new(is_vacant), ..self }
    }

    /// Whether no server has the slot. Then no connection may be opened: another server may have the address by now.
    #[must_use]
    pub const fn is_vacant(&self) -> bool {
        self.is_vacant
    }

    /// The server's name.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The features that the server is known to have.
    #[must_use]
    pub const fn capabilities(&self) -> &KnownCapabilities {
        &self.capabilities
    }

    /// Whether this is the watch over the server that `spec` means: the same name, reached in the same way, and as vacant.
    pub(crate) fn serves(&self, spec: &ServerSpec, is_vacant: bool) -> bool {
        self.spec.is_reached_as(spec) && self.is_vacant == is_vacant
    }

    /// The counters of what has happened so far.
    pub(crate) const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts what has happened, and tells the observer.
    #[cold]
    fn tell(&self, event: Event<'_>) {
        self.counters.event(&event);
        self.config.observer.tell(|| event);
    }

    /// Whether any failure of the server is noted, or no server has the slot: an operation must look closer.
    pub(crate) fn is_noted(&self) -> bool {
        self.is_noted.load(Ordering::Relaxed)
    }

    /// Runs `act` on the server's health.
    pub(crate) fn with_health<T>(&self, act: impl FnOnce(&mut ServerHealth) -> T) -> T {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut health);
        self.is_noted.store(self.is_vacant || health.is_noted(), Ordering::Relaxed);
        result
    }

    /// Begins an attempt of the operation `name`, which began at `began`.
    #[inline]
    pub fn attempt(&self, name: &'static str, began: Instant, is_probe: bool) -> Attempt<'_> {
        self.counters.operation();
        Attempt {
            watch: self,
            began,
            turned_to: None,
            is_probe,
            silence: None,
            is_void: false,
            sight: Sight::new(&self.scene, name),
        }
    }

    /// The time, by the client's clock.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The server's health, for callers of the client.
    #[must_use]
    pub fn status(&self) -> HealthStatus {
        self.with_health(|health| health.status(self.clock.moment()))
    }

    /// The cause of an error when the server is left alone until `retry_at`.
    #[must_use]
    pub fn down(&self, retry_at: health::Instant) -> Cause {
        if self.is_vacant {
            return Cause::Vacant;
        }
        Cause::Down(retry_at.since(self.clock.moment()))
    }

    /// The error of an operation on the server. The observer is told of it. `ambiguous`: the request may have taken
    /// effect without a complete reply.
    #[cold]
    pub fn failed(&self, operation: &'static str, cause: Cause, ambiguous: bool) -> Error {
        let error = Error::on(&self.name, operation, cause, ambiguous);
        self.report(&error);
        error
    }

    /// Tells the observer of an error of an operation on the server.
    #[cold]
    pub fn report(&self, error: &Error) {
        self.tell(Event::failed(error));
    }

    /// Counts items that were read, and those that were not there.
    #[inline]
    pub(crate) fn found(&self, hits: u64, misses: u64) {
        self.counters.found(hits, misses);
        self.scene.found(hits, misses);
    }

    /// Tells the observer that a connection was opened, which `took` so long.
    #[cold]
    pub fn connected(&self, took: Duration) {
        self.tell(Event::connected(&self.name, took));
    }

    /// Tells the observer that a connection ended, or could not be opened, because of `cause`.
    #[cold]
    pub fn disconnected(&self, cause: &Cause) {
        // A caller that has no patience says nothing of the server.
        if !cause.is_timeout() {
            self.ended();
        }
        self.tell(Event::disconnected(&self.name, cause.kind()));
    }

    /// Tells the observer that a request is sent again over another connection.
    #[cold]
    pub fn retried(&self) {
        self.ended();
        self.tell(Event::retried(&self.name));
    }

    /// Notes that a connection has ended, which is no event where the connection was unused.
    pub fn ended(&self) {
        self.ends.fetch_add(1, Ordering::Relaxed);
    }

    /// How many connections to the server have ended. What was read over one of them may be told to the same server only
    /// if no other has ended since: else the server may have restarted, and given the same cas unique to another item.
    #[must_use]
    pub fn ends(&self) -> u64 {
        self.ends.load(Ordering::Relaxed)
    }

    /// Whether the server is left alone.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.is_noted() && self.status().is_down()
    }

    /// Tells the observer that an operation on this server's keys goes to the server of `other` instead.
    #[cold]
    pub fn rerouted(&self, other: &Self, operation: &'static str) {
        self.tell(Event::rerouted(&self.name, &other.name, operation));
    }

    /// Whether the server is known to hang up at the command of `request`, which must not be sent then.
    #[inline]
    #[must_use]
    pub fn hangs_up(&self, request: &Request<'_>) -> bool {
        self.hang_ups.are_there() && self.hang_ups.at(request, self.clock.now())
    }

    /// The commands at which the server is known to hang up.
    pub(crate) const fn hang_ups(&self) -> &HangUps {
        &self.hang_ups
    }

    /// Notes that the server hangs up at the command of `request`.
    #[cold]
    pub fn has_hung_up(&self, request: &Request<'_>) {
        self.hang_ups.note(request, self.clock.now());
    }

    #[cold]
    fn answered(&self) {
        if self.with_health(ServerHealth::succeeded) {
            self.tell(Event::server_up(&self.name));
        }
    }

    /// Notes what `cause` says of the server. Returns whether it says anything.
    #[cold]
    fn learn(
        &self,
        cause: &Cause,
        began: Instant,
        turned_to: Option<Instant>,
        silence: Option<Duration>,
    ) -> bool {
        if cause.is_unreached() {
            self.hang_ups.forget();
        }
        let Some(policy) = &self.config.health_policy else { return false };
        let now = self.clock.now();
        // What passed before the server was turned to is not its own time.
        let silence = silence.or_else(|| turned_to.map(|at| now.saturating_duration_since(at)));
        let asked = turned_to.unwrap_or(began);
        let is_impatience = self.is_impatience(cause, now - began, silence);
        let evidence = if is_impatience { Evidence::None } else { cause.evidence() };
        let at = moment(now);
        let down = match evidence {
            Evidence::None => return false,
            Evidence::Up => {
                if self.is_noted() {
                    self.answered();
                }
                return true;
            }
            Evidence::Failed => self.with_health(|health| health.failed(at, jitter(), policy)),
            Evidence::Lost => self.with_health(|health| health.lost(moment(asked), at, jitter(), policy)),
        };
        if let Some(wait) = down {
            self.tell(Event::server_down(&self.name, wait));
        }
        true
    }

    /// Whether time ran out that says nothing of the server: less than the configuration gives an operation, because the
    /// impatience of one caller is no failure of the server; or too little that was the server's own.
    fn is_impatience(&self, cause: &Cause, waited: Duration, silence: Option<Duration>) -> bool {
        let Config { connect_timeout, timeout, .. } = *self.config;
        // A caller that joins others while a connection is being opened waits for a part of that only.
        let needed = if cause.is_unreached() { connect_timeout.min(timeout / 2) } else { timeout };
        let is_short = waited < needed || silence.is_some_and(|silence| silence < needed / 2);
        cause.is_timeout() && cause.evidence() == Evidence::Failed && is_short
    }
}

/// One attempt of an operation at a server. If it is a probe, its end is noted even if the attempt is dropped.
#[derive(Debug)]
pub struct Attempt<'w> {
    watch: &'w Watch,
    began: Instant,
    /// When the operation turned to this server, if it went to another one before.
    turned_to: Option<Instant>,
    is_probe: bool,
    /// For a batch: how long the server could have gone on, and did not.
    silence: Option<Duration>,
    /// Whether the end says nothing of the server, whatever it is.
    is_void: bool,
    sight: Sight,
}

impl Attempt<'_> {
    /// Notes that the operation tried another server first, and this one from `at` on: the time that the other one took says
    /// nothing of this one.
    pub(crate) const fn turned_to(mut self, at: Option<Instant>) -> Self {
        self.turned_to = at;
        self
    }

    /// Notes how long the server was silent at the end of a batch with several servers: time that the others took says
    /// nothing of this one. Half of the silence that counts against a server that is asked alone is enough here.
    pub const fn was_silent_for(&mut self, silence: Duration) {
        self.silence = Some(silence);
    }

    /// Notes that the end of the attempt says nothing of the server, which only wanted no further connection.
    pub const fn says_nothing(&mut self) {
        self.is_void = true;
    }

    /// Notes that nothing was sent, because of `cause`: that says nothing of the server.
    pub fn not_sent(mut self, cause: &Cause) {
        self.says_nothing();
        self.ended(Err::<(), _>(cause));
    }

    /// Notes how the attempt ended. While no failure of the server is noted, a success costs the read of one flag.
    pub fn ended<T>(mut self, result: Result<T, &Cause>) {
        self.sight.ended(&self.watch.scene, result.as_ref().map(drop).map_err(|cause| cause.kind()));
        match result {
            Ok(_) => {
                self.is_probe = false;
                if self.watch.is_noted() {
                    self.watch.answered();
                }
            }
            Err(_) if self.is_void => {}
            Err(cause) => self.is_probe &= !self.watch.learn(cause, self.began, self.turned_to, self.silence),
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.sight.dropped(&self.watch.scene);
        if self.is_probe {
            self.watch.with_health(|health| health.unlearned(self.watch.clock.moment()));
        }
    }
}

/// A random number, which need only differ between processes and calls.
pub(crate) fn jitter() -> u32 {
    RandomState::new().build_hasher().finish() as u32
}
