//! memcached's own proxy: a program in Lua with `mcp.pool({backends}, {options})`, or with the `pools{…}` of its route library.
//!
//! Source: memcached `proxy_lua.c`, `proxy_jump_hash.c`, `proxy_ring_hash.c`; memcached-proxylibs `lib/routelib/routelib.lua`.

use memring_client::spec::Address;

use super::{
    ConfigError, Kind, Read, ReadServer, Reading,
    program::{Call, Item, Program, Value, last_name},
    servers,
    tokens::Notation,
};

pub(super) const KIND: Kind = Kind {
    name: "memcached-proxy",
    about: "memcached's built-in proxy: a program in Lua with mcp.pool({…}) or pools{…}",
    is_it: |text| {
        let squeezed = || text.chars().filter(|char| !char.is_whitespace()).collect::<String>();
        text.contains("mcp.pool(")
            || text.contains("mcp.backend(")
            || (text.contains("backends") && squeezed().contains("pools{"))
    },
    read: Read::Program(Notation::LUA, read),
};

fn read(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    program.check_brackets()?;
    let calls: Vec<_> = program.calls().filter(|call| call.path == "mcp.pool").collect();
    let is_alone = calls.len() == 1;
    let mut readings = Vec::new();
    for (number, call) in (1..).zip(&calls) {
        let mut reading = pool(call, program)?;
        if !is_alone {
            reading.pool = Some(name(program.text, call.line).unwrap_or_else(|| format!("pool-{number}")));
        }
        readings.push(reading);
    }
    let options = program.tables("settings").find_map(|table| table.get("pool_options").cloned());
    let options = options.map(|options| table_of(&options, program)).transpose()?.unwrap_or_default();
    for pool in program.tables("pools") {
        for item in pool.items().unwrap_or_default() {
            library_pools(item, "", &options, program, &mut readings)?;
        }
    }
    if readings.is_empty() {
        return Err(ConfigError::of("no call of mcp.pool({ … }), and no pools{ … }"));
    }
    Ok(readings)
}

/// A pool of the route library, or a set of them, whose name begins with `set_`.
fn library_pools(
    item: &Item<'_>,
    set: &str,
    options: &[Item<'_>],
    program: &Program<'_>,
    readings: &mut Vec<Reading>,
) -> Result<(), ConfigError> {
    let Some(name) = key_of(item) else {
        return Err(ConfigError::at(item.line, "a pool without a name; write NAME = { backends = { … } }"));
    };
    if set.is_empty() && name.starts_with("set_") {
        let pools = item.value.items().unwrap_or_default();
        return pools
            .iter()
            .try_for_each(|pool| library_pools(pool, &format!("{name}/"), options, program, readings));
    }
    let mut reading = Reading::of("memcached-proxy");
    reading.pool = Some(format!("{set}{name}"));
    let backends = item.value.get("backends").map(|backends| program.resolved(backends.value.clone()));
    let Some(Value::List(backends)) = backends else {
        return Err(ConfigError::at(item.line, format!("pool {name} has no list of backends")));
    };
    for backend in &backends {
        let server = match program.resolved(backend.value.clone()) {
            Value::Text(text) => library_backend(&text, backend.line)?,
            Value::List(fields) => {
                let as_call = Value::Call(
                    "mcp.backend",
                    vec![Item { value: Value::List(fields), key: None, line: backend.line }],
                );
                self::backend(&Item { value: as_call, ..backend.clone() }, program)?
            }
            _ => {
                return Err(ConfigError::at(backend.line, "a backend must be computed; write \"HOST:PORT\""));
            }
        };
        reading.servers.push(server);
    }
    if reading.servers.is_empty() {
        return Err(ConfigError::at(item.line, format!("pool {name} has no backends")));
    }
    // Those of the pool count before those of all pools.
    let own = item.value.get("options").map(|options| table_of(options, program));
    let own = own.transpose()?.unwrap_or_default();
    let mut all = options.to_vec();
    all.retain(|option| !own.iter().any(|other| key_of(other) == key_of(option)));
    all.extend(own);
    set_options(&all, program, &mut reading)?;
    reading.warn("routes-decide", ROUTES);
    readings.push(reading);
    Ok(())
}

/// The entries of a table, also of one that the program has under a name.
fn table_of<'t>(item: &Item<'t>, program: &Program<'t>) -> Result<Vec<Item<'t>>, ConfigError> {
    match program.resolved(item.value.clone()) {
        Value::List(entries) => Ok(entries),
        _ => Err(ConfigError::at(item.line, "the options must be computed; write them in their place")),
    }
}

/// The key of an entry: `name = …` or `["name"] = …`.
fn key_of<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    match item.key.as_ref()? {
        Value::List(inside) => inside.first()?.value.text(),
        key => key.word(),
    }
}

/// `HOST:PORT`, and perhaps a label behind it.
fn library_backend(text: &str, line: usize) -> Result<ReadServer, ConfigError> {
    let address = text.split_whitespace().next().unwrap_or_default();
    let Some((host, port)) = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()) else {
        return Err(ConfigError::at(line, format!("backend {text:?} has no port; write HOST:PORT")));
    };
    let port = servers::port(port, line)?;
    Ok(ReadServer::new(format!("{host}:{port}"), Address::tcp(host.trim_matches(['[', ']']), port)))
}

/// What no pool says.
const ROUTES: &str = "which pool a key goes to is for the routes of the program to say, and they may copy keys; this is the pool alone";

/// What a line gives a pool as its name.
fn name(text: &str, line: usize) -> Option<String> {
    let line = text.lines().nth(line.checked_sub(1)?)?;
    let (before, _) = line.split_once("mcp.pool")?;
    let name = before.trim_end().strip_suffix('=')?.split_whitespace().last()?;
    Some(name.to_owned())
}

fn pool(call: &Call<'_>, program: &Program<'_>) -> Result<Reading, ConfigError> {
    let mut reading = Reading::of("memcached-proxy");
    let argument = |at: usize| call.arguments.get(at).map(|item| program.resolved(item.value.clone()));
    let Some(Value::List(backends)) = argument(0) else {
        return Err(ConfigError::at(
            call.line,
            "the backends must be computed; write { mcp.backend(…), … } in their place",
        ));
    };
    for item in &backends {
        reading.servers.push(backend(item, program)?);
    }
    if reading.servers.is_empty() {
        return Err(ConfigError::at(call.line, "a pool without backends"));
    }
    if let Some(options) = call.arguments.get(1) {
        set_options(&table_of(options, program)?, program, &mut reading)?;
    }
    reading.warn("routes-decide", ROUTES);
    Ok(reading)
}

/// The options of a pool. The order does not count.
fn set_options(
    options: &[Item<'_>],
    program: &Program<'_>,
    reading: &mut Reading,
) -> Result<(), ConfigError> {
    let is_set = |name: &str| options.iter().any(|item| key_of(item) == Some(name));
    for item in options {
        let Some(name) = key_of(item) else {
            return Err(ConfigError::at(item.line, "an option without a name; write NAME = VALUE"));
        };
        let value = program.resolved(item.value.clone());
        let wrong = |expected: &str| {
            ConfigError::at(item.line, format!("{name} is not {expected}; write it in its place"))
        };
        let value = match name {
            "dist" => match value.word().map(last_name) {
                Some("dist_ring_hash") => "ring_hash",
                Some("dist_jump_hash") => "jump_hash",
                _ => return Err(wrong("mcp.dist_jump_hash or mcp.dist_ring_hash")),
            },
            "hash" => match value.word() {
                Some("mcp.dist_ring_hash.hash") => "ring_hash",
                Some("mcp.dist_jump_hash.hash" | "mcp.hash_xxhash") => "xxhash",
                _ => return Err(wrong("mcp.hash_xxhash or mcp.dist_ring_hash.hash")),
            },
            "seed" | "filter" | "filter_conf" | "omode" => value.text().ok_or_else(|| wrong("a text"))?,
            "obuckets" => value.word().ok_or_else(|| wrong("a number"))?,
            _ => continue,
        };
        reading.option(name, value);
    }
    if is_set("filter") != is_set("filter_conf") {
        let line = options.first().map_or(1, |item| item.line);
        return Err(ConfigError::at(line, "filter and filter_conf need each other"));
    }
    let is =
        |name: &str, value: &str| reading.options.iter().any(|(other, set)| other == name && set == value);
    if is_set("omode") && !is("omode", "default") && !is("hash", "ring_hash") {
        reading.warn(
            "omode-makes-points-alone",
            "omode makes the points of a ring and keys are hashed with XXH3: no client of ketama agrees, unless hash = \
             mcp.dist_ring_hash.hash is set, too",
        );
    }
    Ok(())
}

/// `mcp.backend(LABEL, HOST, PORT)` or `mcp.backend({ label = …, host = …, port = … })`, also by its name.
fn backend(item: &Item<'_>, program: &Program<'_>) -> Result<ReadServer, ConfigError> {
    let Value::Call("mcp.backend", arguments) = program.resolved(item.value.clone()) else {
        return Err(ConfigError::at(
            item.line,
            "a backend must be computed; write mcp.backend('LABEL', 'HOST', PORT)",
        ));
    };
    let table = arguments.first().map(|item| program.resolved(item.value.clone()));
    let field = |name: &str, at: usize| {
        let item = match &table {
            Some(table @ Value::List(_)) => table.get(name),
            _ => arguments.get(at),
        };
        item.map(|item| program.resolved(item.value.clone()))
    };
    let Some(host) = field("host", 1).as_ref().and_then(Value::text).map(str::to_owned) else {
        return Err(ConfigError::at(
            item.line,
            "a backend without a host; write mcp.backend('LABEL', 'HOST', PORT)",
        ));
    };
    let port = field("port", 2);
    let Some(port) = port.as_ref().and_then(Value::word) else {
        return Err(ConfigError::at(
            item.line,
            format!("backend {host} without a port; write mcp.backend('LABEL', 'HOST', PORT)"),
        ));
    };
    let port = servers::port(port, item.line)?;
    Ok(ReadServer::new(format!("{host}:{port}"), Address::tcp(host, port)))
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    fn read(text: &str) -> Result<Vec<Reading>, ConfigError> {
        crate::configs::read(text, Some(&KIND))
    }

    /// Without the trap that most have.
    fn told(text: &str) -> String {
        let mut readings = read(text).unwrap();
        readings
            .iter_mut()
            .for_each(|reading| reading.warnings.retain(|warning| warning.trap != "routes-decide"));
        testing::told(readings)
    }

    const B: &str = "local b = mcp.backend('l', '10.0.0.1', 11211) -- remark\n";

    #[test]
    fn backends_and_options_are_found_by_their_names() {
        for (text, expected) in [
            (
                "mcp.pool({ b, mcp.backend({ label = 'x', host = '::1', port = '1' }) })",
                "10.0.0.1:11211 ::1:1",
            ),
            (
                "mcp.pool({ b }, { dist = mcp.dist_ring_hash, omode = 'ketama', obuckets = 80 })",
                "dist=ring_hash omode=ketama obuckets=80 10.0.0.1:11211 !omode-makes-points-alone",
            ),
            (
                "mcp.pool({ b }, { dist = mcp.dist_ring_hash, omode = 'ketama', hash = mcp.dist_ring_hash.hash })",
                "dist=ring_hash omode=ketama hash=ring_hash 10.0.0.1:11211",
            ),
            ("mcp.pool({ b }, { seed = 'x', filter = 'tags', filter_conf = '{}', iothread = true })", {
                "seed=x filter=tags filter_conf={} 10.0.0.1:11211"
            }),
            ("local o = { seed = 'y' }\nlocal p = mcp.pool({ b }, o)\nmcp.pool({ b })", {
                "p seed=y 10.0.0.1:11211\npool-2 10.0.0.1:11211"
            }),
        ] {
            assert_eq!(told(&format!("{B}{text}")), expected, "{text}");
        }
    }

    #[test]
    fn pools_of_the_route_library_are_read() {
        for (text, expected) in [
            ("pools{ foo = { backends = { '10.0.0.1:1', \"10.0.0.2:2 label\" } } }", "foo 10.0.0.1:1 10.0.0.2:2"),
            (
                "settings{ pool_options = { seed = 'x', filter = 'tags', filter_conf = '{}' } }
                 pools {\n a = { options = { seed = 'y' }, backends = { { host = 'h', port = 1 } } },\n ['b-c'] = { backends = { 'i:2' } } }",
                "a filter=tags filter_conf={} seed=y h:1\nb-c seed=x filter=tags filter_conf={} i:2",
            ),
            (
                "local o = { seed = 'z' }\nlocal all = { seed = 'x', filter = 'tags', filter_conf = '{}' }
                 settings{ pool_options = all } pools{ a = { options = o, backends = { 'h:1' } } }",
                "a filter=tags filter_conf={} seed=z h:1",
            ),
            ("pools{ a = { options = { [\"seed\"] = 'y' }, backends = { 'h:1' } } }", "a seed=y h:1"),
            (
                "pools{ set_all = { z1 = { backends = { 'a:1' } }, z2 = { backends = { 'b:1' } } } }",
                "set_all/z1 a:1\nset_all/z2 b:1",
            ),
        ] {
            assert!((KIND.is_it)(text));
            assert_eq!(told(text), expected, "{text}");
        }
        for text in [
            "pools{\nfoo = { } }",
            "pools{ foo = { backends =\n{ 'a' } } }",
            "pools{\nfoo = { backends = { } } }",
            "pools{ foo = { backends = { 'a:1' },\noptions = o } }",
            "pools{ foo = { backends = { 'a:1' }, options = {\n[o] = 1 } } }",
            "settings{\npool_options = o() } pools{ foo = { backends = { 'a:1' } } }",
        ] {
            assert_eq!(read(text).unwrap_err().line(), Some(2), "{text}");
        }
    }

    #[test]
    fn what_must_be_computed_is_an_error_with_its_line() {
        for text in [
            "mcp.pool(backends())",
            "mcp.pool({ c })",
            "mcp.pool({})",
            "mcp.pool({ mcp.backend('l', '10.0.0.1') })",
            "mcp.pool({ mcp.backend({ label = 'l', port = 1 }) })",
            "mcp.pool({ mcp.backend('l', '10.0.0.1', 'x') })",
            "mcp.pool({ b }, options())",
            "mcp.pool({ b }, { hash = f() })",
            "mcp.pool({ b }, { dist = 'ketama' })",
            "mcp.pool({ b }, { filter = 'tags' })",
        ] {
            let error = read(&format!("{B}{text}")).unwrap_err();
            assert_eq!(error.line(), Some(2), "{text}: {error}");
        }
        assert!(read(B).is_err());
    }
}
