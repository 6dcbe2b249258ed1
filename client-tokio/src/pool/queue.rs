//! Queues of requests, in the order in which they were made.

use core::{num::NonZeroU64, ops::Range};

use memring_client::hang_up::PROBE;
use memring_text::{
    Key, Request, Value,
    meta::MetaVerb,
    request::{Expected, GetVerb, ReplyShape},
};
use tokio::time::Instant;

use super::slots::SlotId;

/// Requests and their bytes, in order. Callers put requests in; a connection takes the whole queue and keeps it until
/// the last of its requests is answered.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) requests: Vec<Queued>,
    bytes: Vec<u8>,
    /// No deadline is earlier.
    earliest: Option<Instant>,
}

/// The terms of a request: its times, and with which others it may share a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// When the request was made.
    pub(crate) begin: Instant,
    /// When its reply is overdue. The caller may give up sooner.
    pub(crate) deadline: Instant,
    /// With which other requests it may share a line.
    pub(crate) group: Group,
}

/// A group of requests that may share a line, if they follow each other and have the same verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group(pub(crate) Option<NonZeroU64>);

impl Group {
    /// The group of a request that shares its line with no other.
    pub(crate) const ALONE: Self = Self(None);

    /// The group of requests that share a line with any that wait at the same moment.
    pub(crate) const ANY: Self = Self(Some(NonZeroU64::MIN));
}

/// One request of a [`Queue`].
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    /// The slot of the caller that waits for it.
    pub(crate) slot: SlotId,
    pub(crate) terms: Terms,
    /// Whether the request has no caller, and only shows whether the connection works.
    pub(crate) is_trial: bool,
    /// Whether it is to be sent although its caller has gone; over this connection only.
    pub(crate) is_unattended: bool,
    /// Whether it may be sent twice.
    pub(crate) is_idempotent: bool,
    /// Whether it was sent before, on a connection that ended.
    pub(crate) is_retried: bool,
    /// Whether the connection was opened for this request. If it ends without a word, another will be no better.
    pub(crate) is_first: bool,
    /// Whether its caller has the reply, or the error that none came in time.
    pub(crate) is_answered: bool,
    /// Whether it stands on the same line as the one before.
    pub(crate) is_joined: bool,
    /// Where its line begins in all that the connection sends.
    pub(crate) at: u64,
    what: What,
    bytes: Range<usize>,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// The bytes are a key; the line is composed when all of its keys are known.
    Get(GetVerb),
    /// The bytes are the whole request; of a meta command, with its [`Token`] behind them.
    Other(ReplyShape),
}

impl Queued {
    /// Whether it may be on the same line as `other`.
    fn joins(&self, other: &Self) -> bool {
        let group = self.terms.group;
        group != Group::ALONE
            && group == other.terms.group
            && matches!((self.what, other.what), (What::Get(verb), What::Get(other)) if verb == other)
    }
}

impl Queue {
    /// No requests.
    pub(crate) const fn new() -> Self {
        Self { requests: Vec::new(), bytes: Vec::new(), earliest: None }
    }

    /// Puts `request` behind the others.
    pub(crate) fn push(&mut self, request: &Request<'_>, slot: SlotId, terms: Terms) {
        let start = self.bytes.len();
        let what = match request {
            Request::Get(get) => {
                self.bytes.extend_from_slice(get.key.as_bytes());
                What::Get(get.verb)
            }
            _ => {
                for part in request.parts().as_slices() {
                    self.bytes.extend_from_slice(part);
                }
                let shape = request.reply_shape();
                if Token::is_there(shape) {
                    Token::put(request, &mut self.bytes);
                }
                What::Other(shape)
            }
        };
        self.expect(terms.deadline);
        self.requests.push(Queued {
            slot,
            terms,
            is_trial: false,
            is_unattended: false,
            is_idempotent: request.may_retry(1),
            is_retried: false,
            is_first: false,
            is_answered: false,
            is_joined: false,
            at: 0,
            what,
            bytes: start..self.bytes.len(),
        });
    }

    /// Puts a request behind the others that any server answers at once.
    pub(crate) fn push_trial(&mut self, slot: SlotId, terms: Terms) {
        self.push(&Request::Get(PROBE), slot, terms);
        self.requests.iter_mut().rev().take(1).for_each(|request| request.is_trial = true);
    }

    /// Puts a request behind the others whose caller has gone.
    pub(crate) fn push_unattended(&mut self, request: &Request<'_>, slot: SlotId, terms: Terms) {
        self.push(request, slot, terms);
        self.requests.iter_mut().rev().take(1).for_each(|request| request.is_unattended = true);
    }

    /// Puts a request of another queue behind the others, if need be as one that is sent again.
    pub(crate) fn adopt(&mut self, request: &Queued, from: &Self, is_retried: bool) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(from.bytes(request));
        self.expect(request.terms.deadline);
        self.requests.push(Queued {
            is_retried: is_retried || request.is_retried,
            is_first: request.is_first && !is_retried,
            is_joined: false,
            bytes: start..self.bytes.len(),
            ..request.clone()
        });
    }

    /// Marks the requests as the first of a connection.
    pub(crate) fn begin_connection(&mut self) {
        self.requests.iter_mut().for_each(|request| request.is_first = true);
    }

    /// A moment that no deadline is before.
    pub(crate) const fn earliest(&self) -> Option<Instant> {
        self.earliest
    }

    fn expect(&mut self, deadline: Instant) {
        self.earliest = Some(self.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
    }

    /// Keeps the requests for which `keep` returns true, in their order.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Queued) -> bool) {
        self.requests.retain(keep);
        self.earliest = self.requests.iter().map(|request| request.terms.deadline).min();
        let used = self.requests.iter().fold(0_usize, |sum, request| sum.saturating_add(request.bytes.len()));
        // The bytes of requests taken out stay until they are the larger part of many.
        if self.bytes.len() > KEPT_BYTES.max(2 * used) {
            let mut queue = Self::new();
            self.requests.iter().for_each(|request| queue.adopt(request, self, false));
            *self = queue;
        }
    }

    /// Whether it has buffers to be used again.
    pub(crate) const fn has_room(&self) -> bool {
        self.requests.capacity() > 0
    }

    /// Forgets everything but, for small queues, the buffers.
    pub(crate) fn clear(&mut self) {
        self.requests.clear();
        self.bytes.clear();
        self.earliest = None;
        if self.requests.capacity() > KEPT_REQUESTS {
            self.requests.shrink_to(KEPT_REQUESTS);
        }
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes.shrink_to(KEPT_BYTES);
        }
    }

    /// The key of a request that has a verb; the whole of any other.
    pub(crate) fn bytes(&self, request: &Queued) -> &[u8] {
        self.bytes.get(request.bytes.clone()).unwrap_or(&[])
    }

    /// Writes the line that begins with request number `first` behind the bytes of `out`. Returns how many requests are
    /// on it, at most `most`; 0 when there is no such request. `base` is how many bytes the connection sent before
    /// `out`.
    pub(crate) fn compose(&mut self, first: usize, most: usize, base: u64, out: &mut Vec<u8>) -> usize {
        let Some(Queued { what, bytes, .. }) = self.requests.get(first) else { return 0 };
        let at = base.saturating_add(out.len() as u64);
        let count = match *what {
            What::Get(verb) => self.compose_get(first, verb, most, out),
            What::Other(shape) => {
                let bytes = self.bytes.get(bytes.clone()).unwrap_or(&[]);
                out.extend_from_slice(Token::split(shape, bytes).map_or(bytes, |(request, _)| request));
                1
            }
        };
        for (index, request) in self.requests.iter_mut().skip(first).take(count).enumerate() {
            (request.is_joined, request.at) = (index > 0, at);
        }
        count
    }

    /// Request number `first`, and those behind it that may be on the same line.
    fn together(&self, first: usize) -> impl Iterator<Item = &Queued> {
        let mut rest = self.requests.iter().skip(first);
        let first = rest.next();
        let is_joining = move |request: &&Queued| first.is_some_and(|first| first.joins(request));
        first.into_iter().chain(rest.take_while(is_joining))
    }

    fn compose_get(&self, first: usize, verb: GetVerb, most: usize, out: &mut Vec<u8>) -> usize {
        let most = most.min(LINE_KEYS);
        let mut requests = self.together(first).take(most).peekable();
        // Bytes that are queued as a key are valid.
        let key = |request| Key::new(self.bytes(request)).unwrap_or(NO_KEY);
        let Some(only) = requests.next().map(key) else { return 0 };
        if requests.peek().is_none() {
            return put_line(verb, &[only], out);
        }
        let mut keys = [only; LINE_KEYS];
        let mut count = 1;
        for (place, request) in keys.iter_mut().skip(1).zip(requests) {
            *place = key(request);
            count += 1;
        }
        put_line(verb, keys.get(..count).unwrap_or(&[]), out)
    }

    /// Which requests are on the line that begins with number `first`.
    pub(crate) fn line_from(&self, first: usize) -> Range<usize> {
        let mut rest = self.requests.iter().skip(first);
        match rest.next() {
            Some(_) => first..first + 1 + rest.take_while(|request| request.is_joined).count(),
            None => first..first,
        }
    }

    /// The requests `range`, as the line that they are.
    pub(crate) fn line(&self, range: Range<usize>) -> Line<'_> {
        Line { bytes: &self.bytes, requests: self.requests.get(range).unwrap_or(&[]) }
    }
}

/// Puts a line with as many of `keys` as fit on one behind the bytes of `out`, and returns how many.
fn put_line(verb: GetVerb, keys: &[Key<'_>], out: &mut Vec<u8>) -> usize {
    let start = out.len();
    // The verb, a number and the line end take no more than 32 bytes.
    let capacity = keys.iter().fold(32, |sum, key| sum + key.as_bytes().len() + 1);
    out.resize(start + capacity, 0);
    let line = verb.write_line(keys, out.get_mut(start..).unwrap_or(&mut [])).unwrap_or_default();
    out.truncate(start + line.len);
    line.keys
}

/// The requests on one line, which have one reply between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'q> {
    bytes: &'q [u8],
    requests: &'q [Queued],
}

impl Line<'_> {
    /// No request at all.
    pub(crate) const NONE: Self = Self { bytes: &[], requests: &[] };

    /// Whether `request`, of the same connection, is on the line. Slots cannot tell: that of an answered request may
    /// belong to another one by now.
    pub(crate) fn has(&self, request: &Queued) -> bool {
        self.requests.first().is_some_and(|own| own.at == request.at)
    }
}

impl Expected for Line<'_> {
    fn shape(&self) -> ReplyShape {
        match self.requests.first().map(|request| request.what) {
            Some(What::Get(verb)) => verb.reply_shape(),
            Some(What::Other(shape)) => shape,
            None => ReplyShape::Nothing,
        }
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        let request = self.requests.get(index)?;
        let bytes = self.bytes.get(request.bytes.clone())?;
        match request.what {
            What::Get(_) => Some(bytes),
            What::Other(shape) => Some(Token::split(shape, bytes)?.1.key),
        }
    }

    fn opaque(&self) -> Option<&[u8]> {
        let request = self.requests.first()?;
        let What::Other(shape) = request.what else { return None };
        Token::split(shape, self.bytes.get(request.bytes.clone())?)?.1.opaque
    }

    fn value_may_be_request(&self) -> bool {
        let Some(request) = self.requests.first() else { return true };
        // The value is what follows the line; a meta command's token behind it changes nothing about how it begins.
        let bytes = self.bytes.get(request.bytes.clone()).unwrap_or(&[]);
        let line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let value = bytes.get(line.saturating_add(1)..).unwrap_or(&[]);
        Value::new(value).map_or(true, Value::may_be_request)
    }
}

/// How the reply to a meta command is told from others.
#[derive(Clone, Copy, Debug)]
struct Token<'q> {
    /// The caller's key.
    key: &'q [u8],
    opaque: Option<&'q [u8]>,
}

impl<'q> Token<'q> {
    /// Whether a request with a reply of this shape has one.
    fn is_there(shape: ReplyShape) -> bool {
        matches!(shape, ReplyShape::Meta(shape) if shape.verb() != MetaVerb::Noop)
    }

    /// Puts the token of `request` behind it: key, opaque and the length of each.
    fn put(request: &Request<'_>, bytes: &mut Vec<u8>) {
        let (key, opaque) = (request.key(0).unwrap_or(&[]), request.opaque().unwrap_or(&[]));
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(opaque);
        // A key has 250 bytes at most, and an opaque 31.
        bytes.extend([key, opaque].map(|part| u8::try_from(part.len()).unwrap_or(u8::MAX)));
    }

    /// Splits a request from the token that `put` has put behind it; `shape` tells whether there is one.
    fn split(shape: ReplyShape, bytes: &'q [u8]) -> Option<(&'q [u8], Self)> {
        if !Self::is_there(shape) {
            return None;
        }
        let (rest, [key, opaque]) = bytes.split_last_chunk()?;
        let (rest, opaque) = rest.split_at_checked(rest.len().checked_sub(usize::from(*opaque))?)?;
        let (rest, key) = rest.split_at_checked(rest.len().checked_sub(usize::from(*key))?)?;
        Some((rest, Token { key, opaque: (!opaque.is_empty()).then_some(opaque) }))
    }
}

/// How many keys one line asks for at most. More make the server no faster, and a reply longer than others like to wait.
const LINE_KEYS: usize = 100;

/// Fills the array behind the last key.
const NO_KEY: Key<'static> = match Key::new(b"-") {
    Ok(key) => key,
    Err(_) => unreachable!(),
};

/// How much capacity an emptied queue keeps, in requests.
const KEPT_REQUESTS: usize = 1024;

/// How much capacity an emptied queue keeps, in bytes.
const KEPT_BYTES: usize = 64 * 1024;
