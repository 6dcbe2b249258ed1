//! One client for all threads: it is cheap to clone, takes `&self`, and keeps a pool of connections to each server.
//!
//! `cargo run -p memring-std --example threads`

use core::{error::Error, time::Duration};
use std::thread;

use memring_std::{Client, testing::Server};

const THREADS: usize = 8;
const ITEMS: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let servers = [Server::start()?, Server::start()?, Server::start()?];
    let client = Client::connect(servers.iter().map(Server::addr))?;

    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let client = &client;
                scope.spawn(move || {
                    for item in 0..ITEMS {
                        let key = format!("{thread}:{item}");
                        client.set(&key, &key, Duration::from_secs(60))?;
                        assert_eq!(client.get(&key)?.map(|item| item.value), Some(key.into_bytes()));
                    }
                    Ok::<(), memring_std::Error>(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
    })?;

    for server in client.servers() {
        println!(
            "{}: {} operations, {} connections",
            server.spec.name(),
            server.counts.operations,
            server.counts.connected
        );
    }
    Ok(())
}
