//! Requests and replies as owned data, equal whichever way they came: from the files' JSON or from events.

use memring_text::{
    Get, Key, Request, Store, Value as Block,
    meta::MetaRequest,
    reply::Event,
    request::{Arith, ArithVerb, Delete, FlushAll, FlushDelay, GetVerb, StoreVerb, Touch, Verbosity},
    server::RequestEvent,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{admin, meta};

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
    /// Lines before `END`, of whatever kind.
    Lines(Vec<Vec<u8>>),
    /// A line by itself.
    Line(Vec<u8>),
    /// A code, flags, and a value.
    Meta(String, Vec<Vec<u8>>, Option<Data>),
    Error(String, Vec<u8>),
}

impl Reply {
    pub fn of_json(value: &Value) -> Self {
        let word = value["r"].as_str().unwrap();
        match word {
            "values" => Self::Values(value["items"].as_array().unwrap().iter().map(item).collect()),
            "number" => Self::Number(value["n"].as_u64().unwrap()),
            "version" => Self::Version(string(&value["version"])),
            "error" => Self::Error(value["kind"].as_str().unwrap().into(), string(&value["msg"])),
            "stats" => {
                let items = value["items"].as_array().unwrap();
                if items.is_empty() {
                    Self::Values(Vec::new())
                } else {
                    Self::Lines(items.iter().map(words).collect())
                }
            }
            "meta" => {
                let data = (value["code"] == "VA").then(|| Data::of_json(value));
                Self::Meta(value["code"].as_str().unwrap().into(), strings(&value["flags"]), data)
            }
            "debug" => {
                let attrs = strings(&value["attrs"]).join(&b' ');
                Self::Line([&b"ME "[..], &string(&value["key"]), b" ", &attrs].concat())
            }
            "line" => Self::Line(string(&value["text"])),
            status => Self::Status(status.into()),
        }
    }
}

fn item(item: &Value) -> (Vec<u8>, u32, Data, Option<u64>) {
    let flags = u32::try_from(item["flags"].as_u64().unwrap()).unwrap();
    (string(&item["key"]), flags, Data::of_json(item), item["cas"].as_u64())
}

/// An array of strings.
pub fn strings(value: &Value) -> Vec<Vec<u8>> {
    value.as_array().unwrap().iter().map(string).collect()
}

fn words(item: &Value) -> Vec<u8> {
    strings(item).join(&b' ')
}

/// An event of one line, as that line without its end.
fn line(event: &Event<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    event.encode(&mut line).unwrap();
    assert_eq!(line.pop(), Some(b'\n'));
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    line
}

/// Puts replies together from events.
#[derive(Default)]
pub struct ReplyBuilder {
    items: Vec<(Vec<u8>, u32, Data, Option<u64>)>,
    head: Option<(Vec<u8>, u32, Option<u64>)>,
    data: Vec<u8>,
    lines: Vec<Vec<u8>>,
    meta: Option<Vec<Vec<u8>>>,
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
            Event::Meta(head) => {
                let words: Vec<_> = line(event).split(|byte| *byte == b' ').map(<[u8]>::to_vec).collect();
                let flags = words[1 + usize::from(head.code.word() == "VA")..].to_vec();
                if head.code.word() == "VA" {
                    self.meta = Some(flags);
                    return;
                }
                Reply::Meta(head.code.word().into(), flags, None)
            }
            Event::ValueEnd if self.meta.is_some() => {
                let data = Data::Bytes(std::mem::take(&mut self.data));
                Reply::Meta("VA".into(), self.meta.take().unwrap(), Some(data))
            }
            Event::ValueEnd => {
                let (key, flags, cas) = self.head.take().unwrap();
                self.items.push((key, flags, Data::Bytes(std::mem::take(&mut self.data)), cas));
                return;
            }
            Event::Stat { .. } | Event::Prefix { .. } | Event::CacheItem(_) | Event::Dump(_) => {
                return self.lines.push(line(event));
            }
            Event::Debug(_) | Event::Notice(_) => Reply::Line(line(event)),
            Event::End if self.lines.is_empty() => Reply::Values(std::mem::take(&mut self.items)),
            Event::End => Reply::Lines(std::mem::take(&mut self.lines)),
            Event::Status(status) => Reply::Status(status.word().into()),
            Event::Number(number) => Reply::Number(number),
            Event::Version(text) => Reply::Version(text.to_vec()),
            Event::Error(line) => {
                self.items.clear();
                Reply::Error(line.word.word().into(), line.text.to_vec())
            }
            Event::Silence { .. } => return,
            _ => panic!("unknown event {event:?}"),
        };
        self.replies.push(reply);
    }

    /// Are there pieces of a reply that has not ended?
    pub fn is_open(&self) -> bool {
        self.head.is_some() || self.meta.is_some() || !self.items.is_empty() || !self.lines.is_empty()
    }
}

/// Can the request be said in the crate's types?
pub fn is_typed(value: &Value) -> bool {
    get_of_json(value).is_some() || with_request(value, &zeros(value), |_| ()).is_some()
}

/// The room of a value that is not looked at.
fn zeros(value: &Value) -> Vec<u8> {
    vec![0; value.get("len").map_or(0, |len| len.as_u64().unwrap() as usize)]
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

/// Lends `with` the request that the JSON describes, with `data` for its value. Not for gets of several keys. `None`
/// where the crate's types cannot say it.
pub fn with_request<T>(value: &Value, data: &[u8], with: impl FnOnce(&Request<'_>) -> T) -> Option<T> {
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
        return Some(with(&Request::Get(Get { verb, key: Key::new(&keys[0]).unwrap() })));
    }
    if let "mg" | "ms" | "md" | "ma" | "me" = q {
        return meta::with_request(value, data, with);
    }
    Some(with(&match q {
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
        "stats" => Request::Stats(admin::stats_kind(value)?),
        "quit" => Request::Quit,
        "mn" => Request::MetaNoop,
        _ => Request::Admin(admin::admin(value)?),
    }))
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
        let line =
            with_request(value, &zeros(value), |request| request.parts().as_slices()[0].to_vec()).unwrap();
        let known = data_of_json(value);
        Self::Line(line, known)
    }
}

fn first_line(request: &MetaRequest<'_>) -> Vec<u8> {
    Request::Meta(request).parts().as_slices()[0].to_vec()
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
            RequestEvent::Meta(line) => {
                let line = line.with_request(Block::EMPTY, first_line).unwrap();
                self.asked.push(Asked::Line(line, None));
            }
            RequestEvent::MetaStore(line) => {
                let value = vec![0; line.len];
                self.line = line.with_request(Block::new(&value).unwrap(), first_line).unwrap();
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
