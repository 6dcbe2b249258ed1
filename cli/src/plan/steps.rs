//! The steps of a change: which server joins or leaves when, so that misses stay under a limit.

use core::{fmt, time::Duration};

use memring_core::AsServer as _;
use serde_json::{Value, json};

use super::{
    Args, check_pairs, compare,
    pace::{Load, Pace, Paced},
};
use crate::{
    duration::duration,
    failure::Failure,
    sample::Known,
    scheme_args::{Choice, build},
    servers::NamedServer,
    settings::Settings,
    share::{self, percent},
    table::{Align, Table},
    visible::Visible,
};

/// What `--steps` needs to know.
#[derive(Debug, clap::Args)]
pub(super) struct StepArgs {
    /// Says in which order the servers join and leave, one at a time, and how long to wait before each, so that misses a
    /// second stay under --max-misses. A server whose keys may not move at once comes in parts: shares of its keys, or of its
    /// weight where a scheme heeds weights.
    ///
    /// Servers join before others leave, or take their places one for one, whichever moves less. The model behind the
    /// pauses asks for all items equally often; in truth hot ones are back sooner and rare ones later.
    #[arg(
        long,
        requires_all = ["rate", "hit_ratio", "ttl", "max_misses"],
        conflicts_with_all = ["new_scheme", "new_options", "svg", "html"]
    )]
    pub(super) steps: bool,

    /// Requests a second to all servers together, for --steps.
    #[arg(long, value_name = "NUMBER", requires = "steps")]
    rate: Option<f64>,

    /// The share of the requests that are hits when nothing moves, such as 0.95, for --steps.
    #[arg(long, value_name = "RATIO", requires = "steps")]
    hit_ratio: Option<f64>,

    /// How long an item lives, such as `1h`, for --steps.
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "steps")]
    ttl: Option<Duration>,

    /// The most misses a second that are borne, for --steps.
    #[arg(long, value_name = "NUMBER", requires = "steps")]
    max_misses: Option<f64>,

    /// The longest pause between two steps: with shorter ones, a change has more parts and is over sooner. Without it, the time
    /// between two requests for an item.
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "steps")]
    pause: Option<Duration>,
}

impl StepArgs {
    fn load(&self) -> Result<Load, Failure> {
        // clap asks for all four; what is missing all the same is refused as the number that it is not.
        Load::new(
            self.rate.unwrap_or(f64::NAN),
            self.hit_ratio.unwrap_or(f64::NAN),
            self.ttl.unwrap_or_default(),
            self.max_misses.unwrap_or(f64::NAN),
        )
    }
}

/// A change of the servers, step by step.
pub(super) struct Steps {
    title: String,
    load: Load,
    longest_pause: f64,
    known: Known,
    /// The share that moves if the whole change is made at once.
    moved_at_once: f64,
    /// In order.
    stages: Vec<Stage>,
    /// In order; each is a part of a stage.
    steps: Vec<Step>,
}

/// One change of the list.
struct Stage {
    change: Named,
    /// The list after it.
    servers: Vec<NamedServer>,
    moved: f64,
}

/// The names that a change of the list is about.
#[derive(Clone, Default)]
struct Named {
    add: Vec<String>,
    remove: Vec<String>,
}

/// A stage, or a part of one.
struct Step {
    stage: usize,
    part: u32,
    parts: u32,
    moved: f64,
    /// When it is made, in seconds from the first.
    at: f64,
    paced: Paced,
}

impl Steps {
    /// Finds the steps from `old` to `new`.
    pub(super) fn find(
        args: &Args,
        choice: &Choice<'_>,
        settings: &Settings,
        [old, new]: [&[NamedServer]; 2],
    ) -> Result<Self, Failure> {
        let load = args.steps.load()?;
        let longest_pause = match args.steps.pause {
            Some(pause) if pause.is_zero() => {
                return Err(Failure::usage(
                    "--pause 0s: without a pause nothing is stored again between two steps",
                ));
            }
            Some(pause) => pause.as_secs_f64(),
            None => 1.0 / load.asked(),
        };
        if args.keys.as_deref() == Some("-") {
            return Err(Failure::usage(
                "--keys -: the steps read the keys more than once; write them into a file",
            ));
        }
        let scheme = choice.scheme()?;
        let moved = |from: &[NamedServer], to: &[NamedServer]| {
            check_pairs(from.len(), to.len())?;
            let (plan, known) =
                compare(&build(scheme, from)?, &build(scheme, to)?, args.keys.as_deref(), settings)?;
            Ok::<_, Failure>((plan.moved(), known))
        };
        let (moved_at_once, known) = moved(old, new)?;
        let mut best: Option<(f64, Vec<Stage>)> = None;
        for in_place in [false, true] {
            let mut stages = Vec::new();
            let mut before = old.to_vec();
            for (change, servers) in lists(old, new, in_place) {
                let (moved, _) = moved(&before, &servers)?;
                before.clone_from(&servers);
                stages.push(Stage { change, servers, moved });
            }
            let sum = stages.iter().map(|stage| stage.moved).sum();
            if best.as_ref().is_none_or(|(least, _)| sum < *least) {
                best = Some((sum, stages));
            }
        }
        let stages = best.map(|(_, stages)| stages).unwrap_or_default();
        let steps = paced(&stages, load, longest_pause)?;
        Ok(Self { title: choice.to_string(), load, longest_pause, known, moved_at_once, stages, steps })
    }

    /// What all steps together move.
    fn moved(&self) -> f64 {
        self.stages.iter().map(|stage| stage.moved).sum()
    }

    /// When the last step is made.
    fn length(&self) -> f64 {
        self.steps.last().map_or(0.0, |step| step.at)
    }

    /// Everything, for machines.
    pub(super) fn json(&self) -> Value {
        let steps: Value = self
            .steps
            .iter()
            .zip(1..)
            .filter_map(|(step, number)| {
                let stage = self.stages.get(step.stage)?;
                let servers: Vec<_> = stage.servers.iter().map(|server| &server.name).collect();
                Some(json!({
                    "number": number,
                    "at_seconds": thousandths(step.at),
                    "pause_seconds": thousandths(step.paced.pause),
                    "add": stage.change.add,
                    "remove": stage.change.remove,
                    "part": step.part,
                    "parts": step.parts,
                    "moved": share::number(step.moved),
                    "misses": thousandths(step.paced.misses),
                    "servers": servers,
                }))
            })
            .collect();
        json!({
            "scheme": self.title,
            "rate": self.load.rate,
            "hit_ratio": self.load.hit_ratio,
            "ttl_seconds": self.load.ttl,
            "max_misses": self.load.max_misses,
            "longest_pause_seconds": thousandths(self.longest_pause),
            "misses_at_rest": thousandths(self.load.at_rest()),
            "share_at_once": share::number(self.load.at_once()),
            "precision": share::precision_object(&self.known, self.moved_at_once),
            "moved_at_once": share::number(self.moved_at_once),
            "moved": share::number(self.moved()),
            "extra_misses": thousandths(self.moved() * self.load.items()),
            "seconds": thousandths(self.length()),
            "steps": steps,
        })
    }
}

/// The parts of all stages, each with its pause.
fn paced(stages: &[Stage], load: Load, longest_pause: f64) -> Result<Vec<Step>, Failure> {
    let mut pace = Pace::new(load, longest_pause);
    let (mut steps, mut at) = (Vec::new(), 0.0);
    for (stage, moved) in stages.iter().map(|stage| stage.moved).enumerate() {
        let parts = pace.parts(moved);
        if steps.len() as f64 + parts > MOST_STEPS {
            return Err(Failure::usage(format_args!(
                "{} of the keys may move at once, which makes more than {MOST_STEPS} steps; raise --max-misses or --pause",
                percent(load.at_once())
            )));
        }
        let moved = moved / parts;
        for part in 1..=parts as u32 {
            let paced = pace.step(moved);
            at += paced.pause;
            steps.push(Step { stage, part, parts: parts as u32, moved, at, paced });
        }
    }
    Ok(steps)
}

/// The lists on the way from one list to another, the last of which is the other, each with what is changed by it.
///
/// Servers join one by one, each where it stands in the new list; then they leave, from the end. With `in_place`, servers that
/// take the place of others do so first.
fn lists(old: &[NamedServer], new: &[NamedServer], in_place: bool) -> Vec<(Named, Vec<NamedServer>)> {
    let has = |list: &[NamedServer], name: &str| list.iter().any(|server| server.name == name);
    let mut list = old.to_vec();
    let mut lists = Vec::new();
    if in_place {
        for (index, server) in new.iter().enumerate() {
            let Some(place) = list.get_mut(index) else { break };
            if has(old, &server.name) || has(new, &place.name) {
                continue;
            }
            let change = Named { add: vec![server.name.clone()], remove: vec![place.name.clone()] };
            *place = server.clone();
            lists.push((change, list.clone()));
        }
    }
    for (index, server) in new.iter().enumerate() {
        if has(&list, &server.name) {
            continue;
        }
        let mut before = new
            .iter()
            .take(index)
            .rev()
            .filter_map(|other| list.iter().rposition(|server| server.name == other.name));
        let at = before.next().map_or(0, |before| before + 1);
        list.insert(at, server.clone());
        lists.push((Named { add: vec![server.name.clone()], remove: Vec::new() }, list.clone()));
    }
    for server in old.iter().rev().filter(|server| !has(new, &server.name)) {
        if has(&list, &server.name) {
            list.retain(|other| other.name != server.name);
            lists.push((Named { add: Vec::new(), remove: vec![server.name.clone()] }, list.clone()));
        }
    }
    let is_new = list.len() == new.len()
        && list.iter().zip(new).all(|(one, other)| one.as_server() == other.as_server());
    if !is_new {
        lists.push((Named::default(), new.to_vec()));
    }
    lists
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Load { rate, hit_ratio, max_misses, .. } = self.load;
        writeln!(f, "{}, all shares are {}", self.title, share::precision(&self.known, self.moved_at_once))?;
        writeln!(f, "{rate} requests/s, hit ratio {hit_ratio}: {:.0} misses/s at rest", self.load.at_rest())?;
        writeln!(
            f,
            "at most {max_misses} misses/s: {} of the keys may move at once",
            percent(self.load.at_once())
        )?;
        if self.steps.is_empty() {
            return writeln!(f, "\nno server joins or leaves, and nothing moves");
        }
        let mut table = Table::new([Align::Right, Align::Right, Align::Right, Align::Left, Align::Left]);
        table.row(["step", "at", "wait", "what", "part", "moves", "misses/s"]);
        for (step, number) in self.steps.iter().zip(1..) {
            let what = self.stages.get(step.stage).map(|stage| stage.change.to_string()).unwrap_or_default();
            let part =
                if step.parts == 1 { "whole".to_owned() } else { format!("{}/{}", step.part, step.parts) };
            table.row([
                number.to_string(),
                Clock(step.at).to_string(),
                Clock(step.paced.pause).to_string(),
                what,
                part,
                percent(step.moved),
                format!("{:.0}", step.paced.misses),
            ]);
        }
        let (steps, moved) = (self.steps.len(), self.moved());
        writeln!(f, "\n{table}")?;
        writeln!(
            f,
            "{steps} step{} in {}, which move {} of the keys; at once it would be {}, and {:.0} misses/s",
            if steps == 1 { "" } else { "s" },
            Clock(self.length()),
            percent(moved),
            percent(self.moved_at_once),
            self.load.misses(self.moved_at_once)
        )?;
        writeln!(f, "{:.0} misses more than without the change, in all", moved * self.load.items())
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let added = self.add.iter().map(|name| ("add", name));
        let removed = self.remove.iter().map(|name| ("remove", name));
        let mut is_first = true;
        for (verb, name) in added.chain(removed) {
            let comma = if is_first { "" } else { ", " };
            write!(f, "{comma}{verb} {}", Visible::line(name))?;
            is_first = false;
        }
        if is_first { f.write_str("the new order and weights") } else { Ok(()) }
    }
}

/// A length of time in seconds, as `1:02:03`.
struct Clock(f64);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Upwards: who waits a second less has more misses than allowed.
        let seconds = self.0.ceil() as u64;
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

/// A number for machines, without noise behind its third digit.
fn thousandths(number: f64) -> Value {
    json!((number * 1e3).round() / 1e3)
}

/// More steps than anybody makes.
const MOST_STEPS: f64 = 1000.0;

#[cfg(test)]
mod tests {
    use super::*;
    use memring_core::Server;

    fn named(names: &str) -> Vec<NamedServer> {
        names.chars().map(|name| NamedServer::new(Server::new(&name.to_string()), String::new())).collect()
    }

    fn on_the_way(old: &str, new: &str, in_place: bool) -> Vec<String> {
        let lists = lists(&named(old), &named(new), in_place);
        lists.iter().map(|(_, list)| list.iter().map(|server| &*server.name).collect()).collect()
    }

    #[test]
    fn servers_join_where_they_stand_before_others_leave_from_the_end() {
        assert_eq!(on_the_way("ab", "abcd", false), ["abc", "abcd"]);
        assert_eq!(on_the_way("abcd", "ab", false), ["abc", "ab"]);
        assert_eq!(on_the_way("abc", "xaby", false), ["xabc", "xabyc", "xaby"]);
        assert_eq!(on_the_way("ab", "ab", false), [""; 0]);
    }

    #[test]
    fn a_server_may_take_the_place_of_another() {
        assert_eq!(on_the_way("abc", "axc", true), ["axc"]);
        assert_eq!(on_the_way("abc", "axcd", true), ["axc", "axcd"]);
        assert_eq!(on_the_way("abc", "xy", true), ["xbc", "xyc", "xy"]);
    }

    #[test]
    fn another_order_is_a_step_of_its_own() {
        assert_eq!(on_the_way("ab", "bac", false), ["acb", "bac"]);
    }

    #[test]
    fn every_way_ends_at_the_new_list() {
        let sets = ["a", "ab", "ba", "abc", "cab", "dab", "aab", "xyz", "abcdef"];
        for old in sets {
            for new in sets {
                for in_place in [false, true] {
                    let way = on_the_way(old, new, in_place);
                    assert_eq!(way.last().map_or(old, String::as_str), new, "{old} {way:?}");
                }
            }
        }
    }
}
