//! Laravel's `config/cache.php`: the stores whose driver is `memcached`.
//!
//! `options` are set first, then the servers are added one by one. Laravel's own `prefix` is part of each key.
//!
//! Source: laravel/framework `src/Illuminate/Cache/MemcachedConnector.php`.

use std::borrow::Cow;

use super::{
    super::{
        ConfigError, Kind, Read, Reading,
        program::{Item, Program, Value},
        tokens::Notation,
    },
    array,
    class::added,
    number,
    options::Calls,
    weight,
};

pub(in super::super) const KIND: Kind = Kind {
    name: "laravel",
    about: "Laravel (PHP): config/cache.php, the stores with the driver memcached",
    is_it: |text| {
        let squeezed: String = text.chars().filter(|char| !char.is_whitespace()).collect();
        squeezed.contains("'driver'=>'memcached'") || squeezed.contains("\"driver\"=>\"memcached\"")
    },
    read: Read::Program(Notation::PHP, read),
};

fn read(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    let stores = program.entry("stores").filter(|stores| !memcached_of(stores).is_empty());
    let stores = stores.or_else(|| {
        // A store that was pasted alone.
        let store = program.entry("memcached")?;
        Some(Item {
            key: None,
            value: Value::List(vec![Item { key: Some(Value::Word("memcached")), ..store }]),
            line: 1,
        })
    });
    let Some(stores) = stores else {
        return Err(ConfigError::of("no store with 'driver' => 'memcached' within 'stores'"));
    };
    let found = memcached_of(&stores);
    let mut readings = Vec::new();
    for store in found {
        let mut reading = self::store(store, program)?;
        reading.pool = store.key.as_ref().and_then(Value::word).map(str::to_owned);
        let prefix = store.value.get("prefix").cloned().or_else(|| program.entry("prefix"));
        if let Some(says) = prefix_says(prefix.as_ref()) {
            reading.warn("prefix-hashed", says);
        }
        readings.push(reading);
    }
    if readings.is_empty() {
        return Err(ConfigError::of("no store with 'driver' => 'memcached'"));
    }
    Ok(readings)
}

/// What stands before each key that Laravel places. The versions differ in it, so that it is told and not put there.
fn prefix_says(prefix: Option<&Item<'_>>) -> Option<String> {
    let what = match prefix.map(|item| &item.value) {
        Some(Value::Text(prefix)) if prefix.is_empty() => return None,
        Some(Value::Text(prefix)) => format!("{prefix:?} stands before each key (Laravel 11), or \"{prefix}:\" (10 and older)"),
        _ => "`prefix`, or CACHE_PREFIX of the environment, stands before each key, with a `:` behind it up to Laravel 10".to_owned(),
    };
    Some(format!("{what}, and is hashed: give keys with it, as memcached has them"))
}

/// The stores with the driver memcached.
fn memcached_of<'i, 't>(stores: &'i Item<'t>) -> Vec<&'i Item<'t>> {
    let is_it = |item: &&Item<'_>| {
        item.value.get("driver").is_some_and(|driver| driver.value.text() == Some("memcached"))
    };
    stores.value.items().unwrap_or_default().iter().filter(is_it).collect()
}

fn store(store: &Item<'_>, program: &Program<'_>) -> Result<Reading, ConfigError> {
    let mut calls = Calls::default();
    let mut variables = Vec::new();
    if let Some(options) = store.value.get("options") {
        calls.set_all(&options.value, program, options.line)?;
    }
    let Some(servers) = store.value.get("servers") else {
        return Err(ConfigError::at(store.line, "a store without 'servers'"));
    };
    let Some(list) = array(&servers.value) else {
        let says = "the servers must be computed; write ['host' => 'HOST', 'port' => PORT, 'weight' => WEIGHT] for each";
        return Err(ConfigError::at(servers.line, says));
    };
    for server in list {
        let mut field = |name: &str| {
            let Some(item) = server.value.get(name) else {
                return Err(ConfigError::at(
                    server.line,
                    format!("a server without '{name}', which Laravel refuses"),
                ));
            };
            plain(item, name, &mut variables)
        };
        let (host, port, share) = (field("host")?, field("port")?, field("weight")?);
        calls.add(added(&host, number(&port), false).weighing(weight(number(&share))));
    }
    if list.is_empty() {
        return Err(ConfigError::at(servers.line, "no servers"));
    }
    let is_persistent = store.value.get("persistent_id").is_some_and(|id| id.value.truth() != Some(false));
    let mut reading = calls.reading();
    if is_persistent {
        reading.warn(
            "persistent",
            "with a persistent_id the servers and options of an earlier request stay: a change here takes effect with new \
             processes of PHP",
        );
    }
    if !variables.is_empty() {
        let says = format!(
            "{} may say otherwise; this is read with the values that stand here",
            variables.join(", ")
        );
        reading.warn("from-environment", says);
    }
    Ok(reading)
}

/// A text or number, also one that `env` has for a variable that is not set.
fn plain<'t>(item: &Item<'t>, name: &str, variables: &mut Vec<String>) -> Result<Cow<'t, str>, ConfigError> {
    let computed = || ConfigError::at(item.line, format!("'{name}' must be computed; write it in its place"));
    match &item.value {
        Value::Text(text) => Ok(text.clone()),
        Value::Word(word) => Ok((*word).into()),
        Value::Call("env", arguments) => {
            let variable = arguments.first().and_then(|item| item.value.text()).ok_or_else(computed)?;
            match arguments.get(1).map(|item| &item.value) {
                Some(Value::Text(text)) => {
                    variables.push(variable.to_owned());
                    Ok(text.clone())
                }
                Some(Value::Word(word)) => {
                    variables.push(variable.to_owned());
                    Ok((*word).into())
                }
                _ => Err(ConfigError::at(
                    item.line,
                    format!("'{name}' is in the environment, in {variable}; write it in its place"),
                )),
            }
        }
        _ => Err(computed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Reading>, ConfigError> {
        crate::configs::read(text, Some(&KIND))
    }

    fn config(servers: &str) -> String {
        format!(
            "<?php return ['stores' => ['a' => ['driver' => 'array'],\n'm' => ['driver' => 'memcached', 'servers' =>\n\
             {servers}]], 'prefix' => 'x'];"
        )
    }

    #[test]
    fn the_values_of_env_are_its_defaults_and_that_is_said() {
        let servers = "[['host' => env('H', 'a'), 'port' => env('P', 11212), 'weight' => 100], ['host' => '/p', 'port' => 0, 'weight' => 0]]";
        let reading = read(&config(servers)).unwrap().remove(0);
        let names: Vec<_> =
            reading.servers.iter().map(|server| (&*server.name, server.weight.real())).collect();
        assert_eq!(names, [("a:11212", 100.0), ("/p", 1.0)]);
        let traps: Vec<_> = reading.warnings.iter().map(|warning| warning.trap).collect();
        assert_eq!(traps, ["weights-ignored", "from-environment", "prefix-hashed"]);
        let says = &reading.warnings.last().unwrap().says;
        assert!(
            says.starts_with("\"x\" stands before each key (Laravel 11), or \"x:\" (10 and older)"),
            "{says}"
        );
        assert_eq!((reading.options, reading.pool.as_deref()), (vec![], Some("m")));
    }

    #[test]
    fn what_laravel_refuses_or_nobody_knows_is_an_error() {
        for servers in [
            "[['host' => 'a', 'port' => 1]]",
            "[['host' => env('H'), 'port' => 1, 'weight' => 1]]",
            "[['host' => 'a' . $b, 'port' => 1, 'weight' => 1]]",
            "servers()",
            "[]",
        ] {
            assert_eq!(read(&config(servers)).unwrap_err().line(), Some(3), "{servers}");
        }
        assert!(read("<?php return ['stores' => []];").is_err());
    }

    #[test]
    fn stores_have_their_names() {
        let store = "['driver' => 'memcached', 'servers' => [['host' => 'a', 'port' => 1, 'weight' => 1]]]";
        let readings =
            read(&format!("<?php return ['stores' => ['x' => {store}, 'y' => {store}]];")).unwrap();
        assert_eq!(
            readings.iter().map(|reading| reading.pool.as_deref()).collect::<Vec<_>>(),
            [Some("x"), Some("y")]
        );
        assert!(read(&format!("'memcached' => {store}")).is_ok());
    }
}
