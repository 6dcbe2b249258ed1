//! `memring ping`.

use serde_json::Value;

use crate::{memring::memring, server::Server};

#[test]
fn each_step_is_timed_on_each_server() {
    for start in [Server::memcached, Server::embedded] {
        let servers = [start(), start()];
        let options = format!("--server one={} --server two={}", servers[0].address, servers[1].address);
        for client in ["std", "tokio"] {
            let text = memring(&format!("ping {options} --client {client}")).text();
            let words: Vec<Vec<_>> =
                text.lines().map(|line| line.split_ascii_whitespace().collect()).collect();
            assert_eq!(words[0], ["server", "connect", "set", "get"]);
            assert_eq!((words[1][0], words[2][0], words.len()), ("one", "two", 3));
            for line in &words[1..] {
                let [_, connect, _, set, _, get, "ms"] = line[..] else { panic!("{line:?}") };
                for time in [connect, set, get] {
                    let time: f64 = time.parse().unwrap();
                    assert!(time > 0.0 && time < 1000.0, "{text}");
                }
            }
            let items = memring(&format!("stats {options} --json")).json();
            assert_eq!(items["one"]["curr_items"], "0", "the key is gone");
        }
    }
}

#[test]
fn rounds_are_summed_up_and_each_connects_anew() {
    let server = Server::memcached();
    let connections = || {
        let stats = memring(&format!("stats --server {} --json", server.address)).json();
        stats[&server.address]["total_connections"].as_str().unwrap().parse::<u32>().unwrap()
    };
    let before = connections();
    let told = memring(&format!("ping --server {} --count 3 --interval 1ms --json", server.address)).json();
    assert_eq!(connections() - before, 3 + 1, "one is that of the second look");
    let told = &told[0];
    assert_eq!((&told["server"], &told["address"]), (&server.address.clone().into(), &told["server"]));
    assert_eq!((&told["rounds"], &told["failed"], &told["error"]), (&3.into(), &0.into(), &Value::Null));
    for step in ["connect_ms", "set_ms", "get_ms"] {
        let [min, median, max] = ["min", "median", "max"].map(|name| told[step][name].as_f64().unwrap());
        assert!(0.0 < min && min <= median && median <= max, "{told}");
    }
    let text = memring(&format!("ping --server {} --count 2 --interval 1ms", server.address)).text();
    assert!(text.contains("connect min/median/max") && text.contains("0 of 2"), "{text}");
}

#[test]
fn one_that_fails_is_named_beside_those_that_answer() {
    let server = Server::memcached();
    let run = memring(&format!("ping --server {} --server 127.0.0.1:1 --json", server.address));
    assert_eq!(run.code, 3);
    assert_eq!(run.stderr, "memring: ping on 127.0.0.1:1: not connected: connection refused\n");
    let told: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((&told[0]["failed"], &told[1]["failed"]), (&0.into(), &1.into()));
    assert_eq!(told[1]["connect_ms"], Value::Null);
    assert_eq!(told[1]["error"], "ping on 127.0.0.1:1: not connected: connection refused");
    let run = memring(&format!("ping --server {} --server 127.0.0.1:1", server.address));
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(text.lines().last().unwrap().starts_with("127.0.0.1:1 "), "{text}");
    assert!(text.trim_end().ends_with('–'), "{text}");
    memring(&format!("ping --server {} --count 0", server.address)).fails(2, "--count");
}

#[test]
fn a_password_and_a_hanging_server_are_told_apart() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    memring(&format!("ping --server {address} --timeout 100ms"))
        .fails_with_output(3, &format!("ping on {address}: timed out"));
    let users = crate::memring::file("user:password");
    let server = Server::embedded_with(&["--auth-file", &users]);
    memring(&format!("ping --server {}", server.address)).fails_with_output(3, "unauthenticated");
    memring(&format!("ping --server {} --auth-file {users}", server.address)).text();
}
