//! A server in fixed memory.

use memring_text::{
    Request,
    buffer::{ArrayBuffer, Buffer, SliceBuffer},
    request::{ArithVerb, Credentials, StoreVerb},
    server::{self, Engine, EngineConfig, Guard, Next, OutOfMemory, Session, StoreHead},
};

use crate::{
    NOW,
    digest::Digest,
    feed::events,
    shelf::{SLOTS, Shelf, VALUE_LEN},
};

/// A server in fixed memory answers the same, however its input is cut, and a client can read what it says.
pub(crate) fn served(input: &[u8]) -> Option<()> {
    let (mut whole, mut single) = ([0; 8192], [0; 8192]);
    let whole = serve(input, input.len(), &mut whole);
    let single = serve(input, 1, &mut single);
    let error = events(whole, |_| {});
    (whole == single && (error.is_none() || whole.len() > 8000)).then_some(())
}

/// The replies to `input`, as many as fit.
pub(crate) fn serve<'a>(input: &[u8], step: usize, out: &'a mut [u8]) -> &'a [u8] {
    let mut server = Server::new();
    let mut replies = SliceBuffer::new(out);
    let (mut from, mut to) = (0_usize, 0_usize);
    while to < input.len() {
        to = to.saturating_add(step).min(input.len());
        from = from.saturating_add(server.feed(input.get(from..to).unwrap_or_default(), &mut replies));
    }
    let len = replies.as_slice().len();
    out.get(..len).unwrap_or_default()
}

/// A server as one client sees it.
pub(crate) struct Server {
    pub(crate) session: Session<ArrayBuffer<VALUE_LEN>>,
    pub(crate) engine: Engine<Shelf>,
}

impl Server {
    pub(crate) fn new() -> Self {
        let config = EngineConfig { item_size_max: 500, version: "1.6" };
        let engine = Engine::with_config(Shelf::default(), config);
        Self { session: Session::new(ArrayBuffer::new()), engine }
    }

    /// Puts the replies into `out` and says how much is read. What does not fit is left unread.
    pub(crate) fn feed(&mut self, input: &[u8], out: &mut SliceBuffer<'_>) -> usize {
        let fed = self.session.feed(input, &mut self.engine, out, NOW);
        if fed.next == Next::Close { input.len() } else { fed.consumed }
    }
}

/// The engine's own doors, with keys and values from the input.
pub(crate) fn engine(input: &[u8]) -> Option<()> {
    let mut digest = Digest::new();
    let mut engine = Engine::new(Shelf::default());
    let verbs = [StoreVerb::Add, StoreVerb::Append, StoreVerb::Prepend, StoreVerb::Cas(1), StoreVerb::Set];
    for (word, verb) in input.split(|byte| byte.is_ascii_whitespace()).zip(verbs.into_iter().cycle()) {
        let head = StoreHead { verb, key: word, flags: 7, exptime: 9, len: word.len(), noreply: false };
        match engine.admit(&head).and_then(|()| engine.store_value(&head, word, NOW)) {
            Ok(outcome) => digest.debug(&(outcome, engine.get(word, NOW).map(|item| item.value.len()))),
            Err(refusal) => digest.debug(&(refusal, engine.out_of_memory(&head))),
        }
        digest.debug(&engine.arith(ArithVerb::Decr, word, 3, NOW));
        digest.debug(&(engine.touch(word, 60, NOW), engine.get_and_touch(word, -1, NOW)));
        digest.debug(&engine.delete(word, NOW));
    }
    engine.flush_all(Some(10), NOW);
    engine.stats(NOW, |name, value| digest.bytes(if name.is_empty() { value } else { name.as_bytes() }));
    engine.settings(|name, _| digest.bytes(name.as_bytes()));
    engine.reset_stats();
    digest.error(&OutOfMemory);
    let usage = server::Store::usage(engine.store());
    digest.debug(&(engine.config(), EngineConfig::default(), usage));
    (usage.limit == SLOTS as u64).then_some(())
}

/// Who may in is the same, however what is said is cut; and who says it rightly is let in.
pub(crate) fn guarded(input: &[u8]) -> Option<()> {
    let users = [Credentials::new(b"user", b"password").ok()?];
    let answers = |step: usize| {
        let (mut guard, mut digest, mut at) = (Guard::new(), Digest::new(), 0_usize);
        let mut end = 0_usize;
        loop {
            let mut out = ArrayBuffer::<512>::new();
            let fed = guard.feed(input.get(at..end).unwrap_or_default(), &users, &mut out);
            digest.bytes(out.as_slice());
            at = at.saturating_add(fed.consumed);
            match fed.next {
                Next::Close => return (digest, false, None),
                Next::Write if !guard.is_open() => {}
                Next::Read if end < input.len() => end = end.saturating_add(step).min(input.len()),
                _ => return (digest, guard.is_open(), Some(at)),
            }
        }
    };
    let (mut guard, mut out) = (Guard::new(), ArrayBuffer::<64>::new());
    guard.feed(Request::Auth(users[0]).parts().head.as_bytes(), &users, &mut out);
    (answers(1) == answers(input.len().max(1)) && guard.is_open()).then_some(())
}
