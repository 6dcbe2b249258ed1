//! The command that places keys as the configuration does, and a file of its servers.

use memring::configs::Reading;
use memring_client::spec::{Entry, ServerSpec, entries};
use memring_core::Weight;

use super::spec;

/// How servers are written for `--server` and in files.
pub(super) struct Written {
    pub(super) servers: Vec<String>,
    /// Whether names are such that they must be taken letter by letter.
    pub(super) as_written: bool,
}

impl Written {
    /// Nothing if no command can name the servers so, such as one whose name has a blank in it.
    pub(super) fn of(reading: &Reading) -> Option<Self> {
        let specs: Vec<_> = reading.servers.iter().map(spec).collect();
        let texts: Vec<_> = specs.iter().map(ServerSpec::to_string).collect();
        let is_readable = |(text, spec): (&String, &ServerSpec)| {
            one_entry(text).is_some_and(|entry| entry.read().is_ok_and(|read| read == *spec))
        };
        if texts.iter().zip(&specs).all(is_readable) {
            return Some(Self { servers: texts, as_written: false });
        }
        // The weight always, as a name may end as if it had one.
        let servers: Vec<_> =
            specs.iter().map(|spec| format!("{} {}", spec.name(), shown(spec.weight()))).collect();
        let is_readable = |(text, spec): (&String, &ServerSpec)| {
            let read = one_entry(text).and_then(|entry| entry.as_written().ok());
            read.is_some_and(|read| (read.name, read.weight) == (spec.name(), spec.weight()))
        };
        servers.iter().zip(&specs).all(is_readable).then_some(Self { servers, as_written: true })
    }
}

/// The server of a text that has one alone.
fn one_entry(text: &str) -> Option<Entry<'_>> {
    match &*entries(text).ok()? {
        [entry] => Some(*entry),
        _ => None,
    }
}

/// A weight as it is written.
fn shown(weight: Weight) -> String {
    match weight {
        Weight::Whole(weight) => weight.to_string(),
        // The point tells it from a whole number.
        Weight::Real(weight) if weight.fract() == 0.0 => format!("{weight}.0"),
        Weight::Real(weight) => weight.to_string(),
    }
}

/// The words of `memring where` that place KEY as the configuration does, if it has a scheme and a command can name its servers.
pub(super) fn words(reading: &Reading) -> Option<Vec<String>> {
    let scheme = reading.scheme.as_deref()?;
    let mut words = ["memring", "where", "--scheme", scheme].map(str::to_owned).to_vec();
    for (name, value) in &reading.options {
        words.extend(["--option".to_owned(), format!("{name}={value}")]);
    }
    let written = Written::of(reading)?;
    if written.as_written {
        words.push("--names-as-written".to_owned());
    }
    for server in written.servers {
        words.extend(["--server".to_owned(), server]);
    }
    words.push(format!("{}KEY{}", reading.prepend, reading.append));
    Some(words)
}

/// The same as a line for a shell.
pub(super) fn line(reading: &Reading) -> Option<String> {
    Some(words(reading)?.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
}

/// A word as a shell of Unix takes it.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_gets_words_whole() {
        for (word, expected) in [
            ("a:1", "a:1"),
            ("a 2", "'a 2'"),
            ("", "''"),
            ("it's", "'it'\\''s'"),
            ("{}", "'{}'"),
            ("é", "'é'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
