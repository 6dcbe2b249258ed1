//! The keys of a file: the fields of a configuration.

use core::num::NonZeroUsize;
use std::path::PathBuf;

use memring_core::health::HealthPolicy;
use memring_text::{Key, Ttl, value::MAX_VALUE_LEN};
use toml::de::{DeTable, DeValue};

use super::{
    ConfigFile, NamedScheme, discovery,
    error::{FileError, FileProblem},
    reference::{Login, Trust},
    section::Section,
    servers::Listed,
    value::Value,
};
use crate::{Config, OwnedScheme, route::FailurePolicy};

/// Reads the table of the whole file.
pub(super) fn read(text: &str, table: &DeTable<'_>) -> Result<ConfigFile, FileError> {
    let mut config = Config::default();
    let mut top = Section::new(text, String::new(), table);
    let listed = top.take("servers").as_ref().map(Listed::read).transpose()?.unwrap_or_default();
    config.discovery = top.take("discovery").as_ref().map(discovery::read).transpose()?;
    let scheme = scheme(&mut top, &mut config)?;
    if let Some(value) = top.take("namespace") {
        let text = value.text()?;
        if !text.is_empty() && Key::new(text.as_bytes()).is_err() {
            let says = "no beginning of a key; write at most 250 bytes without blanks and control characters";
            return Err(value.wrong(FileProblem::Value(says)));
        }
        config.namespace = text.into();
    }
    if let Some(value) = top.take("place_by_namespace") {
        config.place_by_namespace = value.boolean()?;
    }
    let has_timeout = top.has("timeout");
    if let Some(value) = top.take("timeout") {
        config.timeout = value.duration()?;
    }
    if let Some(value) = top.take("connect_timeout") {
        config.connect_timeout = value.duration()?;
    }
    if let Some(value) = top.take("idle_timeout") {
        config.idle_timeout = value.duration()?;
    }
    if let Some(value) = top.take("keepalive") {
        config.keepalive = if value.is_false() { None } else { Some(value.duration()?) };
    }
    if let Some(value) = top.take("pool_size") {
        config.pool_size = NonZeroUsize::new(value.count()?);
    }
    if let Some(value) = top.take("merge_gets") {
        config.merge_gets = value.boolean()?;
    }
    if let Some(value) = top.take("under_way") {
        let mut table = value.section("{ requests = NUMBER, bytes = SIZE }")?;
        if let Some(value) = table.take("requests") {
            config.under_way.requests = value.count()?;
        }
        if let Some(value) = table.take("bytes") {
            config.under_way.bytes = value.size()?;
        }
        table.end()?;
    }
    if let Some(value) = top.take("limits") {
        let mut table = value.section("{ value = SIZE }")?;
        if let Some(value) = table.take("value") {
            let size = value.size()?;
            if size > MAX_VALUE_LEN {
                return Err(value.wrong(FileProblem::Value("more than \"1GiB\", which no server can have")));
            }
            config.limits.value = size;
        }
        table.end()?;
    }
    let auth = top.take("auth").as_ref().map(Login::read).transpose()?;
    let tls = top.take("tls").as_ref().map(Trust::read).transpose()?.flatten();
    let gutter = failures(&mut top, &mut config)?;
    top.end()?;
    config.servers = listed.specs;
    config.gutter = gutter.specs;
    Ok(ConfigFile {
        config,
        scheme,
        has_timeout,
        auth,
        tls,
        logins: [listed.logins, gutter.logins],
        folder: PathBuf::new(),
        path: None,
    })
}

/// Sets the scheme of `config`; returns it as it is written.
fn scheme(top: &mut Section<'_>, config: &mut Config) -> Result<Option<NamedScheme>, FileError> {
    let (scheme, options) = (top.take("scheme"), top.take("options"));
    let Some(scheme) = scheme else {
        return match options {
            Some(options) => Err(options.wrong(FileProblem::OptionsAlone)),
            None => Ok(None),
        };
    };
    let name = scheme.text()?;
    let wrong = |value: &Value<'_>, error| value.wrong(FileProblem::Scheme(error));
    config.scheme = OwnedScheme::named(name, []).map_err(|error| wrong(&scheme, error))?;
    let mut texts: Vec<(&str, &str)> = Vec::new();
    if let Some(options) = options {
        for (option, value) in options.section("a table, such as { hash = \"md5\" }")?.entries() {
            texts.push((option, option_text(&value)?));
            // One more of them each time, so that an error has the line of its own option.
            let some = texts.iter().copied();
            config.scheme = OwnedScheme::named(name, some).map_err(|error| wrong(&value, error))?;
        }
    }
    let options = texts.into_iter().map(|(option, value)| (option.to_owned(), value.to_owned()));
    Ok(Some(NamedScheme { name: name.to_owned(), options: options.collect() }))
}

/// The value of a scheme's option, as a text.
fn option_text<'t>(value: &Value<'t>) -> Result<&'t str, FileError> {
    match value.get() {
        DeValue::String(text) => Ok(text),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str()),
        DeValue::Float(number) => Ok(number.as_str()),
        DeValue::Boolean(true) => Ok("true"),
        DeValue::Boolean(false) => Ok("false"),
        _ => Err(value.is_no("a text in quotes")),
    }
}

/// What happens when servers fail; returns the gutter.
fn failures(top: &mut Section<'_>, config: &mut Config) -> Result<Listed, FileError> {
    if let Some(value) = top.take("failure_policy") {
        config.failure_policy = match value.text()? {
            "fail" => FailurePolicy::Fail,
            "fallback" => FailurePolicy::Fallback,
            _ => {
                return Err(value.wrong(FileProblem::Value("unknown policy; write \"fail\" or \"fallback\"")));
            }
        };
    }
    if let Some(value) = top.take("health_policy") {
        config.health_policy = if value.is_false() { None } else { Some(health(&value)?) };
    }
    let gutter = top.take("gutter").as_ref().map(Listed::read).transpose()?.unwrap_or_default();
    if let Some(value) = top.take("stand_in_ttl") {
        config.stand_in_ttl = match value.get() {
            DeValue::String(text) if text == "never" => Ttl::NEVER,
            _ => Ttl::after(value.duration()?),
        };
    }
    if let Some(value) = top.take("errors_as_misses") {
        config.errors_as_misses = value.boolean()?;
    }
    Ok(gutter)
}

fn health(value: &Value<'_>) -> Result<HealthPolicy, FileError> {
    let mut policy = HealthPolicy::DEFAULT;
    let mut table =
        value.section("false, or { failures = NUMBER, window = TIME, min_wait = TIME, max_wait = TIME }")?;
    if let Some(value) = table.take("failures") {
        policy.failures = value.count()?;
    }
    if let Some(value) = table.take("window") {
        policy.window = value.duration()?;
    }
    if let Some(value) = table.take("min_wait") {
        policy.min_wait = value.duration()?;
    }
    if let Some(value) = table.take("max_wait") {
        policy.max_wait = value.duration()?;
    }
    table.end()?;
    Ok(policy)
}
