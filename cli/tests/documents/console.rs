//! Consoles of the command: a shell runs each line, and prints what the document shows.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{documents, root};

/// Commands whose figures differ at each run, and why. Digits and blanks are not compared.
const FIGURES_DIFFER: [(&str, &str); 4] = [
    ("memring demo", "ports are drawn, and names with ports decide placement"),
    ("memring ping", "it measures"),
    ("memring keys", "time has passed since the item was stored"),
    ("memring meta", "time has passed since the item was stored"),
];

/// How the documents call the command from a checkout.
const FROM_A_CHECKOUT: &str = "cargo run --release --package memring --";

/// How a line begins that is run. Whoever shows what servers hold starts them first.
const PROMPTS: [&str; 2] = ["$ memring ", "$ memcached "];

#[test]
fn consoles_show_what_is_printed() {
    let mut shown = 0;
    for document in documents() {
        for (word, block) in document.blocks() {
            let block = block.replace(FROM_A_CHECKOUT, "memring");
            let is_ours =
                block.contains(PROMPTS[0]) && PROMPTS.iter().any(|prompt| block.starts_with(prompt));
            if matches!(word, "console" | "text") && is_ours {
                shown += 1;
                run(&document.path, &block);
            }
        }
    }
    assert!(shown >= 10, "{shown}");
}

/// Runs the lines of a block in one shell, in a folder with the files that documents name.
fn run(document: &str, block: &str) {
    let folder = Folder::new();
    let mut lines: Vec<(&str, String)> = Vec::new();
    for line in block.lines() {
        match (PROMPTS.iter().find_map(|prompt| line.find(prompt)), lines.last_mut()) {
            // What was printed before had no line end.
            (Some(at), last) => {
                let (before, command) = line.split_at(at);
                if let Some((_, output)) = last {
                    *output += before;
                }
                lines.push((command.trim_start_matches("$ "), String::new()));
            }
            (None, Some((_, output))) => *output += &format!("{line}\n"),
            (None, None) => panic!("{document}: {block}"),
        }
    }
    // A command in the background has to be there before the next one needs it.
    let script: String = lines
        .iter()
        .map(|(line, _)| {
            let wait = if line.ends_with('&') { "sleep 0.3\n" } else { "" };
            format!("{line}\n{wait}printf '\\0'\n")
        })
        .collect();
    let script = format!("exec 2>&1\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n{script}");
    // `EXIT` runs before the output ends, so nothing is left behind.
    let ran = folder.shell(&script).output().unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    let printed: Vec<_> = printed.split('\0').collect();
    assert_eq!(printed.len(), lines.len() + 1, "{document}: {printed:?}");
    for ((line, expected), printed) in lines.iter().zip(printed) {
        let differs = FIGURES_DIFFER.iter().any(|(command, _)| line.starts_with(command));
        let comparable = |text: &str| if differs { without_figures(text) } else { text.to_owned() };
        let (expected, printed) = (comparable(expected), comparable(printed));
        assert!(
            matches(&expected, &printed),
            "{document}: {line}\n--- shown\n{expected}\n--- printed\n{printed}"
        );
    }
}

/// Whether `printed` is `expected`, in which a line `…` stands for any lines.
fn matches(expected: &str, printed: &str) -> bool {
    let mut rest = printed;
    let parts: Vec<_> = expected.split("…\n").collect();
    for (n, part) in parts.iter().enumerate() {
        let at = match (n, n + 1 == parts.len()) {
            (0, true) => return rest == *part,
            (0, _) => rest.starts_with(part).then_some(0),
            (_, true) => return rest.ends_with(part),
            _ => rest.find(part),
        };
        let Some(at) = at else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

/// Each number as `#`, and each run of blanks as one.
fn without_figures(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        let letter = if letter.is_ascii_digit() { '#' } else { letter };
        if !(matches!(letter, '#' | ' ') && out.ends_with(letter)) {
            out.push(letter);
        }
    }
    out
}

/// A folder with a copy of the files of `cli/doc`, and with the command in its path.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let unique =
            format!("{:?}", std::thread::current().id()).replace(|letter: char| !letter.is_ascii_digit(), "");
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("documents-{}-{unique}", std::process::id()));
        // The documents name files beside the command's README, and from there those of other crates.
        let doc = folder.join("cli/doc");
        fs::create_dir_all(&doc).unwrap();
        fs::create_dir_all(folder.join("bin")).unwrap();
        for file in fs::read_dir(root().join("cli/doc")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), doc.join(file.file_name())).unwrap();
        }
        symlink(fs::canonicalize(root().join("ring-core")).unwrap(), folder.join("ring-core")).unwrap();
        symlink(env!("CARGO_BIN_EXE_memring"), folder.join("bin/memring")).unwrap();
        Self(folder)
    }

    /// A shell there, with a network of its own: ports are free in it, and nothing else can be asked.
    fn shell(&self, script: &str) -> Command {
        let path = format!("{}:{}", self.0.join("bin").display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("unshare");
        // Not as root, which memcached would want to change for another user.
        shell.args(["-Un", "--map-user=1000", "--keep-caps", "bash", "-c"]);
        shell.arg(format!("ip link set lo up\n{script}"));
        shell.current_dir(self.0.join("cli/doc")).env("PATH", path);
        shell
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_ellipsis_stands_for_any_lines() {
    assert!(matches("a\n…\nz\n", "a\nb\nc\nz\n"));
    assert!(matches("…\n", "a\n") && matches("…\n", "") && matches("a\n…\n", "a\nb\n"));
    assert!(!matches("a\n", "a\nb\n") && !matches("a\n…\n", "b\n") && !matches("…\nz\n", "z\na\n"));
    assert_eq!(without_figures("7  of 100 keys, 7.5 %"), "# of # keys, #.# %");
}
