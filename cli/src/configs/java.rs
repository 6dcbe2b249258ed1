//! Clients in Java: spymemcached and xmemcached.
//!
//! Both resolve host names, and the address becomes part of a server's name. Nothing is looked up here: `localhost` is
//! 127.0.0.1, and of other hosts a warning says what to write.
//!
//! Source: spymemcached 2.12.3 `AddrUtil`, `ConnectionFactoryBuilder`; xmemcached `utils/AddrUtil`, `XMemcachedClientBuilder`.

use core::net::IpAddr;

use memring_client::spec::Address;

use super::{
    ConfigError, Kind, Read, ReadServer, Reading,
    program::{Call, Item, Program, Value, last_name},
    servers::{port, weight},
    tokens::Notation,
};

pub(super) const SPYMEMCACHED: Kind = Kind {
    name: "spymemcached",
    about: "spymemcached (Java): a program with new MemcachedClient(…, AddrUtil.getAddresses(\"…\"))",
    is_it: |text| text.contains("MemcachedClient(") && !text.contains("XMemcached"),
    read: Read::Program(Notation::C, read_spymemcached),
};

pub(super) const XMEMCACHED: Kind = Kind {
    name: "xmemcached",
    about: "xmemcached (Java): a program with new XMemcachedClientBuilder(AddrUtil.getAddresses(\"…\"))",
    is_it: |text| text.contains("XMemcached"),
    read: Read::Program(Notation::C, read_xmemcached),
};

fn read_spymemcached(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    let client = program.only_call("MemcachedClient")?;
    // Of two builders or two settings, nobody can tell which one the client has.
    program.only_call("ConnectionFactoryBuilder")?;
    refuse_choice(program, &[FACTORIES, &["setLocatorType", "setHashAlg", "createLocator"]].concat())?;
    check_factory(program, client.as_ref())?;
    let is_ketama = program.calls().any(|call| call.name == "KetamaConnectionFactory");
    let locator = enumerated(program, "setLocatorType", LOCATOR_TYPES)?;
    let hash = match enumerated(program, "setHashAlg", HASHES)? {
        Some(hash) => Some(hash),
        None => hash_of_factory(program)?,
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
    if program.calls().any(|call| matches!(call.name, "KetamaNodeLocator" | "createLocator" | "getHashAlg")) {
        reading.scheme = None;
        reading.options.clear();
        reading.warn(
            "no-scheme",
            "the program makes its locator or its hash itself, in a way that is not read here",
        );
    }
    let named = |host: &str, port| java_name(host, port, "");
    reading.servers = addresses(program, &[' ', ',', '\t', '\n'], named)?;
    warn_of_hosts(&mut reading);
    Ok(vec![reading])
}

/// The factories whose locator and hash are known.
const FACTORIES: &[&str] = &[
    "DefaultConnectionFactory",
    "BinaryConnectionFactory",
    "KetamaConnectionFactory",
    "ConnectionFactoryBuilder",
];

/// What `setLocatorType` takes.
const LOCATOR_TYPES: &[&str] = &["ARRAY_MOD", "CONSISTENT", "VBUCKET"];

/// What `setHashAlg` takes.
const HASHES: &[&str] = &[
    "NATIVE_HASH",
    "CRC_HASH",
    "FNV1_64_HASH",
    "FNV1A_64_HASH",
    "FNV1_32_HASH",
    "FNV1A_32_HASH",
    "KETAMA_HASH",
];

/// Refuses a `a ? b : c` in a statement with one of `names`.
fn refuse_choice(program: &Program<'_>, names: &[&str]) -> Result<(), ConfigError> {
    let says = "a choice between ways of placement: give the text of one case";
    program.choice_of(names).map_or(Ok(()), |line| Err(ConfigError::at(line, says)))
}

/// Checks that the connection factory of a client is made in this text.
fn check_factory(program: &Program<'_>, client: Option<&Call<'_>>) -> Result<(), ConfigError> {
    let Some(Call { arguments, line, .. }) = client else { return Ok(()) };
    let [factory, _, ..] = &**arguments else { return Ok(()) };
    let elsewhere = |what: &str| {
        let says = format!(
            "the connection factory {what}, and decides how keys are placed: give the text that makes it"
        );
        Err(ConfigError::at(*line, says))
    };
    let has_known = || program.calls().any(|call| FACTORIES.contains(&call.name));
    match program.looked_up(factory.value.clone()) {
        // Servers, one argument each.
        Ok(Value::Call(name, _)) if last_name(name) == "InetSocketAddress" => Ok(()),
        Ok(Value::Call(name, _)) if FACTORIES.contains(&last_name(name)) => Ok(()),
        // The end of a builder, or a class made in place.
        Ok(Value::Call(name, _)) if last_name(name) == "build" && has_known() => Ok(()),
        Ok(Value::Unknown) if has_known() || program.calls().any(|call| call.name == "createLocator") => {
            Ok(())
        }
        Ok(_) => elsewhere("is made elsewhere"),
        Err(why) => elsewhere(&format!("is not known ({why})")),
    }
}

/// The hash that a `DefaultConnectionFactory(operations, buffer, hash)` is given.
fn hash_of_factory(program: &Program<'_>) -> Result<Option<String>, ConfigError> {
    let is_it = |call: &Call<'_>| matches!(call.name, "DefaultConnectionFactory" | "BinaryConnectionFactory");
    let Some(call) = program.calls().find(is_it) else { return Ok(None) };
    call.arguments.get(2).map(|item| constant(program, item, call.name, HASHES)).transpose()
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

fn read_xmemcached(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    program.only_call("XMemcachedClientBuilder")?;
    if let Some(call) = program.calls().find(|call| matches!(call.name, "addServer" | "removeServer")) {
        let says = format!(
            "{} changes the servers later, which is not read: write all of them in the builder",
            call.name
        );
        return Err(ConfigError::at(call.line, says));
    }
    let names: Vec<_> = LOCATORS.iter().map(|(name, ..)| *name).collect();
    refuse_choice(program, &[&*names, &["setSessionLocator"]].concat())?;
    let found = session_locator(program)?;
    let ((_, scheme, default), arguments) = found.unwrap_or((LOCATORS[0], Vec::new()));
    let mut reading = Reading::of(scheme);
    for Item { value, line, .. } in &arguments {
        let value = program.resolved(value.clone());
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
    reading.servers = addresses(program, &[' ', '\t', '\n'], named)?;
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
    if let Some(weights) = weights(program)? {
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

/// A row of [`LOCATORS`].
type Locator = (&'static str, &'static str, &'static str);

/// The locator that is set, with its arguments.
fn session_locator<'t>(program: &Program<'t>) -> Result<Option<(Locator, Vec<Item<'t>>)>, ConfigError> {
    let known = |name: &str| LOCATORS.iter().find(|(known, ..)| *known == last_name(name)).copied();
    let Some(call) = program.only_call("setSessionLocator")? else {
        // Handed on in another way.
        let mut made = program.calls().filter_map(|call| Some((known(call.path)?, call)));
        let first = made.next();
        return match made.next() {
            Some((_, other)) => Err(ConfigError::at(
                other.line,
                "a second session locator: give the text of one client alone",
            )),
            None => Ok(first.map(|(locator, call)| (locator, call.arguments))),
        };
    };
    let locator = match call.arguments.first().map(|item| program.resolved(item.value.clone())) {
        Some(Value::Call(name, arguments)) => known(name).map(|locator| (locator, arguments)),
        _ => None,
    };
    let says = "the session locator is computed, or of a class that memring does not know: write \
                new KetamaMemcachedSessionLocator() or another of xmemcached's in its place";
    locator.map(Some).ok_or_else(|| ConfigError::at(call.line, says))
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

/// The constant that the method `name` is given, one of `known`, without its class.
fn enumerated(program: &Program<'_>, name: &str, known: &[&str]) -> Result<Option<String>, ConfigError> {
    let Some(call) = program.only_call(name)? else { return Ok(None) };
    let first = call.arguments.first();
    let first = first.ok_or_else(|| ConfigError::at(call.line, format!("{name} without an argument")))?;
    constant(program, first, name, known).map(Some)
}

/// An argument that is one of the constants `known`.
fn constant(
    program: &Program<'_>,
    item: &Item<'_>,
    name: &str,
    known: &[&str],
) -> Result<String, ConfigError> {
    let value = program.resolved(item.value.clone());
    match value.word().map(last_name) {
        Some(word) if known.contains(&word) => Ok(word.to_owned()),
        word => {
            let what = word.map_or_else(String::new, |word| format!(" {word:?}"));
            let known = known.join(", ");
            let says =
                format!("the argument{what} of {name} must be computed; write one of {known} in its place");
            Err(ConfigError::at(item.line, says))
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
    fn what_another_text_decides_is_refused_with_its_line() {
        let servers = "AddrUtil.getAddresses(\"10.0.0.1:1 10.0.0.2:1\")";
        let x = format!("var b = new XMemcachedClientBuilder({servers});\n");
        for (text, line, says) in [
            (
                format!("ConnectionFactory f =\nx ? new KetamaConnectionFactory() : new DefaultConnectionFactory();\nnew MemcachedClient(f, {servers});"),
                2,
                "a choice",
            ),
            (
                format!("{x}b.setSessionLocator(x ? new KetamaMemcachedSessionLocator() : new ArrayMemcachedSessionLocator());"),
                2,
                "a choice",
            ),
            (format!("{x}b.setSessionLocator(locator);"), 2, "session locator is computed"),
            (format!("{x}b.setSessionLocator(new OwnLocator());"), 2, "session locator is computed"),
            (
                format!("MemcachedClient f(ConnectionFactory f) {{\nreturn new MemcachedClient(f, {servers}); }}"),
                2,
                "is made elsewhere",
            ),
            (
                format!("ConnectionFactory f = new KetamaConnectionFactory();\nMemcachedClient g(ConnectionFactory f) {{\nreturn new MemcachedClient(f, {servers}); }}"),
                3,
                "line 2 changes `f`",
            ),
            (
                format!("a = new ConnectionFactoryBuilder().setLocatorType(Locator.CONSISTENT).build();\nb = new ConnectionFactoryBuilder().build();\nnew MemcachedClient(b, {servers});"),
                2,
                "a second call of ConnectionFactoryBuilder",
            ),
            (
                format!("new MemcachedClient(new ConnectionFactoryBuilder().\nsetLocatorType(locator).build(), {servers});"),
                2,
                "\"locator\" of setLocatorType must be computed; write one of ARRAY_MOD, CONSISTENT",
            ),
            (
                "class C { String servers = \"10.0.0.1:1\";\nMemcachedClient make(String servers) {\nreturn new MemcachedClient(AddrUtil.getAddresses(servers)); } }".to_owned(),
                3,
                "line 2 changes `servers`",
            ),
        ] {
            let error = read(&text, None).unwrap_err();
            assert_eq!(error.line(), Some(line), "{text}: {error}");
            assert!(error.to_string().contains(says), "{error}");
        }
        let constant = "static final Locator L = Locator.CONSISTENT;\nstatic final String S = \"10.0.0.1:1\";\nList<?> x;\n\
                        ConnectionFactory f = new ConnectionFactoryBuilder().setLocatorType(L).build();\n\
                        new MemcachedClient(f, AddrUtil.getAddresses(S));";
        assert_eq!(one(constant).scheme.as_deref(), Some("spymemcached-ketama"));
        let constant = format!("{x}var l = new KetamaMemcachedSessionLocator();\nb.setSessionLocator(l);");
        assert_eq!(one(&constant).scheme.as_deref(), Some("xmemcached-ketama"));
    }

    #[test]
    fn a_port_must_be_written() {
        let error = read("\nnew MemcachedClient(AddrUtil.getAddresses(\"a\"))", None).unwrap_err();
        assert_eq!(error.to_string(), "line 2: \"a\" has no port, which this client wants");
    }
}
