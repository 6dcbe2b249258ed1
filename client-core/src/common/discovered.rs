//! Clients whose servers are found out: what is made of a source's answers.

use core::{
    fmt, mem,
    sync::atomic::{AtomicBool, Ordering},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};

use memring_core::{BuildError, ServerIndex};

use super::{Common, Shared};
use crate::{
    change::Change,
    clock::Clock,
    config::Config,
    discovery::{Discovery, Source},
    failure::{Cause, Error, Event, Observer},
    insight,
    owned::{OwnedPlacement, OwnedScheme},
    roster::{Answer, Report, Roster, Slot, Why},
    route::Watched,
    spec::ServerSpec,
    watch::{Watch, jitter},
};

/// What a client knows of the source of its servers.
pub(super) struct Discovered {
    source: Source,
    roster: Mutex<Roster>,
    /// Whether the caller has accepted the change that was refused.
    is_accepted: AtomicBool,
    /// Wakes those who ask the source. They end when this is dropped.
    wake: Box<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Discovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discovered").field("roster", &*self.roster()).finish_non_exhaustive()
    }
}

impl Discovered {
    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client that does not keep itself alive: for those who ask its source.
#[derive(Debug)]
pub struct WeakCommon<P>(Weak<Shared<P>>);

impl<P> WeakCommon<P> {
    /// The client, if it is still in use.
    #[must_use]
    pub fn upgrade(&self) -> Option<Common<P>> {
        let shared = self.0.upgrade()?;
        let Config { timeout, errors_as_misses, .. } = *shared.config;
        Some(Common { shared, timeout, errors_as_misses, routing_key: None })
    }
}

impl<P> Common<P> {
    /// The same client, for those who must not keep it alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakCommon<P> {
        WeakCommon(Arc::downgrade(&self.shared))
    }

    /// The servers as the source has told of them so far; `None` if they are not found out.
    #[must_use]
    pub fn roster(&self) -> Option<Roster> {
        self.shared.discovered.as_ref().map(|discovered| discovered.roster().clone())
    }

    /// The servers that are there, of those that are found out: for a source that they know themselves.
    #[must_use]
    pub fn known_servers(&self) -> Vec<ServerSpec> {
        let Some(discovered) = &self.shared.discovered else { return Vec::new() };
        let roster = discovered.roster();
        let there = roster.slots().iter().filter(|slot| !slot.is_free());
        there.map(|slot| discovered.source.reached(&slot.spec)).collect()
    }

    /// Takes the change that was refused last, if the source still says so when it is asked, which is now. Returns whether
    /// there is one.
    #[must_use]
    pub fn accept_change(&self) -> bool {
        let Some(discovered) = &self.shared.discovered else { return false };
        let has_refused = discovered.roster().has_refused();
        if has_refused {
            discovered.is_accepted.store(true, Ordering::Relaxed);
            (discovered.wake)();
        }
        has_refused
    }
}

impl<P: Watched> Common<P> {
    /// The state of a client whose servers are found out, as `config` describes it. `asked` is what the source has just
    /// answered. `wake` wakes those who ask it, and is dropped with the client. `open` makes the pool of a server.
    ///
    /// # Errors
    /// As of [`build`](Self::build); and [`ErrorKind::Resolve`](crate::failure::ErrorKind::Resolve) when the source has
    /// failed, and the configuration has no servers to begin with.
    pub fn discover(
        mut config: Config,
        clock: Clock,
        asked: Result<Answer, Why>,
        wake: impl Fn() + Send + Sync + 'static,
        open: impl FnMut(&ServerSpec, Watch, &Arc<Config>) -> Result<P, Cause>,
    ) -> Result<Self, Error> {
        let wrong = |cause| Error::new("discover", cause);
        let Discovery { source, pace } = config.discovery.take().ok_or_else(|| wrong(no_source()))?;
        let known = mem::take(&mut config.servers);
        let mut roster = Roster::new(pace, source.interval(), known);
        let reports = heard(&mut roster, asked, clock.now(), &config.scheme);
        if roster.slots().is_empty() {
            let why = reports.into_iter().find_map(|report| match report {
                Report::Failed(why) => Some(why),
                _ => None,
            });
            return Err(wrong(Cause::Undiscovered(why.unwrap_or(Why::Empty))));
        }
        config.servers = reached(&source, roster.slots());
        let wake = Box::new(wake);
        let discovered =
            Discovered { source, roster: Mutex::new(roster), is_accepted: AtomicBool::new(false), wake };
        let common = Self::with(config, clock, Some(discovered), open)?;
        // The list to begin with is no change.
        let told = reports.iter().filter(|report| !matches!(report, Report::Changed { .. }));
        told.for_each(|report| tell(&common.config().observer, report, None));
        Ok(common)
    }

    /// Notes what the source has answered: tells the observer what happens, and takes the change, if there is one to be
    /// taken. Returns when the source is to be asked next; `None`: never, as the client is closed.
    pub fn asked(
        &self,
        asked: Result<Answer, Why>,
        mut open: impl FnMut(&ServerSpec, Watch, &Arc<Config>) -> Result<P, Cause>,
    ) -> Option<Instant> {
        let Shared { config, discovered, .. } = &*self.shared;
        let discovered = discovered.as_ref()?;
        if self.shared.is_closed.load(Ordering::Relaxed) {
            return None;
        }
        let (now, fleet) = (self.now(), self.fleet());
        let mut before = discovered.roster().clone();
        if discovered.is_accepted.swap(false, Ordering::Relaxed) {
            before.accept();
        }
        insight::asked(asked.is_ok());
        let mut roster = before.clone();
        let mut reports = heard(&mut roster, asked, now, fleet.scheme());
        let mut after = None;
        if reaches(roster.slots()).ne(reaches(before.slots())) {
            let vacant: Vec<_> =
                (0..).zip(roster.slots()).filter(|(_, slot)| slot.is_free()).map(|(at, _)| at).collect();
            let open = |spec: &ServerSpec, watch| open(spec, watch, config);
            match fleet.with_servers(reached(&discovered.source, roster.slots()), &vacant, open) {
                Ok(fleet) => after = Some(fleet),
                Err(cause) => {
                    roster = before;
                    let why = Why::Unfit(cause.to_string());
                    reports = roster.failed(why, now, jitter()).into_iter().collect();
                }
            }
        }
        let free = roster.slots().iter().filter(|slot| slot.is_free()).count();
        insight::discovered(roster.slots().len(), free);
        let next = roster.next_poll().unwrap_or(now);
        *discovered.roster() = roster;
        // The observer may ask the client whatever it likes: no lock is held.
        let change = after
            .as_ref()
            .map(|after| Change::new(Arc::clone(fleet.placement()), Arc::clone(after.placement())));
        reports.iter().for_each(|report| tell(&config.observer, report, change.as_ref()));
        match after.map_or(Ok(()), |after| self.replace(after)) {
            Ok(()) => Some(next),
            Err(_) => None,
        }
    }

    /// When the source is to be asked next.
    #[must_use]
    pub fn next_poll(&self) -> Instant {
        self.roster().and_then(|roster| roster.next_poll()).unwrap_or_else(|| self.now())
    }
}

/// The configuration's servers are not to be found out.
pub(super) fn no_source() -> Cause {
    Cause::config(Unfit(
        "no source to find out the servers; set `discovery`, or list them and build the client",
    ))
}

/// The configuration's servers are to be found out.
pub(super) fn source() -> Cause {
    Cause::config(Unfit("the servers are found out; make the client by `Client::discover`"))
}

/// The servers of a client that finds them out cannot be set.
pub(super) fn is_discovered() -> Cause {
    Cause::config(Unfit("the servers are found out; what the source says next would undo this"))
}

#[derive(Debug)]
struct Unfit(&'static str);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for Unfit {}

fn heard(roster: &mut Roster, asked: Result<Answer, Why>, now: Instant, scheme: &OwnedScheme) -> Vec<Report> {
    match asked {
        Ok(answer) => roster.answered(answer, now, jitter(), |before, after| share(scheme, before, after)),
        Err(why) => roster.failed(why, now, jitter()).into_iter().collect(),
    }
}

fn tell(observer: &Observer, report: &Report, change: Option<&Change>) {
    match (report, change) {
        (Report::Changed { share }, Some(change)) => {
            observer.tell(|| Event::servers_changed(change, *share));
        }
        // There is no change of the list without a fleet.
        (Report::Changed { .. }, None) => {}
        (Report::AddressChanged { server }, _) => observer.tell(|| Event::address_changed(server)),
        (Report::Refused { share }, _) => observer.tell(|| Event::change_refused(*share)),
        (Report::Failed(why), _) => observer.tell(|| Event::source_failed(why)),
        (Report::Recovered, _) => observer.tell(Event::source_recovered),
    }
}

fn specs(slots: &[Slot]) -> Vec<ServerSpec> {
    slots.iter().map(|slot| slot.spec.clone()).collect()
}

/// The servers of the slots, as the source wants them reached.
fn reached(source: &Source, slots: &[Slot]) -> Vec<ServerSpec> {
    slots.iter().map(|slot| source.reached(&slot.spec)).collect()
}

/// What the fleet knows of the slots.
fn reaches(slots: &[Slot]) -> impl Iterator<Item = (&ServerSpec, bool)> {
    slots.iter().map(|slot| (&slot.spec, slot.is_free()))
}

/// The share of all keys that a change of slots moves, or leaves without the server that they have had.
fn share(scheme: &OwnedScheme, before: &[Slot], after: &[Slot]) -> Result<f64, BuildError> {
    let place = |slots| OwnedPlacement::build(scheme.clone(), specs(slots)).map(Arc::new);
    let moves = Change::new(place(before)?, place(after)?).moves();
    let index = |at| u16::try_from(at).map(ServerIndex::new).unwrap_or_default();
    let lost = after.iter().enumerate().filter(|(_, slot)| slot.is_free()).map(|(at, slot)| {
        let was = |other: &Slot| other.spec.name() == slot.spec.name() && !other.is_free();
        before.iter().position(was).map_or(0.0, |from| moves.share(index(from), index(at)))
    });
    Ok((moves.moved() + lost.sum::<f64>()).min(1.0))
}

#[cfg(test)]
mod tests;
