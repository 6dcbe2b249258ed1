//! `memring serve`: the embedded server, for trying things out.

use core::net::SocketAddr;
use std::net::ToSocketAddrs as _;

use memring_client::{
    discovery::{Cluster, ClusterError},
    testing::ServerBuilder,
};
use memring_std::testing::Server;

use crate::{
    failure::{self, Failure, Outcome},
    interrupt::Interrupt,
    output,
    verbs::secure::{auth_file, users},
};

/// Runs a memcached inside this process until it is interrupted.
///
/// It knows memcached's classic commands and forgets everything at the end: for tests and for trying things out.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen, as `127.0.0.1:11311`, `localhost:11311` or `/run/memring.sock`; port 0 takes a free one. The address is
    /// printed when it can be connected to.
    #[arg(long, value_name = "HOST:PORT or /PATH", default_value = "127.0.0.1:11311")]
    listen: String,

    /// How much it may hold, in MiB; when that is full, what was not used for longest is dropped.
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    memory: u16,

    /// The largest item, key and overhead included, as memcached's option has it: `512k`, `8m`, or bytes.
    #[arg(short = 'I', long, value_name = "SIZE", default_value = "1m", value_parser = item_size)]
    item_size_max: usize,

    /// Answers `config get cluster` with these servers, as the endpoints of managed caches do: `HOST|IP|PORT`, several with
    /// blanks between them, either of host and ip may be empty. A client that discovers its servers can be tried with it; the
    /// list is the item `AmazonElastiCache:cluster`, which can be stored again.
    #[arg(long, value_name = "SERVERS", value_parser = cluster)]
    cluster: Option<Cluster>,

    /// A file of users, one `USER:PASSWORD` a line: nobody else is let in.
    #[arg(long, value_name = "FILE")]
    auth_file: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let interrupt = Interrupt::take()?;
    let wrong = |error| Failure::failed(format_args!("{}: {}", args.listen, failure::system(&error)));
    #[cfg(unix)]
    if let Some(path) = socket(&args.listen) {
        use memring_std::testing::UnixServer;

        let server = UnixServer::bind(args.built(UnixServer::builder())?, path).map_err(wrong)?;
        output::print(&format!("listening on {}\n", server.path().display()))?;
        interrupt.wait();
        server.stop();
        return Ok(Outcome::Fine);
    }
    let address = address(&args.listen)?;
    let server = args.built(Server::builder())?.bind(address).map_err(wrong)?;
    output::print(&format!("listening on {}\n", server.addr()))?;
    interrupt.wait();
    server.stop();
    Ok(Outcome::Fine)
}

impl Args {
    /// The server that the options describe.
    fn built<S>(&self, server: ServerBuilder<S>) -> Result<ServerBuilder<S>, Failure> {
        let mut server = server.memory(usize::from(self.memory) << 20).item_size_max(self.item_size_max);
        if let Some(cluster) = &self.cluster {
            server = server.cluster(cluster.clone());
        }
        if let Some(path) = &self.auth_file {
            for (user, password) in users(&auth_file(path)?)? {
                server = server.auth(user, password);
            }
        }
        Ok(server)
    }
}

/// The servers of a cluster.
fn cluster(text: &str) -> Result<Cluster, ClusterError> {
    let servers = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    Ok(Cluster { version: 1, servers })
}

/// The path of a Unix socket, from the root: `/PATH`, `./PATH`, `unix:/PATH` or `unix:///PATH`.
#[cfg(unix)]
fn socket(text: &str) -> Option<std::path::PathBuf> {
    let path = text.strip_prefix("unix://").or_else(|| text.strip_prefix("unix:")).unwrap_or(text);
    let is_path = path.starts_with('/') || ["./", "../"].iter().any(|begin| text.starts_with(begin));
    // Who connects may stand in another folder.
    std::path::absolute(path).ok().filter(|_| is_path)
}

/// The first address of a host and a port.
fn address(text: &str) -> Result<SocketAddr, Failure> {
    if text.starts_with('/') || text.starts_with("unix:") {
        return Err(Failure::usage(format_args!(
            "--listen {text}: no path of a Unix socket; write /PATH, ./PATH or HOST:PORT"
        )));
    }
    let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    if !matches!(port, Some(Ok(_))) {
        return Err(Failure::usage(format_args!(
            "--listen {text}: no port; write HOST:PORT, with 0 for a free one, or ./PATH for a Unix socket"
        )));
    }
    let mut found =
        text.to_socket_addrs().map_err(|_| Failure::failed(format_args!("{text}: name not resolved")))?;
    found.next().ok_or_else(|| Failure::failed(format_args!("{text}: a name without an address")))
}

/// Reads a size of items, within the bounds that memcached has.
fn item_size(text: &str) -> Result<usize, &'static str> {
    let (number, scale) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1 << 10),
        Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let size = number.parse::<usize>().ok().and_then(|number| number.checked_mul(scale));
    size.filter(|size| (1 << 10..=1 << 30).contains(size))
        .ok_or("not a size from 1k to 1g, such as 512k or 8m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_items_are_those_of_memcached() {
        for (text, size) in [("1k", 1024), ("2m", 2 << 20), ("8M", 8 << 20), ("1g", 1 << 30), ("4096", 4096)]
        {
            assert_eq!(item_size(text), Ok(size), "{text}");
        }
        for text in ["", "k", "1", "2g", "-1m", "1mb", "m1", "99999999999999999999g"] {
            assert!(item_size(text).is_err(), "{text}");
        }
    }
}
