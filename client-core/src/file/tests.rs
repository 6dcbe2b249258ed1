use core::time::Duration;
use std::fs;

use memring_core::Weight;
use memring_text::Ttl;

use super::*;
use crate::{
    OwnedCredentials,
    discovery::Source,
    roster::{Naming, Pace},
    route::FailurePolicy,
};

fn says(text: &str) -> String {
    ConfigFile::from_toml(text).map_or_else(|error| error.to_string(), |file| format!("{file:?}"))
}

/// The template with everything in it said.
fn everything() -> String {
    let lines = TEMPLATE.lines().map(|line| match line.strip_prefix('#') {
        // It stands there twice, once as a table.
        Some("tls = false") => "",
        Some(key) if !key.starts_with(' ') => key,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_template_says_the_defaults() {
    let mut said = ConfigFile::from_toml(&everything()).unwrap().config;
    assert_eq!(said.pool_size.map(usize::from), Some(16));
    said.pool_size = None;
    // An example, too; its pace is the usual one.
    let discovery = said.discovery.take().unwrap();
    let pace = Pace {
        interval: Some(Duration::from_secs(60)),
        max_share: Some(0.5),
        count: Some(3),
        ..Pace::default()
    };
    assert_eq!(discovery.pace, pace);
    let default = Config { servers: ServerSpec::read_all(["127.0.0.1:11211"]).unwrap(), ..Config::default() };
    assert_eq!(format!("{said:?}"), format!("{default:?}"));
    let plain = ConfigFile::from_toml(TEMPLATE).unwrap();
    assert_eq!(format!("{:?}", plain.config), format!("{default:?}"));
}

#[test]
fn the_template_has_every_key() {
    let keys = |text: &str| {
        let error = ConfigFile::from_toml(text).unwrap_err().to_string();
        let (_, keys) = error.split_once("the keys are ").unwrap_or_else(|| panic!("{error}"));
        keys.split(", ").map(str::to_owned).collect::<Vec<_>>()
    };
    let tables =
        ["", "under_way", "limits", "health_policy", "auth", "tls", "discovery"].map(|table| match table {
            "" => keys("zzzzzz = 1"),
            // Without a source, nothing else is looked at.
            "discovery" => keys("discovery = { source = 'file+s', zzzzzz = 1 }"),
            table => keys(&format!("{table} = {{ zzzzzz = 1 }}")),
        });
    assert!(tables[0].len() >= 20, "{tables:?}");
    for key in tables.into_iter().chain([keys("servers = [{ zzzzzz = 1 }]")]).flatten() {
        // It is named beside the file that may have the same.
        let is_there = key == "password_env" || TEMPLATE.contains(&format!("{key} = "));
        assert!(is_there, "{key}");
    }
}

#[test]
fn every_key_is_heeded() {
    let text = r#"
        servers = ["a:1 2", { name = "x/y z", address = "10.0.0.1:5", weight = 2.5, tls = true }, "b:1,c:1"]
        scheme = "libmemcached-modula"
        options = { hash = "md5", prefix = "p:" }
        namespace = "n:"
        place_by_namespace = true
        timeout = "250ms"
        connect_timeout = "2s"
        idle_timeout = "3m"
        keepalive = false
        pool_size = 4
        merge_gets = false
        under_way = { requests = 7, bytes = "64KiB" }
        limits = { value = 8388608 }
        failure_policy = "fallback"
        health_policy = { failures = 9, window = "8s", min_wait = "7ms", max_wait = "6s" }
        gutter = ["g:1"]
        stand_in_ttl = "never"
        errors_as_misses = true
    "#;
    let file = ConfigFile::from_toml(text).unwrap();
    let names: Vec<_> = file.servers().iter().map(ServerSpec::name).collect();
    assert_eq!(names, ["a:1", "x/y z", "b:1", "c:1"]);
    let table = &file.servers()[1];
    assert_eq!((table.weight(), table.is_encrypted()), (Weight::Real(2.5), true));
    assert_eq!(table.address().to_string(), "10.0.0.1:5");
    assert_eq!(file.scheme(), Some("libmemcached-modula"));
    assert_eq!(file.options().collect::<Vec<_>>(), [("hash", "md5"), ("prefix", "p:")]);
    assert_eq!(file.without_secrets().scheme.scheme().key.prefix, b"p:");
    assert!(file.has_timeout());
    let config = file.into_config().unwrap();
    assert_eq!((&*config.namespace, config.place_by_namespace), (&b"n:"[..], true));
    assert_eq!(
        (config.timeout, config.connect_timeout),
        (Duration::from_millis(250), Duration::from_secs(2))
    );
    assert_eq!((config.idle_timeout, config.keepalive), (Duration::from_secs(180), None));
    assert_eq!(config.pool_size.map(usize::from), Some(4));
    assert_eq!((config.merge_gets, config.under_way.requests, config.under_way.bytes), (false, 7, 65536));
    assert_eq!(config.limits.value, 8 << 20);
    assert_eq!(config.failure_policy, FailurePolicy::Fallback);
    let health = config.health_policy.unwrap();
    assert_eq!((health.failures, health.window), (9, Duration::from_secs(8)));
    assert_eq!((health.min_wait, health.max_wait), (Duration::from_millis(7), Duration::from_secs(6)));
    assert_eq!((config.gutter.len(), config.stand_in_ttl), (1, Ttl::NEVER));
    assert!(config.errors_as_misses);
    assert!(Config::from_toml("health_policy = false").unwrap().health_policy.is_none());
}

#[test]
fn an_error_says_line_and_key_and_what_to_write() {
    for (text, error) in [
        ("\nsheme = \"x\"", "line 2: sheme: unknown key; near to it is scheme"),
        ("limits = {\n vlaue = 1 }", "line 2: limits.vlaue: unknown key; near to it is value"),
        ("[tls]\ncafile = \"x\"", "line 2: tls.cafile: unknown key; near to it is ca"),
        ("timeout = 3", "line 1: timeout: 3 has no unit; write \"3s\" for seconds or \"3ms\""),
        ("timeout = \"3\"", "line 1: timeout: 3 has no unit; write \"3s\" for seconds or \"3ms\""),
        ("timeout = \"3sec\"", "line 1: timeout: unknown unit \"sec\"; write ms, s, m, h or d"),
        ("timeout = \"0s\"", "line 1: timeout: zero; write a longer time"),
        ("timeout = true", "line 1: timeout: true or false; write a length of time such as \"250ms\""),
        (
            "scheme = \"libketamma\"",
            "line 1: scheme: unknown scheme \"libketamma\"; near to it are libketama",
        ),
        (
            "options = { hash = \"md5\" }",
            "line 1: options: options of no scheme; name it with scheme = \"NAME\"",
        ),
        (
            "servers = { dns = \"a\" }",
            "line 1: servers: a table in place of a list; a source of servers is discovery = { source = \"SOURCE\" }",
        ),
        (
            "\nnamespace = \"a b\"",
            "line 2: namespace: no beginning of a key; write at most 250 bytes without",
        ),
        (
            "scheme = \"libmemcached-modula\"\noptions = { hash = \"x\" }",
            "line 2: options.hash: bad value: expected a hash of libhashkit",
        ),
        ("servers = 1", "line 1: servers: a number; write \"HOST:PORT\""),
        (
            "servers = [\"a:1\",\n\"a:b\"]",
            "line 2: servers[2]: bad port in \"a:b\"; write a number from 1 to 65535 behind the colon",
        ),
        ("servers = [{ name = \"a b\" }]", "line 1: servers[1].name: bad host in \"a b\""),
        ("servers = [{ weight = 1 }]", "line 1: servers[1]: no server; write { name = "),
        (
            "servers = [{ address = \"a\", weight = -1 }]",
            "line 1: servers[1].weight: no weight; write a number from 0",
        ),
        (
            "servers = \"memcached://u:s3cret@a\"",
            "line 1: servers: a password in the file; say where it is, with auth = ",
        ),
        (
            "auth = { user = \"u\", password = \"s3cret\" }",
            "line 1: auth.password: a password in the file; say where",
        ),
        ("auth = { user = \"u\" }", "line 1: auth: no login; write { file = "),
        ("auth = \"u:s3cret\"", "line 1: auth: a text; write { file = \"FILE\" } or { env = \"NAME\" }"),
        ("tls = { cert = \"c\" }", "line 1: tls: one of cert and key alone; write both"),
        ("pool_size = 0", "line 1: pool_size: not a number from 1 up"),
        ("limits = { value = \"8MB\" }", "line 1: limits.value: no size; write bytes, as 4096, or \"64KiB\""),
        ("limits = { value = \"2GiB\" }", "line 1: limits.value: more than \"1GiB\""),
        ("failure_policy = \"x\"", "line 1: failure_policy: unknown policy; write \"fail\" or \"fallback\""),
        ("\n\nservers = [a:1]", "line 3: not TOML: "),
    ] {
        let said = says(text);
        assert!(said.starts_with(error) && !said.contains("s3cret"), "{said}");
    }
    let said = says("scheme = \"libmemcached-modula\"\n[options]\nhash = \"md5\"\nhsah = \"md5\"");
    assert!(said.starts_with("line 4: options.hsah: unknown option: "), "{said}");
}

/// A folder of the build with these files.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("memring-file-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

#[test]
fn passwords_are_read_from_where_the_file_says() {
    let text = "servers = ['a:1', { address = 'b:1', auth = { user = 'eve', password_file = 'b' } }]\nauth = { file = 'users' }\n";
    let folder = folder(
        "passwords",
        &[("memring.toml", text), ("users", "\nbob:s3:cret\r\nx:y\n"), ("b", "hunter2\n")],
    );
    let config = Config::from_file(folder.join("memring.toml")).unwrap();
    let login =
        |user: &str, password: &str| OwnedCredentials::new(user.as_bytes(), password.as_bytes()).unwrap();
    assert!(config.auth == Some(login("bob", "s3:cret")));
    assert!(config.servers[0].credentials().is_none());
    assert!(config.servers[1].credentials() == Some(&login("eve", "hunter2")));
    // PATH is there, and is nobody's password.
    let error = Config::from_toml("\nauth = { env = 'PATH' }").map(drop).map_err(|error| error.to_string());
    assert!(
        matches!(&error, Err(says) if says.starts_with("line 2: auth.env: ")) || error.is_ok(),
        "{error:?}"
    );
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn no_option_is_shown() {
    let file = says("scheme = 'bmemcached'\noptions = { username = 'alice', password = 's3cret' }");
    assert!(file.contains("\"password\"") && !file.contains("s3cret"), "{file}");
}

#[test]
fn what_a_file_refers_to_must_be_there() {
    let folder =
        folder("missing", &[("memring.toml", "\nauth = { file = 'none' }"), ("bad", "\nno colon\n")]);
    let path = folder.join("memring.toml");
    let says = |error: FileError| error.to_string();
    assert_eq!(
        Config::from_file(&path).map(drop).map_err(says),
        Err(format!("{} line 2: auth.file: {}: no such file", path.display(), folder.join("none").display()))
    );
    fs::write(&path, "auth = { file = 'bad' }").unwrap();
    let error = Config::from_file(&path).unwrap_err();
    assert!(error.to_string().ends_with("line 1: auth.file: what is there is not USER:PASSWORD"), "{error}");
    assert_eq!((error.line(), error.key(), error.path()), (Some(1), Some("auth.file"), Some(&*path)));
    let error = Config::from_toml("auth = { env = 'MEMRING_NO_SUCH_VARIABLE' }").unwrap_err();
    assert!(error.to_string().contains("no variable \"MEMRING_NO_SUCH_VARIABLE\""), "{error}");
    let error = Config::from_file(folder.join("nowhere")).unwrap_err();
    assert!(error.to_string().ends_with("nowhere: no such file"), "{error}");
    fs::write(&path, b"\n\xff").unwrap();
    let error = Config::from_file(&path).unwrap_err();
    assert!(error.to_string().ends_with("memring.toml line 2: not UTF-8"), "{error}");
    fs::remove_dir_all(folder).unwrap();
}

#[cfg(not(feature = "tls"))]
#[test]
fn encryption_that_is_not_built_in_is_an_error_where_it_is_needed() {
    let file = ConfigFile::from_toml("tls = true").unwrap();
    let error = file.into_config().unwrap_err();
    assert_eq!(error.to_string(), "line 1: tls: TLS is not built in; build with the feature `tls`");
}

#[test]
fn a_source_of_servers_has_a_pace() {
    let discovery =
        |text: &str| ConfigFile::from_toml(&format!("discovery = {text}")).unwrap().config.discovery.unwrap();
    let plain = discovery(r#""file+servers.txt""#);
    assert_eq!((plain.source.to_string(), plain.pace), ("file+servers.txt".to_owned(), Pace::default()));
    let told = discovery(
        r#"{ source = "cluster+cache.example", interval = "30s", answer_timeout = "2s", damping = "1m", answers = 3,
             max_share = 0.25, shrink_after = "1h", count = 4, names = "cache-{n}", or_single = true }"#
            .lines()
            .collect::<String>()
            .as_str(),
    );
    let seconds = Duration::from_secs;
    assert!(matches!(told.source, Source::Cluster(cluster) if cluster.or_single));
    let pace = Pace {
        interval: Some(seconds(30)),
        timeout: seconds(2),
        damping: seconds(60),
        answers: 3,
        max_share: Some(0.25),
        shrink_after: seconds(3_600),
        count: Some(4),
        naming: Naming::Numbered("cache-".to_owned()),
    };
    assert_eq!(told.pace, pace);
    let first = discovery(r#"{ source = "cluster+a", names = "first-server" }"#);
    assert_eq!(first.pace.naming, Naming::FirstServer);
}

#[test]
fn a_source_that_is_none_says_why() {
    for (text, error) in [
        (r#""servers.txt""#, "line 1: discovery: unknown source of servers"),
        (r#"{ interval = "1s" }"#, "line 1: discovery: no source; write { source = \"SOURCE\" }"),
        (r#"{ source = "cluster+a:b" }"#, "line 1: discovery.source: "),
        (r#""cluster+memcached://ada:secret@a""#, "line 1: discovery: a password in the file"),
        (r#"{ source = "file+a", max_share = 1.5 }"#, "line 1: discovery.max_share: no share"),
        (r#"{ source = "file+a", names = "cache" }"#, "line 1: discovery.names: unknown"),
        (r#"{ source = "file+a", or_single = true }"#, "line 1: discovery.or_single: only a source"),
        ("true", "line 1: discovery: true or false; write a source"),
    ] {
        let said = says(&format!("discovery = {text}"));
        assert!(said.starts_with(error) && !said.contains("secret"), "{said}");
    }
}

#[test]
fn a_file_of_servers_is_sought_beside_the_configuration() {
    let folder = std::env::temp_dir().join(format!("memring-file-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("memring.toml");
    fs::write(&path, "discovery = \"file+servers.txt\"").unwrap();
    let source = ConfigFile::read(&path).unwrap().config.discovery.unwrap().source;
    assert_eq!(source.to_string(), format!("file+{}", folder.join("servers.txt").display()));
    fs::remove_dir_all(&folder).unwrap();
}
