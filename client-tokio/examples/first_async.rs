//! A first program: two servers, an item, a miss, many keys in one call, and a counter.
//!
//! `cargo run -p memring-tokio --example first_async`

use core::{error::Error, time::Duration};

use memring_tokio::{Client, Ttl, testing::Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Two servers inside this process; yours are `Client::connect(["10.0.0.1:11211", "10.0.0.2:11211"])`.
    let servers = [Server::start().await?, Server::start().await?];
    let client = Client::connect(servers.iter().map(Server::addr))?;

    client.set("user:7", "Ada", Duration::from_secs(60)).await?;
    client.set("visits", "41", Ttl::NEVER).await?;
    let item = client.get("user:7").await?.ok_or("a miss")?;
    println!("user:7 is {:?}, on {}", item.value, client.server_of("user:7"));
    println!("user:8 is there: {}", client.get("user:8").await?.is_some());
    println!("visits: {:?}", client.incr("visits", 1).await?);

    let keys = ["user:7", "user:8", "visits"];
    let found = client.get_many(&keys).await?;
    // A server that fails has its error here, beside what the others have found.
    assert!(found.errors().is_empty());
    println!("found {} of {} keys", found.by_key(&keys).len(), keys.len());
    Ok(())
}
