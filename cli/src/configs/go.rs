//! gomemcache: `memcache.New("host:port", …)`.
//!
//! Only places in the list count. Source: gomemcache `memcache/selector.go`.

use memring_client::spec::Address;

use super::{
    ConfigError, Kind, Read, ReadServer, Reading,
    program::{Call, Item, Program, Value},
    servers,
    tokens::Notation,
};

pub(super) const KIND: Kind = Kind {
    name: "gomemcache",
    about: "gomemcache (Go, golang): a program with memcache.New(\"…\", …) or SetServers(\"…\", …)",
    is_it: |text| text.contains("memcache.New(") || text.contains("memcache.ServerList"),
    read: Read::Program(Notation::C, read),
};

fn read(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    let has_servers = |call: &Call<'_>| !call.arguments.is_empty() && !is_selector(&call.arguments);
    // What is set later counts.
    let names = ["SetServers", "New", "NewFromServers"];
    let call =
        names.iter().find_map(|name| program.only_call_that(name, has_servers).transpose()).transpose()?;
    let call = call.ok_or_else(|| ConfigError::of("no call of memcache.New(\"…\") with servers"))?;
    let mut reading = Reading::of("gomemcache");
    for item in &call.arguments {
        let value = program.resolved(item.value.clone());
        let items = match value {
            Value::List(items) => items,
            value => vec![Item { value, ..item.clone() }],
        };
        for item in &items {
            reading.servers.push(server(item)?);
        }
    }
    Ok(vec![reading])
}

/// Whether the only argument is a selector, whose servers are set elsewhere.
fn is_selector(arguments: &[Item<'_>]) -> bool {
    matches!(arguments, [Item { value: Value::Word("ss" | "selector"), .. }])
}

fn server(item: &Item<'_>) -> Result<ReadServer, ConfigError> {
    let Some(text) = item.value.text() else {
        return Err(ConfigError::at(
            item.line,
            "the servers are computed: write them as texts in their place",
        ));
    };
    if text.contains('/') {
        return Ok(servers::socket(text));
    }
    let (host, rest) = servers::host(text);
    let Some(port) = rest.strip_prefix(':') else {
        return Err(ConfigError::at(item.line, format!("{text:?} has no port, which gomemcache wants")));
    };
    Ok(ReadServer::new(text, Address::tcp(host, servers::port(port, item.line)?)))
}

#[cfg(test)]
mod tests {
    use super::super::read;

    fn names(text: &str) -> Vec<String> {
        read(text, None).unwrap().remove(0).servers.into_iter().map(|server| server.name).collect()
    }

    #[test]
    fn servers_stand_in_the_call_in_a_list_or_in_a_selector() {
        assert_eq!(names("mc := memcache.New(\"a:1\", \"/tmp/m.sock\")"), ["a:1", "/tmp/m.sock"]);
        assert_eq!(
            names("servers := []string{\"a:1\", \"[::1]:2\"}\nmc := memcache.New(servers...)"),
            ["a:1", "[::1]:2"]
        );
        assert_eq!(
            names("var ss memcache.ServerList\nss.SetServers(\"a:1\")\nmemcache.NewFromSelector(&ss)"),
            ["a:1"]
        );
        assert!(read("memcache.New(\"a\")", None).is_err());
        assert!(read("memcache.New(os.Getenv(\"X\"))", None).is_err());
    }
}
