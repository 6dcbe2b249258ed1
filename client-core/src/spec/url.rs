//! Servers written as URLs. Only a URL can have a password, or any letter in a path.

use core::fmt::Write as _;

use super::{
    ServerSpec, ServerSpecProblem as Problem,
    address::{self, Address},
    word::Said,
};
use crate::OwnedCredentials;

/// How a URL of a server that speaks TLS begins.
pub(super) const TLS: &str = "memcacheds://";

/// The schemes that are read, for showing one of them.
pub(super) const SCHEMES: [&str; 4] = ["memcached", "memcacheds", "tcp", "unix"];

/// The scheme of a URL, and the text behind it.
pub(super) fn scheme_of(text: &str) -> Option<(&str, &str)> {
    match text.split_once(':') {
        Some((scheme, path)) if scheme.eq_ignore_ascii_case("unix") && path.starts_with('/') => {
            Some((scheme, path))
        }
        Some((scheme, rest)) if scheme.bytes().all(is_of_scheme) => Some((scheme, rest.strip_prefix("//")?)),
        _ => None,
    }
}

fn is_of_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)
}

/// Reads the text behind the scheme.
pub(super) fn read<'t>(scheme: &str, rest: &'t str) -> Result<Said<'t>, Problem> {
    let is = |known: &str| scheme.eq_ignore_ascii_case(known);
    if is("unix") {
        let (path, query) = split_query(rest);
        let (name, address) = socket(path)?;
        return Ok(Said { spec: ServerSpec::new(name, address), weight: weight(query)? });
    }
    if !(is("memcached") || is("memcacheds") || is("tcp")) {
        return Err(Problem::Scheme);
    }
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // A password with one of these in it ends before it.
    if tail.contains('@') {
        return Err(Problem::Credentials);
    }
    let (login, place) = match authority.rsplit_once('@') {
        Some(_) if is("tcp") => return Err(Problem::Login),
        Some((login, place)) => (Some(credentials(login)?), place),
        None => (None, authority),
    };
    let (path, query) = split_query(tail);
    if !matches!(path, "" | "/") || place.starts_with('/') || tail.contains('#') {
        return Err(Problem::UrlPath);
    }
    let (number, zone) = place.split_once("%25").unwrap_or((place, ""));
    let address = match zone {
        "" => Address::read(place)?,
        _ => Address::read(&format!("{number}%{zone}"))?,
    };
    let spec =
        ServerSpec { credentials: login, is_encrypted: is("memcacheds"), ..ServerSpec::new(place, address) };
    Ok(Said { spec, weight: weight(query)? })
}

/// Reads the text behind the scheme, where only an address may stand.
pub(super) fn address(scheme: &str, rest: &str) -> Result<Address, Problem> {
    let Said { spec, weight } = read(scheme, rest)?;
    match weight {
        None if spec.credentials.is_none() && !spec.is_encrypted => Ok(spec.address),
        _ => Err(Problem::Trailing),
    }
}

/// The path of a socket, as `//path` or `/path`; as the name and as the address.
fn socket(path: &str) -> Result<(String, Address), Problem> {
    let path = path.strip_prefix("//").unwrap_or(path);
    let address = Address::socket(&decoded_text(address::split_zero(path)?)?)?;
    Ok((decoded_text(path)?, address))
}

fn split_query(text: &str) -> (&str, Option<&str>) {
    match text.split_once('?') {
        Some((text, query)) => (text, Some(query)),
        None => (text, None),
    }
}

/// The only parameter that there is.
fn weight(query: Option<&str>) -> Result<Option<&str>, Problem> {
    let Some(query) = query else { return Ok(None) };
    query.strip_prefix("weight=").filter(|weight| !weight.contains('&')).map(Some).ok_or(Problem::Parameter)
}

fn credentials(login: &str) -> Result<OwnedCredentials, Problem> {
    let (user, password) = login.split_once(':').ok_or(Problem::Credentials)?;
    OwnedCredentials::new(&decoded(user)?, &decoded(password)?).map_err(|_| Problem::Credentials)
}

/// The bytes of a text in which `%NN` is one.
fn decoded(text: &str) -> Result<Vec<u8>, Problem> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    loop {
        rest = match *rest {
            [] => return Ok(bytes),
            [b'%', high, low, ref rest @ ..] => {
                let digit = |byte| char::from(byte).to_digit(16).ok_or(Problem::Percent);
                // Two digits of four bits each are a byte.
                bytes.push((digit(high)? << 4 | digit(low)?) as u8);
                rest
            }
            [b'%', ..] => return Err(Problem::Percent),
            [byte, ref rest @ ..] => {
                bytes.push(byte);
                rest
            }
        };
    }
}

fn decoded_text(text: &str) -> Result<String, Problem> {
    String::from_utf8(decoded(text)?).map_err(|_| Problem::Path)
}

/// The URL of a socket, for paths that cannot be written as they are.
pub(super) fn of_path(path: &str) -> String {
    path.bytes().fold("unix://".to_owned(), |mut url, byte| {
        match byte {
            b'/' | b'.' | b'-' | b'_' => url.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(byte)),
            byte => write!(url, "%{byte:02X}").unwrap_or_default(),
        }
        url
    })
}
