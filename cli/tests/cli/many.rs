//! Commands about many keys, which are arguments or the lines of a file.

use serde_json::json;

use crate::{
    memring::{Run, file, memring, memring_reading},
    server::Server,
    verbs::SCHEME,
};

fn fleet() -> ([Server; 2], String) {
    let servers = [Server::memcached(), Server::memcached()];
    let options = format!("{SCHEME} --server {} --server {}", servers[0].address, servers[1].address);
    (servers, options)
}

/// The answer was no, for this reason, and for keys that are named with their servers.
#[track_caller]
fn is_no(run: &Run, reason: &str) {
    let named = run.stderr.strip_prefix(&format!("memring: {reason}: ")).unwrap_or_else(|| panic!("{run:?}"));
    assert!(run.code == 1 && named.contains(" on 127.0.0.1:"), "{run:?}");
}

#[test]
fn a_file_of_keys_is_read_touched_and_deleted() {
    let (_servers, options) = fleet();
    let names: Vec<_> = (0..600).map(|number| format!("key:{number}")).collect();
    let keys = file(&names.join("\n"));
    let some = file("key:0\nkey:\\x31\n");
    for name in &names {
        if name.len() < 6 {
            memring(&format!("set {options} {name} value-of-{name}")).text();
        }
    }
    assert_eq!(
        memring(&format!("get {options} --keys {some}")).text(),
        "key:0\tvalue-of-key:0\nkey:1\tvalue-of-key:1\n"
    );
    let run = memring(&format!("get {options} --keys {keys}"));
    is_no(&run, "not found");
    assert_eq!(run.stdout.iter().filter(|byte| **byte == b'\n').count(), 10);
    // The first ten of them are named.
    assert!(
        run.stderr.contains(": key:10 on 127.0.0.1:") && run.stderr.ends_with(", and 580 more\n"),
        "{run:?}"
    );
    assert_eq!(run.stderr.matches(" on 127.0.0.1:").count(), 10);
    assert_eq!(memring(&format!("touch {options} --ttl 1h --keys {some}")).text(), "");
    is_no(&memring(&format!("touch {options} --ttl 1h --keys {keys}")), "not found");
    let ttls = memring(&format!("meta {options} --json --keys {some}")).json();
    assert!(ttls.as_array().unwrap().iter().all(|key| key["ttl"].as_i64() > Some(3500)), "{ttls}");
    assert_eq!(memring(&format!("delete {options} --keys {some}")).text(), "");
    let run = memring_reading(&format!("delete {options} --keys -"), b"key:0\nkey:1\n");
    is_no(&run, "not found");
    is_no(&memring(&format!("delete {options} --keys {keys}")), "not found");
    is_no(&memring(&format!("get {options} --keys {keys}")), "not found");
}

#[test]
fn a_file_of_one_key_is_a_list() {
    let (_servers, options) = fleet();
    memring(&format!("set {options} k v")).text();
    assert_eq!(memring_reading(&format!("get {options} --keys -"), b"k\n").text(), "k\tv\n");
    assert_eq!(memring_reading(&format!("get {options} --keys -"), b"\nk\r\n\n").text(), "k\tv\n");
    assert_eq!(memring_reading(&format!("get {options} --keys -"), b"").text(), "");
    memring_reading(&format!("get {options} --raw --keys -"), b"k\n").fails(2, "--raw");
}

#[test]
fn a_bad_line_of_keys_is_named_before_anything_is_sent() {
    // Nobody listens there; a key that got that far would be another error.
    let server = "--server 127.0.0.1:1";
    for verb in ["get", "gat --ttl 1m", "delete", "touch --ttl 1m", "meta"] {
        for (text, part) in [
            ("fine\n\na b\r\n", "line 3: key has a control character or a space at byte 1"),
            ("a\\y\n", "line 1: bad escape"),
        ] {
            memring(&format!("{verb} {server} --keys {}", file(text))).fails(2, part);
        }
        memring(&format!("{verb} {server} --keys /no/such/file")).fails(3, "/no/such/file");
        memring(&format!("{verb} {server} --keys - key")).fails(2, "--keys");
        memring(&format!("{verb} --servers - --keys -")).fails(2, "only one of --servers and --keys");
    }
}

#[test]
fn json_has_texts_as_they_are_and_bytes_in_base64() {
    let (servers, options) = fleet();
    memring(&format!("set {options} --flags 7 text größer")).text();
    assert_eq!(memring_reading(&format!("set {options} bytes"), b"\xff\x00\x01").code, 0);
    memring(&format!("set {options} empty")).text();
    let run = memring(&format!("get {options} --json text none bytes empty"));
    is_no(&run, "not found");
    let found: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 3);
    for object in found {
        assert!(servers.iter().any(|server| object["server"] == server.address), "{object}");
        assert!(object["cas"].as_u64() > Some(0), "{object}");
        assert_eq!(object.as_object().unwrap().len(), 6, "{object}");
    }
    let fields = |at: usize, names: [&str; 4]| names.map(|name| found[at][name].clone());
    assert_eq!(
        fields(0, ["key", "flags", "size", "value"]),
        [json!("text"), json!(7), json!("größer".len()), json!("größer")]
    );
    assert_eq!(
        fields(1, ["key", "flags", "size", "base64"]),
        [json!("bytes"), json!(0), json!(3), json!("/wAB")]
    );
    assert_eq!(fields(2, ["key", "flags", "size", "value"]), [json!("empty"), json!(0), json!(0), json!("")]);
    let one = memring(&format!("get {options} --json text")).json();
    assert_eq!(one.as_array().unwrap().len(), 1, "one key is an array, too");
    let none = memring(&format!("get {options} --json none"));
    is_no(&none, "not found");
    assert_eq!(none.stdout, b"[]\n");
    memring(&format!("get {options} --json --raw text")).fails(2, "--raw");
}

#[test]
fn an_item_is_stored_only_if_it_is_the_one_that_was_read() {
    let (_servers, options) = fleet();
    memring(&format!("set {options} k old")).text();
    let cas = memring(&format!("get {options} --json k")).json()[0]["cas"].clone();
    let store = |value| memring(&format!("cas {options} --cas {cas} k {value}"));
    assert_eq!(store("new").text(), "");
    is_no(&store("newer"), "not stored, changed meanwhile");
    assert_eq!(memring(&format!("get {options} k")).text(), "new");
    memring(&format!("delete {options} k")).text();
    is_no(&store("newest"), "not stored, not found");
    memring(&format!("cas {options} k v")).fails(2, "--cas");
}

#[test]
fn what_is_read_may_live_longer_from_then_on() {
    let (_servers, options) = fleet();
    memring(&format!("set {options} --ttl 1m k v")).text();
    let ttl = || memring(&format!("meta {options} --json k")).json()[0]["ttl"].as_i64().unwrap();
    assert!(ttl() <= 60);
    assert_eq!(memring(&format!("gat {options} --ttl 2h k")).text(), "v");
    assert!(ttl() > 7000);
    assert_eq!(memring(&format!("gat {options} --for-ever k --json")).json()[0]["value"], "v");
    assert_eq!(ttl(), -1);
    memring(&format!("gat {options} k")).fails(2, "--ttl <TIME>|--for-ever");
    is_no(&memring(&format!("gat {options} --ttl 1m none")), "not found");
}

#[test]
fn a_server_that_is_away_is_told_of_once() {
    let (servers, _) = fleet();
    let options = format!("{SCHEME} --server {} --server 127.0.0.1:1", servers[0].address);
    let keys = file(&(0..9000).map(|number| format!("key:{number}\n")).collect::<String>());
    for verb in ["get", "gat --ttl 1m", "delete", "touch --ttl 1m", "get --json"] {
        let run = memring(&format!("{verb} {options} --keys {keys}"));
        let verb = verb.split(' ').next().unwrap();
        let told = format!("memring: {verb} on 127.0.0.1:1: not connected: connection refused\n");
        assert_eq!((run.code, run.stderr), (3, told));
    }
}

#[test]
fn values_are_what_they_are_to_the_client_that_is_named() {
    let (_servers, options) = fleet();
    memring(&format!("set {options} --flags 768 number 42")).text();
    memring(&format!("set {options} --flags 1 pickle x")).text();
    assert_eq!(
        memring_reading(&format!("set {options} --flags 1 ruby"), b"\x04\x08I\"\x07\xc3\xbc\x06:\x06ET").code,
        0
    );
    for (client, line) in [
        ("php-memcache", "number\tint\t42\n"),
        ("spymemcached", "number\tint\t13362\n"),
        ("auto", "number\tunknown\t42\n"),
    ] {
        assert_eq!(memring(&format!("get {options} --as {client} number")).text(), line);
    }
    let both = memring(&format!("get {options} --as auto ruby number")).text();
    assert_eq!(both, "ruby\ttext of marshal\t\\xc3\\xbc\nnumber\tunknown\t42\n");
    assert_eq!(memring(&format!("get {options} --as spymemcached --raw number")).text(), "13362");
    assert_eq!(
        memring(&format!("gat {options} --ttl 1m --as pylibmc pickle")).text(),
        "pickle\tobject of python-pickle\tx\n"
    );
    let wrong = memring(&format!("get {options} --as php-memcached number ruby"));
    assert_eq!(wrong.code, 3);
    let why = "number: as php-memcached with flags 0x300: no client of this kind writes such flags";
    assert!(wrong.stderr.contains(why), "{wrong:?}");
    memring(&format!("get {options} --as php-memcached --raw number")).fails(3, "flags 0x300");
    memring(&format!("get {options} --as nobody number")).fails(2, "auto, raw, pylibmc");
}
