//! `memring watch`.

use core::{iter, ops::ControlFlow};
use std::collections::BTreeMap;

use clap::ValueEnum;
use memring_core::vector::Escaped;
use memring_std::{LogLine, WatchKinds};
use serde_json::{Value, json};

use super::{ClientArgs, all_fine};
use crate::{
    failure::{Failure, Outcome},
    output::{self, Printer},
    visible::Visible,
};

/// Prints what happens on the servers, a line each, until it is interrupted: server, time, kind, and what else is known.
///
/// Servers older than 1.4.26 refuse. Being watched costs a server a little work. It drops lines that are not read fast
/// enough; a line then says how many. The lines of one server come nearly in the order of time, but not quite: each of its
/// threads has a log of its own.
///
/// Example: memring watch --servers eight.txt mutations evictions
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,

    /// What to watch.
    #[arg(value_enum, value_name = "KIND", default_value = "fetchers")]
    kinds: Vec<Kind>,

    /// Only lines about keys that begin so.
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,

    /// Ends after so many lines.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// Prints JSON: an object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Reads of items.
    Fetchers,
    /// Changes of items.
    Mutations,
    /// Items that are dropped before their time to make room for others.
    Evictions,
    /// Connections that open and close; since 1.6.10.
    Connevents,
    /// Items that are deleted; since 1.6.20.
    Deletions,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let client = args.client.client()?;
    let has = |kind| args.kinds.contains(&kind);
    let kinds = WatchKinds {
        fetchers: has(Kind::Fetchers),
        mutations: has(Kind::Mutations),
        evictions: has(Kind::Evictions),
        connevents: has(Kind::Connevents),
        deletions: has(Kind::Deletions),
    };
    let (mut printer, mut printed, mut left) = (Printer::new(), Ok(()), args.limit.unwrap_or(u64::MAX));
    let answers = client.watch_with(kinds, |server, line| {
        if !args.wants(line) {
            return ControlFlow::Continue(());
        }
        let text =
            if args.json { output::json(&object(server, line).to_string()) } else { text(server, line) };
        printed = printer.show(format_args!("{text}\n")).and_then(|()| printer.flush());
        left -= 1;
        if printed.is_err() || left == 0 || !printer.has_reader() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    printed?;
    all_fine(answers.into_iter().filter_map(|answer| answer.result.err()))?;
    Ok(Outcome::Fine)
}

impl Args {
    fn wants(&self, line: &LogLine<'_>) -> bool {
        let Some(prefix) = &self.prefix else { return true };
        // What a server has dropped may have been about them.
        line.skipped().is_some()
            || line.key().is_some() && line.unescape().take(prefix.len()).eq(prefix.bytes())
    }
}

/// What is known beyond time and kind, in the server's order.
fn facts<'b>(line: &LogLine<'b>) -> impl Iterator<Item = (&'b [u8], &'b [u8])> + use<'b> {
    line.iter().filter(|(name, _)| ![&b"ts"[..], b"gid", b"type", b"key"].contains(name))
}

fn key(line: &LogLine<'_>) -> Option<String> {
    line.key().map(|_| Escaped(&line.unescape().collect::<Vec<_>>()).to_string())
}

fn text(server: &str, line: &LogLine<'_>) -> String {
    let server = Visible::line(server);
    if let Some(count) = line.skipped() {
        return format!("{server}  -  skipped={count}");
    }
    let time =
        line.time().map_or_else(|| "-".to_owned(), |(seconds, micros)| format!("{seconds}.{micros:06}"));
    let kind = Visible::line(line.kind().unwrap_or(b"-")).to_string();
    let key = key(line).map(|key| format!(" key={key}"));
    let facts = facts(line).map(|(name, value)| format!(" {}={}", Visible::line(name), Visible::line(value)));
    iter::once(format!("{server}  {time}  {kind} ")).chain(key).chain(facts).collect()
}

fn object(server: &str, line: &LogLine<'_>) -> Value {
    if let Some(count) = line.skipped() {
        return json!({ "server": server, "skipped": count });
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let facts: BTreeMap<_, _> = facts(line).map(|(name, value)| (text(name), text(value))).collect();
    let mut object = json!({
        "server": server,
        "time": line.time().map(|(seconds, micros)| format!("{seconds}.{micros:06}")),
        "kind": line.kind().map(text),
        "facts": facts,
    });
    if let Some(key) = key(line) {
        object["key"] = key.into();
    }
    object
}
