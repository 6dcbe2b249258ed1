//! Servers and files that would have the terminal do something: what they say is shown, not obeyed.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
};

use crate::{
    memring::{Run, file, memring},
    server::Server,
};

/// Clears the screen, sets the clipboard, moves the cursor by a character of Latin 1, and begins the line anew.
const ATTACK: &str = "\x1b[2J\x1b]52;c;cm0=\x07\u{9b}2J\rwrong";
const SHOWN: &str = r"\x1b[2J\x1b]52;c;cm0=\x07\xc2\x9b2J\x0dwrong";

/// A server that says so wherever it may.
fn hostile() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|peer| drop(thread::spawn(|| answer(peer.unwrap())))));
    address.to_string()
}

fn answer(peer: TcpStream) {
    let mut replies = peer.try_clone().unwrap();
    for line in BufReader::new(peer).lines().map_while(Result::ok) {
        let reply = match line.split(' ').next() {
            Some("version") => format!("VERSION 1.6.18{ATTACK}\r\n"),
            Some("stats") => format!("STAT name{ATTACK} value{ATTACK}\r\nEND\r\n"),
            _ => format!("CLIENT_ERROR {ATTACK}\r\n"),
        };
        if replies.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

/// Whether a terminal does something when it is sent this, beyond beginning a line.
fn obeyed(char: char) -> bool {
    char.is_control() && char != '\n'
}

/// Runs `memring` with a terminal for its output.
fn on_terminal(args: &str) -> Vec<u8> {
    let line = format!("{} {args}", env!("CARGO_BIN_EXE_memring"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).stderr(Stdio::null());
    script.output().expect("these tests need `script` of util-linux").stdout
}

#[test]
fn what_servers_say_is_shown_and_not_obeyed() {
    let address = hostile();
    for client in ["std", "tokio"] {
        let run = |args: &str| memring(&format!("{args} --server {address} --client {client}"));
        assert_eq!(run("version").text(), format!("{address}  1.6.18{SHOWN}\n"));
        assert_eq!(run("version --raw").text(), format!("{address}  1.6.18{ATTACK}\n"));
        assert!(run("stats").text().ends_with(&format!("value{SHOWN}\n")));
        assert!(run("stats --raw").text().ends_with(&format!("value{ATTACK}\n")));
        let json = run("stats --json");
        assert!(json.stdout.iter().all(|byte| *byte >= b' ' || *byte == b'\n'));
        assert!(!String::from_utf8_lossy(&json.stdout).contains('\u{9b}'));
        assert_eq!(json.json()[&address][format!("name{ATTACK}")], format!("value{ATTACK}"));
        for verb in ["get k", "get k l", "set k v", "incr k", "meta k", "flush"] {
            let Run { stderr, .. } = run(verb);
            assert!(stderr.contains(r"\x1b[2J") && !stderr.contains(obeyed), "{stderr}");
        }
    }
}

#[test]
fn a_value_is_shown_on_a_terminal_and_stays_what_it_is_elsewhere() {
    let server = Server::embedded();
    let value = file(&format!("größer\n\t{ATTACK}"));
    let set = format!("set --server {} k", server.address);
    let stored = Command::new("sh")
        .args(["-c", &format!("\"$0\" {set} < {value}"), env!("CARGO_BIN_EXE_memring")])
        .status()
        .unwrap();
    assert!(stored.success());
    let get = format!("get --server {} k", server.address);
    assert_eq!(memring(&get).text(), format!("größer\n\t{ATTACK}"));
    assert_eq!(memring(&format!("{get} --raw")).text(), format!("größer\n\t{ATTACK}"));
    // The terminal puts a carriage return before each newline.
    assert_eq!(String::from_utf8(on_terminal(&get)).unwrap(), format!("größer\r\n\t{SHOWN}"));
    let raw = String::from_utf8(on_terminal(&format!("{get} --raw"))).unwrap();
    assert_eq!(raw, format!("größer\r\n\t{ATTACK}"));
    memring(&format!("{get} l --raw")).fails(2, "one key");
}

#[test]
fn names_in_files_are_shown_and_not_obeyed() {
    let name = format!("a{}", ATTACK.replace('\r', ""));
    let list = file(&format!("{name}\n"));
    for verb in ["where k", "where --format json k", "spread", "spread --json"] {
        let text = memring(&format!("{verb} --scheme libketama --names-as-written --servers {list}")).text();
        assert!(!text.contains(obeyed), "{text:?}");
        assert!(text.contains(r"\x1b[2J") || text.contains(r"\u001b[2J"), "{text}");
    }
}
