//! The servers of a demonstration, ended when it ends, however it ends.

use core::net::Ipv4Addr;
use std::path::Path;

use memring_std::{Client, testing::Server};

use super::{Args, memcached::Memcached};
use crate::{failure::Failure, interrupt::Interrupt};

/// Running servers, as many as there will be at most.
#[derive(Debug)]
pub(super) struct Fleet {
    names: Vec<String>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Real ones, held to be ended.
    Memcached { _running: Vec<Memcached> },
    /// Servers of this process, likewise.
    Embedded { _running: Vec<Server> },
}

impl Fleet {
    /// Starts what `args` ask for.
    pub(super) fn start(args: &Args, interrupt: &Interrupt) -> Result<Self, Failure> {
        let ports = ports(args.port, args.servers + args.add)?;
        let in_path = Path::new("memcached");
        match args.memcached.as_deref() {
            Some(path) if Memcached::is_there(path)? => Self::memcached(path, &ports, interrupt),
            Some(path) => Err(Failure::usage(format_args!("no memcached at {}", path.display()))),
            None if !args.embedded && Memcached::is_there(in_path)? => {
                Self::memcached(in_path, &ports, interrupt)
            }
            None => Self::embedded(&ports),
        }
    }

    fn memcached(path: &Path, ports: &[Option<u16>], interrupt: &Interrupt) -> Result<Self, Failure> {
        let running = ports
            .iter()
            .map(|&port| Memcached::start(path, port, interrupt))
            .collect::<Result<Vec<_>, _>>()?;
        let names = running.iter().map(|server| server.name().to_owned()).collect();
        Ok(Self { names, kind: Kind::Memcached { _running: running } })
    }

    fn embedded(ports: &[Option<u16>]) -> Result<Self, Failure> {
        let start = |port: &Option<u16>| {
            let port = port.unwrap_or(0);
            Server::bind((Ipv4Addr::LOCALHOST, port))
                .map_err(|error| Failure::failed(format_args!("127.0.0.1:{port}: {error}")))
        };
        let running = ports.iter().map(start).collect::<Result<Vec<_>, _>>()?;
        let names = running.iter().map(|server| server.addr().to_string()).collect();
        Ok(Self { names, kind: Kind::Embedded { _running: running } })
    }

    /// The names of the servers: their addresses.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// What kind of servers they are, with the version that they state.
    pub(super) fn version(&self) -> Result<String, Failure> {
        let mut version = String::new();
        for answer in Client::connect(self.names.iter().take(1))?.version() {
            version = answer.result?;
        }
        Ok(match self.kind {
            Kind::Memcached { .. } => format!("memcached {version}"),
            Kind::Embedded { .. } => format!("embedded servers {version}"),
        })
    }
}

/// A port for each server, where they are to be chosen.
fn ports(first: Option<u16>, count: u16) -> Result<Vec<Option<u16>>, Failure> {
    let Some(first) = first else { return Ok(vec![None; usize::from(count)]) };
    let last = first
        .checked_add(count - 1)
        .ok_or_else(|| Failure::usage(format_args!("there are no {count} ports from {first} on")))?;
    Ok((first..=last).map(Some).collect())
}
