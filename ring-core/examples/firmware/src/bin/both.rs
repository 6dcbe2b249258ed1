//! Ketama for some keys, CRC-32 modulo the number of servers for others.
#![no_std]
#![no_main]

use memring_core::{
    Placement, Server,
    peers::{crc32::CRC32_MODULO, libketama::LIBKETAMA},
    storage::Static,
};

firmware::program!(main);

include!("../fleet.rs");

const RING: Static = include!(concat!(env!("OUT_DIR"), "/ring.rs"));

const NOTHING: Static = Static { points: &[], wide: &[], owners: &[], index: &[] };

static KETAMA: Placement<'static, &[Server<'static>; 3], Static> =
    Placement::prebuilt(LIBKETAMA, &FLEET, RING);
static MODULO: Placement<'static, &[Server<'static>; 3], Static> =
    Placement::prebuilt(CRC32_MODULO, &FLEET, NOTHING);

fn main() -> ! {
    firmware::serve(|key| match key.first() {
        Some(b't') => MODULO.primary(key).get(),
        _ => KETAMA.primary(key).get(),
    })
}
