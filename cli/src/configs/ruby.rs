//! Clients in Ruby: Dalli, and the `mem_cache_store` of Rails, which is Dalli.
//!
//! Source: dalli `lib/dalli/servers_arg_normalizer.rb`, `lib/dalli/protocol/server_config_parser.rb`; rails
//! `active_support/cache/mem_cache_store.rb`.

use memring_client::spec::DEFAULT_PORT;

use super::{
    ConfigError, Kind, Read, ReadServer, Reading,
    program::{Item, Program, Value, find},
    servers::{self, port, port_and_weight, weight},
    tokens::Notation,
};

pub(super) const DALLI: Kind = Kind {
    name: "dalli",
    about: "Dalli (Ruby): a program with Dalli::Client.new(…), or MEMCACHE_SERVERS=…",
    is_it: |text| text.contains("Dalli::Client.new") || is_variable(text),
    read: Read::Program(Notation::RUBY, read_dalli),
};

pub(super) const RAILS: Kind = Kind {
    name: "rails",
    about: "Rails (Ruby): config.cache_store = :mem_cache_store, …",
    is_it: |text| {
        let is_session = text.contains("session_store") && !text.contains("cache_store =");
        ["mem_cache_store", "dalli_store"].iter().any(|store| text.contains(store)) && !is_session
    },
    read: Read::Program(Notation::RUBY, read_rails),
};

/// The variable of the environment that has the servers of those who name none.
const VARIABLE: &str = "MEMCACHE_SERVERS=";

/// Whether the text is that variable and nothing else. An environment with others is of a kind of its own.
fn is_variable(text: &str) -> bool {
    text.trim().starts_with(VARIABLE) && text.trim().lines().count() == 1
}

fn read_dalli(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    if let Some(list) = program.text.trim().strip_prefix(VARIABLE).filter(|_| is_variable(program.text)) {
        super::env::check_value(list, 1)?;
        return of_environment(list.trim_matches(['"', '\'']), 1).map(|reading| vec![reading]);
    }
    let Some(call) = program.only_call_that("new", |call| call.path.ends_with("Dalli::Client.new"))? else {
        return Err(ConfigError::of("no call of Dalli::Client.new(…)"));
    };
    store(program, &call.arguments, call.line).map(|reading| vec![reading])
}

/// What Dalli makes of `MEMCACHE_SERVERS`.
pub(super) fn of_environment(list: &str, line: usize) -> Result<Reading, ConfigError> {
    Ok(Reading { servers: listed(list, line)?, ..Reading::of("dalli") })
}

fn read_rails(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    let store = program.assigned("cache_store").unwrap_or_else(|| program.value());
    let items = match &store.value {
        Value::List(items) => &**items,
        _ => core::slice::from_ref(&store),
    };
    let kind = items.first().and_then(|item| item.value.word()).unwrap_or_default();
    if !matches!(kind, "mem_cache_store" | "dalli_store") {
        return Err(ConfigError::at(store.line, "cache_store is not :mem_cache_store"));
    }
    let mut reading = self::store(program, &items[1..], store.line)?;
    reading.warn(
        "long-keys",
        "keys of more than 250 bytes are shortened by Rails before Dalli sees them: give them as Rails makes them",
    );
    Ok(vec![reading])
}

/// Servers and options: lists in lists, then a table, or its pairs without a bracket.
fn store(program: &Program<'_>, arguments: &[Item<'_>], line: usize) -> Result<Reading, ConfigError> {
    let mut reading = Reading::of("dalli");
    let mut options = Vec::new();
    for argument in arguments {
        let value = program.resolved(argument.value.clone());
        let is_table = |items: &[Item<'_>]| items.first().is_some_and(|item| item.key.is_some());
        match &value {
            _ if argument.key.is_some() => options.push(Item { value, ..argument.clone() }),
            Value::List(items) if is_table(items) => options.extend(items.iter().cloned()),
            Value::Word("nil") => {}
            _ => gather(program, &Item { value, ..argument.clone() }, &mut reading.servers)?,
        }
    }
    if reading.servers.is_empty() {
        reading.servers = listed("127.0.0.1:11211", line)?;
        reading.warn(
            "from-environment",
            "without servers, Dalli takes MEMCACHE_SERVERS of the environment, and 127.0.0.1:11211 where there is none",
        );
    }
    let option = |name| find(&options, name).map(|item| program.resolved(item.value.clone()));
    match option("namespace") {
        None => {}
        Some(Value::Word("nil")) => {}
        Some(Value::Text(namespace)) if !namespace.contains("#{") => reading.option("namespace", namespace),
        Some(Value::Word(symbol)) if program.is_symbol(symbol) => {
            reading.option("namespace", symbol);
        }
        Some(_) => reading.warn(
            "unknown-namespace",
            "namespace is computed; Dalli puts it and a colon before each key and hashes both: write its value in its place",
        ),
    }
    if option("failover").as_ref().and_then(Value::truth) == Some(false) {
        reading.option("failover", "false");
    }
    if let Some(separator) = option("namespace_separator").as_ref().and_then(Value::text) {
        reading.option("namespace_separator", separator);
    }
    if let Some(class) = option("digest_class").as_ref().and_then(Value::word) {
        let class = class.rsplit(':').next().unwrap_or(class).to_ascii_lowercase();
        reading.option("digest_class", class);
    }
    Ok(reading)
}

/// Adds the servers of a text or of a list.
fn gather(program: &Program<'_>, item: &Item<'_>, servers: &mut Vec<ReadServer>) -> Result<(), ConfigError> {
    match &item.value {
        Value::Text(text) if !text.contains("#{") => servers.extend(listed(text, item.line)?),
        Value::List(items) => {
            for item in items {
                gather(
                    program,
                    &Item { value: program.resolved(item.value.clone()), ..item.clone() },
                    servers,
                )?;
            }
        }
        _ => {
            return Err(ConfigError::at(
                item.line,
                "the servers are computed: write them as texts in their place",
            ));
        }
    }
    Ok(())
}

/// The servers of a text, cut at commas. Empty ones are dropped, blanks are kept.
fn listed(text: &str, line: usize) -> Result<Vec<ReadServer>, ConfigError> {
    text.split(',').filter(|text| !text.is_empty()).map(|text| server(text, line)).collect()
}

/// `host[:port[:weight]]`, `[v6][:port[:weight]]`, `/path[:weight]` or `memcached://user:password@host:port`.
fn server(text: &str, line: usize) -> Result<ReadServer, ConfigError> {
    if let Some(uri) = text.strip_prefix("memcached://") {
        let authority = uri.split(['/', '?']).next().unwrap_or(uri);
        let (host, rest) = servers::host(servers::without_credentials(authority));
        let port = rest.strip_prefix(':').map_or(Ok(DEFAULT_PORT), |number| port(number, line))?;
        return Ok(servers::with_port(host, port));
    }
    if text.starts_with('/') {
        let (path, share) = text.split_once(':').map_or((text, None), |(path, share)| (path, Some(share)));
        let server = servers::socket(path);
        return Ok(match share {
            None => server,
            Some(share) => server.weighing(weight(share, line)?),
        });
    }
    let (host, rest) = servers::host(text);
    if host.is_empty() || rest.matches(':').count() > 2 {
        return Err(ConfigError::at(line, format!("Dalli refuses {text:?}: write [ADDRESS]:PORT for IPv6")));
    }
    let (port, weight) = port_and_weight(rest, line)?;
    Ok(servers::with_port(host, port).weighing(weight))
}

#[cfg(test)]
mod tests {
    use super::super::{
        read,
        testing::{names, one},
    };

    #[test]
    fn dalli_takes_lists_in_lists_and_options_of_both_notations() {
        let reading = one(
            "S = %w\nservers = ['a', ['b:1:2,c']]\nDalli::Client.new(servers, namespace: 'n', :failover => false)",
        );
        assert_eq!(names(&reading), ["a:11211", "b:1", "c:11211"]);
        let options: Vec<_> = reading.options.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(options, [("namespace", "n"), ("failover", "false")]);
        let reading =
            one("Dalli::Client.new('h', { namespace: -> { tenant }, digest_class: Digest::SHA256 })");
        assert_eq!((reading.options.len(), reading.warnings[0].trap), (1, "unknown-namespace"));
    }

    #[test]
    fn words_behind_a_percent_sign_are_a_list() {
        let reading = one("Dalli::Client.new(%w(10.0.0.1:11211:2\n /tmp/m.sock), namespace: 'n')");
        assert_eq!((names(&reading), reading.options.len()), (vec!["10.0.0.1:11211", "/tmp/m.sock"], 1));
        assert_eq!(names(&one("config.cache_store = :mem_cache_store, %w[a b:2]")), ["a:11211", "b:2"]);
    }

    #[test]
    fn the_environment_s_servers_are_dalli_s_also_beside_others() {
        let reading = one("RAILS_ENV=production\nexport MEMCACHE_SERVERS=a:1,b:2:5");
        assert_eq!((reading.scheme.as_deref(), names(&reading)), (Some("dalli"), vec!["a:1", "b:2"]));
    }

    #[test]
    fn rails_has_a_store_with_servers_behind_it() {
        let reading = one(
            "config.cache_store = :mem_cache_store, 'a',\n  '/run/m:3', namespace: 'x'\nconfig.other = 1",
        );
        assert_eq!(names(&reading), ["a:11211", "/run/m"]);
        let reading = one("config.cache_store = :mem_cache_store");
        assert_eq!(names(&reading), ["127.0.0.1:11211"]);
    }

    #[test]
    fn a_namespace_is_a_text_or_a_symbol_and_no_name_of_something_else() {
        let namespaced =
            |namespace: &str| one(&format!("n = 'x'\nDalli::Client.new('a', namespace: {namespace})"));
        for (namespace, expected) in [("n", "x"), (":n", "n"), ("'y'", "y")] {
            assert_eq!(
                namespaced(namespace).options,
                [("namespace".to_owned(), expected.to_owned())],
                "{namespace}"
            );
        }
        for namespace in ["other", "A::N", "f(1)"] {
            let reading = namespaced(namespace);
            assert_eq!(
                (reading.options.len(), reading.warnings[0].trap),
                (0, "unknown-namespace"),
                "{namespace}"
            );
        }
    }

    #[test]
    fn what_dalli_refuses_is_refused() {
        let two = "Dalli::Client.new('a')\nDalli::Client.new('b')";
        assert_eq!(read(two, None).unwrap_err().line(), Some(2));
        for text in ["fd00::1", "host::3", "/p:1:2", "a:1:2:3"] {
            assert!(read(&format!("Dalli::Client.new('{text}')"), None).is_err(), "{text}");
        }
        assert!(read("Dalli::Client.new(ENV['SERVERS'])", None).is_err());
    }
}
