//! Since when this process knows of other callers' leases.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// When which lease was first seen, by its key and cas unique. A holder that dies does not give back what it has: whoever
/// has seen a lease for longer than it may last takes it over.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Leases>);

#[derive(Debug, Default)]
struct Leases {
    by_key: HashMap<Box<[u8]>, (Token, Instant)>,
    /// The keys, the oldest first; one that was seen with another lease stays where it is.
    order: VecDeque<Box<[u8]>>,
}

/// A lease: its cas unique, and which server in which of its lives gave that. Cas uniques begin anew with a server.
type Token = (u64, Place);

/// A server, and a span of time in which it has not restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// A number that no other server of the client has.
    pub(crate) server: usize,
    /// How many connections to it had ended.
    pub(crate) ends: u64,
}

impl Place {
    /// Takes `other` in its place if that is another server: one that stands in for this one was asked.
    pub fn or_moved(&mut self, other: Self) {
        if self.server != other.server {
            *self = other;
        }
    }
}

/// How many are kept; the oldest goes.
const MOST: usize = 4096;

impl Seen {
    /// Notes that at `now` the lease `token` on `key` was held by another caller. Returns when that was first seen.
    pub(super) fn note(&self, key: &[u8], token: Token, now: Instant) -> Instant {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, first)) = leases.by_key.get_mut(key) {
            if *known != token {
                (*known, *first) = (token, now);
            }
            return *first;
        }
        if leases.order.len() >= MOST {
            let oldest = leases.order.pop_front();
            oldest.and_then(|oldest| leases.by_key.remove(&oldest));
        }
        leases.order.push_back(key.into());
        leases.by_key.insert(key.into(), (token, now));
        now
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let leases = self.0.lock().unwrap();
        assert_eq!(leases.by_key.len(), leases.order.len());
        leases.order.len()
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn a_lease_is_known_since_it_was_first_seen() {
        let (seen, begin) = (Seen::default(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        let here = Place::default();
        assert_eq!(seen.note(b"k", (1, here), begin), begin);
        assert_eq!(seen.note(b"k", (1, here), at(3)), begin);
        assert_eq!(seen.note(b"k", (2, here), at(4)), at(4));
        for number in 0..10_000_u32 {
            seen.note(&number.to_le_bytes(), (1, here), at(5));
        }
        assert_eq!(seen.len(), MOST);
        assert_eq!(seen.note(b"k", (2, here), at(6)), at(6), "it was forgotten");
    }

    #[test]
    fn a_server_that_has_restarted_gives_the_same_number_to_another_lease() {
        let (seen, begin) = (Seen::default(), Instant::now());
        let later = begin + Duration::from_secs(9);
        let places = [(0, 0), (0, 1), (1, 1)].map(|(server, ends)| Place { server, ends });
        seen.note(b"k", (1, places[0]), begin);
        for place in &places[1..] {
            assert_eq!(seen.note(b"k", (1, *place), later), later);
        }
    }
    #[test]
    fn a_place_changes_with_the_server_only() {
        let (first, later) = (Place { server: 1, ends: 0 }, Place { server: 1, ends: 1 });
        let mut place = first;
        place.or_moved(later);
        assert_eq!(place, first);
        let other = Place { server: 2, ends: 5 };
        place.or_moved(other);
        assert_eq!(place, other);
    }
}
