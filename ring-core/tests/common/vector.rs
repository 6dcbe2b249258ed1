//! Reads the vector files: header lines `# name: value`, then `KEY<TAB>INDEXES`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use memring_core::{Scheme, Server};

/// One file.
#[derive(Debug, Default)]
pub struct Vector {
    pub scheme: String,
    pub server_lines: Vec<String>,
    pub options: Vec<(String, String)>,
    pub full_order: bool,
    pub rows: Vec<Row>,
}

/// One key and where the peer has it.
#[derive(Debug)]
pub struct Row {
    pub escaped: String,
    pub key: Vec<u8>,
    pub servers: Vec<usize>,
}

impl Vector {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut vector = Self::default();
        for line in text.lines() {
            match line.strip_prefix("# ") {
                Some(header) => vector.header(header)?,
                None => vector.rows.push(Row::parse(line)?),
            }
        }
        if vector.rows.is_empty() || vector.server_lines.is_empty() {
            return Err("no rows or no servers".into());
        }
        Ok(vector)
    }

    fn header(&mut self, header: &str) -> Result<(), String> {
        let (name, value) = header.split_once(": ").ok_or_else(|| format!("bad header {header:?}"))?;
        match name {
            "scheme" => self.scheme = value.into(),
            "server" => self.server_lines.push(value.into()),
            "option" => {
                let (name, value) = value.split_once('=').ok_or_else(|| format!("bad option {value:?}"))?;
                self.options.push((name.into(), value.into()));
            }
            "order" => self.full_order = value == "full",
            "peer" | "note" => {}
            other => return Err(format!("unknown header {other:?}")),
        }
        Ok(())
    }

    /// The scheme with the options of the file.
    pub fn scheme(&self) -> Result<Scheme<'_>, String> {
        let mut scheme = Scheme::from_name(&self.scheme).ok_or("unknown scheme")?;
        for (name, value) in &self.options {
            scheme = scheme.with_option(name, value).map_err(|error| format!("{name}={value}: {error}"))?;
        }
        Ok(scheme)
    }

    pub fn servers(&self) -> Vec<Server<'_>> {
        self.server_lines.iter().map(|line| Server::parse(line).unwrap()).collect()
    }
}

impl Row {
    fn parse(line: &str) -> Result<Self, String> {
        let (escaped, servers) = line.split_once('\t').ok_or_else(|| format!("no tab in {line:?}"))?;
        let servers = servers.split(',').map(str::parse).collect::<Result<_, _>>();
        Ok(Self {
            escaped: escaped.into(),
            key: unescape(escaped)?,
            servers: servers.map_err(|e| format!("{e} in {line:?}"))?,
        })
    }
}

/// The bytes of a key as the files write it: `\xNN` for all that is not plain.
pub fn unescape(escaped: &str) -> Result<Vec<u8>, String> {
    let mut parts = escaped.split("\\x");
    let mut key = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        key.push(byte.ok_or_else(|| format!("bad escape in {escaped:?}"))?);
        key.extend_from_slice(&part.as_bytes()[2..]);
    }
    Ok(key)
}

/// The files of the placements, sorted by name.
pub fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.ends_with(".tsv") && !name.starts_with("hash-")
    });
    files.sort();
    files
}
