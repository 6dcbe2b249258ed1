//! Where a configuration comes from: a file, standard input, or the command line itself.

use std::path::Path;

use memring::configs::{self, Kind, Reading};

use crate::{
    failure::Failure,
    input::{Input, Longest},
};

/// A text, what it is called, and its kind if somebody named it.
pub(super) struct Source {
    name: String,
    text: String,
    kind: Option<&'static Kind>,
}

impl Source {
    /// The file that `source` names, or `source` itself if it is a text rather than the name of a file.
    pub(super) fn open(source: &str, kind: Option<&'static Kind>) -> Result<Self, Failure> {
        if source != "-" && !Path::new(source).exists() && is_text(source, kind) {
            return Ok(Self { name: "SOURCE".to_owned(), text: source.to_owned(), kind });
        }
        let input = Input::read("SOURCE", source, Longest::ANY)?;
        Ok(Self {
            name: input.name().to_owned(),
            text: input.text()?.trim_start_matches('\u{feff}').to_owned(),
            kind,
        })
    }

    pub(super) fn readings(&self) -> Result<Vec<Reading>, Failure> {
        configs::read(&self.text, self.kind).map_err(|error| super::wrong(&self.name, &error))
    }
}

/// Whether somebody wrote a configuration in place of a file's name.
fn is_text(source: &str, kind: Option<&Kind>) -> bool {
    let is_path = source.starts_with(['/', '.']) || !source.contains([' ', '=', ':', '(', '{', '\n', ',']);
    (kind.is_some() || Kind::of(source).is_some()) && !is_path
}
