//! Modulo: the hash picks one of as many slots as the weights add up to.
//!
//! A server of weight w has w slots in a row. What is stored is where each server's slots end, not the slots.

use super::{BATCH, Mechanism, Needs, View};
use crate::{
    live::Live,
    plan::Division,
    scheme::{BuildError, Scheme},
    server::ServerIndex,
    storage::{Entries, EntriesMut},
};

/// Hash modulo the number of slots.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    /// Which of `total` slots a key has, from 0, where that is more than its hash modulo `total`.
    pub slot: Option<Rule>,
}

/// A slot of `total` for a key.
type Rule = fn(&Scheme<'_>, key: &[u8], total: u32) -> u32;

impl Slots {
    /// The scheme's hash of the key, modulo the number of slots.
    pub const BY_HASH: Self = Self { slot: None };

    /// The scheme's hash of `key` modulo `total`.
    pub fn by_hash(scheme: &Scheme<'_>, key: &[u8], total: u32) -> u32 {
        scheme.hash_key(key).checked_rem(total).unwrap_or(0)
    }

    fn slot(&self, scheme: &Scheme<'_>, key: &[u8], total: u32) -> u32 {
        self.slot.unwrap_or(Self::by_hash)(scheme, key, total)
    }

    /// Whether slots are servers: all weights are one and the order is as configured.
    fn is_plain(live: &Live<'_>, scheme: &Scheme<'_>) -> bool {
        scheme.roster.is_none() && live.members().all(|member| member.weight == 1)
    }

    /// How many slots were built.
    pub(crate) fn total(view: &View<'_>) -> u32 {
        let plain = u32::try_from(view.servers.count()).unwrap_or(u32::MAX);
        view.entries.points.last().copied().unwrap_or(plain)
    }

    fn owner(entries: &Entries<'_>, slot: u32) -> ServerIndex {
        if entries.points.is_empty() {
            return ServerIndex::new(slot as u16);
        }
        entries.owner(entries.points.partition_point(|&end| end <= slot))
    }
}

impl Mechanism for Slots {
    fn needs(&self, scheme: &Scheme<'_>, live: &Live<'_>) -> Result<Needs, BuildError> {
        match live.total() {
            0 => Err(BuildError::NothingToPlaceOn),
            total if u32::try_from(total).is_err() => Err(BuildError::TotalWeight),
            _ if Self::is_plain(live, scheme) => Ok(Needs::default()),
            _ => Ok(Needs { entries: live.count(), wide: false }),
        }
    }

    fn build(&self, _scheme: &Scheme<'_>, live: &Live<'_>, entries: EntriesMut<'_>) -> usize {
        let mut end = 0_u32;
        let mut last = None;
        let mut built = 0;
        for (point, owner) in entries.points.iter_mut().zip(entries.owners) {
            let Some(member) = live.next(last) else { break };
            end = end.saturating_add(member.weight);
            (*point, *owner) = (end, member.index.raw());
            last = Some(member.index);
            built += 1;
        }
        built
    }

    fn primary(&self, view: &View<'_>, key: &[u8]) -> ServerIndex {
        Self::owner(&view.entries, self.slot(view.scheme, key, Self::total(view)))
    }

    fn place_many(&self, view: &View<'_>, keys: &[&[u8]], out: &mut [ServerIndex]) {
        let total = Self::total(view);
        for (keys, servers) in keys.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
            let mut slots = [0; BATCH];
            match self.slot {
                Some(rule) => {
                    let ruled = slots.iter_mut().zip(keys);
                    ruled.for_each(|(slot, key)| *slot = rule(view.scheme, key, total));
                }
                None => {
                    view.scheme.hash_keys(keys, &mut slots);
                    slots.iter_mut().for_each(|slot| *slot = slot.checked_rem(total).unwrap_or(0));
                }
            }
            for ((server, slot), _) in servers.iter_mut().zip(slots).zip(keys) {
                *server = Self::owner(&view.entries, slot);
            }
        }
    }

    fn at(&self, view: &View<'_>, hash: u32) -> ServerIndex {
        Self::owner(&view.entries, hash.checked_rem(Self::total(view)).unwrap_or(0))
    }

    fn division(&self) -> Division {
        if self.slot.is_none() { Division::Slots } else { Division::Unknown }
    }

    fn choose(&self, scheme: &Scheme<'_>, live: &Live<'_>, key: &[u8]) -> Option<ServerIndex> {
        let mut slot = self.slot(scheme, key, u32::try_from(live.total()).ok()?);
        let mut last = None;
        while let Some(member) = live.next(last) {
            match slot.checked_sub(member.weight) {
                Some(rest) => slot = rest,
                None => return Some(member.index),
            }
            last = Some(member.index);
        }
        None
    }
}
