//! Eight threads that put things into one cart: no change is lost.
//!
//! ```text
//! cargo run -p memring-std --example cas_loop
//! ```

use core::{error::Error, time::Duration};
use std::thread;

use memring_std::{Client, Content, Lifetime, testing::Server};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start()?;
    // An update is tried again as long as the client's timeout lasts.
    let client = Client::connect([server.addr()])?.with_timeout(Duration::from_secs(10));
    client.set("cart:7", "", Duration::from_secs(3600))?;

    let tries: u32 = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let client = &client;
                scope.spawn(move || -> Result<u32, memring_std::Error> {
                    let mut tries = 0;
                    for thing in 0..10 {
                        // This may run several times, so it only computes.
                        let add = |cart: Option<&Content>| {
                            let cart = cart.map_or(&b""[..], |cart| &cart.value);
                            Some([cart, format!("{thread}.{thing} ").as_bytes()].concat())
                        };
                        tries += client.update("cart:7", Lifetime::Keep, add)?.tries;
                    }
                    Ok(tries)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).sum::<Result<u32, _>>()
    })?;

    let cart = client.get("cart:7")?.expect("it is there").value;
    let things = cart.split(|byte| *byte == b' ').filter(|thing| !thing.is_empty()).count();
    println!("80 changes, {tries} tries, {things} things in the cart");
    assert_eq!(things, 80);
    Ok(())
}
