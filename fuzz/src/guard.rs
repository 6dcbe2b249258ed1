//! The law of who may talk to a server.

use memring_text::{
    request::Credentials,
    server::{Guard, Next},
};

use crate::codec::Stream;

/// However it is cut, a guard answers the same and lets in the same, and nobody without a name and its password.
pub fn guards_agree(stream: &Stream<'_>) {
    let [whole, bytewise, cut] = stream.ways().map(|ends| guarded(stream.bytes, &ends));
    assert_eq!(bytewise, whole);
    assert_eq!(cut, whole);
    let (_, let_in) = whole;
    if let Some(until) = let_in {
        let said = |word: &[u8]| stream.bytes[..until].windows(word.len()).any(|window| window == word);
        assert!(said(b"alice") && said(b"s3cret"));
    }
}

/// The answers, and behind how many bytes it is open.
fn guarded(bytes: &[u8], ends: &[usize]) -> (Vec<u8>, Option<usize>) {
    let users = [Credentials::new(b"alice", b"s3cret").unwrap()];
    let (mut guard, mut out, mut from) = (Guard::new(), Vec::new(), 0);
    for &to in ends {
        let fed = guard.feed(&bytes[from..to], &users, &mut out);
        from += fed.consumed;
        assert!(from <= to);
        match fed.next {
            Next::Read => {}
            Next::Write => return (out, guard.is_open().then_some(from)),
            Next::Close => break,
        }
    }
    assert!(!guard.is_open());
    (out, None)
}
