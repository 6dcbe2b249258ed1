//! Links without the C library and its start files, and builds a ring for a program that only reads it.

use std::{env, fs, path::Path};

use memring_core::{
    Placement, Server,
    peers::libketama::LIBKETAMA,
    storage::{Source, Storage},
};

include!("src/fleet.rs");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A bare target has neither from the outset.
    if env::var("CARGO_CFG_TARGET_OS")? != "none" {
        for argument in ["-nostartfiles", "-nostdlib", "-static", "-no-pie"] {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
    let placement = Placement::owned(LIBKETAMA, FLEET)?;
    let ring = Source(placement.storage().entries()).to_string();
    fs::write(Path::new(&env::var("OUT_DIR")?).join("ring.rs"), ring)?;
    Ok(())
}
