//! Which schemes there are, and what is known of each.

use core::fmt::Write as _;

use memring_core::peers::{
    self, Peer, SchemeError,
    aliases::{ALIASES, Alias},
    traps::Trap,
    versions::Versions,
};

use crate::failure::Failure;

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
pub(crate) fn about(name: &str) -> Result<String, Failure> {
    let alias = Alias::named(name);
    let named = alias.map_or(name, |alias| alias.scheme);
    let Some(peer) = Peer::named(named) else {
        return Err(Failure::usage(SchemeError::Unknown { name: name.to_owned() }));
    };
    let options = if peer.options.is_empty() { "none".to_owned() } else { peer.options.join(", ") };
    let versions = Versions::of(named);
    let others = versions.map_or("", |versions| versions.others);
    let lines = alias
        .map(|alias| ("stands for", meaning(alias)))
        .into_iter()
        .chain([("used by", alias.map_or(peer.scheme.used_by, |alias| alias.used_by).to_owned())])
        .chain([("options", options)])
        .chain(Trap::of(named).map(|trap| ("mind", trap.says.to_owned())))
        .chain(versions.map(|versions| ("proved with", versions.proved.to_owned())))
        .chain((!others.is_empty()).then(|| ("other versions", others.to_owned())));
    Ok(lines.fold(format!("{name}\n"), |text, (label, line)| format!("{text}  {label:14}  {line}\n")))
}
