//! One of five servers stands still. Those who ask for its keys wait; the keys of the others come as if it were not there,
//! and nobody speaks ill of them.

use core::time::Duration;
use std::{collections::HashSet, thread, time::Instant};

use memring_std::{Batch, ErrorKind, HealthPolicy, Tls, Ttl, testing::Server};
use memring_suite::{Authority, Memcached, Scripted};
use memring_text::Item;

use crate::{
    client::{Builder, Client},
    health::{LONG, TOUCHY},
    run::{join_all, promises},
};

promises! {
    get_many_has_every_key_of_the_others
    set_many_stores_every_value_of_the_others
    delete_many_deletes_every_key_of_the_others
    every_operation_of_a_batch_on_the_others_is_done
    the_others_items_come_as_early_as_ever
    who_has_no_connection_to_the_hung_server_yet_waits_as_little
    who_was_not_read_from_is_not_blamed
    a_server_that_is_still_answering_is_not_blamed
    encrypted_connections_are_no_exception
}

const DEADLINE: Duration = Duration::from_secs(1);

/// As ever, but a busy machine may take its time between two failures, and between the last one and a look at it.
const POLICY: HealthPolicy = HealthPolicy { window: LONG, min_wait: DEADLINE, ..HealthPolicy::DEFAULT };

/// Five servers, the third of which is going to stand still, and keys.
struct Five<C> {
    servers: Vec<Memcached>,
    client: C,
    keys: Vec<String>,
    /// The positions of the keys of the third one.
    hung: HashSet<usize>,
}

impl<C: Client> Five<C> {
    fn new(count: usize) -> Self {
        Self::of((0..5).map(|_| Memcached::start()).collect(), count, |builder| builder)
    }

    fn of(servers: Vec<Memcached>, count: usize, set: impl FnOnce(Builder<C>) -> Builder<C>) -> Self {
        let names: Vec<_> = servers.iter().map(Memcached::name).collect();
        let client =
            set(C::builder().servers(&names).timeout(DEADLINE).health_policy(POLICY)).build().unwrap();
        let is_hung = |key: &String| *client.server_of(key) == *names[2];
        // A few keys may all belong to others: the next few are taken then.
        let mut some =
            (0..).map(|from| (from..from + count).map(|number| format!("key:{number}")).collect::<Vec<_>>());
        let keys = some.find(|keys| keys.iter().any(is_hung)).unwrap();
        let hung = (0..count).filter(|position| is_hung(&keys[*position])).collect();
        Self { servers, client, keys, hung }
    }

    async fn fill(&self, len: usize) {
        let value = vec![b'v'; len];
        let items: Vec<_> = self.keys.iter().map(|key| (key, &value)).collect();
        self.client.with_timeout(LONG).set_many(&items, Ttl::NEVER).await.unwrap().all().unwrap();
    }

    /// Runs `call` with one server that stands still, and holds what it says of each key, whether that went well, against
    /// where the key is. Then again, until that server is left alone; the others are not.
    async fn hold(&self, call: impl AsyncFn(&C) -> Vec<bool>) {
        assert!(
            call(&self.client.with_timeout(LONG)).await.iter().all(|is_well| *is_well),
            "while all is well"
        );
        self.servers[2].signal("STOP");
        for round in 0..4 {
            let lost = call(&self.client).await.iter().enumerate().filter(|(_, is_well)| !**is_well).count();
            assert_eq!(lost, self.hung.len(), "round {round}: the keys of that server, and no others");
        }
        let down: Vec<_> = self.client.servers().iter().map(|server| server.health.is_down()).collect();
        assert_eq!(down, [false, false, true, false, false]);
        self.servers[2].signal("CONT");
        C::until("it is back", async || {
            call(&self.client).await.iter().all(|is_well| *is_well).then_some(())
        })
        .await;
    }
}

async fn get_many_has_every_key_of_the_others<C: Client>() {
    let tasks = [(400, 30), (6000, 30), (300, 50_000)].map(|(count, len)| {
        C::spawn(async move || {
            let five = Five::<C>::new(count);
            five.fill(len).await;
            five.hold(async |client| {
                let found = client.get_many(&five.keys).await.unwrap();
                found.results().iter().map(|result| matches!(result, Ok(Some(_)))).collect()
            })
            .await;
        })
    });
    join_all(tasks).await;
}

async fn set_many_stores_every_value_of_the_others<C: Client>() {
    // The last ones are more than the buffers of a connection hold.
    let tasks = [(2000, 30), (200, 100_000)].map(|(count, len)| {
        C::spawn(async move || {
            let five = Five::<C>::new(count);
            let value = vec![b'v'; len];
            let items: Vec<_> = five.keys.iter().map(|key| (key, &value)).collect();
            five.hold(async |client| {
                let stored = client.set_many(&items, Ttl::NEVER).await.unwrap();
                stored.results().iter().map(Result::is_ok).collect()
            })
            .await;
        })
    });
    join_all(tasks).await;
}

async fn delete_many_deletes_every_key_of_the_others<C: Client>() {
    let five = Five::<C>::new(700);
    five.hold(async |client| {
        let deleted = client.delete_many(&five.keys).await.unwrap();
        deleted.results().iter().map(Result::is_ok).collect()
    })
    .await;
}

async fn every_operation_of_a_batch_on_the_others_is_done<C: Client>() {
    let tasks = [(7, 30), (3000, 30), (300, 20_000)].map(|(count, len)| {
        C::spawn(async move || {
            let five = Five::<C>::new(count);
            let value = vec![b'v'; len];
            five.hold(async |client| {
                let mut batch = Batch::new();
                for key in &five.keys {
                    batch.set(key, &value, Ttl::NEVER);
                }
                let touched: Vec<_> = five.keys.iter().map(|key| batch.touch(key, Ttl::NEVER)).collect();
                let got: Vec<_> = five.keys.iter().map(|key| batch.get(key)).collect();
                let mut outcomes = client.run(batch).await.unwrap();
                let touched =
                    touched.into_iter().map(|handle| outcomes.take(handle).is_ok()).collect::<Vec<_>>();
                let got =
                    got.into_iter().map(|handle| outcomes.take(handle).is_ok_and(|item| item.is_some()));
                touched.into_iter().zip(got).map(|(touched, got)| touched && got).collect()
            })
            .await;
        })
    });
    join_all(tasks).await;
}

async fn the_others_items_come_as_early_as_ever<C: Client>() {
    let five = Five::<C>::new(20_000);
    five.fill(100).await;
    // Of so many times, each from the call to the last item.
    let last_items = async |client: &C, times: usize| {
        let mut all = Vec::new();
        for _ in 0..times {
            let (begun, mut last) = (Instant::now(), Duration::ZERO);
            client.get_many_with(&five.keys, |_, _| last = begun.elapsed()).await.unwrap();
            all.push(last);
        }
        all
    };
    let well = last_items(&five.client.with_timeout(LONG), 5).await.into_iter().max().unwrap();
    five.servers[2].signal("STOP");
    // The machine may have better things to do once or twice.
    let hung = last_items(&five.client, 2).await.into_iter().min().unwrap();
    assert!(hung < well.mul_f64(1.1) + DEADLINE / 10, "{hung:?}, {well:?} while all was well");
}

async fn who_has_no_connection_to_the_hung_server_yet_waits_as_little<C: Client>() {
    let five = Five::<C>::new(2000);
    five.fill(30).await;
    let names = five.client.servers().into_iter().map(|server| server.spec);
    let fresh = C::builder().servers(names).timeout(DEADLINE).build().unwrap();
    five.servers[2].signal("STOP");
    let found = fresh.get_many(&five.keys).await.unwrap();
    assert_eq!(found.hits().count(), five.keys.len() - five.hung.len());
}

/// Time that the caller's own closure has spent says nothing of servers, and no more does that of others.
async fn who_was_not_read_from_is_not_blamed<C: Client>() {
    let five = Five::<C>::of((0..5).map(|_| Memcached::start()).collect(), 10_000, |builder| {
        builder.health_policy(TOUCHY).timeout(DEADLINE / 2)
    });
    five.fill(30).await;
    let mut is_first = true;
    let found = five
        .client
        .get_many_with(&five.keys, |_, _| {
            if core::mem::replace(&mut is_first, false) {
                thread::sleep(DEADLINE);
            }
        })
        .await
        .unwrap();
    assert!(!found.errors().is_empty(), "time was over");
    assert!(found.errors().iter().all(|error| error.kind() == ErrorKind::Timeout));
    assert!(five.client.servers().iter().all(|server| !server.health.is_down()));
    let found = five.client.with_timeout(LONG).get_many(&five.keys).await.unwrap();
    assert_eq!(found.hits().count(), five.keys.len());
}

/// A server that answers a little at a time is not silent, though a batch of many may be too much for it.
async fn a_server_that_is_still_answering_is_not_blamed<C: Client>() {
    let slow = Scripted::new(|mut peer| {
        while let Some(line) = peer.line() {
            if line.starts_with("delete") {
                thread::sleep(Duration::from_millis(20));
                peer.write("DELETED\r\n");
            }
        }
    });
    let other = Server::start().unwrap();
    let names = [slow.name(), other.addr().to_string()];
    for names in [&names[..], &names[..1]] {
        let builder = C::builder().servers(names).timeout(DEADLINE / 2).health_policy(TOUCHY);
        let client = builder.build().unwrap();
        let keys: Vec<_> = (0..200).map(|number| format!("key:{number}")).collect();
        let deleted = client.delete_many(&keys).await.unwrap();
        assert!(deleted.results().iter().any(Result::is_ok) && !deleted.errors().is_empty());
        assert!(client.servers().iter().all(|server| !server.health.is_down()), "{}", names.len());
    }
}

async fn encrypted_connections_are_no_exception<C: Client>() {
    let authority = Authority::new();
    let servers = (0..5).map(|_| authority.memcached("", &[])).collect();
    let tls = Tls::with_roots(authority.pem()).unwrap();
    // So many handshakes take their time on a busy machine.
    let five = Five::<C>::of(servers, 1000, |builder| builder.tls(tls).connect_timeout(LONG));
    let value = vec![b'v'; 10_000];
    let items: Vec<_> = five.keys.iter().map(|key| (key, &value)).collect();
    five.hold(async |client| {
        let stored = client.set_many(&items, Ttl::NEVER).await.unwrap();
        let found = client.get_many(&five.keys).await.unwrap();
        let is_whole = |item: &Option<Item<C::Value>>| item.as_ref().is_some_and(|item| item.value == value);
        let found = found.results().iter().map(|result| result.as_ref().is_ok_and(is_whole));
        stored.results().iter().zip(found).map(|(stored, found)| stored.is_ok() && found).collect()
    })
    .await;
}
