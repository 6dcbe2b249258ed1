//! Says, for build scripts, what memory a board has and how its programs are linked.

use std::{env, error::Error, fs, path::PathBuf};

/// Links this package's programs for a board with 256 KiB of flash and so much RAM, at the addresses of the boards that QEMU
/// calls `mps2-an386` and `microbit`.
///
/// # Errors
/// It is not a build script that calls, or the file cannot be written.
pub fn link(ram_kib: usize) -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("no OUT_DIR: only a build script can call this")?);
    let flash = "FLASH : ORIGIN = 0, LENGTH = 256K";
    let memory = format!("MEMORY {{ {flash}  RAM : ORIGIN = 0x20000000, LENGTH = {ram_kib}K }}");
    fs::write(out.join("memory.x"), memory)?;
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    Ok(())
}
