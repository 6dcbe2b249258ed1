//! The README's picture is the one that is drawn. Its consoles are run by the tests of all documents.

use std::{fs, path::Path};

use crate::memring::{Run, command, scratch};

/// The directory that the README's commands run in.
fn doc() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/doc"))
}

/// Runs a command line of the README.
fn run(line: &str) -> String {
    let words = line.strip_prefix("$ memring ").unwrap().split(' ');
    Run::of(command(words).current_dir(doc()).output().unwrap()).text()
}

#[test]
fn the_picture_of_the_readme_is_the_one_that_is_drawn() {
    let svg = scratch("svg");
    run(&format!(
        "$ memring plan --old eight.txt --new thirteen.txt --scheme libmemcached-ketama-weighted --svg {}",
        svg.display()
    ));
    let (drawn, shown) =
        (fs::read_to_string(svg).unwrap(), fs::read_to_string(doc().join("plan.svg")).unwrap());
    assert!(drawn == shown, "draw doc/plan.svg anew");
}
