//! nginx: `upstream NAME { … }` with `hash`, which `memcached_pass` goes to.
//!
//! Source: nginx 1.22.1 `ngx_http_upstream_hash_module.c`, `ngx_http_upstream.c`.

use memring_client::spec::Address;

use super::{ConfigError, Kind, Read, ReadServer, Reading};

pub(super) const KIND: Kind = Kind {
    name: "nginx",
    about: "nginx: upstream blocks with hash",
    is_it: |text| {
        let is_upstream =
            |line: &str| line.trim_start().starts_with("upstream ") || line.contains("{ upstream ");
        text.lines().any(is_upstream) && text.contains("server ")
    },
    read: Read::Text(read),
};

/// The port that nginx takes unless told otherwise.
const DEFAULT_PORT: u16 = 80;

fn read(text: &str) -> Result<Vec<Reading>, ConfigError> {
    let directives = directives(text)?;
    let upstreams: Vec<_> = all(&directives).filter(|directive| directive.name() == "upstream").collect();
    // Where a file says which upstreams are memcached's, others are none of ours.
    let passes: Vec<_> = all(&directives)
        .filter(|directive| directive.name() == "memcached_pass")
        .filter_map(|directive| directive.words.get(1).map(String::as_str))
        .collect();
    let is_meant = |upstream: &&&Directive| passes.is_empty() || passes.contains(&upstream.argument());
    let meant: Vec<_> = upstreams.iter().filter(is_meant).collect();
    let upstreams: Vec<_> = if meant.is_empty() { upstreams.iter().collect() } else { meant };
    if upstreams.is_empty() {
        return Err(ConfigError::of(
            "no upstream; write upstream NAME { hash $memcached_key consistent; server HOST:PORT; }",
        ));
    }
    let key = all(&directives)
        .find(|directive| directive.name() == "set" && directive.argument() == "$memcached_key");
    let mut readings = Vec::new();
    for upstream in upstreams {
        let mut reading = self::upstream(upstream, key)?;
        reading.pool = Some(upstream.argument().to_owned());
        readings.push(reading);
    }
    Ok(readings)
}

/// Methods of balancing that are not `hash`.
const OTHER_METHODS: &[&str] = &["ip_hash", "least_conn", "random", "least_time"];

fn upstream(upstream: &Directive, key: Option<&Directive>) -> Result<Reading, ConfigError> {
    if upstream.words.len() != 2 {
        return Err(upstream.wrong("an upstream has one name"));
    }
    let block =
        upstream.block.as_deref().ok_or_else(|| upstream.wrong("an upstream without a block { … }"))?;
    let is_method =
        |directive: &&Directive| directive.name() == "hash" || OTHER_METHODS.contains(&directive.name());
    let methods: Vec<_> = block.iter().filter(is_method).collect();
    let hash = methods.last().filter(|directive| directive.name() == "hash");
    let mut reading = match hash.map(|hash| (hash, &hash.words[1..])) {
        None => Reading::default(),
        Some((_, [_])) => Reading::of("nginx-hash"),
        Some((_, [_, consistent])) if consistent == "consistent" => Reading::of("nginx-hash-consistent"),
        Some((hash, _)) => return Err(hash.wrong("hash takes an expression and perhaps `consistent`")),
    };
    match hash {
        None => reading.warn(
            "nothing-is-placed",
            "without `hash EXPRESSION` as the last method, each request goes to the next server: a key is found by luck",
        ),
        Some(hash) => tell_of_key(&hash.words[1], key, &mut reading),
    }
    if methods.len() > 1 {
        reading.warn(
            "several-methods",
            "more than one method of balancing: nginx warns, and the last one counts",
        );
    }
    if reading.scheme.as_deref() == Some("nginx-hash-consistent") {
        reading.warn(
            "consistent-is-not-ketama",
            "`consistent` is the ring of Cache::Memcached::Fast with ketama_points=160: no client of libmemcached writes to the \
             server that nginx reads from",
        );
    }
    if let Some(include) = block.iter().find(|directive| directive.name() == "include") {
        return Err(
            include.wrong("what an upstream includes is not read: put its lines in the place of this one")
        );
    }
    for directive in block.iter().filter(|directive| directive.name() == "server") {
        reading.servers.push(server(directive, hash.is_some(), &mut reading.warnings)?);
    }
    if reading.servers.is_empty() {
        return Err(upstream.wrong("no servers in this upstream"));
    }
    Ok(reading)
}

/// Warns where what is hashed is not the key that memcached is asked for.
fn tell_of_key(expression: &str, key: Option<&Directive>, reading: &mut Reading) {
    let asked = key.and_then(|key| key.words.get(2)).map(String::as_str);
    if expression == "$memcached_key" || Some(expression) == asked {
        return;
    }
    reading.warn(
        "hash-of-something-else",
        format!(
            "what is hashed is {expression}, and what memcached is asked for is $memcached_key: write a value under the latter, \
             on the server of the former, which is the key to give here"
        ),
    );
}

fn server(
    directive: &Directive,
    is_hashed: bool,
    warnings: &mut Vec<super::Warning>,
) -> Result<ReadServer, ConfigError> {
    let mut warn = |trap, says: String| warnings.push(super::Warning { trap, says });
    let address = directive.argument();
    if address.is_empty() {
        return Err(directive.wrong("a server without an address; write server HOST:PORT weight=1;"));
    }
    let mut weight = 1;
    for parameter in &directive.words[2..] {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name {
            "weight" => match value.parse::<u32>() {
                Ok(number) if number > 0 => weight = number,
                _ => return Err(directive.wrong(format!("bad {parameter}; write a whole number from 1"))),
            },
            "backup" if is_hashed => {
                return Err(directive.wrong("nginx takes no backup together with hash; take it away"));
            }
            "down" => warn(
                "server-is-down",
                format!("{address} is `down`: it keeps its share, and its keys go on as with a dead server"),
            ),
            "max_fails" | "fail_timeout" | "max_conns" | "slow_start" | "backup" | "resolve" | "route"
            | "service" | "drain" => {}
            _ => return Err(directive.wrong(format!("{parameter:?} is no parameter of a server"))),
        }
    }
    let reached = reached(address).map_err(|says| directive.wrong(says))?;
    if let Address::Tcp { host, port } = &reached {
        let has_port = address.ends_with(&format!(":{port}"));
        if !has_port {
            warn(
                "default-port-is-80",
                format!("{address} is reached on port {DEFAULT_PORT}: write {address}:11211"),
            );
        }
        let is_number = host.parse::<core::net::IpAddr>().is_ok();
        if !is_number && is_hashed {
            warn(
                "name-with-several-addresses",
                format!(
                    "if {host} has several addresses, they share its part of the keys, which no client does"
                ),
            );
        }
    }
    Ok(ReadServer::new(address, reached).weighing(weight))
}

/// How an address is reached: `HOST[:PORT]`, `[V6][:PORT]` or `unix:/PATH`.
fn reached(address: &str) -> Result<Address, String> {
    if let Some(path) = address.strip_prefix("unix:") {
        return match path.is_empty() {
            true => Err("no path; write unix:/PATH".to_owned()),
            false => Ok(Address::unix(path)),
        };
    }
    let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => address.split_once(':').map_or((address, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None => DEFAULT_PORT,
        Some(port) => match port.parse() {
            Ok(port) if port > 0 => port,
            _ => {
                return Err(format!("bad port in {address:?}; write HOST:PORT, an IPv6 address in brackets"));
            }
        },
    };
    if host.is_empty() || host.contains('/') {
        return Err(format!("bad host in {address:?}; write HOST:PORT, without a scheme"));
    }
    Ok(Address::tcp(host, port))
}

/// A directive: its words, and what stands in its block.
#[derive(Debug)]
struct Directive {
    words: Vec<String>,
    block: Option<Vec<Self>>,
    line: usize,
}

impl Directive {
    fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    fn argument(&self) -> &str {
        self.words.get(1).map_or("", String::as_str)
    }

    fn wrong(&self, says: impl Into<String>) -> ConfigError {
        ConfigError::at(self.line, says)
    }
}

/// All directives, also those within others.
fn all(directives: &[Directive]) -> Box<dyn Iterator<Item = &Directive> + '_> {
    Box::new(directives.iter().flat_map(|directive| {
        core::iter::once(directive).chain(directive.block.iter().flat_map(|block| all(block)))
    }))
}

/// How deep blocks may stand in each other.
const DEEPEST: usize = 32;

/// The directives of a text.
fn directives(text: &str) -> Result<Vec<Directive>, ConfigError> {
    // The innermost open block is the last; below each, the words that it belongs to.
    let mut open: Vec<(Vec<String>, usize, Vec<Directive>)> = vec![(Vec::new(), 1, Vec::new())];
    let (mut words, mut begun) = (Vec::new(), 1);
    let mut rest = Rest { text, line: 1 };
    while let Some((piece, line)) = rest.next()? {
        match piece {
            Piece::Word(word) => {
                if words.is_empty() {
                    begun = line;
                }
                words.push(word);
            }
            Piece::Sign(';') => {
                if words.is_empty() {
                    return Err(ConfigError::at(line, "a `;` that ends nothing"));
                }
                let directive = Directive { words: core::mem::take(&mut words), block: None, line: begun };
                if let Some((.., block)) = open.last_mut() {
                    block.push(directive);
                }
            }
            Piece::Sign('{') if open.len() > DEEPEST => {
                return Err(ConfigError::at(line, "too many blocks in each other"));
            }
            Piece::Sign('{') => open.push((core::mem::take(&mut words), begun, Vec::new())),
            Piece::Sign(_) => {
                if !words.is_empty() {
                    return Err(ConfigError::at(begun, "no `;` at the end of this"));
                }
                let (Some((words, line, block)), Some((.., outer))) = (open.pop(), open.last_mut()) else {
                    return Err(ConfigError::at(line, "a `}` that closes nothing"));
                };
                outer.push(Directive { words, block: Some(block), line });
            }
        }
    }
    match (open.len(), open.pop()) {
        (1, Some((.., block))) if words.is_empty() => Ok(block),
        (1, _) => Err(ConfigError::at(begun, "no `;` at the end of this")),
        (_, Some((_, line, _))) => Err(ConfigError::at(line, "no `}` for the block that begins here")),
        (_, None) => Ok(Vec::new()),
    }
}

enum Piece {
    Word(String),
    /// `;`, `{` or `}`.
    Sign(char),
}

struct Rest<'t> {
    text: &'t str,
    line: usize,
}

impl Rest<'_> {
    fn next(&mut self) -> Result<Option<(Piece, usize)>, ConfigError> {
        loop {
            let Some(first) = self.text.chars().next() else { return Ok(None) };
            let line = self.line;
            match first {
                '#' => self.skip(self.text.find('\n').unwrap_or(self.text.len())),
                _ if first.is_whitespace() => self.skip(first.len_utf8()),
                ';' | '{' | '}' => {
                    self.skip(1);
                    return Ok(Some((Piece::Sign(first), line)));
                }
                '"' | '\'' => return self.quoted(first).map(|word| Some((Piece::Word(word), line))),
                _ => {
                    // A variable may be written ${name}.
                    let mut is_variable = false;
                    let mut end = self.text.len();
                    for (at, char) in self.text.char_indices() {
                        let ends = char.is_whitespace()
                            || char == ';'
                            || (char == '{' && !self.text[..at].ends_with('$'));
                        if ends && !is_variable {
                            end = at;
                            break;
                        }
                        is_variable =
                            (is_variable || (char == '{' && self.text[..at].ends_with('$'))) && char != '}';
                    }
                    let word = self.text[..end].to_owned();
                    self.skip(end);
                    return Ok(Some((Piece::Word(word), line)));
                }
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, ConfigError> {
        let (mut word, mut chars) = (String::new(), self.text.char_indices().skip(1));
        while let Some((at, char)) = chars.next() {
            match char {
                '\\' => match chars.next() {
                    Some((_, next)) if next == quote || next == '\\' => word.push(next),
                    Some((_, next)) => word.extend(['\\', next]),
                    None => {}
                },
                _ if char == quote => {
                    self.skip(at + 1);
                    return Ok(word);
                }
                _ => word.push(char),
            }
        }
        Err(ConfigError::at(self.line, "a text in quotes does not end"))
    }

    fn skip(&mut self, len: usize) {
        let (taken, rest) = self.text.split_at(len);
        self.line += taken.matches('\n').count();
        self.text = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        assert!((KIND.is_it)(text), "{text}");
        let told = read(text).unwrap().into_iter().map(|reading| {
            let servers =
                reading.servers.iter().map(|server| format!("{}*{}", server.name, server.weight.real()));
            let warnings = reading.warnings.iter().map(|warning| format!("!{}", warning.trap));
            let scheme = reading.scheme.clone().unwrap_or_else(|| "-".to_owned());
            reading
                .pool
                .iter()
                .filter(|pool| *pool != "m")
                .cloned()
                .chain([scheme])
                .chain(servers)
                .chain(warnings)
                .collect::<Vec<_>>()
                .join(" ")
        });
        told.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_last_method_counts_wherever_it_stands() {
        for (text, expected) in [
            ("upstream m { server 10.0.0.1:1; hash $memcached_key; }", "nginx-hash 10.0.0.1:1*1"),
            ("upstream m {\n server 10.0.0.1:1 weight=2; # x;\n}", "- 10.0.0.1:1*2 !nothing-is-placed"),
            (
                "upstream m { ip_hash; hash \"$memcached_key\" consistent; server 10.0.0.1:1 down; }",
                "nginx-hash-consistent 10.0.0.1:1*1 !several-methods !consistent-is-not-ketama !server-is-down",
            ),
            ("upstream m { hash $memcached_key; least_conn; server 10.0.0.1:1; }", {
                "- 10.0.0.1:1*1 !nothing-is-placed !several-methods"
            }),
            (
                "upstream m { hash $uri; server [::1]; server unix:/p; server a:1; }",
                "nginx-hash [::1]*1 unix:/p*1 a:1*1 !hash-of-something-else !default-port-is-80 !name-with-several-addresses",
            ),
            (
                "http { upstream m { hash $uri; server 10.0.0.1:1; }\n upstream w { server 10.0.0.2:80; }\n\
                 server { location / { set $memcached_key $uri; memcached_pass m; } } }",
                "nginx-hash 10.0.0.1:1*1",
            ),
            (
                "upstream a { hash $memcached_key; server 10.0.0.1:1; }\nupstream b { hash ${memcached_key}x; server 10.0.0.1:1; }",
                "a nginx-hash 10.0.0.1:1*1\nb nginx-hash 10.0.0.1:1*1 !hash-of-something-else",
            ),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn what_nginx_refuses_is_refused_with_its_line() {
        for server in [
            "server 10.0.0.1:1 weight=0;",
            "server 10.0.0.1:1 weight=1.5;",
            "server 10.0.0.1:1 backup;",
            "server 10.0.0.1:1 heavy;",
            "server 10.0.0.1:x;",
            "server 10.0.0.1:0;",
            "server http://a:1;",
            "server unix:;",
            "server;",
            "hash;",
            "hash $a ketama;",
            "hash $a consistent x;",
            "server 10.0.0.1:1 }",
            "\"server",
        ] {
            let text = format!("upstream m {{ hash $memcached_key;\n{server}\n}}");
            let error = read(&text).unwrap_err();
            assert_eq!(error.line(), Some(2), "{server}: {error}");
        }
        for text in
            ["", "upstream m { hash $a; }", "upstream m { server a:1;", "}", "upstream { server a:1; }"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"a {".repeat(1000)).is_err());
    }
}
