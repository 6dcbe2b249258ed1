//! `memring flush`: at once, one server after the other, and what a terminal is asked.

use core::time::Duration;
use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::Instant,
};

use crate::{memring::memring, server::Server};

#[test]
fn one_server_after_the_other_forgets() {
    let servers = [Server::memcached(), Server::memcached()];
    let options = format!("--server {} --server {}", servers[0].address, servers[1].address);
    for server in &servers {
        memring(&format!("set --server {} k v", server.address)).text();
    }
    // memcached's clock is in its second second by then: a flush drops nothing of the first.
    std::thread::sleep(Duration::from_millis(2100));
    let begin = Instant::now();
    assert_eq!(memring(&format!("flush {options} --stagger 25d")).text(), "");
    assert!(begin.elapsed() < Duration::from_secs(10), "the servers wait, not the command");
    let code = |server: &Server| memring(&format!("get --server {} k", server.address)).code;
    assert_eq!((code(&servers[0]), code(&servers[1])), (1, 0));
    memring(&format!("flush {options} --stagger 31d")).fails(2, "30 days");
    memring(&format!("flush {options} --stagger 20d --delay 11d")).fails(2, "30 days");
    let away = memring(&format!("flush --server 127.0.0.1:1 --server {} --stagger 1s", servers[1].address));
    away.fails(3, "flush_all on 127.0.0.1:1: not connected");
}

/// Runs `memring` on a terminal that types `answer`.
fn on_terminal(args: &str, answer: &str) -> (Option<i32>, String) {
    let line = format!("{} {args}", env!("CARGO_BIN_EXE_memring"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = script.spawn().expect("these tests need `script` of util-linux");
    child.stdin.as_mut().unwrap().write_all(answer.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_terminal_is_asked_first() {
    let server = Server::embedded();
    let at = format!("--server {}", server.address);
    memring(&format!("set {at} k v")).text();
    let holds = || memring(&format!("get {at} k")).code == 0;
    for answer in ["n\n", "\n", "what\n"] {
        let (code, said) = on_terminal(&format!("flush {at}"), answer);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&format!("drop all items of {}? [y/N]", server.address)), "{said}");
        assert!(said.contains("nothing is dropped") && holds(), "{said}");
    }
    let (code, said) = on_terminal(&format!("flush {at}"), "y\n");
    assert!(code == Some(0) && !holds(), "{said}");
    memring(&format!("set {at} k v")).text();
    let (code, said) = on_terminal(&format!("flush {at} --yes"), "");
    assert!(code == Some(0) && !holds() && !said.contains("[y/N]"), "{said}");
}
