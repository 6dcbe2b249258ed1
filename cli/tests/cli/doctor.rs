//! `memring doctor`: configurations of other clients, through the command line.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    memring::{Run, command, file, memring, memring_reading, memring_with},
    server::Server,
};

/// The folders of `tests/configs`, each a configuration with the placement that its client made of it.
fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs");
    let mut samples: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    samples.sort();
    assert_eq!(samples.len(), 45);
    samples
}

fn rows(sample: &Path, file: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(sample.join(file)).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// The arguments for a sample: its file, and the servers that it cannot have.
fn arguments(sample: &Path, expected: &[Vec<String>]) -> Vec<String> {
    let mut arguments = vec!["doctor".to_owned(), sample.join("config").to_str().unwrap().to_owned()];
    if sample.ends_with("php-ini--class-default-consistent") {
        for row in expected.iter().filter(|row| row[0] == "server") {
            arguments.extend(["--server".to_owned(), format!("{} {}", row[1], row[2])]);
        }
    }
    arguments
}

#[test]
fn every_configuration_is_told_and_its_keys_are_where_its_client_put_them() {
    for sample in samples() {
        let expected = rows(&sample, "expect.tsv");
        let arguments = arguments(&sample, &expected);
        let with =
            |more: &[&str]| memring_with(arguments.iter().map(String::as_str).chain(more.iter().copied()));
        let told = with(&["--json"]).json();
        let kind = sample.file_name().unwrap().to_str().unwrap().split("--").next().unwrap();
        assert_eq!(told["kind"], kind);
        let text = |row: &str| expected.iter().find(|other| other[0] == row).map_or("", |row| &*row[1]);
        assert_eq!(
            (&told["prefix"], &told["suffix"]),
            (&json!(text("prepend")), &json!(text("append"))),
            "{kind}"
        );
        let servers: Vec<_> = expected.iter().filter(|row| row[0] == "server").collect();
        let named: Vec<_> =
            servers.iter().map(|row| (json!(row[1]), row[2].parse::<u32>().unwrap())).collect();
        let said = told["servers"].as_array().unwrap().iter();
        let said: Vec<_> =
            said.map(|server| (server["name"].clone(), server["weight"].as_u64().unwrap() as u32)).collect();
        assert_eq!(said, named, "{kind}");

        let truth = rows(&sample, "truth.tsv");
        let keys: String = truth.iter().map(|row| format!("{}\n", row[0])).collect();
        let keys = file(&keys);
        let mut run = with(&["--keys", &keys, "--format", "tsv"]);
        if kind == "laravel" {
            // The keys have Laravel's prefix already, which cannot be seen.
            let says = core::mem::take(&mut run.stderr);
            assert!(says.starts_with("memring: mind prefix-hashed: ") && says.lines().count() == 1, "{says}");
        }
        let placed = run.text();
        assert_eq!(placed.lines().count(), truth.len());
        for (line, row) in placed.lines().zip(&truth) {
            let (key, index) = line.split_once('\t').unwrap();
            assert_eq!(
                (key, &servers[index.parse::<usize>().unwrap()][3]),
                (&*row[0], &row[1]),
                "{}",
                sample.display()
            );
        }

        // So does the configuration file that is told.
        match told["config"].as_str() {
            Some(config) => {
                let config = file(config);
                let by_config = memring(&format!("where --config {config} --keys {keys} --format tsv"));
                assert_eq!(by_config.text_of_odd_servers(), placed, "{}", sample.display());
            }
            None => assert_ne!(told["suffix"], "", "{}", sample.display()),
        }

        // The command that is told says the same; a file of keys has no prefix, so a few are given one by one.
        let words: Vec<_> =
            told["where"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let (last, words) = words[1..].split_last().unwrap();
        let few: Vec<_> = placed.lines().filter(|line| !line.contains('\\')).take(20).collect();
        let keys = few.iter().map(|line| last.replace("KEY", line.split('\t').next().unwrap()));
        let words =
            words.iter().map(|word| (*word).to_owned()).chain(["--format".into(), "tsv".into()]).chain(keys);
        let run = memring_with(words).text_of_odd_servers();
        let index = |line: &str| line.split('\t').nth(1).unwrap().to_owned();
        assert_eq!(
            run.lines().map(index).collect::<Vec<_>>(),
            few.iter().map(|line| index(line)).collect::<Vec<_>>()
        );
    }
}

#[test]
fn the_line_for_a_shell_runs_in_one() {
    for sample in [
        "twemproxy--hash-tag-modula",
        "php-array--ketama-compatible-crc",
        "libmc--alias",
        "twemproxy--mixed-names",
    ] {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs").join(sample).join("config");
        let told = memring_with(["doctor", config.to_str().unwrap()]).text();
        let line = told.lines().find_map(|line| line.strip_prefix("  memring where ")).unwrap();
        let line = format!("{} where {line}", env!("CARGO_BIN_EXE_memring"));
        let run = Run::of(Command::new("sh").args(["-c", &line]).output().unwrap()).text();
        assert!(run.contains("KEY  "), "{run}");
    }
}

#[test]
fn names_that_no_command_can_have_are_in_no_line_for_a_shell() {
    let blank = "Dalli::Client.new('a b:1', namespace: 'x y')";
    let told = memring_with(["doctor", blank]).text();
    assert!(told.contains("no-such-host: \"a b:1\"") && !told.contains("memring where --scheme"), "{told}");
    let json = memring_with(["doctor", blank, "--json"]).json();
    assert_eq!((&json["where"], &json["config"]), (&Value::Null, &Value::Null));
    memring_with(["init", "-", "--from", blank]).fails(2, "no memring.toml says the same");
    // A name of its own may have anything in it: the file says it, and a command does where it can.
    let pools = |name: &str| file(&format!("p:\n  listen: a:1\n  servers:\n  - 10.0.0.1:1:3 {name}\n"));
    let odd = memring_with(["doctor", &pools("a,b"), "--json"]).json();
    assert_eq!(odd["where"], Value::Null);
    let config = file(odd["config"].as_str().unwrap());
    assert_eq!(memring(&format!("where --config {config} k")).text(), "k  a,b\n");
    let odd = memring_with(["doctor", &pools("a=b"), "--json"]).json();
    let words: Vec<_> = odd["where"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert!(memring_with(words[1..].iter().copied()).text().ends_with("a=b\n"), "{words:?}");
}

#[test]
fn a_source_is_a_file_a_text_or_standard_input() {
    let text = "--SERVER=10.0.0.1 --SERVER=10.0.0.2:11212 --HASH=CRC --DISTRIBUTION=consistent";
    let told = memring_with(["doctor", text, "--json"]).json();
    assert_eq!(told["scheme"], "libmemcached-consistent");
    assert_eq!(told["options"], json!({ "hash": "crc", "configured": "servers-then-behavior" }));
    assert_eq!(
        told["servers"][1],
        json!({ "name": "10.0.0.2:11212", "weight": 1, "address": "10.0.0.2:11212" })
    );
    assert!(told["pool"].is_null());
    assert_eq!(memring_with(["doctor", "--json", &file(text)]).json(), told);
    assert_eq!(memring_reading("doctor - --json", text.as_bytes()).json(), told);
    assert_eq!(memring_with(["doctor", "memcached://10.0.0.1", "--json"]).json()["kind"], "symfony");
    memring("doctor /no/such/file").fails(3, "/no/such/file");
    memring("doctor nosuchfile").fails(3, "nosuchfile");
    memring_reading("doctor -", b"hello").fails(2, "no client is known");
    memring("doctor - --keys -").fails(2, "only one of SOURCE, --against and --keys");
    memring("doctor").fails(2, "SOURCE");
    memring("doctor --kind zzz x=1").fails(2, "unknown kind \"zzz\"; there are libmemcached, ");
    memring("doctor --kind twemprox x=1").fails(2, "unknown kind \"twemprox\"; near to it is twemproxy");
    let list = memring("doctor --list").text();
    assert!(list.contains("twemproxy") && list.contains("django"), "{list}");
}

#[test]
fn errors_say_the_line_and_keep_passwords() {
    let bad = file("p:\n  listen: a:1\n  servers:\n  - user:secret@a:1\n  - 10.0.0.1:11211\n");
    memring(&format!("doctor {bad}")).fails(2, &format!("{bad} line 4: bad"));
    for text in [
        "memcached://user:secret@a:x",
        "MEMCACHIER_SERVERS=user:secret@a:x",
        "MEMCACHED_SERVERS=user:secret@a:x",
    ] {
        let run = memring_with(["doctor", text]);
        assert!(!run.stderr.contains("secret"), "{run:?}");
        run.fails(2, "line 1");
    }
}

const POOLS: &str = "one:\n  listen: a:1\n  servers:\n  - 10.0.0.1:11211:1\ntwo:\n  listen: a:2\n  distribution: random\n  servers:\n  - 10.0.0.2:11211:1\n";

#[test]
fn several_pools_are_told_and_one_is_chosen() {
    let pools = file(POOLS);
    let told = memring(&format!("doctor {pools}")).text();
    assert!(told.contains("twemproxy one\n") && told.contains("\ntwemproxy two\n"), "{told}");
    memring(&format!("doctor {pools} --json")).fails(2, "several pools; name one with --pool: one, two");
    let two = memring(&format!("doctor {pools} --json --pool two")).json();
    assert_eq!((&two["pool"], &two["scheme"]), (&json!("two"), &Value::Null));
    let keys = file("a\n");
    memring(&format!("doctor {pools} --pool two --keys {keys}"))
        .fails(2, "random sends each request to any server");
    memring(&format!("doctor {pools} --pool three")).fails(2, "no pool \"three\"; there is one, two");
    let default = file(&POOLS.replace("one:", "default:"));
    assert_eq!(memring(&format!("doctor {default} --json")).json()["pool"], "default");
}

#[test]
fn traps_of_all_kinds_have_names() {
    let traps = |text: &str| {
        let told = memring_with(["doctor", text, "--json"]).json();
        let traps = told["warnings"].as_array().unwrap().iter();
        traps.map(|warning| warning["trap"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    for (text, expected) in [
        ("--SERVER=10.0.0.1", ""),
        ("--SERVER=10.0.0.1 --SERVER=10.0.0.1", "duplicate-servers"),
        ("--SERVER=localhost --SERVER=127.0.0.1", "one-server-two-names"),
        ("--SERVER=10.0.0.1 --SERVER=cache1/?2", "weights-ignored names-are-resolved"),
        (
            "--SERVER=10.0.0.1 --SERVER=10.0.0.2 --SERVER=10.0.0.3 --DISTRIBUTION=consistent --HASH=CRC",
            "hash-after-the-ring crc-on-a-ring",
        ),
        ("--SERVER=10.0.0.1 --SERVER=10.0.0.2 --NAMESPACE=abc", "prefix-not-hashed"),
        ("--SERVER=10.0.0.1 --SERVER=10.0.0.2 --NAMESPACE=abc --HASH-WITH-NAMESPACE", "prefix-hashed"),
        ("Dalli::Client.new(['10.0.0.1:11211', '10.0.0.2:11211'])", "default-port-in-name"),
        ("HashClient([('10.0.0.1', 11211), ('10.0.0.2', 11211)])", "default-port-in-name"),
    ] {
        assert_eq!(traps(text), expected, "{text}");
    }
}

#[test]
fn servers_are_given_where_the_text_has_none() {
    let class = "memcached.default_consistent_hash = On";
    let told = memring_with(["doctor", class]).text();
    assert!(told.contains("servers-elsewhere") && !told.contains("memring where --scheme"), "{told}");
    let given = memring_with(["doctor", class, "--json", "--server", "10.0.0.1:11212 3"]).json();
    assert_eq!(
        given["servers"],
        json!([{ "name": "10.0.0.1:11212", "weight": 3, "address": "10.0.0.1:11212" }])
    );
    let keys = file("a\n");
    memring_with(["doctor", class, "--keys", &keys]).fails(2, "give them with --server");
    memring_with(["doctor", "--SERVER=abc", "--server", "a:1"]).fails(2, "servers of its own");
}

#[test]
fn two_configurations_are_compared_and_the_reasons_told() {
    let (one, other) =
        ("--SERVER=10.0.0.1 --SERVER=10.0.0.2", "--SERVER=10.0.0.2 --SERVER=10.0.0.1 --HASH=MD5");
    let run = memring_with(["doctor", one, "--against", other, "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, "memring: they disagree\n"));
    let told: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(told["keys"], 1_000_000);
    assert!((told["share"].as_f64().unwrap() - 0.5).abs() < 0.01, "{told}");
    assert_eq!(
        told["reasons"],
        json!([
            "option hash: its default here, \"md5\" there",
            "order: the same servers stand in another order",
        ])
    );
    let keys = file("a\nb\nc\nd\n");
    let text = memring_with(["doctor", one, "--against", one, "--keys", &keys]).text();
    assert_eq!(text, "agree on all of 4 keys\n");
    // Ketama of libmemcached, and twemproxy told to hash as it does.
    let proxy = file(&format!(
        "p:\n  listen: a:1\n  hash: md5\n  servers:\n{}",
        "  - 10.0.0.1:11211:1\n  - 10.0.0.2:11211:1\n"
    ));
    let php = "session.save_handler=memcached\nsession.save_path=\"10.0.0.1:11211,10.0.0.2\"\nmemcached.sess_consistent_hash_type=ketama_weighted";
    let run = memring_with(["doctor", php, "--against", &proxy]).text();
    assert!(
        run.starts_with("agree on all of 1000000 keys, though they are not the same:\n  scheme: "),
        "{run}"
    );
}

#[test]
fn a_ping_says_which_servers_are_there() {
    let there = Server::memcached();
    let text = format!("--SERVER={} --SERVER=127.0.0.1:1", there.address);
    let run = Run::of(command(["doctor", &text, "--ping"]).output().unwrap());
    assert_eq!(run.code, 3, "{run:?}");
    let told = String::from_utf8(run.stdout).unwrap();
    assert!(told.contains("does not answer") && run.stderr.contains("127.0.0.1:1"), "{told}");
    let told = memring_with(["doctor", &text, "--ping", "--json"]).json();
    assert!(told["servers"][0]["version"].is_string() && told["servers"][1]["error"].is_string(), "{told}");
}

#[test]
fn keys_are_answered_as_json_and_with_the_traps() {
    let text = "o = ['a:1']\no << 'b:2'\nDalli::Client.new(['a:1'])";
    let run = memring_with(["doctor", text, "--json", "--keys", &file("foo\n")]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("mind changed-later: line 2"), "{}", run.stderr);
    let computed = "Dalli::Client.new(['a:1', 'b:1'], namespace: \"x#{y}\")";
    let told = memring_with(["doctor", computed, "--keys", &file("foo\n")]).stderr;
    assert!(told.contains("mind unknown-namespace: "), "{told}");
    let found: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(found[0]["key"], "foo");
}

#[test]
fn a_kind_is_offered_by_its_language_and_by_the_file_that_people_have() {
    for (name, offered) in [
        ("nutcracker", "twemproxy"),
        ("docker-compose", "env"),
        ("Kubernetes", "env"),
        ("java", "xmemcached, spymemcached"),
        ("golang", "gomemcache"),
        ("lua", "memcached-proxy"),
    ] {
        memring(&format!("doctor --kind {name} x=1"))
            .fails(2, &format!("{name:?}; near to it is {offered}\n"));
    }
}

#[test]
fn a_prefix_that_is_not_put_before_keys_is_told_of_with_them() {
    let text = |prefix: &str| {
        file(&format!(
            "<?php return ['stores' => ['m' => ['driver' => 'memcached', 'servers' => [['host' => 'a', 'port' => 1, \
             'weight' => 1]]]], 'prefix' => {prefix}];"
        ))
    };
    let keys = file("k\n");
    let run = memring(&format!("doctor {} --keys {keys}", text("'x'")));
    assert!(run.stderr.contains("mind prefix-hashed: \"x\" stands before each key"), "{run:?}");
    let run = memring(&format!("doctor {} --keys {keys}", text("''")));
    assert_eq!((run.code, &*run.stderr), (0, ""), "{run:?}");
}
