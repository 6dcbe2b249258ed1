//! The README shows what really happens.

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
fn the_consoles_of_the_readme_are_real() {
    let readme = fs::read_to_string(doc().join("../README.md")).unwrap();
    let consoles: Vec<_> =
        readme.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(consoles.len() >= 5, "{}", consoles.len());
    for console in consoles {
        let (line, output) = console.split_once('\n').unwrap();
        assert_eq!(run(line), output, "{line}");
    }
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
