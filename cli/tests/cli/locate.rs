//! `memring where`: scripts depend on every line of this.

use core::fmt::Display;
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
};

use serde_json::{Value, json};

use crate::memring::{command, file, memring, memring_reading, memring_with, vector};

const SERVERS: &str = "# the fleet\n\n10.0.1.1:11211 600\n10.0.1.2:11211\t300\n10.0.1.3:11211 200\n";

/// The keys and servers of a vector file, apart.
fn parts(name: &str) -> (String, String, String) {
    let text = fs::read_to_string(vector(name)).unwrap();
    let servers = text.lines().filter_map(|line| line.strip_prefix("# server: "));
    let rows = || text.lines().filter(|line| !line.starts_with("# "));
    let keys = rows().filter_map(|row| row.split('\t').next());
    (join(servers), join(keys), join(rows()))
}

fn join(lines: impl Iterator<Item = impl Display>) -> String {
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn tsv_is_what_the_peer_did() {
    for (scheme, name, options) in [
        ("libketama", "libketama--w123.tsv", ""),
        ("libmemcached-ketama-weighted", "libmemcached-ketama-weighted--w123-md5.tsv", "--option hash=md5"),
        ("libmemcached-modula", "libmemcached-modula--equal8-crc.tsv", "--option hash=crc"),
        ("python-memcached", "python-memcached--weighted.tsv", ""),
    ] {
        let (servers, keys, rows) = parts(name);
        let (servers, keys) = (file(&servers), file(&keys));
        let order = if rows.contains(',') { "--order" } else { "" };
        let run = memring(&format!(
            "where --scheme {scheme} {options} --servers {servers} --keys {keys} --format tsv {order}"
        ));
        assert_eq!(run.text(), rows, "{name}");
    }
}

#[test]
fn an_eject_order_is_followed_whole() {
    let (servers, keys, rows) = parts("libmemcached-ketama-weighted--eject-equal4-md5.tsv");
    let (servers, keys) = (file(&servers), file(&keys));
    let run = memring(&format!(
        "where --scheme libmemcached-ketama-weighted --option auto_eject_hosts=1 --servers {servers} --keys {keys} \
         --format tsv --order"
    ));
    assert_eq!(run.text(), rows);
}

#[test]
fn text_names_the_server() {
    let (servers, keys, rows) = parts("libketama--equal3.tsv");
    let names: Vec<_> = servers.lines().filter_map(|line| line.split(' ').next()).collect();
    let expected = join(rows.lines().map(|row| {
        let (key, server) = row.split_once('\t').unwrap();
        format!("{key}  {}", names[server.parse::<usize>().unwrap()])
    }));
    let (servers, keys) = (file(&servers), file(&keys));
    let run = memring(&format!("where --scheme libketama --servers {servers} --keys {keys}"));
    assert_eq!(run.text(), expected);
}

#[test]
fn json_has_index_and_name() {
    let servers = file(SERVERS);
    let run = memring(&format!("where --scheme libketama --servers {servers} --format json kyoto"));
    let server = json!({ "index": 2, "name": "10.0.1.3:11211" });
    assert_eq!(run.json(), json!([{ "key": "kyoto", "servers": [server] }]));
}

#[test]
fn a_key_argument_is_taken_raw_and_printed_escaped() {
    let args = ["where", "--scheme", "libketama", "--server", "a:1 2", "--server", "b:1", "--format", "tsv"];
    let run = memring_with(args.into_iter().chain([r"a b", r"\x20", "é"]));
    let text = run.text();
    let keys: Vec<_> = text.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(keys, [r"a\x20b", r"\x5cx20", r"\xc3\xa9"]);
}

#[test]
fn a_keys_file_is_escaped_and_has_no_comments() {
    let (servers, keys) = (file("a:1\nb:1\n"), file("# one\n\na\\x20b\n"));
    let by_file =
        memring(&format!("where --scheme libketama --servers {servers} --keys {keys} --format tsv")).text();
    let by_argument = memring_with([
        "where",
        "--scheme",
        "libketama",
        "--servers",
        &servers,
        "--format",
        "tsv",
        "# one",
        "a b",
    ]);
    assert_eq!(by_file, by_argument.text());
    assert!(by_file.starts_with("#\\x20one\t"), "{by_file}");
}

#[test]
fn either_list_may_be_standard_input() {
    let (servers, keys) = (file("a:1\nb:1\n"), file("tokyo\n"));
    let expected = memring(&format!("where --scheme libketama --servers {servers} tokyo")).text();
    let run = memring_reading("where --scheme libketama --servers - tokyo", b"a:1\nb:1\n");
    assert_eq!(run.text(), expected);
    let run = memring_reading(&format!("where --scheme libketama --servers {servers} --keys -"), b"tokyo\n");
    assert_eq!(run.text(), expected);
    memring("where --scheme libketama --servers - --keys -")
        .fails(2, "only one of --servers, --config and --keys");
    let run = memring_reading(&format!("where --scheme libketama --servers - --keys {keys}"), b"");
    run.fails(2, "standard input: no servers");
}

#[test]
fn an_unknown_scheme_is_told_the_near_ones() {
    let run = memring("where --scheme ketana --server a:1 tokyo");
    assert!(run.stderr.contains("unknown scheme \"ketana\""), "{run:?}");
    run.fails(2, "near to it are python-ketama, pylibmc-ketama, ");
}

#[test]
fn an_unknown_option_is_told_the_known_ones() {
    let run = memring("where --scheme libmemcached-modula --option hush=md5 --server a:1 tokyo");
    assert!(run.stderr.contains("option hush=md5: unknown option"), "{run:?}");
    run.fails(2, "hash");
    memring("where --scheme libmemcached-modula --option hash=md6 --server a:1 tokyo")
        .fails(2, "libmemcached-modula: option hash=md6: bad value: expected a hash");
}

#[test]
fn options_that_only_inform_are_checked() {
    let right = "where --scheme libketama --option points-in-ring=320 --server a:1 --server b:1 k";
    assert_eq!(memring(right).code, 0);
    let wrong = right.replace("320", "321");
    memring(&wrong).fails(2, "the ring has 320 points, not 321");
}

#[test]
fn errors_name_the_line_and_nothing_is_printed() {
    let good = file("a:1\nb:1\n");
    let rows = [
        ("a:1\n# x\nb:1 -1\n", "line 3: bad weight"),
        ("a:1 1 1\n", "line 1: more than an address and a weight"),
        ("\n# nobody\n#a:1\n", "no servers"),
    ];
    for (text, part) in rows {
        let bad = file(text);
        memring(&format!("where --scheme libketama --servers {bad} tokyo")).fails(2, &bad);
        memring(&format!("where --scheme libketama --servers {bad} tokyo")).fails(2, part);
    }
    let zero = file("a:1\n\nb:1 0\n");
    memring(&format!("where --scheme libketama --servers {zero} tokyo"))
        .fails(2, "line 3: bad weight; libketama takes ");
    memring(&format!("where --scheme libketama --servers {good}")).fails(2, "no keys");
    memring("where --scheme libketama tokyo").fails(2, "no servers");
    memring(&format!("where --servers {good} tokyo")).fails(2, "no scheme");
    let option = format!("where --scheme libketama --servers {good} --option hash tokyo");
    memring(&option).fails(2, "not NAME=VALUE");
    memring("where --scheme libketama --servers /no/such/file tokyo").fails(3, "/no/such/file");
    memring(&format!("where --scheme libketama --servers {good} --server c:1 tokyo"))
        .fails(2, "cannot be used with");
}

#[test]
fn keys_before_a_bad_line_are_answered_and_the_line_is_named() {
    let args = |rest: &str| format!("where --scheme libketama --server a:1,b:1 {rest}");
    let fine = memring_with(args("--format tsv fine").split(' ').chain(["also fine"])).text();
    let keys = file("fine\nalso\\x20fine\nnot\\fine\nfine\n");
    let run = |format: &str| {
        let run = memring(&args(&format!("--format {format} --keys {keys}")));
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("line 3: bad escape at byte 3"), "{run:?}");
        String::from_utf8(run.stdout).unwrap()
    };
    assert_eq!(run("tsv"), fine);
    // Nothing takes an array without its end for a whole one.
    let json = run("json");
    let whole: Value = serde_json::from_str(&format!("{json}]")).unwrap();
    assert_eq!((whole.as_array().unwrap().len(), &whole[1]["key"]), (2, &json!("also\\x20fine")));
    memring(&args(&format!("--counts --keys {keys}"))).fails(2, "line 3: bad escape at byte 3");
}

#[test]
fn many_keys_are_answered_in_their_order() {
    let keys: String = (0..60_000).map(|number| format!("user:{number}\n")).collect();
    let args = "where --scheme libmemcached-ketama-weighted --server a:1,b:1,c:1,d:1";
    let run = |rest: &str| memring_reading(&format!("{args} {rest} --keys -"), keys.as_bytes());
    let tsv = run("--format tsv").text();
    let answered: String =
        tsv.lines().map(|line| format!("{}\n", line.split_once('\t').unwrap().0)).collect();
    assert!(answered == keys);
    // What comes of each key does not depend on those around it.
    for number in [0, 63, 64, 16_383, 59_999] {
        let alone = memring(&format!("{args} --format tsv user:{number}")).text();
        assert_eq!(tsv.lines().nth(number), Some(alone.trim_end()));
    }
    let of = |index: &str| tsv.lines().filter(|line| line.split_once('\t').unwrap().1 == index).count();
    let counts = ["0", "1", "2", "3"].map(|index| format!("{index}\t{}\n", of(index))).concat();
    assert_eq!(run("--counts --format tsv").text(), counts);
    let json = run("--counts --format json").json();
    assert_eq!(json["keys"], 60_000);
    assert_eq!(
        json["servers"][3],
        json!({ "index": 3, "name": "d:1", "keys": of("3"), "share": of("3") as f64 / 6e4 })
    );
    assert!(run("--format json").json().as_array().unwrap().len() == 60_000);
}

#[test]
fn counts_are_a_table_of_servers() {
    let args = "where --scheme libmemcached-modula --server a:1,b:1 --counts";
    assert_eq!(
        memring_reading(&format!("{args} --keys -"), b"").text(),
        "server  keys   share\na:1        0  0.00 %\nb:1        0  0.00 %\nall        0  0.00 %\n"
    );
    let text = memring(&format!("{args} tokyo kyoto osaka nara")).text();
    assert!(text.ends_with("all        4  100.00 %\n"), "{text}");
    memring(&format!("{args} --order tokyo")).fails(2, "cannot be used with");
}

#[test]
fn keys_that_come_slowly_are_answered_as_they_come() {
    let args = "where --scheme libketama --server a:1,b:1 --format tsv --keys -";
    let mut child = command(args.split(' ')).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for key in ["tokyo", "kyoto", "osaka"] {
        input.write_all(format!("{key}\n").as_bytes()).unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        assert!(line.starts_with(&format!("{key}\t")), "{line}");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_list_has_a_line_for_each_scheme() {
    let list = memring("where --list").text();
    assert!(list.lines().count() > 10);
    for line in list.lines() {
        let (scheme, used_by) = line.split_once("  ").unwrap();
        assert!(!used_by.trim().is_empty(), "{line}");
        let run = memring(&format!("where --scheme {scheme} --server a:1 tokyo"));
        // Some need an option that maps buckets; all are known.
        assert!(!run.stderr.contains("unknown scheme"), "{run:?}");
    }
}

#[test]
fn the_list_says_what_an_alias_stands_for() {
    let list = memring("where --list").text();
    let line = list.lines().find(|line| line.starts_with("libmc ")).unwrap();
    assert!(line.contains("= libmemcached-ketama hash=md5: Douban's libmc"), "{line}");
    let servers = "--server 10.0.1.1:11211,10.0.1.2:11211,10.0.1.3:11211 tokyo kyoto osaka nara";
    assert_eq!(
        memring(&format!("where --scheme libmc {servers}")).text(),
        memring(&format!("where --scheme libmemcached-ketama --option hash=md5 {servers}")).text(),
    );
}

#[test]
fn about_a_scheme_there_is_its_trap_and_its_proof() {
    let proxy = memring("schemes memcached-proxy").text();
    for part in [
        "dist (jump_hash or ring_hash, unless said jump_hash): ring_hash is mcp.dist_ring_hash\n",
        "without hash=ring_hash keys are hashed with XXH3",
        "memcached at 2d51e3647",
    ] {
        assert!(proxy.contains(part), "{proxy}");
    }
    let alias = memring("schemes pior-memcache").text();
    assert!(alias.contains("stands for      memcached-proxy\n"), "{alias}");
    assert!(memring("schemes folsom").text().contains("proved with     read, not run\n"));
    memring("schemes libketamma").fails(2, "unknown scheme \"libketamma\"; near to it are libketama");
}

#[test]
fn the_example_of_each_scheme_runs() {
    for line in memring("schemes").text().lines() {
        let name = line.split_ascii_whitespace().next().unwrap();
        let about = memring(&format!("schemes {name}")).text();
        let example = about.lines().find_map(|line| line.trim_start().strip_prefix("example")).unwrap();
        let command = example.trim_start().strip_prefix("memring ").unwrap();
        assert!(memring(command).text().starts_with("KEY  10.0.1."), "{example}");
    }
}

#[test]
fn tables_have_names_on_request() {
    let line = "where --scheme libketama --names-as-written --server a --server b\u{e9},c k l";
    let names = memring(&format!("{line} --format tsv-names --order")).text();
    let indexes = memring(&format!("{line} --format tsv --order")).text();
    let named =
        indexes.replace('\t', "\t,").replace(",0", "\ta").replace(",1", "\tb\\xc3\\xa9").replace(",2", "\tc");
    assert_eq!(names, named.replace("\t\t", "\t"));
    let counts = memring(&format!("{line} --format tsv-names --counts")).text();
    let lines: Vec<_> = counts.lines().map(|line| line.split_once('\t').unwrap()).collect();
    assert_eq!(lines.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["a", "b\\xc3\\xa9", "c"]);
    assert_eq!(lines.iter().map(|(_, keys)| keys.parse::<u32>().unwrap()).sum::<u32>(), 2);
}

#[test]
fn a_file_that_is_not_there_is_told_with_what_named_it() {
    for (command, says) in [
        ("where --scheme libketama --servers nofile k", "--servers nofile: no such file"),
        ("where --scheme libketama --server a:1 --keys nofile", "--keys nofile: no such file"),
        ("where --config nofile k", "--config: nofile: no such file"),
        ("doctor nofile", "SOURCE nofile: no such file"),
        ("doctor a:1 --against nofile", "SOURCE nofile: no such file"),
        ("plan --scheme libketama --old nofile --new b", "--old nofile: no such file"),
        ("verify nofile", "FILE nofile: no such file"),
        ("init nofolder/x.toml", "nofolder/x.toml: there is no folder nofolder"),
        ("get --server a:1 --auth-file nofile k", "--auth-file nofile: no such file"),
    ] {
        let run = memring(command);
        assert!(!run.stderr.contains("os error"), "{run:?}");
        run.fails(3, says);
    }
}

#[test]
fn json_is_short_for_its_format() {
    let line = "where --scheme libketama --server a:1,b:1";
    for rest in ["k l", "k --order", "k --counts"] {
        let long = memring(&format!("{line} {rest} --format json")).text();
        assert_eq!(memring(&format!("{line} {rest} --json")).text(), long);
    }
    memring(&format!("{line} k --json --format tsv")).fails(2, "cannot be used with");
}
