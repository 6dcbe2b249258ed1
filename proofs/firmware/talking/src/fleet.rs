//! The servers, as the program names them.

use core::fmt::Write as _;

use heapless::String;
use memring_core::Server;

use crate::board;

/// How many servers there are.
pub const SERVERS: usize = 3;

/// Where the emulator has the host's own servers. Source: QEMU, "Invocation", `-netdev user`.
pub const HOST: [u8; 4] = [10, 0, 2, 2];

/// The board's own address, and how many bits of it name the network.
pub const BOARD: ([u8; 4], u8) = ([10, 0, 2, 15], 24);

/// The servers of the host: a port each.
pub struct Fleet {
    /// Their ports.
    pub ports: [u16; SERVERS],
    names: [String<24>; SERVERS],
}

impl Fleet {
    /// Of the ports that the host gave.
    pub fn of_host() -> Self {
        let mut line = [0; 128];
        let mut ports = [0; SERVERS];
        let mut words = board::words(&mut line).skip(1).map(str::parse);
        for port in &mut ports {
            let Some(Ok(said)) = words.next() else { board::fail("the host has to say three ports") };
            *port = said;
        }
        let [a, b, c, d] = HOST;
        Self { ports, names: ports.map(|port| text(format_args!("{a}.{b}.{c}.{d}:{port}"))) }
    }

    /// What placement knows of them.
    pub fn servers(&self) -> [Server<'_>; SERVERS] {
        self.names.each_ref().map(|name| Server::new(name))
    }
}

/// A short text.
pub fn text<const N: usize>(arguments: core::fmt::Arguments<'_>) -> String<N> {
    let mut text = String::new();
    if text.write_fmt(arguments).is_err() {
        board::fail("a text is too long");
    }
    text
}
