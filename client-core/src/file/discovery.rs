//! Where servers are found out, in a file.

use toml::de::DeValue;

use super::{
    error::{FileError, FileProblem},
    value::Value,
};
use crate::{
    discovery::{Discovery, Source},
    roster::Naming,
};

/// Reads a source as a text, or a table with a source and the pace.
pub(super) fn read(value: &Value<'_>) -> Result<Discovery, FileError> {
    if let DeValue::String(_) = value.get() {
        return Ok(Discovery::new(source(value)?));
    }
    let mut table = value
        .section("a source such as \"file+servers.txt\", or { source = \"SOURCE\", interval = \"30s\" }")?;
    let Some(named) = table.take("source") else {
        return Err(value.wrong(FileProblem::Value("no source; write { source = \"SOURCE\" }")));
    };
    let mut discovery = Discovery::new(source(&named)?);
    let pace = &mut discovery.pace;
    if let Some(value) = table.take("interval") {
        pace.interval = Some(value.duration()?);
    }
    if let Some(value) = table.take("answer_timeout") {
        pace.timeout = value.duration()?;
    }
    if let Some(value) = table.take("damping") {
        pace.damping = value.duration()?;
    }
    if let Some(value) = table.take("answers") {
        pace.answers = value.count()?;
    }
    if let Some(value) = table.take("max_share") {
        pace.max_share = Some(share(&value)?);
    }
    if let Some(value) = table.take("shrink_after") {
        pace.shrink_after = value.duration()?;
    }
    if let Some(value) = table.take("count") {
        pace.count = Some(value.count()?);
    }
    if let Some(value) = table.take("names") {
        pace.naming = naming(&value)?;
    }
    if let Some(value) = table.take("or_single") {
        let is_wanted = value.boolean()?;
        match &mut discovery.source {
            Source::Cluster(cluster) => cluster.or_single = is_wanted,
            _ => return Err(value.wrong(FileProblem::Value("only a source \"cluster+HOST:PORT\" has it"))),
        }
    }
    table.end()?;
    Ok(discovery)
}

fn source(value: &Value<'_>) -> Result<Source, FileError> {
    let source = value.text()?.parse().map_err(|error| value.wrong(FileProblem::Discovery(error)))?;
    match &source {
        Source::Cluster(cluster) if cluster.endpoint.credentials().is_some() => {
            Err(value.wrong(FileProblem::Password))
        }
        _ => Ok(source),
    }
}

fn share(value: &Value<'_>) -> Result<f64, FileError> {
    let number = match value.get() {
        DeValue::Float(number) => number.as_str().parse().ok(),
        DeValue::Integer(number) => number.as_str().parse().ok(),
        _ => None,
    };
    number
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| value.wrong(FileProblem::Value("no share; write a number from 0 to 1, such as 0.5")))
}

fn naming(value: &Value<'_>) -> Result<Naming, FileError> {
    value.text()?.parse().map_err(|()| {
        value.wrong(FileProblem::Value(
            "unknown; write \"first-server\", or what stands before the number, as in \"cache-{n}\"",
        ))
    })
}
