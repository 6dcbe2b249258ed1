//! Errors of texts that should be servers: where the fault is, what it is, and what to write instead. Never a password.

use core::{error, fmt};

use super::url;

/// A text that is not a server.
///
/// It shows the text, except for what may hold a password: of a URL it shows only the scheme, of a text with a `@`
/// nothing, and parameters never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSpecError {
    problem: ServerSpecProblem,
    /// The part of the text that may be shown.
    shown: Option<String>,
    line: Option<usize>,
    number: Option<usize>,
}

impl ServerSpecError {
    /// `text` has `problem`.
    pub(super) fn of(problem: ServerSpecProblem, text: &str) -> Self {
        Self::within(problem, text, text)
    }

    /// `text` has `problem`. It is a part of `whole`, which may have a password in it.
    pub(super) fn within(problem: ServerSpecProblem, text: &str, whole: &str) -> Self {
        Self { problem, shown: shown(text, whole), line: None, number: None }
    }

    /// The error where `count` other servers stand before the text.
    #[must_use]
    pub(super) fn behind(self, count: usize) -> Self {
        Self { number: Some(count.saturating_add(self.number.unwrap_or(1))), ..self }
    }

    #[must_use]
    pub(super) fn in_line(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The fault.
    #[must_use]
    pub const fn problem(&self) -> ServerSpecProblem {
        self.problem
    }

    /// The number of its line, from 1, where there are several.
    #[must_use]
    pub const fn line(&self) -> Option<usize> {
        self.line
    }

    /// The number of the server, from 1, where there are several.
    #[must_use]
    pub const fn number(&self) -> Option<usize> {
        self.number
    }
}

impl From<ServerSpecProblem> for ServerSpecError {
    fn from(problem: ServerSpecProblem) -> Self {
        Self { problem, shown: None, line: None, number: None }
    }
}

/// The part of `text` that may be shown; `text` is a part of `whole`.
fn shown(text: &str, whole: &str) -> Option<String> {
    match text.find("://") {
        Some(end) => {
            let before = text.get(..end).unwrap_or_default();
            let before = before.rsplit_once('=').map_or(before, |(_, scheme)| scheme);
            let is_known = url::SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(before));
            (is_known || !whole.contains('@')).then(|| format!("{}://…", shortened(before)))
        }
        None if whole.contains('@') || text.is_empty() => None,
        None => {
            // Parameters may hold a password, too.
            let (text, more) = text.split_once('?').map_or((text, ""), |(text, _)| (text, "?…"));
            Some(format!("{:?}", shortened(text) + more))
        }
    }
}

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN).and_then(|(at, _)| text.get(..at)) {
        Some(beginning) => format!("{beginning}…"),
        None => text.to_owned(),
    }
}

/// How many letters of a text are shown.
const SHOWN: usize = 80;

/// What is wrong with a text that should be a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerSpecProblem {
    /// There is nothing where a server should be.
    Empty,
    /// There are several servers where one should be.
    Several,
    /// There are more than a placement can have.
    TooMany,
    /// What stands before the `=` is no name.
    Name,
    /// The host is empty or invalid.
    Host,
    /// The port is not a number from 1 to 65535.
    Port,
    /// The weight is not a number from zero up.
    Weight,
    /// An IPv6 address does not stand in brackets.
    Brackets,
    /// Something follows the weight.
    Trailing,
    /// The path of a socket is invalid, or has letters that mean something else.
    Path,
    /// A semicolon stands between servers.
    Semicolon,
    /// A remark in the midst of a list hides further servers.
    Remark,
    /// A parameter stands behind what is no URL.
    Query,
    /// A user or password stands before what is no URL that can have one.
    Login,
    /// The URL has another scheme than those that are known.
    Scheme,
    /// A URL stands where a name is to be taken as it is written.
    UrlName,
    /// The URL has more than a host, a port and a weight.
    UrlPath,
    /// The URL has another parameter than the weight.
    Parameter,
    /// The URL's user or password is invalid.
    Credentials,
    /// A percent sign is not followed by two hexadecimal digits.
    Percent,
}

impl ServerSpecProblem {
    /// What is wrong, and what to write instead.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Empty => ("no server", "write HOST:PORT, or leave the comma out"),
            Self::Several => ("several servers", "give each by itself"),
            Self::TooMany => ("more than 65535 servers", "give fewer"),
            Self::Name => ("bad name before the '='", "a name has 1 to 512 bytes without blanks and quotes"),
            Self::Host => ("bad host", "write a name, an IPv4 address, or an IPv6 address in brackets"),
            Self::Port => ("bad port", "write a number from 1 to 65535 behind the colon"),
            Self::Weight => (
                "bad weight",
                "write a number from 0 to 4294967295, as in \"HOST:PORT 2\", and commas between servers",
            ),
            Self::Brackets => ("IPv6 address without its brackets", "write [::1]:11211"),
            Self::Trailing => (
                "more than an address and a weight",
                "write \"HOST:PORT WEIGHT\", and commas between servers",
            ),
            Self::Path => (
                "bad socket path",
                "write /PATH, or \"/PATH WEIGHT\", or unix:///PATH with %NN for letters other than a-z 0-9 - _ . /",
            ),
            Self::Semicolon => ("semicolon", "write commas between servers"),
            Self::Remark => {
                ("remark with a comma in the midst of a list", "leave out what is not to be read")
            }
            Self::Query => {
                ("parameter without a URL", "write \"HOST:PORT 2\" or memcached://HOST:PORT?weight=2")
            }
            Self::Login => (
                "'@' where no password can be",
                "write memcached://USER:PASSWORD@HOST:PORT, with %2C for a comma and %40 for a '@' in them",
            ),
            Self::Scheme => {
                ("unknown scheme", "write memcached://, memcacheds:// (TLS), tcp:// or unix:///PATH")
            }
            Self::UrlName => ("URL in place of a name", "write what the other clients call the server"),
            Self::UrlPath => (
                "more than host and port",
                "write memcached://HOST:PORT?weight=2 or unix:///PATH, and in passwords %2F for '/', %3F for '?', %23 for '#'",
            ),
            Self::Parameter => ("unknown parameter", "write ?weight=2, which is the only one"),
            Self::Credentials => (
                "bad user or password",
                "write memcached://USER:PASSWORD@HOST, 254 bytes without blanks at most, with %2F for '/', %3F for '?', %23 for '#', %25 for '%'",
            ),
            Self::Percent => {
                ("bad percent sign", "write two hexadecimal digits behind it, or %25 for itself")
            }
        }
    }
}

impl fmt::Display for ServerSpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.number) {
            (Some(line), Some(number)) => write!(f, "line {line}, server {number}: ")?,
            (Some(line), None) => write!(f, "line {line}: ")?,
            (None, Some(number)) => write!(f, "server {number}: ")?,
            (None, None) => {}
        }
        let (problem, advice) = self.problem.words();
        f.write_str(problem)?;
        if let Some(shown) = &self.shown {
            write!(f, " in {shown}")?;
        }
        write!(f, "; {advice}")
    }
}

impl error::Error for ServerSpecError {}
