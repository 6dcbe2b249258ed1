//! Configurations as `memring.toml` has them: what `init` writes and `doctor` shows.

use core::fmt::Write as _;

use memring_client::{file::TEMPLATE, spec::ServerSpec};
use memring_core::Weight;
use toml_writer::{ToTomlKey as _, ToTomlValue as _};

/// What a file is to say of the placement of keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written<'w> {
    pub(crate) scheme: Option<&'w str>,
    pub(crate) options: Vec<(&'w str, &'w str)>,
    pub(crate) servers: Vec<ServerSpec>,
    /// What is put before each key and placed with it.
    pub(crate) namespace: &'w str,
}

impl Written<'_> {
    /// The lines that say it, and no others.
    pub(crate) fn alone(&self) -> String {
        let mut text = self.servers();
        for (_, line) in self.lines() {
            text += &line;
        }
        text
    }

    /// A whole file: these lines among comments, with all other keys as comments.
    pub(crate) fn explained(&self) -> String {
        let (before, rest) = TEMPLATE.split_once(SERVERS).unwrap_or((TEMPLATE, ""));
        let mut text = match self.servers.is_empty() {
            true => TEMPLATE.to_owned(),
            false => format!("{before}{}{rest}", self.servers()),
        };
        for (place, line) in self.lines() {
            text = text.replacen(place, &line, 1);
        }
        text
    }

    /// The lines behind the servers, each with the line of the template that it replaces.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if let Some(scheme) = self.scheme {
            let line = format!("scheme = {}\n", scheme.to_toml_value());
            lines.push(("scheme = \"libmemcached-ketama-weighted\"\n", line));
        }
        let mut options: Vec<String> = Vec::new();
        for (position, (name, value)) in self.options.iter().enumerate() {
            // A table has each key once, and of several of them the last one counts.
            let rest = self.options.get(position + 1..).unwrap_or_default();
            if !rest.iter().any(|(other, _)| other == name) {
                options.push(format!("{} = {}", name.to_toml_key(), value.to_toml_value()));
            }
        }
        if !options.is_empty() {
            lines.push(("#options = {}\n", format!("options = {{ {} }}\n", options.join(", "))));
        }
        if !self.namespace.is_empty() {
            let line = format!("namespace = {}\n", self.namespace.to_toml_value());
            lines.push(("#namespace = \"\"\n", line));
            lines.push(("#place_by_namespace = false\n", "place_by_namespace = true\n".to_owned()));
        }
        lines
    }

    fn servers(&self) -> String {
        let mut text = "servers = [\n".to_owned();
        for spec in &self.servers {
            let _ = writeln!(text, "    {},", server(spec));
        }
        text + "]\n"
    }
}

/// The servers of the template.
const SERVERS: &str = "servers = [\n    \"127.0.0.1:11211\",\n]\n";

/// A server as a text, or as a table where a text cannot say it.
fn server(spec: &ServerSpec) -> String {
    let text = spec.to_string();
    if text.parse().is_ok_and(|read: ServerSpec| read == *spec) {
        return text.to_toml_value();
    }
    let mut table = format!(
        "{{ name = {}, address = {}",
        spec.name().to_toml_value(),
        spec.address().to_string().to_toml_value()
    );
    match spec.weight() {
        Weight::Whole(1) => {}
        Weight::Whole(weight) => table += &format!(", weight = {weight}"),
        Weight::Real(weight) => table += &format!(", weight = {weight:?}"),
    }
    if spec.is_encrypted() {
        table += ", tls = true";
    }
    table + " }"
}

#[cfg(test)]
mod tests {
    use memring_client::{file::ConfigFile, spec::Address};

    use super::*;

    /// What is said of servers, scheme and namespace.
    #[derive(Debug, PartialEq)]
    struct Said {
        servers: Vec<ServerSpec>,
        scheme: String,
        options: Vec<String>,
        namespace: Vec<u8>,
        place_by_namespace: bool,
    }

    fn said(text: &str) -> Said {
        let file = ConfigFile::from_toml(text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
        let config = file.without_secrets();
        Said {
            servers: file.servers().to_vec(),
            scheme: file.scheme().unwrap_or_default().to_owned(),
            options: file.options().map(|(name, value)| format!("{name}={value}")).collect(),
            namespace: config.namespace.clone(),
            place_by_namespace: config.place_by_namespace,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let servers = vec![
            ServerSpec::new("10.0.0.1:11211", Address::tcp("10.0.0.1", 11211)).weighing(600),
            ServerSpec::new("a \"b\"\\ ü/10.0.0.2:1", Address::tcp("10.0.0.2", 1))
                .weighing(Weight::Real(2.0)),
            ServerSpec::new("/run/a.sock:0", Address::unix("/run/a.sock")),
        ];
        let mut written = Written {
            scheme: Some("libmemcached-ketama-weighted"),
            options: vec![("prefix", "a"), ("hash", "md5"), ("prefix", "\"q\"\n")],
            servers: servers.clone(),
            namespace: ":1:",
        };
        let expected = Said {
            servers,
            scheme: "libmemcached-ketama-weighted".to_owned(),
            options: ["hash=md5", "prefix=\"q\"\n"].map(str::to_owned).to_vec(),
            namespace: b":1:".to_vec(),
            place_by_namespace: true,
        };
        for text in [written.alone(), written.explained()] {
            assert_eq!(said(&text), expected, "{text}");
        }
        assert_eq!(written.explained().matches("place_by_namespace").count(), 1);
        written = Written { scheme: Some("libketama"), ..Written::default() };
        let said = said(&written.explained());
        assert_eq!((said.servers.len(), &*said.scheme, said.options.len()), (1, "libketama", 0));
        assert_eq!(Written::default().explained(), TEMPLATE);
    }
}
