//! Modulo: the hash picks one of as many slots as the weights add up to.
//!
//! A server of weight w has w slots in a row. What is stored is where each server's slots end, not the slots.

use super::{BATCH, Division, View, Way, sort};
use crate::{
    live::Live,
    scheme::{BuildError, Scheme},
    server::ServerIndex,
    storage::{Entries, EntriesMut, Needs},
};

/// Hash modulo the number of slots.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    /// Gives the slot of a key, from 0 up to `total`; `None` = its hash modulo `total`.
    pub slot: Option<Rule>,
}

/// A slot of `total` for a key.
type Rule = fn(&Scheme<'_>, key: &[u8], total: u32) -> u32;

impl Slots {
    /// The scheme's hash of the key, modulo the number of slots.
    pub const BY_HASH: Self = Self { slot: None };

    /// The scheme's hash of `key` modulo `total`.
    #[inline]
    pub fn by_hash(scheme: &Scheme<'_>, key: &[u8], total: u32) -> u32 {
        scheme.hash_key(key).checked_rem(total).unwrap_or(0)
    }

    #[inline]
    fn slot(&self, scheme: &Scheme<'_>, key: &[u8], total: u32) -> u32 {
        self.slot.unwrap_or(Self::by_hash)(scheme, key, total)
    }

    /// Whether slots are servers: all weights are one and the order is as configured.
    fn is_plain(live: &Live<'_>) -> bool {
        live.members().all(|member| member.weight == 1) && live.is_in_order()
    }

    /// How many slots were built.
    #[inline]
    pub(crate) fn total(view: &View<'_>) -> u32 {
        let plain = u32::try_from(view.servers.count()).unwrap_or(u32::MAX);
        view.entries.points.last().copied().unwrap_or(plain)
    }

    #[inline]
    fn owner(entries: &Entries<'_>, slot: u32) -> ServerIndex {
        if entries.points.is_empty() {
            return ServerIndex::new(slot as u16);
        }
        entries.owner(entries.points.partition_point(|&end| end <= slot))
    }
}

impl Way for Slots {
    fn needs(&self, _scheme: &Scheme<'_>, live: &Live<'_>) -> Result<Needs, BuildError> {
        match live.total() {
            0 => Err(BuildError::NothingToPlaceOn),
            total if u32::try_from(total).is_err() => Err(BuildError::TotalWeight),
            _ if Self::is_plain(live) => Ok(Needs::default()),
            _ => Ok(Needs { entries: live.count(), wide: false }),
        }
    }

    fn build(&self, _scheme: &Scheme<'_>, live: &Live<'_>, entries: EntriesMut<'_>) -> usize {
        let EntriesMut { points, owners, .. } = entries;
        let mut built = 0;
        for (member, owner) in live.members().zip(&mut *owners) {
            *owner = member.index.raw();
            built += 1;
        }
        if !live.is_in_order() {
            points.fill(0);
            sort::by_point(points, owners, &|left, right| {
                live.compare(ServerIndex::new(left), ServerIndex::new(right))
            });
        }
        let mut end = 0_u32;
        for (point, owner) in points.iter_mut().zip(owners) {
            let weight = live.member(ServerIndex::new(*owner)).map_or(0, |member| member.weight);
            end = end.saturating_add(weight);
            *point = end;
        }
        built
    }

    #[inline(always)]
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

    fn division(&self, view: &View<'_>) -> Division {
        if self.slot.is_none() { Division::Repeats(Self::total(view).into()) } else { Division::Unknown }
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

#[cfg(test)]
mod tests {
    use std::{format, string::String, vec, vec::Vec};

    use crate::{
        peers::{jump::JUMP, twemproxy::MODULA},
        placement::Placement,
        server::{Server, ServerIndex},
        storage::Lent,
    };

    #[test]
    fn the_longest_list_is_sorted_in_no_time() {
        let names: Vec<String> = (0..ServerIndex::MAX_SERVERS)
            .map(|number| format!("cache-{}", number * 7919 % ServerIndex::MAX_SERVERS))
            .collect();
        let servers: Vec<Server<'_>> = names.iter().map(|name| Server::new(name)).collect();
        for scheme in [JUMP, MODULA] {
            let (mut points, mut owners) = (vec![0; names.len()], vec![0; names.len()]);
            let storage = Lent::new(&mut points, &mut owners);
            let placement = Placement::build(scheme, &*servers, storage).unwrap();
            assert_eq!(placement.len(), names.len());
            placement.primary(b"tokyo");
            assert_eq!(points, (1..=names.len() as u32).collect::<Vec<_>>());
            let first = names.iter().position(|name| name == "cache-0").unwrap();
            assert_eq!(usize::from(owners[0]), first);
        }
    }

    #[test]
    fn a_list_that_is_sorted_already_takes_no_storage() {
        let sorted = ["m-1", "m-2", "m-10"].map(Server::new);
        let unsorted = ["m-1", "m-10", "m-2"].map(Server::new);
        assert_eq!(JUMP.needs(&sorted).unwrap().entries, 0);
        assert_eq!(JUMP.needs(&unsorted).unwrap().entries, 3);
        assert_eq!(MODULA.needs(&sorted.map(|server| server.weighing(2))).unwrap().entries, 3);
    }
}
