//! What stands before keys, and what they are placed by, in every verb.

use memring_std::{Batch, ErrorKind, MetaGetOptions, MetaSetOptions, Ttl};

use crate::{
    client::{Builder, Client, Meta as _},
    run::promises,
    support::Fleet,
};

promises! {
    keys_of_one_user_live_together
    a_namespace_is_put_before_every_key
    a_namespace_may_be_placed_with_the_key
    the_schemes_own_prefix_stands_first
    a_namespace_that_no_key_could_follow_is_refused
}

fn hour() -> Ttl {
    Ttl::seconds(3600)
}

fn builder<C: Client>(fleet: &Fleet<C>) -> Builder<C> {
    C::builder().servers(&fleet.names)
}

/// Stores with every kind of verb, and gives the keys.
async fn fill<C: Client>(client: &C) -> Vec<String> {
    client.set("set", "1", hour()).await.unwrap();
    client.add("add", "1", hour()).await.unwrap();
    client
        .set_many(&[("many:1", "1"), ("many:2", "1"), ("many:3", "1")], hour())
        .await
        .unwrap()
        .all()
        .unwrap();
    client.set_from("streamed", 1, &b"1"[..], hour()).await.unwrap();
    client.meta().set("meta", "1", MetaSetOptions::new()).await.unwrap();
    let mut batch = Batch::new();
    let stored = ["batch:1", "batch:2", "batch:3"].map(|key| batch.set(key, "1", hour()));
    let mut outcomes = client.run(batch).await.unwrap();
    stored.into_iter().for_each(|stored| outcomes.take(stored).unwrap());
    ["set", "add", "many:1", "many:2", "many:3", "streamed", "meta", "batch:1", "batch:2", "batch:3"]
        .map(String::from)
        .to_vec()
}

/// Reads with every kind of verb that each key is there, and is there no more when it was deleted.
async fn empty<C: Client>(client: &C, keys: &[String]) {
    let found = client.get_many(keys).await.unwrap();
    assert_eq!(found.hits().count(), keys.len());
    for key in keys {
        assert!(client.get(key).await.unwrap().is_some(), "{key}");
        assert!(client.gets(key).await.unwrap().is_some(), "{key}");
        assert!(client.gat(key, hour()).await.unwrap().is_some(), "{key}");
        assert!(client.get_to(key, &mut Vec::new()).await.unwrap().is_some(), "{key}");
        assert!(client.get_into(key, &mut Vec::new()).await.unwrap().is_some(), "{key}");
        assert!(client.meta().get(key, MetaGetOptions::new()).await.unwrap().is_some(), "{key}");
        assert!(client.touch(key, hour()).await.unwrap(), "{key}");
        assert_eq!(client.incr(key, 1).await.unwrap(), Some(2), "{key}");
        let mut batch = Batch::new();
        let get = batch.get(key);
        assert!(client.run(batch).await.unwrap().take(get).unwrap().is_some(), "{key}");
    }
    let (first, rest) = keys.split_first().unwrap();
    assert!(client.delete(first).await.unwrap());
    let deleted = client.delete_many(rest).await.unwrap().all().unwrap();
    assert!(deleted.into_iter().all(|deleted| deleted));
}

async fn keys_of_one_user_live_together<C: Client>() {
    let fleet = Fleet::<C>::memcached(3);
    for user in ["user:1", "user:2", "user:3", "user:4"] {
        let client = fleet.client.routed_by(user);
        let keys = fill(&client).await;
        let home = fleet.client.server_of(user);
        assert_eq!(client.server_of("anything"), home);
        let alone = fleet.alone(&home);
        assert_eq!(alone.get_many(&keys).await.unwrap().hits().count(), keys.len());
        empty(&client, &keys).await;
    }
}

async fn a_namespace_is_put_before_every_key<C: Client>() {
    let fleet = Fleet::<C>::memcached(3);
    let client = builder(&fleet).namespace("app1:").build().unwrap();
    let other = builder(&fleet).namespace("app2:").build().unwrap();
    let keys = fill(&client).await;
    assert_eq!(other.get_many(&keys).await.unwrap().hits().count(), 0);
    for key in &keys {
        // It lies where the key itself does.
        let server = fleet.client.server_of(key);
        assert_eq!(client.server_of(key), server);
        let there = fleet.alone(&server).get(format!("app1:{key}")).await.unwrap();
        assert!(there.is_some(), "{key}");
    }
    empty(&client, &keys).await;
}

async fn a_namespace_may_be_placed_with_the_key<C: Client>() {
    let fleet = Fleet::<C>::memcached(3);
    let client = builder(&fleet).namespace("app1:").place_by_namespace(true).build().unwrap();
    let keys = fill(&client).await;
    for key in &keys {
        let whole = format!("app1:{key}");
        assert_eq!(client.server_of(key), fleet.client.server_of(&whole));
        assert!(fleet.client.get(&whole).await.unwrap().is_some(), "{key}");
    }
    empty(&client, &keys).await;
    let routed = client.routed_by("user:7");
    assert_eq!(routed.server_of("k"), fleet.client.server_of("app1:user:7"));
}

async fn the_schemes_own_prefix_stands_first<C: Client>() {
    let fleet = Fleet::<C>::memcached(1);
    let builder = builder(&fleet).namespace("app:");
    let client = builder.scheme_named("libmemcached-ketama-weighted", [("prefix", "p:")]).build().unwrap();
    client.set("k", "v", hour()).await.unwrap();
    assert!(fleet.client.get("p:app:k").await.unwrap().is_some());
    assert_eq!(client.get("").await.unwrap_err().kind(), ErrorKind::Key);
    assert_eq!(client.get("k".repeat(245)).await.unwrap_err().kind(), ErrorKind::Key);
    assert!(client.get("k".repeat(244)).await.unwrap().is_none());
}

async fn a_namespace_that_no_key_could_follow_is_refused<C: Client>() {
    let fleet = Fleet::<C>::embedded(1);
    for namespace in ["two words", &"n".repeat(250)] {
        let error = builder(&fleet).namespace(namespace).build().unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Config, "namespace"));
    }
}
