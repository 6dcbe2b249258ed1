//! One server of five hangs: what the others hold comes as without it.

use core::time::Duration;

use memring_tokio::{Batch, Ttl};

use crate::support::{Memcached, client};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_server_that_hangs_takes_no_other_along() {
    let servers: Vec<_> = (0..5).map(|_| Memcached::start()).collect();
    let names: Vec<_> = servers.iter().map(Memcached::name).collect();
    let keys: Vec<_> = (0..6000).map(|number| format!("key:{number}")).collect();
    let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();
    client(&names, 20 * SECOND).set_many(&items, Ttl::NEVER).await.unwrap().all().unwrap();
    servers[2].signal("STOP");
    let hung = |client: &memring_tokio::Client, key: &str| *client.server_of(key) == *names[2];
    let client = client(&names, SECOND);
    for _ in 0..4 {
        let found = client.get_many(&keys).await.unwrap().into_results();
        for (key, found) in keys.iter().zip(found) {
            match found {
                Ok(item) => assert_eq!(item.unwrap().value, key),
                Err(error) => assert!(hung(&client, key), "{error}"),
            }
        }
    }
    let stored = client.set_many(&items[..2000], Ttl::NEVER).await.unwrap().into_results();
    assert!(keys.iter().zip(stored).all(|(key, stored)| stored.is_ok() || hung(&client, key)));
    let deleted = client.delete_many(&keys[..700]).await.unwrap().into_results();
    assert!(keys.iter().zip(deleted).all(|(key, deleted)| deleted.is_ok() || hung(&client, key)));
    let mut batch = Batch::new();
    let handles: Vec<_> = keys[700..707].iter().map(|key| batch.get(key)).collect();
    let mut outcomes = client.run(batch).await.unwrap();
    for (key, handle) in keys[700..].iter().zip(handles) {
        assert!(outcomes.take(handle).is_ok() || hung(&client, key));
    }
    let down = client.servers().iter().map(|server| server.health.is_down()).collect::<Vec<_>>();
    assert_eq!(down, [false, false, true, false, false]);
    servers[2].signal("CONT");
}
