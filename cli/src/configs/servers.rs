//! Servers as several clients write them: hosts, ports, and addresses of IPv6 in brackets.

use memring_client::spec::{Address, DEFAULT_PORT};
use memring_core::Weight;

use super::{ConfigError, ReadServer};

/// A port as a text has it.
pub(super) fn port(text: &str, line: usize) -> Result<u16, ConfigError> {
    text.parse()
        .map_err(|_| ConfigError::at(line, format!("{text:?} is no port: write a number from 0 to 65535")))
}

/// A whole weight as a text has it.
pub(super) fn weight(text: &str, line: usize) -> Result<u32, ConfigError> {
    text.parse().map_err(|_| ConfigError::at(line, format!("{text:?} is no weight: write a whole number")))
}

/// The server `host:port`, the port always in its name.
pub(super) fn with_port(host: &str, port: u16) -> ReadServer {
    ReadServer::new(format!("{host}:{port}"), Address::tcp(host, port))
}

/// The server `host:port`, just `host` on port 11211, as libmemcached names it.
pub(super) fn without_default_port(host: &str, port: u16) -> ReadServer {
    match port {
        DEFAULT_PORT => ReadServer::new(host, Address::tcp(host, port)),
        port => with_port(host, port),
    }
}

/// The server on the Unix socket `path`, which is its name.
pub(super) fn socket(path: &str) -> ReadServer {
    ReadServer::new(path, Address::unix(path))
}

/// What `text` begins with as `HOST` or `[V6]`, without brackets, and the rest.
pub(super) fn host(text: &str) -> (&str, &str) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return (host, rest);
    }
    text.split_at(text.find(':').unwrap_or(text.len()))
}

/// Cuts `:PORT` and `:WEIGHT` off, each of which may be missing: the rest of `HOST[:PORT[:WEIGHT]]`.
pub(super) fn port_and_weight(rest: &str, line: usize) -> Result<(u16, Weight), ConfigError> {
    let mut fields = rest.split(':').skip(1);
    let read = match (fields.next(), fields.next(), fields.next()) {
        (None, ..) => (DEFAULT_PORT, Weight::default()),
        (Some(number), None, _) => (port(number, line)?, Weight::default()),
        (Some(number), Some(share), None) => (port(number, line)?, weight(share, line)?.into()),
        (_, _, Some(_)) => {
            return Err(ConfigError::at(
                line,
                format!("more than a port and a weight: {:?}", rest.trim_start_matches(':')),
            ));
        }
    };
    Ok(read)
}

/// A text without the name and the password that stand before its last `@`.
pub(super) fn without_credentials(text: &str) -> &str {
    text.rsplit('@').next().unwrap_or(text)
}
