//! Operations of different kinds at once, on the server of the process and on a real memcached.

use core::time::Duration;

use memring_std::{Attributes, Batch, CasOutcome, ErrorKind, Ttl};
use memring_suite::{Scripted, refusing};

use crate::{
    client::Client,
    run::promises,
    support::{Fleet, fleet_promises},
};

promises! {
    a_server_that_is_not_there_takes_nothing_from_the_others
    what_must_not_be_done_twice_is_not_sent_twice
}

fleet_promises! {
    every_kind_has_its_result
    one_server_does_them_in_order
    large_values_both_ways_do_not_stand_in_each_others_way
    one_key_that_is_none_stops_all
    a_handle_of_another_batch_is_told_apart
    keys_may_be_placed_by_another
    items_are_shown_to_a_visitor
}

fn hour() -> Ttl {
    Ttl::seconds(3600)
}

async fn every_kind_has_its_result<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    client.set("there", "1", Attributes { flags: 7, ttl: hour() }).await.unwrap();
    client.set("count", "10", hour()).await.unwrap();
    client.set("word", "b", hour()).await.unwrap();
    let cas = client.gets("there").await.unwrap().unwrap().cas;
    let mut batch = Batch::new();
    let (hit, miss) = (batch.get("there"), batch.get("missing"));
    let (gets, gat, gats) = (batch.gets("there"), batch.gat("there", hour()), batch.gats("there", hour()));
    let set = batch.set("new", "v", hour());
    let (add, no_add) = (batch.add("added", "v", hour()), batch.add("there", "v", hour()));
    let (replace, no_replace) = (batch.replace("count", "20", hour()), batch.replace("x", "v", hour()));
    let (append, prepend) = (batch.append("word", "c"), batch.prepend("word", "a"));
    let (up, down, none) = (batch.incr("count", 5), batch.decr("count", 1), batch.incr("x", 1));
    let (stored, exists) = (batch.cas("there", "2", hour(), cas), batch.cas("there", "3", hour(), cas));
    let gone = batch.cas("x", "v", hour(), cas);
    let (touch, no_touch) = (batch.touch("there", hour()), batch.touch("x", hour()));
    let (delete, no_delete) = (batch.delete("new"), batch.delete("x"));
    let refused = batch.incr("word", 1);
    let mut outcomes = client.run(batch).await.unwrap();
    let item = outcomes.take(hit).unwrap().unwrap();
    assert_eq!((item.flags, item.cas, &item.value[..]), (7, None, &b"1"[..]));
    assert_eq!(outcomes.take(miss).unwrap(), None);
    assert_eq!(outcomes.take(gets).unwrap().unwrap().cas, cas);
    assert_eq!(outcomes.take(gat).unwrap().unwrap().cas, None);
    assert_eq!(outcomes.take(gats).unwrap().unwrap().cas, cas);
    outcomes.take(set).unwrap();
    assert_eq!((outcomes.take(add).unwrap(), outcomes.take(no_add).unwrap()), (true, false));
    assert_eq!((outcomes.take(replace).unwrap(), outcomes.take(no_replace).unwrap()), (true, false));
    assert!(outcomes.take(append).unwrap() && outcomes.take(prepend).unwrap());
    assert_eq!((outcomes.take(up).unwrap(), outcomes.take(down).unwrap()), (Some(25), Some(24)));
    assert_eq!(outcomes.take(none).unwrap(), None);
    assert_eq!(outcomes.take(stored).unwrap(), CasOutcome::Stored);
    assert_eq!(outcomes.take(exists).unwrap(), CasOutcome::Exists);
    assert_eq!(outcomes.take(gone).unwrap(), CasOutcome::NotFound);
    assert!(outcomes.take(touch).unwrap() && !outcomes.take(no_touch).unwrap());
    assert!(outcomes.take(delete).unwrap() && !outcomes.take(no_delete).unwrap());
    assert_eq!(outcomes.take(refused).unwrap_err().kind(), ErrorKind::NonNumeric);
    assert_eq!(outcomes.errors().len(), 1);
    assert_eq!(client.get("word").await.unwrap().unwrap().value, b"abc"[..]);
}

async fn one_server_does_them_in_order<C: Client>(fleet: &Fleet<C>) {
    let client = fleet.alone(&fleet.names[0]);
    let mut batch = Batch::new();
    batch.set("k", "0", hour());
    let counts: Vec<_> = (0..1000).map(|_| batch.incr("k", 1)).collect();
    let last = batch.get("k");
    let mut outcomes = client.run(batch).await.unwrap();
    for (before, count) in (1..).zip(counts) {
        assert_eq!(outcomes.take(count).unwrap(), Some(before));
    }
    assert_eq!(outcomes.take(last).unwrap().unwrap().value, b"1000"[..]);
}

async fn large_values_both_ways_do_not_stand_in_each_others_way<C: Client>(fleet: &Fleet<C>) {
    let client = fleet.alone(&fleet.names[0]).with_timeout(Duration::from_secs(20));
    let value = vec![b'v'; 900_000];
    client.set("old", &value, hour()).await.unwrap();
    let mut batch = Batch::new();
    let mut gets = Vec::new();
    for number in 0..20 {
        gets.push(batch.get("old"));
        batch.set(format!("new:{}", number % 4), &value, hour());
    }
    let mut outcomes = client.run(batch).await.unwrap();
    for get in gets {
        assert_eq!(outcomes.take(get).unwrap().unwrap().value.len(), value.len());
    }
    assert!(outcomes.errors().is_empty());
}

async fn one_key_that_is_none_stops_all<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    let mut batch = Batch::new();
    batch.set("k", "v", hour());
    batch.delete("a b");
    assert_eq!(client.run(batch).await.unwrap_err().kind(), ErrorKind::Key);
    let mut batch = Batch::new();
    batch.set("k", "v", hour());
    batch.set("large", vec![0; (1 << 20) + 1], hour());
    assert_eq!(client.run(batch).await.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(client.get("k").await.unwrap(), None);
    assert!(client.run(Batch::new()).await.unwrap().errors().is_empty());
}

async fn a_handle_of_another_batch_is_told_apart<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    let (mut one, mut other) = (Batch::new(), Batch::new());
    let (mine, foreign) = (one.get("k"), other.get("k"));
    let mut outcomes = client.run(one).await.unwrap();
    assert_eq!(outcomes.take(foreign).unwrap_err().kind(), ErrorKind::Config);
    assert!(outcomes.take(mine).unwrap().is_none());
}

async fn items_are_shown_to_a_visitor<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    let items: Vec<_> = (0..2000).map(|number| (format!("k{number}"), vec![b'v'; number % 700])).collect();
    client.set_many(&items, Attributes { flags: 3, ttl: hour() }).await.unwrap().all().unwrap();
    let mut keys: Vec<_> = items.iter().map(|(key, _)| key.clone()).collect();
    keys.extend(["missing".into(), "k7".into()]);
    let mut seen = vec![0; keys.len()];
    let visit = |position: usize, item: memring_std::ItemRef<'_>| {
        seen[position] += 1;
        assert_eq!((item.flags, item.value), (3, &*items.get(position).unwrap_or(&items[7]).1));
    };
    let found = client.get_many_with(&keys, visit).await.unwrap().all().unwrap();
    for (position, found) in found.into_iter().enumerate() {
        assert_eq!((seen[position], found), if position == 2000 { (0, false) } else { (1, true) });
    }
}

async fn keys_may_be_placed_by_another<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    let mut batch = Batch::new();
    batch.place_by("user:7");
    for number in 0..20 {
        batch.set(format!("k{number}"), "v", hour());
    }
    batch.place_by_key();
    batch.set("by itself", "v", hour());
    assert_eq!(client.run(batch).await.unwrap_err().kind(), ErrorKind::Key);
    let mut batch = Batch::new();
    batch.place_by("user:7");
    for number in 0..20 {
        batch.set(format!("k{number}"), "v", hour());
    }
    batch.place_by_key();
    batch.set("itself", "v", hour());
    client.run(batch).await.unwrap();
    let together = fleet.alone(&client.server_of("user:7"));
    let keys: Vec<_> = (0..20).map(|number| format!("k{number}")).collect();
    assert_eq!(together.get_many(&keys).await.unwrap().hits().count(), 20);
    assert!(client.get("itself").await.unwrap().is_some());
}

async fn a_server_that_is_not_there_takes_nothing_from_the_others<C: Client>() {
    let fleet = Fleet::<C>::embedded(1);
    let client = C::connect([fleet.names[0].clone(), refusing()]).unwrap();
    let mut batch = Batch::new();
    let handles: Vec<_> = (0..40)
        .map(|number| {
            let key = format!("k{number}");
            (*client.server_of(&key) == *fleet.names[0], batch.add(key, "v", hour()))
        })
        .collect();
    let mut outcomes = client.run(batch).await.unwrap();
    assert_eq!(outcomes.errors().len(), 1);
    for (is_there, handle) in handles {
        assert_eq!(outcomes.take(handle).is_ok(), is_there);
    }
}

/// The first request may be sent again, but not those behind it.
async fn what_must_not_be_done_twice_is_not_sent_twice<C: Client>() {
    let server = Scripted::hanging_up();
    let client = C::of(&server, Duration::from_secs(10));
    client.get("k").await.unwrap();
    let mut batch = Batch::new();
    let get = batch.get("k");
    let count = batch.incr("k", 1);
    let mut outcomes = client.run(batch).await.unwrap();
    let _ = outcomes.take(get);
    let error = outcomes.take(count).unwrap_err();
    assert!(error.is_ambiguous(), "{error:?}");
    assert!(server.received().matches("incr").count() <= 1);
}
