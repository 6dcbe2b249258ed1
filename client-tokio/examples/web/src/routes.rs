//! Where cache and database come together: read the cache, which asks the database; write the database, then the cache
//! forgets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing,
};
use serde::Deserialize;

use crate::{
    cache::UserCache,
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

/// The header `x-cache` says whether this visitor has asked the database: `miss`, or `hit`.
async fn show(State(app): State<App>, Path(name): Path<String>) -> Result<Response, Failed> {
    let (begin, has_asked) = (Instant::now(), AtomicBool::new(false));
    let load = || async {
        has_asked.store(true, Ordering::Relaxed);
        app.users.find(name.clone()).await
    };
    let user = app.cache.find(&name, load).await?;
    let from = if has_asked.into_inner() { "miss" } else { "hit" };
    tracing::info!("GET {from}: {:?}", begin.elapsed());
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

/// Only the database can fail a request: all who wait for the same query have the same error.
struct Failed(Arc<rusqlite::Error>);

impl<E: Into<Arc<rusqlite::Error>>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        tracing::error!("database: {}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
