//! What the verbs do, on the server of the process and on a real memcached.

use core::time::Duration;
use std::sync::Arc;

use memring_tokio::{Attributes, Client, Ttl};
use tokio::task::JoinSet;

use crate::support::Fleet;

macro_rules! on_both {
    ($($name:ident)*) => {
        mod embedded {
            $(#[tokio::test] async fn $name() { super::$name(&super::Fleet::embedded(3)).await; })*
        }
        mod memcached {
            $(#[tokio::test] async fn $name() { super::$name(&super::Fleet::memcached(3)).await; })*
        }
    };
}

on_both! {
    what_is_stored_is_read_back
    a_prefix_is_put_before_every_key
    tasks_get_what_they_asked_for
    an_item_lies_where_the_placement_says
}

async fn what_is_stored_is_read_back(fleet: &Fleet) {
    let client = &fleet.client;
    let lengths = [0, 1, 1000, 16 * 1024, 40_000, 1_000_000];
    for len in lengths {
        let key = format!("key:{len}");
        assert_eq!(client.get(&key).await.unwrap(), None);
        let value: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        let attributes = Attributes { flags: u32::try_from(len).unwrap(), ttl: Ttl::NEVER };
        client.set(&key, &value, attributes).await.unwrap();
        let item = client.get(&key).await.unwrap().unwrap();
        assert_eq!((item.flags, item.cas), (attributes.flags, None));
        assert!(item.value == value, "{len} bytes");
    }
}

async fn a_prefix_is_put_before_every_key(fleet: &Fleet) {
    let with_prefix = Client::builder()
        .servers(&fleet.names)
        .scheme_named("libmemcached-ketama-weighted", [("prefix", "shop:")])
        .build()
        .unwrap();
    with_prefix.set("k", "v", Ttl::NEVER).await.unwrap();
    assert_eq!(with_prefix.get("k").await.unwrap().unwrap().value, "v");
    let name = with_prefix.server_of("k");
    let plain = Client::connect([&*name]).unwrap();
    assert_eq!(plain.get("shop:k").await.unwrap().unwrap().value, "v");
    assert!(plain.get("k").await.unwrap().is_none());
}

async fn tasks_get_what_they_asked_for(fleet: &Fleet) {
    let client = &fleet.client;
    let mut tasks = JoinSet::new();
    for task in 0..100 {
        let client = client.clone();
        tasks.spawn(async move {
            for round in 0..50 {
                let (key, value) = (format!("key:{task}:{}", round % 5), format!("{task}/{round}"));
                client.set(&key, &value, Ttl::NEVER).await.unwrap();
                assert_eq!(client.get(&key).await.unwrap().unwrap().value, value);
                assert!(client.get(format!("none:{task}")).await.unwrap().is_none());
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
}

async fn an_item_lies_where_the_placement_says(fleet: &Fleet) {
    for number in 0..50 {
        let key = format!("key:{number}");
        fleet.client.set(&key, &key, Ttl::NEVER).await.unwrap();
        let holder: Arc<str> = fleet.client.server_of(&key);
        for name in &fleet.names {
            let alone = Client::connect([name]).unwrap();
            assert_eq!(alone.get(&key).await.unwrap().is_some(), **name == *holder);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_share_one_connection() {
    let server = memring_std::testing::Server::start().unwrap();
    let client = crate::support::client(&[server.addr().to_string()], Duration::from_secs(10));
    let mut tasks = JoinSet::new();
    for task in 0..200 {
        let client = client.clone();
        tasks.spawn(async move {
            let key = format!("key:{task}");
            client.set(&key, &key, Ttl::NEVER).await.unwrap();
            for _ in 0..100 {
                assert_eq!(client.get(&key).await.unwrap().unwrap().value, key);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    assert_eq!(server.connections(), 1);
}
