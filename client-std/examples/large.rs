//! A value of 16 MiB passes through: it is read from a stream and written to one, and never lies in memory as a whole.
//!
//! `cargo run -p memring-std --example large`

use core::error::Error;
use std::io;

use memring_std::{Client, Limits, Ttl, testing::Server};

const LEN: usize = 16 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    // memcached's `-I 32m`, and the client's limit beside it.
    let server = Server::builder().item_size_max(32 << 20).start()?;
    let limits = Limits { value: 32 << 20, ..Limits::DEFAULT };
    let client = Client::builder().servers([server.addr()]).limits(limits).build()?;

    client.set_from("film", LEN, io::repeat(b'x'), Ttl::NEVER)?;
    let item = client.get_to("film", io::sink())?.ok_or("a miss")?;
    println!("wrote {} bytes of a film", item.value);
    assert_eq!(item.value, LEN);
    Ok(())
}
