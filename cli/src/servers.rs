//! Servers from files and options. What a text says is for the clients' own reader to say, so that `where` and `get` agree.

use memring_client::spec::{Entry, ServerSpec, ServerSpecError, ServerSpecProblem as Problem, entries};
use memring_core::{AsServer, Server, Weight};

use crate::{
    failure::Failure,
    input::{Input, Longest},
};

/// The servers of one or several commands' arguments.
#[derive(Debug, clap::Args)]
#[group(id = "server list", multiple = false)]
pub(crate) struct ServerArgs {
    /// A file with one server a line or several with commas between; what follows a `#` is a remark; `-` is standard
    /// input.
    #[arg(long, value_name = "FILE")]
    servers: Option<String>,

    /// A server, such as `cache1`, `10.0.0.1:11211`, `"10.0.0.1:11211 WEIGHT"`, `[::1]:11211`, `/SOCKET`, `NAME=ADDRESS`
    /// or `memcached://HOST`, or several with commas between; may be given several times.
    #[arg(long = "server", value_name = "SERVER")]
    server: Vec<String>,
}

/// How names are read.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct NameArgs {
    /// Takes as a server's name whatever stands before its weight, also what no address could be, such as
    /// `cache1/10.0.0.1:11211`: as vector files have them.
    #[arg(long)]
    names_as_written: bool,
}

/// A server to place keys on, and where it was read.
#[derive(Clone, Debug)]
pub(crate) struct NamedServer {
    pub(crate) name: String,
    pub(crate) weight: Weight,
    pub(crate) place: String,
}

impl AsServer for NamedServer {
    fn as_server(&self) -> Server<'_> {
        Server { name: &self.name, weight: self.weight }
    }
}

impl NamedServer {
    /// The server that was read at `place`.
    pub(crate) fn new(server: Server<'_>, place: String) -> Self {
        Self { name: server.name.to_owned(), weight: server.weight, place }
    }
}

impl NameArgs {
    /// The servers of a file.
    pub(crate) fn servers_of(self, file: &Input) -> Result<Vec<NamedServer>, Failure> {
        self.named(&[Text::of_file(file)?])
    }

    fn named(self, texts: &[Text<'_>]) -> Result<Vec<NamedServer>, Failure> {
        read(texts, |entry, place| {
            if self.names_as_written {
                return Ok(NamedServer::new(entry.as_written()?, place));
            }
            Ok(NamedServer::new(entry.read()?.as_server(), place))
        })
    }
}

impl ServerArgs {
    /// Whether the servers come from standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.servers.as_deref() == Some("-")
    }

    /// The servers, to place keys on.
    pub(crate) fn named(&self, names: NameArgs) -> Result<Vec<NamedServer>, Failure> {
        match &self.servers {
            Some(path) => names.servers_of(&Input::read(path, Longest::SERVER)?),
            None => names.named(&self.options()?),
        }
    }

    /// The servers, to talk to.
    pub(crate) fn specs(&self) -> Result<Vec<ServerSpec>, Failure> {
        let spec = |entry: &Entry<'_>, _| entry.read();
        match &self.servers {
            Some(path) => read(&[Text::of_file(&Input::read(path, Longest::SERVER)?)?], spec),
            None => read(&self.options()?, spec),
        }
    }

    fn options(&self) -> Result<Vec<Text<'_>>, Failure> {
        if self.server.is_empty() {
            return Err(Failure::usage("no servers: give them with --servers FILE or --server NAME"));
        }
        let mut texts = Vec::new();
        for (number, text) in (1..).zip(&self.server) {
            let place = format!("--server number {number}");
            if text.trim().is_empty() {
                return Err(Failure::usage(format_args!(
                    "{place}: {}",
                    ServerSpecError::from(Problem::Empty)
                )));
            }
            texts.push(Text { place, text });
        }
        Ok(texts)
    }
}

/// A text that has servers, and what it is called.
struct Text<'t> {
    place: String,
    text: &'t str,
}

impl<'t> Text<'t> {
    fn of_file(file: &'t Input) -> Result<Self, Failure> {
        Ok(Self { place: file.name().to_owned(), text: file.text()? })
    }
}

/// The servers of `texts`, as `make` makes them of their entries and their places.
fn read<T>(
    texts: &[Text<'_>],
    mut make: impl FnMut(&Entry<'_>, String) -> Result<T, ServerSpecError>,
) -> Result<Vec<T>, Failure> {
    let mut servers = Vec::new();
    for Text { place, text } in texts {
        let wrong = |error: ServerSpecError| match error.line() {
            Some(_) => Failure::usage(format_args!("{place} {error}")),
            None => Failure::usage(format_args!("{place}: {error}")),
        };
        let has_lines = text.contains('\n');
        for entry in entries(text).map_err(wrong)? {
            let place = if has_lines { format!("{place} line {}", entry.line()) } else { place.clone() };
            servers.push(make(&entry, place).map_err(wrong)?);
        }
    }
    match (servers.is_empty(), texts.first()) {
        (true, Some(Text { place, .. })) => Err(Failure::usage(format_args!("{place}: no servers"))),
        _ => Ok(servers),
    }
}
