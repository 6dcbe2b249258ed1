//! Lines of keys and their servers, in four formats.

use std::borrow::Cow;

use memring_core::{ServerIndex, vector::Escaped};
use serde_json::{Value, json};

use super::Format;
use crate::{failure::Failure, key_file::Key, output, scheme_args::Placed, visible::Visible};

/// How keys are written with the servers to ask first.
pub(super) struct Listing<'l> {
    placement: &'l Placed<'l>,
    format: Format,
    /// How many servers, at most.
    count: usize,
    /// What is written for each server of the list.
    servers: Vec<String>,
}

impl<'l> Listing<'l> {
    pub(super) fn new(placement: &'l Placed<'l>, format: Format, count: usize) -> Self {
        let servers = placement.servers().iter().enumerate();
        let written = servers.map(|(index, server)| match format {
            Format::Tsv => index.to_string(),
            Format::TsvNames => Escaped(server.name.as_bytes()).to_string(),
            Format::Text => Visible::line(server.name).to_string(),
            Format::Json => output::json(&json!({ "index": index, "name": server.name }).to_string()),
        });
        Self { placement, format, count, servers: written.collect() }
    }

    /// Writes a line for each of `keys` behind `out`; `as_placed` says what the client makes of a key before it places it.
    ///
    /// # Errors
    /// The first failure among the keys. The keys before it are written.
    pub(super) fn write<'k>(
        &self,
        keys: &mut dyn Iterator<Item = Result<Key<'k>, Failure>>,
        as_placed: &dyn Fn(&[u8]) -> Cow<'_, [u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let mut group = Vec::with_capacity(AT_ONCE);
        let mut scratch = vec![ServerIndex::default(); self.count.max(AT_ONCE)];
        loop {
            let failure = take(keys, &mut group);
            if self.count == 1 {
                let placed: Vec<_> = group.iter().map(|key| as_placed(key.bytes())).collect();
                let names: Vec<_> = placed.iter().map(|name| &**name).collect();
                self.placement.place_many(&names, &mut scratch);
                for (key, server) in group.iter().zip(scratch.chunks(1)) {
                    self.line(key, server, out);
                }
            } else {
                for key in &group {
                    let order = self.placement.order(&as_placed(key.bytes()), &mut scratch);
                    self.line(key, order, out);
                }
            }
            failure?;
            if group.len() < AT_ONCE {
                return Ok(());
            }
        }
    }

    fn line(&self, key: &Key<'_>, order: &[ServerIndex], out: &mut Vec<u8>) {
        let (begin, middle, between, end): (&[u8], &[u8], &[u8], &[u8]) = match self.format {
            Format::Tsv => (b"", b"\t", b",", b"\n"),
            Format::TsvNames => (b"", b"\t", b"\t", b"\n"),
            Format::Text => (b"", b"  ", b", ", b"\n"),
            // What parts two objects stands before each, as nobody knows which is the last.
            Format::Json => (b",\n  {\"key\":", b",\"servers\":[", b",", b"]}"),
        };
        out.extend_from_slice(begin);
        match self.format {
            Format::Tsv | Format::TsvNames | Format::Text => key.write_to(out),
            Format::Json => {
                let mut written = Vec::new();
                key.write_to(&mut written);
                out.extend_from_slice(Value::from(String::from_utf8_lossy(&written)).to_string().as_bytes());
            }
        }
        out.extend_from_slice(middle);
        for (place, server) in order.iter().enumerate() {
            if place > 0 {
                out.extend_from_slice(between);
            }
            out.extend_from_slice(self.servers.get(server.get()).map_or(b"", |written| written.as_bytes()));
        }
        out.extend_from_slice(end);
    }
}

/// Takes up to [`AT_ONCE`] keys, and the failure that stands behind them, if there is one.
pub(super) fn take<'k>(
    keys: &mut dyn Iterator<Item = Result<Key<'k>, Failure>>,
    group: &mut Vec<Key<'k>>,
) -> Result<(), Failure> {
    group.clear();
    for key in keys.take(AT_ONCE) {
        group.push(key?);
    }
    Ok(())
}

/// How many keys are placed together.
pub(super) const AT_ONCE: usize = 64;
