//! What READMEs and guides say is so: commands run as printed, links lead somewhere, lists are complete.

mod commands;
mod console;
mod features;
mod links;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A text for people, by its path in the repository.
struct Document {
    path: String,
    text: String,
}

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// All documents that git knows of or would take, but for those about the files beside them.
fn documents() -> Vec<Document> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"]).current_dir(root());
    let listed = git.output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    let paths = String::from_utf8(listed.stdout).unwrap();
    let paths = paths.lines().filter(|path| !path.ends_with("/about.md") && root().join(path).exists());
    paths.map(|path| Document { path: path.to_owned(), text: read(root().join(path)) }).collect()
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Document {
    /// The fenced blocks, each with the word behind its fence.
    fn blocks(&self) -> Vec<(&str, String)> {
        let mut blocks: Vec<(&str, String)> = Vec::new();
        let mut within = false;
        for line in self.text.lines() {
            match line.trim_start().strip_prefix("```") {
                Some(_) if within => within = false,
                Some(word) => {
                    within = true;
                    blocks.push((word, String::new()));
                }
                None if within => {
                    let (_, block) = blocks.last_mut().expect("a block has begun");
                    *block += line;
                    block.push('\n');
                }
                None => {}
            }
        }
        assert!(!within, "{}: a block does not end", self.path);
        blocks
    }

    /// The text without its fenced blocks.
    fn prose(&self) -> String {
        let mut within = false;
        let lines = self.text.lines().filter(|line| {
            let fence = line.trim_start().starts_with("```");
            within ^= fence;
            !within && !fence
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}
