//! Places keys by CRC-32 modulo the number of servers: no ring, no storage.
#![no_std]
#![no_main]

use memring_core::{Placement, Server, peers::crc32::CRC32_MODULO, storage::Static};

firmware::program!(main);

include!("../fleet.rs");

const NOTHING: Static = Static { points: &[], wide: &[], owners: &[], index: &[] };

static PLACEMENT: Placement<'static, &[Server<'static>; 3], Static> =
    Placement::prebuilt(CRC32_MODULO, &FLEET, NOTHING);

fn main() -> ! {
    firmware::serve(|key| PLACEMENT.primary(key).get())
}
