//! `php.ini` with the older extension memcache: sessions, or what it says of the class `Memcache`.
//!
//! Class and sessions place one key differently: a session goes where its id with `-0` behind it goes.
//!
//! Source: pecl memcache 4.0.5.2 `memcache.c`, `memcache_session.c`, `memcache_pool.c`.

use super::{
    super::{ConfigError, Kind, Read, ReadServer, Reading},
    ini::Ini,
    number,
};
use memring_client::spec::Address;

pub(in super::super) const KIND: Kind = Kind {
    name: "pecl-ini",
    about: "PHP's older extension memcache: php.ini, for sessions (session.save_path) or the class (memcache.*)",
    is_it: |text| {
        let ini = Ini::read(text);
        ini.handler() == Some("memcache") || (ini.has_any(SETTINGS) && ini.handler() != Some("memcached"))
    },
    read: Read::Text(read),
};

/// What the names of the extension's settings begin with.
const SETTINGS: &[&str] = &[
    "memcache.allow_failover",
    "memcache.chunk_size",
    "memcache.compress_threshold",
    "memcache.default_port",
    "memcache.hash_",
    "memcache.lock_timeout",
    "memcache.max_failover_attempts",
    "memcache.prefix_",
    "memcache.protocol",
    "memcache.redundancy",
    "memcache.session_",
];

/// All settings of the extension, behind `memcache.`.
const KNOWN: &[&str] = &[
    "allow_failover",
    "chunk_size",
    "compress_threshold",
    "default_port",
    "hash_function",
    "hash_strategy",
    "lock_timeout",
    "max_failover_attempts",
    "prefix_host_key",
    "prefix_host_key_remove_subdomain",
    "prefix_host_key_remove_www",
    "prefix_static_key",
    "protocol",
    "redundancy",
    "session_prefix_host_key",
    "session_prefix_host_key_remove_subdomain",
    "session_prefix_host_key_remove_www",
    "session_prefix_static_key",
    "session_redundancy",
    "session_save_path",
];

fn read(text: &str) -> Result<Vec<Reading>, ConfigError> {
    let ini = Ini::read(text);
    let mut reading = strategy(&ini)?;
    ini.tell_of_unknown("memcache.", KNOWN, &mut reading);
    if ini.handler() == Some("memcache") {
        sessions(&ini, &mut reading)?;
    } else {
        if let Some((prefix, _)) =
            ini.text("memcache.prefix_static_key")?.filter(|(prefix, _)| !prefix.is_empty())
        {
            reading.option("prefix", prefix);
        }
        warn_of_host_prefix(&ini, "memcache.prefix_host_key", &mut reading)?;
        if ini.number("memcache.redundancy", 1)? > 1 {
            reading.warn("replicas", "memcache.redundancy: copies are stored on further servers");
        }
        reading.warn(
            "servers-elsewhere",
            "the servers of the class are in the program; give them with --server, in order",
        );
    }
    if !ini.truth("memcache.allow_failover", true)? {
        reading.option("allow_failover", "0");
    } else if let Some((attempts, _)) = ini.text("memcache.max_failover_attempts")? {
        reading.option("max_failover_attempts", attempts);
    }
    Ok(vec![reading])
}

/// The scheme, and the hash if it is not the usual one.
fn strategy(ini: &Ini<'_>) -> Result<Reading, ConfigError> {
    let one_of = |name: &str, known: [&'static str; 2]| {
        let value = ini.text(name)?.map_or(known[0], |(value, _)| value);
        let found = known.into_iter().find(|word| value.eq_ignore_ascii_case(word));
        let refused = || {
            format!(
                "{name} = {value:?} is refused and {} stays; write {} or {}",
                known[0], known[0], known[1]
            )
        };
        Ok((found.unwrap_or(known[0]), found.is_none().then(refused)))
    };
    let (strategy, is_refused) = one_of("memcache.hash_strategy", ["consistent", "standard"])?;
    let (hash, is_hash_refused) = one_of("memcache.hash_function", ["crc32", "fnv"])?;
    let mut reading = Reading::of(if strategy == "standard" {
        "pecl-memcache-standard"
    } else {
        "pecl-memcache-consistent"
    });
    if hash == "fnv" {
        reading.option("hash", hash);
    }
    for says in is_refused.into_iter().chain(is_hash_refused) {
        reading.warn("value-refused", says);
    }
    Ok(reading)
}

fn sessions(ini: &Ini<'_>, reading: &mut Reading) -> Result<(), ConfigError> {
    let own = ini.text("memcache.session_save_path")?;
    let Some((path, line)) = own.map_or_else(|| ini.text("session.save_path"), |own| Ok(Some(own)))? else {
        return Err(ConfigError::of(
            "no session.save_path; write the servers there: \"tcp://HOST:PORT?weight=1, …\"",
        ));
    };
    let is_between = |char: char| char.is_ascii_whitespace() || char == ',';
    for url in path.split(is_between).filter(|url| !url.is_empty()) {
        reading.servers.push(server(url).map_err(|says| ConfigError::at(line, says))?);
    }
    let setting = if own.is_some() { "memcache.session_save_path" } else { "session.save_path" };
    ini.tell_of_cut_list(setting, reading);
    if reading.servers.is_empty() {
        return Err(ConfigError::at(
            line,
            "no servers in session.save_path; write \"tcp://HOST:PORT?weight=1, …\"",
        ));
    }
    reading.append = "-0".to_owned();
    let prefix = ini.text("memcache.session_prefix_static_key")?.filter(|(prefix, _)| !prefix.is_empty());
    if let Some((prefix, _)) = prefix {
        reading.option("prefix", prefix);
        reading.warn("prefix-hashed", "memcache.session_prefix_static_key is hashed with the id");
    }
    warn_of_host_prefix(ini, "memcache.session_prefix_host_key", reading)?;
    reading.warn(
        "sessions-and-class-differ",
        "a session is placed by its id with -0 behind it: Memcache::get of the same key may ask another server",
    );
    let copies = ini.number("memcache.session_redundancy", 2)?;
    if copies > 1 {
        reading.warn(
            "replicas",
            format!("memcache.session_redundancy, 2 by default: a session is stored on {copies} servers; this tells the first"),
        );
    }
    Ok(())
}

fn warn_of_host_prefix(ini: &Ini<'_>, name: &str, reading: &mut Reading) -> Result<(), ConfigError> {
    if ini.truth(name, false)? {
        reading.warn(
            "prefix-unknown",
            format!("{name}: the host of each request stands before its keys and is hashed"),
        );
    }
    Ok(())
}

/// `tcp://HOST:PORT?weight=2` or `unix:///PATH`. What is wrong with it is said without a name or password.
fn server(url: &str) -> Result<ReadServer, String> {
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    let parameter = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.rev().find(|(other, _)| *other == name).map(|(_, value)| number(value))
    };
    let weight = parameter("weight").unwrap_or(1);
    let weighing = u32::try_from(weight).ok().filter(|&weight| weight > 0);
    let weighing = weighing.ok_or_else(|| format!("weight={weight} is refused; write 1 or more"))?;
    if let Some(path) = url.strip_prefix("unix:").or_else(|| url.strip_prefix("file:")) {
        let path = match path.strip_prefix("//") {
            Some(path) if path.starts_with('/') => path,
            None if path.starts_with('/') => path,
            _ => return Err("bad path of a socket; write unix:///PATH".to_owned()),
        };
        let path = path.strip_suffix(":0").unwrap_or(path);
        return Ok(ReadServer::new(format!("unix://{path}:0"), Address::unix(path)).weighing(weighing));
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default().rsplit('@').next().unwrap_or_default();
    let cut = host.rfind(':').filter(|&colon| !host[colon..].contains(']'));
    let Some((name, port)) = cut.map(|colon| (&host[..colon], &host[colon + 1..])) else {
        return Err(format!("{host:?} has no port, and none is taken for it; write tcp://HOST:PORT"));
    };
    if host.contains(';') {
        return Err(format!("a `;` divides no servers, and is part of the host in {host:?}; write commas"));
    }
    match port.parse::<u16>() {
        Ok(port) if port > 0 && !name.is_empty() => {
            let reached = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
            Ok(ReadServer::new(format!("{name}:{port}"), Address::tcp(reached, port)).weighing(weighing))
        }
        _ => Err(format!("bad host or port {host:?}; write tcp://HOST:PORT")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_the_extension_does() {
        for (url, name) in [
            ("tcp://a:1?weight=2&timeout=1", "a:1*2"),
            ("a:11211", "a:11211*1"),
            ("tcp://u:p@a:1/x", "a:1*1"),
            ("tcp://[::1]:1", "[::1]:1*1"),
            ("unix:///p", "unix:///p:0*1"),
            ("unix:/p:0?weight=3", "unix:///p:0*3"),
        ] {
            let server = server(url).unwrap();
            assert_eq!(format!("{}*{}", server.name, server.weight.real()), name, "{url}");
        }
        for bad in [
            "a",
            "tcp://a",
            "tcp://a:0",
            "tcp://a:1?weight=0",
            "tcp://a:1?weight=-1",
            "unix://p",
            "tcp://[::1]",
            "a:1;b:1",
            "tcp://a:1;tcp://b:1",
        ] {
            assert!(server(bad).is_err(), "{bad}");
        }
        assert!(!server("tcp://user:secret@a").unwrap_err().contains("secret"));
    }

    #[test]
    fn a_value_that_php_refuses_leaves_the_default_and_is_told() {
        let text =
            "session.save_handler=memcache\nsession.save_path=\"a:1, b:1\"\nmemcache.hash_strategy=ketama\n";
        let reading = read(text).unwrap().remove(0);
        assert_eq!((reading.scheme.as_deref(), &*reading.append), (Some("pecl-memcache-consistent"), "-0"));
        let traps: Vec<_> = reading.warnings.iter().map(|warning| warning.trap).collect();
        assert_eq!(traps, ["value-refused", "sessions-and-class-differ", "replicas"]);
        let cut = read("session.save_handler=memcache\nsession.save_path = tcp://a:1;tcp://b:1\n")
            .unwrap()
            .remove(0);
        assert_eq!((cut.servers.len(), cut.warnings[0].trap), (1, "semicolon-begins-a-remark"));
        let class =
            read("memcache.hash_strategy = Standard\nmemcache.hash_function = FNV\n").unwrap().remove(0);
        assert_eq!((class.scheme.as_deref(), &*class.append), (Some("pecl-memcache-standard"), ""));
        assert_eq!(class.options, [("hash".to_owned(), "fnv".to_owned())]);
        let unknown = read("memcache.hash_strategi = standard\nmemcache.protocol = ascii").unwrap().remove(0);
        assert_eq!(unknown.warnings[0].trap, "unknown-setting");
        assert!(
            unknown.warnings[0].says.ends_with("near to it is memcache.hash_strategy"),
            "{:?}",
            unknown.warnings
        );
    }
}
