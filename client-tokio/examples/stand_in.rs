//! A server dies, and the other stands in for it: for a fleet whose items may be on another server for a while.
//!
//! `cargo run -p memring-tokio --example stand_in`

use core::{error::Error, time::Duration};

use memring_tokio::{Client, Event, FailurePolicy, Ttl, testing::Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let servers = [Server::start().await?, Server::start().await?];
    let client = Client::builder()
        .servers(servers.iter().map(Server::addr))
        // libmemcached asks another server only if it is told so by this option.
        .scheme_named("libmemcached-ketama-weighted", [("auto_eject_hosts", "1")])
        .failure_policy(FailurePolicy::Fallback)
        .timeout(Duration::from_millis(500))
        .on_event(|event| {
            if let Event::Rerouted { server, to, operation, .. } = event {
                println!("{operation} goes to {to} in place of {server}");
            }
        })
        .build()?;
    client.set("user:7", "Ada", Ttl::NEVER).await?;

    let [first, second] = servers;
    let is_on_first = *client.server_of("user:7") == *first.addr().to_string();
    let (gone, left) = if is_on_first { (first, second) } else { (second, first) };
    gone.stop();
    println!("now only {} is left", left.addr());
    // The item is lost with its server. What is written now lives for a minute at most, so that nobody reads it
    // outdated when the server fails the next time (`Builder::stand_in_ttl`).
    assert!(client.get("user:7").await?.is_none());
    client.set("user:7", "Ada", Ttl::NEVER).await?;
    assert!(client.get("user:7").await?.is_some());
    Ok(())
}
