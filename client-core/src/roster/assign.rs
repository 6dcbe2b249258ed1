//! Which slot each server of an answer gets.

use core::{str::FromStr, time::Duration};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use memring_core::Weight;

use super::{Member, Slot};
use crate::spec::{Address, ServerSpec};

/// What slots are called.
///
/// The names decide placement. Programs that share a cache must have the same names for the same servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// This text and a number, from 0.
    Numbered(String),
    /// What the first server of the slot was called, or its address: as clients place keys that know no slots. The name
    /// stays when another server takes the slot.
    FirstServer,
}

/// Reads `first-server`, or what stands before the number, as in `cache-{n}`.
impl FromStr for Naming {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match (text, text.strip_suffix("{n}")) {
            ("first-server", _) => Ok(Self::FirstServer),
            (_, Some(prefix)) => Ok(Self::Numbered(prefix.to_owned())),
            _ => Err(()),
        }
    }
}

impl Default for Naming {
    fn default() -> Self {
        Self::Numbered("s".to_owned())
    }
}

impl Naming {
    /// The name of the slot behind `slots`, whose first server is that of `key`.
    fn name(&self, slots: &[Slot], key: &Key) -> String {
        let name = match (self, key) {
            (Self::Numbered(prefix), _) => format!("{prefix}{}", slots.len()),
            (Self::FirstServer, Key::Named(identity)) => identity.clone(),
            (Self::FirstServer, Key::At(address)) => address.to_string(),
        };
        // The server had a slot before, which another one has taken.
        let is_there = slots.iter().any(|slot| slot.spec.name() == name);
        if is_there { format!("{name}~{}", slots.len()) } else { name }
    }
}

/// What [`assign`] goes by, beside slots and answer.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// How many slots there should be.
    pub count: Option<usize>,
    /// After which time a free slot at the end is dropped.
    pub shrink_after: Duration,
    /// What new slots are called.
    pub naming: &'r Naming,
}

/// What tells a server from others, in the order in which new ones get slots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Named(String),
    At(Address),
}

impl Key {
    fn new(identity: Option<&String>, addresses: &BTreeSet<Address>) -> Option<Self> {
        match identity {
            Some(identity) => Some(Self::Named(identity.clone())),
            None => addresses.first().cloned().map(Self::At),
        }
    }
}

type Merged = (BTreeSet<Address>, Option<Weight>);

/// Fits an answer to the slots, at `now`. The order of the answer means nothing.
///
/// - A server that is still there keeps its slot and takes its addresses with it: it is known by its identity, else by an
///   address.
/// - All other slots are free. Servers that are new, sorted, take the slots that have been free for the longest, and are
///   put behind the last when none is free.
/// - Free slots at the end are dropped after [`Rules::shrink_after`], or when there are more than [`Rules::count`].
/// - An empty answer changes nothing.
///
/// So a slot's name never changes and never moves, and when as many servers come as go, no key moves.
#[must_use]
pub fn assign(slots: &[Slot], answer: &[Member], now: Instant, rules: Rules<'_>) -> Vec<Slot> {
    let mut left = merged(answer);
    let mut slots = slots.to_vec();
    if left.is_empty() {
        return slots;
    }
    let mut is_taken = vec![false; slots.len()];
    for (slot, is_taken) in slots.iter_mut().zip(&mut is_taken) {
        let key = Key::new(slot.identity.as_ref(), &slot.addresses);
        if let Some((key, server)) = key.and_then(|key| left.remove_entry(&key)) {
            give(slot, key, server);
            *is_taken = true;
        }
    }
    for (slot, is_taken) in slots.iter_mut().zip(&mut is_taken).filter(|(_, is_taken)| !**is_taken) {
        let shares = |(_, (addresses, _)): &(&Key, &Merged)| !addresses.is_disjoint(&slot.addresses);
        let key = left.iter().find(shares).map(|(key, _)| key.clone());
        if let Some((key, server)) = key.and_then(|key| left.remove_entry(&key)) {
            give(slot, key, server);
            *is_taken = true;
        }
    }
    let mut free: Vec<_> =
        slots.iter_mut().zip(is_taken).filter_map(|(slot, is_taken)| (!is_taken).then_some(slot)).collect();
    for slot in &mut free {
        slot.free_since.get_or_insert(now);
    }
    // The sort keeps the order of slots that became free together.
    free.sort_by_key(|slot| slot.free_since);
    for slot in free {
        let Some((key, server)) = left.pop_first() else { break };
        give(slot, key, server);
    }
    for (key, server) in left {
        let name = rules.naming.name(&slots, &key);
        let Some(address) = server.0.first().cloned() else { continue };
        let mut slot = Slot::of(ServerSpec::new(name, address));
        give(&mut slot, key, server);
        slots.push(slot);
    }
    let is_needless = |len: usize, last: &Slot| match (last.free_since, rules.count) {
        (None, _) => false,
        (Some(_), Some(count)) => len > count,
        (Some(since), None) => now.saturating_duration_since(since) >= rules.shrink_after,
    };
    while slots.last().is_some_and(|last| is_needless(slots.len(), last)) {
        slots.pop();
    }
    slots
}

/// The servers of an answer, each once.
fn merged(answer: &[Member]) -> BTreeMap<Key, Merged> {
    let mut servers = BTreeMap::<_, Merged>::new();
    for Member { identity, addresses, weight } in answer.iter().filter(|member| !member.addresses.is_empty())
    {
        let Some(key) = Key::new(identity.as_ref(), addresses) else { continue };
        let server = servers.entry(key).or_insert_with(|| (BTreeSet::new(), *weight));
        server.0.extend(addresses.iter().cloned());
    }
    servers
}

fn give(slot: &mut Slot, key: Key, (addresses, weight): Merged) {
    let Some(address) = addresses.first() else { return };
    let spec = slot.spec.clone().at(address.clone());
    slot.spec = match weight {
        Some(weight) => spec.weighing(weight),
        None => spec,
    };
    slot.identity = match key {
        Key::Named(identity) => Some(identity),
        Key::At(_) => None,
    };
    slot.addresses = addresses;
    slot.free_since = None;
}
