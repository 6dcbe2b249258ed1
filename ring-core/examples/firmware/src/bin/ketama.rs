//! Places keys on a ketama ring that was built with the program and lies in flash.
#![no_std]
#![no_main]

use memring_core::{Placement, Server, peers::libketama::LIBKETAMA, storage::Static};

firmware::program!(main);

include!("../fleet.rs");

const RING: Static = include!(concat!(env!("OUT_DIR"), "/ring.rs"));

static PLACEMENT: Placement<'static, &[Server<'static>; 3], Static> =
    Placement::prebuilt(LIBKETAMA, &FLEET, RING);

fn main() -> ! {
    firmware::serve(|key| PLACEMENT.primary(key).get())
}
