//! The arguments that say which scheme and which servers, for every command that places keys.

use core::fmt;

use clap::Args;
use memring_core::{
    AsServer as _, BuildError, Placement, Scheme, Server, ServerIndex, peers::SchemeError, storage::Boxed,
};

use crate::{
    failure::Failure,
    schemes,
    servers::NamedServer,
    settings::{Settings, SettingsArgs},
};

/// A built placement.
pub(crate) type Placed<'a> = Placement<'a, Vec<Server<'a>>, Boxed>;

#[derive(Debug, Args)]
pub(crate) struct SchemeArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,

    /// Whose placement to use; `memring schemes` lists them all.
    #[arg(long, value_name = "NAME")]
    scheme: Option<String>,

    /// An option of the scheme, such as `hash=md5`, beside those of the configuration file if that names the scheme; may be
    /// given several times.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = assignment)]
    options: Vec<String>,
}

/// A scheme by its name, and its options.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice<'a> {
    pub(crate) name: &'a str,
    pub(crate) options: Vec<(&'a str, &'a str)>,
}

impl SchemeArgs {
    /// The scheme that was chosen: on the command line, else by `settings`.
    pub(crate) fn choice<'a>(&'a self, settings: &'a Settings) -> Result<Choice<'a>, Failure> {
        self.chosen(settings)?.ok_or_else(|| {
            Failure::usage(format_args!(
                "no scheme: give one with --scheme NAME; `memring schemes` lists them all{}",
                settings.advice()
            ))
        })
    }

    /// The scheme that was chosen, if one was.
    pub(crate) fn chosen<'a>(&'a self, settings: &'a Settings) -> Result<Option<Choice<'a>>, Failure> {
        let own = options("--option", &self.options)?;
        if let Some(name) = &self.scheme {
            return Ok(Some(Choice { name, options: own }));
        }
        let file = settings.file.as_ref().map(|file| &file.said);
        let of_file = file.and_then(|file| Some((file.scheme()?, file.options())));
        Ok(of_file.map(|(name, options)| Choice { name, options: options.chain(own).collect() }))
    }

    /// The scheme that was chosen, or `name`, with the options of the command line.
    pub(crate) fn chosen_or<'a>(
        &'a self,
        settings: &'a Settings,
        name: &'a str,
    ) -> Result<Choice<'a>, Failure> {
        match self.chosen(settings)? {
            Some(choice) => Ok(choice),
            None => Ok(Choice { name, options: options("--option", &self.options)? }),
        }
    }
}

/// An option as it must be written.
pub(crate) fn assignment(written: &str) -> Result<String, &'static str> {
    if written.contains('=') { Ok(written.to_owned()) } else { Err("not NAME=VALUE") }
}

/// Options as they are written, `name=value`, each behind `argument`.
///
/// # Errors
/// One name has two values: whoever wrote them means one, and nobody knows which.
pub(crate) fn options<'a>(argument: &str, written: &'a [String]) -> Result<Vec<(&'a str, &'a str)>, Failure> {
    let options: Vec<_> = written.iter().map(String::as_str).map(option).collect();
    for (number, (name, value)) in options.iter().enumerate() {
        if let Some((_, other)) = options[..number].iter().find(|(other, _)| other == name) {
            let says = format!("{argument} {name} is given twice, {other:?} and {value:?}; leave one out");
            return Err(Failure::usage(says));
        }
    }
    Ok(options)
}

fn option(written: &str) -> (&str, &str) {
    written.split_once('=').unwrap_or((written, ""))
}

impl<'a> Choice<'a> {
    /// Reads a name, and options behind it, separated by blanks.
    pub(crate) fn parse(text: &'a str) -> Self {
        let mut words = text.split_ascii_whitespace();
        let name = words.next().unwrap_or_default();
        Self { name, options: words.map(option).collect() }
    }

    /// The scheme.
    pub(crate) fn scheme(&self) -> Result<Scheme<'a>, Failure> {
        let Self { name, options } = self;
        Scheme::named(name, options.iter().copied(), |value| value).map_err(|error| match error {
            SchemeError::Unknown { .. } => schemes::unknown(name),
            SchemeError::Option { option, error } => {
                let value =
                    options.iter().rev().find(|(name, _)| *name == option).map_or("", |(_, value)| value);
                Failure::usage(format_args!("{name}: option {option}={value}: {error}"))
            }
            _ => Failure::usage(format_args!("{name}: {error}")),
        })
    }
}

impl fmt::Display for Choice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.options.iter().try_for_each(|(option, value)| write!(f, " {option}={value}"))
    }
}

/// Builds the placement of `scheme` for `servers`.
pub(crate) fn build<'a>(scheme: Scheme<'a>, servers: &'a [NamedServer]) -> Result<Placed<'a>, Failure> {
    let list = servers.iter().map(NamedServer::as_server).collect();
    Placement::owned(scheme, list).map_err(|error| match error {
        BuildError::Weight { index, expected } => {
            let place = servers.get(index).map_or("", |placed| &placed.place);
            Failure::usage(format_args!("{place}: bad weight; {} takes {expected}", scheme.name))
        }
        _ => Failure::usage(format_args!("{}: {error}", scheme.name)),
    })
}

/// The indexes of the servers.
pub(crate) fn indexes(placement: &Placed<'_>) -> impl Iterator<Item = ServerIndex> + use<> {
    (0..=u16::MAX).map(ServerIndex::new).take(placement.servers().len())
}
