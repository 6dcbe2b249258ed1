//! Every verb, on the server of the process and on a real memcached.

use core::time::Duration;

use memring_std::{
    ArrayBuffer, Attributes, CasOutcome, ErrorKind, Limits, StatsKind, Ttl, UnixTime, testing::Server,
};
use memring_suite::Memcached;

use crate::{
    client::Client,
    run::promises,
    support::{Fleet, fleet_promises},
};

promises! {
    a_unix_socket_will_do
    a_host_may_be_a_name
}

fleet_promises! {
    what_is_stored_is_read_back
    a_miss_is_no_error
    conditions_are_results
    append_and_prepend_keep_the_flags
    a_changed_item_is_not_overwritten
    counters_stop_and_wrap
    what_is_no_number_cannot_be_counted
    an_item_lives_as_long_as_it_is_given
    an_item_lies_where_the_placement_says
    a_prefix_is_put_before_every_key
    a_value_that_does_not_fit_is_said_so
    a_value_too_large_for_the_server_is_refused
    results_are_in_the_order_of_the_keys
    a_batch_of_any_size_is_complete
    batches_store_and_delete
    every_server_answers
    clones_share_their_connections
}

/// Lives so long that no test sees its end.
const HOUR: Duration = Duration::from_secs(3600);

fn hour() -> Ttl {
    Ttl::after(HOUR)
}

/// A moment that has passed.
fn past() -> Ttl {
    Ttl::at(UnixTime::from_secs(1))
}

async fn value<C: Client>(client: &C, key: &str) -> Option<C::Value> {
    client.get(key).await.unwrap().map(|item| item.value)
}

async fn what_is_stored_is_read_back<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    let long: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let values: [&[u8]; 5] = [b"", b"v", b"END\r\nVALUE k 0 1\r\n", &[0; 2000], &long];
    let mut longest = [b'k'; 250];
    longest[7] = 0xff;
    for key in [&b"k"[..], "schl\u{fc}ssel".as_bytes(), &longest] {
        for value in values {
            let attributes = Attributes { flags: 0xdead_beef, ttl: hour() };
            client.set(key, value, attributes).await.unwrap();
            let item = client.get(key).await.unwrap().expect("it was just stored");
            assert_eq!((item.flags, item.cas), (0xdead_beef, None));
            assert!(item.value == value, "{} bytes", value.len());
        }
    }
}

async fn a_miss_is_no_error<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    assert_eq!(client.get("k").await.unwrap(), None);
    assert_eq!(client.gets("k").await.unwrap(), None);
    assert_eq!(client.gat("k", hour()).await.unwrap(), None);
    assert_eq!(client.gats("k", hour()).await.unwrap(), None);
    assert!(!client.replace("k", "v", hour()).await.unwrap());
    assert!(!client.append("k", "v").await.unwrap());
    assert!(!client.prepend("k", "v").await.unwrap());
    assert_eq!(client.cas("k", "v", hour(), 1).await.unwrap(), CasOutcome::NotFound);
    assert!(!client.delete("k").await.unwrap());
    assert!(!client.touch("k", hour()).await.unwrap());
    assert_eq!(client.incr("k", 1).await.unwrap(), None);
    assert_eq!(client.decr("k", 1).await.unwrap(), None);
}

async fn conditions_are_results<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    assert!(client.add("k", "first", hour()).await.unwrap());
    assert!(!client.add("k", "second", hour()).await.unwrap());
    assert_eq!(value(client, "k").await.unwrap(), b"first"[..]);
    assert!(client.replace("k", "third", hour()).await.unwrap());
    assert_eq!(value(client, "k").await.unwrap(), b"third"[..]);
    assert!(client.delete("k").await.unwrap());
    assert_eq!(value(client, "k").await, None);
}

async fn append_and_prepend_keep_the_flags<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    client.set("k", "b", Attributes { flags: 7, ttl: hour() }).await.unwrap();
    assert!(client.append("k", "c").await.unwrap());
    assert!(client.prepend("k", "a").await.unwrap());
    let item = client.get("k").await.unwrap().unwrap();
    assert_eq!((item.flags, &item.value[..]), (7, &b"abc"[..]));
}

async fn a_changed_item_is_not_overwritten<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    client.set("k", "1", hour()).await.unwrap();
    let cas = client.gets("k").await.unwrap().unwrap().cas;
    assert_eq!(client.cas("k", "2", hour(), cas).await.unwrap(), CasOutcome::Stored);
    assert_eq!(client.cas("k", "3", hour(), cas).await.unwrap(), CasOutcome::Exists);
    assert_eq!(value(client, "k").await.unwrap(), b"2"[..]);
    let touched = client.gats("k", hour()).await.unwrap().unwrap().cas;
    assert_eq!(client.cas("k", "4", hour(), touched).await.unwrap(), CasOutcome::Stored);
}

async fn counters_stop_and_wrap<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    client.set("k", "10", hour()).await.unwrap();
    assert_eq!(client.incr("k", 5).await.unwrap(), Some(15));
    assert_eq!(client.decr("k", 20).await.unwrap(), Some(0));
    client.set("k", u64::MAX.to_string(), hour()).await.unwrap();
    assert_eq!(client.incr("k", 2).await.unwrap(), Some(1));
}

async fn what_is_no_number_cannot_be_counted<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    client.set("k", "ten", hour()).await.unwrap();
    let error = client.incr("k", 1).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::NonNumeric, "incr"));
    assert_eq!(error.server(), Some(&*client.server_of("k")));
    assert_eq!(connections(client), 1, "the connection is as good as before");
}

async fn an_item_lives_as_long_as_it_is_given<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    client.set("k", "v", past()).await.unwrap();
    assert_eq!(value(client, "k").await, None);
    // More than 30 days, which the wire says as a moment.
    let forty_days = Ttl::after(40 * 24 * HOUR);
    client.set("k", "v", forty_days).await.unwrap();
    assert!(value(client, "k").await.is_some());
    assert!(client.touch("k", past()).await.unwrap());
    assert_eq!(value(client, "k").await, None);
    client.set("k", "v", Ttl::NEVER).await.unwrap();
    assert_eq!(client.gat("k", past()).await.unwrap().unwrap().value, b"v"[..]);
    assert_eq!(value(client, "k").await, None);
    client.set("k", "v", Ttl::seconds(3600)).await.unwrap();
    assert!(value(client, "k").await.is_some());
}

async fn an_item_lies_where_the_placement_says<C: Client>(fleet: &Fleet<C>) {
    for number in 0..50 {
        let key = format!("key:{number}");
        fleet.client.set(&key, "v", hour()).await.unwrap();
        for name in &fleet.names {
            let is_here = value(&fleet.alone(name), &key).await.is_some();
            assert_eq!(is_here, *name == *fleet.client.server_of(&key), "{key} on {name}");
        }
    }
}

async fn a_prefix_is_put_before_every_key<C: Client>(fleet: &Fleet<C>) {
    let server = &fleet.names[..1];
    let builder = C::builder().servers(server);
    let prefixed =
        builder.scheme_named("libmemcached-ketama-weighted", [("prefix", "app:")]).build().unwrap();
    let plain = C::connect(server).unwrap();
    prefixed.set("k", "v", hour()).await.unwrap();
    assert_eq!(value(&plain, "app:k").await.unwrap(), b"v"[..]);
    assert_eq!(prefixed.get_many(&["x", "k"]).await.unwrap().hits().count(), 1);
    assert!(prefixed.delete_many(&["k"]).await.unwrap().all().unwrap()[0]);
    assert_eq!(value(&plain, "app:k").await, None);
    let too_long = prefixed.get("k".repeat(247)).await.unwrap_err();
    assert_eq!(too_long.kind(), ErrorKind::Key);
    assert!(prefixed.get("k".repeat(246)).await.is_ok());
    for error in [prefixed.get("").await.unwrap_err(), prefixed.get_many(&["a", ""]).await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Key);
    }
}

async fn a_value_that_does_not_fit_is_said_so<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    client.set("k", "hello", hour()).await.unwrap();
    let error = client.get_into("k", ArrayBuffer::<4>::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BufferFull);
    assert!(client.get_into("k", ArrayBuffer::<5>::new()).await.unwrap().is_some());
    assert_eq!(connections(client), 1, "the connection is as good as before");
}

async fn a_value_too_large_for_the_server_is_refused<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    let value = vec![b'v'; 1 << 20];
    client.set("k", "old", hour()).await.unwrap();
    let error = client.set("k", &value, hour()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.server_error().is_some() && !error.is_ambiguous());
    assert_eq!(connections(client), 1, "the connection is as good as before");
    assert_eq!(client.get("k").await.unwrap(), None, "a set that is too large loses the old value");
    // One byte more, and the client refuses by itself; nothing is sent, so nothing is lost.
    client.set("k", "old", hour()).await.unwrap();
    let error = client.set("k", [&value[..], b"v"].concat(), hour()).await.unwrap_err();
    assert_eq!((error.kind(), error.server()), (ErrorKind::TooLarge, None));
    assert_eq!(client.get("k").await.unwrap().unwrap().value, b"old"[..]);
    let limits = Limits { value: 10, ..Limits::DEFAULT };
    let strict = C::builder().servers(&fleet.names).limits(limits).build().unwrap();
    assert_eq!(strict.set("k", "01234567890", hour()).await.unwrap_err().kind(), ErrorKind::TooLarge);
    let items = [("a", "0123456789"), ("k", "01234567890")];
    assert_eq!(strict.set_many(&items, hour()).await.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(client.get("a").await.unwrap(), None, "nothing of a batch is sent when part of it cannot be");
}

async fn results_are_in_the_order_of_the_keys<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    for number in (0..60).step_by(3) {
        client.set(format!("k{number}"), number.to_string(), hour()).await.unwrap();
    }
    // Some twice.
    let numbers: Vec<u32> = (0..60).rev().chain(0..9).collect();
    let keys: Vec<_> = numbers.iter().map(|number| format!("k{number}")).collect();
    let found = client.get_many(&keys).await.unwrap();
    assert!(found.errors().is_empty());
    assert_eq!(found.results().len(), keys.len());
    for (number, result) in numbers.iter().zip(found.results()) {
        let value = result.as_ref().unwrap().as_ref().map(|item| item.value.to_vec());
        let stored = number.is_multiple_of(3).then(|| number.to_string().into_bytes());
        assert_eq!(value, stored, "k{number}");
    }
    assert_eq!(client.get_many(&[""; 0]).await.unwrap().results().len(), 0);
}

async fn a_batch_of_any_size_is_complete<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    let item = |number: usize| (format!("{number}-{}", "k".repeat(number % 240)), vec![b'v'; number % 3000]);
    let items: Vec<_> = (0..4000).map(item).collect();
    client.set_many(&items, hour()).await.unwrap().all().unwrap();
    let keys: Vec<_> = items.iter().map(|(key, _)| key).collect();
    let found = client.get_many(&keys).await.unwrap().all().unwrap();
    for ((key, value), found) in items.iter().zip(found) {
        assert!(found.is_some_and(|item| item.value == *value), "{key}");
    }
}

async fn batches_store_and_delete<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    let items = [("a", "1"), ("b", "2"), ("c", "3")];
    client.set_many(&items, Attributes { flags: 9, ttl: hour() }).await.unwrap().all().unwrap();
    for (key, value) in items {
        let item = client.get(key).await.unwrap().unwrap();
        assert_eq!((item.flags, &item.value[..]), (9, value.as_bytes()));
    }
    let deleted = client.delete_many(&["a", "x", "c", "a"]).await.unwrap().all().unwrap();
    assert_eq!(deleted, [true, false, true, false]);
    assert_eq!(client.get_many(&["a", "b", "c"]).await.unwrap().hits().count(), 1);
}

async fn every_server_answers<C: Client>(fleet: &Fleet<C>) {
    let client = &fleet.client;
    client.set("k", "v", hour()).await.unwrap();
    let versions = client.version().await;
    let names: Vec<_> = versions.iter().map(|answer| &*answer.server).collect();
    assert_eq!(names, fleet.names);
    for answer in versions {
        assert!(answer.result.unwrap().starts_with(|first: char| first.is_ascii_digit()));
    }
    let count = |answer: memring_std::FromServer<memring_std::Stats<Vec<u8>>>| {
        let stats = answer.result.unwrap();
        str::from_utf8(stats.value("curr_items").unwrap()).unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(client.stats(StatsKind::General).await.into_iter().map(count).sum::<u32>(), 1);
    assert!(client.stats(StatsKind::Reset).await.into_iter().all(|answer| answer.result.is_ok()));
    assert!(client.verbosity(0).await.into_iter().all(|answer| answer.result.is_ok()));
    assert!(client.flush_all(None).await.into_iter().all(|answer| answer.result.is_ok()));
    assert_eq!(value(client, "k").await, None);
}

async fn clones_share_their_connections<C: Client>(fleet: &Fleet<C>) {
    let one = &fleet.client;
    let other = one.clone();
    one.set("k", "v", hour()).await.unwrap();
    assert_eq!(value(&other, "k").await.unwrap(), b"v"[..]);
    assert_eq!(connections(one), 1);
}

async fn a_unix_socket_will_do<C: Client>() {
    let (_server, path) = Memcached::start_unix();
    let client = C::connect([format!("here={}", path.display())]).unwrap();
    client.set("k", "v", hour()).await.unwrap();
    assert_eq!(value(&client, "k").await.unwrap(), b"v"[..]);
    assert_eq!(&*client.server_of("k"), "here");
}

async fn a_host_may_be_a_name<C: Client>() {
    // The name has an IPv6 address too on many systems, where nobody listens: all are tried.
    let server = Server::start().unwrap();
    let client = C::connect([format!("localhost:{}", server.addr().port())]).unwrap();
    client.set("k", "v", hour()).await.unwrap();
    assert_eq!(value(&client, "k").await.unwrap(), b"v"[..]);
}

/// How many connections there are, in use or not.
fn connections<C: Client>(client: &C) -> usize {
    client.servers().iter().map(|server| server.connections).sum()
}
