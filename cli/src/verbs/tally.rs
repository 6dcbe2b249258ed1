//! The answers to a command about many keys, counted.

use memring_std::{Error, ErrorKind};

use super::all_fine;
use crate::failure::{Failure, Outcome};

/// How many keys were asked about, of how many the answer was yes, and what failed.
#[derive(Debug)]
pub(crate) struct Tally {
    verb: &'static str,
    asked: usize,
    yes: usize,
    errors: Vec<Error>,
}

impl Tally {
    /// Nothing was asked yet. `verb` is what errors call the command.
    pub(crate) const fn new(verb: &'static str) -> Self {
        Self { verb, asked: 0, yes: 0, errors: Vec::new() }
    }

    /// Counts the answer for a key; hands it on if it is a yes.
    pub(crate) fn count<T>(&mut self, answer: Result<Option<T>, Error>) -> Option<T> {
        self.asked += 1;
        match answer {
            Ok(answer) => {
                self.yes += usize::from(answer.is_some());
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
        Ok(match self.asked - self.yes {
            0 => Outcome::Fine,
            _ if self.yes == 0 => Outcome::No("not found"),
            _ => Outcome::No("not all found"),
        })
    }
}

/// The error under the name of the command: the client's method for many keys has one of its own.
pub(super) fn named(verb: &str, error: &Error) -> String {
    let text = error.to_string();
    match text.strip_prefix(error.operation()) {
        Some(rest) => format!("{verb}{rest}"),
        None => text,
    }
}
