//! A session store: each visit reads the session and gives it another half an hour; changes do not get lost when two
//! pages of one user change it at once.
//!
//! `cargo run -p memring-tokio --example session_store_async`

use core::{error::Error, time::Duration};
use std::collections::BTreeMap;

use memring_tokio::{CasOutcome, Client, Typed, testing::Server, typed::Json};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Session {
    user: String,
    cart: BTreeMap<String, u32>,
    // A field that is new: sessions stored before it was there are read with its default.
    #[serde(default)]
    language: Option<String>,
}

/// The sessions, by their numbers.
#[derive(Clone)]
struct Sessions(Typed<Json>);

/// How long a session lives after the last visit.
const IDLE: Duration = Duration::from_secs(30 * 60);

impl Sessions {
    fn new(client: &Client) -> Self {
        Self(client.typed())
    }

    /// Begins a session, unless there is one of this number.
    async fn begin(&self, id: &str, user: &str) -> Result<bool, memring_tokio::Error> {
        let session = Session { user: user.to_owned(), ..Session::default() };
        self.0.add(key(id), &session, IDLE).await
    }

    /// The session of a visit, which lives on.
    async fn visit(&self, id: &str) -> Result<Option<Session>, memring_tokio::Error> {
        self.0.gat(key(id), IDLE).await
    }

    /// Changes a session, anew if somebody else changed it meanwhile. Returns whether there is one.
    async fn change(&self, id: &str, change: impl Fn(&mut Session)) -> Result<bool, memring_tokio::Error> {
        loop {
            let Some(mut found) = self.0.gets(key(id)).await? else { return Ok(false) };
            change(&mut found.value);
            match self.0.cas(key(id), &found.value, IDLE, found.cas).await? {
                CasOutcome::Stored => return Ok(true),
                CasOutcome::NotFound => return Ok(false),
                CasOutcome::Exists => {}
            }
        }
    }

    /// Ends a session. Returns whether there was one.
    async fn end(&self, id: &str) -> Result<bool, memring_tokio::Error> {
        self.0.client().delete(key(id)).await
    }
}

fn key(id: &str) -> String {
    format!("session:{id}")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let servers = [Server::start().await?, Server::start().await?];
    let sessions = Sessions::new(&Client::connect(servers.iter().map(Server::addr))?);
    assert!(sessions.begin("7f3a", "Ada").await?);
    assert!(!sessions.begin("7f3a", "Eve").await?, "it is taken");

    // Two pages put things into the cart at once.
    let page = || async {
        for _ in 0..100 {
            sessions
                .change("7f3a", |session| *session.cart.entry("umbrella".into()).or_default() += 1)
                .await?;
        }
        Ok::<_, memring_tokio::Error>(())
    };
    tokio::try_join!(page(), page())?;
    let session = sessions.visit("7f3a").await?.expect("it has just begun");
    println!("{session:?}");
    assert_eq!(session.cart["umbrella"], 200, "no change is lost");

    assert!(sessions.end("7f3a").await?);
    assert_eq!(sessions.visit("7f3a").await?, None);
    println!("ended");
    Ok(())
}
