//! `memring serve`.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
};

use crate::{
    memring::{command, memring, memring_reading, memring_with, scratch},
    server::Server,
};

#[test]
fn serves_until_a_signal_comes_and_ends_well() {
    for signal in ["INT", "TERM"] {
        let server = Server::embedded();
        assert_eq!(memring_with(["set", "--server", &server.address, "k", "v"]).text(), "");
        assert_eq!(memring_with(["get", "--server", &server.address, "k"]).text(), "v");
        assert_eq!(server.end(signal), Some(0), "{signal}");
    }
}

#[test]
fn a_unix_socket_is_listened_on_and_taken_away_in_the_end() {
    let path = format!("{}.sock", crate::memring::file(""));
    for listen in [path.clone(), format!("unix:{path}"), format!("unix://{path}")] {
        let server = Server::embedded_with(&["--listen", &listen]);
        assert_eq!(server.address, path);
        memring_with(["set", "--server", &path, "k", "v"]).text();
        assert_eq!(memring_with(["get", "--server", &path, "k"]).text(), "v");
        memring(&format!("serve --listen {path}")).fails(3, "address already in use");
        assert_eq!(server.end("TERM"), Some(0));
        assert!(!std::path::Path::new(&path).exists());
        // What a server has left that was killed.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    }
}

#[test]
fn an_address_in_use_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    memring(&format!("serve --listen {address}")).fails(3, &address.to_string());
    memring("serve --listen m.sock").fails(2, "or ./PATH for a Unix socket");
    memring("serve --listen nowhere")
        .fails(2, "--listen nowhere: no port; write HOST:PORT, with 0 for a free one");
    memring("serve --listen nowhere.invalid:1").fails(3, "nowhere.invalid:1: name not resolved");
    memring("serve --listen unix:m.sock").fails(2, "--listen unix:m.sock: no path of a Unix socket");
    let there = crate::memring::file("x");
    memring(&format!("serve --listen {there}")).fails(3, &format!("{there}: address already in use"));
}

#[test]
fn a_name_is_listened_on_and_items_are_as_large_as_is_said() {
    let large = "v".repeat(1 << 20);
    for (size, code) in [("1m", 3), ("2m", 0)] {
        let server = Server::embedded_with(&["--listen", "localhost:0", "-I", size]);
        let run = memring_reading(&format!("set --server {} k", server.address), large.as_bytes());
        assert_eq!(run.code, code, "{run:?}");
    }
    memring("serve -I 2mb").fails(2, "not a size from 1k to 1g");
}

#[test]
fn a_socket_may_be_named_from_the_folder_that_one_is_in() {
    let path = scratch("m.sock");
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut serve = command(["serve", "--listen", &format!("./{name}")]);
    let mut child = serve.current_dir(path.parent().unwrap()).spawn().unwrap();
    let mut line = String::new();
    let read = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
    child.kill().unwrap();
    child.wait().unwrap();
    let _ = std::fs::remove_file(&path);
    assert!(read.is_ok());
    // From the root, so that it can be given to another command anywhere.
    assert_eq!(line, format!("listening on {}\n", path.canonicalize().unwrap_or(path).display()));
}
