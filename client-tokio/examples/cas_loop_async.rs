//! Eight tasks that put things into one cart, which is a value of a type: no change is lost.
//!
//! ```text
//! cargo run -p memring-tokio --example cas_loop_async
//! ```

use core::{error::Error, time::Duration};

use memring_tokio::{Client, Lifetime, testing::Server, typed::Json};
use tokio::task::JoinSet;

type Cart = Vec<(u32, u32)>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start().await?;
    // An update is tried again as long as the client's timeout lasts.
    let client = Client::connect([server.addr()])?.with_timeout(Duration::from_secs(10));
    let carts = client.typed::<Json>();
    carts.set("cart:7", &Cart::new(), Duration::from_secs(3600)).await?;

    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let carts = carts.clone();
        tasks.spawn(async move {
            let mut tries = 0;
            for thing in 0..10 {
                // This may run several times, so it only computes.
                let add = |cart: Option<Cart>| {
                    let mut cart = cart.unwrap_or_default();
                    cart.push((task, thing));
                    Some(cart)
                };
                tries += carts.update("cart:7", Lifetime::Keep, add).await?.tries;
            }
            Ok::<_, memring_tokio::Error>(tries)
        });
    }
    let tries = tasks.join_all().await.into_iter().sum::<Result<u32, _>>()?;

    let cart: Cart = carts.get("cart:7").await?.expect("it is there");
    println!("80 changes, {tries} tries, {} things in the cart", cart.len());
    assert_eq!(cart.len(), 80);
    Ok(())
}
