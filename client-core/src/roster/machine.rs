//! When the source is asked, and which of its changes are taken.

use core::time::Duration;
use std::time::Instant;

use memring_core::Weight;

use super::{Answer, Pace, Rules, Servers, Slot, assign};
use crate::spec::ServerSpec;

/// The servers of a client, as its source tells of them.
///
/// The caller asks the source at [`next_poll`](Self::next_poll), and tells what came of it: [`answered`](Self::answered) or
/// [`failed`](Self::failed). Both return what happened.
#[derive(Clone, Debug)]
pub struct Roster {
    pace: Pace,
    /// How often the source is asked that says nothing of it.
    interval: Duration,
    slots: Vec<Slot>,
    proposed: Option<Proposed>,
    /// The change that was refused last.
    refused: Option<Outline>,
    /// The change that the caller accepts, however large it is.
    accepted: Option<Outline>,
    failing_since: Option<Instant>,
    failures: u32,
    next_poll: Option<Instant>,
    answered_at: Option<Instant>,
}

/// A change that has not lasted long enough yet.
#[derive(Clone, Debug)]
struct Proposed {
    outline: Outline,
    answers: u32,
    since: Instant,
}

/// What must be the same for two answers to propose the same change: all but addresses.
type Outline = Vec<(String, Weight, Option<String>, bool)>;

/// What came of an answer or a failure.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// The list is another: keys move, or have lost their server, or have one again.
    Changed {
        /// The share of all keys that moves or has no server now.
        share: f64,
    },
    /// The server of a slot has another address. No key moves.
    AddressChanged {
        /// The slot's name.
        server: String,
    },
    /// A change is too large, and is not taken.
    Refused {
        /// The share of all keys that it would move or leave without a server.
        share: f64,
    },
    /// The source begins to fail. The servers stay as they were.
    Failed(Why),
    /// The source answers again.
    Recovered,
}

/// Why a source has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// It says that there are no servers, which is believed of no source.
    Empty,
    /// Its servers do not fit the scheme.
    Unfit(String),
    /// It could not be asked, or its answer is not understood.
    Source(String),
    /// It did not answer within this time.
    Late(Duration),
}

impl core::fmt::Display for Why {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Empty => f.write_str("the source knows no server"),
            Self::Unfit(why) => write!(f, "the servers do not fit the scheme: {why}"),
            Self::Source(why) => f.write_str(why),
            Self::Late(time) => write!(f, "no answer within {time:?}"),
        }
    }
}

impl Roster {
    /// The roster of a client that begins with the servers `known`, if any. A source that does not say how long its answer
    /// is good for is asked each `interval`.
    #[must_use]
    pub fn new(pace: Pace, interval: Duration, known: Vec<ServerSpec>) -> Self {
        Self {
            interval: pace.interval.unwrap_or(interval),
            pace,
            slots: known.into_iter().map(Slot::of).collect(),
            proposed: None,
            refused: None,
            accepted: None,
            failing_since: None,
            failures: 0,
            next_poll: None,
            answered_at: None,
        }
    }

    /// The slots, in the order of the list.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// When the source is to be asked next. `None`: now.
    #[must_use]
    pub const fn next_poll(&self) -> Option<Instant> {
        self.next_poll
    }

    /// When the source has answered last.
    #[must_use]
    pub const fn answered_at(&self) -> Option<Instant> {
        self.answered_at
    }

    /// Since when the source fails.
    #[must_use]
    pub const fn failing_since(&self) -> Option<Instant> {
        self.failing_since
    }

    /// Whether a change was refused that the caller may [accept](Self::accept).
    #[must_use]
    pub const fn has_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// How long one question to the source may take.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.pace.timeout
    }

    /// Takes the change that was refused last, if the source still says so when it is asked next, which is now. Returns
    /// whether there is one.
    pub fn accept(&mut self) -> bool {
        self.accepted = self.refused.take();
        if self.accepted.is_some() {
            self.next_poll = None;
        }
        self.accepted.is_some()
    }

    /// Notes an answer that came at `now`. `share` tells which share of the keys a change from one list to another moves or
    /// leaves without a server, or why the second is none for the scheme. `random` is any number.
    pub fn answered<E: core::fmt::Display>(
        &mut self,
        answer: Answer,
        now: Instant,
        random: u32,
        share: impl FnMut(&[Slot], &[Slot]) -> Result<f64, E>,
    ) -> Vec<Report> {
        if answer.servers.is_empty() {
            return self.failed(Why::Empty, now, random).into_iter().collect();
        }
        let mut reports = Vec::new();
        if let Err(why) = self.take(answer.servers, now, share, &mut reports) {
            return self.failed(why, now, random).into_iter().collect();
        }
        if self.failing_since.take().is_some() {
            reports.insert(0, Report::Recovered);
        }
        self.failures = 0;
        self.answered_at = Some(now);
        let ttl = answer.ttl.filter(|_| self.pace.interval.is_none()).map(|ttl| ttl.clamp(SOONEST, LATEST));
        let wait = ttl.unwrap_or(self.interval);
        // What is seen for the first time is to be seen again, or gone, when it has lasted long enough.
        let wait = if self.proposed.is_some() { wait.min(self.pace.damping) } else { wait };
        self.wait(wait, now, random);
        reports
    }

    /// Notes that the source has failed at `now`. The servers stay as they are.
    pub fn failed(&mut self, why: Why, now: Instant, random: u32) -> Option<Report> {
        let wait = SOONEST.saturating_mul(1 << self.failures.min(6)).min(LATEST);
        self.failures = self.failures.saturating_add(1);
        self.wait(wait, now, random);
        match self.failing_since {
            Some(_) => None,
            None => {
                self.failing_since = Some(now);
                Some(Report::Failed(why))
            }
        }
    }

    fn wait(&mut self, wait: Duration, now: Instant, random: u32) {
        let part = 0.9 + 0.2 * f64::from(random) / f64::from(u32::MAX);
        self.next_poll = now.checked_add(wait.max(LEAST).mul_f64(part));
    }

    fn take<E: core::fmt::Display>(
        &mut self,
        servers: Servers,
        now: Instant,
        mut share: impl FnMut(&[Slot], &[Slot]) -> Result<f64, E>,
        reports: &mut Vec<Report>,
    ) -> Result<(), Why> {
        let rules =
            Rules { count: self.pace.count, shrink_after: self.pace.shrink_after, naming: &self.pace.naming };
        let wanted = match servers {
            Servers::Members(members) => assign(&self.slots, &members, now, rules),
            Servers::List(list) => list.into_iter().map(Slot::of).collect(),
        };
        if wanted.is_empty() {
            return Err(Why::Empty);
        }
        let mut share = |before: &[Slot], after: &[Slot]| {
            share(before, after).map_err(|error| Why::Unfit(error.to_string()))
        };
        if self.slots.is_empty() {
            share(&wanted, &wanted)?;
            self.slots = wanted;
            reports.push(Report::Changed { share: 1.0 });
            return Ok(());
        }
        // Addresses first: they move no key.
        let at_once: Vec<_> = self.slots.iter().map(|slot| readdressed(slot, &wanted)).collect();
        for (before, after) in self.slots.iter().zip(&at_once) {
            if before.spec.address() != after.spec.address() {
                reports.push(Report::AddressChanged { server: after.spec.name().to_owned() });
            }
        }
        let is_back =
            self.slots.iter().zip(&at_once).any(|(before, after)| before.is_free() != after.is_free());
        let before = core::mem::replace(&mut self.slots, at_once);
        let outline = outline(&wanted);
        if outline == self::outline(&self.slots) {
            (self.proposed, self.refused, self.accepted) = (None, None, None);
            if is_back {
                reports.push(Report::Changed { share: share(&before, &self.slots)? });
            }
            self.slots = wanted;
            return Ok(());
        }
        let proposed = match self.proposed.take() {
            Some(Proposed { outline: earlier, answers, since }) if earlier == outline => {
                Proposed { outline, answers: answers.saturating_add(1), since }
            }
            _ => Proposed { outline, answers: 1, since: now },
        };
        let has_lasted = proposed.answers >= self.pace.answers.max(1)
            || now.saturating_duration_since(proposed.since) >= self.pace.damping;
        if has_lasted {
            let moved = share(&self.slots, &wanted)?;
            let is_accepted = self.accepted.as_ref() == Some(&proposed.outline);
            if is_accepted || self.pace.max_share.is_none_or(|most| moved <= most) {
                (self.refused, self.accepted) = (None, None);
                self.slots = wanted;
                reports.push(Report::Changed { share: moved });
                return Ok(());
            }
            if self.refused.as_ref() != Some(&proposed.outline) {
                self.refused = Some(proposed.outline.clone());
                reports.push(Report::Refused { share: moved });
            }
        }
        self.proposed = Some(proposed);
        Ok(())
    }
}

/// The slot with the server that it has among `wanted`, but with its old weight; itself, if it has none there.
fn readdressed(slot: &Slot, wanted: &[Slot]) -> Slot {
    match wanted.iter().find(|other| other.spec.name() == slot.spec.name()) {
        Some(other) if !other.is_free() => {
            Slot { spec: other.spec.clone().weighing(slot.spec.weight()), ..other.clone() }
        }
        _ => slot.clone(),
    }
}

fn outline(slots: &[Slot]) -> Outline {
    let line = |slot: &Slot| {
        (slot.spec.name().to_owned(), slot.spec.weight(), slot.identity.clone(), slot.is_free())
    };
    slots.iter().map(line).collect()
}

/// How soon a source is asked again at the earliest: after a failure, or when it says that its answer is good for less.
const SOONEST: Duration = Duration::from_secs(1);

/// How late a source is asked again at the latest, whatever it says.
const LATEST: Duration = Duration::from_secs(60);

/// The least of a caller's intervals.
const LEAST: Duration = Duration::from_millis(1);
