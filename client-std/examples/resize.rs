//! Servers are added while the client runs: what share of the keys moves, said before and seen after.
//!
//! `cargo run -p memring-std --example resize`

use core::error::Error;

use memring_std::{Client, Ttl, testing::Server};

fn main() -> Result<(), Box<dyn Error>> {
    let servers: Vec<_> = (0..5).map(|_| Server::start()).collect::<Result<_, _>>()?;
    // Names decide placement, so they stay the same at each run, whatever the ports are.
    let named = |count| {
        let servers = servers.iter().take(count).enumerate();
        servers.map(|(n, server)| format!("cache-{n}={}", server.addr())).collect::<Vec<_>>()
    };
    let client = Client::connect(named(4))?;
    let keys: Vec<_> = (0..1000).map(|n| format!("key:{n}")).collect();
    let items: Vec<_> = keys.iter().map(|key| (key, "there")).collect();
    client.set_many(&items, Ttl::NEVER)?.all()?;

    let change = client.set_servers(named(5))?;
    let moves = change.moves();
    println!("{} → {} servers", change.before().len(), change.after().len());
    println!("{:.1} % of the keys move: they are misses until they are stored again", 100.0 * moves.moved());

    let found = client.get_many(&keys)?;
    println!("found {} of {} keys", found.hits().count(), keys.len());
    assert!((found.hits().count() as f64 / 1000.0 - moves.kept()).abs() < 0.05);
    Ok(())
}
