//! twemproxy (nutcracker): its YAML file, a map of pools in block style.
//!
//! A server is read from its end: what follows the last blank is its name, then come the weight and the port.
//!
//! Source: twemproxy 0.5.0 `nc_conf.c`; the proxy was asked what it takes.

use std::collections::HashMap;

use memring_client::spec::{Address, DEFAULT_PORT};
use memring_core::hash::names::TWEMPROXY;
use saphyr_parser::{Event, Parser, Span};

use super::{ConfigError, Kind, Read, ReadServer, Reading};

pub(super) const KIND: Kind = Kind {
    name: "twemproxy",
    about: "twemproxy (nutcracker): its YAML file of pools",
    is_it: |text| {
        let mut lines = text.lines().map(str::trim_start);
        let has = |key: &str| text.lines().any(|line| line.trim_start().starts_with(key));
        let is_list = |line: &str| line.starts_with('-') && line.contains(':');
        has("servers:") && (has("listen:") || has("distribution:") || has("hash:")) && lines.any(is_list)
    },
    read: Read::Text(read),
};

fn read(text: &str) -> Result<Vec<Reading>, ConfigError> {
    let pools = pools(text)?;
    let mut readings = Vec::new();
    let mut listened = HashMap::new();
    for pool in &pools {
        if let Some(listen) = pool.value("listen") {
            if let Some(other) = listened.insert(&listen.text, &pool.name.text) {
                let says = format!(
                    "{:?} listens where {other:?} does; give each pool an address of its own",
                    pool.name.text
                );
                return Err(listen.wrong(says));
            }
        }
        readings.push(pool.reading()?);
    }
    Ok(readings)
}

/// A text of the file, and its line.
#[derive(Clone, Debug)]
struct Scalar {
    text: String,
    line: usize,
}

impl Scalar {
    fn wrong(&self, says: impl Into<String>) -> ConfigError {
        ConfigError::at(self.line, says)
    }

    fn truth(&self, key: &str) -> Result<bool, ConfigError> {
        match &*self.text {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(self.wrong(format!("{key}: {other:?} is neither true nor false"))),
        }
    }
}

/// A pool as the file has it.
#[derive(Debug)]
struct Pool {
    name: Scalar,
    values: Vec<(Scalar, Scalar)>,
    servers: Vec<Scalar>,
}

/// Keys of a pool, of which none may stand twice, and whether they are numbers.
const KEYS: &[(&str, Form)] = &[
    ("listen", Form::Text),
    ("hash", Form::Text),
    ("hash_tag", Form::Text),
    ("distribution", Form::Text),
    ("timeout", Form::Number),
    ("backlog", Form::Number),
    ("tcpkeepalive", Form::Truth),
    ("client_connections", Form::Number),
    ("redis", Form::Truth),
    ("redis_auth", Form::Text),
    ("redis_db", Form::Number),
    ("preconnect", Form::Truth),
    ("auto_eject_hosts", Form::Truth),
    ("server_connections", Form::Number),
    ("server_retry_timeout", Form::Number),
    ("server_failure_limit", Form::Number),
];

/// What a key is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Number,
    Truth,
}

impl Pool {
    fn value(&self, key: &str) -> Option<&Scalar> {
        self.values.iter().find(|(name, _)| name.text == key).map(|(_, value)| value)
    }

    fn reading(&self) -> Result<Reading, ConfigError> {
        self.check_keys()?;
        let distribution = self.value("distribution");
        let mut reading = match distribution.map(|value| &*value.text) {
            None | Some("ketama") => Reading::of("twemproxy-ketama"),
            Some("modula") => Reading::of("twemproxy-modula"),
            Some("random") => Reading::default(),
            Some(other) => {
                let says =
                    format!("{other:?} is no distribution; write ketama, modula or random, in lower case");
                return Err(distribution.unwrap_or(&self.name).wrong(says));
            }
        };
        reading.pool = Some(self.name.text.clone());
        self.tell_of_keys(&mut reading)?;
        if let Some(value) = self.value("auto_eject_hosts") {
            if value.truth("auto_eject_hosts")? {
                reading.option("auto_eject_hosts", "1");
            }
        }
        self.add_servers(&mut reading)?;
        if reading.scheme.is_none() {
            reading.warn("random-places-nothing", "distribution: random sends each request to any server");
        }
        if let Some(value) = self.value("redis") {
            if value.truth("redis")? {
                reading.scheme = None;
                reading.options.clear();
                reading.warn("redis", "redis: true is a pool of redis, not of memcached");
            }
        }
        Ok(reading)
    }

    fn check_keys(&self) -> Result<(), ConfigError> {
        let mut seen = Vec::new();
        for (key, value) in &self.values {
            let Some((_, form)) = KEYS.iter().find(|(known, _)| *known == key.text) else {
                let known: Vec<_> = KEYS.iter().map(|(known, _)| *known).collect();
                return Err(key.wrong(format!(
                    "{:?} is unknown to twemproxy; it knows {} and servers",
                    key.text,
                    known.join(", ")
                )));
            };
            if seen.contains(&&*key.text) {
                return Err(key.wrong(format!("{} stands twice; take one away", key.text)));
            }
            seen.push(&key.text);
            let is_number = !value.text.is_empty() && value.text.bytes().all(|byte| byte.is_ascii_digit());
            match form {
                Form::Number if !is_number => {
                    return Err(value.wrong(format!("{}: {:?} is no number", key.text, value.text)));
                }
                Form::Truth => drop(value.truth(&key.text)?),
                _ => {}
            }
        }
        if let Some(value) =
            self.value("server_connections").filter(|value| value.text.bytes().all(|byte| byte == b'0'))
        {
            return Err(value.wrong("server_connections: 0 is refused; write 1 or more"));
        }
        let is_redis = self.value("redis").is_some_and(|value| value.text == "true");
        if let Some(value) = self.value("redis_auth").filter(|_| !is_redis) {
            return Err(value.wrong("redis_auth is for a pool of redis alone; take it away"));
        }
        if let Some(listen) = self.value("listen") {
            if !is_listenable(&listen.text) {
                let says = format!(
                    "listen: {:?} is neither HOST:PORT nor /PATH with perhaps its permissions",
                    listen.text
                );
                return Err(listen.wrong(says));
            }
        }
        if self.value("listen").is_none() {
            let says =
                format!("pool {:?} has no `listen`, without which twemproxy refuses it", self.name.text);
            return Err(self.name.wrong(says));
        }
        Ok(())
    }

    /// The hash, and which part of a key it is of.
    fn tell_of_keys(&self, reading: &mut Reading) -> Result<(), ConfigError> {
        let is_ketama = reading.scheme.as_deref() == Some("twemproxy-ketama");
        let hash = self.value("hash");
        if let Some(hash) = hash {
            if TWEMPROXY.hash(&hash.text).is_none() {
                let names: Vec<_> = TWEMPROXY.iter().map(|(name, _)| name).collect();
                let says =
                    format!("{:?} is no hash; write one of {}, in lower case", hash.text, names.join(", "));
                return Err(hash.wrong(says));
            }
            reading.option("hash", &*hash.text);
        }
        match hash.map_or("fnv1a_64", |hash| &*hash.text) {
            "md5" => {}
            "crc32" if is_ketama => reading.warn(
                "crc-on-a-ring",
                "crc32 keeps 15 bits and the ring has 32: one server gets nearly every key; crc32a has all of them",
            ),
            _ if is_ketama => reading.warn(
                "hash-is-not-libmemcacheds",
                "keys are hashed otherwise than libmemcached's ketama does: to meet it, also PHP's, write hash: md5",
            ),
            _ => {}
        }
        if let Some(tag) = self.value("hash_tag") {
            if tag.text.len() != 2 {
                return Err(
                    tag.wrong(format!("hash_tag: {:?} is not two characters, such as \"{{}}\"", tag.text))
                );
            }
            reading.option("hash_tag", &*tag.text);
        }
        Ok(())
    }

    fn add_servers(&self, reading: &mut Reading) -> Result<(), ConfigError> {
        if self.servers.is_empty() {
            return Err(self.name.wrong(format!("pool {:?} has no servers", self.name.text)));
        }
        let servers: Vec<_> = self.servers.iter().map(Server::read).collect::<Result<_, _>>()?;
        let is_named = servers.iter().any(|server| server.own_name.is_some());
        if is_named {
            reading.option("name-rule", "verbatim");
        }
        let mut seen = HashMap::new();
        for (server, scalar) in servers.iter().zip(&self.servers) {
            let name = server.name();
            if seen.insert(name.clone(), ()).is_some() {
                let says = format!(
                    "{name:?} is the name of another server, too, which twemproxy refuses; give it one of its own"
                );
                return Err(scalar.wrong(says));
            }
            if server.host.starts_with('[') {
                reading.warn(
                    "brackets-cannot-be-reached",
                    format!(
                        "twemproxy does not reach {} with its brackets; write the address bare",
                        server.host
                    ),
                );
            }
            let name = if is_named || server.is_socket() {
                name
            } else {
                format!("{}:{}", server.host, server.port)
            };
            // Where all are unnamed, the scheme itself puts the colon behind the path of a socket.
            let name = if !is_named && server.is_socket() { server.host.to_owned() } else { name };
            reading.servers.push(ReadServer::new(name, server.address()).weighing(server.weight));
        }
        Ok(())
    }
}

/// Whether the proxy can listen there.
fn is_listenable(text: &str) -> bool {
    if text.starts_with('/') {
        let permissions = text.rsplit_once(' ').map(|(_, permissions)| u32::from_str_radix(permissions, 8));
        return permissions
            .is_none_or(|permissions| permissions.is_ok_and(|permissions| permissions <= 0o777));
    }
    text.rsplit_once(':')
        .is_some_and(|(_, port)| number(port).is_some_and(|port| (1..=0xffff).contains(&port)))
}

/// A server: `HOST:PORT:WEIGHT [NAME]` or `/PATH:WEIGHT [NAME]`.
#[derive(Clone, Copy, Debug)]
struct Server<'t> {
    host: &'t str,
    /// The port as written; nothing for a socket.
    port: &'t str,
    weight: u32,
    own_name: Option<&'t str>,
}

impl<'t> Server<'t> {
    fn read(scalar: &'t Scalar) -> Result<Self, ConfigError> {
        let expected = "write HOST:PORT:WEIGHT, HOST:PORT:WEIGHT NAME, or /PATH:WEIGHT";
        let wrong = |what: &str| Err(scalar.wrong(format!("{what} in {:?}; {expected}", scalar.text)));
        let (rest, own_name) = match scalar.text.rsplit_once(' ') {
            Some((rest, name)) => (rest, Some(name)),
            None => (&*scalar.text, None),
        };
        let Some((rest, weight)) = rest.rsplit_once(':') else { return wrong("no weight") };
        let Some(weight) = number(weight) else { return wrong("bad weight") };
        if weight == 0 {
            return wrong("weight 0");
        }
        if scalar.text.starts_with('/') {
            return Ok(Self { host: rest, port: "", weight, own_name });
        }
        let Some((host, port)) = rest.rsplit_once(':') else { return wrong("no port, or no weight,") };
        if number(port).is_none_or(|port| port == 0 || port > u32::from(u16::MAX)) || host.is_empty() {
            return wrong("bad port");
        }
        Ok(Self { host, port, weight, own_name })
    }

    const fn is_socket(&self) -> bool {
        self.port.is_empty()
    }

    /// What twemproxy calls it.
    fn name(&self) -> String {
        match (self.own_name, self.port()) {
            (Some(name), _) => name.to_owned(),
            (None, DEFAULT_PORT) => self.host.to_owned(),
            (None, _) => format!("{}:{}", self.host, self.port),
        }
    }

    fn port(&self) -> u16 {
        self.port.parse().unwrap_or(0)
    }

    fn address(&self) -> Address {
        match self.is_socket() {
            true => Address::unix(self.host),
            false => Address::tcp(self.host.trim_matches(['[', ']']), self.port()),
        }
    }
}

/// A number of digits alone, no larger than the proxy's.
fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&number: &u32| is_number && i32::try_from(number).is_ok())
}

/// The pools of the file: a map of maps of texts, of which one is a list.
fn pools(text: &str) -> Result<Vec<Pool>, ConfigError> {
    let mut file = File { text, events: Parser::new_from_str(text), documents: 0 };
    let mut pools: Vec<Pool> = Vec::new();
    file.enters_map("the file", "pools")?;
    while let Some(name) = file.key()? {
        if pools.iter().any(|pool| pool.name.text == name.text) {
            return Err(name.wrong(format!("pool {:?} stands twice; give it another name", name.text)));
        }
        file.enters_map(&format!("pool {:?}", name.text), "keys such as `listen` and `servers`")?;
        let mut pool = Pool { name, values: Vec::new(), servers: Vec::new() };
        let mut has_servers = false;
        while let Some(key) = file.key()? {
            if key.text != "servers" {
                pool.values.push((key, file.scalar("a text")?));
                continue;
            }
            if has_servers {
                return Err(key.wrong("servers stands twice; take one away"));
            }
            has_servers = true;
            pool.servers = file.list()?;
        }
        pools.push(pool);
    }
    file.ends()?;
    Ok(pools)
}

struct File<'t> {
    text: &'t str,
    events: Parser<'t, saphyr_parser::StrInput<'t>>,
    documents: usize,
}

impl<'t> File<'t> {
    /// The next event that is no beginning of the file. What the proxy takes no part of is refused here.
    fn next(&mut self) -> Result<(Event<'t>, Span), ConfigError> {
        loop {
            let Some(next) = self.events.next() else { return Err(ConfigError::of("no pools")) };
            let (event, span) = next.map_err(|error| {
                ConfigError::at(error.marker().line(), format!("no YAML: {}", error.info()))
            })?;
            let line = span.start.line();
            let sign = self.text.chars().nth(span.start.index());
            match &event {
                Event::StreamStart | Event::Nothing => continue,
                Event::DocumentStart(true) => {
                    return Err(ConfigError::at(line, "twemproxy takes no `---`; take it away"));
                }
                Event::DocumentStart(false) => {
                    self.documents += 1;
                    continue;
                }
                Event::MappingStart(0, None) | Event::SequenceStart(0, None)
                    if matches!(sign, Some('{' | '[')) =>
                {
                    let says = "twemproxy takes no lists or maps in brackets; write them on lines of their own, and a text with \
                                brackets in quotes";
                    return Err(ConfigError::at(line, says));
                }
                Event::Alias(_) => {
                    return Err(ConfigError::at(
                        line,
                        "twemproxy takes no alias; write the value in its place",
                    ));
                }
                Event::Scalar(_, _, anchor, tag) if *anchor > 0 || tag.is_some() => {
                    return Err(ConfigError::at(line, "twemproxy takes no anchors and tags; take it away"));
                }
                Event::MappingStart(anchor, tag) | Event::SequenceStart(anchor, tag)
                    if *anchor > 0 || tag.is_some() =>
                {
                    return Err(ConfigError::at(line, "twemproxy takes no anchors and tags; take it away"));
                }
                _ => return Ok((event, span)),
            }
        }
    }

    fn enters_map(&mut self, whole: &str, of: &str) -> Result<(), ConfigError> {
        match self.next()? {
            (Event::MappingStart(..), _) => Ok(()),
            (_, span) => Err(ConfigError::at(span.start.line(), format!("{whole} is no map of {of}"))),
        }
    }

    /// The next key of a map, or nothing at its end.
    fn key(&mut self) -> Result<Option<Scalar>, ConfigError> {
        match self.next()? {
            (Event::Scalar(text, ..), span) => {
                Ok(Some(Scalar { text: text.into_owned(), line: span.start.line() }))
            }
            (Event::MappingEnd, _) => Ok(None),
            (_, span) => Err(ConfigError::at(span.start.line(), "no key; write KEY: VALUE")),
        }
    }

    fn scalar(&mut self, expected: &str) -> Result<Scalar, ConfigError> {
        match self.next()? {
            (Event::Scalar(text, ..), span) => {
                Ok(Scalar { text: text.into_owned(), line: span.start.line() })
            }
            (_, span) => {
                Err(ConfigError::at(span.start.line(), format!("not {expected}, but more than one value")))
            }
        }
    }

    fn list(&mut self) -> Result<Vec<Scalar>, ConfigError> {
        match self.next()? {
            (Event::SequenceStart(..), _) => {}
            (_, span) => {
                let says = "servers is no list; write `- HOST:PORT:WEIGHT` for each on a line of its own";
                return Err(ConfigError::at(span.start.line(), says));
            }
        }
        let mut scalars = Vec::new();
        loop {
            match self.next()? {
                (Event::Scalar(text, ..), span) => {
                    scalars.push(Scalar { text: text.into_owned(), line: span.start.line() });
                }
                (Event::SequenceEnd, _) => return Ok(scalars),
                (_, span) => {
                    return Err(ConfigError::at(
                        span.start.line(),
                        "a server is a text; write `- HOST:PORT:WEIGHT`",
                    ));
                }
            }
        }
    }

    fn ends(&mut self) -> Result<(), ConfigError> {
        loop {
            match self.next()? {
                (Event::DocumentEnd, span) if span.end.index() > span.start.index() => {
                    return Err(ConfigError::at(span.start.line(), "twemproxy takes no `...`; take it away"));
                }
                (Event::DocumentEnd, _) => {}
                (Event::StreamEnd, _) => return Ok(()),
                (_, span) => return Err(ConfigError::at(span.start.line(), "more than one document")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(keys: &str, servers: &[&str]) -> String {
        let servers: String = servers.iter().map(|server| format!("  - {server}\n")).collect();
        format!("p:\n  listen: 127.0.0.1:1\n{keys}  servers:\n{servers}")
    }

    fn names(servers: &[&str]) -> String {
        let text = pool("", servers);
        assert!((KIND.is_it)(&text), "{text}");
        let reading = read(&text).unwrap().remove(0);
        let names: Vec<_> = reading
            .servers
            .iter()
            .map(|server| format!("{}*{}", server.name, server.weight.real()))
            .collect();
        names.join(" ")
    }

    #[test]
    fn a_server_is_read_from_its_end() {
        for (servers, expected) in [
            (&["a:11211:1", "b:1:2"][..], "a:11211*1 b:1*2"),
            (&["/p:3"], "/p*3"),
            (&["::1:11212:1"], "::1:11212*1"),
            (&["a:11211:1 x", "b:11211:1", "c:1:1", "/p:1"], "x*1 b*1 c:1*1 /p:*1"),
            (&["a:11211:1 a:11211"], "a:11211*1"),
            (&["\"a:1:1 x\""], "x*1"),
        ] {
            assert_eq!(names(servers), expected, "{servers:?}");
        }
    }

    #[test]
    fn what_the_proxy_refuses_is_refused_with_its_line() {
        let bad = |text: String, line: usize| {
            let error = read(&text).unwrap_err();
            assert_eq!(error.line(), Some(line), "{text}: {error}");
        };
        for server in [
            "a",
            "a:1",
            "a:1:0",
            "a:1:x",
            "a:1:-1",
            "a:0:1",
            "a:65536:1",
            "a:1:name",
            ":1:1",
            "a:1:1:x",
            "a: 1:1",
            "[a:1:1]",
        ] {
            bad(pool("", &["z:1:1", server]), 5);
        }
        bad(pool("", &["a:1:1", "a:1:2"]), 5);
        bad(pool("", &["a:1:1 x", "b:1:2 x"]), 5);
        for key in [
            "hash: MD5",
            "hash: fnv",
            "distribution: Ketama",
            "hash_tag: {}",
            "hash_tag: \"{\"",
            "unknown: 1",
            "reuseport: true",
            "server_connections: 0",
            "redis_auth: x",
            "timeout: x",
            "auto_eject_hosts: yes",
            "listen: x:1",
            "redis: &a true",
            "timeout: !!int 1",
        ] {
            bad(pool(&format!("  {key}\n"), &["a:1:1"]), 3);
        }
        bad(pool("", &["a:1:1"]).replace("  listen: 127.0.0.1:1\n", ""), 1);
        bad("p: {listen: a:1, servers: [a:1:1]}\n".to_owned(), 1);
        bad("---\np:\n  listen: a:1\n".to_owned(), 1);
        bad(format!("{}p:\n  listen: a:2\n", pool("", &["a:1:1"])), 5);
        bad(format!("{}q:\n  listen: 127.0.0.1:1\n  servers:\n  - a:1:1\n", pool("", &["a:1:1"])), 6);
        assert!(read("").is_err());
    }

    #[test]
    fn pools_have_their_names() {
        let text = format!(
            "{}q:\n  listen: /s\n  distribution: random\n  servers:\n  - a:1:1\n",
            pool("", &["a:1:1"])
        );
        let readings = read(&text).unwrap();
        let told: Vec<_> =
            readings.iter().map(|reading| (reading.pool.as_deref(), reading.scheme.as_deref())).collect();
        assert_eq!(told, [(Some("p"), Some("twemproxy-ketama")), (Some("q"), None)]);
    }
}
