//! The answers to a command about many keys, counted.

use memring_core::vector::Escaped;
use memring_std::{Error, ErrorKind};
use memring_text::Key;

use super::{all_fine, client::Client};
use crate::failure::{Failure, Outcome};

/// Of which keys the answer was no, and what failed.
pub(crate) struct Tally<'c> {
    verb: &'static str,
    client: &'c Client,
    /// The first keys of which the answer was no, with their servers, and the number of all.
    missing: Vec<String>,
    no: usize,
    errors: Vec<Error>,
}

impl<'c> Tally<'c> {
    /// Nothing was asked yet. `verb` is what errors call the command.
    pub(crate) const fn new(verb: &'static str, client: &'c Client) -> Self {
        Self { verb, client, missing: Vec::new(), no: 0, errors: Vec::new() }
    }

    /// Counts the answer for a key; hands it on if it is a yes.
    pub(crate) fn count<T>(&mut self, key: Key<'_>, answer: Result<Option<T>, Error>) -> Option<T> {
        match answer {
            Ok(answer) => {
                if answer.is_none() {
                    self.miss(key);
                }
                answer
            }
            Err(error) => {
                // A server that is away is told of once, though it has many keys.
                if !self.errors.iter().any(|known| error.says_what(known)) {
                    self.errors.push(error);
                }
                None
            }
        }
    }

    /// How the command ends.
    pub(crate) fn outcome(self) -> Result<Outcome, Failure> {
        let told = self.errors.iter().any(|error| error.kind() != ErrorKind::Down);
        // That a server is left alone follows from how it failed before, which is told already.
        let errors = self.errors.iter().filter(|error| !told || error.kind() != ErrorKind::Down);
        all_fine(errors.map(|error| named(self.verb, error)))?;
        if self.no == 0 {
            return Ok(Outcome::Fine);
        }
        let more = match self.no - self.missing.len() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        Ok(Outcome::NoOf(format!("not found: {}{more}", self.missing.join(", "))))
    }

    fn miss(&mut self, key: Key<'_>) {
        self.no += 1;
        if self.missing.len() < SHOWN {
            self.missing.push(placed(self.client, key));
        }
    }
}

/// The end of a command about one key, of which the answer is no.
pub(crate) fn no(answer: &str, client: &Client, key: Key<'_>) -> Outcome {
    Outcome::NoOf(format!("{answer}: {}", placed(client, key)))
}

/// A key, and where it would be.
fn placed(client: &Client, key: Key<'_>) -> String {
    format!("{} on {}", Escaped(key.as_bytes()), client.server_of(key))
}

/// How many keys that are not found are named.
const SHOWN: usize = 10;

/// The error under the name of the command: the client's method for many keys has one of its own.
pub(super) fn named(verb: &str, error: &Error) -> String {
    let text = error.to_string();
    match text.strip_prefix(error.operation()) {
        Some(rest) => format!("{verb}{rest}"),
        None => text,
    }
}
