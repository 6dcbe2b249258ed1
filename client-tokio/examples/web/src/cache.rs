//! The cache: what it says was true a minute ago at most, and it may be away at any time.

use std::time::Duration;

use memring_tokio::{Client, Error};
use sha2::{Digest as _, Sha256};

use crate::users::User;

/// How long a user is kept: the longest time for which a visitor may be told what is no longer true.
const TTL: Duration = Duration::from_secs(60);

/// How long a visitor waits for the cache. The database is not much slower than this.
const PATIENCE: Duration = Duration::from_millis(100);

/// Users who were asked for lately. Nothing here fails: what goes wrong is logged, and the caller goes to the database.
#[derive(Clone)]
pub struct UserCache {
    client: Client,
}

/// What the cache knows about a user.
pub enum Lookup {
    Hit(User),
    Miss,
    /// Nothing: it cannot be asked just now.
    Away,
}

impl UserCache {
    /// Opens no connection yet, so it does not matter whether the servers are there.
    pub fn new<'a>(servers: impl IntoIterator<Item = &'a str>) -> Result<Self, Box<dyn std::error::Error>> {
        let client = Client::builder().servers(servers).timeout(PATIENCE).build()?;
        Ok(Self { client })
    }

    pub async fn find(&self, name: &str) -> Lookup {
        match self.client.get(key(name)).await {
            // A value that cannot be read, or is somebody else's, is of no use: the next store replaces it.
            Ok(Some(item)) => match serde_json::from_slice::<User>(&item.value) {
                Ok(user) if user.name == name => Lookup::Hit(user),
                _ => Lookup::Miss,
            },
            Ok(None) => Lookup::Miss,
            Err(error) => {
                log(&error);
                Lookup::Away
            }
        }
    }

    pub async fn keep(&self, user: &User) {
        let Ok(value) = serde_json::to_vec(user) else { return };
        if let Err(error) = self.client.set(key(&user.name), value, TTL).await {
            log(&error);
        }
    }

    /// Call it when the database has committed. Called before, somebody may store the old user again in between.
    pub async fn forget(&self, name: &str) {
        if let Err(error) = self.client.delete(key(name)).await {
            log(&error);
        }
    }

    pub async fn close(&self) {
        self.client.close().await;
    }
}

/// An error names the operation and the server, and never a key or a value: it may be logged as it is.
fn log(error: &Error) {
    tracing::warn!("served without the cache: {error}");
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
