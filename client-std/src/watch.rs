//! What is known of one server's health, and who is told when that changes. The rules are the core's; here are the clock,
//! the lock and the dice.

use core::{
    hash::{BuildHasher as _, Hasher as _},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    hash::RandomState,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use memring_client::{
    failure::{Cause, Counters, Event, Evidence, Observer},
    spec::Address,
};
use memring_core::health::{self, HealthPolicy, HealthStatus, ServerHealth};

use crate::insight::{Place, Sight};

/// What servers are watched with.
#[derive(Clone, Debug)]
pub(crate) struct WatchOptions {
    /// When a server is down; `None` for never.
    pub(crate) policy: Option<HealthPolicy>,
    pub(crate) observer: Observer,
    /// How long an operation must have waited for a connection, and for its reply, to speak against the server: the
    /// impatience of one caller is no failure.
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
}

/// The watch over one server.
#[derive(Debug)]
pub(crate) struct Watch {
    name: Arc<str>,
    place: Place,
    options: WatchOptions,
    counters: Counters,
    /// A copy of the health's own word, to be read without the lock.
    is_noted: AtomicBool,
    health: Mutex<ServerHealth>,
}

impl Watch {
    /// Of the server `name` nothing is known yet.
    pub(crate) fn new(name: Arc<str>, address: &Address, options: WatchOptions) -> Self {
        Self {
            name,
            place: Place::new(address),
            options,
            counters: Counters::default(),
            is_noted: AtomicBool::new(false),
            health: Mutex::default(),
        }
    }

    /// The server's name.
    pub(crate) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What has happened so far.
    pub(crate) const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts what has happened, and tells who watches.
    #[cold]
    pub(crate) fn tell(&self, event: Event<'_>) {
        self.counters.event(&event);
        self.options.observer.tell(|| event);
    }

    /// Whether anything is noted of the server.
    pub(crate) fn is_noted(&self) -> bool {
        self.is_noted.load(Ordering::Relaxed)
    }

    /// Runs `act` on what is known.
    pub(crate) fn with_health<T>(&self, act: impl FnOnce(&mut ServerHealth) -> T) -> T {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut health);
        self.is_noted.store(health.is_noted(), Ordering::Relaxed);
        result
    }

    /// The operation `name`, which began at `began`, is about to ask the server.
    #[inline]
    pub(crate) fn attempt(&self, name: &'static str, began: Instant, is_probe: bool) -> Attempt<'_> {
        self.counters.operation();
        Attempt { watch: self, began, is_probe, sight: Sight::new(&self.place, name) }
    }

    /// What is known, for the caller to see.
    pub(crate) fn status(&self) -> HealthStatus {
        self.with_health(|health| health.status(now()))
    }

    #[cold]
    fn answered(&self) {
        if self.with_health(ServerHealth::succeeded) {
            self.tell(Event::server_up(&self.name));
        }
    }

    /// Notes what `cause` says of the server. Says whether it does say anything.
    #[cold]
    fn learn(&self, cause: &Cause, began: Instant) -> bool {
        let Some(policy) = &self.options.policy else { return false };
        let now = Instant::now();
        let evidence = if self.is_impatience(cause, now - began) { Evidence::None } else { cause.evidence() };
        let moment = moment(now);
        let down = match evidence {
            Evidence::None => return false,
            Evidence::Up => {
                if self.is_noted() {
                    self.answered();
                }
                return true;
            }
            Evidence::Failed => self.with_health(|health| health.failed(moment, jitter(), policy)),
            Evidence::Lost => {
                self.with_health(|health| health.lost(self::moment(began), moment, jitter(), policy))
            }
        };
        if let Some(wait) = down {
            self.tell(Event::server_down(&self.name, wait));
        }
        true
    }

    fn is_impatience(&self, cause: &Cause, waited: Duration) -> bool {
        let WatchOptions { connect_timeout, timeout, .. } = self.options;
        // In a batch, a connection may take half the time at most.
        let needed = if cause.is_unreached() { connect_timeout.min(timeout / 2) } else { timeout };
        cause.is_timeout() && cause.evidence() == Evidence::Failed && waited < needed
    }
}

/// An operation on its way to a server. However it ends, the probe that it may be is not forgotten.
#[derive(Debug)]
pub(crate) struct Attempt<'w> {
    watch: &'w Watch,
    began: Instant,
    is_probe: bool,
    sight: Sight,
}

impl Attempt<'_> {
    /// Notes how it has ended. While nothing is noted of the server, a success costs a look.
    pub(crate) fn ended<T>(mut self, result: Result<T, &Cause>) {
        self.sight.ended(result.as_ref().map(drop).map_err(|cause| Some(cause.kind())));
        match result {
            Ok(_) => {
                self.is_probe = false;
                if self.watch.is_noted() {
                    self.watch.answered();
                }
            }
            Err(cause) => self.is_probe &= !self.watch.learn(cause, self.began),
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.sight.ended(Err(None));
        if self.is_probe {
            self.watch.with_health(|health| health.unlearned(now()));
        }
    }
}

/// The present, as the core counts time.
pub(crate) fn now() -> health::Instant {
    moment(Instant::now())
}

/// A server is left alone until `retry_at`.
pub(crate) fn down(retry_at: health::Instant) -> Cause {
    Cause::Down(retry_at.since(now()))
}

/// A moment, as the core counts time: from a year before this was first asked.
fn moment(at: Instant) -> health::Instant {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let first = *FIRST.get_or_init(|| at);
    let since = (at + YEAR).saturating_duration_since(first);
    health::Instant::from_millis(0).plus(since)
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A random number. It need not be a good one, only another one in each process and each time.
fn jitter() -> u32 {
    RandomState::new().build_hasher().finish() as u32
}
