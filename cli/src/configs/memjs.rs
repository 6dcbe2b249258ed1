//! memjs of Node: `memjs.Client.create('user:password@host:port,host')`.
//!
//! One string, cut at commas. Source: memjs `lib/memjs/memjs.js`.

use memring_client::spec::DEFAULT_PORT;

use super::{
    ConfigError, Kind, Read, ReadServer, Reading,
    program::{Program, Value},
    servers,
    tokens::Notation,
};

pub(super) const KIND: Kind = Kind {
    name: "memjs",
    about: "memjs (Node, JavaScript): a program with `memjs.Client.create('…')`",
    is_it: |text| text.contains("memjs") && text.contains("Client.create("),
    read: Read::Program(Notation::C, read),
};

fn read(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    let Some(create) = program.only_call_that("create", |call| call.path.ends_with("Client.create"))? else {
        return Err(ConfigError::of("no call of memjs.Client.create(…)"));
    };
    let servers = create.arguments.first().map(|item| program.resolved(item.value.clone()));
    match &servers {
        Some(Value::Text(list)) => Ok(vec![self::servers(list, create.line)?]),
        None => {
            let mut reading = Reading::of("memjs");
            reading.servers.push(server("localhost:11211", create.line)?);
            reading.warn(
                "from-environment",
                "without servers, memjs takes MEMCACHIER_SERVERS or MEMCACHE_SERVERS of the environment, and \
                 localhost:11211 where there is neither",
            );
            Ok(vec![reading])
        }
        Some(_) => Err(ConfigError::at(create.line, "the servers are not a text: write it in their place")),
    }
}

/// A list with commas, as the call and the environment have it.
pub(super) fn servers(list: &str, line: usize) -> Result<Reading, ConfigError> {
    let servers = list.split(',').map(|text| server(text, line));
    Ok(Reading { servers: servers.collect::<Result<_, _>>()?, ..Reading::of("memjs") })
}

fn server(text: &str, line: usize) -> Result<ReadServer, ConfigError> {
    let text = servers::without_credentials(text);
    match text.split_once(':') {
        None => Ok(servers::with_port(text, DEFAULT_PORT)),
        Some((_, port)) if port.contains(':') => {
            Err(ConfigError::at(line, "memjs cannot read an IPv6 address: give the server a name"))
        }
        Some((host, port)) => Ok(servers::with_port(host, servers::port(port, line)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;

    #[test]
    fn a_string_has_several_servers_and_their_passwords_are_not_their_names() {
        let text = "const s = 'u:p@a:1,b';\nlet mc = memjs.Client.create(s, { failover: true })";
        let readings = read(text, None).unwrap();
        let names: Vec<_> = readings[0].servers.iter().map(|server| &*server.name).collect();
        assert_eq!((readings[0].kind, names), ("memjs", vec!["a:1", "b:11211"]));
        let error = read("\nmemjs.Client.create('[::1]:1')", None).unwrap_err();
        assert_eq!(error.line(), Some(2));
    }
}
