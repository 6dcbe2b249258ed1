//! The course of a transition: which phase it is in, when the next begins, and the way back.

use core::{error, fmt, time::Duration};
use std::time::Instant;

/// How far a client is on its way to other servers. The [module](super) says what each does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The old list alone.
    Old,
    /// Reads and writes the old server, and deletes at the new one. Fits both those before it and those after it.
    Guard,
    /// As Guard; what the old server does not have is asked of the new one.
    Prepare,
    /// The new server is the true one, and items are taken there when they are asked for.
    Move,
    /// Reads and writes the new server, and still deletes at the old one.
    Seal,
    /// The new list alone.
    New,
}

/// What a transition is to be like.
///
/// ```
/// use std::time::Duration;
/// use memring_client::transition::Transition;
///
/// // Of one process: it begins to move at once.
/// let alone = Transition::new("2026-03-four-servers");
/// // Of a fleet that takes up to ten minutes to learn of it.
/// let fleet = Transition::new("2026-03-four-servers").guard_for(Duration::from_secs(15 * 60));
/// # let _ = (alone, fleet);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    pub(crate) id: String,
    guard_for: Duration,
    prepare_for: Duration,
    move_for: Duration,
    seal_for: Duration,
    ramp: Duration,
}

impl Transition {
    /// A transition of one process, which moves items for an hour and then seals for a minute.
    ///
    /// All processes of one transition give it the same `id`, and no two transitions have the same: under it, the new servers
    /// keep a mark in time. Items that they had before that are from an earlier change, and are not read.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            guard_for: Duration::ZERO,
            prepare_for: Duration::ZERO,
            move_for: Duration::from_secs(60 * 60),
            seal_for: Duration::from_secs(60),
            ramp: Duration::ZERO,
        }
    }

    /// How long Guard lasts, and Prepare after it: longer than all processes take to begin. Without it there is neither, which is
    /// right for a single process only.
    #[must_use]
    pub fn guard_for(self, time: Duration) -> Self {
        Self { guard_for: time, prepare_for: time, ..self }
    }

    /// How long Prepare lasts, if not as long as Guard.
    #[must_use]
    pub fn prepare_for(self, time: Duration) -> Self {
        Self { prepare_for: time, ..self }
    }

    /// How long items are moved: at least as long as the longest of them lives.
    #[must_use]
    pub fn move_for(self, time: Duration) -> Self {
        Self { move_for: time, ..self }
    }

    /// How long the old servers are still written to afterwards: longer than all processes take to end Move, and at least 30
    /// seconds, after which every mark has ended.
    #[must_use]
    pub fn seal_for(self, time: Duration) -> Self {
        Self { seal_for: time, ..self }
    }

    /// In which time the share of the keys grows from none to all that Move moves; the others stay in Prepare meanwhile.
    #[must_use]
    pub fn ramp(self, time: Duration) -> Self {
        Self { ramp: time, ..self }
    }

    /// # Errors
    /// What makes no sense.
    pub(crate) fn check(&self) -> Result<(), TransitionError> {
        if self.id.is_empty()
            || self.id.len() > LONGEST_ID
            || !self.id.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(TransitionError::Id);
        }
        if self.seal_for < SHORTEST_SEAL {
            return Err(TransitionError::Seal);
        }
        if self.ramp > self.move_for {
            return Err(TransitionError::Ramp);
        }
        Ok(())
    }
}

const LONGEST_ID: usize = 100;

/// The longest life of a mark.
const SHORTEST_SEAL: Duration = Duration::from_secs(30);

/// What cannot be done with a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransitionError {
    /// Its name is empty, too long, or has characters that are no text.
    Id,
    /// This client has begun one of that name before.
    UsedId,
    /// It does not seal for long enough.
    Seal,
    /// Its ramp is longer than Move.
    Ramp,
    /// Another one is under way.
    Busy,
    /// None is under way.
    None,
    /// Others may still be in an earlier phase: this one lasts for that long still.
    Early(Duration),
    /// There is no way back any more.
    TooLate,
}

impl fmt::Display for TransitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => {
                write!(f, "a transition's id is 1 to {LONGEST_ID} printable ASCII characters without blanks")
            }
            Self::UsedId => f.write_str(
                "this client has begun a transition with that id before; every transition has an id of its own, also after a cancel",
            ),
            Self::Seal => {
                write!(f, "seal_for is at least {} s, in which every mark ends", SHORTEST_SEAL.as_secs())
            }
            Self::Ramp => f.write_str("the ramp is longer than move_for"),
            Self::Busy => f.write_str("a transition is under way; wait for its end, or cancel it"),
            Self::None => f.write_str("no transition is under way"),
            Self::Early(left) => {
                write!(
                    f,
                    "other processes may still be in an earlier phase; this one lasts for {} s more",
                    left.as_secs().max(1)
                )
            }
            Self::TooLate => f.write_str(
                "items have been moved and sealed; begin another transition when this one is done",
            ),
        }
    }
}

impl error::Error for TransitionError {}

/// A transition in time. A function of what was called and when, and of nothing else.
#[derive(Clone, Debug)]
pub struct Course {
    transition: Transition,
    phase: Phase,
    since: Instant,
    is_back: bool,
}

impl Course {
    /// The id of the transition.
    pub(crate) fn id(&self) -> &str {
        &self.transition.id
    }

    /// Begins at `now`.
    ///
    /// # Errors
    /// [`TransitionError`]: the transition makes no sense.
    pub fn begin(transition: Transition, now: Instant) -> Result<Self, TransitionError> {
        transition.check()?;
        let mut course = Self { transition, phase: Phase::Guard, since: now, is_back: false };
        course.phase_at(now);
        Ok(course)
    }

    /// The phase at `now`. Time leads on, and on the way back it leads back.
    pub fn phase_at(&mut self, now: Instant) -> Phase {
        while let Some((next, after)) = self.next() {
            match self.since.checked_add(after) {
                Some(at) if at <= now => (self.phase, self.since) = (next, at),
                _ => break,
            }
        }
        self.phase
    }

    /// Whether the transition is taken back.
    #[must_use]
    pub const fn is_back(&self) -> bool {
        self.is_back
    }

    /// Leads on to the next phase now.
    ///
    /// # Errors
    /// [`TransitionError::Early`] when others may still be in a phase that does not fit that one: in Guard and Seal.
    pub fn advance(&mut self, now: Instant) -> Result<Phase, TransitionError> {
        let phase = self.phase_at(now);
        let Some((next, after)) = self.next() else { return Err(TransitionError::None) };
        let left = after.saturating_sub(now.saturating_duration_since(self.since));
        let is_mixed = matches!((phase, self.is_back), (Phase::Prepare | Phase::Move, _));
        if !is_mixed && !left.is_zero() {
            return Err(TransitionError::Early(left));
        }
        (self.phase, self.since) = (next, now);
        Ok(self.phase_at(now))
    }

    /// Turns back: from Move to Prepare at once, then to Guard and to the old list.
    ///
    /// # Errors
    /// [`TransitionError::TooLate`] from Seal on.
    pub fn cancel(&mut self, now: Instant) -> Result<Phase, TransitionError> {
        match self.phase_at(now) {
            Phase::Seal | Phase::New => return Err(TransitionError::TooLate),
            _ if self.is_back => {}
            Phase::Move => (self.phase, self.since, self.is_back) = (Phase::Prepare, now, true),
            _ => (self.since, self.is_back) = (now, true),
        }
        Ok(self.phase_at(now))
    }

    /// The phase of the key with this hash at `now`: while Move ramps up, some are still in Prepare.
    pub fn phase_of(&mut self, hash: u64, now: Instant) -> Phase {
        let phase = self.phase_at(now);
        let ramp = self.transition.ramp;
        if phase != Phase::Move || ramp.is_zero() {
            return phase;
        }
        let share = now.saturating_duration_since(self.since).as_secs_f64() / ramp.as_secs_f64();
        // The upper half has digits enough.
        let is_moved = share >= 1.0 || f64::from((hash >> 32) as u32) < share * f64::from(u32::MAX);
        if is_moved { Phase::Move } else { Phase::Prepare }
    }

    /// The next phase, and how long this one lasts.
    const fn next(&self) -> Option<(Phase, Duration)> {
        let Transition { guard_for, prepare_for, move_for, seal_for, .. } = self.transition;
        Some(match (self.phase, self.is_back) {
            (Phase::Guard, false) => (Phase::Prepare, guard_for),
            (Phase::Prepare, false) => (Phase::Move, prepare_for),
            (Phase::Move, _) => (Phase::Seal, move_for),
            (Phase::Seal, _) => (Phase::New, seal_for),
            (Phase::Prepare, true) => (Phase::Guard, guard_for),
            (Phase::Guard, true) => (Phase::Old, guard_for),
            (Phase::Old | Phase::New, _) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn begun(transition: Transition) -> (Course, Instant) {
        let now = Instant::now();
        (Course::begin(transition, now).unwrap(), now)
    }

    #[test]
    fn time_leads_through_all_phases_and_ends() {
        let (mut course, now) = begun(Transition::new("t").guard_for(MINUTE).prepare_for(2 * MINUTE));
        let at =
            [(0, Phase::Guard), (1, Phase::Prepare), (3, Phase::Move), (63, Phase::Seal), (64, Phase::New)];
        for (minutes, phase) in at {
            assert_eq!(course.phase_at(now + minutes * MINUTE), phase);
        }
        assert_eq!(course.phase_at(now + 1000 * MINUTE), Phase::New);
        assert_eq!(begun(Transition::new("t")).0.phase_at(now), Phase::Move, "alone");
    }

    #[test]
    fn a_client_that_was_asleep_has_the_phase_of_the_time() {
        let (mut course, now) = begun(Transition::new("t").guard_for(MINUTE));
        assert_eq!(course.phase_at(now + 90 * MINUTE), Phase::New);
    }

    #[test]
    fn the_two_lines_are_kept_by_time() {
        let (mut course, now) = begun(Transition::new("t").guard_for(MINUTE));
        assert_eq!(course.advance(now), Err(TransitionError::Early(MINUTE)), "others may not have begun");
        assert_eq!(course.advance(now + MINUTE), Ok(Phase::Move), "from Prepare");
        assert_eq!(course.advance(now + MINUTE), Ok(Phase::Seal));
        assert!(
            matches!(course.advance(now + MINUTE), Err(TransitionError::Early(_))),
            "others may still move"
        );
        assert_eq!(course.phase_at(now + 2 * MINUTE), Phase::New);
        assert_eq!(course.advance(now + 3 * MINUTE), Err(TransitionError::None));
    }

    #[test]
    fn the_way_back_leads_through_prepare_and_guard() {
        let (mut course, now) = begun(Transition::new("t").guard_for(MINUTE));
        let now = now + 3 * MINUTE;
        assert_eq!(course.phase_at(now), Phase::Move);
        assert_eq!(course.cancel(now), Ok(Phase::Prepare));
        for (minutes, phase) in [(1, Phase::Guard), (2, Phase::Old), (99, Phase::Old)] {
            assert_eq!(course.phase_at(now + minutes * MINUTE), phase);
        }
        let (mut course, now) = begun(Transition::new("t").move_for(MINUTE).seal_for(MINUTE));
        assert_eq!(course.cancel(now + MINUTE), Err(TransitionError::TooLate));
        let (mut course, now) = begun(Transition::new("t").guard_for(MINUTE));
        assert_eq!((course.cancel(now), course.phase_at(now + MINUTE)), (Ok(Phase::Guard), Phase::Old));
    }

    #[test]
    fn a_ramp_moves_a_growing_share() {
        let (mut course, now) = begun(Transition::new("t").ramp(10 * MINUTE));
        let hashes = (0..1000_u64).map(|number| number << 54);
        for (minutes, moved) in [(0, 0), (5, 500), (10, 1000), (20, 1000)] {
            let phases = hashes.clone().map(|hash| course.phase_of(hash, now + minutes * MINUTE));
            let count = phases.filter(|phase| *phase == Phase::Move).count();
            assert!(count.abs_diff(moved) <= 30, "{minutes}: {count}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let begin = |transition| Course::begin(transition, Instant::now()).unwrap_err();
        assert_eq!(begin(Transition::new("")), TransitionError::Id);
        assert_eq!(begin(Transition::new("a b")), TransitionError::Id);
        assert_eq!(begin(Transition::new("t").seal_for(Duration::ZERO)), TransitionError::Seal);
        assert_eq!(begin(Transition::new("t").ramp(MINUTE).move_for(Duration::ZERO)), TransitionError::Ramp);
    }
}
