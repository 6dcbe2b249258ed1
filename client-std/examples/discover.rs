//! Servers are found out while the client runs: one is replaced, another one joins, and the source fails.
//!
//! `cargo run -p memring-std --example discover`

use core::{error::Error, time::Duration};
use std::{
    sync::{Arc, Mutex, mpsc},
    thread,
};

use memring_std::{
    Address, Client, Event, Ttl,
    discovery::{Discovery, Source},
    roster::Member,
    testing::Server,
};

fn main() -> Result<(), Box<dyn Error>> {
    let servers: Vec<_> = (0..4).map(|_| Server::start()).collect::<Result<_, _>>()?;
    // What a registry would say: pods by their names, whatever their addresses are.
    let pod = |number: usize, at: &Server| {
        Member::at(Address::tcp("127.0.0.1", at.addr().port())).called(format!("memcached-{number}"))
    };
    let registry = Arc::new(Mutex::new(vec![pod(0, &servers[0]), pod(1, &servers[1])]));
    let asked = Arc::clone(&registry);
    let mut discovery = Discovery::new(Source::function(move || match asked.lock() {
        Ok(pods) if pods.is_empty() => Err("no pod is ready"),
        Ok(pods) => Ok(pods.clone()),
        Err(_) => Err("the registry is broken"),
    }));
    // Ten seconds would be long for an example.
    discovery.pace.interval = Some(Duration::from_millis(20));

    let (tell, told) = mpsc::channel();
    let builder = Client::builder().discovery(discovery).on_event(move |event| {
        let says = match event {
            Event::ServersChanged { change, share, .. } => {
                format!("{} servers, {:.0} % of the keys move", change.after().len(), 100.0 * share)
            }
            Event::AddressChanged { server, .. } => format!("{server} has another address, no key moves"),
            Event::SourceFailed { why, .. } => format!("the servers stay as they are: {why}"),
            _ => return,
        };
        // The example may be over.
        let _ = tell.send(says);
    });
    let client = Client::discover(builder.config()?)?;
    let keys: Vec<_> = (0..1000).map(|number| format!("key:{number}")).collect();
    let items: Vec<_> = keys.iter().map(|key| (key, "there")).collect();
    client.set_many(&items, Ttl::NEVER)?.all()?;

    let changes = [
        vec![pod(0, &servers[0]), pod(1, &servers[2])],
        vec![pod(0, &servers[0]), pod(1, &servers[2]), pod(2, &servers[3])],
        vec![],
    ];
    for pods in changes {
        *registry.lock().map_err(|_| "the registry is broken")? = pods;
        println!("{}", told.recv_timeout(Duration::from_secs(10))?);
        // It is told before it is done.
        thread::sleep(Duration::from_millis(20));
        println!("  found {} of {} keys", client.get_many(&keys)?.hits().count(), keys.len());
    }
    Ok(())
}
