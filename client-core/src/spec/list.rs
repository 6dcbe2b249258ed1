//! Texts that may have several servers, with lines, commas, blanks and remarks.

use core::{convert::Infallible, fmt, net::SocketAddr, str::FromStr};
use std::vec;

use memring_core::{Server, ServerIndex, Weight};

use super::{Address, ServerSpec, ServerSpecError, ServerSpecProblem as Problem, word};

/// A list of servers, read from a text or made of other types that stand for servers. Builders of clients take it.
///
/// The [module](super) has the grammar.
///
/// ```
/// use memring_client::spec::ServerList;
///
/// let list: ServerList = "10.0.0.1:11211, 10.0.0.2:11211 2 # the large one".parse()?;
/// let names: Vec<_> = list.into_iter().map(|server| server.name().to_owned()).collect();
/// assert_eq!(names, ["10.0.0.1:11211", "10.0.0.2:11211"]);
/// # Ok::<(), memring_client::spec::ServerSpecError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerList(Vec<ServerSpec>);

impl FromStr for ServerList {
    type Err = ServerSpecError;

    /// A text of remarks alone has no servers; an empty text is an error.
    fn from_str(text: &str) -> Result<Self, ServerSpecError> {
        if text.trim().is_empty() {
            return Err(Problem::Empty.into());
        }
        Ok(Self(entries(text)?.iter().map(Entry::read).collect::<Result<_, _>>()?))
    }
}

impl IntoIterator for ServerList {
    type Item = ServerSpec;
    type IntoIter = vec::IntoIter<ServerSpec>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<ServerSpec> for ServerList {
    fn from(spec: ServerSpec) -> Self {
        Self(vec![spec])
    }
}

macro_rules! read_from {
    ($($text:ty),*) => {$(
        impl TryFrom<$text> for ServerList {
            type Error = ServerSpecError;

            fn try_from(text: $text) -> Result<Self, ServerSpecError> {
                text.parse()
            }
        }
    )*};
}

read_from!(&str, &&str, String, &String);

impl TryFrom<SocketAddr> for ServerList {
    type Error = ServerSpecError;

    fn try_from(addr: SocketAddr) -> Result<Self, ServerSpecError> {
        addr.to_string().parse()
    }
}

/// One server of a text, not read yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry<'t> {
    word: &'t str,
    weight: Option<&'t str>,
    place: Place<'t>,
}

/// Where an entry stands.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place<'t> {
    /// The whole line, which says whether there may be a password in it.
    text: &'t str,
    /// The number of the line from 1, and whether it is one of several.
    line: usize,
    has_lines: bool,
    /// The number within the line from 1, and whether it is one of several.
    number: usize,
    has_others: bool,
}

impl Place<'_> {
    fn error(&self, problem: Problem, shown: &str) -> ServerSpecError {
        let error = ServerSpecError::within(problem, shown, self.text);
        let error = if self.has_others { error.behind(self.number.saturating_sub(1)) } else { error };
        if self.has_lines { error.in_line(self.line) } else { error }
    }
}

impl<'t> Entry<'t> {
    /// The number of its line, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.place.line
    }

    /// Reads the server.
    ///
    /// # Errors
    /// [`ServerSpecError`]: the text is invalid.
    pub fn read(&self) -> Result<ServerSpec, ServerSpecError> {
        word::read(self.word, self.weight).map_err(|problem| self.error(problem))
    }

    /// The server, with the text as its name even if it is no address: for names that other clients have given their
    /// servers. Only the weight, behind a blank, is read.
    ///
    /// # Errors
    /// [`ServerSpecError`]: the weight is invalid, or a password stands in its place.
    pub fn as_written(&self) -> Result<Server<'t>, ServerSpecError> {
        // Nobody calls a server so, and there may be a password in it.
        if self.word.contains("memcached://") || self.word.contains("memcacheds://") {
            return Err(self.error(Problem::UrlName));
        }
        if self.word.rsplit_once('@').is_some_and(|(login, _)| login.contains(':')) {
            return Err(self.error(Problem::Login));
        }
        let weight = match self.weight {
            Some(weight) => Weight::parse(weight).ok_or_else(|| self.error(Problem::Weight))?,
            None => Weight::default(),
        };
        Ok(Server { name: self.word, weight })
    }

    fn error(&self, problem: Problem) -> ServerSpecError {
        let shown = match self.weight {
            Some(weight) => format!("{} {weight}", self.word),
            None => self.word.to_owned(),
        };
        self.place.error(problem, &shown)
    }
}

/// Without the text: there may be a password in it.
impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, number, .. } = self.place;
        f.debug_struct("Entry").field("line", &line).field("number", &number).finish_non_exhaustive()
    }
}

/// Divides a text into its servers, which are not read yet: for callers that must know where each of them stands.
///
/// # Errors
/// [`ServerSpecError`] when the text cannot be divided into servers and remarks.
pub fn entries(text: &str) -> Result<Vec<Entry<'_>>, ServerSpecError> {
    let has_lines = text.contains('\n');
    let mut entries = Vec::new();
    for (line, text) in (1..).zip(text.split('\n')) {
        // What some editors put before a file is no part of the first name.
        let text = text.trim_start_matches('\u{feff}');
        let first = entries.len();
        let place = Place { text, line, has_lines, number: 1, has_others: false };
        read_line(place, &mut entries)?;
        if entries.len() > ServerIndex::MAX_SERVERS {
            return Err(place.error(Problem::TooMany, ""));
        }
        let has_others = entries.len() > first + 1;
        for (number, entry) in (1..).zip(entries.iter_mut().skip(first)) {
            entry.place = Place { number, has_others, ..place };
        }
    }
    Ok(entries)
}

/// Adds the entries of the line of `place`.
fn read_line<'t>(place: Place<'t>, entries: &mut Vec<Entry<'t>>) -> Result<(), ServerSpecError> {
    let text = without_remark(place.text).map_err(|problem| place.error(problem, place.text))?;
    if text.trim_ascii().is_empty() {
        return Ok(());
    }
    let text = text.trim_ascii_end();
    // A list may go on in the next line.
    let parts: Vec<_> = text.strip_suffix(',').unwrap_or(text).split(',').collect();
    let has_others = parts.len() > 1;
    let first = entries.len();
    for part in parts {
        let place = Place { number: entries.len() - first + 1, has_others, ..place };
        let mut words = part.split_ascii_whitespace();
        let word = words.next().ok_or_else(|| place.error(Problem::Empty, text))?;
        entries.push(Entry { word, weight: None, place });
        for word in words {
            match entries.last_mut() {
                Some(last) if !is_server(word) && last.weight.is_none() => last.weight = Some(word),
                Some(last) if !is_server(word) => {
                    return Err(last.place.error(Problem::Trailing, part.trim_ascii()));
                }
                _ => entries.push(Entry { word, weight: None, place }),
            }
        }
    }
    Ok(())
}

/// What stands before a remark.
fn without_remark(line: &str) -> Result<&str, Problem> {
    let begins = |&(at, _): &(usize, &str)| {
        let before = line.get(..at).unwrap_or_default();
        before.is_empty() || before.ends_with(|letter: char| letter.is_ascii_whitespace() || letter == ',')
    };
    let Some((text, remark)) =
        line.match_indices('#').find(begins).and_then(|(at, _)| line.split_at_checked(at))
    else {
        return Ok(line);
    };
    // Of `a,#b,c` nobody knows whether the writer still wants `c`.
    let is_server = remark.strip_prefix('#').is_some_and(|rest| !rest.starts_with([' ', '\t', '#']));
    if text.trim_ascii_end().ends_with(',') && is_server && remark.contains(',') {
        return Err(Problem::Remark);
    }
    Ok(text)
}

/// Whether a word behind a blank is meant to be a server, and not the weight of the one before it.
fn is_server(word: &str) -> bool {
    let has_name = word.contains('.') && word.starts_with(char::is_alphabetic);
    word.contains([':', '/', '='])
        || has_name
        || word.matches('.').count() == 3 && Address::read(word).is_ok()
}

impl From<Infallible> for ServerSpecError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
