//! `memring top`.

use crate::{
    memring::{command, memring},
    server::Server,
};

#[test]
fn without_a_terminal_it_is_a_table_of_what_happened_between_two_looks() {
    let servers = [Server::memcached(), Server::memcached()];
    let options = format!("--server {} --server {}", servers[0].address, servers[1].address);
    let args = format!("top {options} --interval 1s --json");
    let top = command(args.split(' ')).spawn().unwrap();
    std::thread::sleep(core::time::Duration::from_millis(300));
    for key in ["hit", "miss", "miss"] {
        let at = &servers[0].address;
        if key == "hit" {
            memring(&format!("set --server {at} hit v")).text();
        }
        let _ = memring(&format!("get --server {at} {key}"));
    }
    let output = top.wait_with_output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told[0]["server"], &told[0]["items"]), (&servers[0].address.clone().into(), &1.into()));
    assert_eq!((&told[0]["hit_rate"], &told[1]["hit_rate"]), (&0.333.into(), &serde_json::Value::Null));
    assert!(told[0]["operations_per_second"].as_f64() > Some(1.0), "{told}");
    assert_eq!(told[1]["operations_per_second"], 0.0);
    let text = memring(&format!("top {options} --interval 10ms")).text();
    assert!(text.starts_with("server") && text.lines().count() == 3, "{text}");
    memring(&format!("top {options} --interval 0s")).fails(2, "--interval is zero");
}

#[test]
fn a_server_that_is_away_has_a_line() {
    let server = Server::memcached();
    let run = memring(&format!("top --server 127.0.0.1:1 --server {} --interval 10ms", server.address));
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("stats on 127.0.0.1:1: not connected"), "{}", run.stderr);
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(text.lines().nth(1).unwrap().starts_with("127.0.0.1:1 "), "{text}");
}
