//! A table of a file, whose keys are taken one by one: what is left at the end is unknown.

use toml::de::DeTable;

use super::{
    error::{FileError, FileProblem, line_of},
    near::near,
    value::Value,
};

/// A table, and which of its keys were asked for.
#[derive(Debug)]
pub(super) struct Section<'t> {
    text: &'t str,
    /// The keys of the tables that it stands in, each with a dot behind.
    path: String,
    table: &'t DeTable<'t>,
    known: Vec<&'static str>,
}

impl<'t> Section<'t> {
    /// The table with the keys `path`, each with a dot behind, in `text`.
    pub(super) const fn new(text: &'t str, path: String, table: &'t DeTable<'t>) -> Self {
        Self { text, path, table, known: Vec::new() }
    }

    /// The value of the key `name`, if it is there.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value<'t>> {
        self.known.push(name);
        let (_, value) = self.table.iter().find(|(key, _)| *key.get_ref() == name)?;
        Some(Value::new(self.text, format!("{}{name}", self.path), value))
    }

    /// Whether it has the key `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.keys().any(|key| *key.get_ref() == name)
    }

    /// All keys, in the order of the text, and their values.
    pub(super) fn entries(&self) -> Vec<(&'t str, Value<'t>)> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let value = |(key, value)| {
            let key: &toml::Spanned<toml::de::DeString<'_>> = key;
            (&**key.get_ref(), Value::new(self.text, format!("{}{}", self.path, key.get_ref()), value))
        };
        entries.into_iter().map(value).collect()
    }

    /// Checks that there is no key that nobody has asked for.
    pub(super) fn end(self) -> Result<(), FileError> {
        let unknown = self.table.keys().filter(|key| !self.known.contains(&&**key.get_ref()));
        let Some(first) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
        let name = &**first.get_ref();
        let near = near(name, &self.known);
        let offer = match &*near {
            [] => format!("the keys are {}", self.known.join(", ")),
            near => format!("near to it is {}", near.join(", ")),
        };
        Err(FileError::of(FileProblem::UnknownKey(offer))
            .at_line(line_of(self.text, first.span().start))
            .at_key(&format!("{}{name}", self.path)))
    }
}
