//! One server of five lets nobody in: it takes no connection, shakes no hands, or says nothing to a password. In a call for
//! many keys, the others do all that is asked of them as if it were not there, over connections that are opened for it.

use core::{any::Any, time::Duration};
use std::{thread, time::Instant};

use memring_std::{Batch, Config, ErrorKind, Tls, Ttl, testing::Server};
use memring_suite::{Authority, BlackHole, Scripted};

use crate::{
    client::{Builder, Client},
    run::promises,
};

promises! {
    a_server_that_takes_no_connection_keeps_nobody_waiting
    #[cfg(target_os = "linux")] a_unix_socket_that_takes_no_connection_keeps_nobody_waiting
    a_server_that_says_nothing_to_a_password_keeps_nobody_waiting
    a_server_that_shakes_no_hands_keeps_nobody_waiting
}

/// Half of it would be late.
const DEADLINE: Duration = Duration::from_secs(3);

/// Within this, the others are done.
const SOON: Duration = Duration::from_millis(1200);

const COUNT: usize = 400;

/// Servers that are well, and their names.
type Servers = Vec<(String, Box<dyn Any>)>;

fn plain() -> Servers {
    let server = |_| Server::start().unwrap();
    (0..4).map(server).map(|server| (server.addr().to_string(), Box::new(server) as _)).collect()
}

async fn a_server_that_takes_no_connection_keeps_nobody_waiting<C: Client>() {
    let hole = BlackHole::new();
    hold::<C>(plain(), hole.name(), C::builder()).await;
}

#[cfg(target_os = "linux")]
async fn a_unix_socket_that_takes_no_connection_keeps_nobody_waiting<C: Client>() {
    let hole = memring_suite::UnixHole::new();
    hold::<C>(plain(), hole.name(), C::builder()).await;
}

async fn a_server_that_says_nothing_to_a_password_keeps_nobody_waiting<C: Client>() {
    let silent = Scripted::silent();
    let server = |_| Server::builder().auth("alice", "s3cret").start().unwrap();
    let servers = (0..4).map(server).map(|server| (server.addr().to_string(), Box::new(server) as _));
    hold::<C>(servers.collect(), silent.name(), C::builder().auth("alice", "s3cret")).await;
}

async fn a_server_that_shakes_no_hands_keeps_nobody_waiting<C: Client>() {
    let (authority, silent) = (Authority::new(), Scripted::silent());
    let server = |_| authority.memcached("", &[]);
    let servers = (0..4).map(server).map(|server| (server.name(), Box::new(server) as _));
    let tls = Tls::with_roots(authority.pem()).unwrap();
    hold::<C>(servers.collect(), silent.name(), C::builder().tls(tls)).await;
}

/// Asks for many keys of `servers` and of one more called `hung`, in every way that there is, with a client of its own for
/// each. `builder` says what the servers want.
async fn hold<C: Client>(servers: Servers, hung: String, builder: Builder<C>) {
    let (names, _servers): (Vec<_>, Vec<_>) = servers.into_iter().unzip();
    let builder = builder.servers([&hung]).servers(&names).timeout(DEADLINE).connect_timeout(DEADLINE);
    let config = builder.config().unwrap();
    let others = memring_std::Client::with_config(config.clone()).unwrap();
    let shut = Shut { config, hung, others };
    let keys = shut.keys(&names);
    let items: Vec<_> = keys.iter().map(|key| (key, key)).collect();

    let looks = shut.look(&keys, true);
    let stored = shut.client::<C>().set_many(&items, Ttl::NEVER).await.unwrap();
    looks.join().unwrap();
    assert!(stored.errors().iter().all(|error| error.kind() == ErrorKind::Connect), "{stored:?}");
    assert!(stored.errors().iter().all(|error| error.is_timeout() && !error.is_ambiguous()), "{stored:?}");
    shut.judge(&keys, stored.results().iter().map(Result::is_ok));

    let found = shut.client::<C>().with_timeout(SOON).get_many(&keys).await.unwrap();
    shut.judge(&keys, found.results().iter().map(|result| matches!(result, Ok(Some(_)))));

    let (begun, mut last) = (Instant::now(), Duration::ZERO);
    let found = shut.client::<C>().get_many_with(&keys, |_, _| last = begun.elapsed()).await.unwrap();
    assert!(last < SOON, "{last:?}");
    shut.judge(&keys, found.results().iter().map(|result| matches!(result, Ok(true))));

    let looks = shut.look(&keys, false);
    let deleted = shut.client::<C>().delete_many(&keys).await.unwrap();
    looks.join().unwrap();
    shut.judge(&keys, deleted.results().iter().map(|result| matches!(result, Ok(true))));

    let mut batch = Batch::new();
    let stored: Vec<_> = keys.iter().map(|key| batch.set(key, key, Ttl::NEVER)).collect();
    let found: Vec<_> = keys.iter().map(|key| batch.get(key)).collect();
    let looks = shut.look(&keys, true);
    let mut outcomes = shut.client::<C>().run(batch).await.unwrap();
    looks.join().unwrap();
    let stored: Vec<_> = stored.into_iter().map(|handle| outcomes.take(handle).is_ok()).collect();
    let found = found.into_iter().map(|handle| matches!(outcomes.take(handle), Ok(Some(_))));
    shut.judge(&keys, stored.into_iter().zip(found).map(|(stored, found)| stored && found));
}

/// Servers, one of which lets nobody in.
struct Shut {
    config: Config,
    hung: String,
    /// Who looks at what the others have.
    others: memring_std::Client,
}

impl Shut {
    fn client<C: Client>(&self) -> C {
        Builder::new(self.config.clone()).build().unwrap()
    }

    fn is_hung(&self, key: &str) -> bool {
        *self.others.server_of(key) == *self.hung
    }

    /// Keys of every server.
    fn keys(&self, names: &[String]) -> Vec<String> {
        let keys: Vec<_> = (0..COUNT).map(|number| format!("key:{number}")).collect();
        let mut all = names.iter().chain([&self.hung]);
        assert!(all.all(|name| keys.iter().any(|key| *self.others.server_of(key) == **name)));
        keys
    }

    /// Holds whether the keys of the others are soon there, or soon are not.
    fn look(&self, keys: &[String], are_there: bool) -> thread::JoinHandle<()> {
        let keys: Vec<_> = keys.iter().filter(|key| !self.is_hung(key)).cloned().collect();
        let (others, begun) = (self.others.clone(), Instant::now());
        thread::spawn(move || {
            for key in keys {
                while others.get(&key).unwrap().is_some() != are_there {
                    assert!(begun.elapsed() < SOON, "{key} of {} is not done", others.server_of(&key));
                    thread::sleep(Duration::from_millis(1));
                }
            }
        })
    }

    /// Holds whether it went well with each key against where it is.
    fn judge(&self, keys: &[String], results: impl Iterator<Item = bool>) {
        let results: Vec<_> = results.collect();
        assert_eq!(results.len(), keys.len());
        for (key, is_well) in keys.iter().zip(results) {
            assert_eq!(is_well, !self.is_hung(key), "{key} of {}", self.others.server_of(key));
        }
    }
}
