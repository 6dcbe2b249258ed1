//! The command that places keys as the configuration does, and a file of its servers.

use memring::configs::Reading;
use memring_client::spec::ServerSpec;

use super::spec;

/// How servers are written for `--server` and in files.
pub(super) struct Written {
    pub(super) servers: Vec<String>,
    /// Whether names are such that they must be taken letter by letter.
    pub(super) as_written: bool,
}

impl Written {
    pub(super) fn of(reading: &Reading) -> Self {
        let specs: Vec<_> = reading.servers.iter().map(spec).collect();
        let texts: Vec<_> = specs.iter().map(ServerSpec::to_string).collect();
        let is_readable =
            |(text, spec): (&String, &ServerSpec)| text.parse::<ServerSpec>().is_ok_and(|read| read == *spec);
        if texts.iter().zip(&specs).all(is_readable) {
            return Self { servers: texts, as_written: false };
        }
        // The weight always, as a name may end as if it had one.
        let servers = reading.servers.iter().map(|server| {
            let unnamed = ServerSpec::new("a", server.address.clone()).weighing(server.weight).to_string();
            let weight = unnamed.rsplit_once(' ').map_or("1", |(_, weight)| weight);
            format!("{} {weight}", server.name)
        });
        Self { servers: servers.collect(), as_written: true }
    }
}

/// The words of `memring where` that place KEY as the configuration does.
pub(super) fn words(reading: &Reading) -> Option<Vec<String>> {
    let scheme = reading.scheme.as_deref()?;
    let mut words = ["memring", "where", "--scheme", scheme].map(str::to_owned).to_vec();
    for (name, value) in &reading.options {
        words.extend(["--option".to_owned(), format!("{name}={value}")]);
    }
    let written = Written::of(reading);
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
