//! Places the keys of standard input, one a line, with every scheme, over every storage, and plans a change.
//!
//! The exit status is 0 when all ways agree.
#![no_std]
#![no_main]

use memring_core::{
    Placement, Scheme, Server, ServerIndex, peers,
    plan::Plan,
    storage::{Fixed, FixedWide, Lent, StorageMut},
};

freestanding::program!(main);

const SERVERS: [Server<'static>; 3] =
    [Server::new("10.0.1.1:11211"), Server::new("10.0.1.2:11211").weighing(2), Server::new("10.0.1.3:11212")];

fn main(input: &[u8]) -> u8 {
    for peer in peers::all() {
        for key in input.split(|&byte| byte == b'\n') {
            let agreed = agree(peer.scheme, key).unwrap_or(true) && agree_wide(peer.scheme, key).unwrap_or(true);
            if !agreed {
                freestanding::write(peer.scheme.name.as_bytes());
                return 1;
            }
        }
        if !options(peer.scheme, input) {
            return 2;
        }
    }
    planned(input)
}

/// Whether fixed storage, lent storage and no storage give one answer; `None` if the scheme cannot be built.
fn agree(scheme: Scheme<'_>, key: &[u8]) -> Option<bool> {
    let fixed = Placement::build(scheme, &SERVERS, Fixed::<2048, 512>::new()).ok()?;
    let (mut points, mut owners) = ([0; 2048], [0; 2048]);
    let lent = Lent { points: &mut points, owners: &mut owners, ..Lent::default() };
    let lent = Placement::build(scheme, &SERVERS, lent).ok()?;
    let primary = fixed.primary(key);
    Some(same(&fixed, key, primary) && same(&lent, key, primary) && scheme.choose(&SERVERS, key) == Ok(primary))
}

/// The same for schemes of 128-bit points.
fn agree_wide(scheme: Scheme<'_>, key: &[u8]) -> Option<bool> {
    let wide = Placement::build(scheme, &SERVERS, FixedWide::<1024>::new()).ok()?;
    let primary = wide.primary(key);
    Some(same(&wide, key, primary) && scheme.choose(&SERVERS, key) == Ok(primary))
}

fn same<S: StorageMut>(placement: &Placement<'_, &[Server<'_>; 3], S>, key: &[u8], primary: ServerIndex) -> bool {
    let mut room = [ServerIndex::default(); 3];
    placement.primary(key) == primary && placement.order(key, &mut room).first() == Some(&primary)
}

/// Whether reading options from text does no harm.
fn options(scheme: Scheme<'_>, input: &[u8]) -> bool {
    let text = str::from_utf8(input).unwrap_or("1");
    let Some(peer) = peers::Peer::named(scheme.name) else { return false };
    peer.options.iter().all(|name| match scheme.with_option(name, text) {
        Ok(scheme) => scheme.choose(&SERVERS, input).is_ok_and(|server| server.get() < SERVERS.len()),
        Err(_) => true,
    })
}

fn planned(input: &[u8]) -> u8 {
    let count = input.len().clamp(1, 2);
    let mut matrix = [0.0; 9];
    for peer in peers::all() {
        let few = SERVERS.get(..count).unwrap_or(&SERVERS);
        let Ok(old) = Placement::build(peer.scheme, few, Fixed::<2048>::new()) else { continue };
        let Ok(new) = Placement::build(peer.scheme, &SERVERS, Fixed::<2048>::new()) else { continue };
        let Ok(plan) = Plan::new(&old, &new, &mut matrix) else { return 3 };
        if plan.moved() > 1.0 + 1e-6 || plan.precision().standard_error(plan.kept()) > 0.1 {
            return 4;
        }
    }
    0
}
