//! `memring spread`: which share of the keys each server has, against its weight.

use core::fmt;

use memring_core::{
    Server, ServerIndex,
    plan::{self, Precision},
    scheme::Weights,
};
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Outcome},
    output,
    sample::{self, Known},
    scheme_args::{Placed, SchemeArgs, build},
    servers::{NameArgs, ServerArgs},
    settings::Settings,
    share::{self, percent, signed_percent},
    table::{Align, Table},
    warnings,
};

mod picture;

/// Says which share of the keys each server has, against its weight.
///
/// Exact for rings and modulo; for schemes that compute servers, sampled, and the report says so.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    scheme: SchemeArgs,

    #[command(flatten)]
    servers: ServerArgs,

    #[command(flatten)]
    names: NameArgs,

    /// A file of keys, one a line, as `memring where` has them; `-` is standard input. All shares are those of these keys then.
    #[arg(long, value_name = "FILE")]
    keys: Option<String>,

    /// Prints JSON.
    #[arg(long)]
    json: bool,

    /// Draws the shares into a file, too.
    #[arg(long, value_name = "FILE")]
    svg: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let sources =
        [args.servers.is_stdin(), args.scheme.settings.is_stdin(), args.keys.as_deref() == Some("-")];
    if sources.into_iter().filter(|is_stdin| *is_stdin).count() > 1 {
        return Err(Failure::usage("only one of --servers, --config and --keys can be standard input"));
    }
    let settings = args.scheme.settings.read(args.servers.are_given())?;
    let choice = args.scheme.choice(&settings)?;
    let scheme = choice.scheme()?;
    let servers = args.servers.named(args.names, &settings)?;
    let placed = build(scheme, &servers)?;
    warnings::tell(&[(scheme, &servers)]);
    let spread = Spread::of(choice.to_string(), &placed, shares(&placed, args.keys.as_deref(), &settings)?);
    if let Some(path) = &args.svg {
        output::write_file(path, &picture::draw(&spread))?;
    }
    if args.json {
        output::print_json(&spread.json())?;
    } else {
        output::print(&spread.to_string())?;
    }
    Ok(Outcome::Fine)
}

/// The share of each server: exactly if that can be known, of the keys of a file if there is one, else of a sample.
fn shares(
    placed: &Placed<'_>,
    keys: Option<&str>,
    settings: &Settings,
) -> Result<(Box<[f64]>, Known), Failure> {
    let (mut counts, mut all) = (vec![0.0; placed.servers().len()].into_boxed_slice(), 0_u64);
    let add = |[server]: [ServerIndex; 1]| {
        all += 1;
        if let Some(count) = counts.get_mut(server.get()) {
            *count += 1.0;
        }
    };
    let known = match keys {
        Some(path) => {
            sample::place_own(path, &|key| settings.placed(key), [placed], add)?;
            Known::Own { path: path.to_owned(), keys: all }
        }
        None => {
            if let Some(shares) = plan::exact_shares(placed) {
                return Ok((shares, Known::Of(Precision::Exact)));
            }
            sample::place_sample([placed], add)?;
            Known::Of(Precision::Sampled { keys: plan::SAMPLE })
        }
    };
    counts.iter_mut().for_each(|count| *count /= all as f64);
    Ok((counts, known))
}

/// Which server has how much.
struct Spread<'a> {
    title: String,
    placed: &'a Placed<'a>,
    loads: Vec<Load<'a>>,
    /// How well the shares are known, in words and for machines.
    known: (String, Value),
}

/// What one server has.
struct Load<'a> {
    server: Server<'a>,
    share: f64,
    /// The share that it ought to have by its weight.
    fair: f64,
}

impl Load<'_> {
    /// How much more than its weight it has: 0.1 is a tenth. `None` if its weight is zero.
    fn excess(&self) -> Option<f64> {
        (self.fair > 0.0).then(|| self.share / self.fair - 1.0)
    }
}

impl<'a> Spread<'a> {
    fn of(title: String, placed: &'a Placed<'a>, (shares, known): (Box<[f64]>, Known)) -> Self {
        let loads: Vec<_> = shares
            .iter()
            .zip(placed.servers())
            .zip(share::fair(placed))
            .map(|((&share, &server), fair)| Load { server, share, fair })
            .collect();
        let largest = loads.iter().map(|load| load.share).fold(0.0, f64::max);
        let known = (share::precision(&known, largest), share::precision_object(&known, largest));
        Self { title, placed, loads, known }
    }

    /// Whether the scheme heeds weights at all.
    fn heeds_weights(&self) -> bool {
        self.placed.scheme().weights != Weights::Ignored
    }

    /// What shares are held to, as the table says it.
    fn measure(&self) -> (&'static str, &'static str) {
        match self.heeds_weights() {
            true => ("to weight", "│ is the share by weight"),
            false => ("to even", "│ is an even share"),
        }
    }

    /// What those with the most and the least are called.
    fn captions(&self) -> [&'static str; 2] {
        match self.heeds_weights() {
            true => ["most for its weight", "least for its weight"],
            false => ["most", "least"],
        }
    }

    /// Those with the most and the least for their weight.
    fn extremes(&self) -> Option<(Extreme<'_>, Extreme<'_>)> {
        let excesses = || self.loads.iter().filter_map(|load| Some((load, load.excess()?)));
        let most = excesses().max_by(|left, right| left.1.total_cmp(&right.1))?;
        let least = excesses().min_by(|left, right| left.1.total_cmp(&right.1))?;
        Some((most, least))
    }

    fn json(&self) -> Value {
        let servers: Value = self
            .loads
            .iter()
            .map(|load| {
                json!({
                    "name": load.server.name,
                    "weight": share::weight(load.server.weight),
                    "share": share::number(load.share),
                    "fair_share": share::number(load.fair),
                    "excess": load.excess().map(share::number),
                })
            })
            .collect();
        json!({ "scheme": self.title, "precision": self.known.1, "servers": servers })
    }
}

/// A server and its excess.
type Extreme<'s> = (&'s Load<'s>, f64);

impl fmt::Display for Spread<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {} servers", self.title, self.loads.len())?;
        writeln!(f, "all shares are {}\n", self.known.0)?;
        let full = self.loads.iter().map(|load| load.share.max(load.fair)).fold(0.0, f64::max);
        let mut table = Table::new([Align::Left, Align::Right, Align::Right, Align::Right, Align::Left]);
        let (to, mark) = self.measure();
        table.row(["server", "weight", "share", to, mark]);
        for load in &self.loads {
            table.row([
                load.server.name.to_owned(),
                load.server.weight.real().to_string(),
                percent(load.share),
                load.excess().map_or_else(|| "–".to_owned(), signed_percent),
                bar(load.share / full, load.fair / full),
            ]);
        }
        write!(f, "{table}")?;
        if let Some(((most, over), (least, under))) = self.extremes() {
            let mut table = Table::new([Align::Left, Align::Right, Align::Left]);
            let [most_of, least_of] = self.captions();
            table.row([most_of, &signed_percent(over), most.server.name]);
            table.row([least_of, &signed_percent(under), least.server.name]);
            write!(f, "\n{table}")?;
        }
        Ok(())
    }
}

/// A bar that is `share` of its whole length long, with a mark at `fair`.
fn bar(share: f64, fair: f64) -> String {
    let cell = |part: f64| (part * BAR as f64).round() as usize;
    let mark = cell(fair).min(BAR - 1);
    let cells = (0..BAR).map(|place| match place {
        _ if place == mark => '│',
        _ if place < cell(share) => '█',
        _ => ' ',
    });
    cells.collect()
}

/// The length of a bar in the terminal.
const BAR: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_share_and_weight() {
        assert_eq!(bar(0.5, 1.0).trim_end(), format!("{}{}│", "█".repeat(20), " ".repeat(19)));
        assert_eq!(bar(1.0, 0.5), format!("{}│{}", "█".repeat(20), "█".repeat(19)));
        assert_eq!(bar(0.0, 0.0).trim_end(), "│");
    }
}
