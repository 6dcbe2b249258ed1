//! Every command that a document names is run: by CI, by these tests, or it is left out by name, with the reason.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use crate::{Document, documents, read, root};

/// Scripts of what is run regularly. A command that stands in one of them is not left to the documents.
const RUN_BY_CI: [&str; 6] =
    [".ci/run", ".ci/test", ".ci/instructions", ".ci/interleavings", "proofs/all", "proofs/firmware/run"];

/// What is not run, and why. A command is meant by how it begins.
const LEFT_OUT: [(&str, &str); 24] = [
    ("bash .ci/run", "it runs this"),
    ("bash proofs/all", "it takes days; what its steps said last stands in proofs/README.md"),
    ("bash proofs/peers/run", "it installs other clients; a step of proofs/all"),
    ("cargo install", "it installs"),
    ("rustup", "it installs"),
    ("cargo bench", "it takes minutes, and figures of a busy machine say nothing; all benches are compiled"),
    ("cargo run --release --manifest-path client-std/benches/peers/Cargo.toml", "minutes, as every bench"),
    ("cargo run --release --manifest-path client-tokio/benches/peers/Cargo.toml", "minutes, as every bench"),
    ("cargo run --release --manifest-path proto-text/benches/peers/Cargo.toml", "minutes, as every bench"),
    ("cargo run --release --manifest-path ring-core/benches/peers/Cargo.toml", "minutes, as every bench"),
    ("cargo test -p", "a part of what CI runs"),
    ("cargo build -p memring-core --no-default-features --target", "CI builds it with `--package`"),
    ("cargo +nightly fuzz run", "CI runs every target, for a bounded time"),
    ("cargo +nightly fuzz tmin", "it needs a crash"),
    ("cargo run --manifest-path fuzz/Cargo.toml --example obey", "it needs a crash"),
    ("cargo run --manifest-path fuzz/Cargo.toml --example seeds", "proofs/all runs it, with `--quiet`"),
    ("cargo run -p memring -- serve", "it serves until it is interrupted; the command's own tests do that"),
    ("cargo run -p memring-", "an example, run below"),
    ("SCHEME=dalli cargo test", "a part of what CI runs"),
    ("cargo run -p memring -- verify", "the command's README runs it, and its tests verify every file"),
    (
        "cargo run --release --manifest-path fuzz/Cargo.toml --example digests",
        "a unit test compares what it prints",
    ),
    ("memcached", "the tests of the web service start it"),
    ("MEMCACHED=", "the web service, which has tests of its own"),
    ("curl", "the web service, whose tests ask the same"),
];

/// The crates with examples that run by themselves.
const WITH_EXAMPLES: [&str; 4] = ["client-std", "client-tokio", "proto-text", "ring-core"];

#[test]
fn commands_are_run_or_left_out_by_name() {
    let scripts: String = RUN_BY_CI.iter().map(|script| plain(&read(root().join(script)))).collect();
    let (mut unknown, mut used) = (Vec::new(), BTreeSet::new());
    for document in documents() {
        for command in commands(&document) {
            let command = plain(&command);
            // Those of the command itself are run as consoles.
            let is_own =
                ["memring ", "cargo run --release -p memring -- "].iter().any(|own| command.starts_with(own));
            if is_own || scripts.contains(&command) {
                continue;
            }
            match LEFT_OUT.iter().find(|(left, _)| command.starts_with(left)) {
                Some((left, _)) => _ = used.insert(*left),
                None => unknown.push(format!("{}: {command}", document.path)),
            }
        }
    }
    assert!(unknown.is_empty(), "run by nobody, and not left out:\n{}", unknown.join("\n"));
    let unused: Vec<_> = LEFT_OUT.iter().filter(|(left, _)| !used.contains(left)).collect();
    assert!(unused.is_empty(), "left out, and named nowhere: {unused:?}");
}

#[test]
fn readmes_list_all_examples_and_these_run() {
    let mut failed = Vec::new();
    for folder in WITH_EXAMPLES {
        let readme = Document {
            path: format!("{folder}/README.md"),
            text: read(root().join(folder).join("README.md")),
        };
        let listed: Vec<_> =
            commands(&readme).into_iter().filter(|command| command.contains(" --example ")).collect();
        let names: BTreeSet<_> = listed.iter().map(|command| name_of(command).to_owned()).collect();
        assert_eq!(names, sources(folder), "{folder}: examples that its README lists, and that are there");
        for command in &listed {
            let output = runnable(folder, command).output().unwrap();
            if !output.status.success() || output.stdout.is_empty() {
                failed.push(format!("{command}: {output:?}"));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The commands of a document: lines of consoles, and code within text that begins as one of these programs does.
fn commands(document: &Document) -> Vec<String> {
    let blocks = document.blocks();
    let consoles = blocks.iter().filter(|(word, _)| matches!(*word, "console" | "text"));
    let lines = consoles.flat_map(|(_, block)| block.lines().filter_map(|line| line.strip_prefix("$ ")));
    let prose = document.prose().replace('\n', " ");
    let code = prose.split('`').skip(1).step_by(2);
    let code =
        code.filter(|code| ["cargo ", "bash ", "rustup "].iter().any(|program| code.starts_with(program)));
    // What a reader is to fill in, and names of subcommands alone, are no command lines.
    let whole = code.filter(|code| code.split(' ').count() > 2 || code.starts_with("bash "));
    lines.chain(whole).map(str::to_owned).collect()
}

/// A command with its options in their short form and without the quotes around them.
fn plain(command: &str) -> String {
    command
        .replace("--package", "-p")
        .replace("\\\n", " ")
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The names of the examples of a crate that are no package of their own.
fn sources(folder: &str) -> BTreeSet<String> {
    let entries =
        fs::read_dir(root().join(folder).join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let own = entries.filter(|path| !path.join("Cargo.toml").exists());
    own.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn name_of(command: &str) -> &str {
    command.split_once(" --example ").unwrap().1
}

/// What runs the example: its program, where this build has made it, or else the command as it stands.
fn runnable(folder: &str, command: &str) -> Command {
    // `target/debug/deps/documents-…`
    let built: PathBuf =
        std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples").join(name_of(command));
    let source = root().join(folder).join("examples").join(name_of(command));
    let source = if source.is_dir() { source.join("main.rs") } else { source.with_extension("rs") };
    let is_fresh = modified(&built).is_some_and(|built| Some(built) >= modified(&source));
    let mut words = command.split(' ');
    let program = words.next().unwrap();
    let mut run = if is_fresh { Command::new(built) } else { Command::new(env!("CARGO")) };
    assert_eq!(program, "cargo");
    if !is_fresh {
        run.args(words).current_dir(root());
    }
    run
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}
