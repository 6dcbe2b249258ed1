//! Places keys on a ketama ring that was built with the program and lies in flash.
#![no_std]
#![no_main]

use memring_core::{Placement, Server, peers::libketama::LIBKETAMA, storage::Static};
use weighed::places;

weighed::program!(main);

const RING: Static = include!(concat!(env!("OUT_DIR"), "/ring.rs"));

static PLACEMENT: Placement<'static, &[Server<'static>; 3], Static> =
    Placement::prebuilt(LIBKETAMA, &weighed::FLEET, RING);

fn main() -> ! {
    weighed::serve(&places::KETAMA, |key| PLACEMENT.primary(key).get())
}
