//! Files of keys, one a line, without lines that are blank, read in blocks of whole lines: of any number of keys, only a block
//! is in memory.

use core::ops::ControlFlow;
use std::{
    borrow::Cow,
    io::{self, Read},
};

use memring_core::vector::{Escaped, unescape};

use crate::{
    blocks,
    failure::Failure,
    input::{self, Longest, STANDARD_INPUT},
};

/// A file of keys that is being read.
pub(crate) struct KeyFile {
    name: String,
    source: Box<dyn Read + Send>,
    /// The beginning of a line whose end was not read yet.
    begun: Vec<u8>,
    /// The number of that line.
    line: usize,
}

/// Some whole lines of a file.
#[derive(Debug, Default)]
struct Block {
    bytes: Vec<u8>,
    /// The number of the first line.
    first: usize,
}

/// A key.
#[derive(Clone, Debug)]
pub(crate) struct Key<'b> {
    bytes: Cow<'b, [u8]>,
    /// Whether it is written as it is.
    is_plain: bool,
}

impl KeyFile {
    /// Opens the file `path`, or standard input for `-`.
    pub(crate) fn open(path: &str) -> Result<Self, Failure> {
        match path {
            "-" => Ok(Self::new(STANDARD_INPUT, io::stdin())),
            _ => Ok(Self::new(path, input::open("--keys", path)?)),
        }
    }

    fn new(name: &str, source: impl Read + Send + 'static) -> Self {
        Self { name: name.to_owned(), source: Box::new(source), begun: Vec::new(), line: 1 }
    }

    /// Makes a result of each block of keys by `work`, on all cores, and hands the results on in the order of the file.
    ///
    /// # Errors
    /// Those of [`blocks::in_order`], and one that names the line of a bad key.
    pub(crate) fn in_order<R: Default>(
        mut self,
        work: impl Fn(&mut Keys<'_>, &mut R) -> Result<(), Failure> + Sync,
        hand_on: impl FnMut(&mut R) -> Result<ControlFlow<()>, Failure> + Send,
    ) -> Result<(), Failure> {
        let name = self.name.clone();
        blocks::in_order(
            |block| self.fill(block),
            |block: &Block, result| {
                work(&mut Keys { name: &name, rest: &block.bytes, number: block.first }, result)
            },
            hand_on,
        )
    }

    /// Fills `block` with the lines that there are now, up to some thousands; `false` if there is none left.
    ///
    /// Lines that come slowly, from another program, are not held back.
    fn fill(&mut self, block: &mut Block) -> Result<bool, Failure> {
        let Block { bytes, first } = block;
        bytes.clear();
        bytes.append(&mut self.begun);
        *first = self.line;
        loop {
            let old = bytes.len();
            bytes.resize(old + AT_ONCE, 0);
            let read = self.source.read(bytes.get_mut(old..).unwrap_or_default());
            bytes.truncate(old + read.as_ref().map_or(0, |len| *len));
            match read {
                Ok(0) => return Ok(!bytes.is_empty()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::failed(format_args!("{}: {error}", self.name))),
            }
            let fresh = bytes.get(old..).unwrap_or_default();
            if let Some(end) = memchr::memrchr(b'\n', fresh) {
                self.begun.extend_from_slice(fresh.get(end + 1..).unwrap_or_default());
                bytes.truncate(old + end + 1);
                self.line += memchr::memchr_iter(b'\n', bytes).count();
                return Ok(true);
            }
            // Of a line without end, no more is read than shows that it is too long.
            if Longest::KEY.is_shorter_than(bytes) {
                return Ok(true);
            }
        }
    }
}

/// The keys of a block, one after the other.
pub(crate) struct Keys<'b> {
    name: &'b str,
    rest: &'b [u8],
    number: usize,
}

impl<'b> Iterator for Keys<'b> {
    type Item = Result<Key<'b>, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let (line, number) = loop {
            if self.rest.is_empty() {
                return None;
            }
            let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
            let (line, rest) = self.rest.split_at(end);
            self.rest = rest.get(1..).unwrap_or_default();
            self.number += 1;
            if let Some(line) = written(line, self.number - 1) {
                break (line, self.number - 1);
            }
        };
        Some(
            Key::read(line)
                .map_err(|error| Failure::usage(format_args!("{} line {number}: {error}", self.name))),
        )
    }
}

/// The key on the line of this number, as it is written there; a blank line has none, as there is no empty key.
pub(crate) fn written(line: &[u8], number: usize) -> Option<&[u8]> {
    // What some editors put before a file is no part of the first key.
    let mark = line.strip_prefix("\u{feff}".as_bytes()).filter(|_| number == 1);
    let line = mark.unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (!line.is_empty()).then_some(line)
}

impl<'b> Key<'b> {
    /// A key as it is.
    pub(crate) fn raw(bytes: &'b [u8]) -> Self {
        Self { bytes: Cow::Borrowed(bytes), is_plain: is_plain(bytes) }
    }

    /// The key of a line.
    fn read(line: &'b [u8]) -> Result<Self, String> {
        if Longest::KEY.is_shorter_than(line) {
            return Err(Longest::KEY.to_string());
        }
        if is_plain(line) {
            return Ok(Self { bytes: Cow::Borrowed(line), is_plain: true });
        }
        let bytes: Vec<u8> = unescape(line).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        let is_plain = is_plain(&bytes);
        Ok(Self { bytes: Cow::Owned(bytes), is_plain })
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes it as a keys file has it, which no terminal obeys.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        if self.is_plain {
            out.extend_from_slice(&self.bytes);
        } else {
            out.extend_from_slice(Escaped(&self.bytes).to_string().as_bytes());
        }
    }
}

/// Whether a key is written as it is. Nearly all keys are, and most of the time is theirs.
fn is_plain(bytes: &[u8]) -> bool {
    // Without a way out of the loop it takes 16 bytes at a time.
    bytes.iter().fold(true, |plain, byte| plain & byte.is_ascii_graphic() & (*byte != b'\\'))
}

/// How many bytes are read at once: enough that threads seldom meet, and few enough that memory stays small.
const AT_ONCE: usize = 1 << 17;

#[cfg(test)]
mod tests {
    use super::*;

    /// What reads as many bytes at a time as a caller says.
    struct Pieces {
        rest: Vec<u8>,
        most: usize,
    }

    impl Read for Pieces {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let len = buf.len().min(self.most).min(self.rest.len());
            buf[..len].copy_from_slice(&self.rest[..len]);
            self.rest.drain(..len);
            Ok(len)
        }
    }

    /// The keys of a text that is read in pieces, and what is wrong with it.
    fn keys(text: &[u8], most: usize) -> (Vec<Vec<u8>>, Option<String>) {
        let mut seen = Vec::new();
        let read = KeyFile::new("list", Pieces { rest: text.into(), most }).in_order(
            |keys, result: &mut Vec<_>| {
                keys.try_for_each(|key| key.map(|key| result.push(key.bytes().to_vec())))
            },
            |result| {
                seen.append(result);
                Ok(ControlFlow::Continue(()))
            },
        );
        let reason = read.err().map(|failure| match failure {
            Failure::Usage(reason) => reason,
            other => panic!("{other:?}"),
        });
        (seen, reason)
    }

    #[test]
    fn a_key_is_a_line_however_it_is_read() {
        for most in [1, 2, 3, 5, 1000] {
            assert_eq!(keys(b"", most), (vec![], None));
            assert_eq!(keys(b"\n", most), (vec![], None));
            let expected: Vec<_> = [&b"a"[..], b"# b", b"c d"].map(<[u8]>::to_vec).into();
            assert_eq!(keys(b"a\n\n# b\nc\\x20d", most), (expected.clone(), None));
            assert_eq!(keys(b"a\r\n\r\n# b\nc\\x20d\n\n\n", most), (expected, None));
        }
    }

    #[test]
    fn a_bad_line_is_named_and_those_before_it_are_keys() {
        for most in [1, 4, 1000] {
            let (seen, reason) = keys(b"a\nb\n\\y\nc\n", most);
            assert_eq!(seen, [b"a", b"b"]);
            assert!(reason.unwrap().starts_with("list line 3: bad escape at byte 0"));
        }
    }

    #[test]
    fn a_line_may_be_long_and_not_longer() {
        let long = [&[b'k'; 16_384][..], b"\nl\n"].concat();
        let longer = [b"a\n", &[b'k'; 16_385][..], b"\nl\n"].concat();
        for most in [1000, 16_384, 1 << 20] {
            assert_eq!(keys(&long, most).0.len(), 2);
            let (seen, reason) = keys(&longer, most);
            assert_eq!((seen.len(), &*reason.unwrap()), (1, "list line 2: longer than 16384 bytes"));
        }
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        for (line, written) in
            [(&b"user:7"[..], &b"user:7"[..]), (b"a b", b"a\\x20b"), (b"\\x41", b"A"), (b"\\x5c", b"\\x5c")]
        {
            let mut out = Vec::new();
            Key::read(line).unwrap().write_to(&mut out);
            assert_eq!(out, written);
        }
    }
}
