//! The service, set up by environment variables: see the README.

use std::{env, error::Error, path::PathBuf};

use tokio::{net::TcpListener, signal};
use web::{App, UserCache, Users};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let database = env::var_os("DATABASE").map_or_else(|| PathBuf::from("users.sqlite"), PathBuf::from);
    let memcached = env::var("MEMCACHED").unwrap_or_else(|_| "127.0.0.1:11211".to_owned());

    let app = App { users: Users::open(&database)?, cache: UserCache::new([memcached.as_str()])? };
    let listener = TcpListener::bind(&listen).await?;
    // The list of servers is not shown: there may be a password in it.
    tracing::info!("http://{}, {}", listener.local_addr()?, database.display());
    let stop = async { signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, web::routes(app.clone())).with_graceful_shutdown(stop).await?;
    app.cache.close().await;
    Ok(())
}
