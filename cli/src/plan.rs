//! `memring plan`: what a change of servers or of the client costs, before it is made.

use std::collections::{BTreeMap, BTreeSet};

use memring_core::{Server, ServerIndex, plan::Plan};

use crate::{
    failure::{Failure, Outcome},
    input::{Input, Longest},
    output,
    scheme_args::{Choice, Placed, SchemeArgs, assignment, build, indexes, options},
    servers::NameArgs,
    share,
};

mod picture;
mod report;

/// Says which share of the keys a change moves, and from where to where.
///
/// Servers files are those of `memring where`. A key has moved when the name of its server is another
/// one; what stays is the hit rate to expect right after the change, of what was hit before it. Rings are compared arc
/// by arc and modulo slot by slot, which is exact; what can be compared in neither way is sampled, and the report says
/// so.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file of the servers as they are; `-` is standard input. Without it, those of the configuration file.
    #[arg(long, value_name = "FILE")]
    old: Option<String>,

    /// A file of the servers as they will be; `-` is standard input. Without it, only the scheme changes.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["new_scheme", "new_options"])]
    new: Option<String>,

    #[command(flatten)]
    names: NameArgs,

    #[command(flatten)]
    scheme: SchemeArgs,

    /// Whose placement to use after the change; the same as before it unless said.
    #[arg(long, value_name = "NAME")]
    new_scheme: Option<String>,

    /// An option of the scheme after the change; on top of those before it, if the scheme stays.
    #[arg(long = "new-option", value_name = "NAME=VALUE", value_parser = assignment)]
    new_options: Vec<String>,

    /// Prints JSON.
    #[arg(long)]
    json: bool,

    /// Draws the change into a file, too.
    #[arg(long, value_name = "FILE")]
    svg: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    if args.old.as_deref() == Some("-") && args.new.as_deref() == Some("-") {
        return Err(Failure::usage("only one of --old and --new can be standard input"));
    }
    let settings = args.scheme.settings.read(args.old.is_some())?;
    let old_choice = args.scheme.choice(&settings)?;
    let new_choice = args.new_choice(&old_choice);
    let (old_scheme, new_scheme) = (old_choice.scheme()?, new_choice.scheme()?);
    let read = |path: &str| Input::read(path, Longest::SERVER);
    let old_servers = match &args.old {
        Some(path) => args.names.servers_of(&read(path)?)?,
        None => args.names.servers_of_settings(&settings)?,
    };
    let new_servers = match &args.new {
        Some(path) => args.names.servers_of(&read(path)?)?,
        None => old_servers.clone(),
    };
    let (old, new) = (build(old_scheme, &old_servers)?, build(new_scheme, &new_servers)?);
    let (before, after) = (old.servers().len(), new.servers().len());
    let pairs = before.saturating_mul(after);
    if pairs > MOST_PAIRS {
        return Err(Failure::usage(format_args!(
            "{before} servers before and {after} after make more than the {MOST_PAIRS} pairs that a plan compares; \
             `memring spread` says who has how much of either list"
        )));
    }
    let plan = Plan::owned(&old, &new);
    let change = Change {
        old: Side::new(old_choice.to_string(), &old, |server| plan.before(server)),
        new: Side::new(new_choice.to_string(), &new, |server| plan.after(server)),
        plan,
    };
    if let Some(path) = &args.svg {
        output::write_file(path, &picture::draw(&change))?;
    }
    if args.json {
        output::print_json(&change.json())?;
    } else {
        output::print(&change.to_string())?;
    }
    Ok(Outcome::Fine)
}

/// Most pairs of a server before and one after: of more, the shares alone would take hundreds of megabytes.
const MOST_PAIRS: usize = 1 << 24;

impl Args {
    fn new_choice<'a>(&'a self, old: &Choice<'a>) -> Choice<'a> {
        let mut choice = match self.new_scheme.as_deref() {
            Some(name) => Choice { name, options: Vec::new() },
            None => old.clone(),
        };
        choice.options.extend(options(&self.new_options));
        choice
    }
}

/// A change of placement and what it does.
struct Change<'a> {
    old: Side<'a>,
    new: Side<'a>,
    plan: Plan<Box<[f64]>>,
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
