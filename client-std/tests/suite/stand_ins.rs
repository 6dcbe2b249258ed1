//! What is written to a server that stands in for another: how long it lives, and who is right afterwards.

use memring_std::{
    Batch, Builder, Client, FailurePolicy, MetaArithOptions, MetaGetOptions, MetaSetOptions, Ttl,
};

use crate::health::{LONG, TOUCHY};
use crate::support::{Memcached, refusing, until};

const CAP: u32 = 100;

fn seconds(seconds: u32) -> Ttl {
    Ttl::seconds(seconds)
}

/// A client of a server that is not there, and of a spare one.
fn builder(spare: &Memcached) -> Builder {
    let builder = Client::builder().servers([refusing()]).gutter([spare.name()]).stand_in_ttl(seconds(CAP));
    builder.health_policy(TOUCHY).timeout(LONG)
}

/// The seconds that an item has left on `server`; `None` for ever.
fn left(server: &Memcached, key: &str) -> Option<u32> {
    let item = Client::connect([server.name()]).unwrap().meta().get(key, MetaGetOptions::new().ttl());
    let ttl = item.unwrap().expect("a hit").info.ttl.unwrap();
    (ttl >= 0).then(|| u32::try_from(ttl).unwrap())
}

fn is_short(server: &Memcached, key: &str) -> bool {
    left(server, key).is_some_and(|left| left > 0 && left <= CAP)
}

#[test]
fn nothing_lives_long_where_it_does_not_belong() {
    let spare = Memcached::start();
    let client = builder(&spare).build().unwrap();
    for ttl in [Ttl::NEVER, seconds(CAP + 60), seconds(40 * 24 * 60 * 60)] {
        let refresh = || {
            client.delete("k").unwrap();
            client.set("k", "1", ttl).unwrap();
            assert!(is_short(&spare, "k"), "set");
            Client::connect([spare.name()]).unwrap().touch("k", Ttl::NEVER).unwrap();
            assert_eq!(left(&spare, "k"), None);
        };
        let writes: [(&str, &dyn Fn() -> bool); 11] = [
            ("add", &|| client.delete("k").unwrap() && client.add("k", "1", ttl).unwrap()),
            ("replace", &|| client.replace("k", "2", ttl).unwrap()),
            ("cas", &|| {
                let cas = client.gets("k").unwrap().unwrap().cas.unwrap();
                client.cas("k", "3", ttl, cas).is_ok()
            }),
            ("touch", &|| client.touch("k", ttl).unwrap()),
            ("gat", &|| client.gat("k", ttl).unwrap().is_some()),
            ("gats", &|| client.gats("k", ttl).unwrap().is_some()),
            ("ms", &|| client.meta().set("k", "4", MetaSetOptions::new().ttl(ttl)).is_ok()),
            ("ms without a time", &|| client.meta().set("k", "5", MetaSetOptions::new()).is_ok()),
            ("mg", &|| client.meta().get("k", MetaGetOptions::new().touch(ttl)).unwrap().is_some()),
            ("ma", &|| {
                let make = MetaArithOptions::new().vivify(ttl);
                client.delete("k").unwrap() && client.meta().arith("k", make).is_ok()
            }),
            ("set_from", &|| client.set_from("k", 5, &b"piece"[..], ttl).is_ok()),
        ];
        for (name, write) in writes {
            refresh();
            assert!(write() && is_short(&spare, "k"), "{name} {ttl:?}");
        }
        client.delete("k").unwrap();
        client.meta().get("k", MetaGetOptions::new().vivify(ttl)).unwrap().unwrap();
        assert!(is_short(&spare, "k"), "vivify {ttl:?}");
    }
    client.set("k", "1", seconds(5)).unwrap();
    assert!(left(&spare, "k").unwrap() <= 5);
    let endless = builder(&spare).stand_in_ttl(Ttl::NEVER).build().unwrap();
    endless.set("k", "1", Ttl::NEVER).unwrap();
    assert_eq!(left(&spare, "k"), None);
}

#[test]
fn on_the_way_there_too() {
    let spare = Memcached::start();
    // Nothing is known of the server that is away: every operation goes there first.
    let client = builder(&spare).health_policy(None).build().unwrap();
    client.meta().set("k", "1", MetaSetOptions::new()).unwrap();
    assert!(is_short(&spare, "k"));
    client.set("k", "2", Ttl::NEVER).unwrap();
    assert!(is_short(&spare, "k"));
    let item = client.meta().get("k", MetaGetOptions::new().value().touch(Ttl::NEVER)).unwrap();
    assert!(item.is_some() && is_short(&spare, "k"));
}

#[test]
fn in_a_batch_too_and_only_there() {
    let (gone, good) = (refusing(), Memcached::start());
    let client = Client::builder()
        .servers([gone.clone(), good.name()])
        .scheme_named("libmemcached-ketama-weighted", [("auto_eject_hosts", "1")])
        .failure_policy(FailurePolicy::Fallback)
        .health_policy(TOUCHY)
        .timeout(LONG)
        .build()
        .unwrap();
    let items: Vec<_> = (0..60).map(|number| (format!("key:{number}"), "v")).collect();
    until("all of them are stored", || client.set_many(&items, Ttl::NEVER).unwrap().all().ok());
    let is_short = |key: &String| left(&good, key).is_some_and(|left| left <= 60);
    let is_moved = |key: &String| *client.server_of(key) == *gone;
    assert!(items.iter().all(|(key, _)| is_short(key) == is_moved(key)));
    let mut batch = Batch::new();
    for (key, _) in &items {
        batch.touch(key, Ttl::NEVER);
        batch.set(format!("new:{key}"), "v", Ttl::NEVER);
    }
    assert!(client.run(batch).unwrap().errors().is_empty());
    for (key, _) in &items {
        let new = format!("new:{key}");
        assert_eq!((is_short(key), is_short(&new)), (is_moved(key), is_moved(&new)));
    }
}

#[test]
fn the_servers_own_item_wins_and_the_other_one_ends() {
    let (mut server, spare) = (Memcached::start(), Memcached::start());
    let client = Client::builder().servers([server.name()]).gutter([spare.name()]).stand_in_ttl(seconds(1));
    let client = client.timeout(LONG).build().unwrap();
    let alone = |server: &Memcached| Client::connect([server.name()]).unwrap();
    client.set("k", "first", Ttl::NEVER).unwrap();
    server.kill();
    until("the spare server has it", || client.set("k", "elsewhere", Ttl::NEVER).ok());
    server = Memcached::start_on(server.port());
    alone(&server).set("k", "own", Ttl::NEVER).unwrap();
    until("the server is asked again", || {
        client.get("k").unwrap().filter(|item| item.value == b"own").map(drop)
    });
    until("the other one is gone", || alone(&spare).get("k").unwrap().is_none().then_some(()));
    server.kill();
    assert!(until("the spare server is asked", || client.get("k").ok()).is_none(), "nothing old comes back");
}
