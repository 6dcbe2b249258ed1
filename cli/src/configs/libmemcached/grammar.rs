//! The grammar of option strings: its words as the peer's scanner finds them, and statements with exactly one blank between.
//!
//! Source: libmemcached 1.1.4 `csl/scanner.l`, `csl/parser.yy`; asked for what it takes and what it refuses.

use super::super::ConfigError;

/// A statement, and the line where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed<'t> {
    pub(super) line: usize,
    pub(super) statement: Statement<'t>,
}

/// What may stand between blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Statement<'t> {
    /// A host, the port, and the weight, as written.
    Server(&'t str, u32, u32),
    /// A socket's path and the weight.
    Socket(&'t str, u32),
    /// How keys are placed, and the hash that is stored beside it.
    Distribution(Distribution, Option<&'static str>),
    Hash(&'static str),
    Namespace(&'t str),
    /// An option without a value, in upper case.
    Switch(&'static str),
    /// An option with a number.
    Number(&'static str, u64),
    /// A file to be read here, or behind all else.
    File(&'static str),
    Reset,
    End,
    /// Whatever changes nothing.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distribution {
    Consistent,
    Modula,
    Random,
}

/// All statements of `text`, up to one that is wrong.
pub(super) fn statements(text: &str) -> impl Iterator<Item = Result<Placed<'_>, ConfigError>> {
    let mut parser = Parser { text, at: 0, line: 1 };
    let (mut is_first, mut is_over) = (true, false);
    core::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let next = parser.next_statement(is_first);
        is_first = false;
        is_over = !matches!(&next, Ok(Some(placed)) if placed.statement != Statement::End);
        next.transpose()
    })
}

/// A word of the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    /// `=`, `,` or a blank.
    Sign(u8),
    Number(u64),
    Port(u32),
    Weight(u32),
    Space,
    Remark,
    /// An option, in upper case, with its sign `=` if it has one.
    Option(&'static str),
    /// Another word that means something by itself, in upper case.
    Keyword(&'static str),
    UnknownOption(&'t str),
    /// A number of IPv4, or anything that looks so.
    Ip(&'t str),
    Name(&'t str),
    Quoted(&'t str),
    Unknown(char),
}

/// Options, as the scanner knows them.
const OPTIONS: &[&str] = &[
    "--SERVER=",
    "--SOCKET=",
    "--BINARY-PROTOCOL",
    "--BUFFER-REQUESTS",
    "--CONFIGURE-FILE=",
    "--CONNECT-TIMEOUT=",
    "--DISTRIBUTION=",
    "--HASH-WITH-NAMESPACE",
    "--HASH=",
    "--IO-BYTES-WATERMARK=",
    "--IO-KEY-PREFETCH=",
    "--IO-MSG-WATERMARK=",
    "--NOREPLY",
    "--NUMBER-OF-REPLICAS=",
    "--POLL-TIMEOUT=",
    "--RANDOMIZE-REPLICA-READ",
    "--RCV-TIMEOUT=",
    "--REMOVE-FAILED-SERVERS=",
    "--RETRY-TIMEOUT=",
    "--SND-TIMEOUT=",
    "--SOCKET-RECV-SIZE=",
    "--SOCKET-SEND-SIZE=",
    "--SORT-HOSTS",
    "--SUPPORT-CAS",
    "--TCP-KEEPALIVE",
    "--TCP-KEEPIDLE",
    "--TCP-NODELAY",
    "--USE-UDP",
    "--USER-DATA",
    "--VERIFY-KEY",
    "--POOL-MIN=",
    "--POOL-MAX=",
    "--NAMESPACE=",
    "--FETCH-VERSION",
];

/// Words that mean something wherever they stand, so that no host can be called so.
const KEYWORDS: &[&str] = &[
    "INCLUDE",
    "RESET",
    "DEBUG",
    "SERVERS",
    "END",
    "CSL_ERROR",
    "TRUE",
    "FALSE",
    "CONSISTENT",
    "MODULA",
    "RANDOM",
    "MD5",
    "CRC",
    "FNV1_64",
    "FNV1A_64",
    "FNV1_32",
    "FNV1A_32",
    "HSIEH",
    "MURMUR",
    "JENKINS",
];

/// The hashes among them, and what the schemes call them.
const HASHES: &[(&str, &str)] = &[
    ("MD5", "md5"),
    ("CRC", "crc"),
    ("FNV1_64", "fnv1_64"),
    ("FNV1A_64", "fnv1a_64"),
    ("FNV1_32", "fnv1_32"),
    ("FNV1A_32", "fnv1a_32"),
    ("HSIEH", "hsieh"),
    ("MURMUR", "murmur"),
    ("JENKINS", "jenkins"),
];

const HASH_NAMES: &str = "MD5, CRC, FNV1_64, FNV1A_64, FNV1_32, FNV1A_32, MURMUR or JENKINS";

/// Whether a line begins with an option, or what is meant to be one.
pub(super) fn begins_with_option(line: &str) -> bool {
    matches!(
        scan(line, 0),
        Some((Token::Option(_) | Token::UnknownOption(_) | Token::Keyword("INCLUDE"), 3..))
    )
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl<'t> Parser<'t> {
    /// The next statement, and whatever must stand before it; nothing at the end of the text.
    fn next_statement(&mut self, is_first: bool) -> Result<Option<Placed<'t>>, ConfigError> {
        match self.peek() {
            None => return Ok(None),
            Some(_) if is_first => {}
            Some((Token::Sign(b' '), _)) => {
                self.advance();
                if self.peek().is_none() {
                    return Err(self.wrong("a blank at the end; take it away"));
                }
            }
            Some(_) => {
                return Err(self.wrong(
                    "no blank before this; libmemcached wants exactly one between two statements, and a new line is none",
                ));
            }
        }
        if let Some((Token::Sign(b' '), _)) = self.peek() {
            let says = if is_first {
                "a blank at the beginning; take it away"
            } else {
                "more than one blank; libmemcached wants exactly one between two statements"
            };
            return Err(self.wrong(says));
        }
        let line = self.line;
        let statement = self.statement()?;
        Ok(Some(Placed { line, statement }))
    }

    fn statement(&mut self) -> Result<Statement<'t>, ConfigError> {
        let token = self.advance();
        match token {
            Some(Token::Remark) => Ok(Statement::Nothing),
            Some(Token::Keyword("END")) => Ok(Statement::End),
            Some(Token::Keyword("RESET")) => Ok(Statement::Reset),
            Some(Token::Keyword("DEBUG")) => Ok(Statement::Nothing),
            Some(Token::Keyword("INCLUDE")) => match (self.advance(), self.advance()) {
                (Some(Token::Sign(b' ')), Some(Token::Name(_) | Token::Quoted(_))) => Ok(Statement::File("INCLUDE")),
                _ => Err(self.wrong("INCLUDE wants a blank and a path in quotes")),
            },
            Some(Token::Option(option)) => self.option(option),
            Some(Token::UnknownOption(name)) => Err(self.wrong(unknown(name))),
            Some(Token::Sign(b',')) => Err(self.wrong("a comma between two statements; write a blank in its place")),
            _ => Err(self.wrong(
                "no statement of libmemcached; it takes --SERVER=HOST:PORT/?WEIGHT, --DISTRIBUTION=… and their like",
            )),
        }
    }

    fn option(&mut self, option: &'static str) -> Result<Statement<'t>, ConfigError> {
        Ok(match option {
            "--SERVER=" => {
                let host = match self.advance() {
                    Some(Token::Ip(host) | Token::Name(host)) => host,
                    Some(Token::Keyword(word)) => {
                        return Err(self.wrong(format!(
                            "{word} is a word of the grammar and no host can be called so; give its address"
                        )));
                    }
                    _ => {
                        return Err(self.wrong(
                            "bad host; --SERVER= takes an IPv4 address or a name of 3 or more letters, digits, `.`, `_` \
                             and `-`, no IPv6 address",
                        ));
                    }
                };
                let port = self.port();
                Statement::Server(host, port, self.weight()?)
            }
            "--SOCKET=" => {
                let path = self.string("--SOCKET=\"/PATH\", in quotes")?;
                if path.is_empty() {
                    return Err(self.wrong("an empty path"));
                }
                Statement::Socket(path, self.weight()?)
            }
            "--DISTRIBUTION=" => {
                let distribution = match self.advance() {
                    Some(Token::Keyword("CONSISTENT")) => Distribution::Consistent,
                    Some(Token::Keyword("MODULA")) => Distribution::Modula,
                    Some(Token::Keyword("RANDOM")) => Distribution::Random,
                    _ => return Err(self.wrong("bad distribution; write consistent, modula or random")),
                };
                let mut hash = None;
                if let Some((Token::Sign(b','), _)) = self.peek() {
                    self.advance();
                    hash = Some(self.hash()?);
                }
                Statement::Distribution(distribution, hash)
            }
            "--HASH=" => Statement::Hash(self.hash()?),
            "--NAMESPACE=" => Statement::Namespace(
                self.string("3 or more letters, or a text in quotes: --NAMESPACE=\"app:\"")?,
            ),
            "--CONFIGURE-FILE=" => {
                self.string("a path in quotes")?;
                Statement::File("--CONFIGURE-FILE")
            }
            _ => match option.strip_suffix('=') {
                None => Statement::Switch(option),
                Some(name) => match self.advance() {
                    Some(Token::Number(number)) => Statement::Number(name, number),
                    _ => return Err(self.wrong(format!("{name} wants a number"))),
                },
            },
        })
    }

    fn port(&mut self) -> u32 {
        match self.peek() {
            Some((Token::Port(port), _)) => {
                self.advance();
                port
            }
            _ => 0,
        }
    }

    fn weight(&mut self) -> Result<u32, ConfigError> {
        match self.peek() {
            Some((Token::Weight(weight), _)) => {
                self.advance();
                Ok(weight)
            }
            Some((Token::Port(_) | Token::Unknown(':'), _)) => {
                self.advance();
                Err(self.wrong(
                    "bad port or weight; a server is HOST:PORT/?WEIGHT, so a weight of 3 is written `/?3`",
                ))
            }
            Some((Token::Sign(b','), _)) => {
                self.advance();
                Err(self.wrong(
                    "several servers in one statement; write --SERVER= for each, with a blank between",
                ))
            }
            Some((Token::Number(_), _)) => {
                self.advance();
                Err(self.wrong("a port or weight of more than five digits"))
            }
            _ => Ok(1),
        }
    }

    fn hash(&mut self) -> Result<&'static str, ConfigError> {
        let name = match self.advance() {
            Some(Token::Keyword(word)) => {
                HASHES.iter().find(|(known, _)| *known == word).map(|(_, name)| *name)
            }
            _ => None,
        };
        match name {
            Some("hsieh") => Err(self.wrong(format!(
                "HSIEH is not in libmemcached as distributions build it, which refuses it; write {HASH_NAMES}"
            ))),
            Some(name) => Ok(name),
            None => Err(self.wrong(format!("bad hash; write {HASH_NAMES}"))),
        }
    }

    fn string(&mut self, expected: &str) -> Result<&'t str, ConfigError> {
        match self.advance() {
            Some(Token::Name(text) | Token::Quoted(text)) => Ok(text),
            _ => Err(self.wrong(format!("bad text; write {expected}"))),
        }
    }

    fn wrong(&self, says: impl Into<String>) -> ConfigError {
        ConfigError::at(self.line, says)
    }

    /// The next token that is no space, and where it ends.
    fn peek(&mut self) -> Option<(Token<'t>, usize)> {
        loop {
            let (token, len) = scan(self.text, self.at)?;
            if token != Token::Space {
                return Some((token, self.at + len));
            }
            self.move_to(self.at + len);
        }
    }

    fn advance(&mut self) -> Option<Token<'t>> {
        let (token, end) = self.peek()?;
        self.move_to(end);
        Some(token)
    }

    fn move_to(&mut self, end: usize) {
        let passed = self.text.as_bytes().get(self.at..end).unwrap_or_default();
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count();
        self.at = end;
    }
}

/// What is said of an option that there is none of.
fn unknown(name: &str) -> String {
    let instead = match name.to_ascii_uppercase().as_str() {
        "--KETAMA" => "; ketama cannot be said in this grammar, and the nearest is --DISTRIBUTION=consistent",
        "--SERVERS" => "; write --SERVER= for each of them",
        "--WEIGHT" => "; a weight stands behind its server, as in --SERVER=HOST/?3",
        "--REMOVE" => "; it is --REMOVE-FAILED-SERVERS=1",
        _ => "",
    };
    format!("libmemcached has no option that begins with {name:?} and goes on so{instead}")
}

/// The longest token at `at`, the first of several of one length, and its length.
fn scan<'t>(text: &'t str, at: usize) -> Option<(Token<'t>, usize)> {
    let rest = text.get(at..)?;
    let bytes = rest.as_bytes();
    let first = rest.chars().next()?;
    let mut best: (Token<'t>, usize) = match first {
        '=' | ',' | ' ' => (Token::Sign(bytes[0]), 1),
        '\t' | '\r' | '\n' => (Token::Space, 1),
        _ => (Token::Unknown(first), 0),
    };
    let mut take = |token: Token<'t>, len: usize| {
        if len > best.1 {
            best = (token, len);
        }
    };
    let digits = digits(bytes);
    take(Token::Number(number(rest, 0, digits)), digits);
    if first == ':' {
        let digits = self::digits(&bytes[1..]).min(5);
        take(Token::Port(number(rest, 1, digits) as u32), if digits == 0 { 0 } else { 1 + digits });
    }
    if rest.starts_with("/?") {
        let digits = self::digits(&bytes[2..]).min(5);
        take(Token::Weight(number(rest, 2, digits) as u32), if digits == 0 { 0 } else { 2 + digits });
    }
    let begins_line = at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n');
    if first == '#' && begins_line {
        take(Token::Remark, rest.find('\n').unwrap_or(0));
    }
    for option in OPTIONS.iter().filter(|option| begins(bytes, option)) {
        take(Token::Option(option), option.len());
    }
    for word in KEYWORDS.iter().filter(|word| begins(bytes, word)) {
        take(Token::Keyword(word), word.len());
    }
    if rest.starts_with("--") {
        let len = 2 + bytes[2..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        take(Token::UnknownOption(&rest[..len]), len);
    }
    if let Some(len) = ip(bytes) {
        take(Token::Ip(&rest[..len]), len);
    }
    if let Some(len) = name(bytes) {
        take(Token::Name(&rest[..len]), len);
    }
    if let Some(len) = quoted(bytes) {
        take(Token::Quoted(&rest[1..len - 1]), len);
    }
    match best {
        (token, 0) => Some((token, first.len_utf8())),
        found => Some(found),
    }
}

fn begins(bytes: &[u8], word: &str) -> bool {
    bytes.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn number(text: &str, from: usize, len: usize) -> u64 {
    text.get(from..from + len).and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX)
}

/// Four numbers of up to three digits with points between.
fn ip(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    for part in 0..4 {
        if part > 0 {
            (bytes.get(at) == Some(&b'.')).then_some(())?;
            at += 1;
        }
        let len = digits(&bytes[at..]).min(3);
        (len > 0).then_some(())?;
        at += len;
    }
    Some(at)
}

/// Three or more letters, of which the first and the last are alphanumeric. A quote within is a letter to the scanner, too.
fn name(bytes: &[u8]) -> Option<usize> {
    bytes.first().filter(|byte| byte.is_ascii_alphanumeric())?;
    let is_letter = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._-\"".contains(byte);
    let len = bytes.iter().take_while(is_letter).count();
    let len = 1 + bytes[..len].iter().rposition(u8::is_ascii_alphanumeric)?;
    (len >= 3).then_some(len)
}

/// A text in quotes, in which a backslash takes the next character with it.
fn quoted(bytes: &[u8]) -> Option<usize> {
    bytes.first().filter(|&&byte| byte == b'"')?;
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}
