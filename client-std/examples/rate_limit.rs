//! Ten requests a second for each visitor, counted by all processes together.
//!
//! ```text
//! cargo run -p memring-std --example rate_limit
//! ```

use core::{error::Error, time::Duration};
use std::{
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use memring_std::{Client, Error as ClientError, testing::Server};

const LIMIT: u64 = 10;
const WINDOW: Duration = Duration::from_secs(1);

/// Whether the visitor may go on. A window of time is a counter of its own, which makes itself; it ends by itself a
/// second after its window, as servers count whole seconds.
fn admits(client: &Client, visitor: &str) -> Result<bool, ClientError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let window = since.as_secs() / WINDOW.as_secs();
    let count = client.incr_or(format!("rate:{visitor}:{window}"), 1, 1, WINDOW + Duration::from_secs(1))?;
    Ok(count <= LIMIT)
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start()?;
    let client = Client::connect([server.addr()])?;
    for second in 1..=3 {
        // From the beginning of a window on.
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
        thread::sleep(Duration::from_secs(1) - Duration::from_nanos(since.subsec_nanos().into()));
        let mut admitted = 0;
        for _ in 0..25 {
            admitted += u32::from(admits(&client, "ada")?);
        }
        println!("second {second}: 25 requests, {admitted} admitted");
        assert!(admits(&client, "bob")?, "another visitor has a counter of their own");
    }
    Ok(())
}
