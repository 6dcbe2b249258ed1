//! Option strings of libmemcached: `--SERVER=HOST:PORT/?WEIGHT --DISTRIBUTION=consistent`.
//!
//! `memcached(string, length)`, pools, the environment `LIBMEMCACHED` and files of `--CONFIGURE-FILE` take them, and so did
//! php-memcached 2 in `session.save_path`. Statements take effect one after the other, as the calls would: the same
//! options in another order place keys elsewhere.
//!
//! Source: libmemcached 1.1.4 `csl/context.cc`, `behavior.cc`, `hosts.cc`; asked for its placement.

use std::borrow::Cow;

use memring_client::spec::{Address, DEFAULT_PORT};
use memring_core::Weight;

use super::{ConfigError, Kind, Read, ReadServer, Reading, env};
use grammar::{Distribution, Statement};

mod grammar;

pub(super) const KIND: Kind = Kind {
    name: "libmemcached",
    about: "libmemcached: an option string, --SERVER=HOST:PORT/?WEIGHT …, also behind LIBMEMCACHED=",
    is_it,
    read: Read::Text(read),
};

/// Whether the first line that is no remark begins with an option.
fn is_it(text: &str) -> bool {
    let text = text_of(text);
    let mut lines = text.1.lines().map(str::trim_start);
    lines.find(|line| !line.is_empty() && !line.starts_with('#')).is_some_and(grammar::begins_with_option)
}

/// The option string of a text that is one or gives one to `LIBMEMCACHED`, and the lines before it.
fn text_of(text: &str) -> (usize, Cow<'_, str>) {
    let mut variables = env::variables(text).unwrap_or_default().into_iter();
    let given = variables.rfind(|variable| variable.name == "LIBMEMCACHED");
    let given = given.and_then(|variable| Some((variable.line - 1, variable.value?.into())));
    given.unwrap_or_else(|| (0, text.into()))
}

fn read(text: &str) -> Result<Vec<Reading>, ConfigError> {
    let (before, text) = text_of(text);
    let mut memcached = Memcached::default();
    for placed in grammar::statements(&text) {
        let placed = placed.map_err(|error| error.behind(before))?;
        if placed.statement == Statement::Reset {
            memcached.reset();
        }
        memcached.take(&placed.statement).map_err(|says| ConfigError::at(before + placed.line, says))?;
    }
    Ok(vec![memcached.reading()])
}

/// The peer's state, as far as placement depends on it.
#[derive(Default)]
struct Memcached {
    servers: Vec<ReadServer>,
    /// The last that was asked for.
    distribution: Option<Distribution>,
    /// Whether servers were there when it was.
    came_after_servers: bool,
    /// Whether servers came behind it.
    came_before_servers: bool,
    /// Whether a server of a weight above 1 came behind it.
    is_weighted: bool,
    /// Whether one had come behind an earlier one, which the last has undone.
    was_weighted: bool,
    hash: Option<&'static str>,
    /// The hash that was set when the points of the ring were made.
    points_hash: Option<&'static str>,
    /// [`Self::hash`] was set, even if it was forgotten since.
    has_had_hash: bool,
    unused_hash: Option<&'static str>,
    namespace: Option<String>,
    hashes_namespace: bool,
    is_binary: bool,
    sorts_hosts: bool,
    ejects: bool,
    replicas: u64,
}

/// Why weights that counted count no longer.
const UNDONE: &str =
    "weights count nothing, as a later --DISTRIBUTION undoes the ring by weight that there was: leave it out";

/// The longest namespace, in bytes.
const LONGEST_NAMESPACE: usize = 127;

impl Memcached {
    fn reset(&mut self) {
        *self = Self { has_had_hash: self.has_had_hash, ..Self::default() };
    }

    fn take(&mut self, statement: &Statement<'_>) -> Result<(), String> {
        match *statement {
            Statement::Server(host, port, weight) => {
                // The peer keeps sixteen bits of it.
                let port = match port as u16 {
                    0 => DEFAULT_PORT,
                    port => port,
                };
                let name = if port == DEFAULT_PORT { host.to_owned() } else { format!("{host}:{port}") };
                self.add(name, Address::tcp(host, port), weight);
            }
            Statement::Socket(path, weight) => {
                // A path that does not begin so would be taken for a host with a port.
                let name = if path.starts_with('/') { path.to_owned() } else { format!("{path}:0") };
                self.add(name, Address::unix(path), weight);
            }
            Statement::Distribution(distribution, hash) => {
                self.distribution = Some(distribution);
                self.unused_hash = hash;
                self.came_after_servers = !self.servers.is_empty();
                self.was_weighted |= self.is_weighted;
                (self.came_before_servers, self.is_weighted) = (false, false);
                self.make_points();
            }
            Statement::Hash(_) if self.has_had_hash => {
                return Err("--HASH can be set once only; take one of them away".to_owned());
            }
            Statement::Hash(hash) => (self.hash, self.has_had_hash) = (Some(hash), true),
            Statement::Namespace(namespace) => self.set_namespace(namespace)?,
            Statement::Switch("--HASH-WITH-NAMESPACE") => self.hashes_namespace = true,
            Statement::Switch("--BINARY-PROTOCOL") => self.is_binary = true,
            Statement::Switch("--SORT-HOSTS") => {
                self.sorts_hosts = true;
                self.make_points();
            }
            Statement::Number("--REMOVE-FAILED-SERVERS", number) => self.ejects = number > 0,
            Statement::Number("--NUMBER-OF-REPLICAS", number) => self.replicas = number,
            Statement::File(option) => {
                return Err(format!(
                    "{option} names a file, which is not read here; put its text in place of this"
                ));
            }
            Statement::Switch(_)
            | Statement::Number(..)
            | Statement::Reset
            | Statement::End
            | Statement::Nothing => {}
        }
        Ok(())
    }

    fn add(&mut self, name: String, address: Address, weight: u32) {
        let weight = weight.max(1);
        self.came_before_servers |= self.distribution.is_some();
        self.is_weighted |= self.distribution == Some(Distribution::Consistent) && weight > 1;
        self.servers.push(ReadServer::new(name, address).weighing(weight));
        self.make_points();
    }

    /// Notes that the peer makes the points of its ring now.
    fn make_points(&mut self) {
        self.points_hash = self.hash;
    }

    fn set_namespace(&mut self, namespace: &str) -> Result<(), String> {
        let has_bad = || namespace.bytes().any(|byte| !byte.is_ascii_graphic());
        match namespace.len() {
            _ if self.namespace.is_some() => {
                Err("--NAMESPACE can be set once only; take one of them away".to_owned())
            }
            0 => Err("an empty namespace; leave --NAMESPACE out".to_owned()),
            len if len > LONGEST_NAMESPACE => {
                Err(format!("a namespace of {len} bytes; libmemcached takes {LONGEST_NAMESPACE}"))
            }
            _ if !self.is_binary && has_bad() => Err("a namespace with a blank or with what is not ASCII; \
                libmemcached refuses it unless --BINARY-PROTOCOL stands before it"
                .to_owned()),
            _ => {
                self.namespace = Some(namespace.to_owned());
                Ok(())
            }
        }
    }

    fn reading(self) -> Reading {
        let is_heavy = self.servers.iter().any(|server| server.weight != Weight::default());
        let mut reading = match self.distribution {
            None | Some(Distribution::Modula) => Reading::of("libmemcached-modula"),
            Some(Distribution::Consistent) => Reading::of("libmemcached-consistent"),
            Some(Distribution::Random) => Reading::default(),
        };
        if self.distribution == Some(Distribution::Random) {
            reading
                .warn("random-places-nothing", "random sends each request to any server: no key has a place");
        }
        if let Some(hash) = self.hash {
            reading.option("hash", hash);
        }
        if self.distribution == Some(Distribution::Consistent) {
            self.tell_of_ring(&mut reading, is_heavy);
        } else if is_heavy && self.was_weighted {
            reading.warn("weights-ignored", UNDONE);
        } else if is_heavy {
            reading.warn(
                "weights-ignored",
                "weights count nothing without --DISTRIBUTION=consistent before the servers; a server given twice has \
                 twice the keys",
            );
        }
        if let Some(hash) = self.unused_hash {
            reading.warn(
                "distribution-hash-unused",
                format!(
                    "the hash behind --DISTRIBUTION=… is stored and never used: for keys and points write --HASH={} \
                     before the servers",
                    hash.to_ascii_uppercase()
                ),
            );
        }
        if self.hash == Some("jenkins") {
            reading.warn(
                "jenkins-is-not-the-default",
                "JENKINS is not the hash that libmemcached and PHP use by default",
            );
        }
        if let Some(namespace) = self.namespace {
            reading.option("prefix", namespace);
        }
        if self.hashes_namespace {
            reading.option("hash_with_prefix_key", "1");
        }
        if self.sorts_hosts {
            reading.option("sort_hosts", "1");
        }
        if self.ejects {
            reading.option("auto_eject_hosts", "1");
        }
        if self.replicas > 0 {
            reading.warn(
                "replicas",
                "--NUMBER-OF-REPLICAS: with the binary protocol copies are stored on the following servers, too",
            );
        }
        Reading { servers: self.servers, ..reading }
    }

    fn tell_of_ring(&self, reading: &mut Reading, is_heavy: bool) {
        let came_last = self.came_after_servers && !self.came_before_servers;
        if self.is_weighted {
            reading.option("configured", "behavior-then-servers");
            reading.warn(
                "weights-make-another-ring",
                "a weight above 1 behind --DISTRIBUTION makes an MD5 ring by weight, of all servers, while keys are \
                 hashed as before: that is neither KETAMA_WEIGHTED nor the ring without weights",
            );
            return;
        }
        let has_other_points = self.points_hash != self.hash;
        if came_last || is_heavy || has_other_points {
            reading.option("configured", "servers-then-behavior");
        }
        if has_other_points {
            reading.option("points-hash", self.points_hash.unwrap_or("default"));
            reading.warn(
                "hash-after-the-ring",
                "--HASH behind the servers and --DISTRIBUTION hashes keys alone, not the points of the ring: write it \
                 before both",
            );
        }
        if is_heavy && self.was_weighted {
            reading.warn("weights-ignored", UNDONE);
        } else if is_heavy {
            reading.warn(
                "weights-ignored",
                "weights count nothing where all servers stand before --DISTRIBUTION: write it before them",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str) -> Reading {
        assert!(is_it(text), "{text}");
        read(text).unwrap().remove(0)
    }

    fn told(text: &str) -> String {
        let Reading { scheme, options, servers, .. } = reading(text);
        let options = options.iter().map(|(name, value)| format!(" {name}={value}"));
        let servers = servers.iter().map(|server| format!(" {}*{:?}", server.name, server.weight));
        scheme.into_iter().chain(options).chain(servers).collect::<String>().replace("*Whole(1)", "")
    }

    #[test]
    fn a_server_is_what_the_peer_makes_of_it() {
        for (text, server) in [
            ("--SERVER=abc", "abc"),
            ("--server=ABC:0/?0", "ABC"),
            ("--SERVER=abc:65547", "abc:11"),
            ("--SERVER=1.2.3:1/?03", "1.2.3:1*Whole(3)"),
            ("--SERVER=md5.example.com", "md5.example.com"),
            ("--SOCKET=\"/x y/z\"/?2", "/x y/z*Whole(2)"),
            ("--SOCKET=abc.sock", "abc.sock:0"),
            ("LIBMEMCACHED='--SERVER=abc:1'\n", "abc:1"),
            ("A=b\nexport LIBMEMCACHED=\"--SERVER=abc:1 --NAMESPACE=\\\"abc\\\" RESET --SERVER=abd\"", "abd"),
            ("#x\n --SERVER=abc:1 \n#y\n END rubbish", "abc:1"),
        ] {
            assert_eq!(told(text), format!("libmemcached-modula {server}"), "{text}");
        }
    }

    #[test]
    fn order_decides() {
        for (text, meaning) in [
            ("--HASH=CRC --DISTRIBUTION=consistent --SERVER=abc", "hash=crc abc"),
            ("--DISTRIBUTION=consistent --HASH=CRC --SERVER=abc", "hash=crc abc"),
            (
                "--DISTRIBUTION=consistent --SERVER=abc --HASH=CRC",
                "hash=crc configured=servers-then-behavior points-hash=default abc",
            ),
            ("--DISTRIBUTION=consistent --SERVER=abc --HASH=CRC --SORT-HOSTS", "hash=crc sort_hosts=1 abc"),
            ("--SERVER=abc --DISTRIBUTION=consistent", "configured=servers-then-behavior abc"),
            (
                "--SERVER=abc/?2 --DISTRIBUTION=consistent --SERVER=abd",
                "configured=servers-then-behavior abc*Whole(2) abd",
            ),
            (
                "--SERVER=abc --DISTRIBUTION=consistent --SERVER=abd/?2",
                "configured=behavior-then-servers abc abd*Whole(2)",
            ),
            (
                "--DISTRIBUTION=consistent --SERVER=abc/?2 --DISTRIBUTION=consistent",
                "configured=servers-then-behavior abc*Whole(2)",
            ),
        ] {
            assert_eq!(told(text), format!("libmemcached-consistent {meaning}"), "{text}");
        }
        assert_eq!(reading("--SERVER=abc --DISTRIBUTION=random").scheme, None);
    }

    #[test]
    fn ignored_weights_have_the_cause_that_is_theirs() {
        for (text, cause) in [
            ("--SERVER=abc/?2", "without --DISTRIBUTION=consistent"),
            ("--SERVER=abc/?2 --DISTRIBUTION=consistent", "all servers stand before"),
            ("--DISTRIBUTION=consistent --SERVER=abc/?2 --DISTRIBUTION=consistent", "a later --DISTRIBUTION"),
            ("--DISTRIBUTION=consistent --SERVER=abc/?2 --DISTRIBUTION=modula", "a later --DISTRIBUTION"),
        ] {
            let warnings = reading(text).warnings;
            let warning = warnings.iter().find(|warning| warning.trap == "weights-ignored");
            assert!(warning.is_some_and(|warning| warning.says.contains(cause)), "{text}: {warnings:?}");
        }
    }

    #[test]
    fn what_the_peer_refuses_is_refused_with_its_line() {
        for (line, text) in [
            (1, " --SERVER=abc"),
            (1, "--SERVER=abc "),
            (1, "--SERVER=abc  --SERVER=abd"),
            (2, "--SERVER=abc\n--SERVER=abd"),
            (2, "--SERVER=abc \n --SERVER=abd"),
            (2, "#x\n--SERVER=abc"),
            (2, "--SERVER=abc \n#x"),
            (1, "--SERVER=ab"),
            (1, "--SERVER=md5"),
            (1, "--SERVER=123"),
            (1, "--SERVER=\"abc\""),
            (1, "--SERVER=::1"),
            (1, "--SERVER=[::1]:11211"),
            (1, "--SERVER=abc:11211:3"),
            (1, "--SERVER=abc:112111"),
            (1, "--SERVER=abc:/?3"),
            (1, "--SERVER=abc/?100000"),
            (1, "--SERVER=abc,abd"),
            (1, "--SERVER=abc."),
            (1, "--SOCKET=/run/a.sock"),
            (1, "--SOCKET=\"\""),
            (1, "--SERVER=abc --KETAMA"),
            (1, "--SERVER=abc --KETAMA-WEIGHTED"),
            (1, "--SERVER=abc --REMOVE-FAILED-SERVERS"),
            (1, "--SERVER=abc --CONNECT-TIMEOUT=x"),
            (1, "--SERVER=abc --HASH=DEFAULT"),
            (1, "--SERVER=abc --HASH=MURMUR3"),
            (1, "--SERVER=abc --HASH=HSIEH"),
            (1, "--DISTRIBUTION=consistent,HSIEH"),
            (1, "--DISTRIBUTION=ketama"),
            (1, "--HASH=CRC RESET --HASH=CRC"),
            (1, "--NAMESPACE=ab"),
            (1, "--NAMESPACE=\"\""),
            (1, "--NAMESPACE=\"a b\""),
            (1, "--NAMESPACE=\"é\""),
            (1, "--NAMESPACE=end"),
            (1, "--NAMESPACE=abc --NAMESPACE=abc"),
            (1, "--SERVER=abc INCLUDE \"/x\""),
            (1, "--CONFIGURE-FILE=\"/x\""),
            (3, "A=1\n\nLIBMEMCACHED=--SERVER=ab"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.line(), Some(line), "{text:?}: {error}");
        }
        assert!(read("--BINARY-PROTOCOL --NAMESPACE=\"a b\"").is_ok());
    }
}
