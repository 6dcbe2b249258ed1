//! A thousand callers of one key, which is not there: one of them makes the value, and all have it.
//!
//! ```text
//! cargo run -p memring-tokio --example fetch_async
//! ```

use core::{
    convert::Infallible,
    error::Error,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use std::{sync::Arc, time::Instant};

use memring_tokio::{Client, testing::Server};
use tokio::{task::JoinSet, time::sleep};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start().await?;
    let client = Client::connect([server.addr()])?;
    let loads = Arc::new(AtomicU32::new(0));

    let begin = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..1000 {
        let (client, loads) = (client.clone(), Arc::clone(&loads));
        callers.spawn(async move {
            let load = async {
                loads.fetch_add(1, Ordering::Relaxed);
                // A report that takes its time.
                sleep(Duration::from_millis(200)).await;
                Ok::<_, Infallible>("the report")
            };
            client.fetch("report", Duration::from_secs(60), load).await
        });
    }
    let values = callers.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert!(values.iter().all(|value| value == "the report"));
    println!("{} callers, {:?}, loads: {}", values.len(), begin.elapsed(), loads.load(Ordering::Relaxed));
    println!("{:?}", client.fetch_counts());
    Ok(())
}
