//! Ten requests a second for each visitor, counted by all processes together.
//!
//! ```text
//! cargo run -p memring-tokio --example rate_limit_async
//! ```

use core::{error::Error, time::Duration};
use std::time::{SystemTime, UNIX_EPOCH};

use memring_tokio::{Client, Error as ClientError, testing::Server};
use tokio::time::sleep;

const LIMIT: u64 = 10;
const WINDOW: Duration = Duration::from_secs(1);

/// Whether the visitor may go on. A window of time is a counter of its own, which makes itself; it ends by itself a
/// second after its window, as servers count whole seconds.
async fn admits(client: &Client, visitor: &str) -> Result<bool, ClientError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let key = format!("rate:{visitor}:{}", since.as_secs() / WINDOW.as_secs());
    let count = client.incr_or(key, 1, 1, WINDOW + Duration::from_secs(1)).await?;
    Ok(count <= LIMIT)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start().await?;
    let client = Client::connect([server.addr()])?;
    for second in 1..=3 {
        // From the beginning of a window on.
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
        sleep(Duration::from_secs(1) - Duration::from_nanos(since.subsec_nanos().into())).await;
        let mut admitted = 0;
        for _ in 0..25 {
            admitted += u32::from(admits(&client, "ada").await?);
        }
        println!("second {second}: 25 requests, {admitted} admitted");
        assert!(admits(&client, "bob").await?, "another visitor has a counter of their own");
    }
    Ok(())
}
