//! Says how the programs are linked.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    // Buffers for six streams, and a network.
    layout::link(64)
}
