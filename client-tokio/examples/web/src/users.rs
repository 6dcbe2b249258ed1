//! The database: what it says is true.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{Connection, OptionalExtension, Result};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    pub email: String,
}

/// The table of users.
#[derive(Clone)]
pub struct Users(Arc<Mutex<Connection>>);

impl Users {
    pub fn open(file: &Path) -> Result<Self> {
        let connection = Connection::open(file)?;
        connection.execute(
            "CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, email TEXT NOT NULL) STRICT",
            [],
        )?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    pub async fn find(&self, name: String) -> Result<Option<User>> {
        self.run(move |connection| {
            let sql = "SELECT name, email FROM users WHERE name = ?";
            let mut statement = connection.prepare_cached(sql)?;
            let user = statement.query_row([name], |row| Ok(User { name: row.get(0)?, email: row.get(1)? }));
            user.optional()
        })
        .await
    }

    /// Committed when it returns.
    pub async fn save(&self, user: User) -> Result<()> {
        self.run(move |connection| {
            let sql = "INSERT INTO users VALUES (?, ?) ON CONFLICT DO UPDATE SET email = excluded.email";
            connection.prepare_cached(sql)?.execute([user.name, user.email]).map(drop)
        })
        .await
    }

    /// The database blocks, so it runs where nobody minds.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let connection = Arc::clone(&self.0);
        let work = move || work(&connection.lock().unwrap_or_else(PoisonError::into_inner));
        spawn_blocking(work).await.expect("database code does not panic")
    }
}
