//! What `--json` prints is what `doc/json.md` says: every field is there, and no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use crate::{
    memring::{file, memring, memring_reading, memring_with},
    server::Server,
};

/// The fields of a section of the document, and whether each is always there.
fn documented(section: &str) -> BTreeMap<String, bool> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("doc/json.md");
    let document = fs::read_to_string(path).unwrap();
    let (_, section) = document.split_once(&format!("\n## {section}\n")).expect("no such section");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (field, rest) = row.split_once("` | ").unwrap();
        (field.to_owned(), rest.starts_with("always |"))
    })
    .collect()
}

/// The paths of all fields of a value.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                found.insert(path.clone());
                fields(value, &path, found);
            }
        }
        Value::Array(array) => array.iter().for_each(|value| fields(value, &format!("{path}[]"), found)),
        _ => {}
    }
}

/// Holds objects against a section: they have all that is always there and nothing else, and show all the rest.
#[track_caller]
pub(crate) fn are_as_documented(section: &str, objects: &[Value]) {
    let documented = documented(section);
    let mut shown = BTreeSet::new();
    assert!(!objects.is_empty());
    for object in objects {
        let mut found = BTreeSet::new();
        fields(object, "", &mut found);
        // What an empty array has in its elements, none of its objects can show.
        let is_shown = |field: &str| {
            field
                .match_indices("[]")
                .all(|(at, _)| found.iter().any(|other| other.starts_with(&field[..at + 2])))
        };
        for (field, _) in documented.iter().filter(|(field, always)| **always && is_shown(field)) {
            assert!(found.contains(field), "{section}: no {field} in {object}");
        }
        shown.extend(found);
    }
    let documented: BTreeSet<_> = documented.into_keys().collect();
    assert_eq!(shown, documented, "{section}");
}

/// The elements of a printed array, whatever the exit code.
fn elements(args: &str) -> Vec<Value> {
    let run = memring(args);
    serde_json::from_slice::<Vec<Value>>(&run.stdout)
        .unwrap_or_else(|error| panic!("{args}: {error}: {run:?}"))
}

#[test]
fn what_is_read_of_keys_is_as_documented() {
    let server = Server::memcached();
    let at = format!("--server {}", server.address);
    memring(&format!("set {at} text value")).text();
    assert_eq!(memring_reading(&format!("set {at} bytes"), b"\xff").code, 0);
    are_as_documented("get", &elements(&format!("get {at} --json text bytes")));
    are_as_documented("get", &elements(&format!("gat {at} --ttl 1h --json text bytes")));
    // Items are marked as stale by the meta commands only.
    let mut peer = std::net::TcpStream::connect(&server.address).unwrap();
    std::io::Write::write_all(&mut peer, b"md text I\r\n").unwrap();
    std::io::Read::read_exact(&mut peer, &mut [0; 4]).unwrap();
    are_as_documented("meta", &elements(&format!("meta {at} --json text bytes")));
}

#[test]
fn what_values_are_to_other_clients_is_as_documented() {
    let server = Server::memcached();
    let at = format!("--server {}", server.address);
    memring(&format!("set {at} --flags 2 float .5")).text();
    memring(&format!("set {at} --flags 4 object N;")).text();
    memring(&format!("set {at} --flags 31 damaged x")).text();
    // A length, and a block of FastLZ: three bytes, of which two are no text, and twenty of them again.
    let run =
        memring_reading(&format!("set {at} --flags 80 compressed"), b"\x17\0\0\0\x02\xff\xfea\xe0\x0b\x02");
    assert_eq!(run.code, 0);
    let get = format!("get {at} --json --as php-memcached float object damaged compressed");
    let found = elements(&get);
    are_as_documented("get --as", &found);
    assert_eq!(found[0]["value"], 0.5);
    assert_eq!((&found[1]["type"], &found[1]["value"]), (&Value::from("null"), &Value::Null));
    assert_eq!(found[2]["value"], "x");
    let why = "damaged: as php-memcached with flags 0x1f: ";
    assert!(memring(&get).stderr.contains(why) && found[2]["error"].is_string(), "{found:?}");
}

#[test]
fn where_keys_live_is_as_documented() {
    let list = "--server 10.0.0.1 --server 10.0.0.2:11212";
    let all = "--scheme libmemcached-modula --format json a b";
    are_as_documented("where", &elements(&format!("where {list} {all} --order")));
    are_as_documented("where", &elements(&format!("where {list} {all}")));
    are_as_documented("where --counts", &[memring(&format!("where {list} {all} --counts")).json()]);
    let keys = file("a\nb\n");
    let text = "--SERVER=10.0.0.1 --SERVER=10.0.0.2";
    let run = memring_with(["doctor", text, "--json", "--keys", &keys]).json();
    are_as_documented("where", run.as_array().unwrap());
}

#[test]
fn what_a_change_does_is_as_documented() {
    let (old, new) = (file("10.0.0.1\n10.0.0.2 3\n"), file("10.0.0.1\n10.0.0.3\n"));
    let lists = format!("plan --old {old} --new {new} --json");
    let more = format!("plan --old {new} --add 10.0.0.9 --json --scheme jump");
    let plans = [format!("{lists} --scheme libketama"), more].map(|args| memring(&args).json());
    assert!(plans[0]["precision"]["kind"] == "exact" && plans[1]["precision"]["kind"] == "sampled");
    are_as_documented("plan", &plans);
    let counted = memring(&format!("{lists} --scheme libketama --keys {}", file("a\nb\n"))).json();
    assert_eq!(counted["precision"], serde_json::json!({ "kind": "counted", "keys": 2 }));
    let spreads = ["libketama", "jump"]
        .map(|scheme| memring(&format!("spread --servers {new} --json --scheme {scheme}")).json());
    are_as_documented("spread", &spreads);
    let load = format!(
        "plan --old {new} --add 10.0.0.9 --remove 10.0.0.1 --json --steps --rate 100 --hit-ratio 0.9 --ttl 1h --max-misses 30"
    );
    let steps = ["libketama", "jump"].map(|scheme| memring(&format!("{load} --scheme {scheme}")).json());
    are_as_documented("plan --steps", &steps);
}

#[test]
fn what_a_configuration_means_is_as_documented() {
    let server = Server::memcached();
    let text = |address: &str| format!("--SERVER={address} --SERVER=127.0.0.1:1");
    let pinged = memring_with(["doctor", &text(&server.address), "--ping", "--json"]).json();
    let pool = file("default:\n  listen: a:1\n  servers:\n  - 10.0.0.1:11211:1\n  - 10.0.0.2:1:1\n");
    let piped = memring(&format!("doctor {pool} --json")).json();
    let random = memring_with(["doctor", "--SERVER=10.0.0.1 --DISTRIBUTION=random", "--json"]).json();
    assert!(random["scheme"].is_null());
    are_as_documented("doctor", &[pinged, piped, random]);
    let run = memring_with(["doctor", &text("10.0.0.1"), "--against", &text("10.0.0.2"), "--json"]);
    assert_eq!(run.code, 1, "{run:?}");
    are_as_documented("doctor --against", &[serde_json::from_slice(&run.stdout).unwrap()]);
}

#[test]
fn what_a_server_tells_while_it_is_watched_is_as_documented() {
    let told = "OK\r\nts=1.000002 gid=1 type=item_get key=k status=found clsid=1 cfd=1 size=1\r\n[skipped: 3]\r\n\
                ts=1.000003 gid=2 type=eviction_x fetch=no\r\n";
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut asked = std::io::BufReader::new(peer.try_clone().unwrap());
        std::io::BufRead::read_line(&mut asked, &mut String::new()).unwrap();
        std::io::Write::write_all(&mut peer, told.as_bytes()).unwrap();
    });
    let run = memring(&format!("watch --server {address} --json --limit 3"));
    server.join().unwrap();
    let lines = str::from_utf8(&run.stdout).unwrap().lines();
    let mut lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    // They have the names that the server has for them.
    for facts in lines.iter_mut().filter_map(|line| line.get_mut("facts")) {
        assert!(facts.as_object().unwrap().values().all(Value::is_string), "{facts}");
        *facts = Value::Null;
    }
    are_as_documented("watch", &lines);
}

#[test]
fn what_servers_say_is_as_documented() {
    let server = Server::memcached();
    let at = format!("--server {}", server.address);
    are_as_documented("ping", &elements(&format!("ping {at} --server 127.0.0.1:1 --json")));
    are_as_documented("version", &elements(&format!("version {at} --server 127.0.0.1:1 --json")));
    memring(&format!("set {at} k v")).text();
    let two = format!("--scheme libmemcached-modula {at} --server 127.0.0.1:1");
    are_as_documented("keys", &elements(&format!("keys {two} --json --prefix k")));
    are_as_documented("keys --count", &elements(&format!("keys {two} --json --count")));
    are_as_documented("slabs", &elements(&format!("slabs {at} --json")));
    are_as_documented("top", &elements(&format!("top {two} --interval 50ms --json")));
    let bench = format!("bench {at} --duration 50ms --workers 1 --json");
    are_as_documented("bench", &[memring(&bench).json()]);
    let stats = memring(&format!("stats {at} --json")).json();
    let stats = stats[&server.address].as_object().unwrap();
    assert!(stats.len() > 30 && stats.values().all(Value::is_string), "{stats:?}");
}
