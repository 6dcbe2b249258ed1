//! Requests and replies as owned data, equal whichever way they came: from the files' JSON or from events.

use memring_text::{
    Arith, ArithVerb, Delete, Event, FlushAll, FlushDelay, Get, GetVerb, Key, Request, StatsKind, Store,
    StoreVerb, Touch, Value as Block, Verbosity, server::RequestEvent,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A string of the files: each character is a byte.
pub fn string(value: &Value) -> Vec<u8> {
    value.as_str().unwrap().chars().map(|c| u8::try_from(c).unwrap()).collect()
}

/// A value, or what the files say of a long one.
#[derive(Clone)]
pub enum Data {
    Bytes(Vec<u8>),
    Digest { len: u64, sha256: String },
}

impl Data {
    fn of_json(value: &Value) -> Self {
        if let Some(data) = value.get("data") {
            return Self::Bytes(string(data));
        }
        let sha256 = value["data_sha256"].as_str().unwrap().into();
        Self::Digest { len: value["data_len"].as_u64().unwrap(), sha256 }
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bytes(one), Self::Bytes(other)) => one == other,
            (Self::Bytes(bytes), Self::Digest { len, sha256 })
            | (Self::Digest { len, sha256 }, Self::Bytes(bytes)) => {
                let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                bytes.len() as u64 == *len && digest == *sha256
            }
            _ => false,
        }
    }
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) if bytes.len() <= 200 => write!(f, "{}", bytes.escape_ascii()),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Digest { len, .. } => write!(f, "digest of {len} bytes"),
        }
    }
}

/// A reply.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// Items and `END`; no items are also no statistics, which look the same.
    Values(Vec<(Vec<u8>, u32, Data, Option<u64>)>),
    Status(String),
    Number(u64),
    Version(Vec<u8>),
    Stats(Vec<(Vec<u8>, Vec<u8>)>),
    Error(String, Vec<u8>),
}

impl Reply {
    /// `None` for the kinds that the crate does not read yet.
    pub fn of_json(value: &Value) -> Option<Self> {
        let word = value["r"].as_str().unwrap();
        Some(match word {
            "values" => Self::Values(value["items"].as_array().unwrap().iter().map(item).collect()),
            "number" => Self::Number(value["n"].as_u64().unwrap()),
            "version" => Self::Version(string(&value["version"])),
            "error" => Self::Error(value["kind"].as_str().unwrap().into(), string(&value["msg"])),
            "stats" => {
                let items = value["items"].as_array().unwrap();
                if items.is_empty() {
                    return Some(Self::Values(Vec::new()));
                }
                Self::Stats(items.iter().map(stat).collect::<Option<_>>()?)
            }
            "meta" | "debug" | "line" => return None,
            status => Self::Status(status.into()),
        })
    }
}

fn item(item: &Value) -> (Vec<u8>, u32, Data, Option<u64>) {
    let flags = u32::try_from(item["flags"].as_u64().unwrap()).unwrap();
    (string(&item["key"]), flags, Data::of_json(item), item["cas"].as_u64())
}

fn stat(item: &Value) -> Option<(Vec<u8>, Vec<u8>)> {
    let parts: Vec<_> = item.as_array().unwrap().iter().map(string).collect();
    match &parts[..] {
        [word, name, value] if word == b"STAT" => Some((name.clone(), value.clone())),
        _ => None,
    }
}

/// Puts replies together from events.
#[derive(Default)]
pub struct ReplyBuilder {
    items: Vec<(Vec<u8>, u32, Data, Option<u64>)>,
    head: Option<(Vec<u8>, u32, Option<u64>)>,
    data: Vec<u8>,
    stats: Vec<(Vec<u8>, Vec<u8>)>,
    pub replies: Vec<Reply>,
}

impl ReplyBuilder {
    pub fn take(&mut self, event: &Event<'_>) {
        let reply = match *event {
            Event::Value(head) => {
                self.head = Some((head.key.to_vec(), head.flags, head.cas));
                return;
            }
            Event::Data(piece) => return self.data.extend_from_slice(piece),
            Event::ValueEnd => {
                let (key, flags, cas) = self.head.take().unwrap();
                self.items.push((key, flags, Data::Bytes(std::mem::take(&mut self.data)), cas));
                return;
            }
            Event::Stat { name, value } => return self.stats.push((name.to_vec(), value.to_vec())),
            Event::End if self.stats.is_empty() => Reply::Values(std::mem::take(&mut self.items)),
            Event::End => Reply::Stats(std::mem::take(&mut self.stats)),
            Event::Status(status) => Reply::Status(status.word().into()),
            Event::Number(number) => Reply::Number(number),
            Event::Version(text) => Reply::Version(text.to_vec()),
            Event::Error(line) => {
                self.items.clear();
                Reply::Error(line.word.word().into(), line.text.to_vec())
            }
            _ => panic!("unknown event {event:?}"),
        };
        self.replies.push(reply);
    }

    /// Are there pieces of a reply that has not ended?
    pub fn is_open(&self) -> bool {
        self.head.is_some() || !self.items.is_empty() || !self.stats.is_empty()
    }
}

/// Is the request one that the crate knows?
pub fn is_known(value: &Value) -> bool {
    match value["q"].as_str().unwrap() {
        "get" | "gets" | "gat" | "gats" | "set" | "add" | "replace" | "append" | "prepend" | "cas"
        | "incr" | "decr" | "delete" | "touch" | "flush_all" | "verbosity" | "version" | "quit" => true,
        "stats" => stats_kind(value).is_some(),
        _ => false,
    }
}

fn stats_kind(value: &Value) -> Option<StatsKind> {
    let args: Vec<_> = value["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    StatsKind::ALL.into_iter().find(|kind| kind.word() == args.join(" "))
}

/// The get of the files: which, and for which keys.
pub fn get_of_json(value: &Value) -> Option<(GetVerb, Vec<Vec<u8>>)> {
    let exptime = || i32::try_from(value["exptime"].as_i64().unwrap()).unwrap();
    let verb = match value["q"].as_str().unwrap() {
        "get" => GetVerb::Get,
        "gets" => GetVerb::Gets,
        "gat" => GetVerb::Gat(exptime()),
        "gats" => GetVerb::Gats(exptime()),
        _ => return None,
    };
    Some((verb, value["keys"].as_array().unwrap().iter().map(string).collect()))
}

/// The value of a request that stores one.
pub fn data_of_json(value: &Value) -> Option<Data> {
    value.get("len").map(|_| Data::of_json(value))
}

/// Lends `with` the request that the JSON describes, with `data` for its value. Not for gets of several keys.
pub fn with_request<T>(value: &Value, data: &[u8], with: impl FnOnce(&Request<'_>) -> T) -> T {
    let q = value["q"].as_str().unwrap();
    let key = value.get("key").map(string).unwrap_or_default();
    let key = || Key::new(&key).unwrap();
    let noreply = value["noreply"].as_bool().unwrap_or(false);
    let number = |name: &str| value[name].as_u64().unwrap();
    let exptime = || i32::try_from(value["exptime"].as_i64().unwrap()).unwrap();
    let store = |verb| {
        let flags = u32::try_from(number("flags")).unwrap();
        Request::Store(Store {
            verb,
            key: key(),
            flags,
            exptime: exptime(),
            value: Block::new(data).unwrap(),
            noreply,
        })
    };
    let arith = |verb| Request::Arith(Arith { verb, key: key(), delta: number("delta"), noreply });
    if let Some((verb, keys)) = get_of_json(value) {
        assert_eq!(keys.len(), 1);
        return with(&Request::Get(Get { verb, key: Key::new(&keys[0]).unwrap() }));
    }
    with(&match q {
        "set" => store(StoreVerb::Set),
        "add" => store(StoreVerb::Add),
        "replace" => store(StoreVerb::Replace),
        "append" => store(StoreVerb::Append),
        "prepend" => store(StoreVerb::Prepend),
        "cas" => store(StoreVerb::Cas(number("cas"))),
        "incr" => arith(ArithVerb::Incr),
        "decr" => arith(ArithVerb::Decr),
        "delete" => Request::Delete(Delete { key: key(), noreply }),
        "touch" => Request::Touch(Touch { key: key(), exptime: exptime(), noreply }),
        "flush_all" => {
            let delay =
                value["delay"].as_u64().map(|delay| FlushDelay::new(delay.try_into().unwrap()).unwrap());
            Request::FlushAll(FlushAll { delay, noreply })
        }
        "verbosity" => Request::Verbosity(Verbosity { level: number("level").try_into().unwrap(), noreply }),
        "version" => Request::Version,
        "stats" => Request::Stats(stats_kind(value).unwrap()),
        "quit" => Request::Quit,
        other => panic!("unknown request {other}"),
    })
}

/// A request as it was read by a server.
#[derive(Clone, PartialEq, Debug)]
pub enum Asked {
    Get(GetVerb, Vec<Vec<u8>>),
    /// The line as our own side would write it, and the value.
    Line(Vec<u8>, Option<Data>),
}

impl Asked {
    pub fn of_json(value: &Value) -> Self {
        if let Some((verb, keys)) = get_of_json(value) {
            return Self::Get(verb, keys);
        }
        // The line is written for zeros: only the length of the value is on it.
        let zeros = vec![0; value.get("len").map_or(0, |len| len.as_u64().unwrap() as usize)];
        let line = with_request(value, &zeros, |request| request.parts().as_slices()[0].to_vec());
        let known = data_of_json(value);
        Self::Line(line, known)
    }
}

/// Puts requests together from events.
#[derive(Default)]
pub struct AskedBuilder {
    get: Option<(GetVerb, Vec<Vec<u8>>)>,
    line: Vec<u8>,
    data: Vec<u8>,
    pub asked: Vec<Asked>,
}

impl AskedBuilder {
    pub fn take(&mut self, event: &RequestEvent<'_>) {
        match *event {
            RequestEvent::Get(verb) => self.get = Some((verb, Vec::new())),
            RequestEvent::Key(key) => self.get.as_mut().unwrap().1.push(key.to_vec()),
            RequestEvent::GetEnd => {
                let (verb, keys) = self.get.take().unwrap();
                self.asked.push(Asked::Get(verb, keys));
            }
            RequestEvent::Store(head) => {
                let value = vec![0; head.len];
                let store = Store {
                    verb: head.verb,
                    key: Key::new(head.key).unwrap(),
                    flags: head.flags,
                    exptime: head.exptime,
                    value: Block::new(&value).unwrap(),
                    noreply: head.noreply,
                };
                self.line = Request::Store(store).parts().as_slices()[0].to_vec();
            }
            RequestEvent::Data(piece) => self.data.extend_from_slice(piece),
            RequestEvent::StoreEnd => {
                let data = Data::Bytes(std::mem::take(&mut self.data));
                self.asked.push(Asked::Line(std::mem::take(&mut self.line), Some(data)));
            }
            RequestEvent::Skipped => {}
            other => {
                let request = other.request().unwrap();
                self.asked.push(Asked::Line(request.parts().as_slices()[0].to_vec(), None));
            }
        }
    }
}
