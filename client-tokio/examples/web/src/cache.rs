//! The cache: what it says was true a minute ago at most, and it may be away at any time.

use std::{sync::Arc, time::Duration};

use memring_tokio::{Client, Event, FetchError, Freshness, typed::Json};
use sha2::{Digest as _, Sha256};

use crate::users::User;

/// How long a user is kept, and that there is none: the longest time for which a visitor may be told what is no longer
/// true. Nothing is handed out after its time.
fn freshness() -> Freshness {
    Freshness::new(Duration::from_secs(60)).stale_for(Duration::ZERO).wait(PATIENCE)
}

/// How long a visitor waits for the cache, or for another visitor's query. The database is not much slower than this.
const PATIENCE: Duration = Duration::from_millis(100);

/// Users who were asked for lately. Nothing here fails: what goes wrong is logged, and the caller goes to the database.
#[derive(Clone)]
pub struct UserCache {
    client: Client,
}

impl UserCache {
    /// Opens no connection yet, so it does not matter whether the servers are there.
    pub fn new<'a>(servers: impl IntoIterator<Item = &'a str>) -> Result<Self, Box<dyn std::error::Error>> {
        let client = Client::builder().servers(servers).timeout(PATIENCE).on_event(log).build()?;
        Ok(Self { client })
    }

    /// The user, by the cache or by `load`: of all visitors who ask for the same user at the same time, in all processes
    /// of the service, one loads.
    pub async fn find<E: Send + Sync + 'static, Loads: Future<Output = Result<Option<User>, E>>>(
        &self,
        name: &str,
        load: impl Fn() -> Loads,
    ) -> Result<Option<User>, Arc<E>> {
        let key = key(name);
        let users = self.client.typed::<Json>();
        match users.fetch_option::<User, _>(&key, freshness(), load()).await {
            Ok(user) if user.as_ref().is_none_or(|user| user.name == name) => return Ok(user),
            Err(FetchError::Loader(error)) => return Err(error),
            // Another program's value, or one of an older version of this: it is of no use to anybody.
            Err(FetchError::Refused(error)) => tracing::warn!("not used: {error}"),
            Ok(_) => {}
        }
        self.forget(name).await;
        load().await.map_err(Arc::new)
    }

    /// Call it when the database has committed. A visitor who has read the old user before that, and wants to store it
    /// after this, cannot.
    pub async fn forget(&self, name: &str) {
        // An error is logged, as any other.
        let _ = self.client.delete(key(name)).await;
    }

    pub async fn close(&self) {
        self.client.close().await;
    }
}

/// For `fetch`, a server that fails is no error, but an event. It names the operation and the server, and never a key or a
/// value: it may be logged as it is.
fn log(event: &Event<'_>) {
    if let Event::Failed { error, .. } = event {
        tracing::warn!("served without the cache: {error}");
    }
}

/// A key for any name. memcached takes 1 to 250 bytes without blanks and control characters; a visitor may have
/// typed anything, and a name that is no key must not become an error. The two kinds cannot meet: one has a `:` where the
/// other has a `#`.
fn key(name: &str) -> String {
    let is_plain = (1..=100).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain {
        return format!("web:user:{name}");
    }
    let hash = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("web:user#{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_key_of_its_own() {
        let long = "x".repeat(1000);
        let names = ["ada", "", " ", "a b", "a\r\nflush_all\r\n", "żółw", "#", &long, &long[1..]];
        let keys: Vec<_> = names.map(key).into_iter().collect();
        for (number, key) in keys.iter().enumerate() {
            assert!(key.len() <= 250 && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
            assert!(!keys[..number].contains(key));
        }
        assert_eq!(keys[0], "web:user:ada");
    }
}
