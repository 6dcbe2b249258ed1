//! Symfony's DSN: `memcached://HOST:PORT/WEIGHT?option=value`, or several.
//!
//! One a line, or with blanks between; also what `MemcachedAdapter::createConnection` is given in a program, and
//! `default_memcached_provider` and `MEMCACHED_DSN` of configurations.
//!
//! Source: symfony/cache 5.4 `Adapter/MemcachedAdapter.php`, `createConnection`; 6 and 7 read the same.

use super::{
    super::{
        ConfigError, Kind, Read, Reading, env,
        list::told_apart,
        program::{Item, Program, Value},
        tokens::Notation,
    },
    array,
    class::added,
    number,
    options::Calls,
    resolved, weight,
};

pub(in super::super) const KIND: Kind = Kind {
    name: "symfony",
    about: "Symfony (PHP): memcached://HOST:PORT/WEIGHT, one DSN a line, or a program with MemcachedAdapter::createConnection",
    is_it: |text| {
        let mut words = words(text);
        text.contains("MemcachedAdapter")
            || text.contains("default_memcached_provider")
            || !variables(text).is_empty()
            || (words.next().is_some_and(|(_, word)| word.starts_with("memcached:"))
                && words.all(|(_, word)| word.starts_with("memcached:")))
    },
    read: Read::Text(read),
};

/// The variables of an environment that have a DSN.
fn variables(text: &str) -> Vec<env::Variable> {
    let mut variables = env::variables(text).unwrap_or_default();
    variables.retain(|variable| variable.name.ends_with("DSN") && dsn(variable).starts_with("memcached:"));
    variables
}

fn dsn(variable: &env::Variable) -> &str {
    variable.value.as_deref().unwrap_or_default()
}

/// The words of a text with their lines, without remarks and quotes.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with('#'));
    lines.flat_map(|(number, line)| {
        line.split_whitespace().map(move |word| (number, word.trim_matches(['\'', '"', ','])))
    })
}

fn read(text: &str) -> Result<Vec<Reading>, ConfigError> {
    let variables = variables(text);
    if !text.contains("createConnection") && !variables.is_empty() {
        return of_environment(&variables);
    }
    let mut connection = Connection::default();
    if text.contains("createConnection") {
        let program = Program::read(text, Notation::PHP)?;
        let call = program.only_call("createConnection")?;
        let call = call.ok_or_else(|| ConfigError::of("no call of MemcachedAdapter::createConnection(…)"))?;
        let argument = |at: usize| call.arguments.get(at).map(|item| resolved(&program, &item.value));
        let computed = || ConfigError::at(call.line, "the DSN must be computed; write it in its place");
        match argument(0) {
            Some(Value::Text(dsn)) => connection.servers.push((call.line, Entry::Dsn(dsn.into_owned()))),
            Some(list) => {
                for item in array(&list).ok_or_else(computed)? {
                    let entry = Entry::of(&resolved(&program, &item.value)).ok_or_else(computed)?;
                    connection.servers.push((item.line, entry));
                }
            }
            None => return Err(computed()),
        }
        for Item { key, value, line } in argument(1).as_ref().and_then(array).unwrap_or_default() {
            let (Some(name), Some(value)) = (key.as_ref().and_then(Value::text), value.word()) else {
                return Err(ConfigError::at(
                    *line,
                    "an option must be computed; write it as 'name' => 'value'",
                ));
            };
            connection.options.push((name.to_owned(), value.to_owned()));
        }
    } else {
        let dsns = words(text).filter(|(_, word)| word.starts_with("memcached:"));
        connection.servers.extend(dsns.map(|(line, word)| (line, Entry::Dsn(word.to_owned()))));
    }
    if connection.servers.is_empty() {
        return Err(ConfigError::of(
            "no DSN; write memcached://HOST:PORT/WEIGHT, also where a variable of the environment stands",
        ));
    }
    // A configuration has one DSN for each of its pools.
    let is_configuration = text.contains("provider");
    if let Some((line, _)) = connection.servers.get(1).filter(|_| is_configuration) {
        return Err(ConfigError::at(*line, "a second provider: give the text of one alone"));
    }
    connection.reading().map(|reading| vec![reading])
}

/// The connection of each variable, of which the last counts where one stands twice.
fn of_environment(variables: &[env::Variable]) -> Result<Vec<Reading>, ConfigError> {
    let name_of = |variable: &env::Variable| (variable.name.clone(), variable.place.clone());
    let is_last =
        |at: &usize| !variables[at + 1..].iter().any(|other| name_of(other) == name_of(&variables[*at]));
    let last: Vec<_> = (0..variables.len()).filter(is_last).map(|at| &variables[at]).collect();
    let read = last.iter().map(|variable| {
        env::check_value(dsn(variable), variable.line)?;
        let servers = vec![(variable.line, Entry::Dsn(dsn(variable).to_owned()))];
        let mut reading = Connection { servers, ..Connection::default() }.reading()?;
        reading.pool = (last.len() > 1).then(|| variable.name.clone());
        Ok((reading, &*variable.place))
    });
    read.collect::<Result<_, _>>().map(told_apart)
}

/// What a connection is made of.
#[derive(Default)]
struct Connection {
    /// The list that is given, whose entries are servers in the end; and their lines.
    servers: Vec<(usize, Entry)>,
    options: Vec<(String, String)>,
    weighs_by_query: bool,
}

#[derive(Clone, Debug)]
enum Entry {
    Dsn(String),
    /// Host, port and weight.
    Server(String, i64, i64),
    /// Taken away.
    Nothing,
}

impl Entry {
    fn of(value: &Value<'_>) -> Option<Self> {
        if let Value::Text(dsn) = value {
            return Some(Self::Dsn((**dsn).to_owned()));
        }
        let items = array(value)?;
        let number = |at: usize| items.get(at).map_or(Some(0), |item| item.value.word().map(number));
        Some(Self::Server(items.first()?.value.text()?.to_owned(), number(1)?, number(2)?))
    }
}

impl Connection {
    /// Takes the DSNs one by one. A list that gets more servers on the way is numbered anew, as in the peer.
    fn resolve(&mut self) -> Result<(), ConfigError> {
        for (index, (line, entry)) in self.servers.clone().into_iter().enumerate() {
            let Entry::Dsn(dsn) = entry else { continue };
            let wrong = |says: String| ConfigError::at(line, says);
            let Dsn { server, hosts, query } = Dsn::read(&dsn).map_err(wrong)?;
            let hosts = hosts.into_iter().map(|host| (line, host));
            let Some(server) = server else {
                self.servers[index].1 = Entry::Nothing;
                self.servers.retain(|(_, entry)| !matches!(entry, Entry::Nothing));
                self.servers.extend(hosts);
                continue;
            };
            self.weighs_by_query |= query.iter().any(|(name, _)| name == "weight");
            let known = |(name, _): &(String, String)| !query.iter().any(|(other, _)| other == name);
            let others: Vec<_> = self.options.drain(..).filter(known).collect();
            self.options = query.into_iter().chain(others).collect();
            match self.servers.get_mut(index) {
                Some(place) => place.1 = server,
                None => self.servers.push((line, server)),
            }
            self.servers.extend(hosts);
        }
        match self.servers.iter().find(|(_, entry)| matches!(entry, Entry::Dsn(_))) {
            Some((line, _)) => Err(ConfigError::at(
                *line,
                "Symfony loses this DSN, as one before it has hosts alone; write the DSN with `host[…]=` last",
            )),
            None => Ok(()),
        }
    }

    fn reading(mut self) -> Result<Reading, ConfigError> {
        self.resolve()?;
        let line = self.servers.first().map_or(1, |(line, _)| *line);
        let mut calls = Calls::default();
        let is_ketama = |(name, _): &(String, String)| name.eq_ignore_ascii_case("libketama_compatible");
        if !self.options.iter().any(is_ketama) {
            calls.set("OPT_LIBKETAMA_COMPATIBLE", &Value::Word("true"), line)?;
        }
        for (name, value) in &self.options {
            let name = name.to_ascii_uppercase();
            let value = match &*name {
                "HASH" | "DISTRIBUTION" => format!("{name}_{}", value.to_ascii_uppercase()),
                _ => value.clone(),
            };
            calls.set(&format!("OPT_{name}"), &Value::Text(value.into()), line)?;
        }
        for (_, entry) in &self.servers {
            if let Entry::Server(host, port, share) = entry {
                calls.add(added(host, *port, true).weighing(weight(*share)));
            }
        }
        let mut reading = calls.reading();
        if self.weighs_by_query {
            reading.warn(
                "weight-of-query-ignored",
                "?weight= has no effect; write the weight behind the host, as in memcached://HOST/33",
            );
        }
        reading.warn(
            "keys-have-namespace",
            "Symfony puts namespace and version before each key and replaces characters in it: what is placed is the full id",
        );
        Ok(reading)
    }
}

/// A DSN: its own server, if it has one, those of `host[…]=`, and its options.
struct Dsn {
    server: Option<Entry>,
    hosts: Vec<Entry>,
    query: Vec<(String, String)>,
}

impl Dsn {
    /// Reads one. What is wrong with it is said without its user and password.
    fn read(dsn: &str) -> Result<Self, String> {
        let Some(rest) = dsn.strip_prefix("memcached:") else {
            return Err(
                "a DSN that does not begin with memcached: is refused; write memcached://HOST:PORT/WEIGHT"
                    .to_owned(),
            );
        };
        let (is_url, rest) = rest.strip_prefix("//").map_or((false, rest), |rest| (true, rest));
        // All before the last sign could be a password.
        let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut hosts = Vec::new();
        let mut options = Vec::<(String, String)>::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name), decoded(value));
            match name.strip_prefix("host[").and_then(|name| name.split_once(']')) {
                Some((host, _)) => {
                    let (host, port) =
                        host.rsplit_once(':').map_or((host, 11211), |(host, port)| (host, number(port)));
                    hosts.push(Entry::Server(host.to_owned(), port, number(&value)));
                }
                None if name == "host" => {
                    return Err("`host` of a query must be an array: write host[HOST:PORT]=WEIGHT".to_owned());
                }
                None => match options.iter_mut().find(|(other, _)| *other == name) {
                    Some(option) => option.1 = value,
                    None => options.push((name, value)),
                },
            }
        }
        let (host, path) = match is_url {
            true => place.split_at(place.find('/').unwrap_or(place.len())),
            false => ("", place),
        };
        if host.is_empty() && path.is_empty() {
            return match hosts.is_empty() {
                true => Err("neither host nor path; write memcached://HOST:PORT/WEIGHT".to_owned()),
                false => Ok(Self { server: None, hosts, query: Vec::new() }),
            };
        }
        let (path, share) = match path.rsplit_once('/') {
            Some((path, digits))
                if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                (path, number(digits))
            }
            _ => (path, 0),
        };
        let server = match host {
            "" => Entry::Server(path.to_owned(), 0, share),
            host => {
                let colon = host.rfind(':').filter(|&colon| !host[colon..].contains(']'));
                let (host, port) =
                    colon.map_or((host, None), |colon| (&host[..colon], Some(&host[colon + 1..])));
                let port = match port {
                    None | Some("") => 11211,
                    Some(port) => match port.parse::<u16>() {
                        Ok(port) => port.into(),
                        Err(_) => {
                            return Err(format!("bad port {port:?}; write memcached://HOST:PORT/WEIGHT"));
                        }
                    },
                };
                Entry::Server(host.to_owned(), port, share)
            }
        };
        Ok(Self { server: Some(server), hosts, query: options })
    }
}

/// A piece of a query as it is meant.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&byte, behind)) = rest.split_first() {
        let code = behind.get(..2).and_then(|hex| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &behind[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = behind;
            }
            _ => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configs::testing;

    fn told(text: &str) -> String {
        assert!((KIND.is_it)(text), "{text}");
        let mut readings = read(text).unwrap();
        readings.iter_mut().for_each(|reading| reading.warnings.clear());
        testing::told(readings)
    }

    #[test]
    fn dsns_are_read_as_the_adapter_does() {
        let ketama = "php-options=OPT_LIBKETAMA_COMPATIBLE=1";
        for (text, expected) in [
            ("memcached://a", format!("{ketama} a")),
            ("memcached://a:1/33\nmemcached://b/66", format!("{ketama} a:1*33 b*66")),
            ("memcached://user:p%40s@a:1?weight=33", format!("{ketama} a:1")),
            ("memcached:///p/a.sock/3", format!("{ketama} /p/a.sock:0*3")),
            ("memcached:?host[a:1]=3&host[b]=&host[/p:]=2", format!("{ketama} a:1*3 b /p:0*2")),
            ("memcached://a?host%5Bb%5D=2", format!("{ketama} a b*2")),
            ("memcached://[::1]:1", format!("{ketama} [::1]:1")),
            (
                "memcached://a?hash=crc&prefix_key=x\nmemcached://b?hash=md5",
                "php-options=OPT_LIBKETAMA_COMPATIBLE=1 OPT_HASH=HASH_MD5 OPT_PREFIX_KEY=x a b".to_owned(),
            ),
            (
                "memcached://a?libketama_compatible=0&distribution=consistent",
                "php-options=OPT_LIBKETAMA_COMPATIBLE=0 OPT_DISTRIBUTION=DISTRIBUTION_CONSISTENT a"
                    .to_owned(),
            ),
            ("memcached:?host[a]=1&libketama_compatible=0", format!("{ketama} a")),
            ("MEMCACHED_DSN=memcached://a:1", format!("{ketama} a:1")),
            ("A=1\nCACHE_DSN=\"memcached://a:1\"\nCACHE_DSN=memcached://b\n", format!("{ketama} b")),
            (
                "CACHE_DSN=memcached://a:1\nSESSION_DSN='memcached://b'\nMAILER_DSN=smtp://c",
                format!("CACHE_DSN {ketama} a:1\nSESSION_DSN {ketama} b"),
            ),
            (
                "framework:\n  cache:\n    default_memcached_provider: 'memcached://a:1'\n",
                format!("{ketama} a:1"),
            ),
            (
                "MemcachedAdapter::createConnection(['memcached://a', ['b', 1, 2]], ['hash' => 'crc']);",
                format!("{ketama} OPT_HASH=HASH_CRC a b:1*2"),
            ),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn what_the_adapter_refuses_is_refused_with_its_line_and_no_password() {
        for text in [
            "memcached:",
            "memcached://u:secret@",
            "memcached://a?host=b",
            "memcached://u:secret@a:x",
            "memcached://a?hash=sha1",
        ] {
            let error = read(&format!("# x\n{text}")).unwrap_err();
            assert_eq!(error.line(), Some(2), "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let two =
            "framework:\n default_memcached_provider: 'memcached://a'\n x:\n  provider: 'memcached://b'";
        assert_eq!(read(two).unwrap_err().line(), Some(4));
        let two = "MemcachedAdapter::createConnection('memcached://a');\nMemcachedAdapter::createConnection('memcached://b');";
        assert_eq!(read(two).unwrap_err().line(), Some(2));
        // The list is numbered anew when the first entry goes, and the second is looked for in its old place.
        assert!(read("memcached:?host[a]=1&host[b]=1\nmemcached://c").is_err());
    }
}
