//! Clients in JavaScript: `memcached`, and `hashring` by itself.
//!
//! Source: node-memcached `lib/memcached.js`; node-hashring `index.js`.

use memring_client::spec::Address;

use super::{
    ConfigError, Kind, Read, ReadServer, Reading,
    program::{Item, Program, Value, last_name},
    servers::{self, port, weight},
    tokens::Notation,
};

pub(super) const MEMCACHED: Kind = Kind {
    name: "node-memcached",
    about: "Node's memcached (JavaScript): a program with new Memcached(…)",
    is_it: |text| text.contains("new Memcached(") && !is_php(text),
    read: Read::Program(Notation::C, read_memcached),
};

pub(super) const HASHRING: Kind = Kind {
    name: "hashring",
    about: "Node's hashring (JavaScript): a program with new HashRing(…)",
    is_it: |text| text.contains("new HashRing("),
    read: Read::Program(Notation::C, read_hashring),
};

/// Whether a text is PHP, whose names begin with a `$`.
fn is_php(text: &str) -> bool {
    let is_name = |(at, _)| text[at + 1..].starts_with(|char: char| char.is_alphabetic() || char == '_');
    text.contains("<?php") || text.match_indices('$').any(is_name)
}

fn read_memcached(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    let call = program.only_call("Memcached")?;
    let call = call.ok_or_else(|| ConfigError::of("no call of new Memcached(…)"))?;
    refuse_settings_of_all(program)?;
    let mut reading = Reading::of("node-hashring-ketama");
    reading.servers = match call.arguments.first() {
        Some(servers) => listed(program, servers)?,
        None => vec![servers::with_port("localhost", 11211)],
    };
    let Some(options) = call.arguments.get(1) else { return Ok(vec![reading]) };
    let Value::List(entries) = program.resolved(options.value.clone()) else {
        return Err(ConfigError::at(
            options.line,
            "the options are computed: write the table in their place",
        ));
    };
    let options = Value::List(entries);
    let option = |name| options.get(name).map(|item| program.resolved(item.value.clone()));
    match option("namespace") {
        None => {}
        Some(Value::Text(namespace)) => reading.option("namespace", namespace),
        Some(_) => reading.warn(
            "unknown-namespace",
            "namespace is computed; it stands before each key and is hashed: write its value in its place",
        ),
    }
    match option("algorithm") {
        None => {}
        Some(Value::Text(algorithm)) if algorithm == "md5" => {}
        Some(Value::Text(algorithm)) => reading.option("algorithm", algorithm),
        Some(_) => without_scheme(&mut reading, "its algorithm is computed or a function"),
    }
    if option("compatibility").is_some_and(|value| value.text() != Some("ketama")) {
        without_scheme(&mut reading, "compatibility is another than ketama");
    }
    if option("remove").as_ref().and_then(Value::truth) == Some(true) {
        reading.warn(
            "remove-moves-keys",
            "with remove, a dead server is taken out and the ring is made anew: with unequal weights, keys of others move",
        );
    }
    Ok(vec![reading])
}

/// Refuses options that are set for all clients of a program, by `Memcached.config.NAME = …`, where they decide.
fn refuse_settings_of_all(program: &Program<'_>) -> Result<(), ConfigError> {
    let names = ["algorithm", "namespace", "compatibility", "config"];
    let line = program
        .assignment_to(|word| word.starts_with("Memcached.config") && names.contains(&last_name(word)));
    let says = "Memcached.config sets options of all clients, which are not read: write them in the call";
    line.map_or(Ok(()), |line| Err(ConfigError::at(line, says)))
}

fn read_hashring(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    let call = program.only_call("HashRing")?;
    let call = call.ok_or_else(|| ConfigError::of("no call of new HashRing(…)"))?;
    let servers = call.arguments.first().ok_or_else(|| ConfigError::at(call.line, "no servers"))?;
    let owner = program.made("HashRing").map(|(owner, _)| last_name(owner)).find(|owner| !owner.is_empty());
    let changes = |name: &str| matches!(name, "add" | "remove" | "swap" | "replace" | "reset");
    let change = program.calls().find(|call| {
        let object = call.path.strip_suffix(call.name).map(|path| last_name(path.trim_end_matches('.')));
        changes(call.name) && owner.is_some() && object == owner
    });
    if let Some(call) = change {
        let says = format!(
            "{}(…) changes the ring, which is not read: write all servers in new HashRing(…)",
            call.path
        );
        return Err(ConfigError::at(call.line, says));
    }
    // The algorithm may be left out, or stand in the options.
    let rest: Vec<_> =
        call.arguments.iter().skip(1).map(|item| program.resolved(item.value.clone())).collect();
    let options = rest.iter().find(|value| matches!(value, Value::List(_)));
    let option =
        |name| options.and_then(|options| options.get(name)).map(|item| program.resolved(item.value.clone()));
    let scheme = match option("compatibility").as_ref().and_then(Value::text) {
        None => "node-hashring",
        Some("ketama") => "node-hashring-ketama",
        Some("hash_ring") => "node-hashring-hash-ring",
        Some(other) => {
            return Err(ConfigError::at(call.line, format!("{other:?} is no compatibility of hashring")));
        }
    };
    let mut reading = Reading::of(scheme);
    match rest.first() {
        None | Some(Value::List(_)) => {}
        Some(Value::Text(algorithm)) if *algorithm == "md5" => {}
        Some(Value::Text(algorithm)) => reading.option("algorithm", &**algorithm),
        Some(_) => without_scheme(&mut reading, "its algorithm is a function"),
    }
    if let Some(vnodes) = option("vnode count").as_ref().and_then(Value::word) {
        reading.option("vnodes", vnodes);
    }
    if option("replicas").is_some() {
        without_scheme(&mut reading, "replicas is set");
    }
    let items = program.resolved(servers.value.clone());
    if items.items().unwrap_or_default().iter().any(|item| item.value.get("vnodes").is_some()) {
        without_scheme(&mut reading, "a server has vnodes of its own");
    }
    reading.servers = listed(program, servers)?;
    Ok(vec![reading])
}

fn without_scheme(reading: &mut Reading, why: &str) {
    reading.scheme = None;
    reading.warn("no-scheme", format!("memring has no scheme for this ring: {why}"));
}

/// One text, a list of texts, or a table of weights.
fn listed(program: &Program<'_>, servers: &Item<'_>) -> Result<Vec<ReadServer>, ConfigError> {
    let computed = |line| ConfigError::at(line, "the servers are computed: write them in their place");
    match program.resolved(servers.value.clone()) {
        // Commas are part of the one name.
        Value::Text(text) => Ok(vec![server(&text, servers.line)?]),
        Value::List(items) => items
            .iter()
            .map(|item| match (&item.key, &item.value) {
                (None, Value::Text(text)) => server(text, item.line),
                (Some(Value::Text(text)), value) => {
                    let share = value.get("weight").map_or(value, |item| &item.value);
                    let server = server(text, item.line)?;
                    // A table without a weight.
                    if matches!(share, Value::List(_)) {
                        return Ok(server);
                    }
                    Ok(server.weighing(weight(share.word().ok_or_else(|| computed(item.line))?, item.line)?))
                }
                _ => Err(computed(item.line)),
            })
            .collect(),
        _ => Err(computed(servers.line)),
    }
}

fn server(text: &str, line: usize) -> Result<ReadServer, ConfigError> {
    if text.contains(',') {
        return Err(ConfigError::at(
            line,
            format!("{text:?} is one server to this client: write a list of texts"),
        ));
    }
    if text.starts_with('/') {
        return Ok(servers::socket(text));
    }
    let (host, rest) = servers::host(text);
    let number = rest.strip_prefix(':').map_or(Ok(11211), |number| port(number, line))?;
    Ok(ReadServer::new(text, Address::tcp(host, number)))
}

#[cfg(test)]
mod tests {
    use super::super::{
        read,
        testing::{names, one},
    };

    #[test]
    fn memcached_takes_a_text_a_list_or_a_table() {
        assert_eq!(names(&one("new Memcached('a:1')")), ["a:1"]);
        assert_eq!(names(&one("const s = ['a:1', \"b\"];\nnew Memcached(s, {remove: true})")), ["a:1", "b"]);
        let reading = one("new Memcached({'a:1': 2, 'b:1': 1}, { namespace: `n`, algorithm: 'sha1' })");
        assert_eq!((names(&reading), reading.servers[0].weight), (vec!["a:1", "b:1"], 2.into()));
        assert_eq!(reading.options.len(), 2);
        assert_eq!(names(&one("new Memcached()")), ["localhost:11211"]);
        assert!(read("new Memcached('a:1,b:1')", None).is_err());
    }

    #[test]
    fn what_is_set_for_all_clients_or_later_is_refused() {
        for text in [
            "const c = 1;\nMemcached.config.algorithm = 'sha1'; new Memcached('a:1')",
            "const c = 1;\nMemcached.config = { algorithm: 'sha1' }; new Memcached('a:1')",
            "const c = 1;\nnew Memcached('a:1', options())",
            "const o = {}; o.algorithm = 'sha1';\nnew Memcached('a:1', o)",
            "const r = new HashRing(['a']);\nr.add('b')",
        ] {
            assert_eq!(read(text, None).unwrap_err().line(), Some(2), "{text}");
        }
        assert!(read("Memcached.config.poolSize = 25;\nnew Memcached('a:1')", None).is_ok());
        for options in ["{ algorithm: f }", "{ compatibility: 'hash_ring' }"] {
            let reading = one(&format!("new Memcached('a:1', {options})"));
            assert_eq!(
                (reading.scheme.as_deref(), reading.warnings[0].trap),
                (None, "no-scheme"),
                "{options}"
            );
        }
    }

    #[test]
    fn hashring_has_options_behind_its_algorithm() {
        let reading = one("new HashRing(['a', 'b'], { compatibility: 'hash_ring', 'vnode count': 3 })");
        assert_eq!(reading.scheme.as_deref(), Some("node-hashring-hash-ring"));
        assert_eq!(reading.options, [("vnodes".to_owned(), "3".to_owned())]);
        for text in
            ["new HashRing(['a'], 'md5', { replicas: 3 })", "new HashRing({ a: 1, 'b': { vnodes: 4 } })"]
        {
            assert!(read(text, None).map_or(true, |readings| readings[0].scheme.is_none()), "{text}");
        }
    }
}
