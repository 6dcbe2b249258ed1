//! How servers are written: `where` and the verbs read the same text the same way, and no password is ever shown.

use std::{
    env, fs,
    process::{Child, Command, Stdio},
};

use crate::{
    memring::{Run, command, file, memring, memring_with},
    secure,
    server::{Server, until},
};

/// How many keys are placed.
const KEYS: usize = 24;

fn keys() -> Vec<String> {
    (0..KEYS).map(|number| format!("key:{number}")).collect()
}

/// A real server at a Unix socket, which ends with it.
struct Socket {
    child: Child,
    path: String,
}

impl Socket {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("memring-{}-{name}", std::process::id()));
        let _ = fs::remove_file(&path);
        let child = Command::new("memcached")
            .args(["-u", "nobody", "-a", "0777", "-s"])
            .arg(&path)
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need memcached in PATH");
        until("memcached listens", || path.exists().then_some(()));
        Self { child, path: path.to_str().unwrap().to_owned() }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.path);
    }
}

/// Runs `args` with the certificates of `trusted` for what the system trusts.
fn run(args: &[&str], trusted: &str) -> Run {
    let mut command = command(args);
    if !trusted.is_empty() {
        command.env("SSL_CERT_FILE", trusted);
    }
    Run::of(command.output().unwrap())
}

/// Stores keys on the servers of `texts`, and checks that each lies where `where` says, however the list is given.
fn agree(texts: &[String; 2], trusted: &str) {
    let list = texts.join(",");
    let servers =
        file(&format!("\u{feff}# {list}\r\n\r\n{} # one\r\n#nobody:1\r\n{}\r\n", texts[0], texts[1]));
    let ways = [
        vec!["--server", &list],
        vec!["--server", &texts[0], "--server", &texts[1]],
        vec!["--servers", &servers],
    ];
    let keys = keys();
    let placed = ways.each_ref().map(|way| {
        let placement = ["where", "--scheme", "libmemcached-ketama-weighted", "--format", "tsv"];
        let args: Vec<_> = placement.into_iter().chain(way.iter().copied()).collect();
        memring_with(args.into_iter().chain(keys.iter().map(String::as_str))).text()
    });
    assert!(placed.iter().all(|text| *text == placed[0]), "{list}: {placed:?}");
    let indexes: Vec<usize> =
        placed[0].lines().map(|line| line.split_once('\t').unwrap().1.parse().unwrap()).collect();
    assert!(indexes.contains(&0) && indexes.contains(&1), "{list}");
    for (number, client) in ["std", "tokio"].into_iter().enumerate() {
        for (position, key) in keys.iter().enumerate() {
            let way = &ways[position % ways.len()];
            let scheme = ["--scheme", "libmemcached-ketama-weighted"];
            let args = [&["set", "--client", client], &scheme[..], &**way, &[key, client]].concat();
            assert_eq!(run(&args, trusted).text(), "", "{list}");
        }
        for (index, text) in texts.iter().enumerate() {
            let mut args = vec!["get", "--client", client, "--server", text];
            args.extend(keys.iter().map(String::as_str));
            let found = String::from_utf8(run(&args, trusted).stdout).unwrap();
            let expected = keys.iter().zip(&indexes).filter(|(_, at)| **at == index);
            let expected: String = expected.map(|(key, _)| format!("{key}\t{client}\n")).collect();
            assert_eq!(found, expected, "{list}: {text} by client {number}");
            assert_eq!(run(&["flush", "--server", text], trusted).code, 0);
        }
    }
}

#[test]
fn keys_lie_where_it_is_said() {
    let servers = [Server::memcached(), Server::memcached()];
    let ports = servers.each_ref().map(|server| server.address.rsplit(':').next().unwrap());
    for [one, two] in [
        ["127.0.0.1:PORT:3", "127.0.0.1:PORT:1"],
        ["127.0.0.1:PORT", "127.0.0.1:PORT 2"],
        ["one=127.0.0.1:PORT", "two=127.0.0.1:PORT"],
        ["one=127.0.0.1:PORT:2", "two=tcp://127.0.0.1:PORT?weight=3"],
        ["localhost:PORT", "tcp://127.0.0.1:PORT?weight=2"],
        ["memcached://127.0.0.1:PORT", "MEMCACHED://127.0.0.1:PORT/?weight=2"],
        ["/127.0.0.9:11211=127.0.0.1:PORT", "a.example/127.0.0.1:1=127.0.0.1:PORT"],
    ] {
        agree(&[one.replace("PORT", ports[0]), two.replace("PORT", ports[1])], "");
    }
}

#[test]
fn keys_lie_where_it_is_said_behind_sockets() {
    let (plain, strange) = (Socket::new("plain.sock"), Socket::new("a b,c=d:5.sock"));
    let strange =
        strange.path.replace(' ', "%20").replace(',', "%2C").replace('=', "%3D").replace(':', "%3A");
    agree(&[plain.path.clone(), format!("unix://{strange} 2")], "");
    agree(&[format!("{}:0", plain.path), format!("unix:{strange}?weight=2")], "");
}

#[test]
fn each_server_has_the_password_of_its_url() {
    let users = [secure::file("bob:s3c%r@t\n"), secure::file("eve:hunter:2\n")];
    let servers = users.each_ref().map(|file| Server::memcached_with(&["-Y", &file.to_string()]));
    let texts = [
        format!("memcached://bob:s3c%25r%40t@{}", servers[0].address),
        format!("two=memcached://eve:hunter%3a2@{}?weight=2", servers[1].address),
    ];
    agree(&texts, "");
    // One that says nothing gets what the client has.
    let (own, other) = (format!("--auth-file {}", users[1]), &servers[1].address);
    memring(&format!("version {own} --server {},{other}", texts[0])).text();
    let run = memring(&format!("version --server {},{other}", texts[0]));
    assert!(run.code == 3 && run.stderr.contains("unauthenticated"), "{run:?}");
}

#[cfg(feature = "tls")]
#[test]
fn a_server_may_be_encrypted_beside_one_that_is_not() {
    let (certificate, options) = secure::certified();
    let (encrypted, plain) = (Server::memcached_with(&["-Z", "-o", &options.text]), Server::memcached());
    let certificate = certificate.to_string();
    let text = format!("memcacheds://{}", encrypted.address);
    agree(&[text.clone(), plain.address.clone()], &certificate);
    let run = run(&["version", "--server", &format!("memcacheds://{}", plain.address)], &certificate);
    run.fails(3, "not secure");
    memring(&format!("version --tls-ca {certificate} --server {text}")).text();
}

#[cfg(not(feature = "tls"))]
#[test]
fn without_tls_a_server_that_wants_it_is_refused() {
    for client in ["std", "tokio"] {
        memring(&format!("version --client {client} --server memcacheds://bob:s3cret@127.0.0.1:1"))
            .fails(2, "server \"127.0.0.1:1\" wants TLS (memcacheds://); build with the feature `tls`");
    }
}

/// Commands that read servers.
const READERS: [&str; 4] =
    ["where --scheme libketama", "spread --scheme libketama", "get", "get --client tokio"];

#[test]
fn what_is_no_server_is_refused_alike_and_no_password_is_shown() {
    let rows = [
        ("memcached://bob:s3cret@a:x", "bad port"),
        ("memcached://bob:s3c,ret@a:1", "server 1: bad port"),
        ("memcached://bob:s3c/ret@a:1", "bad user or password"),
        ("bob:s3cret@a:1", "'@' where no password can be"),
        ("redis://bob:s3cret@a:1", "unknown scheme"),
        ("memcached://bob:s3cret@a:1?timeout=1", "unknown parameter"),
        ("a:1?weight=2", "parameter without a URL"),
        ("::1", "write [::1]:11211"),
        ("a:1;b:1", "write commas between servers"),
        ("a/b", "bad host"),
        ("/a:1", "bad socket path"),
        ("a:1 -1", "bad weight"),
        ("a:1,#b:1,c:1", "remark"),
    ];
    for (text, said) in rows {
        let list = file(&format!("a:1\n{text}\n"));
        for reader in READERS {
            let words = |way: [&str; 2]| {
                let key = if reader.starts_with("spread") { None } else { Some("k") };
                memring_with(
                    reader
                        .split(' ')
                        .map(str::to_owned)
                        .chain(way.map(str::to_owned))
                        .chain(key.map(str::to_owned)),
                )
            };
            let (option, file) = (words(["--server", text]), words(["--servers", &list]));
            for shown in [&option, &file] {
                assert!(!shown.stderr.contains("s3c"), "{shown:?}");
            }
            option.fails(2, said);
            file.fails(2, " line 2");
        }
        let run = memring(&format!("plan --scheme libketama --old {list} --new {list}"));
        assert!(!run.stderr.contains("s3c"), "{run:?}");
        run.fails(2, said);
        // In place of a file, too.
        for run in [
            memring_with(["where", "--scheme", "libketama", "--servers", text, "k"]),
            memring_with(["plan", "--scheme", "libketama", "--old", text, "--new", text]),
        ] {
            assert!(run.code == 3 && !run.stderr.contains("s3c"), "{run:?}");
        }
    }
}

#[test]
fn a_password_is_in_no_output() {
    let text = "memcached://bob:s3cret@127.0.0.1:1";
    for args in [
        format!("where --scheme libketama --server {text} k"),
        format!("where --scheme libketama --server {text} --format json k"),
        format!("spread --scheme libketama --server {text}"),
        format!("spread --scheme libketama --server {text} --json"),
        format!("where --scheme libketama --names-as-written --server {text} k"),
        format!("get --server {text} k"),
        format!("get --client tokio --server {text} k"),
        format!("version --server {text}"),
        format!("meta --server {text} k"),
    ] {
        let run = memring(&args);
        let all = format!("{}{}", String::from_utf8_lossy(&run.stdout), run.stderr);
        assert!(!all.contains("s3cret") && !all.contains("bob"), "{args}: {all}");
    }
}

#[test]
fn a_list_without_servers_says_so() {
    for (text, said) in
        [("# a", "no servers"), ("#a:1", "no servers"), ("", "no server; write"), (" ", "no server; write")]
    {
        memring_with(["where", "--scheme", "libketama", "--server", text, "k"]).fails(2, said);
    }
    let list = file("\u{feff}\r\n #a:1\r\n");
    memring(&format!("get --servers {list} k")).fails(2, &format!("{list}: no servers"));
    let list = file("a:1\n\u{0}\n");
    memring(&format!("get --servers {list} k")).fails(2, &format!("{list} line 2: bad host"));
}

#[test]
fn names_that_no_address_could_be_are_taken_when_asked() {
    let names = "cache1.example/10.0.0.1:11211 2,/10.0.0.2:11211\n::1:11211 # bare\na:1:2";
    let list = file(names);
    let place = |option: &str| {
        memring(&format!("where --scheme libketama {option} --servers {list} --order --format json k"))
    };
    place("").fails(2, "line 1, server 1: bad host in \"cache1.example/10.0.0.1:11211 2\"");
    let said = place("--names-as-written").json();
    let said = said[0]["servers"].as_array().unwrap().clone();
    let mut indexes: Vec<_> =
        said.iter().map(|server| (server["index"].as_u64(), server["name"].as_str())).collect();
    indexes.sort();
    let all = ["cache1.example/10.0.0.1:11211", "/10.0.0.2:11211", "::1:11211", "a:1:2"];
    assert!(indexes.iter().all(|(index, name)| *name == Some(all[index.unwrap() as usize])), "{said:?}");
    assert!(!indexes.is_empty());
    memring(&format!("spread --scheme libketama --names-as-written --servers {list}")).text();
    memring(&format!("plan --scheme libketama --names-as-written --old {list} --new {list}")).text();
    memring(&format!("get --names-as-written --servers {list} k")).fails(2, "unexpected argument");
}
