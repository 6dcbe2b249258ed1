//! Builds the ring that the firmware carries, and says how it is linked.

use std::{env, fs, path::Path};

use memring_core::{
    Placement, Server,
    peers::libketama::LIBKETAMA,
    storage::{Boxed, Source, Storage},
};

include!("src/fleet.rs");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let placement = Placement::build(LIBKETAMA, FLEET, Boxed::default())?;
    let ring = Source(placement.storage().entries()).to_string();
    fs::write(Path::new(&env::var("OUT_DIR")?).join("ring.rs"), ring)?;

    let script = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("link.x");
    println!("cargo:rustc-link-arg-bins=-T{}", script.display());
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/fleet.rs");
    println!("cargo:rerun-if-changed=link.x");
    Ok(())
}
