//! Django's `CACHES`: its memcached backends, each of which is one of the other clients behind a prefix of Django's own.
//!
//! Source: django `core/cache/backends/memcached.py` and `base.py`, 5.2.19.

use super::{
    ConfigError, Item, Kind, Notation, Program, Read, Reading, Value, find, of_one_transport, pair,
    pylibmc_server, pylibmc_with, pymemcache_server, python_memcached_item, python_memcached_server,
    warn_of_versions, without_own_hasher,
};

pub(in super::super) const KIND: Kind = Kind {
    name: "django",
    about: "Django (Python): the CACHES of settings.py",
    is_it: |text| text.contains("CACHES") || text.contains("cache.backends.memcached"),
    read: Read::Program(Notation::PYTHON, read),
};

fn read(program: &Program<'_>) -> Result<Vec<Reading>, ConfigError> {
    let caches = program.assigned("CACHES").unwrap_or_else(|| program.value());
    program.relies_on("CACHES", false);
    let items = caches.value.items().unwrap_or_default();
    let mut readings = Vec::new();
    // A cache that was pasted without its name, or all of them.
    if find(items, "BACKEND").is_some() {
        readings.extend(cache(program, None, &caches)?);
    } else {
        for (number, item) in items.iter().enumerate() {
            let Some(mut reading) = cache(program, item.key.as_ref().and_then(Value::word), item)? else {
                continue;
            };
            // Of two caches with one name, the dictionary has the last.
            if items[number + 1..].iter().any(|other| item.key.is_some() && other.key == item.key) {
                continue;
            }
            if let Some(first) =
                items[..number].iter().find(|other| item.key.is_some() && other.key == item.key)
            {
                let says = format!(
                    "line {}: a cache of the same name stands before this one, and is lost",
                    first.line
                );
                reading.warn("given-twice", says);
            }
            readings.push(reading);
        }
    }
    if readings.is_empty() {
        return Err(ConfigError::of(
            "no cache in CACHES has a BACKEND of django.core.cache.backends.memcached",
        ));
    }
    if let Some(line) = changed(program.text) {
        let says = format!(
            "line {line}: CACHES is given or changed once more; the last `CACHES = …` alone is read here, as if each line ran: \
             give the text of one case"
        );
        let says = &*says;
        readings.iter_mut().for_each(|reading| reading.warn("changed-later", says));
    }
    Ok(readings)
}

/// The line where `CACHES` is given for the second time, or a part of it is.
fn changed(text: &str) -> Option<usize> {
    let lines = (1..).zip(text.lines()).filter_map(|(number, line)| {
        let behind = line.trim_start().strip_prefix("CACHES")?;
        let is_given = behind.trim_start().starts_with('=') && !behind.trim_start().starts_with("==");
        (is_given || behind.starts_with(['[', '.'])).then_some((number, is_given))
    });
    let mut given = 0;
    lines.into_iter().find_map(|(number, is_given)| {
        given += usize::from(is_given);
        (!is_given || given > 1).then_some(number)
    })
}

/// The cache `name`, if it is on memcached.
fn cache(
    program: &Program<'_>,
    name: Option<&str>,
    cache: &Item<'_>,
) -> Result<Option<Reading>, ConfigError> {
    let setting = |name: &str| {
        cache
            .value
            .get(name)
            .map(|item| Item { value: program.resolved_within(item.value.clone()), ..item.clone() })
    };
    let Some(backend) = setting("BACKEND") else { return Ok(None) };
    let path = backend.value.text().unwrap_or_default().to_owned();
    let backend = path.rsplit('.').next().unwrap_or_default().to_owned();
    let options = setting("OPTIONS").map(|item| item.value);
    let option = |name: &str| options.as_ref().and_then(|options| options.get(name)).map(|item| &item.value);
    let mut reading = match &*backend {
        "PyMemcacheCache" => Reading::of("pymemcache-rendezvous"),
        // The package django-pylibmc takes the behaviors themselves for OPTIONS.
        "PyLibMCCache" if path.starts_with("django_pylibmc") => pylibmc_with(options.as_ref(), cache.line)?,
        "PyLibMCCache" => {
            if let Some(item) =
                options.iter().filter_map(Value::items).flatten().find(|item| !is_argument(item))
            {
                return Err(ConfigError::at(
                    item.line,
                    "pylibmc has no such argument: OPTIONS are behaviors, binary, username and password",
                ));
            }
            pylibmc_with(option("behaviors"), cache.line)?
        }
        "MemcachedCache" => Reading::of("python-memcached"),
        _ => return Ok(None),
    };
    reading.pool = name.map(str::to_owned);
    let location = setting("LOCATION").ok_or_else(|| ConfigError::at(cache.line, "no LOCATION"))?;
    for location in locations(&location)? {
        let (text, line) = match (&*backend, location) {
            (_, Location::Text(text, line)) => (text, line),
            ("PyMemcacheCache", Location::Other(item)) => {
                let computed =
                    || ConfigError::at(item.line, "a server is a text, or a pair of host and port");
                reading.servers.push(pair(&item).ok_or_else(computed)??);
                continue;
            }
            ("MemcachedCache", Location::Other(item)) => {
                reading.servers.push(python_memcached_item(&item)?);
                continue;
            }
            (_, Location::Other(item)) => {
                return Err(ConfigError::at(
                    item.line,
                    "a server that is no text in quotes: write it as one",
                ));
            }
        };
        reading.servers.push(match &*backend {
            "PyMemcacheCache" => pymemcache_server(&text, line)?,
            "PyLibMCCache" => pylibmc_server(text.strip_prefix("unix:").unwrap_or(&text), line)?,
            _ => python_memcached_server(&text, line)?,
        });
        if text.trim() != text {
            reading.warn(
                "blank-in-location",
                format!(
                    "Django keeps the blank of {text:?} as part of the host: take it out, or write a list"
                ),
            );
        }
    }
    if backend == "PyMemcacheCache" {
        without_own_hasher(&mut reading, option("hasher"));
    }
    if backend == "MemcachedCache" {
        warn_of_versions(&mut reading);
    }
    if setting("KEY_FUNCTION").is_none() {
        prefix(&mut reading, setting("KEY_PREFIX"), setting("VERSION"))?;
    } else {
        reading.warn(
            "key-function",
            "KEY_FUNCTION makes the key that is placed, in a way that only the program knows: give keys as they are sent",
        );
    }
    if backend == "PyLibMCCache" { of_one_transport(reading).map(Some) } else { Ok(Some(reading)) }
}

/// Whether pylibmc takes the option as an argument.
fn is_argument(item: &Item<'_>) -> bool {
    let name = item.key.as_ref().and_then(Value::text);
    matches!(name, Some("behaviors" | "binary" | "username" | "password"))
}

/// A server as `LOCATION` has it.
enum Location<'t> {
    /// A text, and its line.
    Text(String, usize),
    /// What the client is handed as it is, such as a pair of host and port.
    Other(Item<'t>),
}

/// The servers: a list, or a text that is cut at every `;` and `,`.
fn locations<'t>(location: &Item<'t>) -> Result<Vec<Location<'t>>, ConfigError> {
    match &location.value {
        Value::Text(text) => {
            Ok(text.split([';', ',']).map(|text| Location::Text(text.to_owned(), location.line)).collect())
        }
        Value::List(items) => Ok(items
            .iter()
            .map(|item| match item.value.text() {
                Some(text) => Location::Text(text.to_owned(), item.line),
                None => Location::Other(item.clone()),
            })
            .collect()),
        _ => Err(ConfigError::at(location.line, "LOCATION is computed: write its text or list in its place")),
    }
}

/// What Django puts before each key: `KEY_PREFIX:VERSION:`.
fn prefix(
    reading: &mut Reading,
    prefix: Option<Item<'_>>,
    version: Option<Item<'_>>,
) -> Result<(), ConfigError> {
    let text = |setting: Option<Item<'_>>, name, default: &str| match setting {
        None => Ok(default.to_owned()),
        Some(Item { value: Value::Text(text), .. }) => Ok(text.into_owned()),
        Some(Item { value: Value::Word(word), .. }) if word.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(word.to_owned())
        }
        Some(item) => {
            Err(ConfigError::at(item.line, format!("{name} is computed: write its value in its place")))
        }
    };
    reading.prepend = format!("{}:{}:", text(prefix, "KEY_PREFIX", "")?, text(version, "VERSION", "1")?);
    Ok(())
}
