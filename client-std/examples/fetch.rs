//! A thousand callers of one key, which is not there: one of them makes the value, and all have it.
//!
//! ```text
//! cargo run -p memring-std --example fetch
//! ```

use core::{
    convert::Infallible,
    error::Error,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use std::{thread, time::Instant};

use memring_std::{Client, Freshness, testing::Server};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start()?;
    let client = Client::connect([server.addr()])?;
    let page = Freshness::new(Duration::from_secs(60)).stale_for(Duration::from_secs(10));
    let loads = AtomicU32::new(0);

    let call = || {
        let load = || {
            loads.fetch_add(1, Ordering::Relaxed);
            // A report that takes its time.
            thread::sleep(Duration::from_millis(200));
            Ok::<_, Infallible>("the report")
        };
        client.fetch("report", page, load)
    };
    let begin = Instant::now();
    let values = thread::scope(|scope| {
        let callers: Vec<_> = (0..1000).map(|_| scope.spawn(call)).collect();
        callers
            .into_iter()
            .map(|caller| caller.join().expect("no caller panics"))
            .collect::<Result<Vec<_>, _>>()
    })?;
    assert!(values.iter().all(|value| value == "the report"));
    println!("{} callers, {:?}, loads: {}", values.len(), begin.elapsed(), loads.load(Ordering::Relaxed));

    // The report has changed: whoever asks first makes it anew, and the others still get the old one meanwhile.
    client.invalidate("report", &page)?;
    let again = thread::scope(|scope| {
        let maker = scope.spawn(call);
        thread::sleep(Duration::from_millis(50));
        let begin = Instant::now();
        let value = call()?;
        println!("while it is made anew, another caller waits {:?} for: {value:?}", begin.elapsed());
        maker.join().expect("no caller panics")
    })?;
    assert_eq!(again, "the report");
    println!("{:?}", client.fetch_counts());
    Ok(())
}
