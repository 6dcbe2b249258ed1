//! Links libmemcached where it is installed with its headers.

use std::process::Command;

fn main() {
    println!("cargo:rustc-check-cfg=cfg(libmemcached)");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    let found = Command::new("pkg-config").args(["--modversion", "libmemcached"]).output();
    match found {
        Ok(output) if output.status.success() => {
            let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            println!("cargo:rustc-cfg=libmemcached");
            println!("cargo:rustc-env=LIBMEMCACHED_VERSION={version}");
            println!("cargo:rustc-link-lib=memcached");
        }
        _ => println!(
            "cargo:warning=libmemcached is left out: pkg-config does not find it (Debian: libmemcached-dev)"
        ),
    }
}
