//! Which values each option of each scheme takes.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use memring_core::peers::{self, Peer};

/// For each scheme, in the order of [`peers::all`], and each of its options: values that it takes.
static ACCEPTED: LazyLock<Vec<Vec<Vec<&'static str>>>> = LazyLock::new(|| {
    let candidates = candidates();
    let of_option = |peer: &Peer, option: &str| {
        let takes = |value: &&&str| peer.scheme.with_option(option, value).is_ok();
        candidates.iter().filter(takes).copied().collect()
    };
    let of_peer = |peer: &'static Peer| peer.options.iter().map(|option| of_option(peer, option)).collect();
    peers::all().map(of_peer).collect()
});

/// Values that an option of a scheme takes, both by their numbers.
pub fn accepted(scheme: usize, option: usize) -> &'static [&'static str] {
    ACCEPTED.get(scheme).and_then(|options| options.get(option)).map_or(&[], Vec::as_slice)
}

/// Every value of any option in the files of what peers did, and some numbers.
fn candidates() -> BTreeSet<&'static str> {
    let text: String = vector_files().map(|(_, text)| text).collect();
    let text: &'static str = text.leak();
    let options = text.lines().filter_map(|line| line.strip_prefix("# option: ")?.split_once('='));
    let values = options.map(|(_, value)| value);
    values.chain(["0", "1", "2", "40", "100", "false", "none", "a", "{}"]).collect()
}

/// The files of what peers did: their names and texts, in the order of their names.
pub fn vector_files() -> impl Iterator<Item = (String, String)> {
    let entries = fs::read_dir(vectors()).expect("the vectors").map(|entry| entry.unwrap().path());
    let is_placement = |path: &PathBuf| {
        // The others there say what hash functions make of keys.
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.contains("--") && name.ends_with(".tsv"))
    };
    let mut paths: Vec<_> = entries.filter(is_placement).collect();
    paths.sort();
    assert!(paths.len() > 500, "only {} files", paths.len());
    paths.into_iter().map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&path).unwrap())
    })
}

/// Where the vectors are: in the repository, or, where a target runs far from it, beside its program.
fn vectors() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ring-core/tests/vectors");
    if here.is_dir() {
        return here;
    }
    env::current_exe().expect("a program").with_file_name("vectors")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_reached() {
        for (number, peer) in peers::all().enumerate() {
            for (option, name) in peer.options.iter().enumerate() {
                assert!(!accepted(number, option).is_empty(), "{}: {name}", peer.scheme.name);
            }
        }
    }
}
