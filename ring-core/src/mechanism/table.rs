//! A table of buckets: the low bits of a hash pick a bucket, and the table has its server.

use super::{BATCH, Division, View, Way};
use crate::{
    live::Live,
    scheme::{BuildError, Scheme},
    server::ServerIndex,
    storage::{Entries, EntriesMut, Needs},
};

/// Buckets and their owners.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// How many buckets there are; 0 when the servers, as configured, are the buckets and nothing is stored.
    pub count: fn(&Scheme<'_>, &Live<'_>) -> Result<usize, BuildError>,
    /// Notes the owner of each bucket; the points are scratch space.
    pub fill: fn(&Scheme<'_>, &Live<'_>, points: &mut [u32], owners: &mut [u16]),
    /// The owner of one bucket.
    pub owner: fn(&Scheme<'_>, &Live<'_>, bucket: usize) -> Option<ServerIndex>,
}

/// The bucket of a hash. If the number of buckets is not a power of two, some stay empty, as in the peers.
const fn bucket(hash: u32, buckets: usize) -> usize {
    hash as usize & buckets.wrapping_sub(1)
}

impl Table {
    /// A map of buckets to servers out of the configuration: [`Options::Buckets`](crate::scheme::Options::Buckets).
    ///
    /// Without a map each server is one bucket.
    pub const MAP: Self = Self {
        count: |scheme, live| match scheme.options.buckets() {
            Some(_) => Self::mapped(scheme, live),
            None if live.is_in_order() => Ok(0),
            None => Ok(live.count()),
        },
        fill: |scheme, live, points, owners| {
            match scheme.options.buckets() {
                Some(map) => note(map.iter(), points, owners),
                None => note(0..u16::MAX, points, owners),
            }
            if !live.is_in_order() {
                rename(live, points, owners);
            }
        },
        owner: |scheme, live, bucket| {
            let server = match scheme.options.buckets() {
                Some(map) => map.iter().nth(bucket)?.into(),
                None => bucket,
            };
            live.ranked(server)
        },
    };

    /// How many buckets the map has.
    ///
    /// # Errors
    /// [`BuildError`] when there is no map or it names a server that is not in the list.
    pub(crate) fn mapped(scheme: &Scheme<'_>, live: &Live<'_>) -> Result<usize, BuildError> {
        let map = scheme.options.buckets().ok_or(BuildError::NoBuckets)?;
        let mut count = 0;
        for server in map.iter() {
            if usize::from(server) >= live.count() {
                return Err(BuildError::Bucket { bucket: count, server });
            }
            count += 1;
        }
        if count == 0 { Err(BuildError::NoBuckets) } else { Ok(count) }
    }
}

/// Notes a server for each bucket, by its index in the peer's order.
fn note(map: impl Iterator<Item = u16>, points: &mut [u32], owners: &mut [u16]) {
    for ((server, point), owner) in map.zip(points).zip(owners) {
        (*point, *owner) = (server.into(), server);
    }
}

/// Replaces indexes in the peer's order by those of the list.
fn rename(live: &Live<'_>, ranks: &[u32], owners: &mut [u16]) {
    let mut last = None;
    let mut rank = 0;
    while let Some(member) = live.next(last) {
        for (_, owner) in ranks.iter().zip(&mut *owners).filter(|&(&noted, _)| noted == rank) {
            *owner = member.index.raw();
        }
        last = Some(member.index);
        rank += 1;
    }
}

impl Way for Table {
    fn needs(&self, scheme: &Scheme<'_>, live: &Live<'_>) -> Result<Needs, BuildError> {
        Ok(Needs { entries: (self.count)(scheme, live)?, wide: false })
    }

    fn build(&self, scheme: &Scheme<'_>, live: &Live<'_>, entries: EntriesMut<'_>) -> usize {
        (self.fill)(scheme, live, entries.points, entries.owners);
        entries.owners.len()
    }

    #[inline(always)]
    fn primary(&self, view: &View<'_>, key: &[u8]) -> ServerIndex {
        self.at(view, view.scheme.hash_key(key))
    }

    fn place_many(&self, view: &View<'_>, keys: &[&[u8]], out: &mut [ServerIndex]) {
        for (keys, servers) in keys.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
            let mut hashes = [0; BATCH];
            view.scheme.hash_keys(keys, &mut hashes);
            for ((server, hash), _) in servers.iter_mut().zip(hashes).zip(keys) {
                *server = self.at(view, hash);
            }
        }
    }

    #[inline]
    fn at(&self, view: &View<'_>, hash: u32) -> ServerIndex {
        let entries: &Entries<'_> = &view.entries;
        match entries.owners.len() {
            0 => ServerIndex::new(bucket(hash, view.servers.count()) as u16),
            buckets => entries.owner(bucket(hash, buckets)),
        }
    }

    fn division(&self, view: &View<'_>) -> Division {
        let buckets = match view.entries.owners.len() {
            0 => view.servers.count(),
            buckets => buckets,
        };
        Division::Repeats(buckets.next_power_of_two() as u64)
    }

    fn choose(&self, scheme: &Scheme<'_>, live: &Live<'_>, key: &[u8]) -> Option<ServerIndex> {
        let buckets = match (self.count)(scheme, live).ok()? {
            0 => live.count(),
            buckets => buckets,
        };
        (self.owner)(scheme, live, bucket(scheme.hash_key(key), buckets))
    }
}
