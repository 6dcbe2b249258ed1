//! Lists that say servers and nothing of a client: lines, texts with commas, and variables such as `MEMCACHED_SERVERS`.

use memring_client::spec::{Entry, ServerSpec, entries};

use super::{
    ConfigError, Kind, ReadServer, Reading,
    env::{self, Variable},
    memjs, ruby,
};

pub(super) const ENVIRONMENT: Kind = Kind {
    name: "env",
    about: "an environment or .env file: MEMCACHE_SERVERS (Dalli), MEMCACHIER_SERVERS (memjs), MEMCACHED_SERVERS and the like",
    is_it: |text| env::variables(text).iter().any(|variable| is_servers(variable.name)),
    read: read_environment,
};

pub(super) const PLAIN: Kind = Kind {
    name: "list",
    about: "servers alone, with lines, commas or blanks between",
    is_it: |text| {
        let is_address = |entry: &Entry<'_>| {
            entry.read().is_ok_and(|spec| spec.name().contains([':', '.', '/']) || spec.name() == "localhost")
        };
        entries(text).is_ok_and(|entries| !entries.is_empty() && entries.iter().all(is_address))
    },
    read: |text| Ok(vec![plain(text)?]),
};

/// What ends the name of a variable that has servers of memcached.
const ENDS: &[&str] =
    &["SERVERS", "SERVER", "HOSTS", "HOST", "URL", "URLS", "NODES", "ENDPOINTS", "LOCATION"];

fn is_servers(name: &str) -> bool {
    let is_memcached = ["MEMCACHE", "MEMCACHIER", "MEMCACHED"].iter().any(|begin| name.contains(begin));
    is_memcached && ENDS.iter().any(|end| name.ends_with(end))
}

fn read_environment(text: &str) -> Result<Vec<Reading>, ConfigError> {
    let all = env::variables(text);
    let mut readings = Vec::new();
    for variable in all.iter().filter(|variable| is_servers(variable.name) && !variable.value.is_empty()) {
        let mut reading = match variable.name {
            "MEMCACHIER_SERVERS" => memjs::servers(&variable.value, variable.line)?,
            "MEMCACHE_SERVERS" => ruby::of_environment(&variable.value, variable.line)?,
            _ => plain(&with_port(variable, &all)).map_err(|error| error.behind(variable.line - 1))?,
        };
        reading.pool = Some(variable.name.to_owned());
        readings.push(reading);
    }
    if readings.is_empty() {
        return Err(ConfigError::of(
            "no variable with servers, such as MEMCACHED_SERVERS=HOST:PORT,HOST:PORT",
        ));
    }
    Ok(readings)
}

/// The value of a host's variable, with the port that stands in a variable of its own: `MEMCACHED_HOST` and `MEMCACHED_PORT`.
fn with_port(variable: &Variable<'_>, all: &[Variable<'_>]) -> String {
    let value = variable.value.to_string();
    let Some(stem) = variable.name.strip_suffix("HOST").filter(|_| !value.contains([':', '/', ','])) else {
        return value;
    };
    let port =
        all.iter().find(|other| other.name.strip_suffix("PORT") == Some(stem) && !other.value.is_empty());
    match port {
        Some(port) => format!("{value}:{}", port.value),
        None => value,
    }
}

fn plain(text: &str) -> Result<Reading, ConfigError> {
    let mut reading = Reading::default();
    for entry in entries(text).map_err(|error| wrong(&error))? {
        let spec: ServerSpec = entry.read().map_err(|error| wrong(&error))?;
        reading.servers.push(ReadServer::new(spec.name(), spec.address().clone()).weighing(spec.weight()));
    }
    if reading.servers.is_empty() {
        return Err(ConfigError::of("no servers"));
    }
    reading.warn(
        "client-not-said",
        "these are servers, and nothing says which client places keys on them: name its configuration with --kind, or a scheme \
         to `memring where`",
    );
    Ok(reading)
}

fn wrong(error: &memring_client::spec::ServerSpecError) -> ConfigError {
    let says = error.to_string();
    match error.line() {
        Some(line) => {
            let says = says.strip_prefix(&format!("line {line}: ")).unwrap_or(&says).to_owned();
            ConfigError::at(line, says)
        }
        None => ConfigError::at(1, says),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_have_its_port_in_a_variable_of_its_own() {
        let readings =
            read_environment("MEMCACHED_HOST=10.0.0.1\nMEMCACHED_PORT=11212\nOTHER_PORT=1").unwrap();
        assert_eq!(readings[0].servers[0].name, "10.0.0.1:11212");
        let readings = read_environment("MEMCACHED_HOST=10.0.0.1:2\nMEMCACHED_PORT=11212").unwrap();
        assert_eq!(readings[0].servers[0].name, "10.0.0.1:2");
    }

    #[test]
    fn variables_are_told_apart_by_their_names() {
        let text =
            "A=1\nMEMCACHED_SERVERS=\"a:1,b:1 2\"\nMEMCACHIER_SERVERS=u:secret@c:1,d\nMEMCACHED_HOST=\n";
        assert!((ENVIRONMENT.is_it)(text));
        let readings = read_environment(text).unwrap();
        let told: Vec<_> = readings
            .iter()
            .map(|reading| {
                let names: Vec<_> = reading.servers.iter().map(|server| &*server.name).collect();
                (reading.pool.as_deref().unwrap(), reading.scheme.as_deref(), names.join(" "))
            })
            .collect();
        assert_eq!(
            told,
            [
                ("MEMCACHED_SERVERS", None, "a:1 b:1".to_owned()),
                ("MEMCACHIER_SERVERS", Some("memjs"), "c:1 d:11211".to_owned()),
            ]
        );
        let error = read_environment("\nMEMCACHED_SERVERS=u:secret@redis://a").unwrap_err();
        assert_eq!(error.line(), Some(2));
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(!(ENVIRONMENT.is_it)("DATABASE_URL=x"));
    }

    #[test]
    fn a_list_is_addresses_alone() {
        for list in ["10.0.0.1:11211\n10.0.0.2:11211 600 # x\n", "a:1, b:1", "/run/a.sock", "localhost"] {
            assert!((PLAIN.is_it)(list), "{list}");
        }
        for other in ["", "hello world", "# a:1", "upstream m { }"] {
            assert!(!(PLAIN.is_it)(other), "{other}");
        }
    }
}
