//! The law of callers who share a connection: whoever goes away, whatever comes, nobody gets what another asked for.

use memring_text::{
    Exchange, Get, Key, Operation as _, Request, Store, Value,
    exchange::{ExchangeState, Progress, ProtocolError},
    meta::{MetaCode, MetaDelete, MetaGet, MetaSet, MetaVerb, Opaque},
    reply::Event,
    request::{
        Abandoned, Arith, ArithVerb, Delete, Expected, FlushAll, GetVerb, Keys, ReplyShape, StatsKind,
        StoreVerb, Touch,
    },
    server::{Engine, MemoryStore, Next, Session},
};

use crate::codec::{NOW, engine};

/// One thing that happens on a connection. A script is a sequence of them, each in a byte; bytes that come from nowhere
/// stand behind theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Somebody asks: which request, about which key.
    Ask(u8, u8),
    /// One of those who wait goes away, and leaves the request as it is, or as nobody's.
    Leave { which: u8, as_it_is: bool },
    /// So many bytes of the server's answers arrive.
    Deliver(usize),
    /// Bytes arrive that the server never sent.
    Inject(&'a [u8]),
    /// A reply is overdue: the connection is given up.
    Overdue,
    /// The server closes the connection.
    Close,
}

impl<'a> Action<'a> {
    /// The most that one [`Inject`](Self::Inject) holds, in bytes.
    pub const MAX_INJECTED: usize = 0xfd - 0xc0;

    /// What the front of `script` says, and what is behind it.
    fn read(script: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&first, rest) = script.split_first()?;
        let action = match first {
            0..0x80 => Self::Ask(first & 0x0f, first >> 4),
            0x80..0xa0 => Self::Leave { which: first & 0x0f, as_it_is: first & 0x10 != 0 },
            0xa0..0xbf => Self::Deliver(usize::from(first & 0x1f)),
            0xbf => Self::Deliver(usize::MAX),
            0xc0..0xfe => {
                let (piece, rest) = rest.split_at(rest.len().min(usize::from(first - 0xc0)));
                return Some((Self::Inject(piece), rest));
            }
            0xfe => Self::Overdue,
            0xff => Self::Close,
        };
        Some((action, rest))
    }

    /// The actions of `script`.
    fn all(mut script: &'a [u8]) -> Vec<Self> {
        let next = || {
            let (action, rest) = Self::read(script)?;
            script = rest;
            Some(action)
        };
        core::iter::from_fn(next).take(400).collect()
    }

    /// Puts the action behind the others in `script`.
    pub fn write(self, script: &mut Vec<u8>) {
        match self {
            Self::Ask(what, key) => script.push(what & 0x0f | (key & 7) << 4),
            Self::Leave { which, as_it_is } => script.push(0x80 | u8::from(as_it_is) << 4 | which & 0x0f),
            Self::Deliver(len) => script.push(0xa0 | len.min(0x1f) as u8),
            Self::Inject(bytes) => {
                for piece in bytes.chunks(Self::MAX_INJECTED) {
                    script.push(0xc0 + piece.len() as u8);
                    script.extend_from_slice(piece);
                }
            }
            Self::Overdue => script.push(0xfe),
            Self::Close => script.push(0xff),
        }
    }
}

/// Callers come and go, bytes arrive in pieces, some of them from nowhere, time passes:
///
/// - While the server's own bytes arrive, every caller who stays gets the reply to its own request, every byte of it and
///   no other; the replies to those who have gone are thrown away, as many as they are.
/// - Whatever arrives, an item that reaches a caller has the key that it asked for, or the opaque.
/// - Who stays gets what it would get if nobody ever went away.
/// - After an error, nobody gets anything any more.
/// - It is the same whether replies are read in one step or event by event.
pub fn callers_keep_apart(script: &[u8]) {
    let actions = Action::all(script);
    let told = Connection::run(&actions, Reading::EventByEvent, Leaving::AsTold);
    assert_eq!(Connection::run(&actions, Reading::InOneStep, Leaving::AsTold), told);
    let stayed = Connection::run(&actions, Reading::EventByEvent, Leaving::Never);
    for (told, stayed) in told.iter().zip(&stayed) {
        if told.presence == Presence::Waits && stayed.is_answered {
            assert_eq!((told.is_answered, &told.got), (true, &stayed.got));
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    EventByEvent,
    InOneStep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    AsTold,
    Never,
}

/// What became of one caller.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    presence: Presence,
    is_answered: bool,
    /// The events it got, as the server would write them.
    got: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Waits,
    LeftAsItIs,
    LeftToNobody,
}

/// A caller with its request, as it stands in the queue.
#[derive(Debug)]
struct Caller {
    asked: Asked,
    told: Told,
    /// The item whose pieces come: which of the keys it has.
    item: Option<usize>,
    /// The server's own reply, and how much the server has sent with it.
    reply: Vec<u8>,
    sent: usize,
}

/// What a reply is held against.
#[derive(Debug)]
struct Asked {
    keys: Vec<&'static [u8]>,
    opaque: Option<Vec<u8>>,
    shape: ReplyShape,
}

impl Expected for Asked {
    fn shape(&self) -> ReplyShape {
        self.shape
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        self.keys.get(index).copied()
    }

    fn opaque(&self) -> Option<&[u8]> {
        self.opaque.as_deref()
    }
}

/// A request that its caller has left, of which no more is kept.
#[derive(Debug)]
struct Left {
    has_value: bool,
}

impl Expected for Left {
    fn shape(&self) -> ReplyShape {
        Abandoned.shape()
    }

    fn key(&self, _: usize) -> Option<&[u8]> {
        None
    }

    fn has_value(&self) -> bool {
        self.has_value
    }
}

impl Asked {
    fn is_quiet(&self) -> bool {
        matches!(self.shape, ReplyShape::Meta(shape) if shape.is_quiet())
    }

    /// Whether `event` may be given to the caller: items and opaques must be its own.
    fn owns(&self, event: &Event<'_>, index: usize) -> bool {
        match *event {
            Event::Value(head) => {
                self.keys.get(index) == Some(&head.key)
                    && self.shape == ReplyShape::Values { cas: head.cas.is_some() }
            }
            // A miss that tells nothing at all has no opaque either.
            Event::Meta(head) if head.code == MetaCode::Miss && head.flags().next().is_none() => {
                matches!(self.shape, ReplyShape::Meta(shape) if shape.verb() == MetaVerb::Get || shape.verb() == MetaVerb::Debug)
            }
            Event::Meta(head) => head.opaque() == self.opaque(),
            _ => true,
        }
    }
}

/// One connection, with both of its ends.
struct Connection {
    reading: Reading,
    leaving: Leaving,
    exchange: Exchange,
    callers: Vec<Caller>,
    /// How many of them are answered.
    answered: usize,
    engine: Engine<MemoryStore>,
    session: Session<Vec<u8>>,
    /// What the server has sent, and how much of that has arrived.
    wire: Vec<u8>,
    arrived: usize,
    /// What is received and not read.
    inbox: Vec<u8>,
    is_honest: bool,
}

impl Connection {
    /// What the callers were told in the end.
    fn run(actions: &[Action<'_>], reading: Reading, leaving: Leaving) -> Vec<Told> {
        let mut connection = Self {
            reading,
            leaving,
            exchange: Exchange::default(),
            callers: Vec::new(),
            answered: 0,
            engine: engine(),
            session: Session::new(Vec::new()),
            wire: Vec::new(),
            arrived: 0,
            inbox: Vec::new(),
            is_honest: true,
        };
        for action in actions {
            connection.act(*action);
            if connection.exchange.state() == ExchangeState::MustClose {
                connection.end();
                break;
            }
        }
        connection.callers.into_iter().map(|caller| caller.told).collect()
    }

    fn act(&mut self, action: Action<'_>) {
        match action {
            Action::Ask(what, key) => self.ask(what, key),
            Action::Leave { which, as_it_is } => self.leave(usize::from(which), as_it_is),
            Action::Deliver(len) => {
                let behind = self.arrived.saturating_add(len).min(self.wire.len());
                self.inbox.extend_from_slice(&self.wire[self.arrived..behind]);
                self.arrived = behind;
                self.receive();
            }
            Action::Inject(bytes) => {
                self.is_honest &= bytes.is_empty();
                self.inbox.extend_from_slice(bytes);
                self.receive();
            }
            Action::Overdue => self.exchange.fail(),
            Action::Close => {
                let is_fine = self.exchange.owed() == 0;
                assert_eq!(self.exchange.closed().is_ok(), is_fine);
            }
        }
    }

    fn ask(&mut self, what: u8, key: u8) {
        let number = self.callers.len();
        let opaque = Opaque::number(number as u64);
        let which = usize::from(key);
        let name = NAMES[which % NAMES.len()];
        let key = Key::new(name).unwrap();
        let text = [name, b"\r\nEND\r\nVALUE other 0 3\r\nfoo\r\n"].concat();
        let text = if name == COUNTER { COUNTER } else { &text };
        let (value, exptime) = (Value::new(text).unwrap(), 0);
        let counter = Key::new(COUNTER).unwrap();
        let get = |verb| Request::Get(Get { verb, key });
        let store = |verb| Request::Store(Store::new(verb, key, value).flags(5).exptime(exptime));
        let meta_get = MetaGet::new(key).value().opaque(opaque);
        let (quiet_get, nameless) = (meta_get.quiet(), MetaGet::new(key).value().key());
        let meta_set = MetaSet::new(key, value).opaque(opaque).quiet();
        let meta_delete = MetaDelete::new(key).opaque(opaque).key();
        let request = match what {
            0 => get(GetVerb::Get),
            1 => get(GetVerb::Gets),
            2 | 3 => return self.ask_many(if what == 2 { GetVerb::Get } else { GetVerb::Gets }, name),
            4 => store(StoreVerb::Set),
            5 => store(StoreVerb::Add),
            6 => store(StoreVerb::Cas(1)),
            7 => Request::Delete(Delete::new(key)),
            8 => Request::Touch(Touch::new(key, exptime)),
            9 => {
                let (verb, delta) = (ArithVerb::Incr, 1);
                Request::Arith(Arith { verb, key: counter, delta, noreply: false })
            }
            10 => match which % 3 {
                0 => Request::Version,
                1 => Request::Stats(StatsKind::General),
                _ => Request::FlushAll(FlushAll::now()),
            },
            11 => meta_get.request(),
            12 => quiet_get.request(),
            13 => nameless.request(),
            14 => meta_set.request(),
            15 if name == COUNTER => Request::MetaNoop,
            _ => meta_delete.request(),
        };
        let opaque = request.opaque().map(<[u8]>::to_vec);
        let keys =
            if request.key(0).is_some() { vec![if what == 9 { COUNTER } else { name }] } else { vec![] };
        let mut bytes = Vec::new();
        request.encode(&mut bytes).unwrap();
        self.send(&bytes, Asked { keys, opaque, shape: request.reply_shape() });
    }

    /// Asks for all keys but `name`, and for the first of them twice.
    fn ask_many(&mut self, verb: GetVerb, name: &[u8]) {
        let mut names: Vec<_> = NAMES.into_iter().filter(|other| *other != name).collect();
        names.push(names[0]);
        let keys: Vec<_> = names.iter().map(|name| Key::new(name).unwrap()).collect();
        let mut bytes = vec![0; 1000];
        let line = verb.write_line(&keys, &mut bytes).unwrap();
        assert_eq!(line.keys, keys.len());
        let shape = Keys { keys: &keys, cas: verb.has_cas() }.shape();
        self.send(&bytes[..line.len], Asked { keys: names, opaque: None, shape });
    }

    /// The server answers at once; when that arrives is another matter.
    fn send(&mut self, bytes: &[u8], asked: Asked) {
        self.exchange.sent();
        let mut reply = Vec::new();
        let fed = self.session.feed(bytes, &mut self.engine, &mut reply, NOW);
        assert_eq!((fed.consumed, fed.next), (bytes.len(), Next::Read));
        assert!(asked.is_quiet() || !reply.is_empty());
        self.wire.extend_from_slice(&reply);
        let told = Told { presence: Presence::Waits, is_answered: false, got: Vec::new() };
        self.callers.push(Caller { asked, told, item: None, reply, sent: self.wire.len() });
    }

    fn leave(&mut self, which: usize, as_it_is: bool) {
        if self.leaving == Leaving::Never {
            return;
        }
        if let Some(caller) = self.callers.iter_mut().skip(self.answered).nth(which) {
            // Of a quiet request, only it itself knows whether there is a reply.
            let as_it_is = as_it_is || caller.asked.is_quiet();
            if caller.told.presence == Presence::Waits {
                caller.told.presence = if as_it_is { Presence::LeftAsItIs } else { Presence::LeftToNobody };
            }
        }
    }

    /// Reads all that can be read.
    fn receive(&mut self) {
        let read = loop {
            match self.read() {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        if !self.is_honest {
            return;
        }
        assert_eq!(read, Ok(()));
        let is_whole = |caller: &Caller| !caller.reply.is_empty() && caller.sent <= self.arrived;
        let at_least = self.callers.iter().rposition(is_whole).map_or(0, |last| last + 1);
        // The beginning of a reply shows that the quiet requests before it have none.
        let is_to_come = |caller: &Caller| !caller.reply.is_empty() && caller.sent > self.arrived;
        let at_most = self.callers.iter().position(is_to_come).unwrap_or(at_least);
        assert!((at_least..=at_most).contains(&self.answered));
        assert_eq!(self.exchange.owed(), self.callers.len() - self.answered);
    }

    /// Reads an event, or all of a reply that is there. Says whether there may be more.
    fn read(&mut self) -> Result<bool, ProtocolError> {
        let Self { exchange, callers, answered, inbox, is_honest, .. } = self;
        let mut nobody = None;
        let oldest = match callers.get_mut(*answered) {
            Some(caller) => caller,
            None => nobody.insert(Caller::nobody()),
        };
        let Caller { asked, told, item, reply, .. } = oldest;
        let is_nobodys = told.presence == Presence::LeftToNobody;
        let left = Left { has_value: asked.has_value() };
        let expected: &dyn Expected = if is_nobodys { &left } else { &*asked };
        let mut take = |event: &Event<'_>, index: usize| {
            if told.presence != Presence::Waits {
                return;
            }
            assert!(asked.owns(event, index), "{event:?} is another's");
            match event {
                Event::Value(_) => *item = Some(index),
                Event::Data(_) if item.is_some() => assert_eq!(*item, Some(index)),
                _ => {}
            }
            event.encode(&mut told.got).unwrap();
        };
        let (consumed, complete, is_more) = match self.reading {
            Reading::EventByEvent => match exchange.decode(inbox, expected)? {
                Progress::Event { consumed, event, index, complete } => {
                    assert!(consumed > 0 || matches!(event, Event::Silence { .. }), "no progress");
                    take(&event, index);
                    (consumed, complete, true)
                }
                Progress::NeedMore => (0, false, false),
            },
            Reading::InOneStep => {
                let taken = exchange.decode_each(inbox, expected, &mut take)?;
                (taken.consumed, taken.complete, taken.complete)
            }
        };
        inbox.drain(..consumed);
        if *is_honest && told.presence == Presence::Waits {
            assert!(reply.starts_with(&told.got) && (!complete || told.got == *reply));
        }
        if complete {
            told.is_answered = true;
            *answered += 1;
        }
        Ok(is_more)
    }

    /// After the end, nobody gets anything.
    fn end(&mut self) {
        let mut first = None;
        for bytes in
            [&self.inbox[..], b"VALUE k 0 2\r\nhi\r\nEND\r\n", b"STORED\r\n", b"HD\r\n", b"MN\r\n", b""]
        {
            for caller in &self.callers {
                let error = self.exchange.decode(bytes, &caller.asked).expect_err("an error is final");
                assert_eq!(*first.get_or_insert(error), error);
                let nothing = |_: &Event<'_>, _| panic!("an error is final");
                assert_eq!(self.exchange.decode_each(bytes, &caller.asked, nothing), Err(error));
                assert_eq!(self.exchange.decode(bytes, &Abandoned), Err(error));
            }
        }
        assert!(self.exchange.closed().is_err() || self.exchange.owed() == 0);
        assert_eq!(self.exchange.state(), ExchangeState::MustClose);
    }
}

impl Caller {
    /// In the place of the oldest when nothing is owed.
    fn nobody() -> Self {
        Self {
            asked: Asked { keys: Vec::new(), opaque: None, shape: ReplyShape::Nothing },
            told: Told { presence: Presence::Waits, is_answered: false, got: Vec::new() },
            item: None,
            reply: Vec::new(),
            sent: 0,
        }
    }
}

/// Some of them begin like others.
const NAMES: [&[u8]; 5] = [b"k", b"kk", b"other", b"END", COUNTER];

/// What numbers are added to.
const COUNTER: &[u8] = b"7";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcripts::{self, Way};

    /// Whoever asks what, and whoever goes away, before and in the middle of replies.
    #[test]
    fn ordinary_scripts_obey() {
        for what in 0..=255_u8 {
            let (first, second) = (Action::Ask(what & 0x0f, 1), Action::Ask(what >> 4, 3));
            for len in [0, 2, 5, 9, 17, 25] {
                for leave in [0x80, 0x90, 0x81, 0x91, 0x82, 0x92] {
                    let mut script = Vec::new();
                    [Action::Ask(4, 1), first, second, first]
                        .iter()
                        .for_each(|action| action.write(&mut script));
                    Action::Deliver(len + 8).write(&mut script);
                    script.push(leave);
                    script.push(0xbf);
                    second.write(&mut script);
                    script.push(0xbf);
                    callers_keep_apart(&script);
                }
            }
        }
    }

    #[test]
    fn scripts_by_chance_obey() {
        let mut number = 1_u32;
        for len in 0..2000 {
            let byte = || {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Seldom an end, and not too much out of nowhere.
                let byte = (number >> 24) as u8;
                if byte >= 0xc0 && number >> 16 & 0xf0 != 0 { 0xbf } else { byte }
            };
            let script: Vec<_> = core::iter::repeat_with(byte).take(len / 10).collect();
            callers_keep_apart(&script);
        }
    }

    /// Replies of real servers that nobody here asked for, or just those.
    #[test]
    fn the_replies_of_real_servers_obey() {
        for bytes in transcripts::all(Way::Replies).iter().filter(|bytes| bytes.len() < 1000) {
            for what in 0..16 {
                for leave in [0x80, 0x90, 0xa0] {
                    let mut script = Vec::new();
                    Action::Ask(what, 1).write(&mut script);
                    script.extend([leave, 0x20, 0x30]);
                    Action::Inject(bytes).write(&mut script);
                    callers_keep_apart(&script);
                }
            }
        }
    }

    #[test]
    fn a_script_that_was_written_is_read() {
        let actions = [
            Action::Ask(15, 7),
            Action::Leave { which: 3, as_it_is: true },
            Action::Leave { which: 15, as_it_is: false },
            Action::Deliver(30),
            Action::Inject(b"STORED\r\n"),
            Action::Overdue,
            Action::Close,
        ];
        let mut script = Vec::new();
        actions.iter().for_each(|action| action.write(&mut script));
        assert_eq!(Action::all(&script), actions);
    }
}
