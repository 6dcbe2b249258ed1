//! Whatever holds a placement, and however it is asked, the answer is the same.

use memring_core::{
    Placement, ServerIndex,
    storage::{Boxed, Entries, Fixed, FixedWide, Lent, Storage as _},
};

use super::fleet::{Fleet, placement, random_keys};

/// Boxed, fixed, lent, rebuilt and prebuilt storage and none at all place every key alike, one by one and many at once; the
/// order begins with the primary and names nobody twice.
pub fn ways_agree(fleet: &Fleet) {
    let (scheme, names) = (fleet.scheme(), fleet.names());
    let servers = fleet.servers(&names);
    let Some(boxed) = placement(scheme, &servers) else { return };
    let needs = scheme.needs(&*servers).expect("it was built");

    let fixed = Placement::build(scheme, &*servers, Fixed::<4096, 128>::new()).ok();
    let fixed_wide = Placement::build(scheme, &*servers, FixedWide::<4096>::new()).ok();
    let (mut points, mut wide) = (vec![0; needs.entries], vec![0; needs.entries]);
    let (mut owners, mut index) = (vec![0; needs.entries], [0; 64]);
    let lent = match needs.wide {
        false => Lent::new(&mut points, &mut owners).indexed(&mut index),
        true => Lent::wide(&mut wide, &mut owners).indexed(&mut index),
    };
    let lent = Placement::build(scheme, &*servers, lent).expect("it has as much as it needs");
    let entries: Entries<'_> = boxed.storage().entries();
    let prebuilt = Placement::prebuilt(scheme, &*servers, entries);
    // What was there before makes no difference.
    let mut rebuilt = Placement::build(scheme, &servers[..1], Boxed::default()).ok();
    if let Some(placement) = &mut rebuilt {
        placement.rebuild(&servers).expect("it was built from the same");
    }

    let keys: Vec<_> = random_keys(20).map(String::into_bytes).collect();
    let keys = fleet.keys.iter().chain(&keys).map(Vec::as_slice).chain([&b""[..], b"tokyo"]);
    let keys: Vec<&[u8]> = keys.collect();
    let mut many = vec![ServerIndex::default(); keys.len()];
    boxed.place_many(&keys, &mut many);
    for (key, among_many) in keys.iter().copied().zip(many) {
        let primary = boxed.primary(key);
        assert!(primary.get() < servers.len());
        assert_eq!(among_many, primary, "among many");
        assert_eq!(scheme.choose(&*servers, key), Ok(primary), "without storage");
        assert_eq!(lent.primary(key), primary, "in lent storage");
        assert_eq!(prebuilt.primary(key), primary, "prebuilt");
        assert!(rebuilt.as_ref().is_none_or(|rebuilt| rebuilt.primary(key) == primary), "rebuilt");
        assert!(fixed.as_ref().is_none_or(|fixed| fixed.primary(key) == primary), "in fixed storage");
        assert!(fixed_wide.as_ref().is_none_or(|fixed| fixed.primary(key) == primary), "in wide storage");

        let mut out = vec![ServerIndex::default(); servers.len()];
        let order = boxed.order(key, &mut out);
        assert_eq!(order.first(), Some(&primary));
        let mut sorted = order.to_vec();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), order.len(), "somebody is named twice");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::fleet::{
        Listed, Load, Name, Setting,
        tests::{options, ordinary, schemes},
    };

    #[test]
    fn every_scheme_obeys() {
        for scheme in schemes() {
            let mut fleet = ordinary(scheme, 5);
            ways_agree(&fleet);
            fleet.keys = vec![b"key".into(), b"\xff".into()];
            fleet.servers.push(Listed { name: Name::Text(String::new()), load: Load::Some(3) });
            fleet.servers.push(Listed { name: Name::Address(1, 1, false), load: Load::Real(250) });
            ways_agree(&fleet);
            for option in 0..options(scheme) {
                for value in 0..24 {
                    fleet.options = vec![(option, Setting::Known(value))];
                    ways_agree(&fleet);
                }
            }
        }
    }
}
