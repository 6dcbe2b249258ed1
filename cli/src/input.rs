//! Files and standard input, with names and line numbers for error messages.

use core::fmt;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
};

use memring_core::vector::unescape;
use memring_text::value::MAX_VALUE_LEN;

use crate::{
    failure::{Failure, system},
    key_file,
};

/// A file that was read whole.
#[derive(Debug)]
pub(crate) struct Input {
    name: String,
    bytes: Vec<u8>,
}

impl Input {
    /// Reads the file `path`, or standard input for `-`, whose lines are no longer than `longest`. Where there is none, `what`
    /// says which argument named it.
    pub(crate) fn read(what: &str, path: &str, longest: Longest) -> Result<Self, Failure> {
        if path == "-" {
            return Self::gather(STANDARD_INPUT, io::stdin().lock(), longest);
        }
        Self::gather(path, BufReader::new(open(what, path)?), longest)
    }

    /// Reads all of `source`, which may have no end: then that is said before memory runs out.
    fn gather(name: &str, source: impl BufRead, longest: Longest) -> Result<Self, Failure> {
        let (mut source, mut bytes) = (source, Vec::new());
        for number in 1_usize.. {
            let line = source.by_ref().take(longest.0 as u64 + 1).read_until(b'\n', &mut bytes);
            let len = line.map_err(|error| Failure::failed(format_args!("{name}: {}", system(&error))))?;
            if len > longest.0 && bytes.last() != Some(&b'\n') {
                return Err(Failure::usage(format_args!("{name} line {number}: {longest}")));
            }
            if bytes.len() > LARGEST {
                return Err(Failure::usage(format_args!(
                    "{name} line {number}: more than {LARGEST} bytes up to here; give it in parts"
                )));
            }
            if len == 0 {
                break;
            }
        }
        Ok(Self { name: name.to_owned(), bytes })
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

    /// All of it, of a file that is text.
    pub(crate) fn text(&self) -> Result<&str, Failure> {
        str::from_utf8(&self.bytes).map_err(|error| {
            let before = self.bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            self.at(line, "not UTF-8")
        })
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The keys of a keys file that all are wanted at once; [`KeyFile`](key_file::KeyFile) is for any number of them.
    /// Each comes with its line; blank lines are no keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (usize, Result<Vec<u8>, Failure>)> {
        let written =
            self.lines().filter_map(|(number, line)| Some((number, key_file::written(line, number)?)));
        written.map(|(number, line)| {
            (number, unescape(line).collect::<Result<_, _>>().map_err(|error| self.at(number, error)))
        })
    }

    /// All of it.
    #[cfg(feature = "tls")]
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

/// Opens the file `path`, which `what` names.
pub(crate) fn open(what: &str, path: &str) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        let says = match error.kind() {
            io::ErrorKind::NotFound => "no such file".to_owned(),
            _ => system(&error),
        };
        match path.contains("://") || path.contains('@') {
            // Whoever gives a server in place of a file may give its password, too.
            true => Failure::failed(format_args!("{what}: {says}; a server is given with --server")),
            false => Failure::failed(format_args!("{what} {path}: {says}")),
        }
    })
}

/// Reads a value from standard input, to its end.
pub(crate) fn read_value() -> Result<Vec<u8>, Failure> {
    let mut value = Vec::new();
    io::stdin().lock().take(MAX_VALUE_LEN as u64 + 1).read_to_end(&mut value)?;
    if value.len() > MAX_VALUE_LEN {
        return Err(Failure::usage(format_args!(
            "{STANDARD_INPUT}: more than {MAX_VALUE_LEN} bytes, the longest value that there is"
        )));
    }
    Ok(value)
}

/// The longest line of a file, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Longest(usize);

impl Longest {
    /// Of keys: the placement of longer ones than memcached's 250 bytes is defined, too. A byte takes four as `\xNN`.
    pub(crate) const KEY: Self = Self(4 * 4096);
    /// Of servers, of which a line may have many.
    pub(crate) const SERVER: Self = Self(1 << 16);
    /// Of anything else, such as the map of buckets of a vector file.
    pub(crate) const ANY: Self = Self(1 << 20);

    /// Whether `line` is too long.
    pub(crate) const fn is_shorter_than(self, line: &[u8]) -> bool {
        line.len() > self.0
    }
}

/// What is said of a line that is too long.
impl fmt::Display for Longest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "longer than {} bytes", self.0)
    }
}

/// The largest file that is read whole, in bytes.
const LARGEST: usize = 1 << 28;

/// What standard input is called.
pub(crate) const STANDARD_INPUT: &str = "standard input";

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Input {
        Input { name: "list".into(), bytes: text.into() }
    }

    #[test]
    fn a_key_is_a_line_and_the_last_newline_ends_it() {
        let keys = |text| input(text).keys().map(|(line, key)| (line, key.unwrap())).collect::<Vec<_>>();
        assert_eq!(keys(""), vec![]);
        assert_eq!(keys("\n"), vec![]);
        assert_eq!(keys("a\n\n# b\r\n"), [(1, b"a".to_vec()), (3, b"# b".to_vec())]);
    }

    #[test]
    fn what_has_no_end_is_refused_before_memory_is() {
        let read = |text: &[u8]| Input::gather("list", text, Longest(3)).map(|input| input.bytes);
        for right in [&b""[..], b"abc", b"abc\n", b"abc\nabc\n\n"] {
            assert_eq!(read(right).unwrap(), right);
        }
        let reason = |read: Result<_, Failure>| match read {
            Err(Failure::Usage(reason)) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(read(b"abc\nabcd")), "list line 2: longer than 3 bytes");
        let endless = || BufReader::new(io::repeat(b'a'));
        let error = Input::gather("list", endless(), Longest::KEY).map(|input| input.bytes);
        assert_eq!(reason(error), "list line 1: longer than 16384 bytes");
        let line = [&[b'a'; 4095][..], b"\n"].concat();
        let lines = BufReader::new(Repeated { line: &line, at: 0 });
        let error = Input::gather("list", lines, Longest::SERVER).map(|input| input.bytes);
        assert!(reason(error).starts_with("list line 65537: more than 268435456 bytes"));
    }

    /// The same line without end.
    struct Repeated<'l> {
        line: &'l [u8],
        at: usize,
    }

    impl io::Read for Repeated<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let len = (&self.line[self.at..]).read(buf)?;
            self.at = (self.at + len) % self.line.len();
            Ok(len)
        }
    }

    #[test]
    fn errors_name_the_line() {
        let bad = Input { name: "list".into(), bytes: b"a\n\xff\n".into() };
        assert!(matches!(bad.text(), Err(Failure::Usage(reason)) if reason == "list line 2: not UTF-8"));
        let error = input("a\nb\\y\n").keys().find_map(|(_, key)| key.err()).unwrap();
        assert!(
            matches!(&error, Failure::Usage(reason) if reason.starts_with("list line 2: bad escape at byte 1")),
            "{error:?}"
        );
    }
}
