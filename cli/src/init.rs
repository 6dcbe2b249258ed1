//! `memring init`: writes a configuration file to begin with.

use std::path::Path;

use memring::configs::Reading;
use memring_std::ServerSpec;

use crate::{
    doctor,
    failure::{Failure, Outcome},
    output,
    scheme_args::{Choice, assignment, options},
    servers::ServerArgs,
    settings::HERE,
    written::Written,
};

/// Writes a configuration file for all other commands and for the clients, with a comment on every key.
///
/// Servers and scheme are those of the options, or of another client's configuration. A file that is there already stays,
/// unless --force is given.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The file to write; `-` is standard output.
    #[arg(value_name = "FILE", default_value = HERE)]
    file: String,

    #[command(flatten)]
    servers: ServerArgs,

    /// Whose placement to use; `memring schemes` lists them all.
    #[arg(long, value_name = "NAME")]
    scheme: Option<String>,

    /// An option of the scheme, such as `hash=md5`; may be given several times.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = assignment, requires = "scheme")]
    options: Vec<String>,

    /// Servers and scheme of another client's configuration, as `memring doctor` reads it.
    #[arg(long, value_name = "SOURCE", conflicts_with = "scheme", allow_hyphen_values = true)]
    from: Option<String>,

    /// The kind of the other configuration; `memring doctor --list` has all.
    #[arg(long, value_name = "NAME", requires = "from")]
    kind: Option<String>,

    /// The pool, cache or upstream of the other configuration, if it has several.
    #[arg(long, value_name = "NAME", requires = "from")]
    pool: Option<String>,

    /// Replaces a file that is there.
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "Examples:
  memring init --server 10.0.0.1:11211,10.0.0.2:11211 --scheme twemproxy-ketama
  memring init --from nutcracker.yml --pool main
  memring init --from php.ini --server 10.0.0.1 cache.toml";

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let given = args.servers.specs()?.unwrap_or_default();
    if given.iter().any(|spec| spec.credentials().is_some()) {
        return Err(Failure::usage(
            "a password in a server's URL; leave USER:PASSWORD@ out, and say in the file where it is, by auth = …",
        ));
    }
    let reading = args.from.as_deref().map(|source| read(args, source, &given)).transpose()?;
    let choice = match (&reading, &args.scheme) {
        (Some(reading), _) => Some(doctor::choice(reading)?),
        (None, Some(name)) => Some(Choice { name, options: options("--option", &args.options)? }),
        (None, None) => None,
    };
    if let Some(choice) = &choice {
        choice.scheme()?;
    }
    let written = match &reading {
        Some(reading) => doctor::written(reading).ok_or_else(|| Failure::usage(doctor::UNWRITTEN))?,
        None => {
            let Choice { name, options } = choice.unwrap_or_default();
            let scheme = Some(name).filter(|name| !name.is_empty());
            Written { scheme, options, servers: given, namespace: "" }
        }
    };
    let text = written.explained();
    if args.file == "-" {
        output::print(&text)?;
        return Ok(Outcome::Fine);
    }
    output::write_whole(Path::new(&args.file), &text, args.force)?;
    reading.iter().for_each(|reading| doctor::tell_of_traps(reading, |_| true));
    output::print(&format!("wrote {}\n", args.file))?;
    Ok(Outcome::Fine)
}

/// Another client's configuration, with the servers that it cannot have.
fn read(args: &Args, source: &str, given: &[ServerSpec]) -> Result<Reading, Failure> {
    let servers: Vec<_> = given.iter().map(ServerSpec::to_string).collect();
    doctor::one(source, args.kind.as_deref(), args.pool.as_deref(), &servers)
}
