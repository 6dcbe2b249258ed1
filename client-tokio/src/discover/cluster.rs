//! Asks the servers of a managed cache for the others.

use memring_client::{
    Config,
    discovery::{Cluster, ClusterError, Heard, Inquiry},
    failure::Cause,
    spec::ServerSpec,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout_at,
};

use crate::{
    deadline::Deadline,
    dial::Dialer,
    socket::{Stream, Transport as _},
};

/// Asks one server, over a connection of its own, so that the name is resolved anew.
///
/// # Errors
/// The server is not reached, or does not answer by `deadline`.
pub(super) async fn ask(
    server: &ServerSpec,
    config: &Config,
    deadline: Deadline,
) -> Result<Result<Cluster, ClusterError>, Cause> {
    let stream = Dialer::new(server, false, config)?.dial(deadline.at()).await?;
    timeout_at(deadline.at(), answer(stream)).await.unwrap_or(Err(Cause::Timeout))
}

async fn answer(mut io: Stream) -> Result<Result<Cluster, ClusterError>, Cause> {
    let (mut inquiry, mut buffer) = (Inquiry::default(), vec![0; BUFFER]);
    loop {
        io.write_all(inquiry.request()).await.map_err(Stream::cause_of)?;
        io.flush().await.map_err(Stream::cause_of)?;
        loop {
            let len = io.read(&mut buffer).await.map_err(Stream::cause_of)?;
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
