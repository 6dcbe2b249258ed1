//! `memring schemes`: which schemes there are, and what is known of each.

use core::fmt::Write as _;

use memring_core::peers::{
    self, Peer, SchemeError,
    aliases::{ALIASES, Alias},
    manual::Manual,
    traps::Trap,
    versions::Versions,
};

use crate::{
    failure::{Failure, Outcome},
    output,
};

/// Says which schemes there are and who uses them, and of one of them its options, traps and versions.
///
/// Example: memring schemes twemproxy-ketama
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The scheme, or a client that places keys as one.
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    output::print(&args.name.as_deref().map_or_else(|| Ok(list()), about)?)?;
    Ok(Outcome::Fine)
}

/// Every scheme and who uses it, and every alias.
pub(crate) fn list() -> String {
    let schemes = peers::all().map(|peer| (peer.scheme.name, peer.scheme.used_by.to_owned()));
    let aliases =
        ALIASES.iter().map(|alias| (alias.name, format!("= {}: {}", meaning(alias), alias.used_by)));
    let names = schemes.chain(aliases).collect::<Vec<_>>();
    let width = names.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    names.iter().fold(String::new(), |mut text, (name, used_by)| {
        let _ = writeln!(text, "{name:width$}  {used_by}");
        text
    })
}

/// The scheme and the options that an alias stands for.
fn meaning(alias: &Alias) -> String {
    alias.options.iter().fold(alias.scheme.to_owned(), |text, (name, value)| format!("{text} {name}={value}"))
}

/// What is known of a scheme, or of what an alias stands for.
fn about(name: &str) -> Result<String, Failure> {
    let alias = Alias::named(name);
    let named = alias.map_or(name, |alias| alias.scheme);
    let Some(peer) = Peer::named(named) else { return Err(unknown(name)) };
    let versions = Versions::of(named);
    let others = versions.map_or("", |versions| versions.others);
    let lines = alias
        .map(|alias| ("stands for", meaning(alias)))
        .into_iter()
        .chain([("used by", alias.map_or(peer.scheme.used_by, |alias| alias.used_by).to_owned())])
        .chain(peer.options.iter().map(|option| ("option", option_line(peer, option))))
        .chain(Trap::of(named).map(|trap| ("mind", trap.says.to_owned())))
        .chain(versions.map(|versions| ("proved with", versions.proved.to_owned())))
        .chain((!others.is_empty()).then(|| ("other versions", others.to_owned())))
        .chain([("example", example(name, peer))]);
    Ok(lines.fold(format!("{name}\n"), |text, (label, line)| format!("{text}  {label:14}  {line}\n")))
}

/// What an option takes and means, and what it is unless said.
fn option_line(peer: &Peer, option: &str) -> String {
    let Some(manual) = Manual::of(peer.scheme.name, option) else { return option.to_owned() };
    let default = match manual.default {
        "" => String::new(),
        default => format!(", unless said {default}"),
    };
    format!("{option} ({}{default}): {}", peer.takes(option), manual.means)
}

/// A command that places a key by the scheme.
fn example(name: &str, peer: &Peer) -> String {
    // A scheme that cannot do without an option is shown with it.
    let wanted = match peer.scheme.name {
        "couchbase-vbucket" => " --option buckets=0,1,1,0",
        _ => "",
    };
    format!("memring where --scheme {name}{wanted} --server 10.0.1.1:11211 --server 10.0.1.2:11211 KEY")
}

/// The failure that there is no scheme `name`.
pub(crate) fn unknown(name: &str) -> Failure {
    let error = SchemeError::Unknown { name: name.to_owned() };
    Failure::usage(format_args!("{error}\n`memring schemes` lists them all"))
}
