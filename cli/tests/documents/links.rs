//! Links lead to files that are there, and those of a published crate's README to files that are published with it.

use std::path::Path;

use crate::{Document, documents, root};

/// The folders of the crates that are published.
const PUBLISHED: [&str; 6] = ["cli", "client-core", "client-std", "client-tokio", "proto-text", "ring-core"];

#[test]
fn links_lead_to_files() {
    let mut seen = 0;
    for document in documents() {
        let folder = Path::new(&document.path).parent().unwrap().to_owned();
        for link in links(&document) {
            let at = format!("{}: {link}", document.path);
            let file = link.split('#').next().unwrap();
            if file.is_empty() || link.starts_with("https://") {
                continue;
            }
            seen += 1;
            // In rustdoc, what has no dot and no slash is the name of an item, which rustdoc itself looks up.
            let is_item = !file.contains(['.', '/']) && document.path.starts_with("client-core/doc/");
            assert!(is_item || root().join(&folder).join(file).exists(), "{at}: there is no such file");
            let is_published = PUBLISHED.iter().any(|name| folder == Path::new(name));
            assert!(!is_published || !file.starts_with("../"), "{at}: not in what is published");
        }
    }
    assert!(seen >= 20, "{seen}");
}

/// What the inline links of a document lead to.
fn links(document: &Document) -> Vec<String> {
    let prose = document.prose();
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    links
        .map(|(link, _)| link.to_owned())
        .filter(|link| !link.contains(' ') && !link.contains("::"))
        .collect()
}
