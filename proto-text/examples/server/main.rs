//! A server in thirty lines (`serving.rs`), asked for its version.
//!
//! `cargo run -p memring-text --example server`

mod serving;

use core::error::Error;
use std::{
    io::{self, Write as _},
    net::TcpStream,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut socket = TcpStream::connect(serving::start()?)?;
    socket.write_all(b"version\r\nquit\r\n")?;
    let answer = io::read_to_string(socket)?;
    print!("{answer}");
    assert!(answer.starts_with("VERSION "));
    Ok(())
}
