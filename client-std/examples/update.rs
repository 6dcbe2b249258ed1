//! Two writers of one item: `gets` reads it with its cas unique, and `cas` stores only if nobody else has since.
//!
//! `cargo run -p memring-std --example update`

use core::error::Error;

use memring_std::{CasOutcome, Client, Ttl, testing::Server};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start()?;
    let client = Client::connect([server.addr()])?;
    client.set("names", "Ada", Ttl::NEVER)?;

    let before = client.gets("names")?.ok_or("a miss")?;
    append(&client, "Grace")?;
    // Another one has stored the item meanwhile.
    assert_eq!(client.cas("names", "Ada, too late", Ttl::NEVER, before.cas)?, CasOutcome::Exists);

    append(&client, "Hedy")?;
    let item = client.get("names")?.ok_or("a miss")?;
    println!("{}", String::from_utf8_lossy(&item.value));
    assert_eq!(item.value, b"Ada, Grace, Hedy");
    Ok(())
}

/// Reads, changes and stores the item, again and again until nobody comes in between.
fn append(client: &Client, name: &str) -> Result<(), Box<dyn Error>> {
    loop {
        let Some(item) = client.gets("names")? else { return Err("a miss".into()) };
        let names = format!("{}, {name}", String::from_utf8(item.value)?);
        match client.cas("names", names, Ttl::NEVER, item.cas)? {
            CasOutcome::Stored => return Ok(()),
            CasOutcome::Exists => {}
            CasOutcome::NotFound => return Err("deleted meanwhile".into()),
        }
    }
}
