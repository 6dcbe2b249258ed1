//! Asks the servers of a managed cache for the others.

use embedded_io::{Read as _, Write as _};
use memring_client::{
    Config,
    discovery::{Cluster, ClusterError, Heard, Inquiry},
    failure::Cause,
    spec::ServerSpec,
};

use crate::{deadline::Deadline, dial::Dialer};

/// Asks one server, over a connection of its own, so that the name is resolved anew.
///
/// # Errors
/// The server is not reached, or does not answer by `deadline`.
pub(super) fn ask(
    server: &ServerSpec,
    config: &Config,
    deadline: Deadline,
) -> Result<Result<Cluster, ClusterError>, Cause> {
    let dialer = Dialer::new(server, false, config)?;
    let mut wire = dialer.dial(deadline, deadline.left(), config.limits).finish()?;
    let io = wire.io_mut();
    io.begin(deadline);
    let (mut inquiry, mut buffer) = (Inquiry::default(), vec![0; BUFFER]);
    loop {
        io.write_all(inquiry.request())?;
        io.flush()?;
        loop {
            let len = io.read(&mut buffer)?;
            let Some(bytes @ [_, ..]) = buffer.get(..len) else { return Err(Cause::Closed(None)) };
            match inquiry.received(bytes) {
                Ok(Heard::Part) => {}
                Ok(Heard::AskAgain) => break,
                Ok(Heard::All(cluster)) => return Ok(Ok(cluster)),
                Err(error) => return Ok(Err(error)),
            }
        }
    }
}

/// How many bytes are read at a time.
const BUFFER: usize = 16 << 10;
