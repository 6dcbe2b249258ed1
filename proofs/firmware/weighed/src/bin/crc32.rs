//! Places keys by CRC-32 modulo the number of servers: no ring, no storage.
#![no_std]
#![no_main]

use memring_core::{Placement, Server, peers::crc32::CRC32_MODULO, storage::Static};
use weighed::places;

weighed::program!(main);

static PLACEMENT: Placement<'static, &[Server<'static>; 3], Static> =
    Placement::prebuilt(CRC32_MODULO, &weighed::FLEET, weighed::NOTHING);

fn main() -> ! {
    weighed::serve(&places::CRC32, |key| PLACEMENT.primary(key).get())
}
