//! Builds the ring that the programs carry, finds out where they should place keys, and says how they are linked.

use std::{env, error::Error, fmt::Write as _, fs, path::PathBuf};

use memring_core::{
    Placement, Scheme, Server,
    peers::{crc32::CRC32_MODULO, libketama::LIBKETAMA},
    storage::{Source, Storage},
};

include!("src/fleet.rs");

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo says where")?);
    let placement = Placement::owned(LIBKETAMA, FLEET)?;
    fs::write(out.join("ring.rs"), Source(placement.storage().entries()).to_string())?;

    let (ketama, crc32) = (places_of(LIBKETAMA, &FLEET)?, places_of(CRC32_MODULO, &FLEET)?);
    let both = KEYS.iter().zip(ketama.iter().zip(&crc32));
    let both = both.map(|(key, (ketama, crc32))| if key.starts_with(b"t") { crc32 } else { ketama });
    let found = [
        ("KETAMA", ketama.clone()),
        ("CRC32", crc32.clone()),
        ("BOTH", both.copied().collect()),
        ("BUILT", places_of(LIBKETAMA, &LARGE_FLEET)?),
    ];
    let mut places = String::new();
    for (program, found) in found {
        writeln!(places, "pub const {program}: [usize; {}] = {found:?};", found.len())?;
    }
    fs::write(out.join("places.rs"), places)?;

    if env::var("CARGO_CFG_TARGET_ARCH")? == "arm" {
        layout::link(16)?;
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/fleet.rs");
    Ok(())
}

fn places_of(scheme: Scheme<'static>, servers: &[Server<'static>]) -> Result<Vec<usize>, Box<dyn Error>> {
    let placement = Placement::owned(scheme, servers)?;
    Ok(KEYS.iter().map(|key| placement.primary(key).get()).collect())
}
