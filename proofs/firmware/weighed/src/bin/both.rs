//! Ketama for some keys, CRC-32 modulo the number of servers for others.
#![no_std]
#![no_main]

use memring_core::{
    Placement, Server,
    peers::{crc32::CRC32_MODULO, libketama::LIBKETAMA},
    storage::Static,
};
use weighed::places;

weighed::program!(main);

const RING: Static = include!(concat!(env!("OUT_DIR"), "/ring.rs"));

static KETAMA: Placement<'static, &[Server<'static>; 3], Static> =
    Placement::prebuilt(LIBKETAMA, &weighed::FLEET, RING);
static MODULO: Placement<'static, &[Server<'static>; 3], Static> =
    Placement::prebuilt(CRC32_MODULO, &weighed::FLEET, weighed::NOTHING);

fn main() -> ! {
    weighed::serve(&places::BOTH, |key| match key.first() {
        Some(b't') => MODULO.primary(key).get(),
        _ => KETAMA.primary(key).get(),
    })
}
