//! Schemes, servers and changes of them: one for each scheme with all its options, and one for each value of an option that
//! is in none before.

use std::{collections::BTreeSet, io};

use memring_core::peers;
use memring_fuzz::placement::accepted;

use crate::{kinds::variant, write as write_seeds};

/// Writes the seeds of all targets that place keys on any servers.
pub(crate) fn write() -> io::Result<()> {
    let all = fleets();
    let of_schemes = &all[..peers::all().count()];
    write_seeds("placement_ways_agree", "seed", all.iter().cloned())?;
    let resized = || (0..).zip(of_schemes).map(|(at, fleet)| [fleet, &[at][..]].concat());
    write_seeds("placement_is_stable", "seed", resized())?;
    write_seeds("plan_agrees_with_keys", "seed", resized())?;
    // To the same scheme with another option, or to another scheme.
    let others = all.iter().rev().chain(of_schemes);
    write_seeds(
        "plan_adds_up",
        "seed",
        of_schemes.iter().zip(others).map(|(old, new)| [&old[..], new].concat()),
    )
}

/// An option that takes more values than this takes any text.
const MOST_LISTED: usize = 24;

/// As bytes: the seeds of all schemes come first.
fn fleets() -> Vec<Vec<u8>> {
    let peers: Vec<_> = peers::all().collect();
    let mut seen = BTreeSet::new();
    let mut fleets = Vec::new();
    // The first value of each option, then the second …
    for turn in 0..MOST_LISTED as u8 {
        for (scheme, peer) in peers.iter().enumerate() {
            let values: Vec<_> = (0..peer.options.len()).map(|option| accepted(scheme, option)).collect();
            let set: Vec<_> = peer
                .options
                .iter()
                .zip(&values)
                .map(|(name, values)| (*name, values[usize::from(turn) % values.len()]))
                .collect();
            // Of names and prefixes, any is as good as another.
            let is_listed = |values: &&[&str]| values.len() <= MOST_LISTED;
            let listed = set.iter().zip(&values).filter(|(_, values)| is_listed(values));
            let is_new = listed.filter(|(set, _)| seen.insert(**set)).count() > 0;
            if turn == 0 || is_new {
                fleets.push(fleet(scheme as u8, &vec![turn; set.len()]));
            }
        }
    }
    fleets
}

/// A fleet of five servers: the scheme, the option's values by their numbers, servers, and no keys.
fn fleet(scheme: u8, values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![scheme];
    for (option, value) in (0..).zip(values) {
        bytes.extend([&[1, option][..], &variant(0, 3), &[*value]].concat());
    }
    bytes.push(0);
    for host in 1..=5_u8 {
        // The first three are alike.
        let load =
            if host <= 3 { variant(0, 4).to_vec() } else { [&variant(1, 4)[..], &[host - 2]].concat() };
        bytes.extend([&[1][..], &variant(0, 2), &[host, host % 3, host % 2], &load].concat());
    }
    bytes.extend([0, 0]);
    bytes
}
