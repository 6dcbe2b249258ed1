//! `memring demo`.

use std::{fs, net::TcpListener, process::Child};

use serde_json::Value;

use crate::{
    memring::{Run, command, memring},
    server::{children, exists, signal, until},
};

/// Checks that what was found is what the placements predict, within five standard deviations.
#[track_caller]
fn is_as_predicted(report: &Value) {
    let keys = report["keys"].as_f64().unwrap();
    for scheme in report["schemes"].as_array().unwrap() {
        let steps = scheme["steps"].as_array().unwrap();
        assert_eq!(steps[0]["found"], report["keys"], "{scheme}");
        for step in steps {
            let (found, predicted) =
                (step["found"].as_f64().unwrap() / keys, step["predicted"].as_f64().unwrap());
            let deviation = (predicted * (1.0 - predicted) / keys).max(0.0).sqrt();
            assert!((found - predicted).abs() <= 5.0 * deviation + 1e-9, "{scheme}");
        }
    }
}

#[test]
fn memcached_keeps_what_the_placement_says() {
    let report = memring("demo --servers 3 --add 2 --keys 300 --memcached memcached --json").json();
    assert!(report["ran_on"].as_str().unwrap().starts_with("memcached 1."), "{report}");
    is_as_predicted(&report);
    let kept = |scheme: usize| report["schemes"][scheme]["steps"][1]["predicted"].as_f64().unwrap();
    assert_eq!(report["schemes"][0]["scheme"], "libmemcached-modula");
    assert_eq!(report["schemes"][1]["scheme"], "libmemcached-ketama-weighted");
    // Modulo keeps a fifth, ketama about three.
    assert!((kept(0) - 0.2).abs() < 0.001 && kept(1) > 0.4, "{report}");
}

#[test]
fn embedded_servers_do_as_well() {
    let report = memring("demo --embedded --servers 3 --add 1 --keys 200 --json").json();
    assert!(report["ran_on"].as_str().unwrap().starts_with("embedded servers"), "{report}");
    is_as_predicted(&report);
}

#[test]
fn other_schemes_can_be_tried() {
    let run = Run::of(
        command(["demo", "--embedded", "--keys", "200", "--json"])
            .args(["--scheme", "libmemcached-modula hash=crc", "--scheme", "python-memcached"])
            .output()
            .unwrap(),
    );
    let report = run.json();
    is_as_predicted(&report);
    assert_eq!(report["schemes"][0]["scheme"], "libmemcached-modula hash=crc");
    assert_eq!(report["schemes"][1]["scheme"], "python-memcached");
}

#[test]
fn the_same_seed_and_ports_are_the_same_experiment() {
    // Nobody can promise four free ports in a row: where one is in use, look elsewhere.
    let (first, second) = until("four ports in a row are free", || {
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let args = format!("demo --embedded --servers 3 --add 1 --keys 200 --seed 7 --port {port} --json");
        let runs = (memring(&args), memring(&args));
        (runs.0.code == 0 && runs.1.code == 0).then_some(runs)
    });
    assert_eq!(first.json(), second.json());
}

#[test]
fn the_table_says_what_it_ran_on() {
    let text = memring("demo --embedded --servers 2 --add 1 --keys 50 --seed 1").text();
    assert!(text.starts_with("50 keys of 100 bytes (seed 1) on embedded servers "), "{text}");
    for part in ["2 + 1 = 3", "2 - 1 = 1", "66.67 %", "libmemcached-modula ", "libmemcached-ketama-weighted "]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    memring("demo --servers 1").fails(2, "--servers");
    memring("demo --keys 0").fails(2, "--keys");
    memring("demo --scheme no-such").fails(2, "`memring schemes` lists them all");
    memring("demo --memcached /no/such/memcached").fails(2, "/no/such/memcached");
    memring("demo --embedded --port 65530").fails(2, "ports from 65530 on");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for kind in ["--embedded", "--memcached memcached"] {
        let run = memring(&format!("demo {kind} --servers 2 --add 1 --port {port}"));
        run.fails(3, &format!("127.0.0.1:{port}: "));
    }
}

/// A demonstration on real servers that is under way.
struct UnderWay {
    child: Option<Child>,
    memcacheds: Vec<u32>,
}

impl UnderWay {
    fn begin() -> Self {
        let args = "demo --servers 2 --add 2 --keys 10000000 --memcached memcached --seed 1";
        let mut demo =
            Self { child: Some(command(args.split(' ')).spawn().unwrap()), memcacheds: Vec::new() };
        demo.memcacheds = until("all servers run", || {
            let children = children(demo.pid());
            (children.len() == 4 && children.iter().all(|&pid| port(pid).is_some())).then_some(children)
        });
        let address = format!("127.0.0.1:{}", port(demo.memcacheds[0]).unwrap());
        let holds_keys = || {
            let run = memring(&format!("stats --server {address} --json"));
            let stats: Value = serde_json::from_slice(&run.stdout).ok()?;
            stats[&address]["curr_items"].as_str().filter(|&items| items != "0").map(drop)
        };
        until("keys are stored", holds_keys);
        demo
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Waits for the end and checks that nothing is left.
    fn end(mut self) -> Run {
        let run = Run::of(self.child.take().unwrap().wait_with_output().unwrap());
        let left: Vec<_> = self.memcacheds.iter().filter(|&&pid| exists(pid)).collect();
        assert!(left.is_empty(), "still there: {left:?}");
        run
    }
}

impl Drop for UnderWay {
    /// A test that fails leaves nothing behind, either.
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            signal(child.id(), "TERM");
            let _ = child.wait();
        }
    }
}

/// The port that a memcached was told to listen on.
fn port(pid: u32) -> Option<String> {
    let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = command.split('\0').skip_while(|word| *word != "-p");
    words.nth(1).map(str::to_owned)
}

#[test]
fn a_signal_ends_the_servers_too() {
    for name in ["INT", "TERM"] {
        let demo = UnderWay::begin();
        signal(demo.pid(), name);
        demo.end().fails(130, "interrupted");
    }
}

#[test]
fn a_server_that_dies_is_an_error_with_its_name() {
    let demo = UnderWay::begin();
    let victim = demo.memcacheds[0];
    let name = format!("on 127.0.0.1:{}: ", port(victim).unwrap());
    signal(victim, "KILL");
    demo.end().fails(3, &name);
}

#[test]
fn a_server_that_hangs_is_an_error_with_its_name() {
    let demo = UnderWay::begin();
    let victim = demo.memcacheds[1];
    let name = format!("on 127.0.0.1:{}: timed out", port(victim).unwrap());
    signal(victim, "STOP");
    demo.end().fails(3, &name);
}
