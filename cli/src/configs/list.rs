//! Lists that say servers and nothing of a client: lines, texts with commas, and variables such as `MEMCACHED_SERVERS`.

use memring_client::spec::{Entry, ServerSpec, entries};

use super::{
    ConfigError, Kind, Read, ReadServer, Reading,
    env::{self, Variable},
    memjs, ruby, servers,
};

pub(super) const ENVIRONMENT: Kind = Kind {
    name: "env",
    about: "an environment, a .env file, Docker Compose (docker-compose.yml) or Kubernetes (k8s): MEMCACHE_SERVERS (Dalli), MEMCACHIER_SERVERS (memjs), \
            MEMCACHED_SERVERS and the like",
    is_it: |text| match env::variables(text) {
        Ok(variables) => variables.iter().any(|variable| is_servers(&variable.name)),
        Err(_) => text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_').any(is_servers),
    },
    read: Read::Text(read_environment),
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
    read: Read::Text(|text| Ok(vec![plain(text)?])),
};

/// What ends the name of a variable that has servers of memcached.
const ENDS: &[&str] =
    &["SERVERS", "SERVER", "HOSTS", "HOST", "URL", "URLS", "NODES", "ENDPOINTS", "LOCATION"];

/// Names of one server, of which several with numbers are one list.
const ONE: &[&str] = &["HOST", "SERVER", "URL"];

fn is_servers(name: &str) -> bool {
    let is_memcached = ["MEMCACHE", "MEMCACHIER", "MEMCACHED"].iter().any(|begin| name.contains(begin));
    is_memcached && ENDS.iter().any(|end| unnumbered(name).ends_with(end))
}

/// A variable's name without the numbers in it: `MEMCACHED_HOST` of `MEMCACHED_HOST_2` and of `MEMCACHED2_HOST`.
fn unnumbered(name: &str) -> String {
    let words = name.split('_').map(|word| word.trim_end_matches(|char: char| char.is_ascii_digit()));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}

/// The number in a variable's name; one without any is the first.
fn number(name: &str) -> u64 {
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

fn read_environment(text: &str) -> Result<Vec<Reading>, ConfigError> {
    let all = env::variables(text)?;
    let is_again = |number: usize| {
        let Variable { name, place, .. } = &all[number];
        all[number + 1..].iter().any(|other| (&other.name, &other.place) == (name, place))
    };
    // Of one that is given twice, the last counts.
    let last = (0..all.len()).filter(|&number| is_servers(&all[number].name) && !is_again(number));
    let mut lists: Vec<Vec<&Variable>> = Vec::new();
    for variable in last.map(|number| &all[number]) {
        let is_of = |list: &Vec<&Variable>| {
            let stem = unnumbered(&variable.name);
            let is_one = ONE.iter().any(|end| stem.ends_with(end));
            is_one
                && list.iter().all(|other| unnumbered(&other.name) == stem && other.place == variable.place)
        };
        match lists.iter_mut().find(|list| is_of(list)) {
            Some(list) => list.push(variable),
            None => lists.push(vec![variable]),
        }
    }
    let mut readings: Vec<(Reading, &str)> = Vec::new();
    let mut missing = None;
    for mut list in lists {
        list.sort_by_key(|variable| number(&variable.name));
        match read_list(&list, &all)? {
            None => missing = missing.or_else(|| list.first().copied()),
            Some(mut reading) => {
                let name = &list[0].name;
                if (0..all.len()).any(|number| all[number].name == *name && is_again(number)) {
                    reading
                        .warn("given-twice", format!("{name} is given more than once, and the last counts"));
                }
                reading.pool = Some(if list.len() > 1 { unnumbered(name) } else { name.clone() });
                readings.push((reading, &list[0].place));
            }
        }
    }
    match missing {
        Some(Variable { name, line, .. }) if readings.is_empty() => Err(ConfigError::at(
            *line,
            format!("{name} has no value here; write its servers, HOST:PORT,HOST:PORT"),
        )),
        _ if readings.is_empty() => {
            Err(ConfigError::of("no variable with servers, such as MEMCACHED_SERVERS=HOST:PORT,HOST:PORT"))
        }
        _ => Ok(told_apart(readings)),
    }
}

/// Gives those of one name that say different things the names of their services, too. Those that say the same are one.
pub(super) fn told_apart(readings: Vec<(Reading, &str)>) -> Vec<Reading> {
    let mut kept: Vec<(Reading, &str)> = Vec::new();
    for (reading, place) in readings {
        if !kept.iter().any(|(other, _)| *other == reading) {
            kept.push((reading, place));
        }
    }
    let names: Vec<_> = kept.iter().map(|(reading, _)| reading.pool.clone()).collect();
    let mut seen: Vec<String> = Vec::new();
    for ((reading, place), name) in kept.iter_mut().zip(&names) {
        if names.iter().filter(|other| *other == name).count() < 2 {
            continue;
        }
        let name = name.as_deref().unwrap_or_default();
        let own = if place.is_empty() { name.to_owned() } else { format!("{place}/{name}") };
        let same = seen.iter().filter(|other| **other == own).count();
        seen.push(own.clone());
        reading.pool = Some(if same == 0 { own } else { format!("{own}/{}", same + 1) });
    }
    kept.into_iter().map(|(reading, _)| reading).collect()
}

/// What a variable means, or several that are one list; nothing if they have no value.
fn read_list(list: &[&Variable], all: &[Variable]) -> Result<Option<Reading>, ConfigError> {
    let said = list.iter().filter_map(|variable| {
        let value = variable.value.as_deref().filter(|value| !value.is_empty())?;
        Some((*variable, value))
    });
    let mut whole: Option<Reading> = None;
    for (variable, value) in said {
        env::check_value(value, variable.line)?;
        let reading = match &*variable.name {
            "MEMCACHIER_SERVERS" => memjs::servers(value, variable.line)?,
            "MEMCACHE_SERVERS" => ruby::of_environment(value, variable.line)?,
            _ => plain(&with_port(variable, value, all)?).map_err(|error| error.behind(variable.line - 1))?,
        };
        match &mut whole {
            None => whole = Some(reading),
            Some(whole) => whole.servers.extend(reading.servers),
        }
    }
    if let (Some(reading), [_, _, ..]) = (&mut whole, list) {
        let names: Vec<_> = list.iter().map(|variable| &*variable.name).collect();
        let says = format!("{} are taken for one list, in this order", names.join(", "));
        reading.warn("numbered-variables", says);
    }
    Ok(whole)
}

/// The value of a variable, each host with the port that stands in a variable of its own: `MEMCACHED_HOST` and `MEMCACHED_PORT`.
fn with_port(variable: &Variable, value: &str, all: &[Variable]) -> Result<String, ConfigError> {
    let ends = ["HOSTS", "HOST", "SERVERS", "SERVER"];
    let name = &variable.name;
    let stem = unnumbered(name);
    let Some(stem) = ends.iter().find_map(|end| stem.strip_suffix(end)) else { return Ok(value.to_owned()) };
    let is_port = |other: &&Variable| {
        let is_set = other.value.as_ref().is_some_and(|value| !value.is_empty());
        is_set && other.place == variable.place && unnumbered(&other.name).strip_suffix("PORT") == Some(stem)
    };
    let ports = || all.iter().filter(is_port);
    let of_number = ports().rfind(|port| number(&port.name) == number(name));
    let Some(port) = of_number.or_else(|| ports().rfind(|port| number(&port.name) == 0)) else {
        return Ok(value.to_owned());
    };
    let number = port.value.as_deref().unwrap_or_default();
    env::check_value(number, port.line)?;
    servers::port(number, port.line)?;
    let hosts = value.split(',').map(|text| {
        let host = text.trim();
        if host.is_empty() || host.contains([':', '/', '\n']) {
            return text.to_owned();
        }
        let (name, weight) = host.split_once(' ').map_or((host, ""), |(name, weight)| (name, weight));
        format!("{name}:{number} {weight}").trim_end().to_owned()
    });
    Ok(hosts.collect::<Vec<_>>().join(","))
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
    use super::{super::testing, *};

    #[test]
    fn a_host_may_have_its_port_in_a_variable_of_its_own() {
        let readings =
            read_environment("MEMCACHED_HOST=10.0.0.1\nMEMCACHED_PORT=11212\nOTHER_PORT=1").unwrap();
        assert_eq!(readings[0].servers[0].name, "10.0.0.1:11212");
        let readings = read_environment("MEMCACHED_HOST=10.0.0.1:2\nMEMCACHED_PORT=11212").unwrap();
        assert_eq!(readings[0].servers[0].name, "10.0.0.1:2");
    }

    fn told(text: &str) -> String {
        let mut readings = read_environment(text).unwrap();
        readings
            .iter_mut()
            .for_each(|reading| reading.warnings.retain(|warning| warning.trap != "client-not-said"));
        testing::told(readings)
    }

    #[test]
    fn hosts_and_ports_of_several_variables_belong_together() {
        for (text, expected) in [
            ("MEMCACHED_HOST=a,b\nMEMCACHED_PORT=11212", "MEMCACHED_HOST a:11212 b:11212"),
            ("MEMCACHED_HOST=a:1, b 3\nMEMCACHED_PORT=11212", "MEMCACHED_HOST a:1 b:11212*3"),
            ("MEMCACHED_SERVERS=a\nMEMCACHED_PORT=2", "MEMCACHED_SERVERS a:2"),
            (
                "MEMCACHED_HOST=a\nMEMCACHED_HOST_2=b\nMEMCACHED_PORT=2\nMEMCACHED_PORT_2=3",
                "MEMCACHED_HOST a:2 b:3 !numbered-variables",
            ),
            (
                "MEMCACHED2_HOST=b\nMEMCACHED1_HOST=a\nMEMCACHED10_HOST=c:5\nMEMCACHED_PORT=2",
                "MEMCACHED_HOST a:2 b:2 c:5 !numbered-variables",
            ),
            ("MEMCACHED_SERVERS_1=a:1\nMEMCACHED_SERVERS_2=b:1", {
                "MEMCACHED_SERVERS_1 a:1\nMEMCACHED_SERVERS_2 b:1"
            }),
            ("MEMCACHED_SERVERS=a:1\nMEMCACHED_SERVERS=b:1", "MEMCACHED_SERVERS b:1 !given-twice"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn services_are_told_apart_where_they_differ() {
        let file = |one: &str, other: &str| {
            format!(
                "services:\n  web:\n    environment:\n      MEMCACHED_HOST: {one}\n  job:\n    environment:\n    - \
                 MEMCACHED_HOST={other}\n    - MEMCACHED_PORT=2\n"
            )
        };
        assert_eq!(told(&file("a:2", "a")), "MEMCACHED_HOST a:2");
        assert_eq!(told(&file("a", "b")), "web/MEMCACHED_HOST a\njob/MEMCACHED_HOST b:2");
        assert_eq!(
            told(&file("&x a:1", "b").replace("- MEMCACHED_HOST=b", "- {name: MEMCACHED_URL, value: *x}")),
            { "MEMCACHED_HOST a:1\nMEMCACHED_URL a:1" }
        );
    }

    #[test]
    fn what_is_elsewhere_is_an_error_with_its_line() {
        for text in [
            "A=1\nMEMCACHED_SERVERS=${HOST}:11211",
            "A=1\nMEMCACHED_SERVERS=$HOST",
            "A=1\nMEMCACHED_SERVERS=a:1,${HOST:-b}:11211",
            "A=1\nMEMCACHE_SERVERS=${HOST:-b}",
            "A=1\nMEMCACHED_SERVERS={{ host }}:1",
            "A=1\nMEMCACHED_SERVERS=<host>:1",
            "A=1\nMEMCACHED_SERVERS=a:1,\\\nb:1",
            "MEMCACHED_HOST=a\nMEMCACHED_PORT=${PORT}",
            "MEMCACHED_HOST=a\nMEMCACHED_PORT=x",
            "environment:\n  MEMCACHED_SERVERS: ${HOST}",
            "environment:\n  MEMCACHED_SERVERS:",
            "environment:\n- {name: MEMCACHED_SERVERS, valueFrom: {x: y}}",
        ] {
            let error = read_environment(text).unwrap_err();
            assert_eq!(error.line(), Some(2), "{text}: {error}");
        }
        // What is no server may have any letters.
        assert_eq!(told("MEMCACHED_URL=memcached://u:a$b@h:1\nX=${Y}"), "MEMCACHED_URL h:1");
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
