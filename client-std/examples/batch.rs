//! Operations of different kinds in one call: each server is asked once, and each operation has its own result.
//!
//! `cargo run -p memring-std --example batch`

use core::{error::Error, time::Duration};

use memring_std::{Batch, Client, Ttl, testing::Server};

fn main() -> Result<(), Box<dyn Error>> {
    let servers = [Server::start()?, Server::start()?];
    let client = Client::connect(servers.iter().map(Server::addr))?;
    client.set("cart:7", "1 umbrella", Ttl::NEVER)?;
    client.set("visits", "41", Ttl::NEVER)?;

    let mut batch = Batch::new();
    batch.set("seen:7", "now", Duration::from_secs(60));
    let cart = batch.get("cart:7");
    let visits = batch.incr("visits", 1);
    let offer = batch.delete("offer:7");

    let mut outcomes = client.run(batch)?;
    let cart = outcomes.take(cart)?.ok_or("a miss")?;
    println!("cart: {}", String::from_utf8_lossy(&cart.value));
    println!("visits: {:?}", outcomes.take(visits)?);
    println!("there was an offer: {}", outcomes.take(offer)?);
    // One error for each server that failed; the others' operations were done.
    assert!(outcomes.errors().is_empty());
    Ok(())
}
