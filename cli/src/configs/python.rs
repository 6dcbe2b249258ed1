//! Clients in Python: a program's call, or Django's `CACHES`.
//!
//! | kind | what is read |
//! |---|---|
//! | `django` | `CACHES`: `BACKEND`, `LOCATION`, `KEY_PREFIX`, `VERSION`, `OPTIONS` of each memcached backend |
//! | `pylibmc` | `pylibmc.Client([…], behaviors={…})` |
//! | `pymemcache` | `HashClient([…])` |
//! | `emcache` | `create_client([MemcachedHostAddress("host", port), …])` |
//! | `python-memcached` | `memcache.Client([…])` |
//! | `libmc` | `libmc.Client([…], prefix=…, hash_fn=…)` |

use memring_client::spec::{Address, DEFAULT_PORT};

use super::{
    ConfigError, Kind, Read, ReadServer, Reading,
    program::{Call, Item, Program, Value, find},
    servers::{self, port, port_and_weight, weight, without_default_port},
    tokens::Notation,
};

mod django;

pub(super) use django::KIND as DJANGO;

pub(super) const PYLIBMC: Kind = Kind {
    name: "pylibmc",
    about: "pylibmc (Python): a program with pylibmc.Client([…], behaviors={…})",
    is_it: |text| text.contains("pylibmc") && text.contains("Client("),
    read: Read::Program(Notation::PYTHON, |program| {
        let mut readings = read(program, &["Client", "ThreadMappedPool", "ClientPool"], pylibmc)?;
        if sets_placement_later(program.text) {
            readings.iter_mut().for_each(without_behaviors_set_later);
        }
        Ok(readings)
    }),
};

pub(super) const PYMEMCACHE: Kind = Kind {
    name: "pymemcache",
    about: "pymemcache (Python): a program with HashClient([…])",
    is_it: |text| text.contains("HashClient(") || (text.contains("pymemcache") && text.contains("Client(")),
    read: Read::Program(Notation::PYTHON, |program| {
        read(program, &["HashClient", "PooledClient", "Client"], pymemcache)
    }),
};

pub(super) const EMCACHE: Kind = Kind {
    name: "emcache",
    about: "emcache (Python): a program with create_client([MemcachedHostAddress(…), …])",
    is_it: |text| text.contains("emcache") && text.contains("create_client("),
    read: Read::Program(Notation::PYTHON, |program| read(program, &["create_client"], emcache)),
};

pub(super) const LIBMC: Kind = Kind {
    name: "libmc",
    about: "libmc (Python): a program with libmc.Client([…])",
    is_it: |text| text.contains("libmc") && ["Client(", "ClientPool("].iter().any(|call| text.contains(call)),
    read: Read::Program(Notation::PYTHON, |program| {
        read(program, &["Client", "ThreadedClient", "ClientPool"], libmc)
    }),
};

pub(super) const PYTHON_MEMCACHED: Kind = Kind {
    name: "python-memcached",
    about: "python-memcached (Python): a program with memcache.Client([…])",
    is_it: |text| text.contains("memcache.Client(") || text.contains("import memcache"),
    read: Read::Program(Notation::PYTHON, |program| read(program, &["Client"], python_memcached)),
};

/// A client's servers and the arguments that have names.
struct Told<'p, 't> {
    program: &'p Program<'t>,
    servers: Vec<Item<'t>>,
    arguments: &'p [Item<'t>],
    line: usize,
}

/// Reads the first call of one of `names`, whose first argument is the servers.
fn read(
    program: &Program<'_>,
    names: &[&str],
    reading: fn(&Told<'_, '_>) -> Result<Reading, ConfigError>,
) -> Result<Vec<Reading>, ConfigError> {
    // In the order of their names: `HashClient(…)` may be given a `Client`.
    let call = names.iter().find_map(|name| program.only_call(name).transpose()).transpose()?;
    let Some(Call { arguments, line, .. }) = call else {
        return Err(ConfigError::of(format!("no call of {}(…)", names.join("(…), "))));
    };
    let first = arguments.first().filter(|item| item.key.is_none());
    let Some(servers) = first.or_else(|| find(&arguments, "servers")).or_else(|| find(&arguments, "server"))
    else {
        return Err(ConfigError::at(line, "no servers: they are the first argument"));
    };
    let servers = listed(program, servers)?;
    reading(&Told { program, servers, arguments: &arguments, line }).map(|reading| vec![reading])
}

/// The servers of a list, also where the program has it under a name.
fn listed<'t>(program: &Program<'t>, servers: &Item<'t>) -> Result<Vec<Item<'t>>, ConfigError> {
    match program.resolved_within(servers.value.clone()) {
        Value::List(items) => Ok(items),
        text @ Value::Text(_) => Ok(vec![Item { key: None, value: text, line: servers.line }]),
        Value::Word(_) | Value::Call(..) | Value::Unknown => {
            Err(ConfigError::at(servers.line, "the servers are computed: write the list in their place"))
        }
    }
}

impl Told<'_, '_> {
    /// The argument `name`, which may stand without its name in place `at`; the servers are in place 0.
    fn argument(&self, name: &str, at: usize) -> Option<Value<'_>> {
        let by_place = self.arguments.get(at).filter(|item| item.key.is_none());
        let item = find(self.arguments, name).or(by_place)?;
        Some(self.program.resolved(item.value.clone()))
    }

    /// The servers, which are texts.
    fn texts(&self) -> impl Iterator<Item = Result<(&str, usize), ConfigError>> {
        self.servers.iter().map(|item| Ok((text_of(item)?, item.line)))
    }
}

fn text_of<'i>(item: &'i Item<'_>) -> Result<&'i str, ConfigError> {
    item.value
        .text()
        .ok_or_else(|| ConfigError::at(item.line, "a server that is no text in quotes: write it as one"))
}

/// The pair `(host, port)`, if it is one.
fn pair(item: &Item<'_>) -> Option<Result<ReadServer, ConfigError>> {
    let Value::List(parts) = &item.value else { return None };
    let [host, number] = &**parts else {
        return Some(Err(ConfigError::at(item.line, "a server in brackets is a host and a port")));
    };
    let host = text_of(host);
    let number = number.value.word().unwrap_or_default();
    Some(host.and_then(|host| Ok(servers::with_port(host, port(number, item.line)?))))
}

fn pylibmc(told: &Told<'_, '_>) -> Result<Reading, ConfigError> {
    let behaviors = told.argument("behaviors", 1);
    let mut reading = pylibmc_with(behaviors.as_ref(), told.line)?;
    for server in told.texts() {
        let (text, line) = server?;
        reading.servers.push(pylibmc_server(text, line)?);
    }
    of_one_transport(reading)
}

/// Whether a behavior that places keys is set after the client was made, when it already has its servers.
fn sets_placement_later(text: &str) -> bool {
    let later = [".behaviors", "set_behaviors("].iter().filter_map(|setter| text.find(setter)).min();
    let rest = later.map_or("", |at| &text[at..]);
    ["ketama", "distribution", "hash"].iter().any(|behavior| rest.contains(behavior))
}

fn without_behaviors_set_later(reading: &mut Reading) {
    reading.scheme = None;
    reading.options.clear();
    reading.warn(
        "behaviors-after-servers",
        "behaviors are set when the servers are there already, which places keys in another way: hand them to the client when \
         it is made",
    );
}

/// The scheme of pylibmc's behaviors.
fn pylibmc_with(behaviors: Option<&Value<'_>>, line: usize) -> Result<Reading, ConfigError> {
    let behavior = |name| behaviors.and_then(|table: &Value<'_>| table.get(name)).map(|item| &item.value);
    if behaviors.is_some_and(|table| table.items().is_none()) {
        return Err(ConfigError::at(line, "the behaviors are computed: write the table in their place"));
    }
    let is_set = |name| behavior(name).and_then(Value::truth).unwrap_or(false);
    let distribution = behavior("distribution").and_then(Value::word).unwrap_or("modula");
    let scheme = if is_set("ketama_weighted") {
        "pylibmc-ketama-weighted"
    } else if is_set("ketama") {
        "pylibmc-ketama"
    } else {
        match distribution {
            "modula" => "pylibmc-modula",
            "consistent" => "pylibmc-consistent",
            "consistent_ketama" => "pylibmc-ketama",
            "consistent_weighted" => "pylibmc-ketama-weighted",
            other => {
                return Err(ConfigError::at(
                    line,
                    format!("{other:?} is no distribution of pylibmc: modula or consistent"),
                ));
            }
        }
    };
    let mut reading = Reading::of(scheme);
    if let Some(hash) = behavior("hash").and_then(Value::word).filter(|hash| *hash != "default") {
        if scheme == "pylibmc-ketama-weighted" {
            reading.warn("hash-ignored", "hash has no effect beside ketama_weighted, which sets md5");
        } else {
            reading.option("hash", hash);
        }
    }
    if is_set("remove_failed") || is_set("auto_eject") {
        reading.option("auto_eject_hosts", "1");
    }
    if scheme == "pylibmc-ketama" {
        reading.warn(
            "not-ketama",
            "ketama alone is not what other clients call ketama; for that, set ketama_weighted beside it",
        );
    }
    Ok(reading)
}

/// `host[:port[:weight]]`, `[v6]:port:weight`, `udp:host`, or a path.
fn pylibmc_server(text: &str, line: usize) -> Result<ReadServer, ConfigError> {
    let text = text.strip_prefix("udp:").unwrap_or(text);
    if text.contains('/') {
        return Ok(servers::socket(text));
    }
    let (host, rest) = servers::host(text);
    let (port, weight) = port_and_weight(rest, line)?;
    // pylibmc takes 0 for the default of both.
    let port = if port == 0 { DEFAULT_PORT } else { port };
    let server = without_default_port(host, port);
    // The name is read back as host and port, so that of IPv6 keeps its brackets here.
    let server =
        if host.contains(':') { ReadServer::new(format!("[{host}]:{port}"), server.address) } else { server };
    Ok(server.weighing(weight))
}

/// pylibmc refuses sockets beside hosts.
fn of_one_transport(reading: Reading) -> Result<Reading, ConfigError> {
    let is_socket = |server: &ReadServer| matches!(server.address, Address::Unix(_));
    let sockets = reading.servers.iter().filter(|server| is_socket(server)).count();
    if sockets != 0 && sockets != reading.servers.len() {
        return Err(ConfigError::of("pylibmc takes Unix sockets or hosts, not both in one list"));
    }
    Ok(reading)
}

fn pymemcache(told: &Told<'_, '_>) -> Result<Reading, ConfigError> {
    let mut reading = Reading::of("pymemcache-rendezvous");
    // One server may stand as a pair without a list around it.
    if let [Item { value: Value::Text(host), .. }, Item { value: Value::Word(number), .. }] = &*told.servers {
        reading.servers.push(servers::with_port(host, port(number, told.line)?));
        return Ok(reading);
    }
    for item in &told.servers {
        reading.servers.push(match pair(item) {
            Some(server) => server?,
            None => pymemcache_server(text_of(item)?, item.line)?,
        });
    }
    without_own_hasher(&mut reading, told.argument("hasher", 1).as_ref());
    if told.argument("key_prefix", 10).is_some() {
        reading
            .warn("prefix-not-hashed", "key_prefix is sent with each key and plays no part in its placement");
    }
    Ok(reading)
}

/// Takes the scheme away where `hasher` is another class than pymemcache's.
fn without_own_hasher(reading: &mut Reading, hasher: Option<&Value<'_>>) {
    let is_own = |hasher: &Value<'_>| hasher.word().is_none_or(|hasher| !hasher.ends_with("RendezvousHash"));
    if hasher.is_some_and(is_own) {
        reading.scheme = None;
        reading.warn(
            "own-hasher",
            "hasher is a class of the program's own: nobody else can tell where its keys are",
        );
    }
}

/// `host`, `host:port` cut at the last colon, `[v6]`, `[v6]:port`, `unix:/path` or `/path`.
fn pymemcache_server(text: &str, line: usize) -> Result<ReadServer, ConfigError> {
    let path = text.strip_prefix("unix:").unwrap_or(text);
    if path.starts_with('/') || path.len() != text.len() {
        return Ok(servers::socket(path));
    }
    if text.starts_with('[') {
        let (host, rest) = servers::host(text);
        let number = rest.strip_prefix(':').map_or(Ok(DEFAULT_PORT), |number| port(number, line))?;
        return Ok(servers::with_port(host, number));
    }
    match text.rsplit_once(':') {
        Some((host, number)) => Ok(servers::with_port(host, port(number, line)?)),
        None => Ok(servers::with_port(text, DEFAULT_PORT)),
    }
}

fn emcache(told: &Told<'_, '_>) -> Result<Reading, ConfigError> {
    let mut reading = Reading::of("emcache");
    for Item { value, line, .. } in &told.servers {
        let argument = |at: usize, name| {
            let items = value.items().unwrap_or_default();
            find(items, name)
                .or_else(|| items.get(at).filter(|item| item.key.is_none()))
                .map(|item| &item.value)
        };
        let server = match value {
            Value::Call(name, _) if name.ends_with("MemcachedUnixSocketPath") => {
                argument(0, "path").and_then(Value::text).map(|path| Ok(servers::socket(path)))
            }
            Value::Call(name, _) if name.ends_with("MemcachedHostAddress") => {
                let host = argument(0, "address").and_then(Value::text);
                let number = argument(1, "port").and_then(Value::word);
                host.zip(number).map(|(host, number)| Ok(emcache_server(host, port(number, *line)?)))
            }
            _ => None,
        };
        reading.servers.push(server.unwrap_or_else(|| {
            Err(ConfigError::at(*line, "a server of emcache is MemcachedHostAddress(\"HOST\", PORT)"))
        })?);
    }
    Ok(reading)
}

fn emcache_server(host: &str, port: u16) -> ReadServer {
    let name = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    ReadServer::new(name, Address::tcp(host, port))
}

fn python_memcached(told: &Told<'_, '_>) -> Result<Reading, ConfigError> {
    let mut reading = Reading::of("python-memcached");
    for item in &told.servers {
        reading.servers.push(python_memcached_item(item)?);
    }
    warn_of_versions(&mut reading);
    Ok(reading)
}

/// A text, or a text and a weight in brackets.
fn python_memcached_item(item: &Item<'_>) -> Result<ReadServer, ConfigError> {
    match &item.value {
        Value::List(parts) => {
            let [server, share] = &**parts else {
                return Err(ConfigError::at(item.line, "a server in brackets is a text and a weight"));
            };
            let share = share.value.word().unwrap_or_default();
            Ok(python_memcached_server(text_of(server)?, item.line)?.weighing(weight(share, item.line)?))
        }
        _ => python_memcached_server(text_of(item)?, item.line),
    }
}

fn warn_of_versions(reading: &mut Reading) {
    reading.warn(
        "version-decides",
        "versions of python-memcached before 1.60 place keys whose hash is 0 elsewhere: the scheme python-memcached-or1",
    );
}

/// `host:port`, `inet:host:port`, `inet6:[v6]:port` or `unix:/path`.
fn python_memcached_server(text: &str, line: usize) -> Result<ReadServer, ConfigError> {
    if let Some(path) = text.strip_prefix("unix:").or_else(|| text.starts_with('/').then_some(text)) {
        return Ok(servers::socket(path));
    }
    let text = text.strip_prefix("inet:").or_else(|| text.strip_prefix("inet6:")).unwrap_or(text);
    let (host, rest) = servers::host(text);
    let number = rest.strip_prefix(':').map_or(Ok(DEFAULT_PORT), |number| port(number, line))?;
    let name = if host.contains(':') { format!("[{host}]:{number}") } else { format!("{host}:{number}") };
    Ok(ReadServer::new(name, Address::tcp(host, number)))
}

fn libmc(told: &Told<'_, '_>) -> Result<Reading, ConfigError> {
    let mut reading = Reading::of("libmemcached-ketama");
    let hash = told.argument("hash_fn", 5);
    let hash = hash.as_ref().map_or(Some("MC_HASH_MD5"), Value::word).unwrap_or_default();
    match hash.rsplit('.').next().unwrap_or_default() {
        "MC_HASH_MD5" => reading.option("hash", "md5"),
        "MC_HASH_FNV1_32" => {
            reading.option("hash", "fnv1_32");
            reading.option("points-hash", "md5");
        }
        "MC_HASH_FNV1A_32" => {
            reading.option("hash", "fnv1a_32");
            reading.option("points-hash", "md5");
        }
        other => {
            reading.scheme = None;
            reading.warn(
                "no-scheme",
                format!("memring does not know how libmc places keys with hash_fn={other}"),
            );
        }
    }
    for server in told.texts() {
        let (text, line) = server?;
        let (address, alias) = text.split_once(' ').unwrap_or((text, ""));
        let server = if address.starts_with('/') {
            servers::socket(address)
        } else {
            let (host, rest) = servers::host(address);
            let number = rest.strip_prefix(':').map_or(Ok(DEFAULT_PORT), |number| port(number, line))?;
            ReadServer::new(address, Address::tcp(host, number))
        };
        let name = if alias.trim().is_empty() { server.name } else { alias.trim().to_owned() };
        reading.servers.push(ReadServer { name, ..server });
    }
    match told.argument("prefix", 4) {
        None => {}
        Some(Value::Text(prefix)) => reading.prepend = prefix.into_owned(),
        Some(_) => {
            reading.warn("unknown-prefix", "prefix is computed; libmc puts it before each key and hashes it");
        }
    }
    Ok(reading)
}

#[cfg(test)]
mod tests;
