//! Files and standard input, with names and line numbers for error messages.

use core::fmt;
use std::{
    fs,
    io::{self, Read as _},
};

use memring_core::{Server, vector::unescape};

use crate::failure::Failure;

/// A file that was read whole.
#[derive(Debug)]
pub(crate) struct Input {
    name: String,
    bytes: Vec<u8>,
}

impl Input {
    /// Reads the file `path`, or standard input for `-`.
    pub(crate) fn read(path: &str) -> Result<Self, Failure> {
        let (name, bytes) = if path == "-" {
            let mut bytes = Vec::new();
            let read = io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes);
            ("standard input".to_owned(), read)
        } else {
            (path.to_owned(), fs::read(path))
        };
        match bytes {
            Ok(bytes) => Ok(Self { name, bytes }),
            Err(error) => Err(Failure::failed(format_args!("{name}: {error}"))),
        }
    }

    /// The lines with their numbers from 1, without the newlines; a newline at the very end begins no further line.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let bytes = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        let lines =
            bytes.split(|&byte| byte == b'\n').take(if self.bytes.is_empty() { 0 } else { usize::MAX });
        (1..).zip(lines)
    }

    /// The same for files that are text.
    pub(crate) fn text_lines(&self) -> impl Iterator<Item = Result<(usize, &str), Failure>> {
        self.lines().map(|(number, line)| match str::from_utf8(line) {
            Ok(line) => Ok((number, line)),
            Err(error) => Err(self.at(number, error)),
        })
    }

    /// The lines of a servers file that are servers.
    pub(crate) fn server_lines(&self) -> Result<Vec<ServerLine<'_>>, Failure> {
        let mut lines = Vec::new();
        for line in self.text_lines() {
            let (number, text) = line?;
            // What some editors put before a file is no part of the first name.
            let text = if number == 1 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
            if !text.starts_with("# ") && !text.trim().is_empty() {
                lines.push(ServerLine { text, place: self.place(number) });
            }
        }
        if lines.is_empty() {
            return Err(Failure::usage(format_args!("{}: no servers", self.name)));
        }
        Ok(lines)
    }

    /// The servers of a servers file.
    pub(crate) fn servers(&self) -> Result<Vec<PlacedServer<'_>>, Failure> {
        self.server_lines()?.into_iter().map(ServerLine::placed).collect()
    }

    /// The keys of a keys file.
    pub(crate) fn keys(&self) -> Result<Vec<Vec<u8>>, Failure> {
        self.lines()
            .map(|(number, line)| {
                unescape(line).collect::<Result<_, _>>().map_err(|error| self.at(number, error))
            })
            .collect()
    }

    /// All of it.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A failure that has to do with the file as a whole.
    pub(crate) fn about(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Usage(reason) => Failure::usage(format_args!("{}: {reason}", self.name)),
            failure => failure,
        }
    }

    /// The name of a line.
    pub(crate) fn place(&self, number: usize) -> String {
        format!("{} line {number}", self.name)
    }

    /// An error in a line.
    pub(crate) fn at(&self, number: usize, error: impl fmt::Display) -> Failure {
        Failure::usage(format_args!("{}: {error}", self.place(number)))
    }
}

/// A text that ought to be a server, and where it was read.
#[derive(Clone, Debug)]
pub(crate) struct ServerLine<'a> {
    pub(crate) text: &'a str,
    pub(crate) place: String,
}

impl<'a> ServerLine<'a> {
    /// What `parse` makes of the text.
    pub(crate) fn parse<T, E: fmt::Display>(
        &self,
        parse: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Result<T, Failure> {
        parse(self.text).map_err(|error| Failure::usage(format_args!("{}: {error}", self.place)))
    }

    /// The server, as placements see it.
    pub(crate) fn placed(self) -> Result<PlacedServer<'a>, Failure> {
        Ok(PlacedServer { server: self.parse(Server::parse)?, place: self.place })
    }
}

/// A server and where it was read.
#[derive(Clone, Debug)]
pub(crate) struct PlacedServer<'a> {
    pub(crate) server: Server<'a>,
    pub(crate) place: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Input {
        Input { name: "list".into(), bytes: text.into() }
    }

    #[test]
    fn a_key_is_a_line_and_the_last_newline_ends_it() {
        assert_eq!(input("").keys().unwrap(), Vec::<Vec<u8>>::new());
        assert_eq!(input("\n").keys().unwrap(), [b""]);
        assert_eq!(input("a\n\n# b").keys().unwrap(), [&b"a"[..], b"", b"# b"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_name() {
        let list = input("\u{feff}a:1\nb:1\n");
        let names: Vec<_> = list.servers().unwrap().iter().map(|placed| placed.server.name).collect();
        assert_eq!(names, ["a:1", "b:1"]);
    }

    #[test]
    fn errors_name_the_line() {
        let error = input("a\n\n# remark\nb x\n").servers().unwrap_err();
        assert!(
            matches!(&error, Failure::Usage(reason) if reason.starts_with("list line 4: bad weight")),
            "{error:?}"
        );
        let error = input("a\nb\\y\n").keys().unwrap_err();
        assert!(
            matches!(&error, Failure::Usage(reason) if reason.starts_with("list line 2: bad escape at byte 1")),
            "{error:?}"
        );
    }
}
