//! `memring serve`.

use std::net::TcpListener;

use crate::{
    memring::{memring, memring_with},
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
fn an_address_in_use_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    memring(&format!("serve --listen {address}")).fails(3, &address.to_string());
    memring("serve --listen nowhere").fails(2, "nowhere");
}
