//! What a plan says of a change is what happens to keys.

use std::collections::BTreeSet;

use memring_core::{
    ServerIndex,
    plan::{Plan, Precision},
};

use super::fleet::{Fleet, Resize, Setting, placement, random_keys};

/// The shares of a plan add up to one, before and after.
pub fn plan_adds_up((old, new): &(Fleet, Fleet)) {
    let (old_names, new_names) = (old.names(), new.names());
    let (old_servers, new_servers) = (old.servers(&old_names), new.servers(&new_names));
    let Some(before) = placement(old.scheme(), &old_servers) else { return };
    let Some(after) = placement(new.scheme(), &new_servers) else { return };
    let mut matrix = vec![0.0; old_servers.len() * new_servers.len()];
    let plan = Plan::new(&before, &after, &mut matrix).expect("the matrix is large enough");
    let indexes = |count: usize| (0..count as u16).map(ServerIndex::new);
    let total: f64 = indexes(old_servers.len()).map(|server| plan.before(server)).sum();
    assert!((total - 1.0).abs() < 1e-6, "{total} before");
    let total: f64 = indexes(new_servers.len()).map(|server| plan.after(server)).sum();
    assert!((total - 1.0).abs() < 1e-6, "{total} after");
    assert!((-1e-6..=1.0 + 1e-6).contains(&plan.moved()));
}

/// A plan's shares are those of keys that are as likely as any other, for each pair of servers, and for all that moves.
pub fn plan_agrees_with_keys(resize: &Resize) {
    let fleet = &resize.fleet;
    let (scheme, names) = (fleet.scheme(), fleet.names());
    let large = fleet.servers(&names);
    // A key of which only a part is hashed is not as likely as any other.
    let has_text = fleet.options.iter().any(|(_, setting)| matches!(setting, Setting::Text(_)));
    if large.len() < 2 || has_text {
        return;
    }
    let mut small = large.clone();
    small.remove(usize::from(resize.at) % large.len());
    let (Some(before), Some(after)) = (placement(scheme, &large), placement(scheme, &small)) else { return };
    let plan = Plan::owned(&before, &after);
    // A sample is of keys that are much like each other, and some of the hashes that can be chosen tell such keys badly.
    if plan.precision() != Precision::Exact && !fleet.options.is_empty() {
        return;
    }
    // Behind a prefix of 250 bytes no key counts.
    let hashes: BTreeSet<_> = random_keys(10).map(|key| scheme.hash_key(key.as_bytes())).collect();
    if hashes.len() == 1 {
        return;
    }
    let mut counted = vec![0_u32; large.len() * small.len()];
    for key in random_keys(KEYS) {
        let (from, to) = (before.primary(key.as_bytes()).get(), after.primary(key.as_bytes()).get());
        counted[from * small.len() + to] += 1;
    }
    let agree = |share: f64, count: u32, what: &dyn Fn() -> String| {
        let expected = share * KEYS as f64;
        let known_to = match plan.precision() {
            Precision::Exact => 0.0,
            precision => KEYS as f64 * precision.standard_error(share),
        };
        // Six standard deviations, and a few keys where hardly any are expected.
        let most = 6.0 * (expected * (1.0 - share).max(0.0)).max(1.0).sqrt() + 6.0 * known_to + 3.0;
        assert!(
            (f64::from(count) - expected).abs() <= most,
            "{}: {count} keys of {KEYS} for {share} {} in {:?}",
            scheme.name,
            what(),
            resize
        );
    };
    let mut moved = 0;
    for (from, old) in large.iter().enumerate() {
        for (to, new) in small.iter().enumerate() {
            let count = counted[from * small.len() + to];
            moved += if old.name == new.name { 0 } else { count };
            let share = plan.share(ServerIndex::new(from as u16), ServerIndex::new(to as u16));
            agree(share, count, &|| format!("from {} to {}", old.name, new.name));
        }
    }
    agree(plan.moved(), moved, &|| "moved".to_owned());
}

/// How many keys are placed.
const KEYS: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::fleet::{
        Load,
        tests::{options, ordinary, schemes},
    };

    #[test]
    fn every_scheme_obeys() {
        for scheme in schemes() {
            for count in [2, 7] {
                let mut fleet = ordinary(scheme, count);
                plan_adds_up(&(fleet.clone(), ordinary(scheme, count + 1)));
                plan_agrees_with_keys(&Resize { fleet: fleet.clone(), at: count / 2 });
                for (number, server) in fleet.servers.iter_mut().enumerate() {
                    server.load = Load::Some(1 + (number * 5 % 7) as u8);
                }
                for (option, value) in
                    (0..options(scheme)).flat_map(|option| (0..8).map(move |value| (option, value)))
                {
                    fleet.options = vec![(option, Setting::Known(value))];
                    plan_agrees_with_keys(&Resize { fleet: fleet.clone(), at: value });
                }
            }
        }
    }
}
