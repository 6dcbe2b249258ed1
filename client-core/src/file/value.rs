//! A value of a file, read as what its key wants.

use core::time::Duration;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    error::{FileError, FileProblem, line_of},
    section::Section,
    time::{TimeError, duration},
};

/// A value, and which key of which text has it.
#[derive(Debug)]
pub(super) struct Value<'t> {
    text: &'t str,
    key: String,
    value: &'t Spanned<DeValue<'t>>,
}

impl<'t> Value<'t> {
    pub(super) const fn new(text: &'t str, key: String, value: &'t Spanned<DeValue<'t>>) -> Self {
        Self { text, key, value }
    }

    /// The error that it has `problem`.
    pub(super) fn wrong(&self, problem: FileProblem) -> FileError {
        FileError::of(problem).at_line(self.line()).at_key(&self.key)
    }

    pub(super) fn line(&self) -> usize {
        line_of(self.text, self.value.span().start)
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn get(&self) -> &'t DeValue<'t> {
        self.value.get_ref()
    }

    /// The error that it is not what is `wanted`.
    pub(super) fn is_no(&self, wanted: &'static str) -> FileError {
        let is = match self.get() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.wrong(FileProblem::Type { wanted, is })
    }

    /// A text.
    pub(super) fn text(&self) -> Result<&'t str, FileError> {
        match self.get() {
            DeValue::String(text) => Ok(text),
            _ => Err(self.is_no("a text in quotes")),
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Result<bool, FileError> {
        match self.get() {
            DeValue::Boolean(yes) => Ok(*yes),
            _ => Err(self.is_no("true or false, without quotes")),
        }
    }

    /// Whether it is the word `false`.
    pub(super) fn is_false(&self) -> bool {
        matches!(self.get(), DeValue::Boolean(false))
    }

    /// A length of time of more than zero.
    pub(super) fn duration(&self) -> Result<Duration, FileError> {
        let wrong = |error| self.wrong(FileProblem::Time(error));
        match self.get() {
            DeValue::String(text) => match duration(text).map_err(wrong)? {
                Duration::ZERO => Err(wrong(TimeError::Zero)),
                time => Ok(time),
            },
            DeValue::Integer(number) => Err(wrong(TimeError::NoUnit(number.as_str().to_owned()))),
            DeValue::Float(number) => Err(wrong(TimeError::NoUnit(number.as_str().to_owned()))),
            _ => Err(self.is_no("a length of time such as \"250ms\"")),
        }
    }

    /// A whole number from 1 up.
    pub(super) fn count<N: TryFrom<u64>>(&self) -> Result<N, FileError> {
        let DeValue::Integer(number) = self.get() else {
            return Err(self.is_no("a whole number, without quotes"));
        };
        u64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .filter(|number| *number > 0)
            .and_then(|number| number.try_into().ok())
            .ok_or_else(|| self.wrong(FileProblem::Value("not a number from 1 up that can be counted")))
    }

    /// A size from 1 byte up, as a number or with a unit.
    pub(super) fn size(&self) -> Result<usize, FileError> {
        let DeValue::String(text) = self.get() else { return self.count() };
        let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let scale = match unit {
            "" => Some(1),
            "KiB" => Some(1 << 10),
            "MiB" => Some(1 << 20),
            "GiB" => Some(1 << 30),
            _ => None,
        };
        scale
            .and_then(|scale| number.parse::<usize>().ok()?.checked_mul(scale))
            .filter(|size| *size > 0)
            .ok_or_else(|| {
                self.wrong(FileProblem::Value(
                    "no size; write bytes, as 4096, or \"64KiB\", \"8MiB\" or \"1GiB\"",
                ))
            })
    }

    /// A table.
    pub(super) fn section(&self, wanted: &'static str) -> Result<Section<'t>, FileError> {
        let table: &DeTable<'t> = match self.get() {
            DeValue::Table(table) => table,
            _ => return Err(self.is_no(wanted)),
        };
        Ok(Section::new(self.text, format!("{}.", self.key), table))
    }

    /// The values of a list.
    pub(super) fn items(&self) -> Option<impl Iterator<Item = Self>> {
        let DeValue::Array(list) = self.get() else { return None };
        Some((1..).zip(list.iter()).map(|(number, value)| {
            let number: usize = number;
            Self::new(self.text, format!("{}[{number}]", self.key), value)
        }))
    }
}
