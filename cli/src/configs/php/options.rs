//! `setOption` of the class `Memcached`: which calls say something of placement, and in which order they count.

use memring_client::spec::{Address, DEFAULT_PORT};
use memring_core::Weight;

use super::super::{
    ConfigError, ReadServer, Reading,
    program::{Program, Value, last_name},
};

/// A `setOption` that counts for placement, as the scheme `php-memcached` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Set {
    name: &'static str,
    value: String,
}

/// What is done with one `Memcached`, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    steps: Vec<Step>,
    servers: Vec<ReadServer>,
    /// Where a server without a port stands, which PHP leaves out.
    dropped: Option<usize>,
    prefix: String,
    hashes_prefix: bool,
    replicas: i64,
}

#[derive(Clone, Debug)]
enum Step {
    Set(Set),
    /// The server of this index is added.
    Add(usize),
}

/// Options that count, with their numbers in PHP.
const OPTIONS: &[(&str, &str)] = &[
    ("OPT_LIBKETAMA_COMPATIBLE", "16"),
    ("OPT_DISTRIBUTION", "9"),
    ("OPT_HASH", "2"),
    ("OPT_PREFIX_KEY", "-1002"),
    ("OPT_SORT_HOSTS", "12"),
    ("OPT_REMOVE_FAILED_SERVERS", "35"),
    ("OPT_AUTO_EJECT_HOSTS", "28"),
    ("OPT_HASH_WITH_PREFIX_KEY", "25"),
    ("OPT_NUMBER_OF_REPLICAS", "29"),
];

/// Values that have names, with their numbers in PHP.
const VALUES: &[(&str, &str)] = &[
    ("DISTRIBUTION_MODULA", "0"),
    ("DISTRIBUTION_CONSISTENT", "1"),
    ("DISTRIBUTION_VIRTUAL_BUCKET", "6"),
    ("HASH_DEFAULT", "0"),
    ("HASH_MD5", "1"),
    ("HASH_CRC", "2"),
    ("HASH_FNV1_64", "3"),
    ("HASH_FNV1A_64", "4"),
    ("HASH_FNV1_32", "5"),
    ("HASH_FNV1A_32", "6"),
    ("HASH_MURMUR", "8"),
];

impl Calls {
    /// `setOption(option, value)`. The option is named as in PHP, or by its number.
    pub(super) fn set(&mut self, option: &str, value: &Value<'_>, line: usize) -> Result<(), ConfigError> {
        let known = |(name, number): &&(&'static str, &str)| *name == last_name(option) || *number == option;
        let Some(&(name, _)) = OPTIONS.iter().find(known) else { return Ok(()) };
        let Some(word) = value.word() else {
            return Err(ConfigError::at(
                line,
                format!("the value of {name} must be computed; write it in its place"),
            ));
        };
        let wrong = |expected: &str| {
            Err(ConfigError::at(line, format!("{word:?} is no value of {name}; write {expected}")))
        };
        let value = match name {
            "OPT_PREFIX_KEY" => {
                if matches!(value, Value::Word(_)) && value.truth() != Some(false) {
                    return wrong("a text in quotes");
                }
                let prefix = if matches!(value, Value::Word(_)) { "" } else { word };
                prefix.clone_into(&mut self.prefix);
                // A prefix is not hashed; one that the scheme's list of options cannot hold is left out of it.
                if prefix.is_empty() || prefix.contains(char::is_whitespace) {
                    return Ok(());
                }
                prefix.to_owned()
            }
            "OPT_DISTRIBUTION" => match named("DISTRIBUTION_", word) {
                Some("DISTRIBUTION_VIRTUAL_BUCKET") => {
                    return Err(ConfigError::at(
                        line,
                        "a virtual bucket needs the map of setBucket; give it with \
                        `memring where --scheme php-memcached --option buckets=…`",
                    ));
                }
                Some(value) => value.to_owned(),
                None => return wrong("Memcached::DISTRIBUTION_MODULA or Memcached::DISTRIBUTION_CONSISTENT"),
            },
            "OPT_HASH" => match named("HASH_", word) {
                Some(value) => value.to_owned(),
                None => return wrong("Memcached::HASH_DEFAULT, HASH_MD5, HASH_CRC, HASH_FNV1A_32 …"),
            },
            "OPT_NUMBER_OF_REPLICAS" => {
                self.replicas = super::number(word);
                return Ok(());
            }
            _ => match value.truth().or_else(|| word.parse::<i64>().ok().map(|number| number != 0)) {
                Some(is_on) if name == "OPT_HASH_WITH_PREFIX_KEY" => {
                    self.hashes_prefix = is_on;
                    return Ok(());
                }
                Some(is_on) => u8::from(is_on).to_string(),
                None => return wrong("true or false"),
            },
        };
        self.steps.push(Step::Set(Set { name, value }));
        Ok(())
    }

    /// `setOptions(list)`.
    pub(super) fn set_all(
        &mut self,
        list: &Value<'_>,
        program: &Program<'_>,
        line: usize,
    ) -> Result<(), ConfigError> {
        let Some(items) = super::array(list) else {
            return Err(ConfigError::at(line, "the options must be computed; write the array in its place"));
        };
        for item in items {
            let Some(option) = item.key.as_ref().and_then(Value::word) else {
                return Err(ConfigError::at(
                    item.line,
                    "an option must be computed; write it as Memcached::OPT_… => VALUE",
                ));
            };
            self.set(option, &super::resolved(program, &item.value), item.line)?;
        }
        Ok(())
    }

    /// Adds a server.
    pub(super) fn add(&mut self, server: ReadServer) {
        self.steps.push(Step::Add(self.servers.len()));
        self.servers.push(server);
    }

    /// Notes that PHP leaves out the server of this line.
    pub(super) fn drop_server(&mut self, line: usize) {
        self.dropped.get_or_insert(line);
    }

    /// Whether any option is set that says something of placement.
    pub(super) fn counts(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Set(set) if set.name != "OPT_PREFIX_KEY"))
    }

    pub(super) fn has_servers(&self) -> bool {
        !self.servers.is_empty()
    }

    /// What all of it means.
    pub(super) fn reading(self) -> Reading {
        let mut reading = Reading::of("php-memcached");
        let order = Order::of(&self);
        if order.comes_after {
            reading.option("options-set", "after-addServers");
        }
        if !order.sets.is_empty() {
            let sets: Vec<_> = order.sets.iter().map(|set| format!("{}={}", set.name, set.value)).collect();
            reading.option("php-options", sets.join(" "));
        }
        self.warn(&order, &mut reading);
        if self.hashes_prefix {
            reading.prepend = self.prefix;
        }
        let sorts = order.sets.iter().any(|set| set.name == "OPT_SORT_HOSTS" && set.value == "1");
        let servers =
            self.servers.into_iter().map(|server| if sorts { with_host_apart(server) } else { server });
        Reading { servers: servers.collect(), ..reading }
    }

    fn warn(&self, order: &Order, reading: &mut Reading) {
        if let Some(line) = self.dropped {
            let says = "addServers leaves out a server without a port, with a warning: write ['HOST', PORT]";
            reading.warn("server-dropped", format!("line {line}: {says}"));
        }
        let is_heavy = self.servers.iter().any(|server| server.weight != Weight::default());
        match (order.ring, order.taken_back) {
            (Ring::None | Ring::Unweighted, Some(option)) if is_heavy => reading.warn(
                "weights-ignored",
                format!("weights count nothing: {option} takes back the ring by weight that was there; leave it out"),
            ),
            (Ring::None, _) if is_heavy => reading.warn(
                "weights-ignored",
                "weights count nothing without OPT_LIBKETAMA_COMPATIBLE => true",
            ),
            (Ring::Unweighted, _) if is_heavy => reading.warn(
                "weights-ignored",
                "weights of servers that were added before OPT_DISTRIBUTION count nothing; set options first, and \
                 OPT_LIBKETAMA_COMPATIBLE => true for a ring by weight",
            ),
            (Ring::Heavy, _) => reading.warn(
                "weights-make-another-ring",
                "a weight above 1 makes an MD5 ring by weight, while keys are hashed as before: \
                 OPT_LIBKETAMA_COMPATIBLE => true is what others call ketama",
            ),
            _ => {}
        }
        if matches!(order.ring, Ring::Unweighted | Ring::Heavy) {
            reading.warn(
                "consistent-without-ketama",
                "DISTRIBUTION_CONSISTENT without OPT_LIBKETAMA_COMPATIBLE agrees neither with pylibmc's ketama_weighted nor \
                 with twemproxy",
            );
        }
        if order.lost_hash {
            reading.warn(
                "hash-lost",
                "OPT_HASH before OPT_LIBKETAMA_COMPATIBLE, true or false, is lost; set it behind",
            );
        }
        if order.ring == Ring::Weighted && order.hash == "HASH_CRC" {
            reading.warn(
                "crc-on-a-ring",
                "HASH_CRC has 15 bits and the ring 32: one server gets nearly every key; leave OPT_HASH out",
            );
        }
        if !self.prefix.is_empty() && !self.hashes_prefix {
            reading.warn("prefix-not-hashed", "OPT_PREFIX_KEY is sent before the key and not hashed");
        }
        if self.replicas > 0 {
            reading
                .warn("replicas", "OPT_NUMBER_OF_REPLICAS: copies are stored on the following servers, too");
        }
    }
}

/// The same server under a name whose last colon is that of its port, for those who sort by host and port: an IPv6 address
/// has others.
fn with_host_apart(server: ReadServer) -> ReadServer {
    match &server.address {
        Address::Tcp { port: DEFAULT_PORT, .. }
            if server.name.contains(':') && !server.name.ends_with(":11211") =>
        {
            ReadServer { name: format!("{}:{DEFAULT_PORT}", server.name), ..server }
        }
        _ => server,
    }
}

/// Which of the values that begin so is meant by a word or a number.
fn named(begin: &str, word: &str) -> Option<&'static str> {
    let of_kind = VALUES.iter().filter(|(name, _)| name.starts_with(begin));
    of_kind.filter(|(name, number)| *name == last_name(word) || *number == word).map(|(name, _)| *name).next()
}

/// What kind of ring there is in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ring {
    #[default]
    None,
    /// Of DISTRIBUTION_CONSISTENT.
    Unweighted,
    /// The same, made a weighted one by a server.
    Heavy,
    /// Of OPT_LIBKETAMA_COMPATIBLE.
    Weighted,
}

/// The calls in the order in which the scheme takes them: all before the servers or all behind them.
#[derive(Debug, Default)]
struct Order {
    sets: Vec<Set>,
    comes_after: bool,
    ring: Ring,
    hash: String,
    /// Whether the program has set it, and nothing has taken it back.
    is_own_hash: bool,
    lost_hash: bool,
    /// What has made a ring without weights, or none, of one by weight.
    taken_back: Option<&'static str>,
}

impl Order {
    fn of(calls: &Calls) -> Self {
        let mut order = Self { hash: DEFAULT.to_owned(), ..Self::default() };
        let mut points = DEFAULT.to_owned();
        for step in &calls.steps {
            match step {
                Step::Add(index) => {
                    let is_heavy = calls.servers[*index].weight != Weight::default();
                    if order.ring == Ring::Unweighted && is_heavy {
                        order.ring = Ring::Heavy;
                    }
                    points.clone_from(&order.hash);
                }
                Step::Set(set) => {
                    order.take(set, &mut points);
                    order.sets.push(set.clone());
                }
            }
        }
        let counts = |step: &&Step| matches!(step, Step::Set(set) if set.name != "OPT_PREFIX_KEY");
        let adds = |step: &&Step| matches!(step, Step::Add(_));
        let first = |is_it: &dyn Fn(&&Step) -> bool| calls.steps.iter().position(|step| is_it(&step));
        let last = |is_it: &dyn Fn(&&Step) -> bool| calls.steps.iter().rposition(|step| is_it(&step));
        order.comes_after = first(&adds).zip(first(&counts)).is_some_and(|(add, set)| add < set);
        let is_apart = match (last(&counts), last(&adds)) {
            (Some(set), Some(add)) if order.comes_after => first(&counts) > Some(add) && set > add,
            (Some(set), Some(_)) => first(&adds) > Some(set),
            _ => true,
        };
        if !is_apart {
            order.in_one_piece(&points);
        }
        order
    }

    fn take(&mut self, set: &Set, points: &mut String) {
        let was_weighted = matches!(self.ring, Ring::Weighted | Ring::Heavy);
        match (set.name, &*set.value) {
            ("OPT_LIBKETAMA_COMPATIBLE", value) => {
                let (ring, hash) =
                    if value == "1" { (Ring::Weighted, "HASH_MD5") } else { (Ring::None, DEFAULT) };
                self.lost_hash |= self.is_own_hash && self.hash != hash;
                (self.ring, self.hash, self.is_own_hash) = (ring, hash.to_owned(), false);
            }
            // What is set already does nothing: the ring that there is stays, also a weighted one.
            ("OPT_DISTRIBUTION", "DISTRIBUTION_CONSISTENT")
                if matches!(self.ring, Ring::Unweighted | Ring::Heavy) => {}
            ("OPT_DISTRIBUTION", "DISTRIBUTION_CONSISTENT") => {
                self.ring = Ring::Unweighted;
                points.clone_from(&self.hash);
            }
            ("OPT_DISTRIBUTION", _) => self.ring = Ring::None,
            ("OPT_HASH", hash) => {
                hash.clone_into(&mut self.hash);
                (self.is_own_hash, self.lost_hash) = (true, false);
            }
            ("OPT_SORT_HOSTS", _) => points.clone_from(&self.hash),
            _ => {}
        }
        match self.ring {
            Ring::Weighted | Ring::Heavy => self.taken_back = None,
            Ring::None | Ring::Unweighted if was_weighted => {
                let off = ["OPT_LIBKETAMA_COMPATIBLE => false", "the later OPT_DISTRIBUTION"];
                self.taken_back = Some(off[usize::from(set.name == "OPT_DISTRIBUTION")]);
            }
            Ring::None | Ring::Unweighted => {}
        }
    }

    /// Says the same as calls that all stand on one side of the servers.
    fn in_one_piece(&mut self, points: &str) {
        let set = |name, value: &str| Set { name, value: value.to_owned() };
        let others = self
            .sets
            .iter()
            .filter(|set| !matches!(set.name, "OPT_LIBKETAMA_COMPATIBLE" | "OPT_DISTRIBUTION" | "OPT_HASH"));
        let others: Vec<_> = others.cloned().collect();
        let consistent = set("OPT_DISTRIBUTION", "DISTRIBUTION_CONSISTENT");
        let hash = set("OPT_HASH", &self.hash);
        let first = match self.ring {
            Ring::None => vec![hash],
            Ring::Unweighted => vec![set("OPT_HASH", points), consistent, hash],
            Ring::Heavy => vec![consistent, hash],
            Ring::Weighted => vec![set("OPT_LIBKETAMA_COMPATIBLE", "1"), hash],
        };
        self.comes_after = self.ring == Ring::Unweighted;
        self.sets = others.into_iter().chain(first).collect();
    }
}

/// The hash unless told otherwise.
const DEFAULT: &str = "HASH_DEFAULT";
