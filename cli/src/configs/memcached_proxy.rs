//! memcached's own proxy: a program in Lua with `mcp.pool({backends}, {options})`.
//!
//! Source: memcached `proxy_lua.c`, `proxy_jump_hash.c`, `proxy_ring_hash.c`.

use memring_client::spec::Address;

use super::{
    ConfigError, Kind, ReadServer, Reading,
    program::{Call, Item, Program, Value, find, last_name},
    servers,
    tokens::Notation,
};

pub(super) const KIND: Kind = Kind {
    name: "memcached-proxy",
    about: "memcached's built-in proxy: a program in Lua with mcp.pool({…})",
    is_it: |text| text.contains("mcp.pool(") || text.contains("mcp.backend("),
    read,
};

fn read(text: &str) -> Result<Vec<Reading>, ConfigError> {
    let program = Program::read(text, Notation::LUA)?;
    program.check_brackets()?;
    let calls: Vec<_> = program.calls().filter(|call| call.path == "mcp.pool").collect();
    let is_alone = calls.len() == 1;
    let mut readings = Vec::new();
    for (number, call) in (1..).zip(&calls) {
        let mut reading = pool(call, &program)?;
        if !is_alone {
            reading.pool = Some(name(text, call.line).unwrap_or_else(|| format!("pool-{number}")));
        }
        readings.push(reading);
    }
    if readings.is_empty() {
        return Err(ConfigError::of("no call of mcp.pool({ … })"));
    }
    Ok(readings)
}

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
    match argument(1) {
        None => {}
        Some(Value::List(options)) => set(&options, program, &mut reading)?,
        Some(_) => {
            return Err(ConfigError::at(
                call.line,
                "the options must be computed; write them in their place",
            ));
        }
    }
    reading.warn(
        "routes-decide",
        "which pool a key goes to is for the routes of the program to say, and they may copy keys; this is the pool alone",
    );
    Ok(reading)
}

/// The options of a pool. The order does not count.
fn set(options: &[Item<'_>], program: &Program<'_>, reading: &mut Reading) -> Result<(), ConfigError> {
    let is_set = |name: &str| find(options, name).is_some();
    for item in options {
        let Some(name) = item.key.as_ref().and_then(Value::word) else { continue };
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
