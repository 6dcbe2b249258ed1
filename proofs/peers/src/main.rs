//! Other clients read what ours write, and ours reads what they write.
//!
//! Each peer is a program that reads one line a task and answers it with one line; `clients` has them, [`peers`] says how
//! each is told what, and what that is to us. A key on another server than the reader thinks is not found, so what is
//! found was placed alike.
//!
//! ```text
//! memring-peers [SEED [PEER…]]
//! ```
//!
//! `CONFIGURATIONS` says how many of each peer are drawn, 20 unless said.

mod configuration;
mod fleet;
mod peers;
mod program;
mod proxies;

use std::{env, process::ExitCode};

use fastrand::Rng;

use crate::{
    configuration::Configuration,
    fleet::{Fleet, Keys},
    peers::PEERS,
};

/// What stops a run: a peer that is not there, or does not do what it is asked.
type Failure = Box<dyn core::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all peers agree.
fn run() -> Result<bool, Failure> {
    let mut args = env::args().skip(1);
    let seed = match args.next() {
        Some(seed) => seed.parse().map_err(|_| format!("the seed is a number, not {seed:?}"))?,
        None => fastrand::u64(..),
    };
    let configurations = match env::var("CONFIGURATIONS") {
        Ok(number) => number.parse().map_err(|_| format!("CONFIGURATIONS is a number, not {number:?}"))?,
        Err(_) => 20,
    };
    let only: Vec<String> = args.collect();
    if let Some(name) = only.iter().find(|name| PEERS.iter().all(|peer| peer.name != name.as_str())) {
        let names: Vec<_> = PEERS.iter().map(|peer| peer.name).collect();
        return Err(format!("no peer {name:?}; there are: {}", names.join(", ")).into());
    }
    println!("seed {seed}\n\n| peer | version | keys | agreed |\n|---|---|---|---|");
    let mut all_agree = true;
    for peer in PEERS.iter().filter(|peer| only.is_empty() || only.iter().any(|name| name == peer.name)) {
        // Whatever other peers are asked, this one's configurations are those of the seed.
        match ask(peer, Rng::with_seed(seed), configurations) {
            Ok(agrees) => all_agree &= agrees,
            Err(error) => {
                println!("| {} | – | – | {error} |", peer.name);
                all_agree = false;
            }
        }
    }
    Ok(all_agree)
}

/// Draws `configurations`, lets either write and the other read, and prints the peer's row.
fn ask(peer: &peers::Row, mut rng: Rng, configurations: usize) -> Result<bool, Failure> {
    let fleet = Fleet::start(&mut rng)?;
    let mut other = (peer.start)(peer)?;
    let (mut keys, mut agreed, mut differing) = (0, 0, Vec::new());
    for _ in 0..configurations {
        let configuration = Configuration::draw(&mut rng, &fleet, peer.draw);
        let ours = configuration.client()?;
        let (theirs, mine) = (Keys::draw(&mut rng)?, Keys::draw(&mut rng)?);
        let mut differs = |who: &str, found, len| {
            (keys, agreed) = (keys + len, agreed + found);
            if found != len {
                differing.push(format!("{who} found {found} of {len}: {configuration}"));
            }
        };
        if let Some(stored) = other.set(&configuration, &theirs)? {
            if stored != theirs.len() {
                return Err(format!("{} stored {stored} keys of {}", peer.name, theirs.len()).into());
            }
            differs("memring", theirs.found_by(&ours)?, theirs.len());
        }
        mine.set_by(&ours)?;
        differs(peer.name, other.get(&configuration, &mine)?, mine.len());
    }
    println!("| {} | {} | {keys} | {agreed} |", peer.name, other.version());
    for difference in &differing {
        println!("{difference}");
    }
    Ok(differing.is_empty())
}
