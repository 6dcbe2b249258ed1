//! Each README lists its crate's features, and how many crates each one brings.

use std::{collections::BTreeSet, process::Command};

use crate::{read, root};

const CRATES: [(&str, &str); 5] = [
    ("ring-core", "memring-core"),
    ("proto-text", "memring-text"),
    ("client-core", "memring-client"),
    ("client-std", "memring-std"),
    ("client-tokio", "memring-tokio"),
];

#[test]
fn readmes_list_features_and_count_crates() {
    let mut wrong = Vec::new();
    for (folder, package) in CRATES {
        let manifest = read(root().join(folder).join("Cargo.toml"));
        let readme = read(root().join(folder).join("README.md"));
        let rows = rows(&readme);
        let listed: BTreeSet<_> =
            rows.iter().map(|(feature, _)| &**feature).filter(|feature| !feature.is_empty()).collect();
        let declared = declared(&manifest);
        assert_eq!(listed, declared.iter().map(|feature| &**feature).collect(), "{folder}/README.md");
        for (feature, count) in rows {
            let real = count_of(package, &feature);
            if count != real.to_string() {
                wrong.push(format!("{folder}/README.md: `{feature}` brings {real} crates, not {count}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rows of the table of features: a feature, or nothing for the crate without any, and how many crates it says.
fn rows(readme: &str) -> Vec<(String, String)> {
    let (_, table) =
        readme.split_once("| feature | for | crates in the tree |\n").expect("a table of features");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let rows = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    rows.map(|cells| (cells[1].trim_matches('`').to_owned(), cells[3].to_owned())).collect()
}

/// The features of a manifest, each of which has a remark that says what it is for.
fn declared(manifest: &str) -> BTreeSet<String> {
    let (_, section) = manifest.split_once("[features]\n").unwrap();
    let lines: Vec<_> = section.lines().take_while(|line| !line.starts_with('[')).collect();
    let features = lines.iter().enumerate().filter_map(|(n, line)| Some((n, line.split_once(" = ")?.0)));
    features
        .filter(|(_, feature)| *feature != "default")
        .inspect(|(n, feature)| assert!(*n > 0 && lines[n - 1].starts_with("# "), "{feature} has no remark"))
        .map(|(_, feature)| feature.to_owned())
        .collect()
}

/// How many crates are in the tree, the package itself among them, on Linux.
fn count_of(package: &str, feature: &str) -> usize {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--quiet", "--locked", "--edges", "normal", "--prefix", "none", "--no-dedupe"]);
    tree.args(["--target", "x86_64-unknown-linux-gnu", "--package", package, "--no-default-features"]);
    tree.args(["--features", feature]).current_dir(root());
    let listed = tree.output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    let crates = String::from_utf8(listed.stdout).unwrap();
    crates.lines().filter(|line| !line.is_empty()).collect::<BTreeSet<_>>().len()
}
