//! `memring keys`.

use core::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

use globset::GlobBuilder;
use memring_core::vector::Escaped;
use memring_std::DumpLine;
use regex::bytes::{Regex, RegexSet, RegexSetBuilder};
use serde_json::json;

use super::{ClientArgs, all_fine};
use crate::{
    failure::{Failure, Outcome},
    output::{self, Array, Printer},
    table::{Align, Table},
    visible::Visible,
};

/// Prints the keys that the servers hold, one a line, escaped as `\xNN`, as `--keys` of other commands reads them.
///
/// Servers go through their items (`lru_crawler metadump`, since memcached 1.4.31) while other clients use them: an item that
/// changes meanwhile may be missing or come twice. Keys are printed as they come, so memory does not grow with their number.
/// With --misplaced, the exit code is 1 if there are any.
///
/// Where the scheme has a prefix or the configuration a namespace, these are the keys that have it, without it, as `memring get`
/// takes them; --all prints all keys, as they are stored.
///
/// Examples: memring keys --servers eight.txt --prefix session: --long;
/// memring keys --servers eight.txt --scheme twemproxy-ketama --misplaced
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,

    /// Only keys that begin so.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,

    /// Only keys that match, as a whole, where `*` is any text and `?` any byte; may be given several times.
    #[arg(long, value_name = "PATTERN")]
    glob: Vec<String>,

    /// Only keys of which a part matches this regular expression; may be given several times.
    #[arg(long, value_name = "REGEX")]
    regex: Vec<String>,

    /// All keys as they are stored, also those of other prefixes and namespaces, which have no server by the scheme.
    #[arg(long)]
    all: bool,

    /// Only keys that lie on another server than the scheme's.
    #[arg(long)]
    misplaced: bool,

    /// Prints columns, with tabs between: key; server; the server by the scheme, or `-`; bytes of memory; seconds left, or -1
    /// if it never expires; seconds since it was used last.
    #[arg(long, short)]
    long: bool,

    /// Prints for each server how many keys there are, how many of them are misplaced, and how many bytes they take.
    #[arg(long, conflicts_with = "long")]
    count: bool,

    /// Prints no more than so many keys.
    #[arg(long, value_name = "COUNT", conflicts_with = "count")]
    limit: Option<u64>,

    /// Prints JSON: an array of objects, of keys or, with --count, of servers.
    #[arg(long, conflicts_with = "long")]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    // Where a key belongs is asked only by some.
    let is_placing = args.misplaced || args.long || args.count || args.json;
    let config = if is_placing { args.client.config_for_keys()? } else { args.client.config()? };
    let put_before = [config.scheme.scheme().key.prefix, &config.namespace].concat();
    let wanted = Wanted { prefix: args.prefix.clone().into_bytes(), patterns: args.patterns()? };
    let names: Vec<_> =
        config.servers.iter().chain(&config.gutter).map(|server| server.name().to_owned()).collect();
    let client = args.client.client_of(config)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());

    let (mut sink, mut printed) = (Sink::new(args, &names), Ok(()));
    let (mut left, mut misplaced) = (args.limit.unwrap_or(u64::MAX), 0_u64);
    let answers = client.metadump_with(|server, line| {
        let stored: Vec<u8> = line.unescape().collect();
        let own = stored.strip_prefix(&*put_before);
        let key = match own {
            _ if args.all => &stored,
            Some(own) => own,
            None => return ControlFlow::Continue(()),
        };
        if !wanted.matches(key) {
            return ControlFlow::Continue(());
        }
        let belongs = own.map(|key| client.server_of_bytes(key));
        let is_misplaced = belongs.as_deref().is_some_and(|belongs| belongs != server);
        if args.misplaced && !is_misplaced {
            return ControlFlow::Continue(());
        }
        misplaced += u64::from(is_misplaced);
        let found = Found { key, server, belongs: belongs.as_deref(), is_misplaced, line, now };
        printed = sink.take(&found);
        left = left.saturating_sub(1);
        if printed.is_err() || left == 0 { ControlFlow::Break(()) } else { sink.goes_on() }
    });
    printed?;
    sink.finish()?;
    all_fine(answers.into_iter().filter_map(|answer| answer.result.err()))?;
    Ok(if args.misplaced && misplaced > 0 { Outcome::No("some keys are misplaced") } else { Outcome::Fine })
}

impl Args {
    fn patterns(&self) -> Result<RegexSet, Failure> {
        let glob = |pattern: &String| {
            // Keys are no paths: a star matches slashes, too.
            let glob = GlobBuilder::new(pattern).literal_separator(false).build();
            glob.map(|glob| glob.regex().to_owned())
                .map_err(|error| Failure::usage(format_args!("--glob {error}")))
        };
        let mut patterns = self.glob.iter().map(glob).collect::<Result<Vec<_>, _>>()?;
        for regex in &self.regex {
            // Said of one pattern, an error names it.
            Regex::new(regex).map_err(|error| Failure::usage(format_args!("--regex: {error}")))?;
            patterns.push(regex.clone());
        }
        RegexSetBuilder::new(patterns)
            .build()
            .map_err(|error| Failure::usage(format_args!("--regex: {error}")))
    }
}

/// Which keys are wanted.
struct Wanted {
    prefix: Vec<u8>,
    patterns: RegexSet,
}

impl Wanted {
    fn matches(&self, key: &[u8]) -> bool {
        key.starts_with(&self.prefix)
            && (self.patterns.is_empty() || self.patterns.matches(key).iter().count() == self.patterns.len())
    }
}

/// A key on a server.
struct Found<'f> {
    key: &'f [u8],
    server: &'f str,
    /// The server by the scheme; `None` for a key that is none of the scheme's.
    belongs: Option<&'f str>,
    is_misplaced: bool,
    line: &'f DumpLine<'f>,
    now: u64,
}

impl Found<'_> {
    /// The seconds left; -1 is for ever.
    fn ttl(&self) -> i64 {
        let left = |expires: u64| i64::try_from(expires.saturating_sub(self.now)).unwrap_or(i64::MAX);
        self.line.expires().map_or(-1, left)
    }

    /// The seconds since it was used last. The server's clock may be ahead.
    fn age(&self) -> u64 {
        self.now.saturating_sub(self.line.last_access().unwrap_or(self.now))
    }
}

/// Where keys go.
enum Sink<'n> {
    Lines { printer: Printer, long: bool },
    Json(Array),
    Counts { servers: Vec<(&'n str, Counts)>, json: bool },
}

#[derive(Clone, Copy, Default)]
struct Counts {
    keys: u64,
    misplaced: u64,
    size: u64,
}

impl<'n> Sink<'n> {
    fn new(args: &Args, names: &'n [String]) -> Self {
        if args.count {
            let servers = names.iter().map(|name| (&**name, Counts::default())).collect();
            return Self::Counts { servers, json: args.json };
        }
        if args.json {
            return Self::Json(Array::new());
        }
        Self::Lines { printer: Printer::new(), long: args.long }
    }

    fn take(&mut self, found: &Found<'_>) -> Result<(), Failure> {
        let key = Escaped(found.key);
        let size = found.line.size();
        match self {
            Self::Lines { printer, long: false } => printer.show(format_args!("{key}\n")),
            Self::Lines { printer, long: true } => {
                let [server, belongs] = [found.server, found.belongs.unwrap_or("-")].map(Visible::line);
                let (size, ttl, age) = (size.unwrap_or(0), found.ttl(), found.age());
                printer.show(format_args!("{key}\t{server}\t{belongs}\t{size}\t{ttl}\t{age}\n"))
            }
            Self::Json(array) => array.item(&json!({
                "key": key.to_string(),
                "server": found.server,
                "belongs": found.belongs,
                "misplaced": found.is_misplaced,
                "size": size,
                "ttl": found.ttl(),
                "last_access": found.age(),
                "cas": found.line.cas(),
            })),
            Self::Counts { servers, .. } => {
                if let Some((_, counts)) = servers.iter_mut().find(|(name, _)| *name == found.server) {
                    counts.keys += 1;
                    counts.misplaced += u64::from(found.is_misplaced);
                    counts.size += size.unwrap_or(0);
                }
                Ok(())
            }
        }
    }

    /// Breaks off where nobody reads any more.
    const fn goes_on(&self) -> ControlFlow<()> {
        let has_reader = match self {
            Self::Lines { printer, .. } => printer.has_reader(),
            Self::Json(array) => array.has_reader(),
            Self::Counts { .. } => true,
        };
        if has_reader { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Lines { printer, .. } => printer.finish(),
            Self::Json(array) => array.finish(),
            Self::Counts { servers, json: true } => {
                let object = |(server, Counts { keys, misplaced, size })| json!({ "server": server, "keys": keys, "misplaced": misplaced, "size": size });
                output::print_json(&servers.into_iter().map(object).collect())
            }
            Self::Counts { servers, json: false } => {
                let mut table = Table::new([Align::Left]);
                table.row(["server", "keys", "misplaced", "bytes"]);
                for (name, Counts { keys, misplaced, size }) in servers {
                    table.row([name.to_owned(), keys.to_string(), misplaced.to_string(), size.to_string()]);
                }
                output::print(&table.to_string())
            }
        }
    }
}
