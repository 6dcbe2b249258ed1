//! `memring doctor`: what another client's configuration means.

use std::borrow::Cow;

use memring::configs::{ConfigError, KINDS, Kind, Reading};
use memring_client::{
    file::ConfigFile,
    spec::{Entry, ServerSpec, entries},
};
use memring_core::Server;

use crate::{
    failure::{self, Failure, Outcome},
    key_file::KeyFile,
    locate::{self, Format, KeySource},
    near, output,
    scheme_args::{Choice, Placed, build},
    servers::NamedServer,
    visible::Visible,
    written::Written,
};

mod against;
mod ping;
mod report;
mod source;
mod traps;
mod where_line;

use source::Source;

/// Reads another client's configuration: which scheme, options and servers it means, and what to mind.
///
/// SOURCE is a file, `-` for standard input, or the text itself. What reads it is seen from the text, or named by --kind:
/// option strings of libmemcached, php.ini, PHP's classes, Laravel, Symfony, Django and the clients of Python, Rails and Dalli,
/// spymemcached and xmemcached, gomemcache, the clients of Node, twemproxy, nginx, mcrouter, memcached's proxy, .env files,
/// memring.toml.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The configuration: a file, `-` for standard input, or the text itself.
    #[arg(value_name = "SOURCE", allow_hyphen_values = true, required_unless_present = "list")]
    source: Option<String>,

    /// Lists the kinds of configurations, and what is read of each.
    #[arg(long, exclusive = true)]
    list: bool,

    /// The kind of configuration, where the text does not show it; `--list` has all.
    #[arg(long, value_name = "NAME")]
    kind: Option<String>,

    /// The pool, cache or upstream, of a file that has several.
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,

    /// A server, for a configuration that has none, such as a php.ini; may be given several times.
    #[arg(long = "server", value_name = "SERVER")]
    servers: Vec<String>,

    /// Prints JSON.
    #[arg(long)]
    json: bool,

    /// Says on which server each key of a file lives; `-` is standard input. Prefixes are put before keys here.
    #[arg(long, value_name = "FILE")]
    keys: Option<String>,

    /// How --keys prints, as `memring where` does.
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "keys")]
    format: Format,

    /// Compares with another configuration, given in the same way: which share of keys the two place differently, and why.
    /// The exit code is 1 if they do.
    #[arg(long, value_name = "OTHER", allow_hyphen_values = true)]
    against: Option<String>,

    /// The kind of the other configuration.
    #[arg(long, value_name = "NAME", requires = "against")]
    against_kind: Option<String>,

    /// The pool of the other configuration.
    #[arg(long, value_name = "NAME", requires = "against")]
    against_pool: Option<String>,

    /// Asks each server for its version, without encryption or a password.
    #[arg(long)]
    ping: bool,
}

const EXAMPLES: &str = "Examples:
  memring doctor nutcracker.yml
  memring doctor php.ini --json
  memring doctor '--SERVER=10.0.0.1 --SERVER=10.0.0.2 --DISTRIBUTION=consistent'
  memring doctor settings.py --pool default --keys keys.txt --format tsv
  memring doctor config/cache.php --against nutcracker.yml --against-pool main";

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let Some(source) = &args.source else {
        output::print(&kinds())?;
        return Ok(Outcome::Fine);
    };
    let stdin = [Some(source), args.against.as_ref(), args.keys.as_ref()];
    if stdin.into_iter().flatten().filter(|source| *source == "-").count() > 1 {
        return Err(Failure::usage("only one of SOURCE, --against and --keys can be standard input"));
    }
    let mut patients = patients(source, args.kind.as_deref(), args.pool.as_deref())?;
    for patient in &mut patients {
        give_servers(patient, &args.servers)?;
        traps::find(patient);
    }
    if let Some(other) = &args.against {
        let one = alone(&patients, "--pool")?;
        let mut others = self::patients(other, args.against_kind.as_deref(), args.against_pool.as_deref())?;
        others.iter_mut().for_each(traps::find);
        return against::compare(one, alone(&others, "--against-pool")?, args.keys.as_deref(), args.json);
    }
    if let Some(keys) = &args.keys {
        let format = if args.json { Format::Json } else { args.format };
        let reading = alone(&patients, "--pool")?;
        // A prefix that is told of, and that neither the scheme nor what is put before the keys has.
        let has_option = |name: &str| reading.options.iter().any(|(other, _)| other == name);
        let lacks_prefix = reading.prepend.is_empty() && !has_option("prefix") && !has_option("namespace");
        tell_of_traps(reading, |trap| {
            NOT_ALL_IS_READ.contains(&trap) || (trap == "prefix-hashed" && lacks_prefix)
        });
        keys_of(reading, keys, format)?;
        return Ok(Outcome::Fine);
    }
    if args.json {
        let reading = alone(&patients, "--pool")?;
        let answers = if args.ping { Some(ping::ask(&reading.servers)?) } else { None };
        output::print_json(&report::json(reading, answers.as_deref()))?;
        return Ok(Outcome::Fine);
    }
    let mut failures = Vec::new();
    for (number, reading) in patients.iter().enumerate() {
        output::print(&format!("{}{}", if number == 0 { "" } else { "\n" }, report::text(reading)))?;
        if args.ping {
            let answers = ping::ask(&reading.servers)?;
            output::print(&ping::text(&answers))?;
            failures.extend(answers.into_iter().filter_map(|answer| answer.version.err()));
        }
    }
    crate::verbs::all_fine(failures)?;
    Ok(Outcome::Fine)
}

fn kinds() -> String {
    let width = KINDS.iter().map(|kind| kind.name.len()).max().unwrap_or(0);
    KINDS.iter().map(|kind| format!("{:width$}  {}\n", kind.name, kind.about)).collect()
}

/// What a source says, of the pool `pool` if one is named.
fn patients(source: &str, kind: Option<&str>, pool: Option<&str>) -> Result<Vec<Reading>, Failure> {
    let kind = kind.map(|name| {
        Kind::named(name)
            .ok_or_else(|| Failure::usage(format_args!("unknown kind {name:?}; {}", near_kinds(name))))
    });
    let source = Source::open(source, kind.transpose()?)?;
    let mut readings = source.readings()?;
    let Some(pool) = pool else { return Ok(readings) };
    let names = pools(&readings);
    readings.retain(|reading| reading.pool.as_deref() == Some(pool));
    match readings.is_empty() {
        true => Err(Failure::usage(format_args!("no pool {pool:?}; there is {names}"))),
        false => Ok(readings),
    }
}

/// What to say of the kinds that there are: those whose client, language or file is called so, or whose name is near.
fn near_kinds(name: &str) -> String {
    let words = |text: &str| {
        let letters = text.to_lowercase().replace(|char: char| !char.is_alphanumeric(), " ");
        format!(" {} ", letters.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let wanted = words(name);
    let called = KINDS.iter().filter(|kind| words(kind.about).contains(&wanted));
    let called: Vec<_> = called.map(|kind| kind.name).collect();
    match called.is_empty() {
        true => near::offer(name, &KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>()),
        false => format!("near to it is {}", called.join(", ")),
    }
}

fn pools(readings: &[Reading]) -> String {
    let names: Vec<_> =
        readings.iter().map(|reading| reading.pool.as_deref().unwrap_or("one without a name")).collect();
    names.join(", ")
}

/// The only one of several, or the one that a program takes when it names none.
fn alone<'r>(readings: &'r [Reading], option: &str) -> Result<&'r Reading, Failure> {
    let default = readings.iter().find(|reading| reading.pool.as_deref() == Some("default"));
    match readings {
        [one] => Ok(one),
        _ => default.ok_or_else(|| {
            Failure::usage(format_args!(
                "there are several pools; name one with {option}: {}",
                pools(readings)
            ))
        }),
    }
}

/// The only configuration of a source, or the one that `pool` names, with `servers` if it has none of its own.
pub(crate) fn one(
    source: &str,
    kind: Option<&str>,
    pool: Option<&str>,
    servers: &[String],
) -> Result<Reading, Failure> {
    let readings = patients(source, kind, pool)?;
    let mut reading = alone(&readings, "--pool")?.clone();
    give_servers(&mut reading, servers)?;
    traps::find(&mut reading);
    Ok(reading)
}

/// The configuration as `memring.toml` says it, if that can and there are a scheme and servers.
pub(crate) fn written(reading: &Reading) -> Option<Written<'_>> {
    let Choice { name, options } = choice(reading).ok()?;
    let servers: Vec<_> = reading.servers.iter().map(spec).collect();
    if !reading.append.is_empty() || servers.is_empty() {
        return None;
    }
    let written = Written { scheme: Some(name), options, servers, namespace: &reading.prepend };
    // An address that cannot be one, such as a host with a blank, is no server of a file.
    let read = ConfigFile::from_toml(&written.alone()).ok()?;
    (read.servers() == written.servers).then_some(written)
}

/// Why there is no such file.
pub(crate) const UNWRITTEN: &str = "no memring.toml says the same: the configuration has no servers, puts a suffix behind each \
     key, or has a server whose address cannot be one; `memring doctor` tells which";

/// Gives servers to a configuration that has none.
fn give_servers(reading: &mut Reading, servers: &[String]) -> Result<(), Failure> {
    if servers.is_empty() {
        return Ok(());
    }
    if !reading.servers.is_empty() {
        return Err(Failure::usage("the configuration has servers of its own; leave --server out"));
    }
    for text in servers {
        let wrong = |error| Failure::usage(format_args!("--server: {error}"));
        for entry in entries(text).map_err(wrong)? {
            let spec = Entry::read(&entry).map_err(wrong)?;
            reading.servers.push(memring::configs::ReadServer {
                name: spec.name().to_owned(),
                weight: spec.weight(),
                address: spec.address().clone(),
            });
        }
    }
    reading.warnings.retain(|warning| warning.trap != "servers-elsewhere");
    Ok(())
}

/// The servers, as those who place keys want them.
fn named(reading: &Reading) -> Vec<NamedServer> {
    let servers = reading.servers.iter().zip(1..);
    let servers = servers.map(|(server, number)| {
        NamedServer::new(Server { name: &server.name, weight: server.weight }, format!("server {number}"))
    });
    servers.collect()
}

/// The scheme with its options.
pub(crate) fn choice(reading: &Reading) -> Result<Choice<'_>, Failure> {
    let options = reading.options.iter().map(|(name, value)| (&**name, &**value)).collect();
    match &reading.scheme {
        Some(name) => Ok(Choice { name, options }),
        None => {
            let says =
                reading.warnings.iter().map(|warning| format!("\n{}", warning.says)).collect::<String>();
            Err(Failure::usage(format_args!("no scheme of memring places keys as this does{says}")))
        }
    }
}

fn placed<'r>(reading: &'r Reading, servers: &'r [NamedServer]) -> Result<Placed<'r>, Failure> {
    if servers.is_empty() {
        return Err(Failure::usage(
            "no servers: the configuration has none; give them with --server, in order",
        ));
    }
    build(choice(reading)?.scheme()?, servers)
}

/// What the client places a key by.
fn as_placed<'k>(reading: &Reading, key: &'k [u8]) -> Cow<'k, [u8]> {
    match (reading.prepend.as_bytes(), reading.append.as_bytes()) {
        ([], []) => Cow::Borrowed(key),
        (before, behind) => Cow::Owned([before, key, behind].concat()),
    }
}

/// Traps by which keys may be placed otherwise than the answer says.
const NOT_ALL_IS_READ: [&str; 10] = [
    "address-in-name",
    "branches",
    "changed-later",
    "from-environment",
    "key-function",
    "options-elsewhere",
    "prefix-unknown",
    "several-functions",
    "unknown-namespace",
    "unknown-prefix",
];

/// Tells of some traps on standard error, where standard output has something else.
pub(crate) fn tell_of_traps(reading: &Reading, which: impl Fn(&str) -> bool) {
    for warning in reading.warnings.iter().filter(|warning| which(warning.trap)) {
        failure::say(format_args!("mind {}: {}", warning.trap, Visible::line(&warning.says)));
    }
}

fn keys_of(reading: &Reading, path: &str, format: Format) -> Result<(), Failure> {
    let servers = named(reading);
    let placement = placed(reading, &servers)?;
    let keys = KeySource::File(KeyFile::open(path)?);
    locate::print(&placement, keys, format, 1, &|key| as_placed(reading, key))
}

/// The server as the clients of memring are told of it.
fn spec(server: &memring::configs::ReadServer) -> ServerSpec {
    ServerSpec::new(&*server.name, server.address.clone()).weighing(server.weight)
}

/// What is wrong with a configuration, and in which.
fn wrong(name: &str, error: &ConfigError) -> Failure {
    Failure::usage(format_args!("{name}{} {error}", if error.line().is_some() { "" } else { ":" }))
}
