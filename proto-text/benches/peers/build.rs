//! Makes async-memcached's private parser callable: its source, as cargo has fetched it, becomes one module of ours.

use std::{env, fs, path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let folder = source_of("async-memcached");
    let read = |file: &str| {
        fs::read_to_string(Path::new(&folder).join("src/parser").join(file)).expect("its source")
    };
    let parser = read("mod.rs");
    let (before, rest) = parser.split_once("mod ascii_parser;").expect("the module of classic replies");
    let (exports, rest) = rest.split_once("mod meta_parser;").expect("the module of meta replies");
    let (_, after) = rest.split_once("};").expect("its exports");
    let whole = format!("{before}mod ascii_parser {{\n{}\n}}\n{exports}{after}", read("ascii_parser.rs"));
    let out = env::var("OUT_DIR").expect("a folder to write to");
    fs::write(Path::new(&out).join("async_memcached_parser.rs"), whole).expect("room to write");
}

/// Where cargo keeps the source of a dependency.
fn source_of(package: &str) -> String {
    let cargo = env::var("CARGO").expect("cargo");
    let output =
        Command::new(cargo).args(["metadata", "--format-version", "1"]).output().expect("cargo metadata");
    let metadata = String::from_utf8(output.stdout).expect("JSON");
    let manifests = metadata.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut folders = manifests.filter_map(|manifest| manifest.strip_suffix("/Cargo.toml"));
    let is_it = |folder: &&str| folder.rsplit('/').next().is_some_and(|name| name.starts_with(package));
    folders.find(is_it).expect("a dependency").to_owned()
}
