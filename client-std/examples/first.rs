//! A first program: two servers, an item, a miss, many keys in one call, and a counter.
//!
//! `cargo run -p memring-std --example first`

use core::{error::Error, time::Duration};

use memring_std::{Client, Ttl, testing::Server};

fn main() -> Result<(), Box<dyn Error>> {
    // Two servers inside this process; yours are `Client::connect(["10.0.0.1:11211", "10.0.0.2:11211"])`.
    let servers = [Server::start()?, Server::start()?];
    let client = Client::connect(servers.iter().map(Server::addr))?;

    client.set("user:7", "Ada", Duration::from_secs(60))?;
    client.set("visits", "41", Ttl::NEVER)?;
    let item = client.get("user:7")?.ok_or("a miss")?;
    println!("user:7 is {}, on {}", String::from_utf8_lossy(&item.value), client.server_of("user:7"));
    println!("user:8 is there: {}", client.get("user:8")?.is_some());
    println!("visits: {:?}", client.incr("visits", 1)?);

    let keys = ["user:7", "user:8", "visits"];
    let found = client.get_many(&keys)?;
    // A server that fails has its error here, beside what the others have found.
    assert!(found.errors().is_empty());
    println!("found {} of {} keys", found.by_key(&keys).len(), keys.len());
    Ok(())
}
