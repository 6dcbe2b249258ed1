//! Clients in Java: spymemcached and xmemcached.
//!
//! Both resolve host names, and the address becomes part of a server's name. Nothing is looked up here: `localhost` is
//! 127.0.0.1, and of other hosts a warning says what to write.
//!
//! Source: spymemcached 2.12.3 `AddrUtil`, `ConnectionFactoryBuilder`; xmemcached `utils/AddrUtil`, `XMemcachedClientBuilder`.

use core::net::IpAddr;

use memring_client::spec::Address;

use super::{
    ConfigError, Kind, ReadServer, Reading,
    program::{Call, Item, Program, Value, last_name},
    servers::{port, weight},
    tokens::Notation,
};

pub(super) const SPYMEMCACHED: Kind = Kind {
    name: "spymemcached",
    about: "spymemcached: a program with new MemcachedClient(…, AddrUtil.getAddresses(\"…\"))",
    is_it: |text| text.contains("MemcachedClient(") && !text.contains("XMemcached"),
    read: read_spymemcached,
};

pub(super) const XMEMCACHED: Kind = Kind {
    name: "xmemcached",
    about: "xmemcached: a program with new XMemcachedClientBuilder(AddrUtil.getAddresses(\"…\"))",
    is_it: |text| text.contains("XMemcached"),
    read: read_xmemcached,
};

fn read_spymemcached(text: &str) -> Result<Vec<Reading>, ConfigError> {
    let program = Program::read(text, Notation::C)?;
    program.only_call("MemcachedClient")?;
    let is_ketama = program.calls().any(|call| call.name == "KetamaConnectionFactory");
    let locator = enumerated(&program, "setLocatorType")?;
    let hash = match enumerated(&program, "setHashAlg")? {
        Some(hash) => Some(hash),
        None => hash_of_factory(&program),
    };
    let mut reading = if is_ketama || locator.as_deref() == Some("CONSISTENT") {
        Reading::of("spymemcached-ketama")
    } else {
        Reading::of("spymemcached-modulo")
    };
    let default = if is_ketama { "KETAMA_HASH" } else { "NATIVE_HASH" };
    let hash = hash.as_deref().unwrap_or(default);
    if hash != default_hash(&reading) {
        reading.option("hash", hash);
    }
    if let Some(locator) = locator.filter(|locator| !matches!(&**locator, "CONSISTENT" | "ARRAY_MOD")) {
        reading.scheme = None;
        reading.warn("no-scheme", format!("memring has no scheme for spymemcached's locator {locator}"));
    }
    if program.calls().any(|call| matches!(call.name, "KetamaNodeLocator" | "createLocator")) {
        reading.scheme = None;
        reading.options.clear();
        reading.warn("no-scheme", "the program makes its locator itself, in a way that is not read here");
    }
    let named = |host: &str, port| java_name(host, port, "");
    reading.servers = addresses(&program, &[' ', ',', '\t', '\n'], named)?;
    warn_of_hosts(&mut reading);
    Ok(vec![reading])
}

/// The hash that a `DefaultConnectionFactory(operations, buffer, hash)` is given.
fn hash_of_factory(program: &Program<'_>) -> Option<String> {
    let factory =
        |call: &Call<'_>| matches!(call.name, "DefaultConnectionFactory" | "BinaryConnectionFactory");
    let call = program.calls().find(factory)?;
    let hash = call.arguments.get(2)?.value.word()?;
    Some(last_name(hash).to_owned())
}

/// The `hash` of a scheme to which nothing was set.
fn default_hash(reading: &Reading) -> &'static str {
    match reading.scheme.as_deref() {
        Some("spymemcached-ketama") => "KETAMA_HASH",
        _ => "NATIVE_HASH",
    }
}

/// xmemcached's locators, their schemes, and the hashes they have unless told otherwise.
const LOCATORS: [(&str, &str, &str); 5] = [
    ("ArrayMemcachedSessionLocator", "xmemcached-array", "NATIVE_HASH"),
    ("PHPMemcacheSessionLocator", "xmemcached-phpmemcache", "NATIVE_HASH"),
    ("KetamaMemcachedSessionLocator", "xmemcached-ketama", "KETAMA_HASH"),
    ("LibmemcachedMemcachedSessionLocator", "xmemcached-libmemcached", "ONE_AT_A_TIME"),
    ("ElectionMemcachedSessionLocator", "xmemcached-election", "ELECTION_HASH"),
];

fn read_xmemcached(text: &str) -> Result<Vec<Reading>, ConfigError> {
    let program = Program::read(text, Notation::C)?;
    program.only_call("XMemcachedClientBuilder")?;
    if let Some(call) = program.calls().find(|call| matches!(call.name, "addServer" | "removeServer")) {
        let says = format!(
            "{} changes the servers later, which is not read: write all of them in the builder",
            call.name
        );
        return Err(ConfigError::at(call.line, says));
    }
    let found = program.calls().find_map(|call| {
        LOCATORS.iter().find(|(name, ..)| *name == call.name).map(|&locator| (locator, Some(call)))
    });
    let ((_, scheme, default), call) = found.unwrap_or((LOCATORS[0], None));
    let mut reading = Reading::of(scheme);
    for Item { value, line, .. } in call.iter().flat_map(|call| &call.arguments) {
        match value.truth() {
            Some(true) if scheme == "xmemcached-ketama" => {
                reading.scheme = Some("xmemcached-ketama-nginx".into());
            }
            Some(true) => {
                return Err(ConfigError::at(*line, "memring has no scheme for this argument of the locator"));
            }
            Some(false) => {}
            None => match value.word().map(last_name) {
                Some(hash) if hash == default => {}
                Some(hash)
                    if scheme == "xmemcached-libmemcached"
                        && hash.bytes().all(|byte| byte.is_ascii_digit()) =>
                {
                    reading.option("numReps", hash);
                }
                Some(hash) => reading.option("hash", hash),
                None => {
                    return Err(ConfigError::at(
                        *line,
                        "the locator's argument is computed: write its value",
                    ));
                }
            },
        }
    }
    let slash = if matches!(scheme, "xmemcached-array" | "xmemcached-phpmemcache") { "" } else { "/" };
    let named = |host: &str, port| java_name(host, port, slash);
    reading.servers = addresses(&program, &[' ', '\t', '\n'], named)?;
    let has_comma =
        |item: &Item<'_>| program.resolved(item.value.clone()).text().is_some_and(|text| text.contains(','));
    for call in program.calls().filter(|call| call.arguments.first().is_some_and(has_comma)) {
        match call.name {
            "getAddressMap" => {
                reading.warn("standby", "what stands behind a comma is a standby: it has no keys of its own");
            }
            "getAddresses" => reading.warn(
                "comma-in-name",
                "servers are divided by blanks: what stands around a comma is one host of an odd name",
            ),
            _ => {}
        }
    }
    if let Some(weights) = weights(&program)? {
        if weights.len() != reading.servers.len() {
            return Err(ConfigError::of(format!(
                "{} weights for {} servers",
                weights.len(),
                reading.servers.len()
            )));
        }
        for (server, weight) in reading.servers.iter_mut().zip(weights) {
            server.weight = weight.into();
        }
    }
    if !slash.is_empty() {
        warn_of_hosts(&mut reading);
    }
    Ok(vec![reading])
}

/// The weights beside xmemcached's servers: an `int[]`.
fn weights(program: &Program<'_>) -> Result<Option<Vec<u32>>, ConfigError> {
    let builder =
        program.calls().find(|call| matches!(call.name, "XMemcachedClientBuilder" | "XMemcachedClient"));
    let Some(Call { arguments, line, .. }) = builder else { return Ok(None) };
    let Some(second) = arguments.get(1) else { return Ok(None) };
    let Value::List(items) = program.resolved(second.value.clone()) else {
        return Err(ConfigError::at(line, "the weights are computed: write new int[] {…} in their place"));
    };
    let weights = items.iter().map(|item| weight(item.value.word().unwrap_or_default(), item.line));
    weights.collect::<Result<_, _>>().map(Some)
}

/// The constant that the method `name` is given, without its class.
fn enumerated(program: &Program<'_>, name: &str) -> Result<Option<String>, ConfigError> {
    let Some(call) = program.calls().find(|call| call.name == name) else { return Ok(None) };
    match call.arguments.first().map(|item| &item.value) {
        Some(Value::Word(word)) => Ok(Some(last_name(word).to_owned())),
        _ => {
            Err(ConfigError::at(call.line, format!("the argument of {name} is computed: write its constant")))
        }
    }
}

/// The servers of `AddrUtil.getAddresses("host:port …")` and of `new InetSocketAddress("host", port)`.
fn addresses(
    program: &Program<'_>,
    separators: &[char],
    named: impl Fn(&str, u16) -> String,
) -> Result<Vec<ReadServer>, ConfigError> {
    let mut servers = Vec::new();
    let server = |host: &str, port| ReadServer::new(named(host, port), Address::tcp(host, port));
    for call in program.calls() {
        let first = call.arguments.first().map(|item| program.resolved(item.value.clone()));
        match (call.name, first, call.arguments.get(1)) {
            ("getAddresses" | "getAddressMap", Some(Value::Text(list)), _) => {
                for text in list.split(separators).filter(|text| !text.is_empty()) {
                    // Behind a comma stands the standby of a server.
                    let text = if call.name == "getAddressMap" {
                        text.split(',').next().unwrap_or(text)
                    } else {
                        text
                    };
                    let (host, number) = text.rsplit_once(':').ok_or_else(|| {
                        ConfigError::at(call.line, format!("{text:?} has no port, which this client wants"))
                    })?;
                    servers.push(server(
                        host.trim_start_matches('[').trim_end_matches(']'),
                        port(number, call.line)?,
                    ));
                }
            }
            ("InetSocketAddress", Some(Value::Text(host)), Some(number)) => {
                let number = program.resolved(number.value.clone());
                servers.push(server(&host, port(number.word().unwrap_or_default(), call.line)?));
            }
            ("getAddresses" | "getAddressMap" | "InetSocketAddress", ..) => {
                return Err(ConfigError::at(
                    call.line,
                    "the servers are computed: write their text in its place",
                ));
            }
            _ => {}
        }
    }
    if servers.is_empty() {
        return Err(ConfigError::of("no servers: no call of AddrUtil.getAddresses(\"…\")"));
    }
    Ok(servers)
}

/// What Java prints for an address: `host/ip:port`, or `ip:port` behind `slash`.
fn java_name(host: &str, port: u16, slash: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(_) => format!("{slash}{host}:{port}"),
        Err(_) if host == "localhost" => format!("localhost/127.0.0.1:{port}"),
        Err(_) => format!("{host}:{port}"),
    }
}

/// Hosts are resolved, and their addresses are hashed.
fn warn_of_hosts(reading: &mut Reading) {
    if reading.scheme.as_deref().is_none_or(|scheme| scheme.ends_with("-modulo")) {
        return;
    }
    let is_open = |server: &&ReadServer| match &server.address {
        Address::Tcp { host, .. } => host.parse::<IpAddr>().is_err() && host != "localhost",
        Address::Unix(_) => false,
    };
    if let Some(server) = reading.servers.iter().find(is_open) {
        let name = server.name.clone();
        let (host, port) = name.rsplit_once(':').unwrap_or((&name, ""));
        reading.warn(
            "address-in-name",
            format!(
                "the address that {host} resolves to is part of its name: name the server {host}/ADDRESS:{port}; when the \
                 address changes, keys move"
            ),
        );
    }
    let has_v6 =
        |server: &ReadServer| matches!(&server.address, Address::Tcp { host, .. } if host.contains(':'));
    if reading.servers.iter().any(has_v6) {
        reading.warn(
            "version-decides",
            "Java prints an address of IPv6 in full, with brackets from Java 14 on: name the server so",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        read,
        testing::{names, one},
    };

    #[test]
    fn a_consistent_locator_keeps_the_hash_of_the_default_unless_told() {
        let reading = one(
            "new MemcachedClient(new ConnectionFactoryBuilder().setLocatorType(ConnectionFactoryBuilder.Locator.CONSISTENT)\
             .build(), AddrUtil.getAddresses(\"a:1, 10.0.0.1:2\"))",
        );
        assert_eq!(reading.scheme.as_deref(), Some("spymemcached-ketama"));
        assert_eq!(reading.options, [("hash".to_owned(), "NATIVE_HASH".to_owned())]);
        assert_eq!(
            (names(&reading), reading.warnings[0].trap),
            (vec!["a:1", "10.0.0.1:2"], "address-in-name")
        );
        let reading = one(
            "new MemcachedClient(new KetamaConnectionFactory(), new InetSocketAddress(\"localhost\", 1))",
        );
        assert_eq!((reading.options.len(), names(&reading)), (0, vec!["localhost/127.0.0.1:1"]));
    }

    #[test]
    fn xmemcached_has_weights_in_an_array_and_blanks_between_servers() {
        let build = |rest: &str| {
            format!(
                "var b = new XMemcachedClientBuilder(AddrUtil.getAddresses(\"10.0.0.1:1 10.0.0.2:1\"){rest}"
            )
        };
        let reading = one(&build(
            ", new int[] {1, 3});\nb.setSessionLocator(new KetamaMemcachedSessionLocator(true));",
        ));
        assert_eq!(reading.scheme.as_deref(), Some("xmemcached-ketama-nginx"));
        assert_eq!(
            (names(&reading), reading.servers[1].weight),
            (vec!["/10.0.0.1:1", "/10.0.0.2:1"], 3.into())
        );
        let error = read(&build(", new int[] {1});"), None).unwrap_err();
        assert_eq!(error.to_string(), "1 weights for 2 servers");
        assert_eq!(one(&build(");")).scheme.as_deref(), Some("xmemcached-array"));
    }

    #[test]
    fn what_is_said_elsewhere_than_in_a_builder_counts() {
        let factory = "new MemcachedClient(new DefaultConnectionFactory(1, 2, DefaultHashAlgorithm.CRC_HASH), AddrUtil.getAddresses(\"10.0.0.1:1\"))";
        assert_eq!(one(factory).options, [("hash".to_owned(), "CRC_HASH".to_owned())]);
        let own = "new MemcachedClient(new F() { NodeLocator createLocator() { return new KetamaNodeLocator(l, h); } }, AddrUtil.getAddresses(\"10.0.0.1:1\"))";
        assert_eq!(one(own).scheme, None);
        let two = "new MemcachedClient(AddrUtil.getAddresses(\"a:1\"));\nnew MemcachedClient(AddrUtil.getAddresses(\"b:1\"));";
        assert_eq!(read(two, None).unwrap_err().line(), Some(2));
        let standby =
            one("new XMemcachedClientBuilder(AddrUtil.getAddressMap(\"10.0.0.1:1,10.0.0.3:1 10.0.0.2:1\"))");
        assert_eq!(
            (names(&standby), standby.warnings[0].trap),
            (vec!["10.0.0.1:1", "10.0.0.2:1"], "standby")
        );
    }

    #[test]
    fn a_port_must_be_written() {
        let error = read("\nnew MemcachedClient(AddrUtil.getAddresses(\"a\"))", None).unwrap_err();
        assert_eq!(error.to_string(), "line 2: \"a\" has no port, which this client wants");
    }
}
