//! Vector files as a whole.

use std::{
    fs,
    path::{Path, PathBuf},
};

use memring_core::{
    Scheme, Server,
    vector::{Header, Line, unescape},
};

/// One file.
#[derive(Debug, Default)]
pub struct Vector<'t> {
    pub scheme: &'t str,
    pub servers: Vec<Server<'t>>,
    pub options: Vec<(&'t str, &'t str)>,
    pub full_order: bool,
    pub rows: Vec<Row<'t>>,
}

/// One key and where the peer has it.
#[derive(Debug)]
pub struct Row<'t> {
    pub escaped: &'t str,
    pub key: Vec<u8>,
    pub servers: Vec<usize>,
}

impl<'t> Vector<'t> {
    pub fn parse(text: &'t str) -> Self {
        let mut vector = Self::default();
        for line in text.lines() {
            match Line::parse(line).unwrap_or_else(|error| panic!("{line:?}: {error}")) {
                Line::Header(Header::Scheme(name)) => vector.scheme = name,
                Line::Header(Header::Server(server)) => vector.servers.push(server),
                Line::Header(Header::Option(name, value)) => vector.options.push((name, value)),
                Line::Header(Header::FullOrder(full)) => vector.full_order = full,
                Line::Header(_) => {}
                Line::Key { escaped, servers } => vector.rows.push(Row {
                    escaped,
                    key: unescape(escaped.as_bytes()).collect::<Result<_, _>>().unwrap(),
                    servers: servers.split(',').map(|index| index.parse().unwrap()).collect(),
                }),
            }
        }
        assert!(!vector.rows.is_empty() && !vector.servers.is_empty(), "no rows or no servers");
        vector
    }

    /// The scheme with the options of the file.
    pub fn scheme(&self) -> Result<Scheme<'t>, String> {
        let mut scheme: Scheme<'t> = Scheme::from_name(self.scheme).ok_or("unknown scheme")?;
        for (name, value) in &self.options {
            scheme = scheme.with_option(name, value).map_err(|error| format!("{name}={value}: {error}"))?;
        }
        Ok(scheme)
    }
}

/// The files of the placements, sorted by name.
pub fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.ends_with(".tsv") && name.contains("--")
    });
    files.sort();
    files
}
