//! Processes in neighbouring phases, their messages in any order: no read is stale, by the rules of [`Moved`].
//!
//! One key, its two servers, and processes that each carry an operation message by message, in an order that is drawn. Items are
//! evicted, messages are lost before or after they had an effect, processes are killed and begin anew. A read is stale if it
//! returns a value whose write had ended before another write began that was acknowledged before the read began; and a count is
//! lost if a read that began after its acknowledgement returns a number without it. A miss is never stale.
//!
//! The obvious rule (read new, then old, and `add` what was found) has the same done to it, and fails: so these tests can fail.

use std::time::Instant;

use memring_text::StoreOutcome;

use super::{Moved, Next, Outcome, Phase, Side, Verb};
use crate::fetch::{Answer, Condition, Errand, Found, NoAnswer, Random, Write};

/// What both servers hold of the key, and what has become of writes.
struct World {
    /// Old, new.
    servers: [Option<Item>; 2],
    cas: u64,
    random: Random,
    writes: Vec<WriteEnd>,
    time: u64,
    /// What happened, for whoever looks for the reason.
    log: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    value: u64,
    is_mark: bool,
    cas: u64,
}

/// A write, whose number is its place.
#[derive(Clone, Copy, Debug)]
struct WriteEnd {
    began: u64,
    ended: Option<u64>,
    is_acknowledged: bool,
}

impl World {
    fn new(seed: u64, side: Side) -> Self {
        // The first value, which was there before everything else.
        let first = WriteEnd { began: 0, ended: Some(0), is_acknowledged: true };
        let item = Item { value: 0, is_mark: false, cas: 1 };
        let random = Random::new(seed);
        let servers = if side == Side::Old { [Some(item), None] } else { [None, Some(item)] };
        Self { servers, cas: 1, random, writes: vec![first], time: 1, log: Vec::new() }
    }

    fn below(&mut self, end: usize) -> usize {
        (self.random.next() >> 11) as usize % end
    }

    fn store(&mut self, side: Side, value: u64, is_mark: bool) -> Item {
        self.cas += 1;
        let item = Item { value, is_mark, cas: self.cas };
        self.servers[side as usize] = Some(item);
        item
    }

    fn apply(&mut self, side: Side, errand: &Errand) -> Answer {
        let here = self.servers[side as usize];
        let changed = |yes| Answer::Changed(if yes { StoreOutcome::Stored } else { StoreOutcome::NotFound });
        match errand {
            Errand::Read => Answer::Found(here.map(|item| found(item, false))),
            Errand::Mark(_) => match here {
                Some(item) => Answer::Found(Some(found(item, false))),
                None => Answer::Found(Some(found(self.store(side, 0, true), true))),
            },
            Errand::Delete => {
                self.servers[side as usize] = None;
                changed(here.is_some())
            }
            Errand::Discard(cas) => {
                let is_it = here.is_some_and(|item| item.cas == *cas);
                if is_it {
                    self.servers[side as usize] = None;
                }
                changed(is_it)
            }
            Errand::Write(write) => {
                let fits = match write.condition {
                    Condition::None => true,
                    Condition::Missing => here.is_none(),
                    Condition::Unchanged(cas) => here.is_some_and(|item| item.cas == cas),
                };
                if fits {
                    self.store(side, number(&write.value), false);
                }
                changed(fits)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Does what the caller of a write wants.
    fn perform(&mut self, side: Side, verb: Verb, write: u64, over: Option<u64>) -> Answer {
        let here = self.servers[side as usize];
        let fits = match (verb, over) {
            (_, Some(cas)) => here.is_some_and(|item| item.cas == cas),
            (Verb::Set, _) => true,
            (Verb::Add, _) => here.is_none(),
            (Verb::Count, _) => here.is_some_and(|item| !item.is_mark),
            (_, None) => here.is_some(),
        };
        if !fits {
            return Answer::Changed(StoreOutcome::NotFound);
        }
        let value = match (verb, here) {
            (Verb::Count, Some(item)) => item.value | (1 << write),
            _ => write,
        };
        self.store(side, value, false);
        Answer::Changed(StoreOutcome::Stored)
    }

    /// Whether a read that began then may not return `value`.
    fn is_stale(&self, value: u64, began: u64, is_counted: bool) -> bool {
        let known =
            |write: &&WriteEnd| write.is_acknowledged && write.ended.is_some_and(|ended| ended < began);
        let mut known = self.writes.iter().enumerate().filter(|(_, write)| known(write));
        if is_counted {
            return known.any(|(number, _)| number > 0 && value & (1 << number) == 0);
        }
        let Some(own) = self.writes.get(value as usize).and_then(|write| write.ended) else { return false };
        known.any(|(_, other)| own < other.began)
    }
}

fn found(item: Item, win: bool) -> Found {
    let value = if item.is_mark { String::new() } else { item.value.to_string() };
    let len = value.len() as u64;
    let taken = item.is_mark && !win;
    Found { value: value.into(), len, cas: item.cas, left: 100, win, taken, ..Found::default() }
}

fn number(value: &[u8]) -> u64 {
    core::str::from_utf8(value).unwrap().parse().unwrap()
}

/// The rules of an operation.
enum Rule {
    /// Those of this crate.
    Moved(Moved),
    /// Those that come to mind first: a place in the list of what they send, and what was read.
    Obvious(usize, Option<Found>),
}

impl Rule {
    fn next(&mut self, verb: Verb, now: Instant) -> Next {
        match self {
            Self::Moved(moved) => moved.next(now),
            Self::Obvious(step, read) => match (verb, *step) {
                (Verb::Get, 0) => Next::Send(Side::New, Errand::Read),
                (Verb::Get, 1) if read.is_none() => Next::Send(Side::Old, Errand::Read),
                (Verb::Get, 2) if read.is_some() => {
                    let value = read.clone().unwrap_or_default().value;
                    let ttl = memring_text::Ttl::NEVER;
                    let write = Write { flags: 0, value, ttl, condition: Condition::Missing };
                    Next::Send(Side::New, Errand::Write(write))
                }
                (Verb::Get, _) => Next::Done(Outcome::Item(read.clone().map(|found| (found, None)))),
                (Verb::Set, 0) => Next::Do(Side::New, None),
                (Verb::Set, 1) => Next::Send(Side::Old, Errand::Delete),
                (Verb::Delete, 0) => Next::Send(Side::New, Errand::Delete),
                (Verb::Delete, 1) => Next::Send(Side::Old, Errand::Delete),
                _ => Next::Done(Outcome::Changed(StoreOutcome::Stored)),
            },
        }
    }

    fn answered(&mut self, answer: Result<Answer, NoAnswer>, now: Instant) {
        match self {
            Self::Moved(moved) => moved.answered(answer, now),
            Self::Obvious(step, read) => {
                *step += 1;
                if let Ok(Answer::Found(Some(found))) = answer {
                    // What the new place has needs no fill.
                    *step = if *step == 1 { 3 } else { *step };
                    *read = Some(found);
                }
            }
        }
    }
}

/// A process, and the operation that it carries.
struct Process {
    phase: Phase,
    operation: Option<(Verb, Rule, u64, usize)>,
}

/// What is let loose.
#[derive(Clone, Copy)]
struct Scene<'s> {
    phases: &'s [Phase],
    verbs: &'s [Verb],
    /// How many items are evicted, and how many messages lost, in a hundred.
    evicted: usize,
    lost: usize,
    is_obvious: bool,
    /// Whether processes go on to the next phase of the scene by themselves.
    goes_on: bool,
}

/// Lets processes run; returns what happened if a read was stale, and how many reads were hits.
fn run(seed: u64, scene: Scene<'_>) -> Result<u32, Vec<String>> {
    let side = if scene.phases.iter().all(|phase| *phase >= Phase::Seal) { Side::New } else { Side::Old };
    let mut world = World::new(seed, side);
    let now = Instant::now();
    let first = if scene.goes_on { &scene.phases[..1] } else { scene.phases };
    let mut processes: Vec<_> = first
        .iter()
        .cycle()
        .take(3.max(first.len()))
        .map(|&phase| Process { phase, operation: None })
        .collect();
    let mut hits = 0;
    for _ in 0..60 {
        world.time += 1;
        let chance = |world: &mut World, percent: usize| world.below(100) < percent;
        if chance(&mut world, scene.evicted) {
            let side = world.below(2);
            world.servers[side] = None;
            world.log.push(format!("evicted {side}"));
        }
        let index = world.below(processes.len());
        let process = &mut processes[index];
        let Some((verb, rule, write, began)) = &mut process.operation else {
            if scene.goes_on && chance(&mut world, 20) {
                let at = scene.phases.iter().position(|phase| *phase == process.phase).unwrap_or(0);
                process.phase = *scene.phases.get(at + 1).unwrap_or(&process.phase);
            }
            let verb = scene.verbs[world.below(scene.verbs.len())];
            let rule = if scene.is_obvious {
                Rule::Obvious(0, None)
            } else {
                Rule::Moved(Moved::new(verb, process.phase, 0, 2, now))
            };
            let mut number = 0;
            if verb != Verb::Get {
                number = world.writes.len() as u64;
                world.writes.push(WriteEnd { began: world.time, ended: None, is_acknowledged: false });
            }
            world.log.push(format!("{index} {:?} begins {verb:?} #{number}", process.phase));
            process.operation = Some((verb, rule, number, world.time as usize));
            continue;
        };
        let (verb, write, began) = (*verb, *write, *began as u64);
        let end = |world: &mut World, is_acknowledged| {
            if write > 0 {
                let ended = Some(world.time);
                let own = &mut world.writes[write as usize];
                *own = WriteEnd { ended, is_acknowledged, ..*own };
            }
        };
        let next = rule.next(verb, now);
        let loses = scene.lost > 0 && chance(&mut world, scene.lost);
        let answer = match next {
            Next::Send(side, errand) => {
                let is_done = !loses || world.below(2) == 0;
                let answer = is_done.then(|| world.apply(side, &errand));
                world.log.push(format!(
                    "{index} {errand:?} {side:?}: {answer:?} lost {loses} {:?}",
                    world.servers
                ));
                answer
            }
            Next::Do(side, over) => {
                let is_done = !loses || world.below(2) == 0;
                let answer = is_done.then(|| world.perform(side, verb, write, over));
                world.log.push(format!(
                    "{index} does {side:?} {over:?}: {answer:?} lost {loses} {:?}",
                    world.servers
                ));
                answer
            }
            Next::Done(outcome) => {
                match outcome {
                    Outcome::Item(Some((found, _))) => {
                        hits += 1;
                        let is_counted = scene.verbs.contains(&Verb::Count);
                        let value = number(&found.value);
                        world.log.push(format!("{index} returns {value}"));
                        if world.is_stale(value, began, is_counted) {
                            return Err(world.log);
                        }
                    }
                    Outcome::Item(None) => {}
                    Outcome::Changed(outcome) => {
                        let is_done = outcome == StoreOutcome::Stored || verb == Verb::Delete;
                        world.log.push(format!("{index} acknowledged {is_done}"));
                        end(&mut world, is_done);
                    }
                }
                process.operation = None;
                continue;
            }
            Next::Failed(_) | Next::Wait(_) => {
                end(&mut world, false);
                process.operation = None;
                continue;
            }
        };
        // A process is killed in the middle of what it does.
        if scene.lost > 0 && chance(&mut world, 3) {
            end(&mut world, false);
            world.log.push(format!("{index} is killed"));
            process.operation = None;
            continue;
        }
        let answer = answer.filter(|_| !loses);
        rule.answered(answer.ok_or(NoAnswer::Lost), now);
    }
    Ok(hits)
}

const REGISTER: &[Verb] = &[Verb::Get, Verb::Get, Verb::Set, Verb::Delete];
const COUNTER: &[Verb] = &[Verb::Get, Verb::Count];
const WORDS: &[Verb] = &[Verb::Get, Verb::Set, Verb::Delete, Verb::Add, Verb::Replace];

/// Mixes that may be: all of the middle, and its ends.
const MIXES: &[&[Phase]] = {
    use Phase::{Guard, Move, New, Old, Prepare, Seal};
    &[
        &[Old, Guard, Guard],
        &[Guard, Prepare, Move],
        &[Guard, Move, Seal],
        &[Prepare, Move, Seal],
        &[Guard, Prepare, Move, Seal],
        &[Move, Move, Seal],
        &[Move, Move, Move],
        &[Seal, Seal, New],
    ]
};

const SCENE: Scene<'static> =
    Scene { phases: &[], verbs: REGISTER, evicted: 2, lost: 0, is_obvious: false, goes_on: false };

/// How many of the seeds had a stale read, and how many hits there were.
fn stale(scene: Scene<'_>, seeds: u64) -> (u32, u32) {
    let (mut stale, mut hits) = (0, 0);
    for seed in 0..seeds {
        match run(seed, scene) {
            Ok(count) => hits += count,
            Err(_) => stale += 1,
        }
    }
    (stale, hits)
}

#[track_caller]
fn never_stale(scene: Scene<'_>) {
    for seed in 0..SEEDS {
        if let Err(log) = run(seed, scene) {
            panic!("seed {seed}, {:?}:\n{}", scene.phases, log.join("\n"));
        }
    }
    let (_, hits) = stale(scene, 100);
    assert!(hits > 50, "{:?} {:?}: only {hits} reads had something to return", scene.phases, scene.verbs);
}

const SEEDS: u64 = 2000;

#[test]
fn no_read_is_stale_in_any_mix_that_may_be() {
    for phases in MIXES {
        for verbs in [REGISTER, COUNTER, WORDS] {
            never_stale(Scene { phases, verbs, ..SCENE });
        }
    }
}

#[test]
fn no_read_is_stale_when_messages_are_lost_and_processes_killed() {
    for phases in MIXES {
        for verbs in [REGISTER, COUNTER] {
            never_stale(Scene { phases, verbs, lost: 5, ..SCENE });
        }
    }
}

#[test]
fn processes_go_on_and_back_when_they_like() {
    use Phase::{Guard, Move, Prepare, Seal};
    for phases in [&[Guard, Prepare, Move, Seal][..], &[Move, Prepare, Guard]] {
        for verbs in [REGISTER, COUNTER] {
            never_stale(Scene { phases, verbs, goes_on: true, ..SCENE });
        }
    }
}

#[test]
fn the_obvious_rule_is_stale_here() {
    let (count, hits) =
        stale(Scene { phases: &[Phase::Move; 3], is_obvious: true, evicted: 0, ..SCENE }, SEEDS);
    assert!(count > 20 && hits > 100, "{count} of {SEEDS}");
}

#[test]
fn mixes_that_may_not_be_are_stale_here() {
    for phases in [[Phase::Old, Phase::Move, Phase::Move], [Phase::Guard, Phase::New, Phase::New]] {
        let (count, _) = stale(Scene { phases: &phases, ..SCENE }, SEEDS);
        assert!(count > 20, "{phases:?}: {count} of {SEEDS}");
    }
}
