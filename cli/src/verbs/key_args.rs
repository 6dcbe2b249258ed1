//! The keys that a command is given, as arguments or as a file.

use core::ops::ControlFlow;
use std::ffi::{OsStr, OsString};

use memring_core::vector::Escaped;
use memring_text::Key;

use super::{ClientArgs, client::Client};
use crate::{
    failure::Failure,
    input::{Input, Longest},
};

/// One key, and the servers to look for it on.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// The key, taken as it is.
    #[arg(value_name = "KEY")]
    key: OsString,
}

impl KeyArgs {
    /// The client, and the key. Nothing is connected yet.
    pub(crate) fn read(&self) -> Result<(Client, Key<'_>), Failure> {
        let key = key(&self.key)?;
        Ok((self.client.client_for_keys()?, key))
    }

    /// Whether the servers come from standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.client.is_stdin()
    }
}

/// Some keys, and the servers to look for them on.
#[derive(Debug, clap::Args)]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// A file of keys, one a line, in which `\xNN` is a byte; blank lines are none; `-` is standard input.
    #[arg(long = "keys", value_name = "FILE", conflicts_with = "words")]
    file: Option<String>,

    /// The keys, taken as they are.
    #[arg(value_name = "KEY", required_unless_present = "file")]
    words: Vec<OsString>,
}

impl KeysArgs {
    /// The client, and the keys, all of which are valid. Nothing is connected yet.
    pub(crate) fn read(&self) -> Result<(Client, Keys<'_>), Failure> {
        if self.client.is_stdin() && self.file.as_deref() == Some("-") {
            return Err(Failure::usage("only one of --servers and --keys can be standard input"));
        }
        let keys = match &self.file {
            None => {
                self.words.iter().try_for_each(|word| key(word).map(drop))?;
                Keys::Words(&self.words)
            }
            Some(path) => {
                let file = Input::read("--keys", path, Longest::KEY)?;
                for (number, key) in file.keys() {
                    Key::new(&key?).map_err(|error| file.at(number, error))?;
                }
                Keys::File(file)
            }
        };
        Ok((self.client.client_for_keys()?, keys))
    }
}

/// Keys, all of which are valid.
#[derive(Debug)]
pub(crate) enum Keys<'a> {
    Words(&'a [OsString]),
    File(Input),
}

impl Keys<'_> {
    /// The key, if it is the only one and was given as an argument: such a command is about a key, not about a list.
    pub(crate) fn only(&self) -> Option<Key<'_>> {
        match self {
            Self::Words([word]) => Key::new(word.as_encoded_bytes()).ok(),
            _ => None,
        }
    }

    /// Calls `take` with all keys in their order, `most` at a time, until it breaks off: the answers to a part of a long
    /// list are gone before the next part is asked for.
    pub(crate) fn in_parts(
        &self,
        most: usize,
        mut take: impl FnMut(&[Key<'_>]) -> Result<ControlFlow<()>, Failure>,
    ) -> Result<(), Failure> {
        let mut each = self.each();
        loop {
            let part = each.by_ref().take(most).collect::<Result<Vec<_>, _>>()?;
            // All of them were valid before.
            let keys: Vec<_> = part.iter().filter_map(|key| Key::new(key).ok()).collect();
            if keys.is_empty() || take(&keys)?.is_break() {
                return Ok(());
            }
        }
    }

    fn each(&self) -> Box<dyn Iterator<Item = Result<Vec<u8>, Failure>> + '_> {
        match self {
            Self::Words(words) => Box::new(words.iter().map(|word| Ok(word.as_encoded_bytes().to_vec()))),
            Self::File(file) => Box::new(file.keys().map(|(_, key)| key)),
        }
    }
}

/// A key, checked before anything is sent.
fn key(argument: &OsStr) -> Result<Key<'_>, Failure> {
    let bytes = argument.as_encoded_bytes();
    Key::new(bytes).map_err(|error| Failure::usage(format_args!("bad key {:?}: {error}", Escaped(bytes))))
}
