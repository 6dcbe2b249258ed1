//! `memring bench`.

use serde_json::Value;

use crate::{memring::memring, server::Server};

fn fleet() -> ([Server; 2], String) {
    let servers = [Server::memcached(), Server::memcached()];
    let options = format!("--server {} --server {}", servers[0].address, servers[1].address);
    (servers, options)
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("{name}: {value}"))
}

#[test]
fn what_is_told_is_what_servers_have_seen() {
    for client in ["std", "tokio"] {
        let (servers, options) = fleet();
        let told = memring(&format!(
            "bench {options} --client {client} --duration 300ms --workers 3 --keys 100 --load --reads 50 --size 10-300 --json"
        ))
        .json();
        let (reads, writes) = (number(&told, "reads"), number(&told, "writes"));
        assert_eq!(reads + writes, number(&told, "operations"));
        assert!(reads > 10.0 && writes > 10.0, "{told}");
        assert_eq!((number(&told, "misses"), number(&told, "errors")), (0.0, 0.0), "all keys were loaded");
        let stats = memring(&format!("stats {options} --json")).json();
        for (at, server) in servers.iter().enumerate() {
            let stat = |name: &str| stats[&server.address][name].as_str().unwrap().parse::<f64>().unwrap();
            let of_server = &told["servers"][at];
            assert_eq!(of_server["server"], server.address);
            assert_eq!(number(of_server, "reads"), stat("cmd_get"));
            assert_eq!(number(of_server, "writes"), stat("cmd_set") - stat("curr_items"));
            let times = ["p50", "p99", "p999", "max"].map(|name| number(&of_server["latency_ms"], name));
            assert!(times[0] > 0.0 && times.is_sorted(), "{of_server}");
        }
    }
}

#[test]
fn a_rate_is_kept_and_what_a_stall_holds_up_counts() {
    let (_servers, options) = fleet();
    for client in ["std", "tokio"] {
        let told = memring(&format!(
            "bench {options} --client {client} --duration 500ms --workers 4 --rate 200 --keys 10 --zipf 0.99 --json"
        ))
        .json();
        assert_eq!((number(&told, "operations"), number(&told, "rate")), (100.0, 200.0));
    }
    // Nobody answers: each operation waits out its timeout, or for those before it.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let run = memring(&format!(
        "bench --server {address} --duration 300ms --workers 1 --rate 10 --timeout 50ms --json"
    ));
    assert_eq!(run.code, 3);
    let told: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(number(&told, "errors"), 3.0);
    assert_eq!(told["latency_ms"]["p50"], Value::Null);
    assert!(run.stderr.contains(&format!("on {address}: timed out")), "{}", run.stderr);
}

#[test]
fn a_table_has_a_line_for_each_server_and_one_for_all() {
    let (servers, options) = fleet();
    let text = memring(&format!("bench {options} --duration 100ms --workers 2 --seed 1")).text();
    assert!(text.starts_with("2 threads for 0.1 s, flat out\n"), "{text}");
    let firsts: Vec<_> =
        text.lines().skip(2).filter_map(|line| line.split_ascii_whitespace().next()).collect();
    assert_eq!(firsts, ["server", &servers[0].address, &servers[1].address, "all"]);
    let server = &servers[0].address;
    for (words, part) in [
        ("--reads 101", "--reads"),
        ("--keys 0", "--keys"),
        ("--workers 0", "--workers"),
        ("--rate 0", "--rate"),
        ("--size 5-1", "--size"),
        ("--zipf=-1", "--zipf"),
        ("--ttl 0s", "time to live is zero"),
    ] {
        memring(&format!("bench --server {server} {words}")).fails(2, part);
    }
}
