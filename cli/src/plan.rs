//! `memring plan`: what a change of servers or of the client costs, before it is made.

use std::collections::{BTreeMap, BTreeSet};

use lists::ListArgs;
use memring_core::{
    Server, ServerIndex,
    plan::{Counted, Plan, Precision, SAMPLE},
};

use crate::{
    failure::{Failure, Outcome},
    output,
    sample::{self, Known},
    scheme_args::{Choice, Placed, SchemeArgs, assignment, build, indexes, options},
    servers::{NameArgs, NamedServer},
    settings::Settings,
    share, warnings,
};

mod lists;
mod pace;
mod page;
mod picture;
mod report;
mod rows;
mod steps;

use steps::{StepArgs, Steps};

/// Says which share of the keys a change moves, and from where to where.
///
/// Files of servers are those of `memring where`. A key moves when its server has another name after the change. Right after
/// it, the hit rate is about the old one times the share that stays. Rings are compared arc by arc and modulo slot by slot,
/// which is exact; what can be compared in neither way is sampled, and the report says so.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    lists: ListArgs,

    #[command(flatten)]
    names: NameArgs,

    #[command(flatten)]
    scheme: SchemeArgs,

    /// Whose placement to use after the change. Without it, the same as before.
    #[arg(long, value_name = "NAME")]
    new_scheme: Option<String>,

    /// An option of the scheme after the change. If the scheme stays, the options from before it stay, too.
    #[arg(long = "new-option", value_name = "NAME=VALUE", value_parser = assignment)]
    new_options: Vec<String>,

    /// A file of keys, one a line, as `memring where` has them; `-` is standard input. All shares are then shares of these keys.
    #[arg(long, value_name = "FILE")]
    keys: Option<String>,

    /// Prints JSON.
    #[arg(long)]
    json: bool,

    /// Also draws the change, into an SVG file.
    #[arg(long, value_name = "FILE")]
    svg: Option<String>,

    /// Also writes a page of the change: one HTML file that needs nothing else, with both rings, and with the old and the new
    /// server of any key that is typed or pasted there.
    #[arg(long, value_name = "FILE")]
    html: Option<String>,

    #[command(flatten)]
    steps: StepArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let sources =
        [args.lists.read_stdin(), args.scheme.settings.is_stdin(), args.keys.as_deref() == Some("-")];
    if sources.into_iter().filter(|is_stdin| *is_stdin).count() > 1 {
        return Err(Failure::usage("only one of --old, --new, --config and --keys can be standard input"));
    }
    let settings = args.scheme.settings.read(args.lists.name_the_old())?;
    let old_choice = args.scheme.choice(&settings)?;
    let new_choice = args.new_choice(&old_choice)?;
    let (old_scheme, new_scheme) = (old_choice.scheme()?, new_choice.scheme()?);
    let (old_servers, new_servers) = args.lists.servers(args.names, &settings)?;
    if args.steps.steps {
        return print_steps(args, &old_choice, &settings, [&old_servers, &new_servers]);
    }
    let (old, new) = (build(old_scheme, &old_servers)?, build(new_scheme, &new_servers)?);
    warnings::tell(&[(old_scheme, &old_servers), (new_scheme, &new_servers)]);
    check_pairs(old.servers().len(), new.servers().len())?;
    let (plan, known) = compare(&old, &new, args.keys.as_deref(), &settings)?;
    let change = Change {
        old: Side::new(old_choice.to_string(), &old, |server| plan.before(server)),
        new: Side::new(new_choice.to_string(), &new, |server| plan.after(server)),
        plan,
        known,
    };
    if let Some(path) = &args.svg {
        output::write_file(path, &picture::draw(&change))?;
    }
    if let Some(path) = &args.html {
        output::write_file(path, &page::write(&change, &old_choice, &new_choice))?;
    }
    if args.json {
        output::print_json(&change.json())?;
    } else {
        output::print(&change.to_string())?;
    }
    Ok(Outcome::Fine)
}

/// Prints the steps from the old servers to the new ones.
fn print_steps(
    args: &Args,
    choice: &Choice<'_>,
    settings: &Settings,
    [old, new]: [&[NamedServer]; 2],
) -> Result<Outcome, Failure> {
    let steps = Steps::find(args, choice, settings, [old, new])?;
    let scheme = choice.scheme()?;
    warnings::tell(&[(scheme, old), (scheme, new)]);
    if args.json {
        output::print_json(&steps.json())?;
    } else {
        output::print(&steps.to_string())?;
    }
    Ok(Outcome::Fine)
}

/// Refuses lists of which a plan would be too large.
fn check_pairs(before: usize, after: usize) -> Result<(), Failure> {
    if before.saturating_mul(after) <= MOST_PAIRS {
        return Ok(());
    }
    Err(Failure::usage(format_args!(
        "{before} servers before and {after} after make more than the {MOST_PAIRS} pairs that a plan compares; \
         `memring spread` says who has how much of either list"
    )))
}

/// Compares the two placements: exactly if that can be done, with the keys of a file if there is one, else with a sample.
fn compare(
    old: &Placed<'_>,
    new: &Placed<'_>,
    keys: Option<&str>,
    settings: &Settings,
) -> Result<(Compared, Known), Failure> {
    let mut counted = Counted::new(old.servers().len(), new.servers().len());
    let add = |[from, to]: [ServerIndex; 2]| counted.add(from, to);
    if let Some(path) = keys {
        sample::place_own(path, &|key| settings.placed(key), [old, new], add)?;
        let keys = counted.keys();
        return Ok((counted.plan(old, new, Precision::Exact), Known::Own { path: path.to_owned(), keys }));
    }
    if let Some(plan) = Plan::exact(old, new) {
        return Ok((plan, Known::Of(Precision::Exact)));
    }
    sample::place_sample([old, new], add)?;
    let precision = Precision::Sampled { keys: SAMPLE };
    Ok((counted.plan(old, new, precision), Known::Of(precision)))
}

/// Most pairs of a server before and one after: of more, the shares alone would take hundreds of megabytes.
const MOST_PAIRS: usize = 1 << 24;

impl Args {
    fn new_choice<'a>(&'a self, old: &Choice<'a>) -> Result<Choice<'a>, Failure> {
        let mut choice = match self.new_scheme.as_deref() {
            Some(name) => Choice { name, options: Vec::new() },
            None => old.clone(),
        };
        choice.options.extend(options("--new-option", &self.new_options)?);
        Ok(choice)
    }
}

/// A plan with its shares.
type Compared = Plan<Box<[f64]>>;

/// A change of placement and what it does.
struct Change<'a> {
    old: Side<'a>,
    new: Side<'a>,
    plan: Compared,
    known: Known,
}

/// One of the two placements.
struct Side<'a> {
    title: String,
    placed: &'a Placed<'a>,
    /// The share that each server has.
    shares: Vec<f64>,
    /// The share that it ought to have by its weight.
    fair: Vec<f64>,
}

impl<'a> Side<'a> {
    fn new(title: String, placed: &'a Placed<'a>, share: impl FnMut(ServerIndex) -> f64) -> Self {
        Self { title, placed, shares: indexes(placed).map(share).collect(), fair: share::fair(placed) }
    }

    fn servers(&self) -> &'a [Server<'a>] {
        self.placed.servers()
    }

    fn name(&self, server: ServerIndex) -> &'a str {
        self.servers().get(server.get()).map_or("", |server| server.name)
    }

    fn names(&self) -> BTreeSet<&'a str> {
        self.servers().iter().map(|server| server.name).collect()
    }

    /// What the server called `name` has, however often it is in the list.
    fn share_of(&self, name: &str) -> f64 {
        let same = self.servers().iter().zip(&self.shares).filter(|(server, _)| server.name == name);
        same.map(|(_, share)| share).sum()
    }
}

impl Change<'_> {
    /// The share that would stay if shares followed the weights exactly and nothing moved in vain: n / (n + m) when m
    /// servers join n. A placement whose shares are uneven can be luckier.
    fn ideal(&self) -> f64 {
        let mut least: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for (server, fair) in self.old.servers().iter().zip(&self.old.fair) {
            least.entry(server.name).or_default().0 += fair;
        }
        for (server, fair) in self.new.servers().iter().zip(&self.new.fair) {
            least.entry(server.name).or_default().1 += fair;
        }
        least.values().map(|(before, after)| before.min(*after)).sum()
    }

    /// The shares that go from one server to another, largest first.
    fn moves(&self) -> Vec<(ServerIndex, ServerIndex, f64)> {
        let moves = self.plan.shares().filter(|&(from, to, _)| !self.stays(from, to));
        let mut moves: Vec<_> = moves.collect();
        moves.sort_by(|left, right| right.2.total_cmp(&left.2));
        moves
    }

    /// Whether the two are the same server.
    fn stays(&self, from: ServerIndex, to: ServerIndex) -> bool {
        self.old.name(from) == self.new.name(to)
    }
}
