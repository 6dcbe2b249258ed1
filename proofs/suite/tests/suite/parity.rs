//! The two clients are the same but for what waits: methods of the same signatures.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What only one of the clients has, and why.
const ONLY: [(&str, &str, &str); 1] =
    [("tokio", "Client::close(&self)", "tasks are ended by asking; the blocking client has none")];

fn source(client: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../client-{client}/src"))
}

/// The names of the files of `folder`, without those of its folders.
fn files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// The public methods in a file, each with its type: `Client::get(&self, …) -> …`.
fn methods(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut methods = BTreeSet::new();
    let mut lines = text.lines();
    let mut owner = String::new();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("impl ") {
            owner = name.trim_end_matches(" {").split('<').next().unwrap().to_owned();
        }
        let is_method = ["pub fn ", "pub const fn ", "pub async fn "]
            .iter()
            .any(|start| line.strip_prefix("    ").is_some_and(|line| line.starts_with(start)));
        if is_method {
            let mut signature = line.trim().to_owned();
            while !signature.ends_with('{') {
                signature = format!("{signature} {}", lines.next().unwrap().trim());
            }
            methods.insert(format!("{owner}::{}", normal(&signature)));
        }
    }
    methods
}

/// A signature without what must differ between a client that blocks and one that does not.
fn normal(signature: &str) -> String {
    let signature = signature.trim_end_matches('{').trim();
    let (_, signature) = signature.split_once("fn ").unwrap();
    [
        ("( ", "("),
        (", )", ")"),
        ("AsyncRead + Unpin", "Read"),
        ("AsyncWrite + Unpin", "Write"),
        (") + Send", ")"),
        ("impl Future<Output = Result<L, E>>", "impl FnOnce() -> Result<L, E>"),
    ]
    .iter()
    .fold(signature.to_owned(), |signature, (from, to)| signature.replace(from, to))
}

/// What is in one of two sets alone, a line each.
fn difference(std: &BTreeSet<String>, tokio: &BTreeSet<String>) -> Vec<String> {
    let known = |client: &str, name: &String| ONLY.iter().any(|only| (only.0, only.1) == (client, name));
    let std_only = std.difference(tokio).filter(|name| !known("std", name));
    let tokio_only = tokio.difference(std).filter(|name| !known("tokio", name));
    let std_only = std_only.map(|name| format!("only in std:   {name}"));
    std_only.chain(tokio_only.map(|name| format!("only in tokio: {name}"))).collect()
}

#[test]
fn both_clients_have_methods_of_the_same_signatures() {
    let [std, tokio] = ["std", "tokio"].map(|client| {
        let root = source(client);
        let mut all = BTreeSet::new();
        for folder in [root.clone(), root.join("client")] {
            for file in files(&folder).iter().filter(|name| name.ends_with(".rs")) {
                all.extend(methods(&folder.join(file)));
            }
        }
        all
    });
    assert!(std.len() > 45, "{std:#?}");
    let difference = difference(&std, &tokio);
    assert!(difference.is_empty(), "{}", difference.join("\n"));
    for (client, name, reason) in ONLY {
        let (has, lacks) = if client == "std" { (&std, &tokio) } else { (&tokio, &std) };
        assert!(has.contains(name) && !lacks.contains(name), "no longer so: {name} ({reason})");
    }
}
