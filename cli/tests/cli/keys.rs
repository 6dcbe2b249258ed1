//! What servers hold and what happens there: `memring keys`, `watch` and `slabs`.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
};

use crate::{
    memring::{Run, command, file, memring, memring_reading, memring_with},
    server::Server,
};

fn fleet() -> ([Server; 3], String) {
    let servers = [(); 3].map(|()| Server::memcached());
    let options: String = servers.iter().map(|server| format!(" --server {}", server.address)).collect();
    (servers, format!("--scheme libmemcached-ketama-weighted{options}"))
}

#[track_caller]
fn lines(run: Run) -> BTreeSet<String> {
    run.text().lines().map(str::to_owned).collect()
}

fn set<const N: usize>(keys: [&str; N]) -> BTreeSet<String> {
    keys.map(str::to_owned).into()
}

#[test]
fn keys_are_found_by_how_they_begin_and_what_they_match() {
    let (_servers, options) = fleet();
    for key in ["user:1", "user:22", "cart:1", "a%b", "größe", "path/to"] {
        memring(&format!("set {options} {key} value")).text();
    }
    for client in ["std", "tokio"] {
        let keys = |words: &str| lines(memring(&format!("keys {options} --client {client} {words}")));
        assert_eq!(keys(""), set(["user:1", "user:22", "cart:1", "a%b", r"gr\xc3\xb6\xc3\x9fe", "path/to"]));
        assert_eq!(keys("--prefix user:"), set(["user:1", "user:22"]));
        assert_eq!(keys("--glob *:?"), set(["user:1", "cart:1"]));
        assert_eq!(keys("--glob p*o"), set(["path/to"]));
        assert_eq!(keys(r"--regex :\d{2}$"), set(["user:22"]));
        assert_eq!(keys("--prefix user: --glob *1 --regex 1"), set(["user:1"]));
        assert_eq!(keys("--prefix none"), set([]));
        assert_eq!(keys("--limit 2").len(), 2);
    }
    memring_with(["keys", "--server", "127.0.0.1:1", "--glob", "["]).fails(2, "--glob");
    memring_with(["keys", "--server", "127.0.0.1:1", "--regex", "("]).fails(2, "--regex");
    memring("keys --server 127.0.0.1:1")
        .fails(3, "metadump on 127.0.0.1:1: not connected: connection refused");
}

#[test]
fn what_is_printed_is_what_keys_of_other_commands_are() {
    let (_servers, options) = fleet();
    for number in 0..50 {
        memring(&format!("set {options} k{number} v")).text();
    }
    let all = memring(&format!("keys {options}")).text();
    assert_eq!(all.lines().count(), 50);
    assert_eq!(memring(&format!("delete {options} --keys {}", file(&all))).text(), "");
    assert_eq!(memring(&format!("keys {options}")).text(), "");
}

#[test]
fn a_key_on_the_wrong_server_is_found() {
    let (servers, options) = fleet();
    for number in 0..30 {
        memring(&format!("set {options} k{number} v")).text();
    }
    assert_eq!(memring(&format!("keys {options} --misplaced")).text(), "");
    // Each server has `stray`, and only one of them should.
    for server in &servers {
        memring(&format!("set --server {} --ttl 1h stray v", server.address)).text();
    }
    let run = memring(&format!("keys {options} --misplaced --long"));
    assert_eq!((run.code, &*run.stderr), (1, "memring: some keys are misplaced\n"));
    let text = String::from_utf8(run.stdout).unwrap();
    let home = memring(&format!("where {options} stray")).text();
    let home = home.trim_end().rsplit("  ").next().unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    for line in text.lines() {
        let [key, server, belongs, size, ttl, age] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert_eq!((key, belongs), ("stray", home));
        assert!(server != home && servers.iter().any(|one| one.address == server), "{line}");
        let [size, ttl, age] = [size, ttl, age].map(|number| number.parse::<i64>().unwrap());
        assert!(size > 50 && (3590..=3600).contains(&ttl) && age < 10, "{line}");
    }
    let counts = memring(&format!("keys {options} --count --json")).json();
    let sum = |name: &str| {
        counts.as_array().unwrap().iter().map(|server| server[name].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((sum("keys"), sum("misplaced")), (33, 2));
    let table = memring(&format!("keys {options} --count")).text();
    assert!(table.starts_with("server") && table.lines().count() == 4, "{table}");
    // Another scheme places others elsewhere.
    let other = options.replace("libmemcached-ketama-weighted", "libmemcached-modula");
    let run = memring(&format!("keys {other} --misplaced"));
    assert!(run.code == 1 && run.stdout.split(|byte| *byte == b'\n').count() > 10);
}

#[test]
fn keys_without_the_prefix_of_the_scheme_are_none_of_its() {
    let (servers, options) = fleet();
    for number in 0..20 {
        memring(&format!("set {options} --option prefix=shop: k{number} v")).text();
    }
    for server in &servers {
        memring(&format!("set --server {} other v", server.address)).text();
    }
    assert_eq!(memring(&format!("keys {options} --option prefix=shop: --misplaced")).text(), "");
    let own = memring(&format!("keys {options} --option prefix=shop:")).text();
    assert!(own.lines().count() == 20 && own.lines().all(|line| line.starts_with('k')), "{own}");
    let all = memring(&format!("keys {options} --option prefix=shop: --all --long")).text();
    assert_eq!(all.lines().filter(|line| line.starts_with("other\t") && line.contains("\t-\t")).count(), 3);
    assert_eq!(all.lines().filter(|line| line.starts_with("shop:k")).count(), 20);
}

#[test]
fn a_server_that_does_not_dump_says_so() {
    let forbids = Server::memcached_with(&["-X"]);
    memring(&format!("keys --server {}", forbids.address)).fails(3, "metadump not allowed");
    let own = Server::embedded();
    memring(&format!("keys --server {}", own.address)).fails(3, "metadump on");
    memring(&format!("watch --server {}", own.address)).fails(3, "watch on");
}

#[test]
fn keys_are_printed_as_get_takes_them() {
    let server = Server::memcached();
    let toml =
        |namespace: &str| file(&format!("servers = ['{}']\nnamespace = '{namespace}'\n", server.address));
    let (ours, theirs) = (toml("app:"), toml("other:"));
    memring(&format!("set --config {ours} a 1")).text();
    memring(&format!("set --config {theirs} b 2")).text();
    let keys = |more: &str| {
        let text = memring(&format!("keys --config {ours} {more}")).text();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(
        (keys(""), keys("--prefix a"), keys("--prefix app:")),
        (vec!["a".into()], vec!["a".into()], vec![])
    );
    assert_eq!(keys("--all"), ["app:a", "other:b"]);
    let piped = memring_reading(&format!("get --config {ours} --keys -"), keys("").join("\n").as_bytes());
    assert_eq!(piped.text(), "a\t1\n");
    let objects = memring(&format!("keys --config {ours} --all --json")).json();
    let nowhere = objects.as_array().unwrap().iter().find(|object| object["key"] == "other:b").unwrap();
    assert!(nowhere["belongs"].is_null() && nowhere["misplaced"] == false, "{objects}");
    let counts = memring(&format!("keys --config {ours} --count --json")).json();
    assert_eq!(counts[0]["keys"], 1);
}

#[test]
fn what_happens_is_told_as_it_happens() {
    let server = Server::memcached();
    for client in ["std", "tokio"] {
        let watch = |words: &str| {
            let args = format!("watch --server {} --client {client} --timeout 100ms {words}", server.address);
            command(args.split_ascii_whitespace()).spawn().unwrap()
        };
        let mut child = watch("fetchers mutations --prefix wa --limit 3");
        let out = BufReader::new(child.stdout.take().unwrap());
        // Silence for longer than the timeout is no failure, and the watch has begun by then.
        std::thread::sleep(core::time::Duration::from_millis(400));
        memring(&format!("set --server {} other v", server.address)).text();
        memring(&format!("set --server {} wa%tched v", server.address)).text();
        memring(&format!("get --server {} wa%tched", server.address)).text();
        let mut told: Vec<_> = out.lines().map(Result::unwrap).collect();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        // The set looks the key up first. Lines of different threads of the server may come in another order.
        told.sort();
        let kinds: Vec<_> = told
            .iter()
            .map(|line| {
                let [name, time, rest] = line.splitn(3, "  ").collect::<Vec<_>>()[..] else {
                    panic!("{line}")
                };
                assert_eq!(name, server.address);
                assert!(time.parse::<f64>().unwrap() > 1.6e9 && time.rsplit('.').next().unwrap().len() == 6);
                rest.split(' ').next().unwrap()
            })
            .collect();
        assert_eq!(kinds, ["item_get", "item_store", "item_get"], "{told:?}");
        assert!(
            told[1].contains(" key=wa%tched status=stored cmd=set ") && told[1].ends_with(" size=1"),
            "{told:?}"
        );
        memring(&format!("delete --server {} wa%tched", server.address)).text();
    }
    memring(&format!("watch --server {} nothing", server.address)).fails(2, "nothing");
    memring(&format!("watch --server {} deletions", server.address)).fails(3, "server answered ERROR");
}

#[test]
fn memory_is_told_by_class() {
    let (servers, options) = fleet();
    memring(&format!("set {options} k v")).text();
    let big = "x".repeat(5000);
    memring_with(format!("set {options} l {big}").split_ascii_whitespace()).text();
    let classes = memring(&format!("slabs {options} --json")).json();
    let classes = classes.as_array().unwrap();
    assert_eq!(classes.iter().filter(|class| class["items"] == 1).count(), 2, "{classes:?}");
    let of_big = classes.iter().find(|class| class["chunk_size"].as_u64() > Some(5000)).unwrap();
    assert!(of_big["used_chunks"] == 1 && of_big["pages"] == 1 && of_big["requested"].as_u64() > Some(5000));
    let table = memring(&format!("slabs {options}")).text();
    let mut rows = table.lines();
    assert_eq!(
        rows.next().unwrap().split_ascii_whitespace().collect::<Vec<_>>(),
        ["server", "class", "chunk", "pages", "chunks", "used", "waste", "items", "age", "evicted"]
    );
    assert_eq!(rows.count(), classes.len());
    assert!(servers.iter().any(|server| table.contains(&server.address)));
    memring("slabs --server 127.0.0.1:1").fails_with_output(3, "stats on 127.0.0.1:1: not connected");
}

#[test]
fn what_an_editor_puts_before_a_file_of_keys_is_no_part_of_a_key() {
    let keys = file("\u{feff}foo\r\nbar\n");
    assert_eq!(
        memring(&format!("where --scheme libketama --server a:1 --keys {keys}")).text(),
        "foo  a:1\nbar  a:1\n"
    );
    let there = Server::embedded();
    memring(&format!("get --server {} --keys {keys}", there.address)).fails(1, "not found: foo on ");
    // Written out, it is one.
    let keys = file("\\xef\\xbb\\xbffoo\n\u{feff}bar\n");
    let placed = memring(&format!("where --scheme libketama --server a:1 --keys {keys} --format tsv")).text();
    assert_eq!(placed, "\\xef\\xbb\\xbffoo\t0\n\\xef\\xbb\\xbfbar\t0\n");
}
