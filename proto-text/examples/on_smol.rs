//! The same on smol: twelve lines between a socket and a value. Any runtime will do whose sockets read and write.
//!
//! `cargo run -p memring-text --features embedded-io-async --example on_smol`. On embassy, see
//! `proofs/firmware/talking/src/bin/embassy.rs`.

use core::{error::Error, time::Duration};

use embedded_io_adapters::futures_03::FromFutures;
use memring_text::{AsyncConnection, Get, Key, Store, Value};
use smol::{Timer, future::FutureExt as _, io, net::TcpStream};

#[path = "server/serving.rs"]
mod serving;

fn main() -> Result<(), Box<dyn Error>> {
    smol::block_on(talk().or(async {
        Timer::after(Duration::from_secs(1)).await;
        Err(io::Error::from(io::ErrorKind::TimedOut).into())
    }))
}

async fn talk() -> Result<(), Box<dyn Error>> {
    let socket = TcpStream::connect(serving::start()?).await?;
    let mut connection = AsyncConnection::new(FromFutures::new(socket), [0; 2048]);

    let key = Key::new(b"greeting")?;
    connection.call(&Store::set(key, Value::new(b"hello")?).exptime(60), Vec::new()).await?;
    let item = connection.call(&Get::new(key), Vec::new()).await?.ok_or("a miss")?;
    println!("{}", String::from_utf8_lossy(&item.value));
    Ok(())
}
