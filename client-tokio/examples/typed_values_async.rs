//! Values of types of Rust: encoded, compressed, and told apart by their flags.
//!
//! `cargo run -p memring-tokio --example typed_values_async`

use core::{error::Error, time::Duration};

use memring_tokio::{
    CasOutcome, Client, ErrorKind,
    testing::Server,
    typed::{Algorithm, BoxError, Encoding, EncodingId, Json, Postcard},
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Article {
    name: String,
    price: u32,
    pictures: Vec<String>,
}

/// An encoding of one's own: prices as text.
struct Euros;

impl Encoding<u64> for Euros {
    const ID: EncodingId = EncodingId::own(1);

    fn encode(&self, cents: &u64) -> Result<Vec<u8>, BoxError> {
        Ok(format!("{}.{:02}", cents / 100, cents % 100).into_bytes())
    }

    fn decode(&self, bytes: &[u8]) -> Result<u64, BoxError> {
        let (euros, cents) = str::from_utf8(bytes)?.split_once('.').ok_or("no point")?;
        let (euros, cents): (u64, u64) = (euros.parse()?, cents.parse()?);
        Ok(euros.checked_mul(100).and_then(|euros| euros.checked_add(cents)).ok_or("too much")?)
    }
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start().await?;
    let client = Client::connect([server.addr()])?;
    let pictures = (1..200).map(|number| format!("https://pictures.example/umbrella-{number}.jpg"));
    let article = Article { name: "umbrella".into(), price: 1990, pictures: pictures.collect() };

    // JSON, which other languages read, too; compressed from a kilobyte on.
    let json = client.typed::<Json>().compressed(Algorithm::Zstd, 1000);
    json.set("article", &article, HOUR).await?;
    assert_eq!(json.get("article").await?.as_ref(), Some(&article));
    let stored = client.get("article").await?.expect("it was just stored");
    println!("json, zstd:     {:>5} bytes, flags {:#x}", stored.value.len(), stored.flags);

    // postcard, without names, which is smaller and faster.
    let postcard = client.typed::<Postcard>().compressed(Algorithm::Lz4, 1000);
    postcard.set("small", &article, HOUR).await?;
    assert_eq!(postcard.get("small").await?.as_ref(), Some(&article));
    let stored = client.get("small").await?.expect("it was just stored");
    println!("postcard, lz4:  {:>5} bytes, flags {:#x}", stored.value.len(), stored.flags);

    // One's own, with a check that nobody else changed it.
    let euros = client.typed_with(Euros);
    euros.set("price", &1990, HOUR).await?;
    let price = euros.gets("price").await?.expect("it was just stored");
    assert_eq!(euros.cas("price", &(price.value / 2), HOUR, price.cas).await?, CasOutcome::Stored);
    println!("own encoding:   {:?} cents", euros.get("price").await?);

    // What was stored otherwise is an error, and no garbage.
    let error = json.get::<u64>("price").await.expect_err("it is no JSON");
    assert_eq!(error.kind(), ErrorKind::Encoding);
    println!("read as json:   {error}");
    Ok(())
}
