//! Writes seeds for the codec's targets: what went there and back in the transcripts of real servers.
//!
//! ```text
//! cargo run --manifest-path fuzz/Cargo.toml --example seeds
//! ```
//!
//! In git are those that reach code which the others do not.

use std::{collections::HashSet, fs, io, path::Path};

use memring_fuzz::transcripts::{self, Way};

/// Longer ones are slow, and say nothing new.
const MAX_LEN: usize = 400;

fn main() -> io::Result<()> {
    let requests = short_ones(Way::Requests);
    let replies = short_ones(Way::Replies);
    write("request_cuts_agree", &requests, |_| [0, 0])?;
    write("sessions_answer", &requests, |_| [0, 0])?;
    write("reply_cuts_agree", &replies, |_| [0, 0])?;
    // Items answer a get; everything else, a request that nobody waits for.
    write(
        "exchange_cuts_agree",
        &replies,
        |bytes| if bytes.starts_with(b"VALUE") { [0, 11] } else { [11, 11] },
    )
}

fn short_ones(way: Way) -> Vec<Vec<u8>> {
    let mut known = HashSet::new();
    let mut all = transcripts::all(way);
    all.retain(|bytes| bytes.len() <= MAX_LEN && known.insert(bytes.clone()));
    all
}

/// Writes `seeds` behind the head that says where to cut, and what is asked for.
fn write(target: &str, seeds: &[Vec<u8>], asked: impl Fn(&[u8]) -> [u8; 2]) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    for (number, bytes) in seeds.iter().enumerate() {
        let cuts = [5, 0, 11, 0, 19, 0];
        let seed = [&cuts[..], &asked(bytes), bytes].concat();
        fs::write(folder.join(format!("seed-{number:03}")), seed)?;
    }
    Ok(())
}
