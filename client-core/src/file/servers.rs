//! Servers in a file: texts of the one grammar, or tables where more is to be said of one.

use memring_core::Weight;
use toml::de::DeValue;

use super::{
    error::{FileError, FileProblem},
    reference::Login,
    value::Value,
};
use crate::spec::{Address, ServerList, ServerSpec};

/// The servers of a value, and the logins of those that have their own.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) specs: Vec<ServerSpec>,
    pub(super) logins: Vec<(usize, Login)>,
}

impl Listed {
    /// Reads a text with servers, or a list of texts and tables.
    pub(super) fn read(value: &Value<'_>) -> Result<Self, FileError> {
        let mut listed = Self::default();
        match value.items() {
            Some(items) => items.into_iter().try_for_each(|item| listed.add(&item))?,
            // A table in place of a list can only be where servers are to be found.
            None if matches!(value.get(), DeValue::Table(_)) => return Err(value.wrong(FileProblem::Source)),
            None => listed.add(value)?,
        }
        Ok(listed)
    }

    fn add(&mut self, value: &Value<'_>) -> Result<(), FileError> {
        match value.get() {
            DeValue::String(text) => {
                let list: ServerList =
                    text.parse().map_err(|error| value.wrong(FileProblem::Server(error)))?;
                let specs: Vec<_> = list.into_iter().collect();
                if specs.iter().any(|spec| spec.credentials().is_some()) {
                    return Err(value.wrong(FileProblem::Password));
                }
                self.specs.extend(specs);
                Ok(())
            }
            DeValue::Table(_) => self.add_table(value),
            _ => Err(value.is_no("\"HOST:PORT\", \"HOST:PORT WEIGHT\" or { name = …, address = … }")),
        }
    }

    fn add_table(&mut self, value: &Value<'_>) -> Result<(), FileError> {
        let mut table = value.section("a table")?;
        let (name, address) = (table.take("name"), table.take("address"));
        let (weight, tls, auth) = (table.take("weight"), table.take("tls"), table.take("auth"));
        table.end()?;
        let (Some(place), name) = (address.as_ref().or(name.as_ref()), &name) else {
            return Err(value
                .wrong(FileProblem::Value("no server; write { name = \"NAME\", address = \"HOST:PORT\" }")));
        };
        let address: Address =
            place.text()?.parse().map_err(|error| place.wrong(FileProblem::Server(error)))?;
        let name = match name {
            Some(name) => checked_name(name)?,
            None => place.text()?,
        };
        let mut spec = ServerSpec::new(name, address);
        if let Some(weight) = weight {
            spec = spec.weighing(read_weight(&weight)?);
        }
        if tls.map(|tls| tls.boolean()).transpose()?.unwrap_or(false) {
            spec = spec.encrypted();
        }
        if let Some(auth) = auth {
            self.logins.push((self.specs.len(), Login::read(&auth)?));
        }
        self.specs.push(spec);
        Ok(())
    }
}

/// A name, which may be what no address could be.
fn checked_name<'t>(value: &Value<'t>) -> Result<&'t str, FileError> {
    match value.text()? {
        "" => Err(value.wrong(FileProblem::Value("empty; a name decides which keys the server has"))),
        name => Ok(name),
    }
}

fn read_weight(value: &Value<'_>) -> Result<Weight, FileError> {
    let text = match value.get() {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
        DeValue::Float(number) => number.as_str(),
        _ => return Err(value.is_no("a number from 0 up, without quotes")),
    };
    Weight::parse(text)
        .ok_or_else(|| value.wrong(FileProblem::Value("no weight; write a number from 0 to 4294967295")))
}
