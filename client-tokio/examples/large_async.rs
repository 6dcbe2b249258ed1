//! A value of 16 MiB passes through: it is read from a stream and written to one, and never lies in memory as a whole.
//!
//! `cargo run -p memring-tokio --example large_async`

use core::error::Error;

use memring_tokio::{Client, Limits, Ttl, testing::Server};
use tokio::io;

const LEN: usize = 16 << 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // memcached's `-I 32m`, and the client's limit beside it.
    let server = Server::builder().item_size_max(32 << 20).start().await?;
    let limits = Limits { value: 32 << 20, ..Limits::DEFAULT };
    let client = Client::builder().servers([server.addr()]).limits(limits).build()?;

    client.set_from("film", LEN, io::repeat(b'x'), Ttl::NEVER).await?;
    let item = client.get_to("film", io::sink()).await?.ok_or("a miss")?;
    println!("wrote {} bytes of a film", item.value);
    assert_eq!(item.value, LEN);
    Ok(())
}
