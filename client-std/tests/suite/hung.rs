//! One of five servers stands still. Those who ask for its keys wait; the keys of the others come as if it were not there,
//! and nobody speaks ill of them.

use core::time::Duration;
use std::{collections::HashSet, sync::Mutex, thread, time::Instant};

use memring_std::{Batch, Client, ErrorKind, HealthPolicy, Ttl, testing::Server};

use crate::health::{LONG, TOUCHY};
use crate::support::{Memcached, Scripted, until};

const DEADLINE: Duration = Duration::from_secs(1);

/// As ever, but a busy machine may take its time between two failures, and between the last one and a look at it.
const POLICY: HealthPolicy = HealthPolicy { window: LONG, min_wait: DEADLINE, ..HealthPolicy::DEFAULT };

/// Five servers, the third of which is going to stand still, and keys.
struct Five {
    servers: Vec<Memcached>,
    client: Client,
    keys: Vec<String>,
    /// The positions of the keys of the third one.
    hung: HashSet<usize>,
}

impl Five {
    fn new(count: usize) -> Self {
        Self::of((0..5).map(|_| Memcached::start()).collect(), count, |builder| builder)
    }

    fn of(
        servers: Vec<Memcached>,
        count: usize,
        set: impl FnOnce(memring_std::Builder) -> memring_std::Builder,
    ) -> Self {
        let names: Vec<_> = servers.iter().map(Memcached::name).collect();
        let client =
            set(Client::builder().servers(&names).timeout(DEADLINE).health_policy(POLICY)).build().unwrap();
        let is_hung = |key: &String| *client.server_of(key) == *names[2];
        // A few keys may all belong to others: the next few are taken then.
        let mut some =
            (0..).map(|from| (from..from + count).map(|number| format!("key:{number}")).collect::<Vec<_>>());
        let keys = some.find(|keys| keys.iter().any(is_hung)).unwrap();
        let hung = (0..count).filter(|position| is_hung(&keys[*position])).collect();
        Self { servers, client, keys, hung }
    }

    fn fill(&self, len: usize) {
        let value = vec![b'v'; len];
        let items: Vec<_> = self.keys.iter().map(|key| (key, &value)).collect();
        self.client.with_timeout(LONG).set_many(&items, Ttl::NEVER).unwrap().all().unwrap();
    }

    /// Runs `call` with one server that stands still, and holds what it says of each key, whether that went well, against
    /// where the key is. Then again, until that server is left alone; the others are not.
    fn hold(&self, call: impl Fn(&Client) -> Vec<bool>) {
        assert!(call(&self.client.with_timeout(LONG)).iter().all(|is_well| *is_well), "while all is well");
        self.servers[2].signal("STOP");
        for round in 0..4 {
            let lost = call(&self.client).iter().enumerate().filter(|(_, is_well)| !**is_well).count();
            assert_eq!(lost, self.hung.len(), "round {round}: the keys of that server, and no others");
        }
        let down: Vec<_> = self.client.servers().iter().map(|server| server.health.is_down()).collect();
        assert_eq!(down, [false, false, true, false, false]);
        self.servers[2].signal("CONT");
        until("it is back", || call(&self.client).iter().all(|is_well| *is_well).then_some(()));
    }
}

#[test]
fn get_many_has_every_key_of_the_others() {
    for (count, len) in [(400, 30), (6000, 30), (300, 50_000)] {
        let five = Five::new(count);
        five.fill(len);
        five.hold(|client| {
            let found = client.get_many(&five.keys).unwrap();
            found.results().iter().map(|result| matches!(result, Ok(Some(_)))).collect()
        });
    }
}

#[test]
fn set_many_stores_every_value_of_the_others() {
    // The last ones are more than the buffers of a connection hold.
    for (count, len) in [(2000, 30), (200, 100_000)] {
        let five = Five::new(count);
        let value = vec![b'v'; len];
        let items: Vec<_> = five.keys.iter().map(|key| (key, &value)).collect();
        five.hold(|client| {
            let stored = client.set_many(&items, Ttl::NEVER).unwrap();
            stored.results().iter().map(Result::is_ok).collect()
        });
    }
}

#[test]
fn delete_many_deletes_every_key_of_the_others() {
    let five = Five::new(700);
    five.hold(|client| client.delete_many(&five.keys).unwrap().results().iter().map(Result::is_ok).collect());
}

#[test]
fn every_operation_of_a_batch_on_the_others_is_done() {
    for (count, len) in [(7, 30), (3000, 30), (300, 20_000)] {
        let five = Five::new(count);
        let value = vec![b'v'; len];
        five.hold(|client| {
            let mut batch = Batch::new();
            for key in &five.keys {
                batch.set(key, &value, Ttl::NEVER);
            }
            let touched: Vec<_> = five.keys.iter().map(|key| batch.touch(key, Ttl::NEVER)).collect();
            let got: Vec<_> = five.keys.iter().map(|key| batch.get(key)).collect();
            let mut outcomes = client.run(batch).unwrap();
            let touched = touched.into_iter().map(|handle| outcomes.take(handle).is_ok()).collect::<Vec<_>>();
            let got = got.into_iter().map(|handle| outcomes.take(handle).is_ok_and(|item| item.is_some()));
            touched.into_iter().zip(got).map(|(touched, got)| touched && got).collect()
        });
    }
}

#[test]
fn the_others_items_come_as_early_as_ever() {
    let five = Five::new(20_000);
    five.fill(100);
    let last_item = |client: &Client| {
        let (begun, mut last) = (Instant::now(), Duration::ZERO);
        client.get_many_with(&five.keys, |_, _| last = begun.elapsed()).unwrap();
        last
    };
    let client = five.client.with_timeout(LONG);
    let well = (0..5).map(|_| last_item(&client)).max().unwrap();
    five.servers[2].signal("STOP");
    // The machine may have better things to do once or twice.
    let hung = (0..2).map(|_| last_item(&five.client)).min().unwrap();
    assert!(hung < well.mul_f64(1.1) + DEADLINE / 10, "{hung:?}, {well:?} while all was well");
}

#[test]
fn who_has_no_connection_to_the_hung_server_yet_waits_as_little() {
    let five = Five::new(2000);
    five.fill(30);
    let names = five.client.servers().into_iter().map(|server| server.spec);
    let fresh = Client::builder().servers(names).timeout(DEADLINE).build().unwrap();
    five.servers[2].signal("STOP");
    let found = fresh.get_many(&five.keys).unwrap();
    assert_eq!(found.hits().count(), five.keys.len() - five.hung.len());
}

/// Time that the caller's own closure has spent says nothing of servers, and no more does that of others.
#[test]
fn who_was_not_read_from_is_not_blamed() {
    let five = Five::of((0..5).map(|_| Memcached::start()).collect(), 10_000, |builder| {
        builder.health_policy(TOUCHY).timeout(DEADLINE / 2)
    });
    five.fill(30);
    let mut is_first = true;
    let found = five
        .client
        .get_many_with(&five.keys, |_, _| {
            if core::mem::replace(&mut is_first, false) {
                thread::sleep(DEADLINE);
            }
        })
        .unwrap();
    assert!(!found.errors().is_empty(), "time was over");
    assert!(found.errors().iter().all(|error| error.kind() == ErrorKind::Timeout));
    assert!(five.client.servers().iter().all(|server| !server.health.is_down()));
    assert_eq!(five.client.get_many(&five.keys).unwrap().hits().count(), five.keys.len());
}

/// A server that answers a little at a time is not silent, though a batch of many may be too much for it.
#[test]
fn a_server_that_is_still_answering_is_not_blamed() {
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
        let builder = Client::builder().servers(names).timeout(DEADLINE / 2).health_policy(TOUCHY);
        let client = builder.build().unwrap();
        let keys: Vec<_> = (0..200).map(|number| format!("key:{number}")).collect();
        let deleted = client.delete_many(&keys).unwrap();
        assert!(deleted.results().iter().any(Result::is_ok) && !deleted.errors().is_empty());
        assert!(client.servers().iter().all(|server| !server.health.is_down()), "{}", names.len());
    }
}

/// Callers who wait for a hung server have all that there is of its pool; the next one's keys of other servers come all the
/// same.
#[test]
fn a_pool_without_a_part_left_keeps_nobody_from_the_others() {
    let policy = HealthPolicy { failures: u32::MAX, ..HealthPolicy::DEFAULT };
    let servers = (0..5).map(|_| Memcached::start()).collect();
    let five = Five::of(servers, 400, |builder| builder.pool_size(2).health_policy(policy));
    five.fill(30);
    five.servers[2].signal("STOP");
    let hung = *five.hung.iter().next().unwrap();
    let patient = five.client.with_timeout(3 * DEADLINE);
    let last = Mutex::new(Duration::ZERO);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| patient.get(&five.keys[hung]).unwrap_err());
        }
        until("both connections are in use", || (five.client.servers()[2].waiting == 2).then_some(()));
        let begun = Instant::now();
        let found =
            five.client.get_many_with(&five.keys, |_, _| *last.lock().unwrap() = begun.elapsed()).unwrap();
        assert_eq!(found.results().iter().filter(|result| result.is_ok()).count(), 400 - five.hung.len());
        assert_eq!(found.errors().len(), 1);
    });
    let last = last.into_inner().unwrap();
    assert!(last < DEADLINE / 4, "{last:?}");
}

#[cfg(feature = "tls")]
#[test]
fn encrypted_connections_are_no_exception() {
    use crate::support::Authority;

    let authority = Authority::new();
    let servers = (0..5).map(|_| authority.memcached("", &[])).collect();
    let tls = memring_std::Tls::with_roots(authority.pem()).unwrap();
    let five = Five::of(servers, 1000, |builder| builder.tls(tls));
    let value = vec![b'v'; 10_000];
    let items: Vec<_> = five.keys.iter().map(|key| (key, &value)).collect();
    five.hold(|client| {
        let stored = client.set_many(&items, Ttl::NEVER).unwrap();
        let found = client.get_many(&five.keys).unwrap();
        let is_whole =
            |item: &Option<memring_std::Item>| item.as_ref().is_some_and(|item| item.value == value);
        let found = found.results().iter().map(|result| result.as_ref().is_ok_and(is_whole));
        stored.results().iter().zip(found).map(|(stored, found)| stored.is_ok() && found).collect()
    });
}
