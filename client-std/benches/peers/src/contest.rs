//! Rounds of the same operations by every client, side by side.
//!
//! On a shared machine times move by a factor of two from run to run; so every round times every client, and what counts
//! are the ratios within a round, of which the median is shown.

use std::{net::SocketAddr, time::Instant};

use stats_alloc::Region;

use super::{ALLOCATIONS, thread_time::thread_time};

/// A client of one server.
pub(crate) trait Client {
    /// Reads an item, and says how long its value is.
    fn get(&mut self, key: &str) -> usize;

    /// Stores [`VALUE`].
    fn set(&mut self, key: &str);

    /// Reads many items, and says how long their values are together.
    fn get_many(&mut self, keys: &[String]) -> usize;
}

/// What is stored under every key.
pub(crate) const VALUE: &[u8] = &[b'v'; 100];

/// A client by its name.
pub(crate) type Contestant = (&'static str, fn(SocketAddr) -> Box<dyn Client>);

/// What is timed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Set,
    /// 100 keys in a call, and figures for a key.
    GetMany,
}

/// A ratio that ours is to reach: `least` times as many operations a second as theirs, or at `most` so much of the time
/// of the processor.
pub(crate) struct Goal {
    pub(crate) verb: Verb,
    pub(crate) ours: &'static str,
    pub(crate) theirs: &'static str,
    pub(crate) bound: Bound,
}

#[derive(Clone, Copy)]
pub(crate) enum Bound {
    Speed { least: f64 },
    Processor { most: f64 },
}

const ROUNDS: usize = 41;
const KEYS: usize = 10_000;
/// Keys in a round.
const PIECE: usize = 1000;

/// Prints a table for each verb, and which goals are missed.
pub(crate) fn run(server: SocketAddr, contestants: &[Contestant], goals: &[Goal]) {
    let keys: Vec<_> = (0..KEYS).map(|number| format!("{:x<32}", format!("key:{number:05}:"))).collect();
    let mut clients: Vec<_> = contestants.iter().map(|(_, new)| new(server)).collect();
    keys.iter().for_each(|key| clients[0].set(key));
    let mut missed = 0;
    for (verb, title) in
        [(Verb::Get, "get"), (Verb::Set, "set"), (Verb::GetMany, "get of 100 keys, for a key")]
    {
        println!("\n| {title} | operations/s | to raw | processor, us | to raw | allocations |");
        println!("|---|---|---|---|---|---|");
        let mut rounds: Vec<Vec<Figures>> = vec![Vec::new(); contestants.len()];
        for round in 0..ROUNDS {
            let from = round * PIECE % KEYS;
            let keys = &keys[from..from + PIECE];
            for (client, rounds) in clients.iter_mut().zip(&mut rounds) {
                rounds.push(Figures::of(&mut **client, verb, keys));
            }
        }
        let ratio = |ours: usize, theirs: usize, figure: fn(&Figures) -> f64| {
            median(
                rounds[ours].iter().zip(&rounds[theirs]).map(|(ours, theirs)| figure(ours) / figure(theirs)),
            )
        };
        for (at, (name, _)) in contestants.iter().enumerate() {
            let speed = median(rounds[at].iter().map(|figures| 1.0 / figures.wall));
            let processor = median(rounds[at].iter().map(|figures| figures.processor * 1e6));
            let (more, cost) =
                (1.0 / ratio(at, 0, |figures| figures.wall), ratio(at, 0, |figures| figures.processor));
            let allocations = median(rounds[at].iter().map(|figures| figures.allocations));
            println!("| {name} | {speed:.0} | x{more:.2} | {processor:.2} | x{cost:.2} | {allocations:.2} |");
        }
        println!();
        for goal in goals.iter().filter(|goal| goal.verb == verb) {
            let place = |wanted| contestants.iter().position(|(name, _)| *name == wanted);
            let (Some(ours), Some(theirs)) = (place(goal.ours), place(goal.theirs)) else { continue };
            let (reached, met, wanted) = match goal.bound {
                Bound::Speed { least } => {
                    let reached = 1.0 / ratio(ours, theirs, |figures| figures.wall);
                    (reached, reached >= least, format!("operations/s, at least {least:.2}"))
                }
                Bound::Processor { most } => {
                    let reached = ratio(ours, theirs, |figures| figures.processor);
                    (reached, reached <= most, format!("processor, at most {most:.2}"))
                }
            };
            missed += usize::from(!met);
            let verdict = if met { "pass" } else { "MISS" };
            println!("{verdict}: {} to {}: {reached:.2}; {wanted}", goal.ours, goal.theirs);
        }
    }
    println!("\n{missed} goals missed");
}

/// Of one key.
#[derive(Clone, Copy)]
struct Figures {
    /// Seconds.
    wall: f64,
    /// Seconds of this thread, in the system too.
    processor: f64,
    allocations: f64,
}

impl Figures {
    fn of(client: &mut dyn Client, verb: Verb, keys: &[String]) -> Self {
        let region = Region::new(ALLOCATIONS);
        let (wall, processor) = (Instant::now(), thread_time());
        match verb {
            Verb::Get => keys.iter().for_each(|key| assert_eq!(client.get(key), VALUE.len())),
            Verb::Set => keys.iter().for_each(|key| client.set(key)),
            Verb::GetMany => {
                for keys in keys.chunks(100) {
                    assert_eq!(client.get_many(keys), keys.len() * VALUE.len());
                }
            }
        }
        let count = keys.len() as f64;
        Self {
            wall: wall.elapsed().as_secs_f64() / count,
            processor: (thread_time() - processor) as f64 / 1e9 / count,
            allocations: region.change().allocations as f64 / count,
        }
    }
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
