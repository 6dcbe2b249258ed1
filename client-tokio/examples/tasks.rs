//! A thousand tasks share one connection to each server. Gets that wait at the same moment leave as one, and a future
//! may be dropped at any moment: the next caller gets its own value all the same.
//!
//! `cargo run -p memring-tokio --example tasks`

use core::{error::Error, time::Duration};

use memring_tokio::{Client, testing::Server};
use tokio::{task::JoinSet, time::timeout};

const TASKS: usize = 1000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let servers = [Server::start().await?, Server::start().await?, Server::start().await?];
    // A minute: a thousand tasks that begin at once, on a machine that may be busy.
    let client = Client::builder()
        .servers(servers.iter().map(Server::addr))
        .timeout(Duration::from_secs(60))
        .build()?;

    let mut tasks = JoinSet::new();
    for n in 0..TASKS {
        let client = client.clone();
        tasks.spawn(async move {
            let key = format!("key:{n}");
            client.set(&key, &key, Duration::from_secs(60)).await?;
            // Given up at once; its reply is read and thrown away.
            let _ = timeout(Duration::ZERO, client.get("key:0")).await;
            let item = client.get(&key).await?;
            assert_eq!(item.expect("it was just stored").value, key);
            Ok::<(), memring_tokio::Error>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }

    for server in client.servers() {
        let counts = server.counts;
        println!("{}: {} operations, {} connection", server.spec.name(), counts.operations, counts.connected);
        assert_eq!(counts.connected, 1);
    }
    Ok(())
}
