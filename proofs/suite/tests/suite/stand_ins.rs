//! What is written to a server that stands in for another: how long it lives, and who is right afterwards.

use memring_std::{Batch, FailurePolicy, MetaArithOptions, MetaGetOptions, MetaSetOptions, Ttl};
use memring_suite::{Memcached, refusing};

use crate::{
    client::{Builder, Client, Meta as _},
    health::{LONG, TOUCHY},
    run::promises,
};

promises! {
    nothing_lives_long_where_it_does_not_belong
    on_the_way_there_too
    in_a_batch_too_and_only_there
    the_servers_own_item_wins_and_the_other_one_ends
}

const CAP: u32 = 100;

fn seconds(seconds: u32) -> Ttl {
    Ttl::seconds(seconds)
}

/// A client of a server that is not there, and of a spare one.
fn builder<C: Client>(spare: &Memcached) -> Builder<C> {
    let builder = C::builder().servers([refusing()]).gutter([spare.name()]).stand_in_ttl(seconds(CAP));
    builder.health_policy(TOUCHY).timeout(LONG)
}

/// The seconds that an item has left on `server`; `None` for ever.
async fn left<C: Client>(server: &Memcached, key: &str) -> Option<u32> {
    let item = C::connect([server.name()]).unwrap().meta().get(key, MetaGetOptions::new().ttl()).await;
    let ttl = item.unwrap().expect("a hit").info.ttl.unwrap();
    (ttl >= 0).then(|| u32::try_from(ttl).unwrap())
}

async fn is_short<C: Client>(server: &Memcached, key: &str) -> bool {
    left::<C>(server, key).await.is_some_and(|left| left > 0 && left <= CAP)
}

async fn nothing_lives_long_where_it_does_not_belong<C: Client>() {
    let spare = Memcached::start();
    let client = builder::<C>(&spare).build().unwrap();
    for ttl in [Ttl::NEVER, seconds(CAP + 60), seconds(40 * 24 * 60 * 60)] {
        let verbs =
            ["add", "replace", "cas", "touch", "gat", "gats", "mg", "mg that makes it", "ma", "set_from"];
        for verb in verbs.into_iter().chain(["ms", "ms without a time"]) {
            let _ = client.delete("k").await.unwrap();
            client.set("k", "1", ttl).await.unwrap();
            assert!(is_short::<C>(&spare, "k").await, "set");
            C::connect([spare.name()]).unwrap().touch("k", Ttl::NEVER).await.unwrap();
            assert_eq!(left::<C>(&spare, "k").await, None);
            let is_done = match verb {
                "add" => client.delete("k").await.unwrap() && client.add("k", "1", ttl).await.unwrap(),
                "replace" => client.replace("k", "2", ttl).await.unwrap(),
                "cas" => {
                    let cas = client.gets("k").await.unwrap().unwrap().cas;
                    client.cas("k", "3", ttl, cas).await.is_ok()
                }
                "touch" => client.touch("k", ttl).await.unwrap(),
                "gat" => client.gat("k", ttl).await.unwrap().is_some(),
                "gats" => client.gats("k", ttl).await.unwrap().is_some(),
                "ms" => client.meta().set("k", "4", MetaSetOptions::new().ttl(ttl)).await.is_ok(),
                "ms without a time" => client.meta().set("k", "5", MetaSetOptions::new()).await.is_ok(),
                "mg" => client.meta().get("k", MetaGetOptions::new().touch(ttl)).await.unwrap().is_some(),
                "ma" => {
                    let make = MetaArithOptions::new().vivify(ttl);
                    client.delete("k").await.unwrap() && client.meta().arith("k", make).await.is_ok()
                }
                "set_from" => client.set_from("k", 5, &b"piece"[..], ttl).await.is_ok(),
                "mg that makes it" => {
                    client.delete("k").await.unwrap();
                    client.meta().get("k", MetaGetOptions::new().vivify(ttl)).await.unwrap().is_some()
                }
                _ => unreachable!(),
            };
            assert!(is_done && is_short::<C>(&spare, "k").await, "{verb}, {ttl:?}");
        }
    }
    client.set("k", "1", seconds(5)).await.unwrap();
    assert!(left::<C>(&spare, "k").await.unwrap() <= 5);
    let endless = builder::<C>(&spare).stand_in_ttl(Ttl::NEVER).build().unwrap();
    endless.set("k", "1", Ttl::NEVER).await.unwrap();
    assert_eq!(left::<C>(&spare, "k").await, None);
}

async fn on_the_way_there_too<C: Client>() {
    let spare = Memcached::start();
    // Nothing is known of the server that is away: every operation goes there first.
    let client = builder::<C>(&spare).health_policy(None).build().unwrap();
    client.meta().set("k", "1", MetaSetOptions::new()).await.unwrap();
    assert!(is_short::<C>(&spare, "k").await);
    client.set("k", "2", Ttl::NEVER).await.unwrap();
    assert!(is_short::<C>(&spare, "k").await);
    let item = client.meta().get("k", MetaGetOptions::new().value().touch(Ttl::NEVER)).await.unwrap();
    assert!(item.is_some() && is_short::<C>(&spare, "k").await);
}

async fn in_a_batch_too_and_only_there<C: Client>() {
    let (gone, good) = (refusing(), Memcached::start());
    let client = C::builder()
        .servers([gone.clone(), good.name()])
        .scheme_named("libmemcached-ketama-weighted", [("auto_eject_hosts", "1")])
        .failure_policy(FailurePolicy::Fallback)
        .health_policy(TOUCHY)
        .timeout(LONG)
        .build()
        .unwrap();
    let items: Vec<_> = (0..60).map(|number| (format!("key:{number}"), "v")).collect();
    C::until("all of them are stored", async || {
        client.set_many(&items, Ttl::NEVER).await.unwrap().all().ok()
    })
    .await;
    let is_short = async |key: &String| left::<C>(&good, key).await.is_some_and(|left| left <= 60);
    let is_moved = |key: &String| *client.server_of(key) == *gone;
    for (key, _) in &items {
        assert_eq!(is_short(key).await, is_moved(key));
    }
    let mut batch = Batch::new();
    for (key, _) in &items {
        batch.touch(key, Ttl::NEVER);
        batch.set(format!("new:{key}"), "v", Ttl::NEVER);
    }
    assert!(client.run(batch).await.unwrap().errors().is_empty());
    for (key, _) in &items {
        let new = format!("new:{key}");
        assert_eq!((is_short(key).await, is_short(&new).await), (is_moved(key), is_moved(&new)));
    }
}

async fn the_servers_own_item_wins_and_the_other_one_ends<C: Client>() {
    let (mut server, spare) = (Memcached::start(), Memcached::start());
    let client = C::builder().servers([server.name()]).gutter([spare.name()]).stand_in_ttl(seconds(1));
    let client = client.timeout(LONG).build().unwrap();
    let alone = |server: &Memcached| C::connect([server.name()]).unwrap();
    client.set("k", "first", Ttl::NEVER).await.unwrap();
    server.kill();
    C::until("the spare server has it", async || client.set("k", "elsewhere", Ttl::NEVER).await.ok()).await;
    server = Memcached::start_on(server.port());
    alone(&server).set("k", "own", Ttl::NEVER).await.unwrap();
    C::until("the server is asked again", async || {
        client.get("k").await.unwrap().filter(|item| item.value == b"own"[..]).map(drop)
    })
    .await;
    C::until("the other one is gone", async || alone(&spare).get("k").await.unwrap().is_none().then_some(()))
        .await;
    server.kill();
    let found = C::until("the spare server is asked", async || client.get("k").await.ok()).await;
    assert!(found.is_none(), "nothing old comes back");
}
