//! The verbs beside `fetch`: change, invalidate, count, store and look, on servers of both dialects.

use core::time::Duration;
use std::time::Instant;

use memring_std::{Content, ErrorKind, Feature, Freshness, Lifetime, MetaDeleteOptions, MetaGetOptions, Ttl};
use memring_suite::Memcached;

use crate::{
    client::{Client, Meta as _},
    run::{join_all, promises},
    support::{Fleet, fleet_promises},
};

promises! {
    all_of_it_works_on_old_servers
    repeating_an_invalidation_prolongs_nothing
}

fleet_promises! {
    an_update_sees_what_it_replaces
    no_update_is_lost_among_many
    an_update_and_a_loader_agree
    what_is_invalidated_is_served_until_it_is_replaced
    what_is_kept_for_no_time_is_deleted
    a_counter_makes_itself
    a_counter_and_a_value_are_told_apart
    what_was_put_is_fresh_and_what_is_loading_is_a_miss
}

const MINUTE: Ttl = Ttl::seconds(60);

fn page() -> Freshness {
    Freshness::new(MINUTE)
}

fn number(content: Option<&Content>) -> u64 {
    content.map_or(0, |content| str::from_utf8(&content.value).unwrap().parse().unwrap())
}

async fn loads<C: Client>(client: &C, key: &str, value: &'static str) -> bytes::Bytes {
    client.fetch(key, page(), async { Ok::<_, String>(value) }).await.unwrap()
}

async fn an_update_sees_what_it_replaces<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    for round in 1..=3 {
        let updated = client.update("k", MINUTE, |old| Some((number(old) + 1).to_string())).await.unwrap();
        assert_eq!((number(updated.content.as_ref()), updated.tries), (round, 1));
        assert!(!updated.is_uncertain);
    }
    let declined = client.update("k", MINUTE, |_| None::<String>).await.unwrap();
    assert_eq!(declined.content, None);
    let declined = client.update("l", MINUTE, |_| None::<String>).await.unwrap();
    assert_eq!((declined.content, client.get("l").await.unwrap().is_none()), (None, true));
    let flagged = |_: Option<&Content>| Some(Content { flags: 7, value: "v".into() });
    client.update("f", Lifetime::Keep, flagged).await.unwrap();
    assert_eq!(client.get("f").await.unwrap().unwrap().flags, 7);
    client.set("f", "short", Ttl::seconds(20)).await.unwrap();
    client.update("f", Lifetime::Keep, flagged).await.unwrap();
    let item = client.meta().get("f", MetaGetOptions::new().ttl()).await.unwrap().unwrap();
    assert!(item.info.ttl.is_some_and(|left| (15..=20).contains(&left)), "{item:?}");
    // What is about to end is no placeholder.
    client.set("e", "5", Ttl::seconds(5)).await.unwrap();
    let updated = client.update("e", MINUTE, |old| Some((number(old) + 1).to_string())).await.unwrap();
    assert_eq!(number(updated.content.as_ref()), 6);
    let error = client.update("k", Duration::ZERO, |_| Some("v")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ttl);
}

async fn no_update_is_lost_among_many<C: Client>(fleet: &Fleet<C>) {
    let tasks = (0..8).map(|_| {
        let client = fleet.client.clone();
        C::spawn(async move || {
            for _ in 0..5 {
                let add = |old: Option<&Content>| Some((number(old) + 1).to_string());
                client.update("k", MINUTE, add).await.unwrap();
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    join_all(tasks).await;
    assert_eq!(fleet.client.get("k").await.unwrap().unwrap().value, b"40"[..]);
}

async fn an_update_and_a_loader_agree<C: Client>(fleet: &Fleet<C>) {
    let (client, other) = (&fleet.client, C::builder().servers(&fleet.names).build().unwrap());
    for client in [client, &other] {
        let _ = client.delete("k").await.unwrap();
        let load = async {
            let updated =
                client.update("k", page(), |old| Some(format!("{:?}", old.is_some()))).await.unwrap();
            assert_eq!(updated.content.unwrap().value, "false", "a placeholder is no value");
            Ok::<_, String>("older")
        };
        assert_eq!(fleet.client.fetch("k", page(), load).await.unwrap(), "older");
        assert_eq!(loads(&other, "k", "loaded again").await, "false", "the update stays, and is fresh");
    }
}

async fn what_is_invalidated_is_served_until_it_is_replaced<C: Client>(fleet: &Fleet<C>) {
    let (client, other) = (&fleet.client, C::builder().servers(&fleet.names).build().unwrap());
    assert!(!client.invalidate("k", &page()).await.unwrap());
    loads(client, "k", "old").await;
    assert!(other.invalidate("k", &page()).await.unwrap());
    let load = async {
        assert_eq!(loads(&other, "k", "not loaded").await, "old");
        // Again, while it is being loaded: that was read before.
        assert!(other.invalidate("k", &page()).await.unwrap());
        Ok::<_, String>("too old")
    };
    assert_eq!(client.fetch("k", page(), load).await.unwrap(), "too old");
    assert_eq!(loads(client, "k", "new").await, "new");
    assert_eq!(loads(&other, "k", "not loaded").await, "new");
    // A key without a value has none to be served.
    let load = async {
        assert!(other.invalidate("l", &page()).await.unwrap());
        Ok::<_, String>("too old")
    };
    assert_eq!(client.fetch("l", page(), load).await.unwrap(), "too old");
    assert!(other.get("l").await.unwrap().is_none());
}

async fn what_is_kept_for_no_time_is_deleted<C: Client>(fleet: &Fleet<C>) {
    let strict = page().stale_for(Duration::ZERO);
    loads(&fleet.client, "k", "old").await;
    assert!(fleet.client.invalidate("k", &strict).await.unwrap());
    assert!(fleet.client.get("k").await.unwrap().is_none());
}

async fn repeating_an_invalidation_prolongs_nothing<C: Client>() {
    let server = Memcached::start();
    let client = C::connect([server.name()]).unwrap();
    let brief = Freshness::new(MINUTE).stale_for(Duration::from_secs(2)).lease(Duration::from_secs(1));
    client.put("k", "old", &brief).await.unwrap();
    let begin = Instant::now();
    loop {
        client.invalidate("k", &brief).await.unwrap();
        let failing = async { Err::<String, _>("no database".to_owned()) };
        if client.fetch("k", brief, failing).await.is_err() {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(5), "served for ever");
        C::sleep(Duration::from_millis(300)).await;
    }
    assert!(begin.elapsed() > Duration::from_millis(800));
}

async fn a_counter_makes_itself<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    assert_eq!(client.incr_or("k", 3, 10, Ttl::seconds(100)).await.unwrap(), 10);
    assert_eq!(client.incr_or("k", 3, 10, Ttl::seconds(1000)).await.unwrap(), 13);
    let item = client.meta().get("k", MetaGetOptions::new().ttl()).await.unwrap().unwrap();
    assert!(item.info.ttl.is_some_and(|left| left <= 100), "it is not prolonged");
    client.set("k", u64::MAX.to_string(), MINUTE).await.unwrap();
    assert_eq!(client.incr_or("k", 1, 0, MINUTE).await.unwrap(), 0);
    assert_eq!(client.incr_or("k", 1, 0, Duration::ZERO).await.unwrap_err().kind(), ErrorKind::Ttl);
    assert_eq!(client.incr_or("l", 1, 1, Ttl::NEVER).await.unwrap(), 1);
}

async fn a_counter_and_a_value_are_told_apart<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    let load = async {
        let error = client.incr_or("k", 1, 1, MINUTE).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::NonNumeric, "incr_or"));
        Ok::<_, String>("text")
    };
    assert_eq!(client.fetch("k", page(), load).await.unwrap(), "text");
    assert_eq!(client.incr_or("k", 1, 1, MINUTE).await.unwrap_err().kind(), ErrorKind::NonNumeric);
}

async fn what_was_put_is_fresh_and_what_is_loading_is_a_miss<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    assert_eq!(client.peek("k").await.unwrap(), None);
    let load = async {
        assert_eq!(client.peek("k").await.unwrap(), None, "a placeholder");
        client.put("k", "put", &page()).await.unwrap();
        Ok::<_, String>("loaded")
    };
    assert_eq!(client.fetch("k", page(), load).await.unwrap(), "loaded");
    assert_eq!(loads(client, "k", "not loaded").await, "put");
    let content = |flags, value: &'static str| Content { flags, value: value.into() };
    assert_eq!(client.peek("k").await.unwrap(), Some(Some(content(0, "put"))));
    client.put("k", None::<String>, &page()).await.unwrap();
    assert_eq!(client.peek("k").await.unwrap(), Some(None));
    client.put("k", content(7, ""), &page()).await.unwrap();
    assert_eq!(client.peek("k").await.unwrap(), Some(Some(content(7, ""))));
    client.put("k", "", &page()).await.unwrap();
    assert_eq!(client.peek("k").await.unwrap(), Some(Some(content(0, ""))));
    client.meta().delete("k", MetaDeleteOptions::new().mark_stale()).await.unwrap();
    assert_eq!(client.peek("k").await.unwrap(), Some(Some(content(0, ""))), "and nothing was won");
    assert_eq!(loads(client, "k", "loaded").await, "loaded");
}

async fn all_of_it_works_on_old_servers<C: Client>() {
    let server = Memcached::start();
    let client: C =
        C::builder().servers([server.name()]).server_cannot(server.name(), Feature::Meta).build().unwrap();
    assert_eq!(client.incr_or("n", 3, 10, MINUTE).await.unwrap(), 10);
    assert_eq!(client.incr_or("n", 3, 10, MINUTE).await.unwrap(), 13);
    for round in 1..=3 {
        let updated = client.update("u", MINUTE, |old| Some((number(old) + 1).to_string())).await.unwrap();
        assert_eq!(number(updated.content.as_ref()), round);
    }
    let error = client.update("u", Lifetime::Keep, |_| Some("v")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    client.put("k", "put", &page()).await.unwrap();
    let item = C::connect([server.name()]).unwrap().meta().get("k", MetaGetOptions::new().ttl()).await;
    assert!(item.unwrap().unwrap().info.ttl.is_some_and(|left| left <= 60), "nothing is stale there");
    assert_eq!(loads(&client, "k", "not loaded").await, "put");
    assert!(client.invalidate("k", &page()).await.unwrap());
    assert!(client.get("k").await.unwrap().is_none());
    assert!(!client.invalidate("k", &page()).await.unwrap());
    assert_eq!(loads(&client, "k", "loaded").await, "loaded");
}
