//! Builds its ring at the start, in RAM, as a program does that is told its servers.
#![no_std]
#![no_main]

use memring_core::{
    Placement, Server,
    peers::libketama::LIBKETAMA,
    storage::{Fixed, points_for},
};
use weighed::places;

weighed::program!(main);

type Fleet = [Server<'static>; 8];

/// As many points as eight servers have.
type Ring = Fixed<{ points_for(8) }>;

// The placement whole: ring, names, scheme.
const _: () = assert!(size_of::<Ring>() + size_of::<Placement<'static, Fleet, &mut Ring>>() < 8 * 1024);

fn main() -> ! {
    // Lent, so that no copy of it is on the stack at any time.
    let mut ring = Ring::new();
    let built = Placement::build(LIBKETAMA, weighed::LARGE_FLEET, &mut ring);
    weighed::serve(&places::BUILT, |key| built.as_ref().map_or(0, |placement| placement.primary(key).get()))
}
