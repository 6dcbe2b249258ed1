//! One server, as a single word and perhaps a weight behind it.

use memring_core::Weight;

use super::{
    ServerSpec, ServerSpecProblem as Problem,
    address::{self, Address},
    url,
};

/// Reads a server of a word, and of the word behind it that is its weight.
pub(super) fn read(word: &str, behind: Option<&str>) -> Result<ServerSpec, Problem> {
    let (name, place) = split_name(word)?;
    let mut spec = match url::scheme_of(place) {
        Some((scheme, rest)) => url::read(scheme, rest)?,
        None => plain(place)?,
    };
    if let Some(name) = name {
        name.clone_into(&mut spec.spec.name);
    }
    let weight = match (spec.weight, behind) {
        (None, None) => return Ok(spec.spec),
        (Some(word), None) | (None, Some(word)) => word,
        (Some(_), Some(_)) => return Err(Problem::Trailing),
    };
    Ok(spec.spec.weighing(Weight::parse(weight).ok_or(Problem::Weight)?))
}

/// What a word says, with the weight that is in it still a text.
pub(super) struct Said<'t> {
    pub(super) spec: ServerSpec,
    pub(super) weight: Option<&'t str>,
}

/// Splits `NAME=ADDRESS`.
fn split_name(word: &str) -> Result<(Option<&str>, &str), Problem> {
    match word.split_once('=') {
        // The sign of a URL is that of a parameter.
        Some(_) if url::scheme_of(word).is_some() => Ok((None, word)),
        Some((name, place)) => Ok((Some(checked_name(name)?), place)),
        None => Ok((None, word)),
    }
}

/// A name that stands before a `=`: anything that is not surely a mistake.
fn checked_name(name: &str) -> Result<&str, Problem> {
    // Java shows an address of which it knows no name with a slash before it; else what begins so is a path.
    let is_path = name.strip_prefix('/').is_some_and(|rest| rest.contains('/') || !rest.contains(':'));
    let is_strange =
        |letter: char| letter.is_whitespace() || letter.is_control() || "\"'`;\u{feff}".contains(letter);
    if name.contains('?') {
        Err(Problem::Query)
    } else if name.contains('@') {
        Err(Problem::Login)
    } else if is_path {
        Err(Problem::Path)
    } else if name.is_empty() || name.len() > MAX_NAME_LEN || name.contains(is_strange) {
        Err(Problem::Name)
    } else {
        Ok(name)
    }
}

/// Longest name that is read, in bytes: twice what a host's name can be, for those that have host and address.
const MAX_NAME_LEN: usize = 512;

/// Reads an address that is no URL, with a weight behind its port.
fn plain(text: &str) -> Result<Said<'_>, Problem> {
    let (place, weight) = if text.starts_with('/') { (text, None) } else { split_weight(text)? };
    let address = Address::read(place)?;
    Ok(Said { spec: ServerSpec::new(place, address), weight })
}

/// Splits `host:port:weight` before the weight, where there is one.
fn split_weight(text: &str) -> Result<(&str, Option<&str>), Problem> {
    let problem = [("@", Problem::Login), ("?", Problem::Query), (";", Problem::Semicolon)];
    if let Some((_, problem)) = problem.into_iter().find(|(sign, _)| text.contains(sign)) {
        return Err(problem);
    }
    if address::is_ipv6(text) {
        return Err(Problem::Brackets);
    }
    let host_len = if text.starts_with('[') { text.find(']').ok_or(Problem::Brackets)? } else { 0 };
    let mut colons = text.bytes().enumerate().skip(host_len).filter(|(_, byte)| *byte == b':');
    match (colons.nth(1), colons.next()) {
        (Some((at, _)), None) => {
            let (place, weight) = text.split_at(at);
            Ok((place, weight.strip_prefix(':')))
        }
        (None, _) => Ok((text, None)),
        (Some(_), Some(_)) => {
            let is_host = |(end, _)| text.get(..end).is_some_and(address::is_ipv6);
            Err(if text.match_indices(':').any(is_host) { Problem::Brackets } else { Problem::Trailing })
        }
    }
}
