//! Where cache and database come together: read the cache, else the database; write the database, then the cache
//! forgets.

use std::time::Instant;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing,
};
use serde::Deserialize;

use crate::{
    cache::{Lookup, UserCache},
    users::{User, Users},
};

#[derive(Clone)]
pub struct App {
    pub users: Users,
    pub cache: UserCache,
}

pub fn routes(app: App) -> Router {
    Router::new().route("/users/{name}", routing::get(show).put(save)).with_state(app)
}

/// The header `x-cache` says where the answer is from: `hit`, `miss`, or `away` when the cache could not be asked.
async fn show(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Failed> {
    let begin = Instant::now();
    let found = app.cache.find(&name).await;
    let asked = begin.elapsed();
    let is_away = match found {
        Lookup::Hit(user) => {
            tracing::info!("GET hit: cache {asked:?}");
            return Ok(([("x-cache", "hit")], Json(user)).into_response());
        }
        Lookup::Miss => false,
        Lookup::Away => true,
    };
    let user = app.users.find(name).await?;
    let read = begin.elapsed();
    if let Some(user) = user.as_ref().filter(|_| !is_away) {
        app.cache.keep(user).await;
    }
    let from = if is_away { "away" } else { "miss" };
    let (database, kept) = (read - asked, begin.elapsed() - read);
    tracing::info!("GET {from}: cache {asked:?}, database {database:?}, stored {kept:?}");
    let user = user.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |user| Json(user).into_response());
    Ok(([("x-cache", from)], user).into_response())
}

#[derive(Deserialize)]
struct Change {
    email: String,
}

async fn save(
    State(app): State<App>,
    Path(name): Path<String>,
    Json(Change { email }): Json<Change>,
) -> Result<StatusCode, Failed> {
    // A task of its own: a visitor who goes away stops this handler, and what was saved must be forgotten all the same.
    let saved = tokio::spawn(async move {
        let begin = Instant::now();
        app.users.save(User { name: name.clone(), email }).await?;
        let saved = begin.elapsed();
        app.cache.forget(&name).await;
        tracing::info!("PUT: database {saved:?}, forgotten {:?}", begin.elapsed() - saved);
        Ok(StatusCode::NO_CONTENT)
    });
    saved.await.unwrap_or(Ok(StatusCode::INTERNAL_SERVER_ERROR))
}

/// Only the database can fail a request.
struct Failed(rusqlite::Error);

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        tracing::error!("database: {}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
