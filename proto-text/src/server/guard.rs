//! Logins: what a connection may send before its user is known.

use core::hint::black_box;

use super::{
    c_number::c_u64,
    request_decoder::RequestDecoder,
    request_event::Refusal,
    session::{Fed, LINE_CAPACITY, Next},
};
use crate::{
    buffer::{Buffer, Full},
    line::{LineSearch, Searched},
    reply::{Event, Status},
    request::Credentials,
};

/// Demands a user's name and password before a [`Session`](super::Session) is begun, as memcached does with its option
/// `-Y`.
///
/// ```
/// use memring_text::{request::Credentials, server::Guard};
///
/// let users = [Credentials::new(b"alice", b"s3cret")?];
/// let (mut guard, mut out) = (Guard::new(), Vec::new());
/// guard.feed(b"get k\r\n", &users, &mut out);
/// assert_eq!(out, b"CLIENT_ERROR unauthenticated\r\n");
/// guard.feed(b"set x 0 0 12\r\nalice s3cret\r\n", &users, &mut out);
/// assert!(guard.is_open() && out.ends_with(b"STORED\r\n"));
/// # Ok::<(), memring_text::request::CredentialsError>(())
/// ```
///
/// It answers every line. (memcached 1.6.18 gives one answer to lines that arrive together.) A `set` whose value
/// would not fit into [`RequestDecoder::MIN_BUFFER`] closes the connection, as a line without an end does.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    state: State,
    search: LineSearch,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Line,
    /// Before a value of this many bytes and its end.
    Value(usize),
    Open,
}

impl Guard {
    /// A fresh connection, of a user who is not known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::Line, search: LineSearch::START }
    }

    /// Whether a user has logged in. The bytes behind the login are for the session.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Answers what is at the front of `input`, until a user and a password are those of one of `users`; to be used as
    /// [`Session::feed`](super::Session::feed) is. With the right ones it is [open](Self::is_open), and takes no more.
    ///
    /// The time that it takes depends on the length of a name or a password, and not on how much of it is right.
    pub fn feed(&mut self, input: &[u8], users: &[Credentials<'_>], out: &mut (impl Buffer + ?Sized)) -> Fed {
        let mut rest = input;
        let next = loop {
            if self.is_open() || (!out.as_slice().is_empty() && out.free() < LINE_CAPACITY) {
                break Next::Write;
            }
            match self.step(rest, users, out) {
                Ok(Step::Took(len)) => rest = rest.get(len..).unwrap_or(&[]),
                Ok(Step::NeedMore) => break Next::Read,
                Ok(Step::Close) | Err(Full { .. }) => break Next::Close,
            }
        };
        Fed { consumed: input.len().saturating_sub(rest.len()), next }
    }

    fn step(
        &mut self,
        input: &[u8],
        users: &[Credentials<'_>],
        out: &mut (impl Buffer + ?Sized),
    ) -> Result<Step, Full> {
        match self.state {
            State::Open => Ok(Step::NeedMore),
            State::Line => {
                let at = match self.search.find(input, RequestDecoder::MIN_BUFFER) {
                    Searched::At(at) => at,
                    Searched::NotYet => return Ok(Step::NeedMore),
                    Searched::TooLong => return Ok(Step::Close),
                };
                match set_len(input.get(..at).unwrap_or(&[])) {
                    // With its end, it must fit into the caller's buffer.
                    Some(len) if len >= RequestDecoder::MIN_BUFFER as u64 - 1 => return Ok(Step::Close),
                    Some(len) => self.state = State::Value(usize::try_from(len).unwrap_or(0)),
                    None => Event::Error(Refusal::Unauthenticated.line()).encode(out)?,
                }
                Ok(Step::Took(at.saturating_add(1)))
            }
            State::Value(len) => {
                let whole = len.saturating_add(2);
                let Some(value) = input.get(..whole) else { return Ok(Step::NeedMore) };
                self.state = State::Line;
                match check(value, users) {
                    Ok(()) => {
                        self.state = State::Open;
                        Event::Status(Status::Stored).encode(out)?;
                    }
                    Err(refusal) => Event::Error(refusal.line()).encode(out)?,
                }
                Ok(Step::Took(whole))
            }
        }
    }
}

enum Step {
    Took(usize),
    NeedMore,
    Close,
}

/// The length that a `set` says; key, flags and exptime are not looked at.
///
/// Source: memcached 1.6.18 `proto_text.c`, `try_read_command_asciiauth`.
fn set_len(line: &[u8]) -> Option<u64> {
    let mut words = words(line);
    let is_set = words.next() == Some(b"set");
    let len = words.nth(3)?;
    if is_set { c_u64(len) } else { None }
}

/// Whether a value with its end is a user's name and password.
fn check(value: &[u8], users: &[Credentials<'_>]) -> Result<(), Refusal> {
    let value = value.strip_suffix(b"\r\n").ok_or(Refusal::BadTermination)?;
    let mut words = words(value);
    let (Some(user), Some(password)) = (words.next(), words.next()) else {
        return Err(Refusal::BadAuthFormat);
    };
    // All are looked at, whichever is right.
    let is_known = users
        .iter()
        .fold(false, |known, one| known | (is_same(one.user(), user) & is_same(one.password(), password)));
    if is_known { Ok(()) } else { Err(Refusal::AuthFailed) }
}

/// What spaces divide, up to a NUL.
fn words(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    let bytes = bytes.get(..end).unwrap_or(&[]);
    bytes.split(|byte| *byte == b' ').filter(|word| !word.is_empty())
}

/// Compares without stopping at the first difference, which would tell how much is right.
fn is_same(secret: &[u8], told: &[u8]) -> bool {
    let pairs = told.iter().zip(secret.iter().chain(core::iter::repeat(&0)));
    let different = pairs.fold(0, |different, (told, secret)| black_box(different | (told ^ secret)));
    (secret.len() == told.len()) & (different == 0)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;
    use crate::buffer::ArrayBuffer;

    fn users() -> [Credentials<'static>; 2] {
        [Credentials::new(b"alice", b"s3cret").unwrap(), Credentials::new(b"bob", b"hunter2").unwrap()]
    }

    /// What is answered to `bytes`, in pieces of `step`; whether the guard is open then; how much it took.
    fn ask(bytes: &[u8], step: usize) -> (Vec<u8>, bool, Result<usize, ()>) {
        let (mut guard, mut out) = (Guard::new(), Vec::new());
        let (mut taken, mut end) = (0, 0);
        loop {
            let input = &bytes[taken..end];
            let fed = guard.feed(input, &users(), &mut out);
            taken += fed.consumed;
            match fed.next {
                Next::Close => return (out, guard.is_open(), Err(())),
                Next::Write if guard.is_open() => break,
                Next::Write => {}
                Next::Read if end == bytes.len() => break,
                Next::Read => end = bytes.len().min(end + step),
            }
        }
        (out, guard.is_open(), Ok(taken))
    }

    #[test]
    fn what_memcached_takes_for_a_name_and_a_password_is_taken() {
        // As memcached 1.6.18 answered, each on a connection of its own.
        let (stored, failure) = ("STORED\r\n", "CLIENT_ERROR authentication failure\r\n");
        let unknown = "CLIENT_ERROR unauthenticated\r\n";
        for (bytes, answer) in [
            ("set x 0 0 12\r\nalice s3cret\r\n", stored),
            ("set x 0 0 11\nbob hunter2\r\n", stored),
            ("set x 0 0 13\r\nalice  s3cret\r\n", stored),
            ("set x 0 0 16\r\nalice s3cret foo\r\n", stored),
            ("set x 0 -1 12 noreply\r\nalice s3cret\r\n", stored),
            ("set x a b 12\r\nalice s3cret\r\n", stored),
            ("set x 0 0 +12\r\nalice s3cret\r\n", stored),
            (" set  x 0  0 12 1 2 3\r\nalice s3cret\r\n", stored),
            ("set x 0 0 13\r\n alice s3cret\r\n", stored),
            ("set x 0 0 13\r\nalice s3cret\0\r\n", stored),
            ("set x 0 0 12\r\n alice s3cre\r\n", failure),
            ("set x 0 0 13\r\nalice s3crets\r\n", failure),
            ("set x 0 0 10\r\nbob s3cret\r\n", failure),
            ("set x 0 0 1 \r\na\r\n", "CLIENT_ERROR bad authentication token format\r\n"),
            ("set x 0 0 12\r\nalice s3cretXX", "CLIENT_ERROR bad command line termination\r\n"),
            ("quit\r\n", unknown),
            ("\r\n", unknown),
            ("ms x 12\r\n", unknown),
            ("set x 0 0 a\r\n", unknown),
            ("set x 0 0 12x\r\n", unknown),
            ("set x 0 0\r\n", unknown),
            ("set x 0 0 -1\r\n", unknown),
            ("set x\0 0 0 12\r\n", unknown),
        ] {
            for step in [1, 7, 1000] {
                let expected = (answer.as_bytes().to_vec(), answer == stored, Ok(bytes.len()));
                assert_eq!(ask(bytes.as_bytes(), step), expected, "{bytes:?}");
            }
        }
    }

    #[test]
    fn what_follows_the_password_is_left_for_the_session() {
        let bytes = b"mn\r\nset x 0 0 12\r\nalice s3cret\r\nget k\r\n";
        let answer = b"CLIENT_ERROR unauthenticated\r\nSTORED\r\n".to_vec();
        assert_eq!(ask(bytes, 1000), (answer, true, Ok(bytes.len() - 7)));
    }

    #[test]
    fn what_never_ends_is_closed() {
        assert_eq!(ask(&[b'x'; 2048], 100), (Vec::new(), false, Ok(0)));
        assert_eq!(ask(&[b'x'; 2049], 100), (Vec::new(), false, Err(())));
        for (len, open) in [("2047", Ok(15)), ("2048", Err(())), ("18446744073709551615", Err(()))] {
            let line = [b"set x 0 0 ", len.as_bytes(), b"\n"].concat();
            assert_eq!(ask(&line, 100), (Vec::new(), false, open.map(|len: usize| len)), "{len}");
        }
    }

    #[test]
    fn small_room_holds_nothing_up() {
        let (mut guard, mut out) = (Guard::new(), ArrayBuffer::<40>::new());
        let mut rest = &b"a\nb\nset x 0 0 12\r\nalice s3cret\r\n"[..];
        for answer in ["CLIENT_ERROR unauthenticated\r\n", "CLIENT_ERROR unauthenticated\r\n", "STORED\r\n"] {
            let fed = guard.feed(rest, &users(), &mut out);
            assert_eq!((fed.next, out.as_slice()), (Next::Write, answer.as_bytes()));
            out.truncate(0);
            rest = &rest[fed.consumed..];
        }
        assert!(guard.is_open());
        assert_eq!(Guard::new().feed(b"a\n", &users(), &mut ArrayBuffer::<9>::new()).next, Next::Close);
    }

    #[test]
    fn without_a_user_nobody_is_let_in() {
        let (mut guard, mut out) = (Guard::new(), Vec::new());
        guard.feed(b"set x 0 0 12\r\nalice s3cret\r\n", &[], &mut out);
        assert!(!guard.is_open());
    }
}
