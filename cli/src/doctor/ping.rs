//! Whether the servers of a configuration are there.

use core::time::Duration;
use std::thread;

use memring::configs::ReadServer;
use memring_std::{Client, ServerSpec};

use crate::{
    failure::Failure,
    table::{Align, Table},
};

/// What a server said.
pub(super) struct Answer {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) version: Result<String, String>,
}

/// How long a server has for its answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many servers are asked at once.
const AT_ONCE: usize = 32;

/// Asks each server for its version. One that is listed twice is asked once.
pub(super) fn ask(servers: &[ReadServer]) -> Result<Vec<Answer>, Failure> {
    let mut distinct: Vec<&ReadServer> = Vec::new();
    for server in servers {
        if !distinct.iter().any(|other| other.address == server.address) {
            distinct.push(server);
        }
    }
    let mut answers = Vec::new();
    for some in distinct.chunks(AT_ONCE) {
        let versions: Result<Vec<_>, _> = thread::scope(|scope| {
            let asked: Vec<_> = some.iter().map(|server| scope.spawn(|| version(server))).collect();
            asked.into_iter().map(|asked| asked.join()).collect()
        });
        let versions = versions.map_err(|_| Failure::failed("asking a server ended in a panic"))?;
        answers.extend(some.iter().zip(versions).map(|(server, version)| Answer {
            name: server.name.clone(),
            address: server.address.to_string(),
            version,
        }));
    }
    Ok(answers)
}

fn version(server: &ReadServer) -> Result<String, String> {
    let address = server.address.to_string();
    let client = Client::builder()
        .servers([ServerSpec::new(&*address, server.address.clone()).to_string()])
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE)
        .build()
        .map_err(|error| format!("{address}: {error}"))?;
    let answer = client.version().into_iter().next().map(|answer| answer.result);
    match answer {
        Some(Ok(version)) => Ok(version),
        Some(Err(error)) => Err(error.to_string()),
        None => Err(format!("{address}: nothing was asked")),
    }
}

/// A line for each server that answered.
pub(super) fn text(answers: &[Answer]) -> String {
    let mut table = Table::new([Align::Left, Align::Left, Align::Left]);
    for answer in answers {
        let version = answer.version.as_deref().unwrap_or("does not answer");
        table.row(["", &answer.name, version]);
    }
    format!("\nAsked for their versions:\n{table}")
}
