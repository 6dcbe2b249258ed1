//! `php.ini` with the extension memcached: sessions, or what it says of `new Memcached`.
//!
//! `memcached.sess_*` is for sessions alone and `memcached.default_*` for the class alone.
//!
//! Source: php-memcached 3.2.0 `php_memcached_session.c`, `php_memcached.c`; libmemcached 1.1.4 `parse.cc`, asked for what it
//! makes of lists.

use super::{
    super::{ConfigError, Kind, Read, ReadServer, Reading},
    ini::Ini,
    named, number, weight,
};
use memring_client::spec::Address;
use memring_core::Weight;

pub(in super::super) const KIND: Kind = Kind {
    name: "php-ini",
    about: "PHP's extension memcached: php.ini, for sessions (session.save_path) or the class (memcached.default_*)",
    is_it: |text| {
        let ini = Ini::read(text);
        ini.handler() == Some("memcached") || (ini.has_any(SETTINGS) && ini.handler() != Some("memcache"))
    },
    read: Read::Text(read),
};

/// What the names of the extension's settings begin with.
const SETTINGS: &[&str] = &[
    "memcached.compression_",
    "memcached.default_",
    "memcached.serializer",
    "memcached.sess_",
    "memcached.store_retry_count",
    "memcached.use_sasl",
];

/// All settings of the extension, behind `memcached.`: those of 3.2.0, as PHP lists them, and of 3.3.
const KNOWN: &[&str] = &[
    "compression_factor",
    "compression_level",
    "compression_threshold",
    "compression_type",
    "default_binary_protocol",
    "default_connect_timeout",
    "default_consistent_hash",
    "item_size_limit",
    "serializer",
    "sess_binary_protocol",
    "sess_connect_timeout",
    "sess_consistent_hash",
    "sess_consistent_hash_type",
    "sess_lock_expire",
    "sess_lock_max_wait",
    "sess_lock_retries",
    "sess_lock_wait",
    "sess_lock_wait_max",
    "sess_lock_wait_min",
    "sess_locking",
    "sess_number_of_replicas",
    "sess_persistent",
    "sess_prefix",
    "sess_randomize_replica_read",
    "sess_remove_failed_servers",
    "sess_sasl_password",
    "sess_sasl_username",
    "sess_server_failure_limit",
    "store_retry_count",
];

fn read(text: &str) -> Result<Vec<Reading>, ConfigError> {
    let ini = Ini::read(text);
    let path = ini.text("session.save_path")?;
    let mut reading = match (ini.handler(), path) {
        (Some("memcached"), Some((path, line))) => sessions(&ini, path, line)?,
        (Some("memcached"), None) => {
            return Err(ConfigError::of(
                "no session.save_path; write the servers there: \"HOST:PORT:WEIGHT,HOST:PORT\"",
            ));
        }
        (None, Some((path, line))) => {
            let mut reading = sessions(&ini, path, line)?;
            reading.warn(
                "handler-not-set",
                "session.save_handler is not said here; this is read as if it were memcached",
            );
            reading
        }
        _ => class(&ini)?,
    };
    ini.tell_of_unknown("memcached.", KNOWN, &mut reading);
    if ini.truth("memcached.sess_randomize_replica_read", false)? {
        reading.warn("replicas", "reading asks any of the copies");
    }
    Ok(vec![reading])
}

fn sessions(ini: &Ini<'_>, path: &str, line: usize) -> Result<Reading, ConfigError> {
    if path.contains("PERSISTENT=") {
        let says =
            "PERSISTENT= is of php-memcached 2; write memcached.sess_persistent = On and leave it out here";
        return Err(ConfigError::at(line, says));
    }
    if path.contains("--SERVER") || path.contains("--DISTRIBUTION") {
        let says = "options as of libmemcached are for php-memcached 2; 3 takes them for a host, and sessions fail: write \
                    \"HOST:PORT:WEIGHT,HOST:PORT\"";
        return Err(ConfigError::at(line, says));
    }
    let servers = servers(path, line)?;
    if servers.is_empty() {
        return Err(ConfigError::at(
            line,
            "no servers in session.save_path; write \"HOST:PORT:WEIGHT,HOST:PORT\"",
        ));
    }
    let is_heavy = servers.iter().any(|server| server.weight != Weight::default());
    let kind = ini.text("memcached.sess_consistent_hash_type")?.map_or("ketama", |(value, _)| value);
    let mut reading = match (ini.truth("memcached.sess_consistent_hash", true)?, kind) {
        (false, _) => Reading::of("libmemcached-modula"),
        (true, "ketama_weighted") => Reading::of("libmemcached-ketama-weighted"),
        (true, _) => Reading::of("libmemcached-ketama"),
    };
    if !matches!(kind, "ketama" | "ketama_weighted") {
        reading.warn(
            "hash-type-refused",
            format!("memcached.sess_consistent_hash_type = {kind:?} is refused and ketama stays; write ketama or ketama_weighted"),
        );
    }
    if is_heavy && reading.scheme.as_deref() != Some("libmemcached-ketama-weighted") {
        if reading.scheme.as_deref() == Some("libmemcached-ketama") {
            reading.option("configured", "servers-then-behavior");
        }
        reading.warn(
            "weights-ignored",
            "weights of session.save_path count nothing unless memcached.sess_consistent_hash_type = ketama_weighted",
        );
    }
    if ini.truth("memcached.sess_remove_failed_servers", false)? {
        reading.option("auto_eject_hosts", "1");
    }
    let is_modula = reading.scheme.as_deref() == Some("libmemcached-modula");
    if is_modula == ini.truth("memcached.default_consistent_hash", false)? {
        reading.warn(
            "sessions-and-class-differ",
            "`new Memcached` places otherwise: it has memcached.default_consistent_hash, which is Off by default, and no \
             memcached.sess_*",
        );
    }
    reading.warn(
        "prefix-not-hashed",
        "memcached.sess_prefix is sent before the id and not hashed: a session is placed by its id alone",
    );
    if ini.number("memcached.sess_number_of_replicas", 0)? > 0 {
        reading.warn(
            "replicas",
            "memcached.sess_number_of_replicas: copies are stored on the following servers, too",
        );
    }
    ini.tell_of_cut_list("session.save_path", &mut reading);
    if path.contains(';') {
        reading.warn(
            "semicolon-divides-nothing",
            "servers are divided by commas: what stands behind a `;` is lost, or part of a host's name",
        );
    } else if let Some(entry) = entries(path).find(|entry| host_and_numbers(entry).0.is_empty()) {
        reading.warn(
            "host-missing",
            format!("{entry:?} names no host, and localhost is asked: write HOST:PORT"),
        );
    } else if let Some(entry) = entries(path).find(|entry| has_lost_part(entry)) {
        reading.warn(
            "part-lost",
            format!("of {entry:?} the part that is no number is lost: write HOST:PORT:WEIGHT, and commas between servers"),
        );
    }
    for server in &servers {
        let host = match &server.address {
            Address::Tcp { host, .. } => host,
            Address::Unix(_) => continue,
        };
        if matches!(&**host, "unix" | "tcp" | "udp" | "memcached") {
            reading.warn(
                "scheme-taken-for-host",
                format!("this is no list of URLs: a host named `{host}` is asked; write HOST:PORT or /PATH"),
            );
        }
    }
    Ok(Reading { servers, ..reading })
}

/// The servers of a list, as libmemcached reads one: `HOST[:PORT[:WEIGHT]]` or `/PATH[:0[:WEIGHT]]` with commas between.
fn servers(list: &str, line: usize) -> Result<Vec<ReadServer>, ConfigError> {
    entries(list).map(|entry| server(entry, line)).collect()
}

/// The servers as they are written.
fn entries(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (entry, behind) = rest.split_once(',').unwrap_or((rest, ""));
        // One blank behind a comma does not count; what more there is does.
        rest = behind.strip_prefix(|char: char| char.is_ascii_whitespace()).unwrap_or(behind);
        Some(entry)
    })
}

/// Whether something of a server counts nothing: a port or a weight that is no number, or what stands behind a weight.
fn has_lost_part(entry: &str) -> bool {
    let (_, numbers) = host_and_numbers(entry);
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // A port may be missing.
    let fields = numbers.trim_end().splitn(2, [' ', ':']);
    !fields.into_iter().all(is_number)
}

/// The host of a server, and what stands behind its colon.
fn host_and_numbers(entry: &str) -> (&str, &str) {
    let from = if entry.starts_with('[') { entry.find(']').unwrap_or(0) } else { 0 };
    let colon = entry[from..].find(':').map_or(entry.len(), |colon| from + colon);
    (&entry[..colon], entry.get(colon + 1..).unwrap_or_default())
}

fn server(entry: &str, line: usize) -> Result<ReadServer, ConfigError> {
    let (host, numbers) = host_and_numbers(entry);
    // The weight stands behind a blank or, if there is none, a colon.
    let share =
        numbers.split_once(' ').or_else(|| numbers.split_once(':')).map_or(0, |(_, weight)| number(weight));
    if host.contains(|char: char| char.is_ascii_whitespace() || char.is_control()) {
        let says = format!(
            "{host:?} is taken for the name of a host; write the weight as HOST:PORT:WEIGHT, and one blank at \
                            most behind a comma"
        );
        return Err(ConfigError::at(line, says));
    }
    let server = match host {
        "" => named("localhost", number(numbers)),
        path if path.starts_with('/') => ReadServer::new(path, Address::unix(path)),
        host => named(host, number(numbers)),
    };
    Ok(server.weighing(weight(share)))
}

fn class(ini: &Ini<'_>) -> Result<Reading, ConfigError> {
    let mut reading = Reading::of("php-memcached");
    if ini.truth("memcached.default_consistent_hash", false)? {
        reading.option("distribution", "consistent");
        reading.warn(
            "consistent-without-ketama",
            "a ring without OPT_LIBKETAMA_COMPATIBLE: a weight above 1 makes it another one, and neither pylibmc's \
             ketama_weighted nor twemproxy agrees with it",
        );
    }
    if ini.has("memcached.sess_consistent_hash") || ini.has("memcached.sess_consistent_hash_type") {
        reading.warn("for-sessions-alone", "memcached.sess_* says nothing of `new Memcached`");
    }
    reading.warn(
        "servers-elsewhere",
        "the servers of the class are in the program; give them with --server, in order",
    );
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_libmemcached_reads_them() {
        let told = |list: &str| {
            let servers = servers(list, 1).unwrap();
            let told = servers.iter().map(|server| match server.weight {
                Weight::Whole(1) => server.name.clone(),
                weight => format!("{}*{}", server.name, weight.real()),
            });
            told.collect::<Vec<_>>().join(" ")
        };
        // All by the peer.
        for (list, expected) in [
            ("a:1,b:2", "a:1 b:2"),
            ("a, b:11212:3", "a b:11212*3"),
            ("a:1 3,b", "a:1*3 b"),
            ("host::3,b", "host*3 b"),
            ("/run/a.sock,b", "/run/a.sock b"),
            ("/run/a.sock:0:3,b", "/run/a.sock*3 b"),
            ("/run/a.sock:5", "/run/a.sock"),
            ("[::1]:11212:3,[::1]", "[::1]:11212*3 [::1]"),
            ("::1,b", "localhost b"),
            ("unix:/p,b", "unix b"),
            ("a:x,b", "a b"),
            ("a:99999", "a:34463"),
            (",a,,b,", "localhost a localhost b"),
            ("a:1:0,a:1:x,a:1:2:3", "a:1 a:1 a:1*2"),
            ("a:-1", "a:65535"),
            ("a:0:3", "a*3"),
            ("a:1:3000000000", "a:1*3000000000"),
            ("[::1,b", "[ b"),
        ] {
            assert_eq!(told(list), expected, "{list}");
        }
    }

    #[test]
    fn what_says_nothing_is_told() {
        let traps = |text: &str| {
            let warnings = read(text).unwrap().remove(0).warnings;
            let warnings = warnings.into_iter().filter(|warning| {
                ["unknown-setting", "semicolon-", "part-lost", "host-missing"]
                    .iter()
                    .any(|begin| warning.trap.starts_with(begin))
            });
            warnings
                .map(|warning| format!("{} {}", warning.trap, warning.says))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let sessions = "session.save_handler=memcached\nsession.save_path=\"a:1,b\"\n";
        assert_eq!(traps(sessions), "");
        let told = traps(&format!("{sessions}memcached.sess_consistant_hash=On\nmemcached.x=1"));
        let (first, second) = told.split_once('\n').unwrap();
        assert!(
            first.starts_with("unknown-setting line 3: memcached.sess_consistant_hash is no setting"),
            "{first}"
        );
        assert!(first.ends_with("near to it is memcached.sess_consistent_hash"), "{first}");
        assert!(second.ends_with("says nothing"), "{second}");
        assert!(traps(&sessions.replace(",b", ";b:1")).starts_with("semicolon-divides-nothing"));
        for (list, lost) in [
            ("a:1 b:1", true),
            ("a:1 3", false),
            ("a:1 3 b:1", true),
            ("a:x", true),
            ("a:1:2:3,b", true),
            ("a:1, b", false),
            ("/run/a.sock:0:3", false),
            ("[::1]:1:2", false),
        ] {
            assert_eq!(traps(&sessions.replace("a:1,b", list)).starts_with("part-lost"), lost, "{list}");
        }
        for list in ["::1", "a:1,,b:1"] {
            assert!(traps(&sessions.replace("a:1,b", list)).starts_with("host-missing"), "{list}");
        }
        for (value, is_cut) in [
            ("a:1;b:1", true),
            ("a:1 ; b:1", true),
            ("\"a:1\";tcp://b:1", true),
            ("a:1 ; the first", false),
            ("\"a:1,b\"", false),
        ] {
            let text = format!("session.save_handler=memcached\nsession.save_path = {value}\n");
            assert_eq!(traps(&text).starts_with("semicolon-begins-a-remark"), is_cut, "{value}");
        }
    }

    #[test]
    fn what_surely_fails_is_refused_with_its_line() {
        for path in ["PERSISTENT=x a:1", "--SERVER=a:1", "", "a 3", "a,  b"] {
            let text = format!("session.save_handler = memcached\nsession.save_path = \"{path}\"\n");
            assert_eq!(read(&text).unwrap_err().line(), Some(2), "{path}");
        }
        assert!(read("session.save_handler = memcached").is_err());
    }

    #[test]
    fn settings_of_sessions_and_of_the_class_are_kept_apart() {
        let scheme = |text: &str| {
            let reading = read(text).unwrap().remove(0);
            let traps: Vec<_> = reading.warnings.iter().map(|warning| warning.trap).collect();
            (reading.scheme.unwrap(), reading.options, traps.join(" "))
        };
        let options = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let sessions = "session.save_handler=memcached\nsession.save_path=\"a:1:2,b\"\n";
        let (name, set, traps) = scheme(sessions);
        assert_eq!((&*name, set), ("libmemcached-ketama", options("configured", "servers-then-behavior")));
        assert_eq!(traps, "weights-ignored sessions-and-class-differ prefix-not-hashed");
        let (name, set, _) = scheme(&format!("{sessions}memcached.sess_consistent_hash=Off"));
        assert_eq!((&*name, set), ("libmemcached-modula", vec![]));
        let (name, _, traps) = scheme(&format!("{sessions}memcached.sess_consistent_hash_type=ketam"));
        assert_eq!(name, "libmemcached-ketama");
        assert!(traps.starts_with("hash-type-refused weights-ignored"), "{traps}");
        let (name, set, _) =
            scheme("memcached.default_consistent_hash=1\nsession.save_handler=files\nsession.save_path=/tmp");
        assert_eq!((&*name, set), ("php-memcached", options("distribution", "consistent")));
    }
}
