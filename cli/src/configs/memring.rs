//! memring's own file, `memring.toml`: what it means, by the reader of the clients.

use memring_client::file::ConfigFile;
use memring_core::peers::libmemcached::KETAMA_WEIGHTED;

use super::{ConfigError, KINDS, Kind, Read, ReadServer, Reading};

pub(super) const KIND: Kind = Kind {
    name: "memring",
    about: "memring's own configuration file, memring.toml",
    is_it: |text| {
        let begins = |key: &str| {
            let is_it =
                |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
            text.lines().any(is_it)
        };
        // With a mistake in it, a file is one of these if nobody else's texts are like it.
        let is_another = || {
            let others = KINDS.iter().filter(|kind| !["memring", "env", "list"].contains(&kind.name));
            text.contains('(') || is_program(text) || others.into_iter().any(|kind| (kind.is_it)(text))
        };
        ["servers", "scheme", "discovery"].into_iter().any(begins)
            && (ConfigFile::from_toml(text).is_ok() || !is_another())
    },
    read: Read::Text(|text| Ok(vec![read(text)?])),
};

/// Whether a line begins as none of TOML does.
fn is_program(text: &str) -> bool {
    let words =
        ["import ", "from ", "for ", "if ", "def ", "class ", "const ", "let ", "var ", "local ", "require "];
    let is_statement = |line: &str| {
        let line = line.trim_start();
        words.iter().any(|word| line.starts_with(word)) || line.ends_with([';', ':']) || line.contains("%w")
    };
    text.lines().any(is_statement)
}

fn read(text: &str) -> Result<Reading, ConfigError> {
    let file = ConfigFile::from_toml(text).map_err(|error| match error.line() {
        Some(line) => {
            let says = error.to_string();
            ConfigError::at(line, says.strip_prefix(&format!("line {line}: ")).unwrap_or(&says))
        }
        None => ConfigError::of(error.to_string()),
    })?;
    let mut reading = Reading::of(file.scheme().unwrap_or(KETAMA_WEIGHTED.name));
    reading.options = file.options().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for spec in file.servers() {
        reading.servers.push(ReadServer::new(spec.name(), spec.address().clone()).weighing(spec.weight()));
    }
    if file.scheme().is_none() {
        reading.warn(
            "scheme-assumed",
            format!("no scheme is named, so that clients take {}", KETAMA_WEIGHTED.name),
        );
    }
    if reading.servers.is_empty() {
        reading.warn("servers-elsewhere", "no servers stand here; give them with --server, in order");
    }
    let config = file.without_secrets();
    let namespace = String::from_utf8_lossy(&config.namespace).into_owned();
    if config.place_by_namespace {
        reading.prepend = namespace;
    } else if !namespace.is_empty() {
        reading.warn(
            "prefix-not-hashed",
            "the namespace is sent before the key and not placed with it, as place_by_namespace is not set",
        );
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use super::super::{
        read,
        testing::{names, one},
    };

    #[test]
    fn a_file_of_memring_s_own_is_read_as_the_clients_do() {
        let reading = one(
            "servers = [\"a:1\", \"b:1 3\"]\nscheme = \"libmemcached-modula\"\noptions = { hash = \"md5\" }\n\
             namespace = \"x:\"\nplace_by_namespace = true\n",
        );
        assert_eq!((reading.kind, names(&reading), &*reading.prepend), ("memring", vec!["a:1", "b:1"], "x:"));
        assert_eq!(reading.scheme.as_deref(), Some("libmemcached-modula"));
        assert_eq!(reading.options, [("hash".to_owned(), "md5".to_owned())]);
        let reading = one("servers = \"a:1, b:1\"\nnamespace = \"x:\"\n");
        let traps: Vec<_> = reading.warnings.iter().map(|warning| warning.trap).collect();
        assert_eq!((traps, &*reading.prepend), (vec!["scheme-assumed", "prefix-not-hashed"], ""));
        let error = read("servers = [\"a:1\"]\nsheme = \"x\"\n", None).unwrap_err();
        assert_eq!(error.to_string(), "line 2: sheme: unknown key; near to it is scheme");
        for program in [
            "servers = ['a:1']\nimport x\nfor s in servers:\n    pass\n",
            "servers = %w[a b]\nDalli::Client.new servers\n",
            "servers = { 'a:1' };\n",
        ] {
            let error = read(program, None).map(|readings| readings[0].kind);
            assert!(
                !error.as_ref().is_err_and(|error| error.to_string().contains("TOML")),
                "{program} {error:?}"
            );
        }
        let error = read("scheme = \"libketamma\"\n", None).unwrap_err();
        assert!(error.line() == Some(1) && error.to_string().contains("libketama"), "{error}");
    }
}
