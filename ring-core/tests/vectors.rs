//! Every vector file of every scheme: what the real peers did, key by key.
//!
//! Each file is checked over built storage and, for a sample of its keys, without storage. `SCHEME=dalli` leaves out the files
//! of all other schemes.

mod common;

use std::{collections::BTreeMap, env, fs};

use common::vector::Vector;
use memring_core::{
    Placement, Scheme, ServerIndex,
    peers::{self, versions::Versions},
};

/// Keys per file that are also placed without storage, which hashes every point of the ring for each.
const CHOSEN: usize = 40;

fn check(vector: &Vector<'_>) -> Result<usize, String> {
    let scheme = vector.scheme()?;
    let servers = &vector.servers[..];
    let placement = Placement::owned(scheme, servers).map_err(|error| format!("cannot be built: {error}"))?;
    let mut out = vec![ServerIndex::default(); servers.len()];
    let sparse = (vector.rows.len() / CHOSEN).max(1);
    for (number, row) in vector.rows.iter().enumerate() {
        let order = if vector.full_order {
            placement.order(&row.key, &mut out)
        } else {
            placement.order(&row.key, &mut out[..1])
        };
        let order: Vec<usize> = order.iter().map(|server| server.get()).collect();
        if order != row.servers {
            return Err(format!("key {:?}: {order:?}, not {:?}", row.escaped, row.servers));
        }
        if number % sparse == 0 {
            let chosen = scheme.choose(servers, &row.key).map_err(|error| error.to_string())?;
            if chosen.get() != row.servers[0] {
                return Err(format!(
                    "key {:?} without storage: {chosen}, not {:?}",
                    row.escaped, row.servers
                ));
            }
        }
    }
    Ok(vector.rows.len())
}

#[test]
fn every_scheme_places_as_its_peer_did() {
    let mut keys: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let only = env::var("SCHEME").ok();
    let is_asked_for = |scheme: &str| only.as_deref().is_none_or(|only| scheme == only);
    for path in common::vector::files() {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let vector = Vector::parse(&text);
        if !is_asked_for(vector.scheme) {
            continue;
        }
        if Scheme::from_name(vector.scheme).is_none() {
            wrong.push(format!("{name}: no scheme of this name"));
            continue;
        }
        match check(&vector) {
            Ok(checked) => {
                println!("{name}: {checked} keys");
                *keys.entry(vector.scheme.to_owned()).or_default() += checked;
            }
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{} files differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(!keys.is_empty(), "no file is about the scheme {only:?}");
    for peer in peers::all().filter(|peer| is_asked_for(peer.scheme.name)) {
        // What is only read says so, and what is said to be proved has vectors.
        let name = peer.scheme.name;
        let proved = Versions::of(name).is_some_and(Versions::is_proved);
        assert_eq!(proved, keys.contains_key(name), "{name}");
    }
}
