//! Sessions of a server.

use memring_text::{
    Limits,
    buffer::{Buffer, SliceBuffer},
    server::{Engine, EngineConfig, MemoryStore, Next, Reading, Refusal, RequestEvent, Session},
    ttl::UnixTime,
};

use super::{
    Stream,
    replies::replies,
    requests::{Asking, closes, requests},
};

/// However requests are cut, a session answers them the same, and every answer can be read. (But as memcached does, it
/// forgets answers that came in the same piece as a key that is too long, or as a line that closes.)
pub fn sessions_answer(stream: &Stream<'_>) {
    let [whole, bytewise, cut] = stream.ways().map(|ends| answers(stream.bytes, &ends));
    let (told, _) =
        requests(stream.bytes, &(1..=stream.bytes.len()).collect::<Vec<_>>(), Reading::AsMemcached);
    let refused = RequestEvent::Refused { refusal: Refusal::BadFormat, noreply: false };
    if !closes(&told) && !told.contains(&Asking::Event(format!("{refused:?}"))) {
        assert_eq!(bytewise, whole);
        assert_eq!(cut, whole);
    }
    let any = Limits { items: u32::MAX, stats: u32::MAX, ..Limits::DEFAULT };
    let (_, read, error) = replies(&whole, &[whole.len()], any);
    assert_eq!((read, error), (whole.len(), None));

    // With a small buffer for answers, nothing is said twice. (What is tried twice is counted twice.)
    let told = told_for_good(&whole);
    let narrow = answers_through(stream.bytes, &mut [0; 700]);
    assert!(told.starts_with(told_for_good(&narrow)) || narrow.starts_with(told));
}

/// The answers before the first that depends on how much could be written when: counters, and the refusal of a get,
/// which takes items back that are not written yet.
fn told_for_good(answers: &[u8]) -> &[u8] {
    let is_refusal = |at: &usize| {
        [&b"STAT "[..], b"CLIENT_ERROR bad command"].iter().any(|word| answers[*at..].starts_with(word))
    };
    let end = (0..answers.len()).find(is_refusal).unwrap_or(answers.len());
    &answers[..end]
}

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

pub(crate) fn engine() -> Engine<MemoryStore> {
    let config = EngineConfig { item_size_max: 600, ..EngineConfig::default() };
    Engine::with_config(MemoryStore::new(4096), config)
}

fn answers(bytes: &[u8], ends: &[usize]) -> Vec<u8> {
    let (mut engine, mut session) = (engine(), Session::new(Vec::new()));
    let (mut out, mut all) = (Vec::new(), Vec::new());
    let mut from = 0;
    for &to in ends {
        loop {
            let fed = session.feed(&bytes[from..to], &mut engine, &mut out, NOW);
            from += fed.consumed;
            assert!(from <= to);
            // What can wait is not written, because the refusal of a get takes back what is not.
            match fed.next {
                Next::Read => break,
                Next::Write => all.append(&mut out),
                Next::Close => break,
            }
        }
    }
    all.append(&mut out);
    all
}

fn answers_through(bytes: &[u8], buffer: &mut [u8]) -> Vec<u8> {
    let (mut engine, mut session) = (engine(), Session::new(Vec::new()));
    let (mut all, mut from) = (Vec::new(), 0);
    loop {
        let mut out = SliceBuffer::new(buffer);
        let fed = session.feed(&bytes[from..], &mut engine, &mut out, NOW);
        from += fed.consumed;
        assert!(fed.next != Next::Write || !out.as_slice().is_empty(), "no progress");
        all.extend_from_slice(out.as_slice());
        if fed.next != Next::Write {
            return all;
        }
    }
}
