//! Other clients read what ours write, and ours reads what they write.
//!
//! Each peer is a program that reads one line a task and answers it with one line; `clients` has them, [`peers`] says how
//! each is told what, and what that is to us. A key on another server than the reader thinks is not found, so what is
//! found was placed alike.
//!
//! ```text
//! memring-peers [SEED [PEER…]]
//! ```

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

/// How many configurations of each peer are drawn.
const CONFIGURATIONS: usize = 20;

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let seed = args.next().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    let only: Vec<String> = args.collect();
    println!("seed {seed}\n\n| peer | version | keys | agreed |\n|---|---|---|---|");
    let mut all_agree = true;
    for peer in PEERS.iter().filter(|peer| only.is_empty() || only.iter().any(|name| name == peer.name)) {
        // Whatever other peers are asked, this one's configurations are those of the seed.
        match ask(peer, Rng::with_seed(seed)) {
            Ok(agrees) => all_agree &= agrees,
            Err(error) => {
                println!("| {} | – | – | {error} |", peer.name);
                all_agree = false;
            }
        }
    }
    if all_agree { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Draws configurations, lets either write and the other read, and prints the peer's row.
fn ask(peer: &peers::Row, mut rng: Rng) -> Result<bool, Failure> {
    let fleet = Fleet::start(&mut rng)?;
    let mut other = (peer.start)(peer)?;
    let (mut keys, mut agreed, mut differing) = (0, 0, Vec::new());
    for _ in 0..CONFIGURATIONS {
        let configuration = Configuration::draw(&mut rng, &fleet, peer.draw);
        let ours = configuration.client()?;
        let (theirs, mine) = (Keys::draw(&mut rng)?, Keys::draw(&mut rng)?);
        let mut found = 0;
        if let Some(stored) = other.set(&configuration, &theirs)? {
            if stored != theirs.len() {
                return Err(format!("{} stored {stored} keys of {}", peer.name, theirs.len()).into());
            }
            keys += theirs.len();
            found += theirs.found_by(&ours)?;
        }
        mine.set_by(&ours)?;
        keys += mine.len();
        found += other.get(&configuration, &mine)?;
        agreed += found;
        if agreed != keys && differing.is_empty() {
            differing.push(configuration.to_string());
        }
    }
    println!("| {} | {} | {keys} | {agreed} |", peer.name, other.version());
    for configuration in &differing {
        println!("{} differs: {configuration}", peer.name);
    }
    Ok(differing.is_empty())
}
