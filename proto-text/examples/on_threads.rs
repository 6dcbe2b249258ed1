//! A blocking connection over a socket of the standard library.
//!
//! `cargo run -p memring-text --features embedded-io --example on_threads`

use core::{error::Error, time::Duration};
use std::{net::TcpStream, time::SystemTime};

use embedded_io_adapters::std::FromStd;
use memring_text::{Connection, Get, Key, Store, StoreOutcome, Ttl, Value, ttl::UnixTime};

#[path = "server/serving.rs"]
mod serving;

fn main() -> Result<(), Box<dyn Error>> {
    let socket = TcpStream::connect(serving::start()?)?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut connection = Connection::new(FromStd::new(socket), [0; 2048]);

    let key = Key::new(b"greeting")?;
    let store =
        Store::set(key, Value::new(b"hello")?).ttl(Ttl::seconds(60), UnixTime::from(SystemTime::now()))?;
    assert_eq!(connection.call(&store, Vec::new())?, StoreOutcome::Stored);
    let item = connection.call(&Get::new(key), Vec::new())?.ok_or("a miss")?;
    println!("{}", String::from_utf8_lossy(&item.value));
    Ok(())
}
