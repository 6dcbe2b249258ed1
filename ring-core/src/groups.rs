//! Keys by server, within the caller's own slices.

use core::mem;

use crate::server::ServerIndex;

/// The keys of each server, one server at a time: what [`Placement::group`](crate::Placement::group) returns.
///
/// Servers come in the order in which the first of their keys stands in what is left; a server without keys does not come.
#[derive(Debug)]
pub struct Groups<'g, K> {
    keys: &'g mut [K],
    servers: &'g mut [ServerIndex],
}

impl<'g, K> Groups<'g, K> {
    /// Groups `keys`, each of which lives on the one of `servers` with its index. Both slices have the same length.
    pub(crate) const fn new(keys: &'g mut [K], servers: &'g mut [ServerIndex]) -> Self {
        Self { keys, servers }
    }
}

impl<'g, K> Iterator for Groups<'g, K> {
    type Item = (ServerIndex, &'g [K]);

    fn next(&mut self) -> Option<Self::Item> {
        let (keys, servers) = (mem::take(&mut self.keys), mem::take(&mut self.servers));
        let server = *servers.first()?;
        // The keys of this server move to the front, in one pass.
        let mut len = 1;
        for at in 1..servers.len() {
            if servers.get(at) == Some(&server) {
                swap(servers, len, at);
                swap(keys, len, at);
                len += 1;
            }
        }
        let (here, keys) = keys.split_at_mut_checked(len)?;
        let (_, servers) = servers.split_at_mut_checked(len)?;
        (self.keys, self.servers) = (keys, servers);
        Some((server, here))
    }
}

/// Swaps two elements, unless they are one.
fn swap<T>(slice: &mut [T], left: usize, right: usize) {
    if let Ok([left, right]) = slice.get_disjoint_mut([left, right]) {
        mem::swap(left, right);
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_key_comes_once_and_with_its_server(owners in proptest::collection::vec(0_u16..5, 0..40)) {
            let mut servers: Vec<_> = owners.iter().copied().map(ServerIndex::new).collect();
            let mut keys: Vec<_> = owners.iter().copied().enumerate().collect();
            let groups: Vec<_> = Groups::new(&mut keys, &mut servers).collect();
            let mut seen = Vec::new();
            for (server, keys) in &groups {
                prop_assert!(!keys.is_empty() && keys.iter().all(|(_, owner)| ServerIndex::new(*owner) == *server));
                seen.extend(keys.iter().map(|(position, _)| *position));
            }
            let mut once: Vec<_> = groups.iter().map(|(server, _)| *server).collect();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), groups.len());
            seen.sort_unstable();
            prop_assert!(seen.into_iter().eq(0..owners.len()));
        }
    }
}
