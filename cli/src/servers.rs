//! Servers from files and options. What a text says is for the clients' own reader to say, so that `where` and `get` agree.

use memring_client::spec::{Entry, ServerSpec, ServerSpecError, ServerSpecProblem as Problem, entries};
use memring_core::{AsServer, Server, Weight, peers::libmemcached};
use memring_std::{Client, Config};

use crate::{
    failure::Failure,
    input::{Input, Longest},
    settings::{SERVERS_VARIABLE, Settings},
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
    /// Takes whatever stands before the weight as the server's name, even if it cannot be an address, such as
    /// `cache1/10.0.0.1:11211`. Vector files have such names.
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

    /// The servers of a configuration file or of the environment.
    pub(crate) fn servers_of_settings(self, settings: &Settings) -> Result<Vec<NamedServer>, Failure> {
        let Some(file) = &settings.file else { return self.named(&[Text::of_environment(settings)?]) };
        let found;
        let servers = match file.said.discovery() {
            Some(_) => {
                found = found_out(settings.config()?)?;
                &found
            }
            None => file.said.servers(),
        };
        if servers.is_empty() {
            return self.named(&[Text::of_environment(settings)?]);
        }
        let named = |(number, spec): (usize, &ServerSpec)| {
            NamedServer::new(spec.as_server(), format!("{} server {number}", file.name))
        };
        Ok((1..).zip(servers).map(named).collect())
    }

    /// The servers that were given with `option`, such as `--add`.
    pub(crate) fn servers_given(self, option: &str, given: &[String]) -> Result<Vec<NamedServer>, Failure> {
        self.named(&texts(option, given)?)
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

    /// Whether the command line says servers.
    pub(crate) fn are_given(&self) -> bool {
        self.servers.is_some() || !self.server.is_empty()
    }

    /// The servers, to place keys on: of the command line, else of `settings`.
    pub(crate) fn named(&self, names: NameArgs, settings: &Settings) -> Result<Vec<NamedServer>, Failure> {
        match &self.servers {
            Some(path) => names.servers_of(&Input::read("--servers", path, Longest::SERVER)?),
            None if self.are_given() => names.named(&self.options()?),
            None => names.servers_of_settings(settings),
        }
    }

    /// The servers of the command line, to talk to; `None` if it names none.
    pub(crate) fn specs(&self) -> Result<Option<Vec<ServerSpec>>, Failure> {
        match &self.servers {
            Some(path) => {
                specs(&[Text::of_file(&Input::read("--servers", path, Longest::SERVER)?)?]).map(Some)
            }
            None if self.are_given() => specs(&self.options()?).map(Some),
            None => Ok(None),
        }
    }

    fn options(&self) -> Result<Vec<Text<'_>>, Failure> {
        texts("--server", &self.server)
    }
}

/// The texts that were given with `option`.
fn texts<'t>(option: &str, given: &'t [String]) -> Result<Vec<Text<'t>>, Failure> {
    let texts = (1..).zip(given).map(|(number, text)| {
        let place = format!("{option} number {number}");
        match text.trim() {
            "" => Err(Failure::usage(format_args!("{place}: {}", ServerSpecError::from(Problem::Empty)))),
            _ => Ok(Text { place, text }),
        }
    });
    texts.collect()
}

/// The servers of texts, to talk to.
fn specs(texts: &[Text<'_>]) -> Result<Vec<ServerSpec>, Failure> {
    read(texts, |entry, _| entry.read())
}

/// The servers that the source of `config` tells of now.
pub(crate) fn found_out(config: Config) -> Result<Vec<ServerSpec>, Failure> {
    // Placing keys is another's task, by another scheme perhaps.
    let mut config = config;
    config.scheme = libmemcached::MODULA.into();
    config.gutter.clear();
    let client = Client::discover(config)?;
    Ok(client.servers().into_iter().map(|server| server.spec).collect())
}

/// The servers of the environment, to talk to.
pub(crate) fn specs_of_environment(settings: &Settings) -> Result<Vec<ServerSpec>, Failure> {
    specs(&[Text::of_environment(settings)?])
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

    fn of_environment(settings: &'t Settings) -> Result<Self, Failure> {
        let Some(text) = &settings.listed else {
            return Err(Failure::usage(match &settings.file {
                Some(file) => format!(
                    "{}: no servers; write servers = [\"HOST:PORT\"], or give --server NAME",
                    file.name
                ),
                None => format!(
                    "no servers: give them with --servers FILE or --server NAME, by a file with --config FILE or in \
                     ./memring.toml, or in {SERVERS_VARIABLE}"
                ),
            }));
        };
        Ok(Self { place: SERVERS_VARIABLE.to_owned(), text })
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
