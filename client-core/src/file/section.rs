//! A table of a file, whose keys are taken one by one: what is left at the end is unknown.

use toml::de::DeTable;

use super::{
    error::{FileError, FileProblem, line_of},
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
        let near = nearest(name, &self.known);
        let offer = match &*near {
            [] => format!("the keys are {}", self.known.join(", ")),
            near => format!("near to it is {}", near.join(", ")),
        };
        Err(FileError::of(FileProblem::UnknownKey(offer))
            .at_line(line_of(self.text, first.span().start))
            .at_key(&format!("{}{name}", self.path)))
    }
}

/// The keys that are near to `name`, the nearest first: few letters differ, or one has the other in it.
fn nearest(name: &str, known: &[&'static str]) -> Vec<&'static str> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let distance = |known: &str| {
        let differ = strsim::damerau_levenshtein(&name, known);
        let has_other = name.len() > 2 && (known.contains(&*name) || name.contains(known));
        (has_other || differ * 3 <= known.len()).then_some(differ)
    };
    let mut near: Vec<_> = known.iter().filter_map(|known| Some((distance(known)?, *known))).collect();
    near.sort_unstable();
    near.truncate(OFFERED);
    near.into_iter().map(|(_, known)| known).collect()
}

/// Most keys that an error offers.
const OFFERED: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_the_first() {
        let known = ["servers", "scheme", "timeout", "connect_timeout", "idle_timeout", "ca"];
        for (name, first) in [
            ("sheme", Some("scheme")),
            ("server", Some("servers")),
            ("Timeout", Some("timeout")),
            ("connect-timeout", Some("connect_timeout")),
            ("cafile", Some("ca")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known).first().copied(), first, "{name}");
        }
    }
}
