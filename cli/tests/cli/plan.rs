//! `memring plan`.

use std::fs;

use serde_json::Value;

use crate::memring::{Run, file, memring, memring_reading, memring_with, scratch, servers};

fn plan(old: &str, new: &str, rest: &str) -> Run {
    memring(&format!("plan --old {old} --new {new} {rest}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// The sum of each row and of each column.
fn sums(plan: &Value) -> (Vec<f64>, Vec<f64>) {
    let rows: Vec<Vec<f64>> = serde_json::from_value(plan["matrix"].clone()).unwrap();
    let columns = (0..rows[0].len()).map(|column| rows.iter().map(|row| row[column]).sum()).collect();
    (rows.iter().map(|row| row.iter().sum()).collect(), columns)
}

fn shares(side: &Value) -> Vec<f64> {
    side["servers"].as_array().unwrap().iter().map(|server| number(&server["share"])).collect()
}

fn are_near(left: &[f64], right: &[f64]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| (left - right).abs() < 1e-9)
}

#[test]
fn modulo_loses_all_but_one_in_thirteen() {
    let plan = plan(&servers(8), &servers(13), "--scheme libmemcached-modula --json").json();
    assert!((number(&plan["kept"]) - 1.0 / 13.0).abs() < 1e-6, "{plan}");
    assert!((number(&plan["ideal"]) - 8.0 / 13.0).abs() < 1e-9, "{plan}");
    assert_eq!(plan["precision"]["kind"], "exact");
}

#[test]
fn ketama_keeps_about_the_ideal() {
    let plan = plan(&servers(8), &servers(13), "--scheme libmemcached-ketama-weighted --json").json();
    assert!((number(&plan["kept"]) - 8.0 / 13.0).abs() < 0.05, "{plan}");
    assert!((number(&plan["kept"]) + number(&plan["moved"]) - 1.0).abs() < 1e-9, "{plan}");
    let (rows, columns) = sums(&plan);
    assert!(are_near(&rows, &shares(&plan["old"])) && are_near(&columns, &shares(&plan["new"])), "{plan}");
}

#[test]
fn weights_count_towards_the_ideal() {
    let (old, new) = (file("a:1 600\nb:1 300\n"), file("a:1 600\nb:1 300\nc:1 100\n"));
    let plan = plan(&old, &new, "--scheme libketama --json").json();
    assert!((number(&plan["ideal"]) - 0.9).abs() < 1e-9, "{plan}");
}

#[test]
fn another_client_is_sampled_and_says_so() {
    let old = servers(8);
    let run = memring(&format!(
        "plan --old {old} --scheme libmemcached-modula --new-scheme libmemcached-ketama-weighted --json"
    ));
    let plan = run.json();
    assert!((number(&plan["kept"]) - 0.125).abs() < 0.02, "{plan}");
    assert_eq!((&plan["precision"]["kind"], &plan["ideal"]), (&"sampled".into(), &1.0.into()));
    let text =
        memring(&format!("plan --old {old} --scheme libketama --new-scheme libmemcached-modula")).text();
    assert!(text.contains("sampled with"), "{text}");
}

#[test]
fn new_options_come_on_top_of_the_old_ones() {
    let old = servers(3);
    let args =
        format!("plan --old {old} --scheme libmemcached-modula --option hash=crc --new-option hash=md5");
    let text = memring(&args).text();
    assert!(text.contains("libmemcached-modula hash=crc → libmemcached-modula hash=crc hash=md5"), "{text}");
    let same = args.replace("hash=md5", "hash=crc");
    assert_eq!(memring(&format!("{same} --json")).json()["moved"], 0.0);
}

#[test]
fn the_table_names_every_server_and_both_shares() {
    let (old, new) = (file("a:1\nb:1\n"), file("a:1\nc:1\n"));
    let text = plan(&old, &new, "--scheme libmemcached-modula").text();
    let expected = "\
libmemcached-modula, 2 → 2 servers, 1 of them the same
all shares are exact

keys that stay  50.00 %  the hit rate to expect, of what was hit before
ideal           50.00 %  with shares exactly by weight, and no needless move
keys that move  50.00 %

server  weight   before    after    change
a:1          1  50.00 %  50.00 %   +0.00 %
c:1          1        –  50.00 %  +50.00 %
b:1          1  50.00 %        –  -50.00 %

Percent of all keys that go from each server to each; [n] is number n of the new list, from 0:
from \\ to    [0]    [1]
a:1        50.00      ·
b:1            ·  50.00
";
    assert_eq!(text, expected);
}

#[test]
fn many_servers_get_their_largest_moves_listed() {
    let text = plan(&servers(30), &servers(31), "--scheme libketama").text();
    assert!(text.contains("The largest moves"), "{text}");
    assert!(text.lines().last().unwrap().ends_with("→  10.0.0.31:11211"), "{text}");
}

#[test]
fn the_picture_is_well_formed_names_all_and_is_the_same_every_time() {
    let (old, new) = (file("a<&>\"b:1 3\nc:1\n"), file("c:1\nd:1\n"));
    let draw = || {
        let svg = scratch("svg");
        let args = format!("--scheme libketama --names-as-written --svg {}", svg.display());
        plan(&old, &new, &args).text();
        fs::read_to_string(svg).unwrap()
    };
    let picture = draw();
    assert_eq!(picture, draw());
    assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    assert!(picture.ends_with("</svg>\n"));
    for name in ["a&lt;&amp;&gt;&quot;b:1", "c:1", "d:1", "before", "after"] {
        assert!(picture.contains(name), "{name}");
    }
    for foreign in ["href", "url(", "@import", "<script"] {
        assert!(!picture.contains(foreign), "{foreign}");
    }
}

#[test]
fn a_change_of_the_old_list_needs_no_second_file() {
    let (old, new) = (file("a:1 2\nb:1\nc:1\n"), file("a:1 2\nc:1\nd:1 3\ne:1\n"));
    let scheme = "--scheme libketama --json";
    let expected = plan(&old, &new, scheme).text();
    let options = |option, servers: [&'static str; 3]| servers.map(|server| [option, server]).concat();
    let args = |more: Vec<&'static str>| {
        memring_with(["plan", "--scheme", "libketama", "--json", "--old", &old].into_iter().chain(more))
            .text()
    };
    assert_eq!(args(vec!["--remove", "b:1", "--add", "d:1 3", "--add", "e:1"]), expected);
    assert_eq!(args(vec!["--remove", "b:1", "--add", "d:1 3,e:1"]), expected);
    assert_eq!(
        args([options("--new-server", ["a:1 2", "c:1", "d:1 3"]), vec!["--new-server", "e:1"]].concat()),
        expected
    );
    let given = ["plan", "--scheme", "libketama", "--json", "--new", &new].into_iter();
    assert_eq!(memring_with(given.chain(options("--old-server", ["a:1 2", "b:1", "c:1"]))).text(), expected);

    let fails = |args: &str, part: &str| memring(&format!("plan --scheme libketama {args}")).fails(2, part);
    fails(
        &format!("--old {old} --remove d:1"),
        "--remove number 1: no server d:1 among those that there are",
    );
    fails(&format!("--old {old} --add b:1"), "--add number 1: b:1 is among the servers already");
    fails(&format!("--old {old} --remove a:1,b:1,c:1"), "no server is left after the change");
    fails(&format!("--old {old} --new {new} --add d:1"), "cannot be used with");
    fails(&format!("--old {old} --old-server a:1 --new {new}"), "cannot be used with");
}

#[test]
fn one_s_own_keys_are_counted() {
    let (old, new) = (servers(3), servers(4));
    let keys: Vec<_> = (0..500).map(|number| format!("user:{number}")).collect();
    let list = file(&(keys.join("\n") + "\n"));
    let place = |servers: &str| {
        memring(&format!("where --scheme libketama --format tsv --servers {servers} --keys {list}")).text()
    };
    let (before, after) = (place(&old), place(&new));
    let kept = before.lines().zip(after.lines()).filter(|(before, after)| before == after).count();
    let counted = plan(&old, &new, &format!("--scheme libketama --json --keys {list}")).json();
    assert!((number(&counted["kept"]) - kept as f64 / 500.0).abs() < 1e-9, "{kept} {counted}");
    assert_eq!(counted["precision"], serde_json::json!({ "kind": "counted", "keys": 500 }));
    let text = plan(&old, &new, &format!("--scheme libketama --keys {list}")).text();
    assert!(text.contains(&format!("all shares are those of the 500 keys of {list}\n")), "{text}");

    let spread = memring(&format!("spread --scheme libketama --servers {old} --json --keys {list}")).json();
    let first = before.lines().filter(|line| line.ends_with("\t0")).count();
    assert!((number(&spread["servers"][0]["share"]) - first as f64 / 500.0).abs() < 1e-9, "{first} {spread}");

    plan(&old, &new, &format!("--scheme libketama --keys {}", file(""))).fails(2, "no keys");
    plan(&old, &new, &format!("--scheme libketama --keys {}", file("a\n\\b\n")))
        .fails(2, "line 2: bad escape");
    plan("-", &new, "--scheme libketama --keys -").fails(2, "only one of --old, --new, --config and --keys");
}

#[test]
fn a_thousand_servers_have_a_picture_that_can_be_read() {
    let list = |count: usize| {
        let names = (0..count).map(|number| format!("10.0.{}.{}:11211\n", number / 250, number % 250 + 1));
        file(&names.collect::<String>())
    };
    let old = list(1000);
    let svg = scratch("svg");
    let args = format!("plan --scheme libketama --old {old} --add 10.1.0.1:11211 --svg {}", svg.display());
    memring(&args).text();
    let picture = fs::read_to_string(&svg).unwrap();
    let size = |name: &str| -> f64 {
        let (_, rest) = picture.split_once(&format!(" {name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.parse().unwrap()
    };
    assert!(
        (size("width"), size("height")) < (1300.0, 2200.0) && size("height") < 2200.0,
        "{}",
        size("height")
    );
    assert!(picture.len() < 1 << 20, "{} bytes", picture.len());
    assert!(picture.contains(">10.0.0.1:11211 +20</text>") && picture.contains(">10.1.0.1:11211</text>"));
    memring(&format!("spread --scheme libketama --servers {old} --svg {}", svg.display())).text();
    let picture = fs::read_to_string(&svg).unwrap();
    assert!(picture.len() < 1 << 20 && picture.matches("</text>").count() < 400, "{} bytes", picture.len());
}

#[test]
fn bad_lists_are_named_with_their_line() {
    let (good, bad) = (servers(2), file("a:1\nb:1 heavy\n"));
    plan(&good, &bad, "--scheme libketama").fails(2, &format!("{bad} line 2: bad weight"));
    plan(&bad, &good, "--scheme libketama").fails(2, &format!("{bad} line 2: bad weight"));
    plan(&good, &good, "").fails(2, "no scheme");
    plan(&good, &good, "--scheme no-such").fails(2, "`memring schemes` lists them all");
    plan(&good, &good, "--scheme libketama --new-scheme no-such")
        .fails(2, "`memring schemes` lists them all");
    plan("-", "-", "--scheme libketama").fails(2, "only one of --old and --new");
    plan(&good, "/no/such/file", "--scheme libketama").fails(3, "/no/such/file");
    plan(&good, &good, "--scheme libketama --svg /no/such/dir/file").fails(3, "/no/such/dir/file");
    memring(&format!("plan --old {good} --scheme libketama")).fails(2, "--new");
}

#[test]
fn one_of_the_lists_may_be_standard_input() {
    let run = memring_reading(
        &format!("plan --old - --new {} --scheme libmemcached-modula --json", servers(2)),
        b"10.0.0.1:11211\n",
    );
    assert_eq!(run.json()["kept"], 0.5);
}

#[test]
fn a_picture_that_cannot_be_written_whole_leaves_the_old_one() {
    let picture = scratch("old-svg");
    fs::write(&picture, "the old one").unwrap();
    let args = "plan --scheme libketama --old-server 10.1.0.1 --add 10.1.0.2 --svg";
    let shell = format!(
        "trap '' XFSZ; ulimit -f 1; exec {} {args} {}",
        env!("CARGO_BIN_EXE_memring"),
        picture.display()
    );
    let run = Run::of(std::process::Command::new("bash").args(["-c", &shell]).output().unwrap());
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert_eq!(fs::read_to_string(&picture).unwrap(), "the old one");
    assert!(memring(&format!("{args} -")).text().contains("<svg xmlns="));
}

const LOAD: &str = "--scheme libmemcached-ketama-weighted --steps --rate 20000 --hit-ratio 0.95 --ttl 1h";

#[test]
fn steps_stay_under_the_limit_and_end_at_the_new_list() {
    let plan = plan(&servers(8), &servers(13), &format!("{LOAD} --max-misses 3000 --json")).json();
    let steps = plan["steps"].as_array().unwrap();
    assert!(steps.len() >= 5, "{plan}");
    let names: Vec<_> = steps.last().unwrap()["servers"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 13, "{plan}");
    let (mut at, mut moved) = (0.0, 0.0);
    for step in steps {
        assert!(number(&step["misses"]) <= 3000.001, "{step}");
        at += number(&step["pause_seconds"]);
        moved += number(&step["moved"]);
        assert!((number(&step["at_seconds"]) - at).abs() < 0.1, "{step}");
    }
    assert!((moved - number(&plan["moved"])).abs() < 1e-9 && at > 0.0, "{plan}");
}

#[test]
fn steps_of_a_server_that_replaces_another_move_as_little_as_at_once() {
    let old = file("a:1\nb:1\nc:1\n");
    let load = LOAD.replace("libmemcached-ketama-weighted", "libmemcached-modula");
    let run = memring(&format!("plan --old {old} --remove b:1 --add d:1 {load} --max-misses 19000 --json"));
    let plan = run.json();
    assert!(number(&plan["moved"]) > 0.6, "a list that shrinks first: {plan}");
    let new = file("a:1\nd:1\nc:1\n");
    let plan = plan_steps(&old, &new, &format!("{load} --max-misses 19000 --json"));
    assert!((number(&plan["moved"]) - 1.0 / 3.0).abs() < 1e-6, "{plan}");
    let steps = plan["steps"].as_array().unwrap();
    assert_eq!((&steps[0]["add"][0], &steps[0]["remove"][0]), (&"d:1".into(), &"b:1".into()));
}

fn plan_steps(old: &str, new: &str, rest: &str) -> Value {
    plan(old, new, rest).json()
}

#[test]
fn steps_that_nobody_can_make_are_refused() {
    let (old, new) = (servers(3), servers(4));
    let with = |rest: &str| plan(&old, &new, &format!("{LOAD} {rest}"));
    with("").fails(2, "--max-misses");
    with("--max-misses 1000").fails(2, "1000 misses a second are there at rest");
    with("--max-misses 1000.1").fails(2, "more than 1000 steps; raise --max-misses or --pause");
    with("--max-misses 2000 --pause 0s").fails(2, "--pause 0s");
    with("--max-misses 2000 --keys -").fails(2, "more than once");
    with("--max-misses 2000 --new-scheme libketama").fails(2, "cannot be used with");
    plan(&old, &new, "--scheme libketama --rate 5").fails(2, "--steps");
    let text = plan(&old, &old, &format!("{LOAD} --max-misses 2000")).text();
    assert!(text.contains("no server joins or leaves"), "{text}");
}
