//! A server dies and comes back: what the client says, what it costs, and what goes on meanwhile.
//!
//! `cargo run -p memring-std --example failures`

use core::{error::Error, time::Duration};
use std::thread;

use memring_std::{Client, ErrorKind, Event, Ttl, testing::Server};

fn main() -> Result<(), Box<dyn Error>> {
    let (first, second) = (Server::start()?, Server::start()?);
    let addresses = [first.addr(), second.addr()];
    let client = Client::builder()
        .servers(addresses)
        .timeout(Duration::from_millis(250))
        .on_event(|event| match event {
            Event::ServerDown { server, retry_after, .. } => println!("{server} is down for {retry_after:?}"),
            Event::ServerUp { server, .. } => println!("{server} is up"),
            _ => {}
        })
        .build()?;
    let keys: Vec<_> = (0..100).map(|n| format!("key:{n}")).collect();
    let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();
    client.set_many(&items, Ttl::NEVER)?.all()?;

    second.stop();
    let found = client.get_many(&keys)?;
    println!("found {} of {} keys", found.hits().count(), keys.len());
    for error in found.errors() {
        println!("{error}");
    }

    // After three failures the server is left alone: its keys fail at once, and no other key is kept waiting.
    let lost = keys.iter().find(|key| *client.server_of(key) == *addresses[1].to_string());
    let lost = lost.ok_or("every key is on the first server")?;
    let mut errors = (0..5).filter_map(|_| client.get(lost).err());
    assert!(errors.any(|error| error.kind() == ErrorKind::Down));
    // For a page that must not fail, a dead server can be a miss.
    assert!(client.with_errors_as_misses(true).get(lost)?.is_none());

    // It is back, with nothing in it. The first answer ends the outage.
    let _second = Server::bind(addresses[1])?;
    while client.get(lost).is_err() {
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
