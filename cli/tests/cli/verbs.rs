//! The commands that talk to servers, over our own and over memcached.

use std::ffi::OsString;

use crate::{
    memring::{Run, command, memring, memring_reading},
    server::Server,
};

/// The scheme is named, as otherwise it is said which one is taken.
pub(crate) const SCHEME: &str = "--scheme libmemcached-ketama-weighted";

/// Two servers and how to name them.
struct Fleet {
    servers: [Server; 2],
}

impl Fleet {
    /// One fleet of our own servers, and one of memcached.
    fn each() -> [Self; 2] {
        [
            Self { servers: [Server::embedded(), Server::embedded()] },
            Self { servers: [Server::memcached(), Server::memcached()] },
        ]
    }

    fn one() -> Self {
        Self { servers: [Server::embedded(), Server::embedded()] }
    }

    fn servers(&self) -> String {
        let [first, second] = &self.servers;
        format!("--server {} --server {}", first.address, second.address)
    }

    fn options(&self) -> String {
        format!("{} {SCHEME}", self.servers())
    }

    /// Runs a verb; the words behind it may be any bytes.
    fn run<'w>(&self, verb: &str, words: impl IntoIterator<Item = &'w str>) -> Run {
        let mut args: Vec<OsString> = vec![verb.into()];
        args.extend(self.options().split(' ').map(Into::into));
        args.extend(words.into_iter().map(Into::into));
        Run::of(command(args).output().unwrap())
    }
}

/// The answer was no, for this reason, and about a key on one of the servers.
#[track_caller]
fn is_no(run: Run, reason: &str) {
    let said = run.stderr.strip_prefix(&format!("memring: {reason}: ")).unwrap_or_else(|| panic!("{run:?}"));
    let (key, server) = said.trim_end().split_once(" on ").unwrap();
    assert!((key == "k" || key == "none") && server.starts_with("127.0.0.1:"), "{said}");
    assert_eq!((run.code, run.stdout), (1, Vec::new()));
}

/// Not all keys were found: these were not.
#[track_caller]
fn lacks(run: &Run, keys: &[&str]) {
    let said = run.stderr.strip_prefix("memring: not found: ").unwrap_or_else(|| panic!("{run:?}"));
    let named: Vec<_> = said.split(", ").map(|key| key.split(" on 127.0.0.1:").next().unwrap()).collect();
    assert_eq!((run.code, &*named), (1, keys), "{said}");
}

#[test]
fn what_was_stored_comes_back_as_it_was() {
    for fleet in Fleet::each() {
        assert_eq!(fleet.run("set", ["k", "no newline"]).text(), "");
        assert_eq!(fleet.run("get", ["k"]).text(), "no newline");
        let bytes: Vec<u8> = (0..=255).collect();
        let run = memring_reading(&format!("set {} bytes", fleet.options()), &bytes);
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(fleet.run("get", ["bytes"]).stdout, bytes);
        let run = memring_reading(&format!("set {} dash -", fleet.options()), b"from stdin\n");
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(fleet.run("get", ["dash"]).text(), "from stdin\n");
        assert_eq!(fleet.run("set", ["empty", ""]).text(), "");
        assert_eq!(fleet.run("get", ["empty"]).text(), "");
    }
}

#[test]
fn no_is_an_exit_code_of_its_own() {
    for fleet in Fleet::each() {
        is_no(fleet.run("get", ["k"]), "not found");
        is_no(fleet.run("replace", ["k", "v"]), "not stored");
        is_no(fleet.run("append", ["k", "v"]), "not stored");
        is_no(fleet.run("prepend", ["k", "v"]), "not stored");
        is_no(fleet.run("delete", ["k"]), "not found");
        is_no(fleet.run("touch", ["k", "--for-ever"]), "not found");
        fleet.run("touch", ["k"]).fails(2, "--ttl <TIME>|--for-ever");
        is_no(fleet.run("incr", ["k"]), "not found");
        is_no(fleet.run("decr", ["k", "2"]), "not found");
        assert_eq!(fleet.run("add", ["k", "v"]).text(), "");
        is_no(fleet.run("add", ["k", "w"]), "not stored");
        assert_eq!(fleet.run("append", ["k", ">"]).text(), "");
        assert_eq!(fleet.run("prepend", ["k", "<"]).text(), "");
        assert_eq!(fleet.run("get", ["k"]).text(), "<v>");
        assert_eq!(fleet.run("replace", ["k", "w", "--flags", "7", "--ttl", "1h"]).text(), "");
        assert_eq!(fleet.run("touch", ["k", "--ttl", "40d"]).text(), "");
        assert_eq!(fleet.run("get", ["k"]).text(), "w");
        assert_eq!(fleet.run("delete", ["k"]).text(), "");
        is_no(fleet.run("get", ["k"]), "not found");
    }
}

#[test]
fn counters_count() {
    for fleet in Fleet::each() {
        fleet.run("set", ["n", "10"]).text();
        assert_eq!(fleet.run("incr", ["n"]).text(), "11\n");
        assert_eq!(fleet.run("incr", ["n", "9"]).text(), "20\n");
        assert_eq!(fleet.run("decr", ["n", "30"]).text(), "0\n");
        fleet.run("set", ["word", "ten"]).text();
        fleet.run("incr", ["word"]).fails(3, "incr on 127.0.0.1:");
    }
}

#[test]
fn several_keys_get_a_line_each_and_a_missing_one_is_a_no() {
    for fleet in Fleet::each() {
        for (key, value) in [("a", "1"), ("b", "two words"), ("c", "\u{7}")] {
            fleet.run("set", [key, value]).text();
        }
        assert_eq!(fleet.run("get", ["c", "a", "b"]).text(), "c\t\\x07\na\t1\nb\ttwo\\x20words\n");
        let run = fleet.run("get", ["a", "none", "b"]);
        lacks(&run, &["none"]);
        assert_eq!(run.stdout, b"a\t1\nb\ttwo\\x20words\n");
    }
}

#[test]
fn what_the_server_knows_of_a_key_is_told_without_a_trace() {
    for fleet in Fleet::each() {
        fleet.run("set", ["k", "12345", "--flags", "7"]).text();
        for _ in 0..2 {
            let json = fleet.run("meta", ["--json", "k"]).json();
            let object = json[0].as_object().unwrap();
            let is = |name: &str, value: serde_json::Value| assert_eq!(object[name], value, "{name}: {json}");
            is("key", "k".into());
            is("size", 5.into());
            is("flags", 7.into());
            is("ttl", (-1).into());
            is("hit", false.into());
            assert!(object["cas"].as_u64().is_some() && object["last_access"].as_u64().is_some(), "{json}");
            assert_eq!(object.len(), 8, "{json}");
        }
        assert_eq!(fleet.run("get", ["k"]).text(), "12345");
        let run = fleet.run("meta", ["none", "k"]);
        lacks(&run, &["none"]);
        let text = String::from_utf8(run.stdout).unwrap();
        assert!(text.starts_with("k  127.0.0.1:") && text.contains("  size=5 flags=7 cas="), "{text}");
        assert!(text.ends_with(" hit=true\n"), "{text}");
        is_no(fleet.run("meta", ["none"]), "not found");
    }
}

#[test]
fn every_server_is_asked_for_version_and_statistics() {
    for fleet in Fleet::each() {
        let [first, second] = &fleet.servers;
        let version = fleet.run("version", []).text();
        let names: Vec<_> =
            version.lines().filter_map(|line| line.split_once("  ")).map(|(name, _)| name).collect();
        assert_eq!(names, [&first.address, &second.address]);
        let stats = fleet.run("stats", []).text();
        assert_eq!(stats.lines().filter(|line| line.contains(" get_hits ")).count(), 2, "{stats}");
        let stats = fleet.run("stats", ["--json"]).json();
        assert_eq!(stats[&first.address]["get_hits"], "0", "{stats}");
        fleet.run("set", ["k", "v"]).text();
        assert_eq!(fleet.run("flush", []).text(), "");
        is_no(fleet.run("get", ["k"]), "not found");
        fleet.run("flush", ["--delay", "31d"]).fails(2, "30 days");
    }
}

#[test]
fn the_scheme_decides_where_a_key_is() {
    let fleet = Fleet::one();
    let [first, second] = &fleet.servers;
    for key in ["tokyo", "kyoto", "osaka", "nagoya"] {
        let with = |scheme: &str| {
            memring(&format!("set {} {key} {scheme} --scheme {scheme}", fleet.servers())).text()
        };
        let scheme = "libmemcached-modula";
        with(scheme);
        let place =
            memring(&format!("where --scheme {scheme} {} --format json {key}", fleet.servers())).json();
        let holder = if place[0]["servers"][0]["index"] == 0 { first } else { second };
        assert_eq!(memring(&format!("get --server {} {key}", holder.address)).text(), scheme);
    }
    memring(&format!("get k --scheme no-such {}", fleet.servers()))
        .fails(2, "`memring schemes` lists them all");
    fleet.run("get", ["k", "--option", "hash"]).fails(2, "hash");
}

#[test]
fn the_scheme_is_told_where_nobody_has_named_it_and_it_matters() {
    let fleet = Fleet::one();
    let says = "memring: keys are placed by libmemcached-ketama-weighted, as no scheme is named; --scheme NAME names one\n";
    let [one, both] = [format!("--server {}", fleet.servers[0].address), fleet.servers()];
    for (line, said) in [
        (format!("set k v {both}"), says),
        (format!("get k {both}"), says),
        (format!("get k l m {both} --json"), says),
        (format!("meta k {both} --json"), says),
        (format!("get k {}", fleet.options()), ""),
        // A single server has all keys, and all servers are asked for these.
        (format!("set k v {one}"), ""),
        (format!("version {both}"), ""),
        (format!("stats {both}"), ""),
    ] {
        let run = memring(&line);
        let said_first =
            run.stderr.split_inclusive('\n').find(|line| !line.contains("not found")).unwrap_or_default();
        assert_eq!(said_first, said, "{line}");
        assert!(!String::from_utf8_lossy(&run.stdout).contains("no scheme"), "{line}");
    }
}

#[test]
fn a_prefix_is_part_of_the_key() {
    let fleet = Fleet::one();
    let first = &fleet.servers[0].address;
    memring(&format!("set --server {first} --option prefix=shop: k v")).text();
    assert_eq!(memring(&format!("get --server {first} shop:k")).text(), "v");
    let long = "k".repeat(248);
    memring(&format!("get --server {first} --option prefix=shop: {long}")).fails(2, "253 bytes");
}

#[test]
fn a_bad_key_is_named_before_anything_is_sent() {
    // Nobody listens there; a key that got that far would be another error.
    let server = "127.0.0.1:1";
    let long = "k".repeat(251);
    let rows = [
        ("", "key is empty"),
        (&*long, "key has 251 bytes, the limit is 250"),
        ("a b", "bad key a\\x20b: key has a control character or a space at byte 1"),
        ("a\r\nset b 0 0 1", "at byte 1"),
        ("a\n", "at byte 1"),
        ("\u{7f}", "at byte 0"),
    ];
    for (key, part) in rows {
        for verb in ["get", "set", "add", "replace", "append", "prepend", "delete", "incr", "decr"] {
            Run::of(command([verb, "--server", server, key]).output().unwrap()).fails(2, part);
        }
        Run::of(command(["touch", "--server", server, "--ttl", "1m", key]).output().unwrap()).fails(2, part);
        Run::of(command(["get", "--server", server, "fine", key]).output().unwrap()).fails(2, part);
    }
}

#[test]
fn a_server_that_is_down_is_named() {
    for line in [
        "get k",
        "get k l",
        "gat --ttl 1m k l",
        "meta k",
        "set k v",
        "cas --cas 1 k v",
        "delete k l",
        "touch --ttl 1m k l",
        "version",
        "stats",
        "flush",
    ] {
        let run = memring(&format!("{line} --server 127.0.0.1:1"));
        run.fails(3, "on 127.0.0.1:1: not connected: connection refused");
    }
}

#[test]
fn those_that_answer_are_heard_though_others_are_down() {
    let server = Server::embedded();
    let run = memring(&format!("version --server {} --server 127.0.0.1:1", server.address));
    assert_eq!(run.code, 3);
    assert!(run.stdout.starts_with(server.address.as_bytes()), "{run:?}");
    assert!(run.stderr.contains("127.0.0.1:1"), "{run:?}");
}

#[test]
fn arguments_that_are_wrong_are_usage_errors() {
    memring("get k").fails(2, "no servers");
    memring("get --server 127.0.0.1:1").fails(2, "KEY");
    memring("get --server 127.0.0.1:port k").fails(2, "--server number 1");
    memring("get --server 127.0.0.1:1 --timeout soon k").fails(2, "not a length of time");
    memring("set --server 127.0.0.1:1 --ttl 0s k v").fails(2, "time to live is zero");
    for ttl in ["36500d", "999999999d"] {
        memring(&format!("set --server 127.0.0.1:1 --ttl {ttl} k v")).fails(2, "ends after January 2038");
    }
    memring("set --server 127.0.0.1:1 --flags 4294967296 k v").fails(2, "--flags");
    memring("set --servers - k").fails(2, "only one of --servers and the value");
    memring("incr --server 127.0.0.1:1 k -1").fails(2, "-1");
}

#[test]
fn a_server_that_never_answers_costs_the_timeout() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let begin = std::time::Instant::now();
    memring(&format!("get --server {address} --timeout 100ms k"))
        .fails(3, &format!("get on {address}: timed out"));
    assert!(begin.elapsed().as_secs() < 5);
}

#[test]
fn servers_can_come_from_a_file() {
    let fleet = Fleet::one();
    let list: String = fleet.servers.iter().map(|server| format!("{} 3\n", server.address)).collect();
    let run = memring_reading(&format!("set {SCHEME} --servers - k v"), list.as_bytes());
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(memring_reading(&format!("get {SCHEME} --servers - k"), list.as_bytes()).text(), "v");
    memring_reading("get --servers - k", b"a:1\n\nb:x\n").fails(2, "standard input line 3");
}

#[test]
fn a_time_that_is_none_is_refused_with_what_the_command_has_for_no_end() {
    for (command, says) in [
        (
            "touch --ttl 0 --server a:1 k",
            "time to live is zero; write --for-ever in place of --ttl for no end",
        ),
        ("gat --ttl 0 --server a:1 k", "write --for-ever in place of --ttl"),
        ("set --ttl 0 --server a:1 k v", "time to live is zero; leave --ttl out for no end"),
        ("touch --ttl -1 --server a:1 k", "not a length of time"),
        ("set --ttl -1 --server a:1 k v", "not a length of time"),
    ] {
        memring(command).fails(2, says);
    }
}
