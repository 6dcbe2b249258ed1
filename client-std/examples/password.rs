//! A server that wants a user and a password (memcached's `-Y`), and a namespace for the keys of one program.
//!
//! `cargo run -p memring-std --example password`

use core::error::Error;

use memring_std::{Client, ErrorKind, Ttl, testing::Server};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::builder().auth("shop", "secret").start()?;
    let client =
        Client::builder().servers([server.addr()]).auth("shop", "secret").namespace("shop:").build()?;
    client.set("greeting", "hello", Ttl::NEVER)?;

    // The same in a server's own text, as it may stand in a configuration or in the environment.
    let url = format!("memcached://shop:secret@{}", server.addr());
    let other = Client::connect([url.as_str()])?;
    assert_eq!(other.get("shop:greeting")?.map(|item| item.value), Some(b"hello".to_vec()));

    let stranger = Client::connect([server.addr()])?;
    let error = stranger.get("greeting").err().ok_or("let in")?;
    println!("without a password: {error}");
    assert_eq!(error.kind(), ErrorKind::Auth);
    Ok(())
}
