//! Servers that change while the client is in use.

use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::sync::Arc;

use memring_std::{Address, ErrorKind, ServerSpec, Ttl, testing::Server};

use crate::{
    client::Client,
    run::{join_all, promises, promises_on_threads},
};

promises! {
    a_name_is_placed_wherever_its_address_is
    servers_that_stay_keep_their_connections
    a_server_listed_twice_has_two_pools
    a_bad_list_changes_nothing
}

promises_on_threads! {
    operations_under_way_do_not_notice
}

fn names(servers: &[Server]) -> Vec<String> {
    servers.iter().map(|server| server.addr().to_string()).collect()
}

fn start(count: usize) -> Vec<Server> {
    (0..count).map(|_| Server::start().unwrap()).collect()
}

async fn a_name_is_placed_wherever_its_address_is<C: Client>() {
    let servers = start(2);
    let addresses: Vec<_> = servers.iter().map(|server| server.addr()).collect();
    let spec = |name: &str, at: usize| {
        ServerSpec::new(name, Address::tcp(addresses[at].ip().to_string(), addresses[at].port()))
    };
    let client = C::connect([spec("one", 0), spec("two", 1)]).unwrap();
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    let before = client.server_of("k");
    client.set_servers([spec("one", 1), spec("two", 0)]).unwrap();
    assert_eq!(client.server_of("k"), before);
    assert!(client.get("k").await.unwrap().is_none(), "it lies at the other address");
    client.set_servers([spec("one", 0), spec("two", 1)]).unwrap();
    assert!(client.get("k").await.unwrap().is_some());
}

async fn servers_that_stay_keep_their_connections<C: Client>() {
    let servers = start(3);
    let names = names(&servers);
    let client = C::connect(&names[..2]).unwrap();
    client.version().await;
    let open = |client: &C| client.servers().iter().map(|server| server.connections).collect::<Vec<_>>();
    assert_eq!(open(&client), [1, 1]);
    // Another order and another weight make no other server.
    client.set_servers([names[2].clone(), format!("{} 5", names[1]), names[0].clone()]).unwrap();
    assert_eq!(open(&client), [0, 1, 1]);
    client.version().await;
    assert_eq!(servers.iter().map(Server::connections).collect::<Vec<_>>(), [1, 1, 1]);
    client.set_servers(&names[..1]).unwrap();
    assert_eq!(open(&client), [1]);
}

async fn a_server_listed_twice_has_two_pools<C: Client>() {
    let servers = start(1);
    let name = &names(&servers)[0];
    let client = C::builder().servers([name, name]).pool_size(1).build().unwrap();
    for _ in 0..2 {
        assert!(client.version().await.into_iter().all(|answer| answer.result.is_ok()));
        client.set_servers([name, name]).unwrap();
    }
    assert_eq!(servers[0].connections(), 2);
}

async fn a_bad_list_changes_nothing<C: Client>() {
    let servers = start(1);
    let client = C::connect(names(&servers)).unwrap();
    for bad in [&["a:b"][..], &[]] {
        let error = client.set_servers(bad).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Config, "set_servers"));
    }
    client.set("k", "v", Ttl::NEVER).await.unwrap();
}

async fn operations_under_way_do_not_notice<C: Client>() {
    let servers = start(5);
    let names = names(&servers);
    let client = C::builder().servers(&names[..3]).timeout(Duration::from_secs(20)).build().unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for task in 0..8 {
        let (client, is_over) = (client.clone(), Arc::clone(&is_over));
        tasks.push(C::spawn(async move || {
            let keys: Vec<_> = (0..50).map(|number| format!("{task}:{number}")).collect();
            while !is_over.load(Ordering::Relaxed) {
                for key in &keys {
                    client.set(key, key, Ttl::NEVER).await.unwrap();
                    // Gone when the servers have changed in between, but never another's.
                    if let Some(item) = client.get(key).await.unwrap() {
                        assert_eq!(item.value, key.as_bytes());
                    }
                }
                for (position, item) in client.get_many(&keys).await.unwrap().hits() {
                    assert_eq!(item.value, keys[position].as_bytes());
                }
            }
        }));
    }
    for change in 0..200 {
        let (from, to) = if change % 2 == 0 { (1, 5) } else { (0, 3) };
        client.set_servers(&names[from..to]).unwrap();
        C::sleep(Duration::from_millis(1)).await;
    }
    is_over.store(true, Ordering::Relaxed);
    join_all(tasks).await;
    // What is not listed any more is not kept open.
    client.set_servers(&names[..1]).unwrap();
    C::until("connections to other servers end", async || {
        servers[1..].iter().all(|server| server.connections() == 0).then_some(())
    })
    .await;
}
